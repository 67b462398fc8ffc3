/** Key packages of ZF FROST: one holder's share, in JSON. Secret. */
import * as v from 'valibot';
import { fromHex } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { hexText, inFile, readForeign } from './foreign-json.ts';
import type { ForeignShare } from './foreign-share.ts';
import { openShare } from './open-share.ts';
import { readZfPublicKeyPackage, zfHeaderSchema, zfScheme, zfThreshold } from './zf-frost.ts';

const KeyPackage = v.strictObject({
  header: zfHeaderSchema,
  identifier: hexText,
  signing_share: hexText,
  verifying_share: hexText,
  verifying_key: hexText,
  min_signers: zfThreshold,
});

/**
 * Reads a key package together with the public key package of the same key, which alone has everybody's public shares.
 * @param keyPackage bytes of the file; secret. The text in it stays in memory until the language collects it
 * @param publicPackage bytes of the file
 * @param files names for error texts
 * @returns the share; secret, and fresh memory
 * @throws E_FORMAT, E_TOO_LARGE, E_VERSION, E_SCHEME, E_POINT, E_SCALAR; E_FOREIGN when the two are not of one key or
 *   the share is not its holder's
 */
export function openZfKeyPackage(keyPackage: Uint8Array, publicPackage: Uint8Array, files: { readonly key: string; readonly public: string }): ForeignShare {
  const read = readForeign(KeyPackage, keyPackage, files.key);
  const scheme = inFile(files.key, () => zfScheme(read.header));
  const key = readZfPublicKeyPackage(publicPackage, files.public, read.min_signers);
  return inFile(files.key, () => {
    const other = (field: string, what: string): never => fail('E_FOREIGN', `${what} differs from that of the public key package`, { field });
    if (scheme !== key.scheme) other('header.ciphersuite', 'the ciphersuite');
    if (Buffer.compare(fromHex(read.verifying_key), key.publicKey) !== 0) other('verifying_key', 'the public key');
    const identifier = fromHex(read.identifier);
    const own = key.shares.find((s) => Buffer.compare(s.identifier, identifier) === 0);
    if (own !== undefined && Buffer.compare(own.point, fromHex(read.verifying_share)) !== 0) other('verifying_share', 'the public share');
    const share = fromHex(read.signing_share);
    try {
      return openShare(key, identifier, share);
    } catch (e) {
      share.fill(0);
      throw e;
    }
  });
}
