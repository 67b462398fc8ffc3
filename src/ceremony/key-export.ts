/** Public keys in the formats of others. */
import { SCHEMES } from '../curves/scheme.ts';
import type { EpochRecord } from '../protocols/epoch.ts';
import type { Certificate } from '../protocols/epoch.ts';
import { deriveKey, parsePath, rootKey, xpub } from '../schnorr/derive.ts';
import { outputKey } from '../schnorr/output-key.ts';
import { concat, fromHex, toHex } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { createPublicKey } from 'node:crypto';

export type KeyFormat = 'pem' | 'raw' | 'xpub' | 'descriptor' | 'jwk';

// SubjectPublicKeyInfo prefixes: RFC 8410 for the Edwards curves, RFC 5480 with a named curve and compressed point
const SPKI: Partial<Record<string, string>> = {
  ed25519: '302a300506032b6570032100',
  ed448: '3043300506032b6571033a00',
  secp256k1: '3036301006072a8648ce3d020106052b8104000a032200',
  p256: '3039301306072a8648ce3d020106082a8648ce3d030107032200',
};

function derived(epoch: EpochRecord, path: string | undefined): Uint8Array {
  const key = fromHex(epoch.publicKey);
  if (path === undefined || path === 'm') return key;
  if (!SCHEMES[epoch.key.scheme].derivable) fail('E_PATH', `keys of ${epoch.key.scheme} have no derived keys`, { field: 'path' });
  return deriveKey(rootKey(key, fromHex(epoch.chainCode)), parsePath(path)).key.publicKey;
}

/**
 * The public key of an epoch, or of a path below it, as text. `raw` is hex of what verifiers of the scheme take.
 * @returns undefined when the scheme has no such form
 * @throws E_PATH
 */
export function exportKey(certificate: Certificate, format: KeyFormat, path?: string): string | undefined {
  const { epoch } = certificate;
  const scheme = SCHEMES[epoch.key.scheme];
  const key = derived(epoch, path);
  const output = outputKey(scheme.name, key).bytes;
  if (format === 'raw') return toHex(output);
  if (format === 'xpub' || format === 'descriptor') {
    if (!scheme.derivable) return undefined;
    const root = rootKey(fromHex(epoch.publicKey), fromHex(epoch.chainCode));
    const text = xpub(deriveKey(root, parsePath(path ?? 'm')).key);
    if (format === 'xpub') return text;
    return scheme.taproot ? `tr(${text}/*)` : undefined;
  }
  const prefix = SPKI[scheme.group];
  if (prefix === undefined) return undefined;
  // Taproot verifiers know the output key by its x-coordinate; its point is the one with even y (BIP-340)
  const point = scheme.taproot ? concat(Uint8Array.of(2), output) : output;
  const object = createPublicKey({ key: Buffer.from(concat(fromHex(prefix), point)), format: 'der', type: 'spki' });
  if (format === 'pem') return object.export({ format: 'pem', type: 'spki' }) as string;
  return JSON.stringify(object.export({ format: 'jwk' }));
}
