/**
 * A quorum expression explained before anybody agrees to it: who can sign, who could misuse the key together (safety),
 * and whose loss or refusal ends signing (liveness). The two lists are kept apart, because what improves one of them
 * usually harms the other. Public.
 */
import type { Quorum } from './expression.ts';
import { blockers, dual, fewestOf, minimalQuorums, quorumSizes, smallestSize, take } from './quorum-facts.ts';
import { ATTRIBUTES, type Attribute, type Seat, type SeatGroup, seatGroups, unstated } from './quorum-people.ts';
import { count, listOf, whoCanSign } from './quorum-words.ts';

/** Codes of the warnings about a quorum. A warning does not stop a ceremony. */
export type QuorumWarningCode =
  | 'W_NO_REDUNDANCY'
  | 'W_INDISPENSABLE'
  | 'W_ROLE_SINGLE'
  | 'W_ONE_PLACE'
  | 'W_ONE_UNIT'
  | 'W_ONE_VENDOR';

/** Something that deserves a second look: what it is and what to do about it. */
export interface QuorumWarning {
  readonly code: QuorumWarningCode;
  readonly text: string;
}

/** How many sets of participants there are, and the first of them. */
export interface Sets {
  readonly count: bigint;
  /** Participants in the smallest and in the largest of them. */
  readonly smallest: number;
  readonly largest: number;
  readonly listed: readonly (readonly string[])[];
}

export interface Explanation {
  /** Everything below in plain English: who can sign, then liveness, then safety. */
  readonly sentences: readonly string[];
  readonly safety: readonly string[];
  readonly liveness: readonly string[];
  /** The exact minimal quorums: sets that can sign and of whom nobody can be left out. */
  readonly minimalQuorums: Sets;
  /** The smallest sets of participants who could misuse the key by acting together. */
  readonly collusion: Sets;
  /** Losses that are survived whoever is lost, and losses that are survived if the right ones are lost. */
  readonly lossesSurvived: { readonly worst: number; readonly best: number };
  /** Members of every quorum. */
  readonly indispensable: readonly string[];
  /** Participants who alone can block signing: the same set as {@link indispensable}, by the monotony of the rule. */
  readonly blockersAlone: readonly string[];
  /** Pairs who can block together, neither of them alone. */
  readonly blockersPairs: readonly (readonly [string, string])[];
  /** Persons, units, places and vendors as far as they are stated. */
  readonly groups: readonly SeatGroup[];
  readonly warnings: readonly QuorumWarning[];
}

/** How many sets or pairs are written out. */
const LISTED = 10;

/**
 * Explains a quorum.
 * @param people what is known about the holders of the seats; others than the quorum's participants are ignored
 * @param roles the roles of the plan with their holders, for warnings that name a role
 */
export function explainQuorum(
  quorum: Quorum,
  people: readonly Seat[] = [],
  roles: Readonly<Record<string, readonly string[]>> = {},
): Explanation {
  const { root } = quorum;
  const n = quorum.leaves.length;
  const sizes = quorumSizes(root);
  const smallest = smallestSize(root);
  const all: Sets = {
    count: [...sizes.values()].reduce((a, b) => a + b, 0n),
    smallest,
    largest: Math.max(...sizes.keys()),
    listed: take(LISTED, minimalQuorums(root)),
  };
  const collusion: Sets = {
    count: sizes.get(smallest) ?? 0n,
    smallest,
    largest: smallest,
    listed: take(LISTED, minimalQuorums(root, true)),
  };
  const { alone, pairs } = blockers(root);
  const lossesSurvived = { worst: smallestSize(dual(root)) - 1, best: n - smallest };
  // a person is worth a line only when holding more than one seat
  const groups = ATTRIBUTES.flatMap((a) => seatGroups(quorum, people, a)).filter(
    (g) => g.attribute !== 'person' || g.members.length > 1,
  );
  const facts = { n, alone, pairs, lossesSurvived, groups };
  const liveness = livenessLines(facts);
  const safety = safetyLines(collusion, groups, quorum, people);
  return {
    sentences: [...whoCanSign(root), quorumsLine(all), ...liveness, ...safety],
    safety,
    liveness,
    minimalQuorums: all,
    collusion,
    lossesSurvived,
    indispensable: alone,
    blockersAlone: alone,
    blockersPairs: pairs,
    groups,
    warnings: warningsOf(quorum, alone, groups, roles),
  };
}

/**
 * The person, as written, who holds enough seats to satisfy the quorum alone, if there is one; the caller refuses with
 * E_THRESHOLD.
 */
export function samePersonQuorum(quorum: Quorum, people: readonly Seat[]): string | undefined {
  return seatGroups(quorum, people, 'person').find((g) => g.signsAlone)?.value;
}

interface Facts {
  readonly n: number;
  readonly alone: readonly string[];
  readonly pairs: readonly (readonly [string, string])[];
  readonly lossesSurvived: { readonly worst: number; readonly best: number };
  readonly groups: readonly SeatGroup[];
}

function quorumsLine({ count: total, smallest, largest }: Sets): string {
  if (total === 1n) return 'There is no other quorum.';
  const size = smallest === largest ? String(smallest) : `${String(smallest)} to ${String(largest)}`;
  return `There are ${count(total, 'quorum')}, each of ${size} participants.`;
}

