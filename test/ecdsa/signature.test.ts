/** The online step: shares, their sum, and its encodings, judged by OpenSSL, libsecp256k1 and ethers. */
import { execFileSync } from 'node:child_process';
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { computeAddress, recoverAddress } from 'ethers';
import * as secp from 'tiny-secp256k1';
import { describe, expect, it } from 'vitest';
import { fromBytes, invert, mod, toBytes } from '../../src/arith/integer.ts';
import { group as groupOf, type Group, type Point } from '../../src/curves/group.ts';
import { messageDigest } from '../../src/ecdsa/digest.ts';
import { signatureShare } from '../../src/ecdsa/make-signature-share.ts';
import {
  checkPublic,
  checkShare,
  combine,
  compact,
  derDecode,
  derEncode,
  digestScalar,
  lowS,
  nonceBits,
  nonceScalar,
  type PresignPublic,
  type Signature,
  verifyDigest,
  wrongShares,
} from '../../src/ecdsa/signature.ts';
import { fromHex, toHex, utf8 } from '../../src/wire/bytes.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { seeded } from '../sharing/support.ts';

const CURVES = ['secp256k1', 'p256'] as const;
type Curve = (typeof CURVES)[number];

function code(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof CeremonyError) return error.code;
    throw error;
  }
  return 'passed';
}

// --- presignatures made by a dealer -----------------------------------------------------------------------------

interface Presign {
  readonly x: bigint;
  readonly publicKey: Point;
  readonly pre: PresignPublic;
  /** By leaf id: k_j, χ_j before the division by δ, and δ. */
  readonly raw: ReadonlyMap<number, { k: bigint; chi: bigint }>;
  readonly secrets: ReadonlyMap<number, { k: bigint; chi: bigint }>;
}

/** Random parts of the signers with the given leaves; γ may be chosen. */
function presign(group: Group, leaves: readonly number[], seed: string): Presign {
  const random = seeded(seed);
  const q = group.order;
  const draw = (): bigint => group.randomScalar(random);
  const [x, gamma] = [draw(), draw()];
  const split = (total: bigint): bigint[] => {
    const parts = leaves.slice(1).map(draw);
    return [mod(total - parts.reduce((a, b) => a + b, 0n), q), ...parts];
  };
  const k = draw();
  const [ks, chis] = [split(k), split(k * x)];
  const perDelta = invert(k * gamma, q);
  const Gamma = group.multiply(group.base, gamma);
  const raw = new Map(leaves.map((leaf, i) => [leaf, { k: ks[i] as bigint, chi: chis[i] as bigint }]));
  const secrets = new Map([...raw].map(([leaf, s]) => [leaf, { k: mod(s.k * perDelta, q), chi: mod(s.chi * perDelta, q) }]));
  return {
    x,
    publicKey: group.multiply(group.base, x),
    pre: {
      gamma: Gamma,
      delta: new Map([...secrets].map(([leaf, s]) => [leaf, group.multiply(Gamma, s.k)])),
      chi: new Map([...secrets].map(([leaf, s]) => [leaf, group.multiply(Gamma, s.chi)])),
    },
    raw,
    secrets,
  };
}

const sharesOf = (group: Group, p: Presign, digest: Uint8Array): Map<number, bigint> => {
  const r = nonceScalar(group, p.pre.gamma);
  return new Map([...p.secrets].map(([leaf, s]) => [leaf, signatureShare(group, s.k, s.chi, digest, r)]));
};

/**
 * A presignature of two signers whose nonce point is chosen, with an unknown discrete logarithm: the key is made to fit
 * the shares. Everything that is public about it is as in an honest one.
 */
function around(group: Group, gamma: Point, digest: Uint8Array, seed: string): { pre: PresignPublic; publicKey: Point; shares: Map<number, bigint> } {
  const random = seeded(seed);
  const m = digestScalar(group, digest);
  const r = nonceScalar(group, gamma);
  const first = group.multiply(gamma, group.randomScalar(random));
  const delta = new Map([
    [1, first],
    [2, group.base.subtract(first)],
  ]);
  const shares = new Map([
    [1, group.randomScalar(random)],
    [2, group.randomScalar(random)],
  ]);
  const perR = invert(r, group.order);
  const chi = new Map(
    [...shares].map(([leaf, sigma]) => {
      const right = group.multiplyPublic(gamma, sigma).subtract(group.multiplyPublic(delta.get(leaf) as Point, m));
      return [leaf, group.multiply(right, perR)];
    }),
  );
  return { pre: { gamma, delta, chi }, publicKey: group.sum(chi.values()), shares };
}

