/**
 * Public key packages of ZF FROST (the crates frost-ed25519, frost-secp256k1-tr and their sisters, version 3.0) in JSON,
 * as serde_json writes them. Scalars and points are hex in the suite's own byte order, which is also ours. Public.
 *
 * Taproot. A package of frost-secp256k1-tr holds a key of either parity, with shares that fit it as it stands; signing
 * there negates where the key is odd, as it does here. Two things differ by how the key came about there, and the
 * package does not say which it was:
 * - a dealt key is untweaked. Signed for with `sign_with_tweak` and no script tree, its address is the one that we give
 *   this key;
 * - a key from `dkg::part3` is tweaked already, and signed for with plain `sign`. Its address is its own x-coordinate.
 *   We tweak every key when signing, so that the imported key has another address here: coins have to be moved.
 * What we write is untweaked: sign for it there with `sign_with_tweak` and `aggregate_with_tweak`.
 */
import * as v from 'valibot';
import { group as groupOf } from '../curves/group.ts';
import { type FrostSchemeName, type SchemeName, SCHEMES } from '../curves/scheme.ts';
import { fromHex, toHex, utf8 } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { count, hexText, inFile, readForeign } from './foreign-json.ts';
import { MAX_HOLDERS } from './foreign-record.ts';
import { checkForeignKey, type ForeignKey } from './foreign-share.ts';

/** Context strings of RFC 9591, and ZF's own for Taproot. */
const SUITES: Readonly<Record<FrostSchemeName, string>> = {
  'frost-ed25519': 'FROST-ED25519-SHA512-v1',
  'frost-ed448': 'FROST-ED448-SHAKE256-v1',
  'frost-p256': 'FROST-P256-SHA256-v1',
  'frost-ristretto255': 'FROST-RISTRETTO255-SHA512-v1',
  'frost-secp256k1': 'FROST-secp256k1-SHA256-v1',
  'frost-secp256k1-tr': 'FROST-secp256k1-SHA256-TR-v1',
};

const header = v.strictObject({ version: count(0, 255), ciphersuite: v.string() });

export const zfThreshold = count(2, MAX_HOLDERS);

const PublicPackage = v.strictObject({
  header,
  verifying_shares: v.pipe(v.record(hexText, hexText), v.maxEntries(MAX_HOLDERS)),
  verifying_key: hexText,
  min_signers: v.optional(zfThreshold),
});

export const zfHeaderSchema = header;

/**
 * The scheme of a package's header.
 * @throws E_VERSION, E_SCHEME
 */
export function zfScheme(read: v.InferOutput<typeof header>): FrostSchemeName {
  if (read.version !== 0) fail('E_VERSION', `the package has format version ${String(read.version)}; 0 is read`, { field: 'header.version' });
  const found = (Object.keys(SUITES) as FrostSchemeName[]).find((name) => SUITES[name] === read.ciphersuite);
  return found ?? fail('E_SCHEME', `${read.ciphersuite} is no ciphersuite that is read here`, { field: 'header.ciphersuite' });
}

/** The header as ZF writes it. @throws E_SCHEME for keys that are not FROST */
export function zfHeader(scheme: SchemeName): { version: 0; ciphersuite: string } {
  if (!Object.hasOwn(SUITES, scheme)) fail('E_SCHEME', `ZF FROST has no keys of ${scheme}`, { field: 'scheme' });
  return { version: 0, ciphersuite: SUITES[scheme as FrostSchemeName] };
}

/** By ascending identifier, as ZF orders them. */
function inOrder(key: ForeignKey): ForeignKey['shares'] {
  const group = groupOf(SCHEMES[key.scheme].group);
  const at = new Map(key.shares.map((s) => [s, group.decodeScalar(s.identifier)]));
  return key.shares.toSorted((a, b) => ((at.get(a) ?? 0n) < (at.get(b) ?? 0n) ? -1 : 1));
}

/**
 * Reads and checks a public key package. The holders come by ascending identifier, whatever their order in the file.
 * @param file name for error texts
 * @param minSigners the threshold, from a key package; needed for packages older than 3.0, which do not state it
 * @throws E_FORMAT, E_TOO_LARGE, E_VERSION, E_SCHEME; E_MISSING when nobody states the threshold; E_FOREIGN when both
 *   state one and they differ; as `checkForeignKey`
 */
export function readZfPublicKeyPackage(bytes: Uint8Array, file: string, minSigners?: number): ForeignKey {
  const read = readForeign(PublicPackage, bytes, file);
  return inFile(file, () => {
    const scheme = zfScheme(read.header);
    const threshold = read.min_signers ?? minSigners;
    if (threshold === undefined)
      return fail('E_MISSING', 'the public key package does not state min_signers', { field: 'min_signers', remedy: 'Give the threshold; a key package of this key states it.' });
    if (minSigners !== undefined && threshold !== minSigners)
      fail('E_FOREIGN', `the packages state different thresholds, ${String(threshold)} and ${String(minSigners)}`, { field: 'min_signers' });
    const key = checkForeignKey({
      format: 'zf-frost',
      scheme,
      publicKey: fromHex(read.verifying_key),
      minSigners: threshold,
      shares: Object.entries(read.verifying_shares).map(([id, point]) => ({ identifier: fromHex(id), point: fromHex(point) })),
    });
    return { ...key, shares: inOrder(key) };
  });
}

/**
 * Writes a public key package: compact JSON, holders by ascending identifier, byte for byte as the crates write it.
 * @throws E_SCHEME for keys that are not FROST, E_QUORUM for a whole key
 */
export function zfPublicKeyPackage(key: ForeignKey): Uint8Array {
  const head = zfHeader(key.scheme);
  if (key.minSigners < 2) fail('E_QUORUM', 'ZF FROST has keys with a threshold of 2 or more only');
  // as text: an object would put keys that look like small numbers first
  const list = inOrder(key).map((s) => `"${toHex(s.identifier)}":"${toHex(s.point)}"`).join(',');
  return utf8(`{"header":${JSON.stringify(head)},"verifying_shares":{${list}},"verifying_key":"${toHex(key.publicKey)}","min_signers":${String(key.minSigners)}}`);
}
