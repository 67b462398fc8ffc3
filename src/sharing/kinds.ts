/**
 * The kinds of dealing. What differs between making, refreshing, moving, repairing, backing up and importing a key is
 * this table and nothing else (the dealing specification in ARCHITECTURE.md). Public.
 */
import type { Point } from '../curves/group.ts';
import { fail } from '../wire/errors.ts';
import type { PublicTree } from './tree.ts';

export type Kind = 'dkg' | 'refresh' | 'reshare' | 'repair' | 'import' | 'backup';

export interface KindRule {
  /** Who deals: every participant, an exact minimal quorum of the old tree, the one holder of a whole key, a leaf's owner. */
  readonly dealers: 'all' | 'old-quorum' | 'holder' | 'owner';
  /**
   * The shared scalar: fresh; zero, with its commitment absent from the format; the dealer's additive share c·x; the
   * imported key; the owner's leaf share. The last three are pinned by a point that everybody knows.
   */
  readonly constant: 'random' | 'absent' | 'share' | 'key' | 'leaf';
  /** Whether the dealing carries a proof of possession of the constant. */
  readonly possession: boolean;
  /** Whether dealers commit by hash before anybody reveals. */
  readonly commitRound: boolean;
}

export const KINDS: Readonly<Record<Kind, KindRule>> = {
  dkg: { dealers: 'all', constant: 'random', possession: true, commitRound: true },
  refresh: { dealers: 'all', constant: 'absent', possession: false, commitRound: false },
  reshare: { dealers: 'old-quorum', constant: 'share', possession: true, commitRound: false },
  repair: { dealers: 'old-quorum', constant: 'share', possession: true, commitRound: false },
  import: { dealers: 'holder', constant: 'key', possession: true, commitRound: false },
  // the publicly verifiable encryption of the share proves possession there
  backup: { dealers: 'owner', constant: 'leaf', possession: false, commitRound: false },
};

/** Whether a dealing of this kind states its constant. */
export function hasConstant(kind: Kind): boolean {
  return KINDS[kind].constant !== 'absent';
}

/** Whether the constant must equal a point that is known beforehand. */
export function isPinned(kind: Kind): boolean {
  const { constant } = KINDS[kind];
  return constant !== 'random' && constant !== 'absent';
}

/**
 * The constant rule of the kind on one dealing.
 * @param expected the pinned point: c·X_leaf (reshare, repair), the public key (import), X_leaf (backup); none otherwise
 * @throws E_DEALING when the constant is another point; E_INTERNAL when a pinned kind comes without its point
 */
export function checkConstant(kind: Kind, tree: PublicTree, expected: Point | undefined): void {
  if (isPinned(kind) !== (expected !== undefined)) fail('E_INTERNAL', `a ${kind} dealing and its pinned constant do not agree`);
  if (expected === undefined) return;
  if (tree.constant?.equals(expected) !== true)
    fail('E_DEALING', 'the dealt constant is not the one that the public shares of the key give', { field: 'constant' });
}
