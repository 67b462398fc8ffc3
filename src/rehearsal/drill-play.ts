/** A drill as it is played headless: every step measured, every outcome compared with what must be seen. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { realDisk } from '../vault/durable.ts';
import { CeremonyError, EXIT } from '../wire/errors.ts';
import { begin } from './ceremony.ts';
import { doDeed, FOUND, SAFE } from './drill-deeds.ts';
import { scanForSecrets } from './drill-scan.ts';
import { ANYBODY, CARDS, copyOf, rehearsalHome } from './stage.ts';
import { type Carry, type DrillStep, type Expect, type Scenario, type Word } from './drill-script.ts';
import { seenOf, shown } from './drill-words.ts';
import type { Play } from './play.ts';
import { type Outcome, together } from './program.ts';
import { inWords, verdictOf } from './story.ts';

/** Visits after which a ceremony counts as stuck. */
const MAX_VISITS = 8;
/** Exits with which a program refuses what it has looked at; with any other, unless it was expected, a fault was not noticed. */
const REFUSALS: readonly (number | undefined)[] = [EXIT.refused, EXIT.wrong, EXIT.equivocation, EXIT.stateConflict];

/** How a step came out. Public. */
export interface PlayedStep {
  readonly no: number;
  readonly who: readonly string[];
  readonly does: string;
  /** As typed in the room. */
  readonly command?: string;
  readonly milliseconds: number;
  readonly exits?: readonly number[];
  readonly code?: string;
  readonly outcome: 'as-expected' | 'exception' | 'failure';
  readonly expected: string;
  /** What was seen, where it is not what was expected. */
  readonly observed?: string;
}

export interface PlayedFault {
  readonly id: string;
  readonly what: string;
  /** Who noticed it, with which exit and code; absent while nobody has. */
  readonly noticed?: { readonly by: string; readonly exit: number; readonly code?: string; readonly text: string };
  readonly asExpected: boolean;
}

export interface Played {
  readonly steps: readonly PlayedStep[];
  readonly faults: readonly PlayedFault[];
  readonly exceptions: readonly string[];
  /** Why the drill failed; undefined when it did not. */
  readonly failures: readonly string[];
  readonly milliseconds: number;
}

/** What a step gave. */
interface Seen {
  readonly outcomes: readonly Outcome[];
  /** What is not as it should be; undefined when all is. */
  readonly wrong?: string;
}

/** A word as it stands on the stage. */
function staged(root: string, who: string, word: Word): string {
  if (typeof word === 'string') return word;
  if ('folder' in word) return copyOf(who, word.folder);
  if ('own' in word) return `${who}/${word.own}`;
  if ('common' in word) return word.common;
  if ('cards' in word) return CARDS;
  if ('safe' in word) return `${SAFE}/${word.safe}`;
  return readFileSync(join(root, SAFE, `${word.recipient}.recipient`), 'utf8');
}

/** What differs from what must be seen; undefined when nothing does. */
export function difference(expect: Expect, outcome: Outcome): string | undefined {
  const { exit, code, participant, file } = verdictOf(outcome);
  const { report } = outcome;
  const text = report.error?.text ?? '';
  const next = report.nextAction?.code;
  const named = [participant ?? '', ...(report.needs ?? []).map((n) => n.from)];
  const fits =
    (outcome.killed ? expect.exit.length === 0 : exit !== null && exit !== undefined && expect.exit.includes(exit)) &&
    (expect.code === undefined || expect.code === code) &&
    (expect.next === undefined || (next !== undefined && (expect.next as readonly string[]).includes(next))) &&
    (expect.names === undefined || named.includes(expect.names)) &&
    (expect.file === undefined || file?.includes(expect.file) === true) &&
    (expect.says === undefined || text.includes(expect.says)) &&
    Object.entries(expect.has ?? {}).every(([k, v]) => report[k] === v);
  if (fits) return undefined;
  return outcome.killed ? 'the process was killed' : [`exit ${String(exit)}`, code ?? next, ...named.filter((n) => n !== '').slice(0, 1), text].filter((s) => s !== undefined && s !== '').join(' ');
}

export class DrillPlayer {
  readonly #play: Play;
  readonly #scenario: Scenario;
  readonly #publicKey: string;
  readonly #steps: PlayedStep[] = [];
  readonly #faults = new Map<string, PlayedFault>();
  readonly #exceptions: string[] = [];
  readonly #failures: string[] = [];

  /** @param publicKey of the key before the drill, hex */
  constructor(play: Play, scenario: Scenario, publicKey: string) {
    this.#play = play;
    this.#scenario = scenario;
    this.#publicKey = publicKey;
  }

