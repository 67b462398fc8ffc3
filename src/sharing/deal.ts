/**
 * The dealer's polynomials. Secret: coefficients and sub-shares are bigints while they are computed with, which cannot
 * be wiped; between two runs of the program they exist only as the bytes of {@link encodePolynomials}, sealed.
 */
import type { Group } from '../curves/group.ts';
import { concat, Reader } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import type { Random } from '../wire/random.ts';
import type { Gate, Leaf, Quorum } from './expression.ts';
import { hasConstant, KINDS, type Kind } from './kinds.ts';
import { recombination } from './recombination.ts';
import type { PublicTree } from './tree.ts';

/** The polynomials of one dealing. Secret. */
export interface Polynomials {
  readonly group: Group;
  /** The shared scalar; 0 in a refresh. */
  readonly constant: bigint;
  /** By gate label: the coefficients of degree 1..threshold−1, ascending; a gate's own constant is derived. */
  readonly gates: ReadonlyMap<string, readonly bigint[]>;
}

/**
 * Draws the polynomials of a dealing: the constant if the kind has a random one, then per gate in pre-order the
 * coefficients by ascending degree, each uniform in 1..q−1.
 * @param constant the shared scalar (secret) of a kind that pins it; undefined for dkg and refresh
 * @returns the secret coefficients and the public tree of their commitments
 * @throws E_INTERNAL when a constant is given or missing against the kind, or is 0
 */
export function makePolynomials(
  group: Group,
  quorum: Quorum,
  kind: Kind,
  constant: bigint | undefined,
  random: Random,
): { coefficients: Polynomials; tree: PublicTree } {
  const rule = KINDS[kind].constant;
  if ((constant === undefined) !== (rule === 'random' || rule === 'absent'))
    fail('E_INTERNAL', `a constant is ${constant === undefined ? 'missing in' : 'foreign to'} a ${kind} dealing`);
  const secret = rule === 'absent' ? 0n : (constant ?? group.randomScalar(random));
  const gates = new Map(
    quorum.gates.map((gate) => [gate.label, Array.from({ length: gate.threshold - 1 }, () => group.randomScalar(random))]),
  );
  const commit = (scalar: bigint): PublicTree['constant'] & object => group.multiply(group.base, scalar);
  const commitments = new Map([...gates].map(([label, row]) => [label, row.map(commit)]));
  return {
    coefficients: { group, constant: secret, gates },
    tree:
      rule === 'absent'
        ? { group, quorum, gates: commitments }
        : { group, quorum, constant: commit(secret), gates: commitments },
  };
}

/** f_g(x) mod q for a small public x, by Horner. */
function evaluate(atZero: bigint, row: readonly bigint[], x: number, order: bigint): bigint {
  let value = 0n;
  for (let k = row.length - 1; k >= 0; k--) value = ((value + (row[k] as bigint)) * BigInt(x)) % order;
  return (value + atZero) % order;
}

/** The sub-share of one leaf, 0..q−1. Secret. @throws E_INTERNAL for a leaf of another quorum */
export function subShare(poly: Polynomials, leaf: Leaf): bigint {
  let value = poly.constant;
  let label = '';
  for (const index of leaf.label.split('.')) {
    const row = poly.gates.get(label) ?? fail('E_INTERNAL', 'the leaf is of another quorum');
    value = evaluate(value, row, Number(index), poly.group.order);
    label = label === '' ? index : `${label}.${index}`;
  }
  return value;
}

/** The sub-shares of all leaves in the order of their ids. Secret. */
export function subShares(poly: Polynomials, quorum: Quorum): bigint[] {
  const shares: bigint[] = [];
  const walk = (gate: Gate, atZero: bigint): void => {
    const row = poly.gates.get(gate.label) ?? fail('E_INTERNAL', 'the polynomials are of another quorum');
    for (const child of gate.children) {
      const value = evaluate(atZero, row, child.index, poly.group.order);
      if (child.kind === 'leaf') shares.push(value);
      else walk(child, value);
    }
  };
  walk(quorum.root, poly.constant);
  return shares;
}

/** The polynomials as bytes to be sealed at rest (secret): constant unless refresh, gates in pre-order, ascending degree. */
export function encodePolynomials(poly: Polynomials, quorum: Quorum, kind: Kind): Uint8Array {
  const rows = quorum.gates.flatMap((g) => poly.gates.get(g.label) ?? fail('E_INTERNAL', 'the polynomials are of another quorum'));
  const scalars = hasConstant(kind) ? [poly.constant, ...rows] : rows;
  return concat(...scalars.map((s) => poly.group.encodeScalar(s)));
}

/** Reads what {@link encodePolynomials} wrote. @throws E_STATE on another length, E_SCALAR */
export function decodePolynomials(group: Group, quorum: Quorum, kind: Kind, bytes: Uint8Array): Polynomials {
  const reader = new Reader(bytes, 'E_STATE');
  const scalar = (): bigint => group.decodeScalar(reader.take(group.scalarBytes, 'coefficient'));
  const constant = hasConstant(kind) ? scalar() : 0n;
  const gates = new Map(quorum.gates.map((g) => [g.label, Array.from({ length: g.threshold - 1 }, scalar)]));
  reader.end();
  return { group, constant, gates };
}

/**
 * w = c·x: the additive share of the key that a holder has in one minimal quorum; what reshare and repair deal. Secret.
 * @param leaves the minimal quorum, as `exactQuorum` returns it
 * @param share the holder's encoded leaf share
 * @throws E_QUORUM when the leaves are not a minimal quorum or the holder is not among them; E_SCALAR
 */
export function additiveShare(group: Group, quorum: Quorum, leaves: readonly Leaf[], holder: Leaf, share: Uint8Array): bigint {
  const weight = recombination(quorum, leaves, group.order).get(holder.id);
  if (weight === undefined) return fail('E_QUORUM', `${holder.name} is not in this quorum`, { participant: holder.name });
  return (weight * group.decodeScalar(share)) % group.order;
}