function livenessLines({ n, alone, pairs, lossesSurvived: { worst, best }, groups }: Facts): string[] {
  const lines: string[] = [];
  if (alone.length === n) lines.push('Everybody is needed: each participant alone can block signing.');
  else if (alone.length > 0) lines.push(`Nothing can be signed without ${listOf(alone)}, who alone can block.`);
  else lines.push('Nobody is indispensable and nobody alone can block signing.');
  const others = alone.length > 0 ? 'others ' : '';
  if (pairs.length > 0) lines.push(pairsLine(pairs, n - alone.length, others));
  else if (n - alone.length > 1) lines.push(`No two ${others}can block signing together.`);
  if (worst > 0)
    lines.push(
      `Signing survives the loss of any ${count(worst, 'participant')}` +
        (best > worst ? `, and of up to ${String(best)} if the right ones are lost.` : ', and of no more.'),
    );
  else if (best > 0)
    lines.push(
      `Losing one participant can be enough to end signing; at best the loss of ${count(best, 'participant')} is survived.`,
    );
  else lines.push('Signing survives no loss at all.');
  for (const g of groups)
    if (blocksTogether(g, alone)) lines.push(`Without ${named(g)} nothing can be signed (${listOf(g.members)}).`);
  return lines;
}

/** @param free how many participants cannot block alone */
function pairsLine(pairs: Facts['pairs'], free: number, others: string): string {
  if (pairs.length === (free * (free - 1)) / 2) return `Any two ${others}together can block signing.`;
  const shown = pairs.slice(0, LISTED).map(([a, b]) => `${a} with ${b}`);
  const more = pairs.length - shown.length;
  return `Two who can block together: ${shown.join(', ')}${more > 0 ? `, and ${count(more, 'further pair')}` : ''}.`;
}

function safetyLines(
  { count: total, smallest, listed }: Sets,
  groups: readonly SeatGroup[],
  quorum: Quorum,
  people: readonly Seat[],
): string[] {
  const more = total - BigInt(listed.length);
  const sets = listed.map((s) => s.join(' + ')).join(', ') + (more > 0n ? `, and ${count(more, 'further set')}` : '');
  const lines = [`Misusing the key takes ${String(smallest)} participants acting together: ${sets}.`];
  for (const g of groups.filter((h) => h.signsAlone))
    lines.push(`${capital(named(g))} alone could sign (${listOf(g.members)}).`);
  const stated = (a: Attribute): boolean => unstated(quorum, people, a).length < quorum.leaves.length;
  const clear = ATTRIBUTES.filter((a) => stated(a) && !groups.some((g) => g.attribute === a && g.signsAlone));
  if (clear.length > 0) lines.push(`No single ${listOf(clear, 'or')} could sign alone.`);
  for (const a of ATTRIBUTES) {
    const missing = unstated(quorum, people, a);
    if (stated(a) && missing.length > 0) lines.push(`The ${a} is not stated for ${listOf(missing)}.`);
  }
  return lines;
}

function warningsOf(
  quorum: Quorum,
  alone: readonly string[],
  groups: readonly SeatGroup[],
  roles: Readonly<Record<string, readonly string[]>>,
): QuorumWarning[] {
  const warnings: QuorumWarning[] = [];
  const warn = (code: QuorumWarningCode, text: string): void => void warnings.push({ code, text });
  if (alone.length === quorum.leaves.length)
    warn(
      'W_NO_REDUNDANCY',
      'everybody is needed: one lost share, one absence or one refusal ends signing; add a participant, or have a backup',
    );
  else if (alone.length > 0)
    warn('W_INDISPENSABLE', `nothing can be signed without ${listOf(alone)}; add a deputy, or have a backup`);
  for (const [role, holders] of Object.entries(roles)) {
    const needed = fewestOf(quorum.root, new Set(holders));
    if (needed > 0 && holders.length < needed + 1)
      warn(
        'W_ROLE_SINGLE',
        `role ${role} has ${count(holders.length, 'holder')} and every quorum needs ${String(needed)} of them; add a holder`,
      );
  }
  for (const g of groups) {
    const blocks = blocksTogether(g, alone);
    if (g.attribute === 'person') {
      if (blocks) warn('W_INDISPENSABLE', `nothing can be signed without ${named(g)} (${listOf(g.members)})`);
      continue;
    }
    // a unit that can veto is what separation of duties asks for; a place or a vendor that fails is a loss
    const loses = blocks && g.attribute !== 'unit';
    if (!g.signsAlone && !loses) continue;
    const facts = [...(g.signsAlone ? ['could sign alone'] : []), ...(loses ? ['ends signing if it is lost'] : [])];
    warn(ONE[g.attribute], `${named(g)} ${facts.join(' and ')} (${listOf(g.members)}); spread the participants further`);
  }
  return warnings;
}

const ONE = { unit: 'W_ONE_UNIT', place: 'W_ONE_PLACE', vendor: 'W_ONE_VENDOR' } as const;

/** The group blocks by its number, not because one of its members blocks anyway. */
function blocksTogether(group: SeatGroup, alone: readonly string[]): boolean {
  return group.blocksAlone && !group.members.some((m) => alone.includes(m));
}

const named = (g: SeatGroup): string => `${g.attribute} "${g.value}"`;
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