  /** Plays all steps, or those up to one that leaves nothing to go on with. What goes wrong is told, not thrown. */
  async all(): Promise<Played> {
    const begun = performance.now();
    const { steps, faults } = this.#scenario;
    for (const [i, step] of steps.entries()) {
      if (await this.#one(i + 1, step)) continue;
      if (i + 1 < steps.length) this.#failures.push(`the drill ended at step ${String(i + 1)} of ${String(steps.length)}`);
      break;
    }
    for (const f of faults) {
      const played = this.#faults.get(f.id);
      if (played?.noticed) continue;
      this.#faults.set(f.id, { ...f, asExpected: false });
      this.#failures.push(`nobody noticed ${f.id}: ${f.what}`);
    }
    return { steps: this.#steps, faults: faults.flatMap((f) => this.#faults.get(f.id) ?? []), exceptions: this.#exceptions, failures: this.#failures, milliseconds: Math.round(performance.now() - begun) };
  }

  /** @returns whether there is something to go on with */
  async #one(no: number, step: DrillStep): Promise<boolean> {
    const begun = performance.now();
    let seen: Seen;
    try {
      seen = await this.#act(step);
    } catch (e) {
      if (!(e instanceof CeremonyError)) throw e;
      seen = { outcomes: [], wrong: e.message };
    }
    const { outcomes, wrong } = seen;
    const milliseconds = Math.round(performance.now() - begun);
    const refused = outcomes.find((o) => o.report.error) ?? outcomes[0];
    const code = refused?.report.error?.code;
    const noticedOtherwise = wrong !== undefined && step.notices !== undefined && refused?.report.error !== undefined && (REFUSALS.includes(refused.exit) || expectedExits(step).includes(refused.exit ?? -1));
    const outcome = wrong === undefined ? 'as-expected' : noticedOtherwise ? 'exception' : 'failure';
    const words = shown(step);
    this.#steps.push({
      no,
      who: step.who,
      does: step.does,
      ...(words === undefined ? {} : { command: words }),
      milliseconds,
      ...(outcomes.length === 0 ? {} : { exits: outcomes.map((o) => o.exit ?? 137) }),
      ...(code === undefined ? {} : { code }),
      outcome,
      expected: seenOf(step),
      ...(wrong === undefined ? {} : { observed: wrong }),
    });
    const where = `step ${String(no)}, ${inWords(step.who)}: ${step.does}`;
    if (wrong !== undefined) {
      const text = `${where}: expected ${seenOf(step)}, seen: ${wrong}`;
      (outcome === 'exception' ? this.#exceptions : this.#failures).push(text);
      this.#play.story.check(where, 'wrong', text);
    } else if (step.notices !== undefined) this.#play.story.check(where, 'ok', `${inWords(step.who)} noticed ${step.notices}: ${seenOf(step)}`);
    if (step.notices !== undefined && outcome !== 'failure') this.#noticed(step, step.notices, refused, outcome === 'as-expected');
    // a fault that passed unnoticed is no reason to stop looking for others
    return outcome !== 'failure' || step.notices !== undefined;
  }

