/** Reads incomplete key shares of Lockness CGGMP. Secret. */
import { invert } from '@noble/curves/abstract/modular.js';
import * as v from 'valibot';
import { type Group, group as groupOf } from '../curves/group.ts';
import { SCHEMES } from '../curves/scheme.ts';
import { fromHex } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { hexText, inField, inFile, readForeign } from './foreign-json.ts';
import { checkForeignKey, type ForeignShare, lagrangeAtZero } from './foreign-share.ts';
import { locknessFields, locknessIdentifiers, locknessScheme } from './lockness.ts';
import { openShare } from './open-share.ts';

const KeyShare = v.strictObject({ ...locknessFields, x: hexText });

/** How an additive share x with weight λ becomes a polynomial one, x/λ, so that λ·(x/λ) adds up to the same key. */
function asPolynomial(group: Group, identifiers: readonly Uint8Array[]): (i: number) => bigint {
  return (i) => invert(lagrangeAtZero(group, identifiers, identifiers[i] ?? fail('E_INTERNAL', 'no such holder')), group.order);
}

/**
 * Reads a key share. Additive shares (without `vss_setup`: all n holders sign) are turned into shares of an n-of-n
 * polynomial with identifiers 1..n, each by its own holder and without a change of the key.
 * @param bytes of the file; secret. The text in it stays in memory until the language collects it
 * @returns the share; secret, and fresh memory
 * @throws E_FORMAT (also for a complete key share, of which `core` is wanted), E_TOO_LARGE, E_SCHEME, E_POINT, E_SCALAR;
 *   E_FOREIGN when share, public shares, threshold and public key do not belong together
 */
export function openLocknessShare(bytes: Uint8Array, file: string): ForeignShare {
  const read = readForeign(KeyShare, bytes, file);
  return inFile(file, () => {
    const scheme = locknessScheme(read.curve);
    const group = groupOf(SCHEMES[scheme].group);
    const identifiers = locknessIdentifiers(read);
    const identifier = identifiers[read.i] ?? fail('E_FORMAT', 'the index is not that of a holder', { field: 'i' });
    const additive = read.vss_setup === undefined;
    const factor = asPolynomial(group, identifiers);
    const points = read.public_shares.map((hex, i) => {
      const point = inField(`public_shares.${String(i)}`, () => group.decodePoint(fromHex(hex)));
      return group.encodePoint(additive ? group.multiplyPublic(point, factor(i)) : point);
    });
    const key = checkForeignKey({
      format: 'lockness',
      scheme,
      publicKey: fromHex(read.shared_public_key),
      minSigners: read.vss_setup?.min_signers ?? identifiers.length,
      ...(read.chain_code === undefined ? {} : { chainCode: fromHex(read.chain_code, 32) }),
      shares: identifiers.map((id, i) => ({ identifier: id, point: points[i] as Uint8Array })),
    });
    const x = fromHex(read.x);
    let share = x;
    try {
      if (additive) share = group.encodeScalar((inField('x', () => group.decodeScalar(x)) * factor(read.i)) % group.order);
      return openShare(key, identifier, share);
    } catch (e) {
      share.fill(0);
      throw e;
    } finally {
      if (additive) x.fill(0);
    }
  });
}
