/** Verifiers that share no code with the project or with @noble: OpenSSL, libsodium, libsecp256k1. */
import { createECDH, createHash, createPublicKey, verify } from 'node:crypto';
import { createRequire } from 'node:module';
import * as secp from 'tiny-secp256k1';
import type { FrostSchemeName } from '../../src/curves/scheme.ts';

interface Sodium {
  readonly ready: Promise<void>;
  crypto_scalarmult_ristretto255(n: Uint8Array, p: Uint8Array): Uint8Array;
  crypto_scalarmult_ristretto255_base(n: Uint8Array): Uint8Array;
  crypto_core_ristretto255_add(p: Uint8Array, q: Uint8Array): Uint8Array;
  crypto_core_ristretto255_is_valid_point(p: Uint8Array): boolean;
  crypto_core_ristretto255_scalar_reduce(wide: Uint8Array): Uint8Array;
}
export const sodium = createRequire(import.meta.url)('libsodium-wrappers-sumo') as Sodium;

type Verifier = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;

const hash = (name: string, ...parts: (Uint8Array | string)[]): Buffer => {
  const h = createHash(name);
  for (const part of parts) h.update(part);
  return h.digest();
};
const toBig = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
const toBytes = (n: bigint): Buffer => Buffer.from(n.toString(16).padStart(64, '0'), 'hex');

/** RFC 9380 expand_message_xmd with SHA-256, one field element of 48 bytes. */
function hashToField(dst: string, order: bigint, ...message: Uint8Array[]): bigint {
  const suffix = Buffer.concat([Buffer.from(dst), Buffer.of(dst.length)]);
  const b0 = hash('sha256', Buffer.alloc(64), ...message, Buffer.of(0, 48, 0), suffix);
  const b1 = hash('sha256', b0, Buffer.of(1), suffix);
  const b2 = hash('sha256', Buffer.from(b0.map((b, i) => b ^ (b1[i] as number))), Buffer.of(2), suffix);
  return toBig(Buffer.concat([b1, b2]).subarray(0, 48)) % order;
}

const openssl =
  (spkiPrefix: string): Verifier =>
  (publicKey, message, signature) => {
    const der = Buffer.concat([Buffer.from(spkiPrefix, 'hex'), publicKey]);
    return verify(null, message, createPublicKey({ key: der, format: 'der', type: 'spki' }), signature);
  };

/** zG = R + cP in libsecp256k1. */
const secp256k1: Verifier = (publicKey, message, signature) => {
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const [R, z] = [signature.subarray(0, 33), signature.subarray(33)];
  const c = hashToField('FROST-secp256k1-SHA256-v1chal', order, R, publicKey, message);
  const right = secp.pointAdd(R, secp.pointMultiply(publicKey, toBytes(c), true) as Uint8Array, true);
  const left = secp.pointFromScalar(z, true);
  return left !== null && right !== null && Buffer.from(left).equals(right);
};

/** zB = R + cP in libsodium. */
const ristretto255: Verifier = (publicKey, message, signature) => {
  const [R, z] = [signature.subarray(0, 32), signature.subarray(32)];
  if (![R, publicKey].every((p) => sodium.crypto_core_ristretto255_is_valid_point(p))) return false;
  const c = sodium.crypto_core_ristretto255_scalar_reduce(
    hash('sha512', 'FROST-RISTRETTO255-SHA512-v1chal', R, publicKey, message),
  );
  const right = sodium.crypto_core_ristretto255_add(R, sodium.crypto_scalarmult_ristretto255(c, publicKey));
  return Buffer.from(sodium.crypto_scalarmult_ristretto255_base(z)).equals(right);
};

/**
 * zG = R + cP in OpenSSL: its ECDH gives zG, and the x-coordinates of cP and (c+1)P, of which the second decides the
 * sign of the first. Only the addition of two points is written out.
 */
const p256: Verifier = (publicKey, message, signature) => {
  const p = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const mod = (n: bigint): bigint => ((n % p) + p) % p;
  const power = (b: bigint, e: bigint): bigint => (e === 0n ? 1n : mod(power(mod(b * b), e / 2n) * (e % 2n === 1n ? b : 1n)));
  const affine = (bytes: Uint8Array): [bigint, bigint] => {
    const raw = createECDH('prime256v1').constructor as unknown as {
      convertKey(key: Uint8Array, curve: string, i: undefined, o: undefined, format: 'uncompressed'): Buffer;
    };
    const full = raw.convertKey(bytes, 'prime256v1', undefined, undefined, 'uncompressed');
    return [toBig(full.subarray(1, 33)), toBig(full.subarray(33))];
  };
  const add = ([x1, y1]: [bigint, bigint], [x2, y2]: [bigint, bigint]): [bigint, bigint] => {
    const m = mod((y2 - y1) * power(mod(x2 - x1), p - 2n));
    const x = mod(m * m - x1 - x2);
    return [x, mod(m * (x1 - x) - y1)];
  };
  const xOf = (scalar: bigint): bigint => {
    const ecdh = createECDH('prime256v1');
    ecdh.setPrivateKey(toBytes(scalar));
    return toBig(ecdh.computeSecret(publicKey));
  };
  const [R, z] = [signature.subarray(0, 33), signature.subarray(33)];
  const c = hashToField('FROST-P256-SHA256-v1chal', order, R, publicKey, message);
  const x = xOf(c);
  const [, even] = affine(Buffer.concat([Buffer.of(2), toBytes(x)]));
  const next = xOf(c + 1n);
  const y = [even, p - even].find((candidate) => add([x, candidate], affine(publicKey))[0] === next) as bigint;
  const base = createECDH('prime256v1');
  base.setPrivateKey(z);
  const left = affine(base.getPublicKey());
  const right = add(affine(R), [x, y]);
  return left[0] === right[0] && left[1] === right[1];
};

/** By scheme; messages of Taproot must have 32 bytes. Libsodium must be ready. */
export const FOREIGN: Readonly<Record<FrostSchemeName, Verifier>> = {
  'frost-ed25519': openssl('302a300506032b6570032100'),
  'frost-ed448': openssl('3043300506032b6571033a00'),
  'frost-secp256k1-tr': (publicKey, message, signature) => secp.verifySchnorr(message, publicKey, signature),
  'frost-secp256k1': secp256k1,
  'frost-ristretto255': ristretto255,
  'frost-p256': p256,
};
