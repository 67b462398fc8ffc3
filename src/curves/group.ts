/**
 * curves/ holds the prime-order groups that keys live in, with strict decoding of everything that comes from outside.
 * No protocol, no randomness of its own, no file belongs here. The arithmetic is that of @noble/curves.
 *
 * Scalars are bigints: the language can neither overwrite nor forget them on demand. What must be erased is kept as
 * bytes at rest and becomes a bigint only for the length of a computation.
 */
import { ECDH } from 'node:crypto';
import type { CurvePoint, CurvePointCons } from '@noble/curves/abstract/curve.js';
import { mulAddUnsafe } from '@noble/curves/abstract/curve.js';
import { ed25519, ristretto255 } from '@noble/curves/ed25519.js';
import { ed448 } from '@noble/curves/ed448.js';
import { p256 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { concat, equalBytes, toHex } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { wideDigest, type Item } from '../wire/hash.ts';
import type { Random } from '../wire/random.ts';

export type GroupName = 'ed25519' | 'ristretto255' | 'ed448' | 'secp256k1' | 'p256';

/** An element of one of the groups; elements of different groups must not be mixed (noble throws). */
export interface Point extends CurvePoint<bigint, Point> {}

export interface Group {
  readonly name: GroupName;
  /** The prime order q. */
  readonly order: bigint;
  /** Bytes of an encoded point. */
  readonly pointBytes: number;
  /** Bytes of an encoded scalar. */
  readonly scalarBytes: number;
  /** Uniform bytes that {@link Group.wideScalar} reduces: at least 128 bits more than the order. */
  readonly wideBytes: number;
  /** noble's constructor of the group's points. */
  readonly Point: CurvePointCons<Point>;
  readonly base: Point;
  readonly identity: Point;
  /** Canonical compressed encoding of a public point. @throws E_INTERNAL for the identity, which no format can say */
  encodePoint(point: Point): Uint8Array;
  /** Canonical, on the curve, of prime order, not the identity. @throws E_POINT */
  decodePoint(bytes: Uint8Array): Point;
  /**
   * As {@link Group.decodePoint} without the subgroup check of the curves with a cofactor.
   * The caller must check {@link Group.inSubgroup} on this point or on a sum that contains it. @throws E_POINT
   */
  decodePointFast(bytes: Uint8Array): Point;
  /** Whether the point has no small-order part; always true where the cofactor is 1. */
  inSubgroup(point: Point): boolean;
  /** The suite's own byte order (RFC 9591 section 6). Secret in, secret out. @throws E_INTERNAL outside 0..q-1 */
  encodeScalar(scalar: bigint): Uint8Array;
  /** Canonical 0..q-1. Secret in, secret out. @throws E_SCALAR */
  decodeScalar(bytes: Uint8Array): bigint;
  /** Reduces {@link Group.wideBytes} uniform bytes, read big-endian, modulo q. @throws E_INTERNAL on another length */
  wideScalar(bytes: Uint8Array): bigint;
  /** Uniform in 1..q-1 up to 2^-128; secret. @throws E_RNG when the source gives another length than asked */
  randomScalar(random: Random): bigint;
  /** Multiplication by a secret scalar on noble's constant-time path. @throws E_INTERNAL for 0 or out of range */
  multiply(point: Point, secret: bigint): Point;
  /** Variable-time multiplication: public scalars only; 0 is allowed. */
  multiplyPublic(point: Point, scalar: bigint): Point;
  sum(points: Iterable<Point>): Point;
  /** The sum of scalar·point, variable time: public values only. */
  msm(points: readonly Point[], scalars: readonly bigint[]): Point;
}

interface Curve {
  readonly Point: CurvePointCons<Point>;
  readonly pointBytes: number;
  readonly cofactor: boolean;
  readonly wideBytes: number;
  /** OpenSSL's name of a curve whose points are x with the parity of y. */
  readonly compressed?: string;
}

// one wide hash block is 64 bytes; the order of ed448 (446 bits) needs two
const CURVES: Readonly<Record<GroupName, Curve>> = {
  ed25519: { Point: ed25519.Point, pointBytes: 32, cofactor: true, wideBytes: 64 },
  ristretto255: { Point: ristretto255.Point, pointBytes: 32, cofactor: false, wideBytes: 64 },
  ed448: { Point: ed448.Point, pointBytes: 57, cofactor: true, wideBytes: 128 },
  secp256k1: { Point: secp256k1.Point, pointBytes: 33, cofactor: false, wideBytes: 64, compressed: 'secp256k1' },
  p256: { Point: p256.Point, pointBytes: 33, cofactor: false, wideBytes: 64, compressed: 'prime256v1' },
};

/**
 * Reads x with the parity of y. The square root, most of the cost, is taken by OpenSSL. It is a hint and no verdict: x
 * and the parity must be those that were sent, noble checks the equation of the curve, and where OpenSSL gives nothing
 * or something wrong, noble decides alone.
 * @throws whatever noble throws for bytes that are no point
 */
function readCompressed(Point: CurvePointCons<Point>, curve: string, bytes: Uint8Array): Point {
  try {
    const full = new Uint8Array(ECDH.convertKey(bytes, curve, undefined, undefined, 'uncompressed') as Buffer);
    const sameX = full.length === 65 && equalBytes(full.subarray(1, 33), bytes.subarray(1));
    if (sameX && bytes[0] === 2 + ((full[64] as number) & 1)) return Point.fromBytes(full);
  } catch {
    // no hint, or a wrong one
  }
  return Point.fromBytes(bytes);
}

function create(name: GroupName): Group {
  const { Point, pointBytes, cofactor, wideBytes, compressed } = CURVES[name];
  const { Fn, BASE: base, ZERO: identity } = Point;
  const order = Fn.ORDER;

  const decodePointFast = (bytes: Uint8Array): Point => {
    // the length first: noble would also read the uncompressed form
    if (bytes.length !== pointBytes) fail('E_POINT', `a point of ${name} has ${String(pointBytes)} bytes`);
    let point: Point;
    try {
      point = compressed === undefined ? Point.fromBytes(bytes) : readCompressed(Point, compressed, bytes);
    } catch (cause) {
      throw new CeremonyError('E_POINT', `not a canonical point of ${name}`, { cause });
    }
    if (point.is0()) fail('E_POINT', 'the point is the identity');
    return point;
  };
  const inSubgroup = (point: Point): boolean => !cofactor || point.isTorsionFree();
  const wideScalar = (bytes: Uint8Array): bigint => {
    if (bytes.length !== wideBytes) fail('E_INTERNAL', `a scalar of ${name} is reduced from ${String(wideBytes)} bytes`);
    return BigInt(`0x${toHex(bytes)}`) % order;
  };

  return {
    name,
    order,
    pointBytes,
    scalarBytes: Fn.BYTES,
    wideBytes,
    Point,
    base,
    identity,
    encodePoint: (point) => {
      if (point.is0()) fail('E_INTERNAL', 'the identity has no encoding');
      return point.toBytes();
    },
    decodePoint: (bytes) => {
      const point = decodePointFast(bytes);
      if (!inSubgroup(point)) fail('E_POINT', 'the point is not of prime order');
      return point;
    },
    decodePointFast,
    inSubgroup,
    encodeScalar: (scalar) => {
      if (scalar < 0n || scalar >= order) fail('E_INTERNAL', 'scalar out of range');
      return Fn.toBytes(scalar);
    },
    decodeScalar: (bytes) => {
      if (bytes.length !== Fn.BYTES) fail('E_SCALAR', `a scalar of ${name} has ${String(Fn.BYTES)} bytes`);
      try {
        return Fn.fromBytes(bytes);
      } catch {
        // noble's text may quote the number, which may be a secret
        return fail('E_SCALAR', `not a canonical scalar of ${name}`);
      }
    },
    wideScalar,
    randomScalar: (random) => {
      const bytes = random(wideBytes);
      if (bytes.length !== wideBytes) fail('E_RNG', 'the random source gave another number of bytes');
      const wide = BigInt(`0x${toHex(bytes)}`);
      bytes.fill(0);
      return (wide % (order - 1n)) + 1n;
    },
    multiply: (point, secret) => {
      if (secret <= 0n || secret >= order) fail('E_INTERNAL', 'secret scalar out of range');
      return point.multiply(secret);
    },
    multiplyPublic: (point, scalar) => point.multiplyUnsafe(scalar),
    sum: (points) => {
      let total = identity;
      for (const p of points) total = total.add(p);
      return total;
    },
    msm: (points, scalars) => mulAddUnsafe(Point, [...points], [...scalars]),
  };
}

const groups = new Map<GroupName, Group>();

/** The group of that name, made at first use. */
export function group(name: GroupName): Group {
  let made = groups.get(name);
  if (made === undefined) {
    made = create(name);
    groups.set(name, made);
  }
  return made;
}

/**
 * A scalar of the group from a tag and items: 64-byte digests, each with its number and the group's name, joined and
 * reduced. Uniform up to 2^-128; 0 is possible. Secret exactly if an item is.
 */
export function hashToScalar(g: Group, tag: string, ...items: readonly Item[]): bigint {
  const blocks = Array.from({ length: g.wideBytes / 64 }, (_, i) => wideDigest(tag, i, g.name, ...items));
  return g.wideScalar(concat(...blocks));
}
