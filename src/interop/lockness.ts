/**
 * Key shares of Lockness CGGMP (the crates cggmp24 and key-share) in JSON: what of them is public. An incomplete key
 * share has no auxiliary information, which is made anew after an import or an export. Scalars are big-endian hex.
 */
import * as v from 'valibot';
import { group as groupOf } from '../curves/group.ts';
import { type EcdsaSchemeName, SCHEMES } from '../curves/scheme.ts';
import { fromHex, toHex } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { count, hexText } from './foreign-json.ts';
import { MAX_HOLDERS } from './foreign-record.ts';
import type { ForeignKey } from './foreign-share.ts';

const CURVES: Readonly<Record<EcdsaSchemeName, string>> = { 'cggmp24-secp256k1': 'secp256k1', 'cggmp24-p256': 'secp256r1' };

const holders = v.pipe(v.array(hexText), v.maxLength(MAX_HOLDERS));

/** Fields of a key share beside its secret `x`. */
export const locknessFields = {
  curve: v.string(),
  i: count(0, MAX_HOLDERS - 1),
  shared_public_key: hexText,
  public_shares: holders,
  /** Absent for additive shares: all holders sign, and the shares add up to the key. */
  vss_setup: v.optional(v.strictObject({ min_signers: count(2, MAX_HOLDERS), I: holders })),
  chain_code: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))),
};
const Fields = v.strictObject(locknessFields);
export type LocknessFields = v.InferOutput<typeof Fields>;

/** The scheme of a curve's name. @throws E_SCHEME */
export function locknessScheme(curve: string): EcdsaSchemeName {
  const found = (Object.keys(CURVES) as EcdsaSchemeName[]).find((name) => CURVES[name] === curve);
  return found ?? fail('E_SCHEME', `${curve} is no curve that is read here`, { field: 'curve' });
}

/**
 * The identifiers of the holders as encoded scalars, in the order of their index: those of the file, or 1..n where the shares are additive.
 * @throws E_FORMAT when they are not as many as the public shares
 */
export function locknessIdentifiers(read: LocknessFields): Uint8Array[] {
  const group = groupOf(SCHEMES[locknessScheme(read.curve)].group);
  if (read.vss_setup === undefined) return read.public_shares.map((_, i) => group.encodeScalar(BigInt(i + 1)));
  if (read.vss_setup.I.length !== read.public_shares.length)
    fail('E_FORMAT', 'there are not as many identifiers as public shares', { field: 'vss_setup.I' });
  return read.vss_setup.I.map((id) => fromHex(id));
}

/** The fields of a key share before and after the secret, as the crates write them. @throws E_SCHEME, E_QUORUM */
export function locknessText(key: ForeignKey, index: number): { before: string; after: string } {
  if (!Object.hasOwn(CURVES, key.scheme)) fail('E_SCHEME', `Lockness CGGMP has no keys of ${key.scheme}`, { field: 'scheme' });
  if (key.minSigners < 2) fail('E_QUORUM', 'Lockness CGGMP has keys with a threshold of 2 or more only');
  const fields: LocknessFields = {
    curve: CURVES[key.scheme as EcdsaSchemeName],
    i: index,
    shared_public_key: toHex(key.publicKey),
    public_shares: key.shares.map((s) => toHex(s.point)),
    vss_setup: { min_signers: key.minSigners, I: key.shares.map((s) => toHex(s.identifier)) },
    ...(key.chainCode === undefined ? {} : { chain_code: toHex(key.chainCode) }),
  };
  return { before: `${JSON.stringify(fields).slice(0, -1)},"x":"`, after: '"}' };
}
