/**
 * A threshold key of another implementation: what is public about it, its check, and the weights with which its shares
 * make the key. Everything here is public but the contents of {@link ForeignShare}, which is only declared here.
 */
import { invert } from '@noble/curves/abstract/modular.js';
import { group as groupOf, type Group, hashToScalar, type Point } from '../curves/group.ts';
import { type SchemeName, SCHEMES } from '../curves/scheme.ts';
import type { Quorum } from '../sharing/expression.ts';
import { concat, equalBytes, fromHex, toHex } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { inField } from './foreign-json.ts';
import { type ForeignKeyRecord, MAX_HOLDERS } from './foreign-record.ts';

/** Public facts of a threshold key of another implementation, or of a whole key (`key`: one share, which is the key). */
export interface ForeignKey {
  readonly format: 'key' | 'zf-frost' | 'lockness';
  readonly scheme: SchemeName;
  /** Encoded point of the group; for Taproot as the other implementation holds it, of either parity. */
  readonly publicKey: Uint8Array;
  /** How many shares make the key: 1 for `key`, else 2 or more. */
  readonly minSigners: number;
  /** BIP-32 chain code, 32 bytes, where the format and the key have one. */
  readonly chainCode?: Uint8Array;
  /** The holders: x-coordinate as an encoded scalar, and encoded public share. */
  readonly shares: readonly { readonly identifier: Uint8Array; readonly point: Uint8Array }[];
}

/** One holder's share. Secret. */
export interface ForeignShare {
  readonly key: ForeignKey;
  /** Encoded scalar, one of the key's; public. */
  readonly identifier: Uint8Array;
  /** Encoded scalar. Secret; the caller overwrites it after use. */
  readonly share: Uint8Array;
}

/** Reads an x-coordinate. @throws E_SCALAR also for 0 */
function identifierScalar(group: Group, bytes: Uint8Array): bigint {
  const x = group.decodeScalar(bytes);
  if (x === 0n) fail('E_SCALAR', 'an identifier is 0, the place of the key itself');
  return x;
}

const mod = (n: bigint, q: bigint): bigint => ((n % q) + q) % q;

/** Whether the points at these places lie on one polynomial of degree below `terms`, up to 2^-128. */
function fits(group: Group, xs: readonly bigint[], ys: readonly Point[], terms: number): boolean {
  const free = xs.length - terms;
  if (free <= 0) return true;
  const q = group.order;
  // Σ v·m(x)·y = 0 for every m of degree below `free`, with v = 1/Π(x−x′): the dual of the Reed–Solomon code (SCRAPE,
  // Cascudo and David 2017, section 2.1); m is fixed by a hash of all the points
  const seed = concat(...xs.map((x) => group.encodeScalar(x)), ...ys.map((y) => group.encodePoint(y)));
  const m = Array.from({ length: free }, (_, k) => hashToScalar(group, 'interop/degree/v1', seed, terms, k));
  const weights = xs.map((x) => {
    const below = xs.reduce((product, other) => (other === x ? product : mod(product * (x - other), q)), 1n);
    const value = m.reduceRight((sum, c) => (sum * x + c) % q, 0n);
    return (value * invert(below, q)) % q;
  });
  return group.msm(ys, weights).is0();
}

/** What does not fit, if one thing alone explains it: the public key or one public share. */
function odd(group: Group, key: ForeignKey, xs: readonly bigint[], ys: readonly Point[]): string | undefined {
  if (xs.length - 1 <= key.minSigners) return undefined;
  const without = xs.flatMap((_, i) => (fits(group, xs.toSpliced(i, 1), ys.toSpliced(i, 1), key.minSigners) ? [i] : []));
  if (without.length !== 1) return undefined;
  const [i] = without as [number];
  const share = key.shares[i - 1];
  return share === undefined ? 'publicKey' : `shares.${toHex(share.identifier)}`;
}

