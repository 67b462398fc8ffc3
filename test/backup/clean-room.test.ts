/**
 * A reader of backup files that knows the written format and nothing of this project: JSON, SHA-2, curves and X25519 of
 * @noble/curves. It verifies the proofs, opens them, and recombines custodians' pieces, for flat quorums.
 */
import { createHash } from 'node:crypto';
import { x25519 } from '@noble/curves/ed25519.js';
import { ed448 } from '@noble/curves/ed448.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/wire/bytes.ts';
import { backupOf, keeper, makeKey, toOne, toQuorum } from './support.ts';

const CURVES = { 'frost-secp256k1': { name: 'secp256k1', Point: secp256k1.Point, blocks: 1 }, 'frost-ed448': { name: 'ed448', Point: ed448.Point, blocks: 2 } } as const;
type Item = Uint8Array | string | number | Item[];

const sha = (algorithm: string, ...parts: Uint8Array[]): Buffer => parts.reduce((h, p) => h.update(p), createHash(algorithm)).digest();
function write(item: Item): Buffer {
  const head = (type: number, n: number): Buffer => {
    const b = Buffer.alloc(5, type);
    b.writeUInt32BE(n, 1);
    return b;
  };
  if (Array.isArray(item)) return Buffer.concat([head(4, item.length), ...item.map(write)]);
  if (typeof item === 'number') return Buffer.concat([head(3, 4), head(0, item).subarray(1)]);
  const bytes = Buffer.from(item as string);
  return Buffer.concat([head(typeof item === 'string' ? 2 : 1, bytes.length), bytes]);
}
const H = (tag: string, ...items: Item[]): Buffer => sha('sha256', write([`mpc-ceremony/${tag}`, ...items]));
const W = (tag: string, ...items: Item[]): Buffer => sha('sha512', write([`mpc-ceremony/${tag}`, ...items]));
const tagged = (tag: string, text: string): Buffer => {
  const t = sha('sha256', Buffer.from(`mpc-ceremony/${tag}`));
  return sha('sha256', t, t, Buffer.from(text));
};
/** Canonical JSON. */
const canon = (v: unknown): string =>
  Array.isArray(v) ? `[${v.map(canon).join(',')}]` : typeof v === 'object' && v !== null ? `{${Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, x]) => `${JSON.stringify(k)}:${canon(x)}`).join(',')}}` : JSON.stringify(v);

interface Entry {
  name?: string;
  key: string;
  proof: string;
}
interface File {
  [field: string]: unknown;
  certificate: string;
  owner: string;
  leaf: { id: number; label: string };
  recipients?: Entry[];
  custodians?: { quorum: string; tree: string; roster: Entry[] };
}

