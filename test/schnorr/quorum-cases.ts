import { invert } from '@noble/curves/abstract/modular.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { group } from '../../src/curves/group.ts';
import { SCHEMES, type FrostSchemeName } from '../../src/curves/scheme.ts';
import { aggregate } from '../../src/schnorr/aggregate.ts';
import { verifySignature } from '../../src/schnorr/verify-signature.ts';
import { FOREIGN, sodium } from './foreign.ts';
import { dealKey, EXPRESSIONS, expectSignature, keyFor, minimalQuorums, nudge, open, signShares, type TestKey } from './helpers.ts';

export const MESSAGE = new Uint8Array(32).fill(0x5a);

/** Signs, checks with our verifier and a foreign one, and that a wrong share names its owner and nobody else. */
export function exercise(
  key: TestKey,
  signers: readonly string[],
  turn: number,
  options: { path?: string; blame: boolean },
): void {
  const signing = open(key, signers, { ...options, message: MESSAGE, seed: String(turn) });
  const shares = signShares(key, signing);
  const signature = expectSignature(aggregate(signing.request, shares));
  const { outputKey } = signing.key;
  expect(verifySignature(key.scheme, outputKey, MESSAGE, signature)).toBe(true);
  expect(FOREIGN[key.scheme](outputKey, MESSAGE, signature)).toBe(true);
  if (!options.blame) return;
  const ids = [...shares.keys()];
  const wrong = ids[turn % ids.length] as number;
  shares.set(wrong, nudge(key.scheme, shares.get(wrong) as Uint8Array));
  expect(aggregate(signing.request, shares)).toEqual({ kind: 'cheaters', ids: [wrong] });
}

/** The scalars that FROST gets interpolate, over the flat ids, to the secret of the output key. */
function interpolates(key: TestKey, signers: readonly string[], path: string): void {
  const { seats, shift, negate, tweak, frost, outputKey } = keyFor(key, signers, path);
  const { taproot, group: name } = SCHEMES[key.scheme];
  const g = group(name);
  const mod = (n: bigint): bigint => ((n % g.order) + g.order) % g.order;
  let secret = 0n;
  for (const { leaf, scale, identifier } of seats) {
    const x = mod((negate ? -1n : 1n) * (scale * (key.shares.get(leaf.id) as bigint) + shift) + tweak);
    expect(frost.verifyingShares[identifier]).toEqual(g.encodePoint(g.multiply(g.base, x)));
    const others = seats.map((s) => s.leaf.id).filter((id) => id !== leaf.id);
    const [top, bottom] = others.reduce(([a, b], id) => [a * BigInt(id), b * BigInt(id - leaf.id)], [1n, 1n]);
    secret = mod(secret + x * top * invert(mod(bottom as bigint), g.order));
  }
  expect(g.encodePoint(g.multiply(g.base, secret)).slice(taproot ? 1 : 0)).toEqual(outputKey);
}

/** The three expressions of the dealing vectors, each minimal quorum of each. */
export function everyQuorum(schemes: readonly FrostSchemeName[], paths: readonly string[] = ['m']): void {
  beforeAll(() => sodium.ready);
  const counts = [3, 6, 24];
  describe.each(schemes)(`%s below ${paths.join(' ')}`, (scheme) => {
    it.each(EXPRESSIONS.map((text, i) => [text, counts[i] as number] as const))('%s', (text, count) => {
      const key = dealKey(scheme, text, 'quorums');
      const quorums = minimalQuorums(key.quorum);
      expect(quorums).toHaveLength(count);
      quorums.forEach((signers, turn) => {
        const path = paths[turn % paths.length] as string;
        interpolates(key, signers, path);
        // ed448 is slow: of the 24 quorums every third one signs
        if (scheme === 'frost-ed448' && turn % 3 !== 0) return;
        exercise(key, signers, turn, { path, blame: count < 24 || turn % 6 === 0 });
      });
    });
  });
}