/**
 * Checks public facts: canonical encodings, sizes, distinct identifiers that are not 0, and that the public key and all
 * public shares lie on one polynomial of degree exactly minSigners−1.
 * @returns the same facts
 * @throws E_POINT or E_SCALAR with the field; E_FORMAT when a number is out of range; E_SCHEME when format and scheme do
 *   not go together; E_FOREIGN when public key, public shares and threshold do not belong together, naming the one
 *   that is wrong by its identifier where that can be told
 */
export function checkForeignKey(key: ForeignKey): ForeignKey {
  const scheme = SCHEMES[key.scheme];
  const group = groupOf(scheme.group);
  const { shares, minSigners, format } = key;
  if (format !== 'key' && scheme.protocol !== (format === 'lockness' ? 'cggmp24' : 'frost'))
    fail('E_SCHEME', `${format} has no keys of ${key.scheme}`, { field: 'scheme' });
  if (key.chainCode !== undefined && key.chainCode.length !== 32) fail('E_FORMAT', 'a chain code has 32 bytes', { field: 'chainCode' });
  const publicKey = inField('publicKey', () => group.decodePoint(key.publicKey));
  const points = shares.map((s) => inField(`shares.${toHex(s.identifier)}`, () => group.decodePoint(s.point)));
  const xs = shares.map((s) => inField('identifier', () => identifierScalar(group, s.identifier)));
  if (format === 'key') {
    if (minSigners !== 1 || shares.length !== 1) fail('E_FORMAT', 'a whole key has one holder');
    if (!points.every((p) => p.equals(publicKey))) fail('E_FOREIGN', 'the share of a whole key is another key', { field: 'publicKey' });
    return key;
  }
  if (shares.length < 2 || shares.length > MAX_HOLDERS)
    fail('E_FORMAT', `the key has ${String(shares.length)} holders; 2 to ${String(MAX_HOLDERS)} are accepted`, { field: 'shares' });
  if (!Number.isInteger(minSigners) || minSigners < 2 || minSigners > shares.length)
    fail('E_FORMAT', `the threshold is not a number from 2 to the number of holders, ${String(shares.length)}`, { field: 'minSigners' });
  if (new Set(xs).size !== xs.length) fail('E_FORMAT', 'two holders have the same identifier', { field: 'shares' });
  const all = [publicKey, ...points];
  const places = [0n, ...xs];
  if (!fits(group, places, all, minSigners)) {
    const field = odd(group, key, places, all);
    if (field === 'publicKey') fail('E_FOREIGN', 'the public key is not the one that the public shares give', { field });
    if (field !== undefined) fail('E_FOREIGN', `the public share of ${field.slice('shares.'.length)} does not belong to this key`, { field });
    fail('E_FOREIGN', `public key and public shares are not those of one key with threshold ${String(minSigners)}`);
  }
  // were the highest coefficient 0, fewer shares would do, and the stated threshold would be a wrong one
  if (fits(group, places.slice(0, minSigners), all.slice(0, minSigners), minSigners - 1))
    fail('E_FOREIGN', `fewer than ${String(minSigners)} shares make the key: the threshold is wrong`, { field: 'minSigners' });
  return key;
}

/**
 * Lagrange coefficient at 0: the weight of the share of `own` in the key, when exactly these holders give theirs.
 * @param identifiers encoded scalars, as many as the key's threshold; not secret
 * @param own one of them
 * @returns 1..q−1; 1 for a single holder
 * @throws E_SCALAR for a malformed identifier or 0, E_QUORUM when two are equal or `own` is not among them
 */
export function lagrangeAtZero(group: Group, identifiers: readonly Uint8Array[], own: Uint8Array): bigint {
  const q = group.order;
  const xs = identifiers.map((id) => identifierScalar(group, id));
  if (new Set(xs).size !== xs.length) fail('E_QUORUM', 'a holder is listed twice');
  const x = identifierScalar(group, own);
  if (!xs.includes(x)) fail('E_QUORUM', 'the holder is not among those that give their shares');
  let numerator = 1n;
  let denominator = 1n;
  for (const other of xs) {
    if (other === x) continue;
    numerator = (numerator * other) % q;
    denominator = mod(denominator * (other - x), q);
  }
  return (numerator * invert(denominator, q)) % q;
}