/** The point with this x and an even y, if there is one. */
function lift(group: Group, x: bigint): Point | undefined {
  try {
    return group.decodePoint(new Uint8Array([2, ...toBytes(x, 32)]));
  } catch {
    return undefined;
  }
}

function firstPoint(group: Group, from: bigint, step: bigint): { x: bigint; point: Point } {
  for (let x = from; ; x += step) {
    const point = lift(group, x);
    if (point !== undefined) return { x, point };
  }
}

// --- foreign verifiers ------------------------------------------------------------------------------------------

function opensslKey(group: Group, point: Point): KeyObject {
  const { x, y } = point.toAffine();
  const b64 = (n: bigint): string => Buffer.from(toBytes(n, 32)).toString('base64url');
  const crv = group.name === 'p256' ? 'P-256' : 'secp256k1';
  return createPublicKey({ key: { kty: 'EC', crv, x: b64(x), y: b64(y) }, format: 'jwk' });
}

/** OpenSSL's program over a digest as it is: the functions of node hash first. */
function opensslDigest(group: Group, key: Point, digest: Uint8Array, der: Uint8Array): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'ecdsa-'));
  try {
    writeFileSync(join(folder, 'key'), opensslKey(group, key).export({ format: 'pem', type: 'spki' }));
    writeFileSync(join(folder, 'digest'), digest);
    writeFileSync(join(folder, 'sig'), der);
    const args = ['pkeyutl', '-verify', '-pubin', '-inkey', 'key', '-in', 'digest', '-sigfile', 'sig'];
    return execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] }).toString().includes('Success');
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The signature holds for everybody who can read it, and its recovery id gives the key. */
function expectForeign(group: Group, key: Point, digest: Uint8Array, sig: Signature): void {
  expect(opensslDigest(group, key, digest, derEncode(sig.r, sig.s))).toBe(true);
  if (group.name !== 'secp256k1') return;
  const flat = compact(sig.r, sig.s);
  expect(secp.verify(digest, group.encodePoint(key), flat, true)).toBe(true);
  const recovered = secp.recover(digest, flat, sig.recoveryId as 0 | 1 | 2 | 3, true);
  expect(recovered && toHex(recovered)).toBe(toHex(group.encodePoint(key)));
  // Ethereum knows only the points with x < q
  if (sig.recoveryId > 1) return;
  const address = computeAddress(`0x${toHex(group.encodePoint(key))}`);
  const hex = (n: bigint): string => `0x${toHex(toBytes(n, 32))}`;
  expect(recoverAddress(digest, { r: hex(sig.r), s: hex(sig.s), yParity: sig.recoveryId as 0 | 1 })).toBe(address);
  expect(recoverAddress(digest, { r: hex(sig.r), s: hex(sig.s), yParity: (1 - sig.recoveryId) as 0 | 1 })).not.toBe(address);
}

// ----------------------------------------------------------------------------------------------------------------

