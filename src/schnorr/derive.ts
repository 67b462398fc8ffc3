/**
 * BIP-32 derivation of public child keys. A threshold key has no private key in one place, so only non-hardened
 * children exist: child = parent + shift·G, with a shift that everybody can compute. Public throughout; but whoever
 * learns the secret of one child and the chain code knows the secret of the parent.
 */
import { ripemd160 } from '@noble/hashes/legacy.js';
import { group } from '../curves/group.ts';
import { base58check } from '../wire/base58.ts';
import { concat, u32 } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { hmacSha512, sha256 } from '../wire/hash.ts';

/** A public key with what its children and its serialisation need (BIP-32 "Extended keys"). */
export interface ExtendedKey {
  /** Compressed point, 33 bytes. */
  readonly publicKey: Uint8Array;
  /** 32 bytes. */
  readonly chainCode: Uint8Array;
  /** 0 for the key that the ceremony made. */
  readonly depth: number;
  /** First 4 bytes of the parent's identifier; zero at depth 0. */
  readonly parentFingerprint: Uint8Array;
  /** Index below the parent; 0 at depth 0. */
  readonly childNumber: number;
}

const HARDENED = 0x80000000;
const MAX_DEPTH = 255;
const XPUB_MAINNET = Uint8Array.of(0x04, 0x88, 0xb2, 0x1e);

/**
 * Indices of a path like `m/0/5`; `m` is the key itself.
 * @throws E_PATH when it is not in this form, hardened or deeper than 255
 */
export function parsePath(path: string): readonly number[] {
  if (/^m(?:\/[0-9]+['hH]?)*$/.test(path) && /['hH]/.test(path))
    fail('E_PATH', `${path} is hardened`, {
      field: 'path',
      remedy: 'use a path without hardened steps: nobody holds the private key that they need',
    });
  if (!/^m(?:\/(?:0|[1-9][0-9]{0,9}))*$/.test(path)) fail('E_PATH', 'a path looks like m/0/5', { field: 'path' });
  const indices = path.split('/').slice(1).map(Number);
  if (indices.some((i) => i >= HARDENED))
    fail('E_PATH', 'an index of the path is above 2147483647', { field: 'path' });
  if (indices.length > MAX_DEPTH) fail('E_PATH', 'the path is deeper than 255', { field: 'path' });
  return indices;
}

/**
 * The key of a ceremony as the root of its derivations.
 * @throws E_POINT when the public key (33 bytes) is not a secp256k1 point, E_FORMAT when the chain code has not 32 bytes
 */
export function rootKey(publicKey: Uint8Array, chainCode: Uint8Array): ExtendedKey {
  group('secp256k1').decodePoint(publicKey);
  if (chainCode.length !== 32) fail('E_FORMAT', 'a chain code has 32 bytes', { field: 'chainCode' });
  return { publicKey, chainCode, depth: 0, parentFingerprint: new Uint8Array(4), childNumber: 0 };
}

/** First 4 bytes of the key's identifier (BIP-32 "Key identifiers"). */
export function fingerprint(key: ExtendedKey): Uint8Array {
  return ripemd160(sha256(key.publicKey)).slice(0, 4);
}

/**
 * Follows a path below a key (BIP-32 CKDpub).
 * @returns the child and the shift, modulo the group order, with child = key + shift·G
 * @throws E_PATH for a hardened index or the one in 2^127 that has no key
 */
export function deriveKey(
  key: ExtendedKey,
  path: readonly number[],
): { readonly key: ExtendedKey; readonly shift: bigint } {
  const g = group('secp256k1');
  let child = key;
  let shift = 0n;
  for (const index of path) {
    if (!Number.isInteger(index) || index < 0 || index >= HARDENED)
      fail('E_PATH', 'only indices 0 to 2147483647 can be derived', { field: 'path' });
    if (child.depth === MAX_DEPTH) fail('E_PATH', 'the path is deeper than 255', { field: 'path' });
    const mac = hmacSha512(child.chainCode, concat(child.publicKey, u32(index)));
    const step = BigInt(`0x${Buffer.from(mac.subarray(0, 32)).toString('hex')}`);
    const point = g.decodePoint(child.publicKey).add(g.multiplyPublic(g.base, step % g.order));
    if (step >= g.order || point.is0())
      fail('E_PATH', `no key exists at index ${String(index)}`, { field: 'path', remedy: 'take the next index' });
    shift = (shift + step) % g.order;
    child = {
      publicKey: g.encodePoint(point),
      chainCode: mac.slice(32),
      depth: child.depth + 1,
      parentFingerprint: fingerprint(child),
      childNumber: index,
    };
  }
  return { key: child, shift };
}

/** Serialises an extended public key for the main network: `xpub…` (BIP-32 "Serialization format"). */
export function xpub(key: ExtendedKey): string {
  return base58check(
    concat(
      XPUB_MAINNET,
      Uint8Array.of(key.depth),
      key.parentFingerprint,
      u32(key.childNumber),
      key.chainCode,
      key.publicKey,
    ),
  );
}
