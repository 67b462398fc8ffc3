/**
 * The key as one exact quorum signs with it: what FROST is fed so that shares over any quorum expression, an HD path
 * and Taproot all become a plain |S|-of-|S| signing (the dealing specification in ARCHITECTURE.md, "Quorum and
 * recombination"). Public.
 */
import type { FrostPublic } from '@noble/curves/abstract/frost.js';
import { invert } from '@noble/curves/abstract/modular.js';
import type { Group, Point } from '../curves/group.ts';
import type { SchemeName } from '../curves/scheme.ts';
import type { Leaf, Quorum } from '../sharing/expression.ts';
import { exactQuorum } from '../sharing/quorum.ts';
import { flatLagrange, recombination } from '../sharing/recombination.ts';
import { fail } from '../wire/errors.ts';
import { deriveKey, parsePath, rootKey } from './derive.ts';
import { outputKey } from './output-key.ts';
import { suite } from './suite.ts';

/** What the certificate of an epoch says, and which quorum signs for which child key. */
export interface SigningKeyFacts {
  readonly scheme: SchemeName;
  readonly quorum: Quorum;
  /** Verification shares of the epoch by leaf id: at least those of the signers. */
  readonly leafPoints: ReadonlyMap<number, Point>;
  /** Encoded key of the group, untweaked. */
  readonly publicKey: Uint8Array;
  /** Names; exactly one minimal quorum. */
  readonly signers: readonly string[];
  /** `m` or absent for the key itself, else a non-hardened BIP-32 path such as `m/0/5`. */
  readonly path?: string;
  /** 32 bytes; needed for every path but `m`. */
  readonly chainCode?: Uint8Array;
}

/** One signer of a {@link SigningKey}. */
export interface SigningSeat {
  readonly leaf: Leaf;
  /** noble's name of the leaf's id. */
  readonly identifier: string;
  /** Verification share of the leaf, before any adjustment. */
  readonly leafPoint: Point;
  /** c/λ: 1 for plain t-of-n, where the share is then exactly the Shamir share. */
  readonly scale: bigint;
}

declare const made: unique symbol;

/** Made by {@link signingKey} only. A leaf share x becomes s′ = ±(scale·x + shift) + tweak, minus when `negate`. */
export interface SigningKey {
  readonly [made]: true;
  readonly scheme: SchemeName;
  /** In the canonical form of {@link SigningKeyFacts}: `m`, `m/0/5`. */
  readonly path: string;
  /** By ascending id. */
  readonly seats: readonly SigningSeat[];
  /** Encoded key after derivation, before Taproot. */
  readonly publicKey: Uint8Array;
  /** What signatures verify under. */
  readonly outputKey: Uint8Array;
  readonly shift: bigint;
  readonly negate: boolean;
  readonly tweak: bigint;
  /** noble's public package: the signers only, all of whom have to sign. */
  readonly frost: FrostPublic;
}

/** Σ c·X over the signers; it must be the key, or else key and verification shares are of different epochs. */
function recombined(group: Group, weights: ReadonlyMap<number, bigint>, seats: readonly SigningSeat[]): Point {
  return group.msm(
    seats.map((seat) => seat.leafPoint),
    seats.map((seat) => weights.get(seat.leaf.id) ?? fail('E_INTERNAL', 'a signer has no weight')),
  );
}

/** The shift of the path, which is the same for every share because the flat Lagrange coefficients add up to 1. */
function derivation(facts: SigningKeyFacts, derivable: boolean): { publicKey: Uint8Array; shift: bigint } {
  const indices = parsePath(facts.path ?? 'm');
  if (indices.length === 0) return { publicKey: facts.publicKey, shift: 0n };
  if (!derivable) fail('E_PATH', `keys of ${facts.scheme} have no child keys`, { field: 'path' });
  if (facts.chainCode === undefined) return fail('E_PATH', 'the key has no chain code, so no child keys', { field: 'path' });
  const { key, shift } = deriveKey(rootKey(facts.publicKey, facts.chainCode), indices);
  return { publicKey: key.publicKey, shift };
}

/**
 * Prepares a key for the signing of one quorum.
 * @throws E_QUORUM, E_QUORUM_SURPLUS or E_SEAT_DUP when the signers are not exactly one minimal quorum; E_PATH;
 *   E_POINT when the key is no point of the group; E_MISSING when a signer's verification share is not given;
 *   E_CERTIFICATE when key and verification shares do not belong together; E_DEGENERATE with negligible probability
 */
export function signingKey(facts: SigningKeyFacts): SigningKey {
  const { scheme, group, frost } = suite(facts.scheme);
  const leaves = exactQuorum(facts.quorum, facts.signers);
  if (leaves.length < 2) fail('E_THRESHOLD', 'a quorum of one cannot sign with this protocol');

  const weights = recombination(facts.quorum, leaves, group.order);
  const lambdas = flatLagrange(
    leaves.map((leaf) => leaf.id),
    group.order,
  );
  const seats = leaves.map((leaf): SigningSeat => {
    const leafPoint = facts.leafPoints.get(leaf.id);
    const c = weights.get(leaf.id);
    const lambda = lambdas.get(leaf.id);
    if (leafPoint === undefined || c === undefined || lambda === undefined)
      return fail('E_MISSING', `no verification share of ${leaf.name}`, { participant: leaf.name });
    const scale = (c * invert(lambda, group.order)) % group.order;
    return { leaf, identifier: frost.Identifier.fromNumber(leaf.id), leafPoint, scale };
  });
  if (!recombined(group, weights, seats).equals(group.decodePoint(facts.publicKey)))
    fail('E_CERTIFICATE', 'the key and the verification shares of the signers do not belong together');

  const { publicKey, shift } = derivation(facts, scheme.derivable);
  const output = outputKey(facts.scheme, publicKey);
  const shiftPoint = group.multiplyPublic(group.base, shift);
  const tweakPoint = group.multiplyPublic(group.base, output.tweak);
  const verifyingShares = Object.fromEntries(
    seats.map((seat) => {
      const shifted = group.multiplyPublic(seat.leafPoint, seat.scale).add(shiftPoint);
      const adjusted = (output.negate ? shifted.negate() : shifted).add(tweakPoint);
      if (adjusted.is0()) fail('E_DEGENERATE', `the share of ${seat.leaf.name} vanishes under this path`);
      return [seat.identifier, new Uint8Array(group.encodePoint(adjusted))] as const;
    }),
  );
  const key: Omit<SigningKey, typeof made> = {
    scheme: facts.scheme,
    path: facts.path ?? 'm',
    seats,
    publicKey,
    outputKey: output.bytes,
    shift,
    negate: output.negate,
    tweak: output.tweak,
    frost: {
      signers: { min: seats.length, max: seats.length },
      // noble reads the key only; the rest of the polynomial does not exist for a quorum expression
      commitments: [new Uint8Array(group.encodePoint(output.point))],
      verifyingShares,
    },
  };
  return key as SigningKey;
}