describe.each(CURVES)('%s', (curve: Curve) => {
  const group = groupOf(curve);
  const q = group.order;
  const digest = messageDigest('sha256', utf8('a message'));

  describe.each([[2], [3], [4], [5]])('%i signers', (t) => {
    const leaves = [1, 2, 4, 7, 11].slice(0, t);

    it('sign messages that OpenSSL verifies in both encodings', () => {
      // the recovery id takes both values, and both halves of s occur, over these messages
      const ids = new Set<number>();
      for (const text of ['', 'a', 'a message', 'x'.repeat(1000), '\u0000', 'last']) {
        const p = presign(group, leaves, `${curve} ${String(t)} ${text}`);
        const message = utf8(text);
        const d = messageDigest('sha256', message);
        expect(code(() => checkPublic(group, p.pre, p.publicKey))).toBe('passed');
        const sig = combine(group, p.pre, p.publicKey, d, sharesOf(group, p, d));
        const key = opensslKey(group, p.publicKey);
        expect(verify('sha256', message, { key, dsaEncoding: 'der' }, derEncode(sig.r, sig.s))).toBe(true);
        expect(verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, compact(sig.r, sig.s))).toBe(true);
        expect(verify('sha256', utf8(`${text}!`), { key, dsaEncoding: 'der' }, derEncode(sig.r, sig.s))).toBe(false);
        expect(sig.s <= q / 2n).toBe(true);
        expect(verifyDigest(group, p.publicKey, d, sig)).toBe(true);
        expectForeign(group, p.publicKey, d, sig);
        ids.add(sig.recoveryId);
      }
      expect([...ids].sort()).toEqual([0, 1]);
    });

    it('a wrong share is refused for exactly its owner', () => {
      const p = presign(group, leaves, `wrong ${curve} ${String(t)}`);
      const shares = sharesOf(group, p, digest);
      expect(wrongShares(group, p.pre, digest, shares)).toEqual([]);
      for (const cheat of leaves) {
        const off = new Map(shares).set(cheat, mod((shares.get(cheat) as bigint) + 1n, q));
        expect(leaves.filter((leaf) => !checkShare(group, p.pre, digest, leaf, off.get(leaf) as bigint))).toEqual([cheat]);
        expect(wrongShares(group, p.pre, digest, off)).toEqual([cheat]);
        expect(code(() => combine(group, p.pre, p.publicKey, digest, off))).toBe('E_SHARE');
      }
      const all = new Map([...shares].reverse().map(([leaf, s]) => [leaf, mod(s + 1n, q)]));
      expect(wrongShares(group, p.pre, digest, all)).toEqual(leaves);
    });
  });

  it('two wrong shares whose errors cancel out are both refused', () => {
    const p = presign(group, [1, 2, 3], `cancel ${curve}`);
    const shares = sharesOf(group, p, digest);
    shares.set(1, mod((shares.get(1) as bigint) + 5n, q));
    shares.set(3, mod((shares.get(3) as bigint) - 5n, q));
    expect(wrongShares(group, p.pre, digest, shares)).toEqual([1, 3]);
    expect(() => combine(group, p.pre, p.publicKey, digest, shares)).toThrow('leaf 1 and of leaf 3');
  });

  it('shares of another form are refused: unscaled, halved, doubled, negated, one of the two terms, swapped, another r or digest', () => {
    const p = presign(group, [1, 2], `forms ${curve}`);
    const r = nonceScalar(group, p.pre.gamma);
    const m = digestScalar(group, digest);
    const half = invert(2n, q);
    const { k, chi } = p.secrets.get(1) as { k: bigint; chi: bigint };
    const raw = p.raw.get(1) as { k: bigint; chi: bigint };
    const right = signatureShare(group, k, chi, digest, r);
    expect(checkShare(group, p.pre, digest, 1, right)).toBe(true);
    const { y } = p.pre.gamma.toAffine();
    const forms = {
      unscaled: raw.k * m + r * raw.chi,
      'k unscaled': raw.k * m + r * chi,
      'chi unscaled': k * m + r * raw.chi,
      halved: right * half,
      doubled: right * 2n,
      negated: -right,
      'without r·χ~': k * m,
      'without k~·m': r * chi,
      'k~ and χ~ swapped': chi * m + r * k,
      'y for r': k * m + y * chi,
      'r + 1': k * m + (r + 1n) * chi,
      'another digest': k * (m + 1n) + r * chi,
      'the whole signature': right + signatureShare(group, (p.secrets.get(2) as typeof raw).k, (p.secrets.get(2) as typeof raw).chi, digest, r),
      zero: 0n,
    };
    for (const [name, sigma] of Object.entries(forms)) expect([name, checkShare(group, p.pre, digest, 1, mod(sigma, q))]).toEqual([name, false]);
    // the other signer's share, and residues outside 0..q-1
    expect(checkShare(group, p.pre, digest, 2, right)).toBe(false);
    expect(checkShare(group, p.pre, digest, 1, right + q)).toBe(false);
    expect(checkShare(group, p.pre, digest, 1, right - q)).toBe(false);
  });

  it('a share of 0 is right where it is the share', () => {
    const p = presign(group, [1, 2], `zero ${curve}`);
    const r = nonceScalar(group, p.pre.gamma);
    const { k, chi } = p.secrets.get(1) as { k: bigint; chi: bigint };
    const d = toBytes(mod(-r * chi * invert(k, q), q), 32);
    const shares = sharesOf(group, p, d);
    expect(shares.get(1)).toBe(0n);
    const sig = combine(group, p.pre, p.publicKey, d, shares);
    expectForeign(group, p.publicKey, d, sig);
  });

  it('digests at the edges', () => {
    const edges = [0n, 1n, q - 1n, q, q + 1n, (1n << 256n) - 1n, q / 2n, 1n << 255n];
    for (const n of edges) {
      const p = presign(group, [1, 3], `edge ${curve} ${n.toString(16)}`);
      const d = toBytes(n, 32);
      const sig = combine(group, p.pre, p.publicKey, d, sharesOf(group, p, d));
      expectForeign(group, p.publicKey, d, sig);
      // n and n mod q are one digest to ECDSA
      if (n >= q) expect(verifyDigest(group, p.publicKey, toBytes(n - q, 32), sig)).toBe(true);
      expect(verifyDigest(group, p.publicKey, toBytes(mod(n + 2n, q), 32), sig)).toBe(false);
    }
    expect(digestScalar(group, toBytes(q, 32))).toBe(0n);
    expect(digestScalar(group, toBytes(q + 1n, 32))).toBe(1n);
  });

  it('a digest has 32 bytes, no more and no less', () => {
    const p = presign(group, [1, 2], 'length');
    for (const d of [new Uint8Array(0), new Uint8Array(31), new Uint8Array(33), new Uint8Array(64)]) {
      expect(code(() => checkShare(group, p.pre, d, 1, 1n))).toBe('E_FORMAT');
      expect(code(() => combine(group, p.pre, p.publicKey, d, new Map([[1, 1n], [2, 1n]])))).toBe('E_FORMAT');
      expect(code(() => verifyDigest(group, p.publicKey, d, { r: 1n, s: 1n }))).toBe('E_FORMAT');
      expect(code(() => signatureShare(group, 1n, 1n, d, 1n))).toBe('E_FORMAT');
    }
  });

  it('one share of each signer, and of nobody else', () => {
    const p = presign(group, [1, 2, 3], `who ${curve}`);
    const shares = sharesOf(group, p, digest);
    const without = new Map(shares);
    without.delete(2);
    expect(code(() => combine(group, p.pre, p.publicKey, digest, without))).toBe('E_MISSING');
    expect(code(() => combine(group, p.pre, p.publicKey, digest, new Map()))).toBe('E_MISSING');
    expect(code(() => combine(group, p.pre, p.publicKey, digest, new Map(shares).set(4, 1n)))).toBe('E_NOT_PARTICIPANT');
    expect(code(() => checkShare(group, p.pre, digest, 4, 1n))).toBe('E_NOT_PARTICIPANT');
    // a leaf in one of the two lists only
    const lame = { ...p.pre, chi: new Map([...p.pre.chi].slice(1)) };
    expect(code(() => checkShare(group, lame, digest, 1, 1n))).toBe('E_NOT_PARTICIPANT');
  });

  it('the public parts belong to the key', () => {
    const p = presign(group, [1, 2, 3], `public ${curve}`);
    const pre = p.pre;
    const moved = (map: ReadonlyMap<number, Point>, by: Point): Map<number, Point> => new Map(map).set(2, (map.get(2) as Point).add(by));
    const renamed = (map: ReadonlyMap<number, Point>): Map<number, Point> => new Map([...map].map(([leaf, P]) => [leaf === 3 ? 4 : leaf, P]));
    expect(code(() => checkPublic(group, pre, p.publicKey))).toBe('passed');
    expect(code(() => checkPublic(group, { ...pre, delta: moved(pre.delta, group.base) }, p.publicKey))).toBe('E_SUM');
    expect(code(() => checkPublic(group, { ...pre, chi: moved(pre.chi, group.base) }, p.publicKey))).toBe('E_SUM');
    expect(code(() => checkPublic(group, pre, p.publicKey.add(group.base)))).toBe('E_SUM');
    expect(code(() => checkPublic(group, pre, p.publicKey.negate()))).toBe('E_SUM');
    expect(code(() => checkPublic(group, { ...pre, delta: pre.chi, chi: pre.delta }, p.publicKey))).toBe('E_SUM');
    expect(code(() => checkPublic(group, { ...pre, chi: renamed(pre.chi) }, p.publicKey))).toBe('E_SUM');
    expect(code(() => checkPublic(group, { ...pre, chi: new Map([...pre.chi, [4, group.identity]]) }, p.publicKey))).toBe('E_SUM');
    expect(code(() => checkPublic(group, { ...pre, delta: new Map(), chi: new Map() }, p.publicKey))).toBe('E_SUM');
    expect(code(() => checkPublic(group, { ...pre, gamma: group.identity }, p.publicKey))).toBe('E_POINT');
  });

  it('under another key right shares blame nobody', () => {
    const p = presign(group, [1, 2], `other ${curve}`);
    const shares = sharesOf(group, p, digest);
    expect(code(() => combine(group, p.pre, p.publicKey.double(), digest, shares))).toBe('E_SUM');
  });

  it('s = 0 is degenerate', () => {
    const p = presign(group, [1, 2], `s0 ${curve}`);
    const d = toBytes(mod(-nonceScalar(group, p.pre.gamma) * p.x, q), 32);
    expect(code(() => combine(group, p.pre, p.publicKey, d, sharesOf(group, p, d)))).toBe('E_DEGENERATE');
  });

  it('the identity is no nonce point', () => {
    const p = presign(group, [1, 2], 'identity');
    const pre = { ...p.pre, gamma: group.identity };
    expect(code(() => nonceScalar(group, group.identity))).toBe('E_POINT');
    expect(code(() => combine(group, pre, p.publicKey, digest, new Map([[1, 0n], [2, 0n]])))).toBe('E_POINT');
  });

  it('nonce points at the edges: x not below q, r small, r just below q', () => {
    const p = group.Point.Fp.ORDER;
    const over = firstPoint(group, p - 1n, -1n);
    expect(over.x).toBeGreaterThan(q);
    const low = firstPoint(group, q + 1n, 1n);
    const cases = [over, low, firstPoint(group, 1n, 1n), firstPoint(group, q - 1n, -1n)];
    const seen = new Set<number>();
    for (const { x, point } of cases)
      for (const gamma of [point, point.negate()])
        for (const seed of ['a', 'b', 'c']) {
          const { pre, publicKey, shares } = around(group, gamma, digest, `${seed} ${x.toString(16)}`);
          expect(code(() => checkPublic(group, pre, publicKey))).toBe('passed');
          const sig = combine(group, pre, publicKey, digest, shares);
          expect(sig.r).toBe(x % q);
          expect(sig.recoveryId >> 1).toBe(x >= q ? 1 : 0);
          expectForeign(group, publicKey, digest, sig);
          seen.add(sig.recoveryId);
        }
    expect([...seen].sort()).toEqual([0, 1, 2, 3]);
  });

  it('verifyDigest refuses what is out of range, high s, and the identity as key', () => {
    const p = presign(group, [1, 2], `range ${curve}`);
    const sig = combine(group, p.pre, p.publicKey, digest, sharesOf(group, p, digest));
    const { r, s } = sig;
    expect(verifyDigest(group, p.publicKey, digest, { r, s })).toBe(true);
    for (const bad of [{ r, s: q - s }, { r, s: s + q }, { r: r + q, s }, { r, s: 0n }, { r: 0n, s }, { r: -r, s }, { r, s: -s }, { r: q, s }, { r, s: q }, { r: 1n << 300n, s }, { r: s, s: r }, { r, s: s - 1n }, { r: r - 1n, s }])
      expect(verifyDigest(group, p.publicKey, digest, bad)).toBe(false);
    expect(verifyDigest(group, group.identity, digest, sig)).toBe(false);
  });

  it('the maker refuses secrets out of range', () => {
    for (const [k, chi, r] of [[0n, 1n, 1n], [q, 1n, 1n], [-1n, 1n, 1n], [1n, q, 1n], [1n, -1n, 1n], [1n, 1n, 0n], [1n, 1n, q]] as const)
      expect(code(() => signatureShare(group, k, chi, digest, r))).toBe('E_INTERNAL');
    expect(signatureShare(group, 1n, 0n, digest, 1n)).toBe(digestScalar(group, digest));
  });

  describe('DER', () => {
    const INT = (hex: string): string => `02${(hex.length / 2).toString(16).padStart(2, '0')}${hex}`;
    const SEQ = (...parts: string[]): string => `30${(parts.join('').length / 2).toString(16).padStart(2, '0')}${parts.join('')}`;
    const top = toHex(toBytes(q - 1n, 32)); // its top bit is set

    it('is what OpenSSL makes and reads back', () => {
      const pick = [1n, 0x7fn, 0x80n, 0xffn, 0x100n, 0x7fffn, 0x8000n, 1n << 247n, 1n << 248n, (1n << 255n) - 1n, q / 2n, q - 1n];
      for (const r of pick)
        for (const s of pick) {
          const der = derEncode(r, s);
          expect(derDecode(group, der)).toEqual({ r, s });
          expect(der.length).toBeLessThanOrEqual(72);
        }
      // the shortest and the longest
      expect(toHex(derEncode(1n, 1n))).toBe('3006020101020101');
      expect(toHex(derEncode(q - 1n, q - 1n))).toBe(SEQ(INT(`00${top}`), INT(`00${top}`)));
      const asn1 = execFileSync('openssl', ['asn1parse', '-inform', 'DER'], { input: derEncode(q - 1n, 0x80n) }).toString();
      expect(asn1).toContain(top.toUpperCase());
      expect(asn1).toMatch(/INTEGER\s+:80\n/);
    });

    const good = SEQ(INT('01'), INT('7f'));
    it.each([
      ['empty', ''],
      ['only a tag', '30'],
      ['an empty sequence', '3000'],
      ['one integer', SEQ(INT('01'))],
      ['three integers', SEQ(INT('01'), INT('7f'), INT('01'))],
      ['bytes after the end', `${good}00`],
      ['bytes after the end, counted', SEQ(INT('01'), INT('7f'), '0000')],
      ['NULL appended inside', SEQ(INT('01'), INT('7f'), '0500')],
      ['cut short', good.slice(0, -2)],
      ['length one too large', `3007${good.slice(4)}`],
      ['length one too small', `3005${good.slice(4)}`],
      ['long form of the sequence length', `308106${good.slice(4)}`],
      ['longer form of the sequence length', `30820006${good.slice(4)}`],
      ['indefinite length', `3080${good.slice(4)}0000`],
      ['reserved length', `30ff${good.slice(4)}`],
      ['a set', `31${good.slice(2)}`],
      ['the primitive tag', `10${good.slice(2)}`],
      ['long form of the length of r', SEQ('02810101', INT('7f'))],
      ['r is an octet string', SEQ('040101', INT('7f'))],
      ['s is an enumerated', SEQ(INT('01'), '0a017f')],
      ['r without contents', SEQ('0200', INT('7f'))],
      ['s without contents', SEQ(INT('01'), '0200')],
      ['r padded with a zero byte', SEQ(INT('0001'), INT('7f'))],
      ['s padded with a zero byte', SEQ(INT('01'), INT('007f'))],
      ['s padded with many', SEQ(INT('01'), INT('0000000000007f'))],
      ['r negative', SEQ(INT('81'), INT('7f'))],
      ['s negative', SEQ(INT('01'), INT('ff'))],
      ['r negative for want of a zero byte', SEQ(INT(top), INT('7f'))],
      ['s minimal negative', SEQ(INT('01'), INT('80'))],
      ['padded with ff', SEQ(INT('01'), INT('ff81'))],
      ['r = 0', SEQ(INT('00'), INT('7f'))],
      ['s = 0', SEQ(INT('01'), INT('00'))],
      ['r = q', SEQ(INT(`00${toHex(toBytes(q, 32))}`), INT('7f'))],
      ['s = q', SEQ(INT('01'), INT(`00${toHex(toBytes(q, 32))}`))],
      ['r + q', SEQ(INT(`01${toHex(toBytes((q + 1n) & ((1n << 256n) - 1n), 32))}`), INT('7f'))],
      ['r of 34 bytes', SEQ(INT(`01${'00'.repeat(33)}`), INT('7f'))],
      ['s longer than everything', SEQ(INT('01'), '027f01')],
      ['r reaches over s', SEQ('020401', INT('7f'))],
      ['compact instead', '01'.repeat(64)],
    ])('refuses %s', (_, hex) => {
      expect(code(() => derDecode(group, fromHex(hex)))).toBe('E_FORMAT');
    });
    it('reads the neighbour of all these', () => {
      expect(derDecode(group, fromHex(good))).toEqual({ r: 1n, s: 0x7fn });
      expect(derDecode(group, fromHex(SEQ(INT(`00${top}`), INT('0080'))))).toEqual({ r: q - 1n, s: 0x80n });
    });
    it('refuses every flip of a byte or reads another signature', () => {
      const p = presign(group, [1, 2], `flip ${curve}`);
      const sig = combine(group, p.pre, p.publicKey, digest, sharesOf(group, p, digest));
      const der = derEncode(sig.r, sig.s);
      for (let i = 0; i < der.length; i++)
        for (const mask of [1, 0x80, 0xff]) {
          const flipped = der.slice();
          flipped[i] = (flipped[i] as number) ^ mask;
          let read: { r: bigint; s: bigint };
          try {
            read = derDecode(group, flipped);
          } catch (error) {
            expect((error as CeremonyError).code).toBe('E_FORMAT');
            continue;
          }
          expect(verifyDigest(group, p.publicKey, digest, read)).toBe(false);
          expect(toHex(derEncode(read.r, read.s))).toBe(toHex(flipped));
        }
    });
  });
});

