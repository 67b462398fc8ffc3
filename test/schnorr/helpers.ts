import { createHash } from 'node:crypto';
import { group, type Point } from '../../src/curves/group.ts';
import { SCHEMES, type FrostSchemeName } from '../../src/curves/scheme.ts';
import { parseQuorum, type Gate, type Leaf, type Quorum } from '../../src/sharing/expression.ts';
import { aggregate, type Aggregate } from '../../src/schnorr/aggregate.ts';
import { makeNonces } from '../../src/schnorr/nonce.ts';
import { signingRequest, type RequestFacts, type SigningRequest } from '../../src/schnorr/request.ts';
import { signShare } from '../../src/schnorr/sign.ts';
import { signingKey, type SigningKey } from '../../src/schnorr/signing-key.ts';
import type { Random } from '../../src/wire/random.ts';

export const SCHEME_NAMES = Object.values(SCHEMES).filter((s) => s.protocol === 'frost').map((s) => s.name as FrostSchemeName);

/** The three expressions of the dealing vectors. */
export const EXPRESSIONS = [
  '2-of(alice, bob, carol)',
  'all-of(1-of(carol, dave), 2-of(alice, bob, erin))',
  '2-of(all-of(a, b), 1-of(2-of(c, d, e), all-of(f, g)), 3-of(h, i, j, k))',
] as const;

/** A deterministic stream of bytes. */
export function seeded(seed: string): Random {
  let n = 0;
  return (length) => {
    const blocks: Buffer[] = [];
    for (let have = 0; have < length; have += 64)
      blocks.push(createHash('sha512').update(`${seed}/${String(n++)}`).digest());
    return new Uint8Array(Buffer.concat(blocks).subarray(0, length));
  };
}

/** A whole key, as a dealer who knows everything would make it: for tests only. */
export interface TestKey {
  readonly scheme: FrostSchemeName;
  readonly quorum: Quorum;
  readonly secret: bigint;
  readonly shares: ReadonlyMap<number, bigint>;
  readonly leafPoints: ReadonlyMap<number, Point>;
  readonly publicKey: Uint8Array;
  readonly chainCode: Uint8Array;
}

export function keyOfShares(
  scheme: FrostSchemeName,
  quorum: Quorum,
  secret: bigint,
  shares: ReadonlyMap<number, bigint>,
): TestKey {
  const g = group(SCHEMES[scheme].group);
  return {
    scheme,
    quorum,
    secret,
    shares,
    leafPoints: new Map([...shares].map(([id, x]) => [id, g.multiply(g.base, x)])),
    publicKey: g.encodePoint(g.multiply(g.base, secret)),
    chainCode: new Uint8Array(32).fill(7),
  };
}

/** Deals a secret over an expression: one polynomial a gate, written out anew here. */
export function dealKey(scheme: FrostSchemeName, expression: string, seed: string, secret?: bigint): TestKey {
  const g = group(SCHEMES[scheme].group);
  const quorum = parseQuorum(expression);
  const random = seeded(`${scheme}/${expression}/${seed}`);
  const constant = secret ?? g.randomScalar(random);
  const shares = new Map<number, bigint>();
  const walk = (node: Gate | Leaf, value: bigint): void => {
    if (node.kind === 'leaf') {
      shares.set(node.id, value);
      return;
    }
    const coefficients = [value, ...Array.from({ length: node.threshold - 1 }, () => g.randomScalar(random))];
    for (const child of node.children) {
      const x = BigInt(child.index);
      walk(
        child,
        coefficients.reduceRight((sum, c) => (sum * x + c) % g.order, 0n),
      );
    }
  };
  walk(quorum.root, constant);
  return keyOfShares(scheme, quorum, constant, shares);
}

/** Every exact minimal quorum, as names. */
export function minimalQuorums(quorum: Quorum): string[][] {
  const choose = <T>(items: readonly T[], k: number): T[][] =>
    k === 0
      ? [[]]
      : items.flatMap((item, i) => choose(items.slice(i + 1), k - 1).map((rest) => [item, ...rest]));
  const of = (node: Gate | Leaf): string[][] =>
    node.kind === 'leaf'
      ? [[node.name]]
      : choose(node.children, node.threshold).flatMap((children) =>
          children.map(of).reduce((all, next) => all.flatMap((a) => next.map((b) => [...a, ...b]))),
        );
  return of(quorum.root);
}

export function keyFor(key: TestKey, signers: readonly string[], path = 'm'): SigningKey {
  return signingKey({ ...key, signers, path });
}

export interface Signing {
  readonly key: SigningKey;
  readonly request: SigningRequest;
  /** Secret nonces by id; wiped by signShare. */
  readonly nonces: ReadonlyMap<number, Uint8Array>;
  readonly facts: RequestFacts;
}

/** Nonces of every signer and the request over them. */
export function open(
  key: TestKey,
  signers: readonly string[],
  options: { path?: string; message?: Uint8Array; seed?: string } = {},
): Signing {
  const signing = keyFor(key, signers, options.path);
  const random = seeded(`nonces/${options.seed ?? ''}`);
  const made = signing.seats.map(({ leaf }) => ({
    id: leaf.id,
    ...makeNonces(key.scheme, shareBytes(key, leaf.id), random),
  }));
  const facts: RequestFacts = {
    key: signing,
    keyId: new Uint8Array(16).fill(1),
    epochDigest: new Uint8Array(32).fill(2),
    intentHash: new Uint8Array(32).fill(3),
    message: options.message ?? new TextEncoder().encode('message'),
    commitments: made.map(({ id, commitment }) => ({ id, commitment })),
  };
  return { key: signing, request: signingRequest(facts), nonces: new Map(made.map((m) => [m.id, m.nonces])), facts };
}

export function shareBytes(key: TestKey, id: number): Uint8Array {
  return group(SCHEMES[key.scheme].group).encodeScalar(key.shares.get(id) as bigint);
}

/** The signature shares of all signers by id. */
export function signShares(key: TestKey, signing: Signing): Map<number, Uint8Array> {
  return new Map(
    signing.key.seats.map(({ leaf }) => {
      const nonces = signing.nonces.get(leaf.id) as Uint8Array;
      return [leaf.id, signShare(signing.request, { id: leaf.id, share: shareBytes(key, leaf.id), nonces })];
    }),
  );
}

/** Signs with all secrets in one place. */
export function signWith(
  key: TestKey,
  signers: readonly string[],
  options: { path?: string; message?: Uint8Array; seed?: string } = {},
): { signature: Uint8Array; outputKey: Uint8Array; message: Uint8Array } {
  const signing = open(key, signers, options);
  const signature = expectSignature(aggregate(signing.request, signShares(key, signing)));
  return { signature, outputKey: signing.key.outputKey, message: signing.request.message };
}

export function expectSignature(result: Aggregate): Uint8Array {
  if (result.kind === 'signature') return result.signature;
  throw new Error(`cheaters: ${result.ids.join(', ')}`);
}

/** The scalar plus a small number, in the scheme's encoding: a wrong share that is well formed. */
export function nudge(scheme: FrostSchemeName, share: Uint8Array, by = 1n): Uint8Array {
  const g = group(SCHEMES[scheme].group);
  return g.encodeScalar((g.decodeScalar(share) + by) % g.order);
}

/** The error code that a call throws. */
export function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (e) {
    return (e as { code?: string }).code ?? `no code: ${String(e)}`;
  }
  return 'nothing thrown';
}