/** Verifies the proof of one entry and opens it. */
function read(file: File, index: number, secret: Uint8Array): { readonly x: bigint; readonly challengeFits: boolean } {
  const { epoch } = JSON.parse(Buffer.from(file.certificate, 'base64').toString()) as { epoch: { key: { id: string; scheme: keyof typeof CURVES; mode: string }; number: number; publicKey: string; quorum: string; tree: string } };
  const { name: group, Point, blocks } = CURVES[epoch.key.scheme];
  type P = typeof Point.BASE;
  const q = Point.Fn.ORDER;
  const n = Point.Fn.BYTES;
  const mod = (a: bigint): bigint => ((a % q) + q) % q;
  const point = (bytes: Uint8Array): P => Point.fromBytes(bytes) as P;
  // a flat tree: C_0 + i·C_1 + i²·C_2 …
  const leafPoint = (tree: Buffer, i: number): P => {
    const size = Point.BASE.toBytes().length;
    let sum = Point.ZERO as P;
    for (let k = tree.length / size - 1; k >= 0; k--) sum = (sum as never as { multiplyUnsafe(s: bigint): { add(p: P): P } }).multiplyUnsafe(BigInt(i)).add(point(tree.subarray(k * size, (k + 1) * size)));
    return sum;
  };
  const X = leafPoint(Buffer.from(epoch.tree, 'hex'), file.leaf.id);
  const dealt = file.custodians;
  const entry = (dealt?.roster ?? file.recipients ?? [])[index] as Entry;
  const tree = dealt ? Buffer.from(dealt.tree, 'hex') : Buffer.alloc(0);
  const about = dealt ? leafPoint(tree, index + 1) : X;
  const publicShare = Buffer.from(X.toBytes()).toString('hex');
  const ctx = tagged(
    'backup/context/v1',
    canon({
      v: 1, sid: file['sid'], mode: epoch.key.mode, key: epoch.key.id, scheme: epoch.key.scheme, curve: group, publicKey: epoch.publicKey, epoch: epoch.number,
      certificate: tagged('epoch/v1', canon(epoch)).toString('hex'), owner: file.owner, leaf: file.leaf, publicShare, quorum: tagged('backup/quorum/v1', epoch.quorum).toString('hex'),
      custodians: dealt ? tagged('backup/quorum/v1', dealt.quorum).toString('hex') : '', custodian: dealt ? { id: index + 1, label: String(index + 1) } : { id: 0, label: '' },
      name: entry.name ?? '', recipient: entry.key, constant: publicShare, tree: dealt ? H('tree/v1', group, dealt.quorum, tree).toString('hex') : '',
    }),
  );
  const recipient = Buffer.from(entry.key, 'hex');
  const S = (tag: string, ...items: Item[]): bigint => mod(BigInt(`0x${Buffer.concat(Array.from({ length: blocks }, (_, i) => W(tag, i, group, ...items))).toString('hex')}`));
  const scalar = (bytes: Uint8Array): bigint => Point.Fn.fromBytes(bytes);

  const proof = Buffer.from(entry.proof, 'base64');
  const challenge = proof.subarray(0, 32);
  const points: Uint8Array[] = [];
  const sides: Uint8Array[] = [];
  let x = 0n;
  for (let i = 0; i < 128; i++) {
    const row = proof.subarray(32 + i * (48 + 2 * n), 32 + (i + 1) * (48 + 2 * n));
    const [E, c, opened, seed] = [row.subarray(0, 32), row.subarray(32, 32 + n), row.subarray(32 + n, 32 + 2 * n), row.subarray(32 + 2 * n)];
    const bit = ((challenge[i >> 3] as number) >> (i & 7)) & 1;
    const r = H('backup/ephemeral/v1', ctx, i, bit, seed);
    const again = x25519.getPublicKey(r);
    const mask = S('backup/mask/v1', ctx, i, bit, recipient, again, x25519.getSharedSecret(r, recipient));
    const openedSide = Buffer.concat([again, Point.Fn.toBytes(mod(scalar(opened) + mask))]);
    const keptSide = Buffer.concat([E, c]);
    sides.push(...(bit === 0 ? [openedSide, keptSide] : [keptSide, openedSide]));
    const own = (Point.BASE as P).multiply(scalar(opened) as never) as P;
    points.push((bit === 0 ? own : (about as never as { subtract(p: P): P }).subtract(own)).toBytes());
    if (x === 0n) {
      const candidate = mod(scalar(c) - S('backup/mask/v1', ctx, i, 1 - bit, recipient, E, x25519.getSharedSecret(secret, E)) + scalar(opened));
      if (candidate !== 0n && toHex((Point.BASE as P).multiply(candidate as never).toBytes()) === toHex(about.toBytes())) x = candidate;
    }
  }
  return { x, challengeFits: H('backup/challenge/v1', ctx, group, about.toBytes(), recipient, Buffer.concat(points), Buffer.concat(sides)).equals(challenge) };
}

describe.each(['frost-secp256k1', 'frost-ed448'] as const)('%s', (scheme) => {
  const key = makeKey(scheme, '2-of(alice, bob, carol)');
  const { Point } = CURVES[scheme];
  const share = toHex(key.shares.get('carol') as Uint8Array);
  const parse = (bytes: Uint8Array): File => JSON.parse(Buffer.from(bytes).toString()) as File;
  it('a single recipient: verified and opened from the description', () => {
    const c1 = keeper('c1');
    const { x, challengeFits } = read(parse(backupOf(key, 'carol', toOne(c1)).backup.bytes), 0, c1.secret);
    expect(challengeFits).toBe(true);
    expect(toHex(Point.Fn.toBytes(x))).toBe(share);
  });
  it('custodians: two of three pieces make the share', () => {
    const keepers = ['c1', 'c2', 'c3'].map(keeper);
    const file = parse(backupOf(key, 'carol', toQuorum('2-of(c1, c2, c3)', keepers)).backup.bytes);
    const [first, third] = [0, 2].map((i) => read(file, i, (keepers[i] as { secret: Uint8Array }).secret)) as [ReturnType<typeof read>, ReturnType<typeof read>];
    expect([first.challengeFits, third.challengeFits]).toEqual([true, true]);
    // weights of leaves 1 and 3: 3/(3−1) and 1/(1−3)
    const half = Point.Fn.inv(2n as never) as bigint;
    const q = Point.Fn.ORDER;
    expect(toHex(Point.Fn.toBytes((((3n * half * first.x - half * third.x) % q) + q) % q))).toBe(share);
  });
});
