/** One random story in a world of epochs, from a seed: what is attempted, who gets what when, and what goes wrong. */
import { type Attempt, Dice, type World } from './epochs.ts';

/** How a story was told: for a report. */
export interface Told {
  readonly attempts: number;
  readonly certificates: number;
  readonly top: number;
  readonly cuts: number;
}

const MAX_ATTEMPTS = 4;

/** Whether enough of a group stay sound whatever happens: dishonest + restored ≤ n − t. */
function bears(world: World, members: readonly string[], needed: number): boolean {
  const bad = members.filter((m) => m === world.dishonest || m === world.restored).length;
  return bad <= members.length - needed;
}

async function attempt(world: World, dice: Dice): Promise<Attempt | undefined> {
  const bases = [undefined, undefined, ...world.attempts.filter((a) => a.certificate)];
  const base = dice.one(bases);
  const members = base ? base.members : world.first.members;
  const needed = base ? base.needed : 2;
  const low = base ? base.plan.rank : 1;
  const high = Math.max(1, ...world.attempts.map((a) => a.plan.rank));
  const rank = dice.chance(0.7) ? high + 1 : low + 1 + dice.below(Math.max(1, high - low + 1));
  if (dice.chance(0.2)) return bears(world, members, needed) ? world.propose({ kind: 'refresh', base, rank, lead: dice.one(members) }) : undefined;
  const count = 3 + dice.below(2);
  const next = dice.some(world.people, count);
  const threshold = count === 4 && dice.chance(0.3) ? 3 : 2;
  if (!bears(world, next, threshold)) return undefined;
  const dealers = dice.some(members, needed);
  return world.propose({ kind: 'reshare', base, rank, quorum: `${String(threshold)}-of(${next.join(', ')})`, dealers, lead: dice.one([...dealers, ...next]) });
}

/** Tells a story up to a moment that nobody chose, then lets everything arrive and checks what must hold. */
export async function tell(world: World, seed: number): Promise<Told> {
  const dice = new Dice(seed);
  world.reset();
  const fault = dice.next();
  const [one, other] = dice.shuffled(world.people);
  if (fault < 0.45) world.dishonest = one;
  else if (fault < 0.7) world.restored = one;
  else if (world.first.members.length > 3 && fault < 0.9) {
    world.dishonest = one;
    world.restored = other;
  }
  world.say(`seed ${String(seed)}: dishonest ${world.dishonest ?? '-'}, restored ${world.restored ?? '-'}`);
  let cuts = 0;
  for (let left = 30 + dice.below(70); left > 0; left -= 1) {
    const kind = dice.next();
    const latest = world.attempts.length;
    if (latest === 0 || (kind < 0.1 && latest < MAX_ATTEMPTS)) {
      await attempt(world, dice);
      continue;
    }
    const at = dice.chance(0.5) ? (world.attempts[latest - 1] as Attempt) : dice.one(world.attempts);
    const name = dice.one(dice.chance(0.85) ? at.everybody.filter((p) => p !== world.dishonest) : world.honest);
    if (kind < 0.13) await world.abort(at, name);
    else if (kind < 0.2) await world.scheme(at);
    else if (kind < 0.3 && at.withheld.size > 0) {
      // its deal it shows early, or nothing happens; the rest as it likes
      const path = dice.one([...at.withheld.keys()]);
      if (!path.endsWith('-not.blob') || dice.chance(0.4)) world.reveal(at, path, name);
    } else if (kind < 0.34 && world.restored !== undefined) {
      if (!world.imageTaken) world.image(world.restored);
      else if (!world.wasRestored) world.restore(world.restored);
    } else {
      // most of the time several people move one attempt on; now and then somebody gets very little
      const few = dice.chance(0.3);
      for (const who of few ? [name] : dice.some(at.everybody.filter((p) => p !== world.dishonest), 2)) {
        world.bringSome(at, who, dice, few ? 0.5 : 1);
        if (world.isIdle(at, who)) continue;
        const cut = dice.chance(0.12) ? 1 + dice.below(30) : undefined;
        if ((await world.visit(at, who, cut)) === 'power cut') cuts += 1;
        else if (!few) world.visited(at, who);
      }
    }
  }
  world.say('everything arrives');
  await world.settle(dice);
  const able = world.checkEnd();
  const top = world.top();
  const needed = top ? top.needed : 2;
  if (able.length >= needed) await world.sign(dice.some(able, needed));
  return { attempts: world.attempts.length, certificates: world.attempts.filter((a) => a.certificate).length, top: top?.plan.rank ?? 1, cuts };
}