/**
 * What the holder `own` contributes when exactly these holders hand the key over: its weight λ (not secret) and the point λ·X of its
 * public share, to which its dealing is pinned. The points of all of them add up to the public key.
 * @throws E_QUORUM unless the holders are as many as the threshold, distinct, and of this key
 */
export function foreignConstant(key: ForeignKey, holders: readonly Uint8Array[], own: Uint8Array): { readonly weight: bigint; readonly point: Point } {
  const group = groupOf(SCHEMES[key.scheme].group);
  if (holders.length !== key.minSigners)
    fail('E_QUORUM', `${String(key.minSigners)} holders hand the key over; ${String(holders.length)} are named`);
  const shareOf = (id: Uint8Array) => key.shares.find((s) => equalBytes(s.identifier, id)) ?? fail('E_QUORUM', `${toHex(id)} is no holder of this key`);
  for (const id of holders) shareOf(id);
  const weight = lagrangeAtZero(group, holders, own);
  return { weight, point: group.multiplyPublic(group.decodePoint(shareOf(own).point), weight) };
}

/** Writes public facts in hex. */
export function foreignKeyRecord(key: ForeignKey): ForeignKeyRecord {
  return {
    format: key.format,
    scheme: key.scheme,
    publicKey: toHex(key.publicKey),
    minSigners: key.minSigners,
    ...(key.chainCode === undefined ? {} : { chainCode: toHex(key.chainCode) }),
    shares: key.shares.map((s) => ({ identifier: toHex(s.identifier), point: toHex(s.point) })),
  };
}

/** Reads and checks what {@link foreignKeyRecord} wrote. @throws as {@link checkForeignKey} */
export function foreignKeyOf(record: ForeignKeyRecord): ForeignKey {
  return checkForeignKey({
    format: record.format,
    scheme: record.scheme,
    publicKey: fromHex(record.publicKey),
    minSigners: record.minSigners,
    ...(record.chainCode === undefined ? {} : { chainCode: fromHex(record.chainCode, 32) }),
    shares: record.shares.map((s) => ({ identifier: fromHex(s.identifier), point: fromHex(s.point) })),
  });
}

/** What an epoch says about its key, as the other formats need it. */
export interface PlainKeyFacts {
  readonly scheme: SchemeName;
  readonly quorum: Quorum;
  /** Encoded key of the group, untweaked. */
  readonly publicKey: Uint8Array;
  /** Verification shares by leaf id, 1..n. */
  readonly leafPoints: ReadonlyMap<number, Point>;
  /** 32 bytes. */
  readonly chainCode?: Uint8Array;
}

/**
 * Our key in the terms of others: `zf-frost` for FROST, `lockness` for ECDSA, identifiers 1..n. ZF FROST has no chain
 * codes, so that child keys cannot be made there.
 * @throws E_QUORUM when the quorum is not plain t-of-n with t ≥ 2, the only one that the other formats can say;
 *   E_MISSING without a verification share; as {@link checkForeignKey} when the facts do not belong together
 */
export function plainKey(facts: PlainKeyFacts): ForeignKey {
  const { scheme, quorum } = facts;
  const group = groupOf(SCHEMES[scheme].group);
  const format = SCHEMES[scheme].protocol === 'frost' ? 'zf-frost' : 'lockness';
  if (quorum.gates.length !== 1)
    fail('E_QUORUM', `${format} knows plain t-of-n only, and the quorum is ${quorum.text}`, {
      remedy: 'Reshare the key to a quorum such as 2-of(alice, bob, carol), then export it.',
    });
  return checkForeignKey({
    format,
    scheme,
    publicKey: facts.publicKey,
    minSigners: quorum.root.threshold,
    ...(format === 'lockness' && facts.chainCode !== undefined ? { chainCode: facts.chainCode } : {}),
    shares: quorum.leaves.map((leaf) => ({
      identifier: group.encodeScalar(BigInt(leaf.index)),
      point: group.encodePoint(facts.leafPoints.get(leaf.id) ?? fail('E_MISSING', `no verification share of ${leaf.name}`, { participant: leaf.name })),
    })),
  });
}
