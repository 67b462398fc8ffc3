/** Writes key packages of ZF FROST. Secret. */
import { toHex } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import type { ForeignShare } from './foreign-share.ts';
import { textAround } from './make-text.ts';
import { openShare } from './open-share.ts';
import { zfHeader } from './zf-frost.ts';

/**
 * The key package of one holder: compact JSON, byte for byte as the crates write it. It needs the public key package
 * beside it (`zfPublicKeyPackage`), which also others may see.
 * @returns the file; secret, to be encrypted before it touches a disk, and overwritten by the caller
 * @throws E_SCHEME for keys that are not FROST, E_QUORUM for a whole key; as `openShare` when share and key do not
 *   belong together
 */
export function makeZfKeyPackage(own: ForeignShare): Uint8Array {
  const { key, identifier, share } = openShare(own.key, own.identifier, own.share);
  const head = zfHeader(key.scheme);
  if (key.minSigners < 2) fail('E_QUORUM', 'ZF FROST has keys with a threshold of 2 or more only');
  const point = key.shares.find((s) => Buffer.compare(s.identifier, identifier) === 0)?.point ?? fail('E_INTERNAL', 'a checked share has its point');
  return textAround(
    `{"header":${JSON.stringify(head)},"identifier":"${toHex(identifier)}","signing_share":"`,
    share,
    `","verifying_share":"${toHex(point)}","verifying_key":"${toHex(key.publicKey)}","min_signers":${String(key.minSigners)}}`,
  );
}
