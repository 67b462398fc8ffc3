/** The group of all sealing: ristretto255 with two bases, whatever group the dealt key lives in. Public. */
import { ristretto255_hasher } from '@noble/curves/ed25519.js';
import { group, type Group, type Point } from '../curves/group.ts';
import { utf8 } from '../wire/bytes.ts';

export function sealingGroup(): Group {
  return group('ristretto255');
}

let second: Point | undefined;

/** B′: hash_to_ristretto255 (RFC 9380 appendix B) of "mpc-ceremony/seal/v1"; nobody knows its logarithm to the base B. */
export function secondBase(): Point {
  second ??= ristretto255_hasher.hashToCurve(utf8('mpc-ceremony/seal/v1'));
  return second;
}
