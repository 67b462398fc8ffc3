/** Whom a drill plays with: from a quorum to the people of its story. Public. */
import { type SchemeName, SCHEMES } from '../curves/scheme.ts';
import { parseQuorum, type Quorum } from '../sharing/expression.ts';
import { exactQuorum, select } from '../sharing/quorum.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { COURIER, type DrillCast, LEADER, FINDER, THIEF } from './drill-script.ts';
import { RESERVED } from './stage.ts';

/** Names that a drill needs for itself, besides those of the stage. */
const OWN_NAMES: ReadonlySet<string> = new Set([...RESERVED, LEADER, COURIER, THIEF, FINDER, 'safe', 'found']);
const NEWCOMERS = ['dave', 'erin', 'frank', 'grace', 'newcomer'];

function isExact(quorum: Quorum, names: readonly string[]): boolean {
  try {
    exactQuorum(quorum, names);
    return true;
  } catch (e) {
    if (e instanceof CeremonyError) return false;
    throw e;
  }
}

/** A minimal quorum among `present` with `including` in it: the others are left out one by one while the rest suffices. */
function minimal(quorum: Quorum, present: readonly string[], including: string): string[] | undefined {
  const others = present.filter((n) => n !== including);
  for (let first = 0; first < Math.max(1, others.length); first++) {
    const order = [...others.slice(first), ...others.slice(0, first)].reverse();
    let kept = new Set(present);
    for (const name of order) {
      const without = new Set([...kept].filter((n) => n !== name));
      if (select(quorum, without)) kept = without;
    }
    const names = present.filter((n) => kept.has(n));
    if (names.includes(including) && isExact(quorum, names)) return names;
  }
  return undefined;
}

/**
 * The cast of a drill.
 * @throws the refusals of a quorum; E_USAGE where no single loss is survived, or a name is one that the stage needs
 */
export function drillCast(key: string, scheme: SchemeName, text: string): DrillCast {
  const quorum = parseQuorum(text);
  const holders = quorum.leaves.map((l) => l.name);
  const taken = holders.find((n) => OWN_NAMES.has(n));
  if (taken !== undefined) fail('E_USAGE', `a drill needs the name ${taken} for itself; no participant can have it`, { participant: taken, field: 'quorum' });
  const [lead, ...others] = holders as [string, ...string[]];
  const victim =
    [...others].reverse().find((name) => minimal(quorum, holders.filter((n) => n !== name), lead)) ??
    fail('E_USAGE', `${text}: no holder can be lost without losing the quorum with ${lead}; there is nothing to drill`, { field: 'quorum', remedy: 'Choose a quorum that survives a loss, for example 2-of(alice, bob, carol).' });
  const newcomer = NEWCOMERS.find((n) => !holders.includes(n)) ?? fail('E_USAGE', 'no name is left for a newcomer', { field: 'quorum' });
  return {
    key,
    ecdsa: SCHEMES[scheme].protocol === 'cggmp24',
    quorum: text,
    holders,
    lead,
    victim,
    newcomer,
    replaced: { [victim]: newcomer },
    suffices: (present) => select(quorum, new Set(present)) !== undefined,
    signers(present, including) {
      const back = new Map(Object.entries(this.replaced).map(([from, to]) => [to, from]));
      const old = (name: string): string => back.get(name) ?? name;
      const byOld = new Map(present.map((n) => [old(n), n]));
      const chosen = minimal(quorum, [...byOld.keys()].sort((a, b) => holders.indexOf(a) - holders.indexOf(b)), old(including));
      if (!chosen) return fail('E_USAGE', `no quorum of ${present.join(', ')} has ${including} in it`, { field: 'quorum' });
      return chosen.map((n) => byOld.get(n) ?? n);
    },
  };
}
