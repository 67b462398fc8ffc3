import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { mixedRandom } from '../../src/vault/mixed-random.ts';

const system = (n: number) => new Uint8Array(randomBytes(n));

describe('SGN-20 randomness', () => {
  it('a source of zeros, or one that repeats, is refused', () => {
    expect(() => mixedRandom((n) => new Uint8Array(n))(32)).toThrow(/repeats/);
    expect(() => mixedRandom((n) => new Uint8Array(n), new Uint8Array(32).fill(1))(32)).toThrow(/repeats/);
    const stuck = mixedRandom((n) => new Uint8Array(n).map((_, i) => i));
    stuck(32);
    expect(() => stuck(32)).toThrow(/repeats/);
  });
  it('extra entropy changes the output and never replaces the source', () => {
    const fixed = () => {
      let i = 0;
      return (n: number) => new Uint8Array(n).map((_, k) => (i++ * 31 + k * 7) & 255);
    };
    const plain = mixedRandom(fixed(), new Uint8Array(16).fill(1))(100);
    expect(mixedRandom(fixed(), new Uint8Array(16).fill(2))(100)).not.toEqual(plain);
    expect(mixedRandom(fixed(), new Uint8Array(16).fill(1))(100)).toEqual(plain);
    const dice = new Uint8Array(16).fill(3);
    expect(mixedRandom(system, dice)(64)).not.toEqual(mixedRandom(system, dice)(64));
    for (const n of [1, 16, 63, 64, 65, 200]) expect(mixedRandom(system, dice)(n)).toHaveLength(n);
  });
});
