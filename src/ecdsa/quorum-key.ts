/**
 * The key as one exact quorum signs with it: the additive points of the signers, with the shift of a derivation path on
 * that of the lowest id (the dealing specification in ARCHITECTURE.md, "Quorum and recombination"). Public.
 */
import type { Group, Point } from '../curves/group.ts';
import { deriveKey, parsePath, rootKey } from '../schnorr/derive.ts';
import { additivePoints } from '../sharing/additive.ts';
import type { Leaf, Quorum } from '../sharing/expression.ts';
import { exactQuorum } from '../sharing/quorum.ts';
import { recombination } from '../sharing/recombination.ts';
import { fail } from '../wire/errors.ts';

/** What the certificate of an epoch says, and which quorum signs for which child key. */
export interface QuorumKeyFacts {
  readonly group: Group;
  readonly quorum: Quorum;
  /** X of every leaf, by id. */
  readonly leafPoints: ReadonlyMap<number, Point>;
  /** The key of the epoch. */
  readonly publicKey: Uint8Array;
  /** 32 bytes. */
  readonly chainCode: Uint8Array;
  /** Names; exactly one minimal quorum. */
  readonly signers: readonly string[];
  /** A non-hardened BIP-32 path; absent for the key itself. */
  readonly path: string | undefined;
}

/** Made by {@link quorumKey}: a leaf share x becomes w = weight·x + shift, and W = w·G. */
export interface QuorumKey {
  readonly group: Group;
  readonly path: string;
  /** By ascending id. */
  readonly signers: readonly { readonly leaf: Leaf; readonly weight: bigint; readonly shift: bigint; readonly point: Point }[];
  /** What signatures verify under: the sum of all W. */
  readonly publicKey: Point;
  readonly publicKeyBytes: Uint8Array;
}

/**
 * Prepares a key for the signing of one quorum.
 * @throws E_QUORUM, E_QUORUM_SURPLUS when the signers are not exactly one minimal quorum; E_PATH where the group or the
 *   path has no child keys; E_CERTIFICATE when key and verification shares do not belong together; E_DEGENERATE with
 *   negligible probability
 */
export function quorumKey(facts: QuorumKeyFacts): QuorumKey {
  const { group, quorum } = facts;
  const leaves = exactQuorum(quorum, facts.signers);
  const weights = recombination(quorum, leaves, group.order);
  const points = additivePoints(group, quorum, leaves, facts.leafPoints);
  const indices = parsePath(facts.path ?? 'm');
  if (indices.length > 0 && group.name !== 'secp256k1') fail('E_PATH', `keys over ${group.name} have no child keys`, { field: 'path' });
  const { key, shift } = indices.length === 0 ? { key: { publicKey: facts.publicKey }, shift: 0n } : deriveKey(rootKey(facts.publicKey, facts.chainCode), indices);
  const signers = leaves.map((leaf, i) => {
    const own = i === 0 ? shift : 0n;
    const weight = weights.get(leaf.id) ?? fail('E_INTERNAL', 'a signer has no weight');
    const point = (points.get(leaf.id) ?? fail('E_INTERNAL', 'a signer has no point')).add(group.multiplyPublic(group.base, own));
    if (point.is0()) fail('E_DEGENERATE', `the share of ${leaf.name} vanishes under this path`);
    return { leaf, weight, shift: own, point };
  });
  const publicKey = group.decodePoint(key.publicKey);
  if (!group.sum(signers.map((s) => s.point)).equals(publicKey)) fail('E_CERTIFICATE', 'the key and the verification shares of the signers do not belong together');
  return { group, path: facts.path ?? 'm', signers, publicKey, publicKeyBytes: key.publicKey };
}
