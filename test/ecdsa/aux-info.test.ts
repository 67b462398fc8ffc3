import { describe, expect, test } from 'vitest';
import { AUX_BYTES, type AuxInfo, checkAux, commonFactors, decodeAux, encodeAux, isFixture, requireComposite } from '../../src/ecdsa/aux-info.ts';
import { concat } from '../../src/wire/bytes.ts';
import { codeOf } from '../sharing/support.ts';
import { FIXTURES } from '../support/primes.ts';
import { ABOVE, ABOVE_SMALL, badModuli, party, quickly, refusal } from './set-up.ts';

const { aux, primes } = party(0);
const all = Array.from({ length: FIXTURES }, (_, i) => party(i).aux);
const aux1 = party(1).aux;
const aux2 = party(2).aux;

describe('the encoding', () => {
  test('is four numbers of 384 bytes', () => {
    const bytes = encodeAux(aux);
    expect(AUX_BYTES).toBe(1536);
    expect(bytes.length).toBe(AUX_BYTES);
    expect(decodeAux(bytes)).toEqual(aux);
    expect(Buffer.from(bytes.subarray(384, 768)).toString('hex')).toBe(aux.nHat.toString(16));
  });
  test('has one length', () => {
    const bytes = encodeAux(aux);
    for (const bad of [new Uint8Array(0), bytes.slice(1), concat(bytes, Uint8Array.of(0))]) expect(codeOf(() => decodeAux(bad))).toBe('E_FORMAT');
  });
  test('does not cut what is too long', () => {
    expect(codeOf(() => encodeAux({ ...aux, s: 1n << 3072n }))).toBe('E_INTERNAL');
  });
});

describe('the form', () => {
  test('of honest auxiliary information is accepted', () => {
    for (const each of all) expect(() => { checkAux(each); }).not.toThrow();
  });
  test.each(badModuli)('a modulus %s is refused', (_, bad) => {
    expect(quickly(() => codeOf(() => { checkAux({ ...aux, n: bad }); }))).toBe('E_MODULUS');
    expect(quickly(() => codeOf(() => { checkAux({ ...aux, nHat: bad }); }))).toBe('E_MODULUS');
  });
  test('says what is wrong with a modulus', () => {
    const said = (name: string): string => refusal(() => { requireComposite((badModuli.find(([n]) => n === name) as [string, bigint])[1], 'N'); });
    expect(said('prime')).toBe('E_MODULUS N is prime');
    expect(said('with the factor 3')).toBe('E_MODULUS N has a small factor');
    expect(said('with the factor 65519')).toBe('E_MODULUS N has a small factor');
    for (const name of ['of 3071 bits', 'of 3073 bits', 'even']) expect(said(name)).toBe('E_MODULUS N is not an odd number of 3072 bits');
  });
  test('lets larger factors and three primes pass, which Π-mod and Π-fac refuse', () => {
    for (const n of [ABOVE_SMALL * ABOVE[3055], primes.p * ABOVE[768] * ABOVE.next768]) expect(() => { requireComposite(n, 'N'); }).not.toThrow();
  });

  const { nHat, s, t } = aux;
  const cases: readonly (readonly [string, Partial<AuxInfo>, string])[] = [
    ['N = N^', { n: nHat }, 'the two moduli have a common factor'],
    ['N and N^ with one prime in common', { n: primes.p * primes.pHat }, 'the two moduli have a common factor'],
    ['s = 0', { s: 0n }, 's or t is no unit modulo N^'],
    ['t = 0', { t: 0n }, 's or t is no unit modulo N^'],
    ['s = N^', { s: nHat }, 's or t is no unit modulo N^'],
    ['s above N^', { s: s + nHat }, 's or t is no unit modulo N^'],
    ['t above N^', { t: t + nHat }, 's or t is no unit modulo N^'],
    ['s negative', { s: s - nHat }, 's or t is no unit modulo N^'],
    ['s with a factor of N^', { s: primes.pHat * 5n }, 's or t is no unit modulo N^'],
    ['t with a factor of N^', { t: primes.qHat * 5n }, 's or t is no unit modulo N^'],
    ['s = 1', { s: 1n }, 's or t is 1 or -1'],
    ['t = 1', { t: 1n }, 's or t is 1 or -1'],
    ['s = -1', { s: nHat - 1n }, 's or t is 1 or -1'],
    ['t = -1', { t: nHat - 1n }, 's or t is 1 or -1'],
    ['s = t', { s: t }, 's and t are the same'],
  ];
  test.each(cases)('%s is refused', (_, change, text) => {
    expect(refusal(() => { checkAux({ ...aux, ...change }); })).toBe(`E_MODULUS ${text}`);
  });
});

describe('moduli of several participants', () => {
  test('of honest ones have nothing in common', () => {
    expect(commonFactors([])).toEqual([]);
    expect(commonFactors([aux])).toEqual([]);
    expect(commonFactors(all)).toEqual([]);
  });
  const with1 = (change: Partial<AuxInfo>): AuxInfo[] => [aux, { ...aux1, ...change }, aux2];
  test.each([
    ['the same N', with1({ n: aux.n })],
    ['the same N^', with1({ nHat: aux.nHat })],
    ["an N that is another's N^", with1({ n: aux.nHat })],
    ["an N^ that is another's N", with1({ nHat: aux.n })],
    ['one prime of N in common', with1({ n: primes.p * ABOVE[1535] })],
    ['one prime of N^ in common', with1({ nHat: primes.qHat * ABOVE[1535] })],
    ['everything copied', with1(aux)],
  ])('%s: the pair is named', (_, list) => {
    expect(commonFactors(list)).toEqual([[0, 1]]);
  });
  test('several pairs are told apart', () => {
    expect(commonFactors([aux, aux1, aux2, aux1, aux])).toEqual([[0, 4], [1, 3]]);
    expect(commonFactors([aux1, { ...aux2, n: aux1.n }, { ...aux, nHat: aux1.n }])).toEqual([[0, 1], [0, 2], [1, 2]]);
    // 1 shares one prime with 0 and another with 2; 0 and 2 share none
    expect(commonFactors([aux, { ...aux1, n: primes.p, nHat: party(2).primes.p }, aux2])).toEqual([[0, 1], [1, 2]]);
  });
  test('64 participants take less than a second, honest or all alike', () => {
    expect(quickly(() => commonFactors(Array.from({ length: 64 }, () => aux))).length).toBe((64 * 63) / 2);
    // as good as coprime: nothing but chance and small primes in common
    const distinct = Array.from({ length: 64 }, (_, i) => ({ ...aux, n: ABOVE[3055] * 65536n + BigInt(2 * i), nHat: ABOVE[3056] * 32768n - BigInt(2 * i) }));
    quickly(() => commonFactors(distinct));
  });
});

describe('the moduli of the tests', () => {
  test('are known as such, both of all sets', () => {
    for (const each of all) {
      expect(isFixture({ ...each, nHat: ABOVE[3055] })).toBe(true);
      expect(isFixture({ ...each, n: ABOVE[3055] })).toBe(true);
    }
  });
  test('and no others', () => {
    expect(isFixture({ ...aux, n: aux.n + 2n, nHat: aux1.n - 2n })).toBe(false);
  });
});
