/** Points in the statements and first messages of proofs: public sums and their encodings. Public. */
import { mod } from '../arith/integer.ts';
import type { Group, Point } from '../curves/group.ts';
import { fail } from '../wire/errors.ts';
import type { Item } from '../wire/hash.ts';

/** Σ k·P in variable time: public values only. The integers k may be negative and longer than the order. */
export function sumOf(group: Group, ...terms: readonly (readonly [bigint, Point])[]): Point {
  return group.msm(
    terms.map(([, point]) => point),
    terms.map(([k]) => mod(k, group.order)),
  );
}

/** The group's name and the encoded points of a statement, in the order given. @throws E_POINT for an identity */
export function statementPoints(group: Group, points: Readonly<Record<string, Point>>): Item[] {
  const encoded = Object.entries(points).map(([name, point]) =>
    point.is0() ? fail('E_POINT', `${name} is the identity`, { field: name }) : group.encodePoint(point),
  );
  return [group.name, ...encoded];
}

/** The encoded points of a first message; an honest one is the identity with probability 2^-256. @throws E_PROOF for an identity */
export function firstPoints(group: Group, points: readonly Point[]): Item[] {
  return points.map((point) => (point.is0() ? fail('E_PROOF', 'an element of the first message is the identity') : group.encodePoint(point)));
}
