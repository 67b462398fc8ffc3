/**
 * All checks of a round of dealings that need no secret. The fast path decides whether something is wrong, by sums
 * and batches; the slow path decides who, dealer by dealer. Public.
 */
import type { Group, Point } from '../curves/group.ts';
import { CeremonyError, fail, type ErrorCode } from '../wire/errors.ts';
import { decodeDealing, type Dealing, type DealingShape } from './dealing.ts';
import { checkConstant, isPinned, KINDS } from './kinds.ts';
import { verifyPossessions } from './possession.ts';
import { verifySealings } from './sealing-proof.ts';
import { addTrees, coefficients, type PublicTree } from './tree.ts';

declare const verified: unique symbol;

/** A dealing that passed every public check, together with all others of its round. Made here alone. */
export type VerifiedDealing = Dealing & { readonly [verified]: true };

export interface DealingRound extends DealingShape {
  /** Session id, 32 bytes. */
  readonly sid: Uint8Array;
  /** All receivers' prekeys (32 bytes each) as the plan names them, in the order of ids. */
  readonly prekeys: readonly Uint8Array[];
  /** For the kinds that pin the constant: its point by dealer id, for exactly the dealers. */
  readonly expected?: ReadonlyMap<number, Point>;
}

/** A dealer and the first check that its dealing fails. */
export interface DealingFault {
  readonly dealer: number;
  readonly check: ErrorCode;
  readonly text: string;
}

/** A round in which every dealing passed every public check. */
export interface VerifiedRound {
  readonly ok: true;
  readonly sid: Uint8Array;
  readonly prekeys: readonly Uint8Array[];
  /** The sum of the dealings, coefficient by coefficient. */
  readonly tree: PublicTree;
  readonly dealings: ReadonlyMap<number, VerifiedDealing>;
}

const byDealer = (a: DealingFault, b: DealingFault): number => a.dealer - b.dealer;

export type DealingVerdict = VerifiedRound | { readonly ok: false; readonly faults: readonly DealingFault[] };

function requireRound(round: DealingRound, bytes: ReadonlyMap<number, Uint8Array>): void {
  const { kind, quorum, expected, prekeys } = round;
  if (prekeys.length !== quorum.leaves.length) fail('E_INTERNAL', 'one prekey is needed for every leaf');
  const all = KINDS[kind].dealers === 'all';
  const wanted = all ? quorum.leaves.map((leaf) => leaf.id) : [...(expected?.keys() ?? [])];
  const missing = wanted.filter((id) => !bytes.has(id));
  if (missing.length > 0) fail('E_MISSING', `dealings are missing from ${missing.map(String).join(', ')}`);
  if (bytes.size !== wanted.length || wanted.length === 0) fail('E_INTERNAL', 'the dealings are not those of the round');
  if (isPinned(kind) !== (expected !== undefined)) fail('E_INTERNAL', 'pinned constants and kind do not agree');
}

/** Dealers with a point that is not of prime order; every coefficient of the sum of all trees is looked at first. */
function outsideSubgroup(group: Group, dealings: ReadonlyMap<number, Dealing>, sum: PublicTree): number[] {
  const clean = (tree: PublicTree): boolean => coefficients(tree).every((p) => group.inSubgroup(p));
  if (clean(sum)) return [];
  return [...dealings].filter(([, d]) => !clean(d.tree)).map(([dealer]) => dealer);
}

/**
 * Checks a whole round of dealings.
 * @param bytes the encoded dealings by dealer id: all of the round
 * @returns the combined tree and the dealings, or every dealer at fault with its first failing check: E_DEALING (length,
 *   constant), E_POINT, E_SCALAR (form), E_POP, E_SEALING
 * @throws E_MISSING when a dealing is missing
 */
export function verifyDealings(round: DealingRound, bytes: ReadonlyMap<number, Uint8Array>): DealingVerdict {
  const { sid, kind, group, prekeys, expected } = round;
  requireRound(round, bytes);
  const faults = new Map<number, DealingFault>();
  const blame = (dealer: number, check: ErrorCode, text: string): void => {
    if (!faults.has(dealer)) faults.set(dealer, { dealer, check, text });
  };
  const attempt = (dealer: number, check: () => void): void => {
    try {
      check();
    } catch (e) {
      if (!(e instanceof CeremonyError) || e.code === 'E_INTERNAL') throw e;
      blame(dealer, e.code, e.facts.field === undefined ? e.message : `${e.message} (${e.facts.field})`);
    }
  };

  const dealings = new Map<number, Dealing>();
  for (const [dealer, raw] of bytes) attempt(dealer, () => dealings.set(dealer, decodeDealing(round, raw)));
  if (dealings.size === 0) return { ok: false, faults: [...faults.values()].sort(byDealer) };
  const tree = addTrees([...dealings.values()].map((d) => d.tree));
  for (const dealer of outsideSubgroup(group, dealings, tree)) blame(dealer, 'E_POINT', 'a commitment is not of prime order');
  for (const [dealer, dealing] of dealings)
    attempt(dealer, () => {
      checkConstant(kind, dealing.tree, expected?.get(dealer));
    });
  const possessions = [...dealings].flatMap(([dealer, { tree: { constant }, treeHash, treeBytes, possession }]) =>
    possession === undefined || constant === undefined
      ? []
      : [{ dealer, treeHash, constantBytes: treeBytes.subarray(0, group.pointBytes), constant, proof: possession }],
  );
  for (const dealer of verifyPossessions(group, sid, possessions))
    blame(dealer, 'E_POP', 'the proof of possession does not hold');
  const sealings = [...dealings].map(([dealer, { treeHash, sealing }]) => ({ dealer, treeHash, sealing }));
  for (const dealer of verifySealings(sid, prekeys, sealings)) blame(dealer, 'E_SEALING', 'the sealing proof does not hold');

  if (faults.size > 0) return { ok: false, faults: [...faults.values()].sort(byDealer) };
  return {
    ok: true,
    sid,
    prekeys,
    tree,
    dealings: dealings as ReadonlyMap<number, Dealing> as ReadonlyMap<number, VerifiedDealing>,
  };
}
