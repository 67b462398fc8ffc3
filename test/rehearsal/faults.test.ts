import { expect, it } from 'vitest';
import { type SchemeName, SCHEMES } from '../../src/curves/scheme.ts';
import { ENDING, FAULTS, faultsOf, isFault } from '../../src/rehearsal/faults.ts';

const ECDSA = ['bad-modulus', 'wrong-share'];

it.each(Object.keys(SCHEMES) as SchemeName[])('what can go wrong with %s', (scheme) => {
  const all = Object.keys(FAULTS);
  expect(faultsOf(scheme)).toEqual(scheme.startsWith('cggmp24-') ? all : all.filter((f) => !ECDSA.includes(f)));
});

it('knows its faults and no others', () => {
  for (const fault of [...ENDING, ...ECDSA]) expect(isFault(fault)).toBe(true);
  for (const other of ['flood', 'toString', '']) expect(isFault(other)).toBe(false);
});