  #noticed(step: DrillStep, id: string, outcome: Outcome | undefined, asExpected: boolean): void {
    const what = this.#scenario.faults.find((f) => f.id === id)?.what ?? id;
    const code = outcome?.report.error?.code;
    const text = outcome?.report.error?.text ?? seenOf(step);
    this.#faults.set(id, { id, what, noticed: { by: step.who.join(', '), exit: outcome?.exit ?? 0, ...(code === undefined ? {} : { code }), text }, asExpected });
  }

  async #act(step: DrillStep): Promise<Seen> {
    const { act } = step;
    const { stage, story } = this.#play;
    switch (act.kind) {
      case 'command':
        return this.#command(step, act);
      case 'rounds':
        return this.#rounds(step.who, act.ceremony);
      case 'deeds':
        for (const id of act.injects ?? []) story.remark(`! fault ${id}: ${this.#scenario.faults.find((f) => f.id === id)?.what ?? ''}`);
        story.remark(`${inWords(step.who)} ${step.does}`);
        for (const deed of act.deeds) doDeed(stage, deed);
        return { outcomes: [] };
      case 'same-key':
        return this.#sameKey(step.who, act.epoch);
      case 'unsigned': {
        const signed = act.copies.filter((who) => existsSync(join(stage.root, copyOf(who, act.ceremony), 'signature.bin')));
        story.check(`unsigned ${act.ceremony}`, signed.length === 0 ? 'ok' : 'wrong', signed.length === 0 ? `nothing was signed in ${act.ceremony}` : `there is a signature in the copy of ${inWords(signed)}`);
        return signed.length === 0 ? { outcomes: [] } : { outcomes: [], wrong: `there is a signature in the copy of ${inWords(signed)}` };
      }
      case 'scan': {
        const { files, found } = await scanForSecrets(stage, stage.cast.everybody, join(stage.root, FOUND, act.of));
        const wrong = files === 0 ? 'there was nothing to look through' : found.length > 0 ? `something secret stands in ${found.join(', ')}` : undefined;
        story.check('scan', wrong === undefined ? 'ok' : 'wrong', wrong ?? `${String(files)} files of the lost stick hold nothing that is sealed in a home`);
        return wrong === undefined ? { outcomes: [] } : { outcomes: [], wrong };
      }
    }
  }

  #carry({ ceremony, people, withheld = [] }: Carry): void {
    this.#play.courier.carry(ceremony, people, (path, reader, bytes) => (withheld.some((w) => w.reader === reader && path.startsWith(w.path)) ? undefined : bytes));
  }

  async #command(step: DrillStep, act: Extract<DrillStep['act'], { kind: 'command' }>): Promise<Seen> {
    const { stage, program, story } = this.#play;
    if (act.carry) this.#carry(act.carry);
    const name = act.words.filter((w, i) => typeof w === 'string' && i < 2 && /^[a-z]+$/.test(w)).join(' ');
    const run = async (who: string): Promise<Outcome> => {
      if (act.words[0] !== 'init' && who !== ANYBODY) rehearsalHome(stage, who, realDisk());
      const args = act.words.map((w) => staged(stage.root, who, w));
      if (act.begins === undefined) return program.run(who, args, act.power === undefined ? {} : { killAt: act.power });
      const [command = '', ...rest] = args.slice(0, -2);
      return begin(this.#play, { ceremony: act.begins, lead: who, command, args: rest, doing: step.does });
    };
    const outcomes = await together(step.who, run, (who, outcome) => {
      if (act.begins === undefined) story.step(who, name, step.does, outcome);
    });
    return seenAll(step.who, outcomes, act.expect);
  }

  async #rounds(people: readonly string[], ceremony: string): Promise<Seen> {
    const { program, story } = this.#play;
    const last = new Map<string, Outcome>();
    let open = [...people];
    for (let visit = 1; open.length > 0 && visit <= MAX_VISITS; visit++) {
      this.#carry({ ceremony, people });
      const visited = open;
      const outcomes = await together(visited, (who) => program.run(who, ['next', copyOf(who, ceremony)]), (who, outcome) => { story.step(who, 'next', '', outcome); });
      visited.forEach((who, i) => last.set(who, outcomes[i] as Outcome));
      const seen = seenAll(visited, outcomes, { exit: [0, 10] });
      if (seen.wrong !== undefined) return seen;
      open = visited.filter((who) => last.get(who)?.report.nextAction?.code !== 'DONE');
    }
    this.#carry({ ceremony, people });
    const outcomes = people.flatMap((who) => last.get(who) ?? []);
    return open.length === 0 ? { outcomes } : { outcomes, wrong: `after ${String(MAX_VISITS)} visits ${inWords(open)} still wait` };
  }

  async #sameKey(people: readonly string[], epoch: number): Promise<Seen> {
    const { stage, program, story } = this.#play;
    const outcomes = await together(people, (who) => program.run(who, ['key', 'show', stage.cast.key]), (who, outcome) => { story.step(who, 'key show', 'shows the public key', outcome); });
    const other = people.find((_, i) => outcomes[i]?.report['publicKey'] !== this.#publicKey || outcomes[i].report['epoch'] !== epoch);
    if (other === undefined) story.check('same key', 'ok', `${inWords(people)}: the same key as before, epoch ${String(epoch)}`);
    return other === undefined ? { outcomes } : { outcomes, wrong: `${other} has another key, or not epoch ${String(epoch)}` };
  }
}

const expectedExits = ({ act }: DrillStep): readonly number[] => (act.kind === 'command' ? act.expect.exit : []);

/** The outcomes of several people, with the first difference. */
function seenAll(people: readonly string[], outcomes: readonly Outcome[], expect: Expect): Seen {
  for (const [i, outcome] of outcomes.entries()) {
    const wrong = difference(expect, outcome);
    if (wrong !== undefined) return { outcomes, wrong: `${people.length > 1 ? `${people[i] ?? ''}: ` : ''}${wrong}` };
  }
  return { outcomes };
}

