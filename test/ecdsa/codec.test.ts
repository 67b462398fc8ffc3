/** Integers on the wire: one encoding each, and none longer than its width (attack rows 48 and 58). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { intItem, natural, readNatural, readSigned, requireRange, requireUnits, signed } from '../../src/ecdsa/codec.ts';
import { Reader, toHex } from '../../src/wire/bytes.ts';
import { verdict } from '../support/proofs.ts';

const read = (bytes: Uint8Array, width: number): bigint => readSigned(new Reader(bytes), width, 'z1');

describe('naturals', () => {
  it('are big-endian of fixed width', () => {
    expect(toHex(natural(0n, 3))).toBe('000000');
    expect(toHex(natural(0x0102n, 3))).toBe('000102');
    expect(toHex(natural(0xffffffn, 3))).toBe('ffffff');
  });
  it('come back', () => {
    fc.assert(fc.property(fc.bigInt(0n, 2n ** 96n - 1n), (n) => void expect(readNatural(new Reader(natural(n, 12)), 12, 'n')).toBe(n)));
  });
  it('that do not fit are a bug of ours', () => {
    expect(verdict(() => natural(256n, 1))).toBe('E_INTERNAL');
    expect(verdict(() => natural(-1n, 1))).toBe('E_INTERNAL');
  });
  it('are refused when bytes are missing', () => {
    expect(verdict(() => readNatural(new Reader(new Uint8Array(2)), 3, 'n'))).toBe('E_FORMAT');
  });
});

describe('signed integers', () => {
  it('have a sign byte and an absolute value of fixed width', () => {
    expect(toHex(signed(0n, 2))).toBe('000000');
    expect(toHex(signed(258n, 2))).toBe('000102');
    expect(toHex(signed(-258n, 2))).toBe('010102');
  });
  it('come back', () => {
    fc.assert(fc.property(fc.bigInt(1n - 2n ** 96n, 2n ** 96n - 1n), (n) => void expect(read(signed(n, 12), 12)).toBe(n)));
  });
  it('every form that is read is the form that is written', () => {
    const any = fc.uint8Array({ minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(any, fc.constantFrom(0, 1), (bytes, sign) => {
        bytes[0] = sign;
        if (verdict(() => read(bytes, 2)) === 'ok') expect(signed(read(bytes, 2), 2)).toEqual(bytes);
      }),
    );
  });
  it('there is no negative zero', () => {
    expect(verdict(() => read(Uint8Array.of(1, 0, 0), 2))).toBe('E_FORMAT');
    expect(verdict(() => read(Uint8Array.of(0, 0, 0), 2))).toBe('ok');
  });
  it.each([2, 3, 0x80, 0xff])('there is no sign %i', (sign) => {
    expect(verdict(() => read(Uint8Array.of(sign, 0, 1), 2))).toBe('E_FORMAT');
  });
  it.each([0, 1, 2])('are refused when only %i bytes are there', (length) => {
    expect(verdict(() => read(new Uint8Array(length), 2))).toBe('E_FORMAT');
  });
  it('that do not fit are a bug of ours', () => {
    expect(verdict(() => signed(256n, 1))).toBe('E_INTERNAL');
    expect(verdict(() => signed(-256n, 1))).toBe('E_INTERNAL');
  });
});

describe('integers in hashes', () => {
  it('are minimal', () => {
    expect([0n, 1n, -1n, 255n, 256n, -256n].map((n) => toHex(intItem(n)))).toEqual(['0000', '0001', '0101', '00ff', '000100', '010100']);
  });
  it('differ when the integers do', () => {
    const any = fc.oneof(fc.bigInt(-300n, 300n), fc.bigInt());
    fc.assert(fc.property(any, any, (a, b) => void expect(toHex(intItem(a)) === toHex(intItem(b))).toBe(a === b)));
  });
});

describe('ranges and units', () => {
  it('a bound belongs to its range, on both sides', () => {
    expect([10n, -10n, 0n, 11n, -11n].map((n) => verdict(() => requireRange(n, 10n, 'z')))).toEqual(['ok', 'ok', 'ok', 'E_RANGE', 'E_RANGE']);
  });
  it('units are canonical and have no factor of the modulus', () => {
    expect([1n, 2n, 14n, 0n, -1n, 15n, 16n, 3n, 10n].map((a) => verdict(() => requireUnits({ S: 2n, a }, 15n)))).toEqual([
      ...['ok', 'ok', 'ok'],
      ...Array.from({ length: 6 }, () => 'E_RANGE'),
    ]);
  });
});