describe('P-256 alone', () => {
  const group = groupOf('p256');
  it('has a point with x = 0: r = 0 is degenerate', () => {
    const gamma = lift(group, 0n) as Point;
    expect(gamma.toAffine().x).toBe(0n);
    expect(code(() => nonceScalar(group, gamma))).toBe('E_DEGENERATE');
    const pre = { gamma, delta: new Map([[1, group.base]]), chi: new Map([[1, group.base]]) };
    expect(code(() => checkShare(group, pre, new Uint8Array(32), 1, 1n))).toBe('E_DEGENERATE');
    expect(code(() => combine(group, pre, group.base, new Uint8Array(32), new Map([[1, 1n]])))).toBe('E_DEGENERATE');
  });
  it('secp256k1 has none', () => {
    expect(lift(groupOf('secp256k1'), 0n)).toBeUndefined();
  });
});

describe('secp256k1 alone', () => {
  const group = groupOf('secp256k1');
  it('Ethereum recovers the address of the key from a keccak256 signature', () => {
    for (let i = 0; i < 20; i++) {
      const p = presign(group, [1, 2, 3].slice(0, 2 + (i % 2)), `ethereum ${String(i)}`);
      const d = messageDigest('keccak256', utf8(`message ${String(i)}`));
      expectForeign(group, p.publicKey, d, combine(group, p.pre, p.publicKey, d, sharesOf(group, p, d)));
    }
  });
});

