/** An existing whole private key, from a PEM file or as a hexadecimal scalar. Secret. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { ed448 } from '@noble/curves/ed448.js';
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { group as groupOf, type Group, type GroupName } from '../curves/group.ts';
import { type SchemeName, SCHEMES } from '../curves/scheme.ts';
import { concat, equalBytes, fromHex } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { asciiText, inFile } from './foreign-json.ts';
import type { ForeignShare } from './foreign-share.ts';
import { openShare } from './open-share.ts';

/** Largest file of a private key, in bytes. */
export const MAX_KEY_BYTES = 4096;

interface PemKind {
  /**
   * DER of PKCS#8, as OpenSSL writes it, up to the seed or scalar (RFC 8410; RFC 5915 in RFC 5958). Elliptic curves have
   * two, with the public key behind the scalar and without.
   */
  readonly prefixes: readonly string[];
  /** Bytes of the seed or scalar. */
  readonly bytes: number;
  /** DER of SubjectPublicKeyInfo up to the point; elliptic curves write it uncompressed. */
  readonly spki: string;
}

// only what OpenSSL has named is read; ristretto255 has no such form
const PEM: Readonly<Partial<Record<GroupName, PemKind>>> = {
  ed25519: { prefixes: ['302e020100300506032b657004220420'], bytes: 32, spki: '302a300506032b6570032100' },
  ed448: { prefixes: ['3047020100300506032b6571043b0439'], bytes: 57, spki: '3043300506032b6571033a00' },
  secp256k1: {
    prefixes: ['308184020100301006072a8648ce3d020106052b8104000a046d306b0201010420', '303e020100301006072a8648ce3d020106052b8104000a042730250201010420'],
    bytes: 32,
    spki: '3056301006072a8648ce3d020106052b8104000a03420004',
  },
  p256: {
    prefixes: ['308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420', '3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420'],
    bytes: 32,
    spki: '3059301306072a8648ce3d020106082a8648ce3d03010703420004',
  },
};
const BLOCK = /^-----BEGIN ((?:EC )?PRIVATE KEY)-----\r?\n[A-Za-z0-9+/=\r\n]+-----END \1-----\s*$/;

function pemObject(bytes: Uint8Array): KeyObject {
  try {
    return createPrivateKey({ key: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), format: 'pem' });
  } catch {
    // OpenSSL's text is dropped: what it says of a secret file is not ours to repeat
    return fail('E_FORMAT', 'the PEM file holds no private key that can be read');
  }
}

/** The scalar, which for Edwards curves is hashed from the seed and clamped (RFC 8032 sections 5.1.5 and 5.2.5); modulo q. */
function pemScalar(group: Group, bytes: Uint8Array): bigint {
  const kind = PEM[group.name] ?? fail('E_SCHEME', `there are no PEM files of ${group.name}`, { remedy: 'Give the scalar in hex.' });
  const object = pemObject(bytes);
  const spki = createPublicKey(object).export({ format: 'der', type: 'spki' });
  const der = object.export({ format: 'der', type: 'pkcs8' });
  try {
    const prefix = kind.prefixes.find((p) => der.toString('hex', 0, p.length / 2) === p);
    if (prefix === undefined || !spki.toString('hex').startsWith(kind.spki))
      return fail('E_SCHEME', `the PEM file holds no key of ${group.name}`, { field: 'scheme' });
    const start = prefix.length / 2;
    const raw = der.subarray(start, start + kind.bytes);
    const scalar =
      group.name === 'ed25519' ? ed25519.utils.getExtendedPublicKey(raw).scalar
      : group.name === 'ed448' ? ed448.utils.getExtendedPublicKey(raw).scalar
      : group.decodeScalar(raw);
    const full = spki.subarray(kind.spki.length / 2);
    const stated = full.length === 64 ? concat(Uint8Array.of(2 + ((full[63] as number) & 1)), full.subarray(0, 32)) : full;
    if (scalar % group.order === 0n) fail('E_SCALAR', 'the private key is 0');
    const point = group.multiply(group.base, scalar % group.order);
    if (!equalBytes(group.encodePoint(point), stated))
      fail('E_FOREIGN', 'the PEM file states another public key than its private key has', { field: 'publicKey' });
    return scalar % group.order;
  } finally {
    der.fill(0);
  }
}

/**
 * Reads a whole private key for a scheme: PKCS#8 PEM (Ed25519, Ed448, secp256k1, P-256; not encrypted), SEC 1 PEM of the
 * latter two, or one line of lowercase hex, the scalar in the group's own size and byte order (little-endian for
 * ed25519, ristretto255 and ed448). A seed of Ed25519 in hex is not a scalar, and is no different to look at: its owner
 * has to see the public key before it is used.
 * @param bytes of the file; secret
 * @param file name for error texts
 * @returns the key as its own single share with identifier 1; secret, and fresh memory
 * @throws E_FORMAT, E_TOO_LARGE; E_SCHEME when the key is of another curve; E_SCALAR out of 1..q−1; E_FOREIGN when the
 *   PEM file states another public key
 */
export function openPrivateKey(bytes: Uint8Array, scheme: SchemeName, file: string): ForeignShare {
  const group = groupOf(SCHEMES[scheme].group);
  return inFile(file, () => {
    const text = asciiText(bytes, MAX_KEY_BYTES);
    const hex = /^([0-9a-f]+)\r?\n?$/.exec(text)?.[1];
    if (hex === undefined && !BLOCK.test(text))
      fail('E_FORMAT', 'the file is neither one PEM block of an unencrypted private key nor one line of lowercase hex');
    const scalar = hex === undefined ? pemScalar(group, bytes) : group.decodeScalar(hex.length % 2 === 0 ? fromHex(hex) : fail('E_FORMAT', 'an odd number of hex digits'));
    if (scalar === 0n) fail('E_SCALAR', 'the private key is 0');
    const point = group.encodePoint(group.multiply(group.base, scalar));
    const identifier = group.encodeScalar(1n);
    const key = { format: 'key', scheme, publicKey: point, minSigners: 1, shares: [{ identifier, point }] } as const;
    return openShare(key, identifier, group.encodeScalar(scalar));
  });
}