describe('pure parts', () => {
  it('nonceBits: parity of y and overflow of x', () => {
    expect(nonceBits(101n, 7n, 4n)).toEqual({ r: 7n, id: 0 });
    expect(nonceBits(101n, 7n, 5n)).toEqual({ r: 7n, id: 1 });
    expect(nonceBits(101n, 100n, 4n)).toEqual({ r: 100n, id: 0 });
    expect(nonceBits(101n, 101n, 4n)).toEqual({ r: 0n, id: 2 });
    expect(nonceBits(101n, 103n, 4n)).toEqual({ r: 2n, id: 2 });
    expect(nonceBits(101n, 103n, 5n)).toEqual({ r: 2n, id: 3 });
  });
  it('lowS: flips s and bit 0 above the half, and nothing below it', () => {
    for (const id of [0, 1, 2, 3]) {
      expect(lowS(101n, 1n, id)).toEqual({ s: 1n, recoveryId: id });
      expect(lowS(101n, 50n, id)).toEqual({ s: 50n, recoveryId: id });
      expect(lowS(101n, 51n, id)).toEqual({ s: 50n, recoveryId: id ^ 1 });
      expect(lowS(101n, 100n, id)).toEqual({ s: 1n, recoveryId: id ^ 1 });
    }
  });
  it('compact has a fixed width', () => {
    expect(toHex(compact(1n, 2n))).toBe(`${'00'.repeat(31)}01${'00'.repeat(31)}02`);
    expect(code(() => compact(-1n, 1n))).toBe('E_INTERNAL');
    expect(code(() => compact(1n, 1n << 256n))).toBe('E_INTERNAL');
    expect(code(() => derEncode(1n << 256n, 1n))).toBe('E_INTERNAL');
  });
  it('there is no ECDSA over other groups', () => {
    const g = groupOf('ristretto255');
    expect(code(() => verifyDigest(g, g.base, new Uint8Array(32), { r: 1n, s: 1n }))).toBe('E_SCHEME');
  });
  it('a digest reads big-endian', () => {
    const d = createHash('sha256').update('x').digest();
    expect(digestScalar(groupOf('secp256k1'), d)).toBe(fromBytes(d) % groupOf('secp256k1').order);
    expect(digestScalar(groupOf('secp256k1'), toBytes(5n, 32))).toBe(5n);
  });
});
