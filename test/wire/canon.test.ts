import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonical, canonicalBytes, type Json, parseCanonical } from '../../src/wire/canon.ts';
import { fromHex, Reader, toHex, utf8 } from '../../src/wire/bytes.ts';
import { digest, encodeItem, type Item, taggedHash } from '../../src/wire/hash.ts';

const key = fc.stringMatching(/^[a-z][a-zA-Z0-9]{0,8}$/);
const text = fc.stringMatching(/^[ -~äöüé日本]{0,20}$/).map((s) => s.normalize('NFC'));
const { tree } = fc.letrec<{ tree: Json }>((tie) => ({
  tree: fc.oneof({ depthSize: 'small', maxDepth: 5 }, fc.constant(null), fc.boolean(), fc.integer(), text, fc.array(tie('tree'), { maxLength: 4 }), fc.dictionary(key, tie('tree'), { maxKeys: 4 })) as fc.Arbitrary<Json>,
}));

describe('canonical JSON', () => {
  it('writing and reading are inverse, and the text is one', () => {
    fc.assert(
      fc.property(tree, (value) => {
        const bytes = canonicalBytes(value);
        const again = parseCanonical(bytes, 1 << 20);
        expect(canonical(again)).toBe(new TextDecoder().decode(bytes));
      }),
    );
  });

  it.each([
    ['spaces', '{"a": 1}'],
    ['order of keys', '{"b":1,"a":2}'],
    ['duplicate keys', '{"a":1,"a":1}'],
    ['fractions', '{"a":1.5}'],
    ['exponents', '{"a":1e3}'],
    ['minus zero', '{"a":-0}'],
    ['beyond safe integers', '{"a":9007199254740993}'],
    ['escapes that need not be', '{"a":"\\u0061"}'],
    ['lone surrogates', '{"a":"\\ud800"}'],
    ['control characters', '{"a":"\\u0007"}'],
    ['direction overrides', '{"a":"\u202e"}'],
    ['text that is not NFC', '{"a":"e\u0301"}'],
    ['a byte order mark', '\ufeff{}'],
    ['something after the end', '{}\n'],
    ['no JSON', 'hello'],
    ['nesting', '['.repeat(20) + ']'.repeat(20)],
  ])('%s are refused, not repaired', (_, source) => {
    expect(() => parseCanonical(utf8(source), 1024)).toThrow();
  });

  it('size is checked before parsing', () => {
    expect(() => parseCanonical(utf8('{}'), 1)).toThrow(/at most/);
  });
});

describe('injective hashing (attack rows 1, 61)', () => {
  it('no regrouping of the same bytes gives the same encoding', () => {
    const items: Item[] = [['a$', 'b'], ['a', '$b'], ['a$b'], [['a$'], 'b'], [['a$', 'b']], [utf8('a$'), 'b'], [['xy'], []], [[], ['xy']], ['1'], [1], []];
    const seen = new Set(items.map((i) => toHex(encodeItem(i))));
    expect(seen.size).toBe(items.length);
  });
  it('two different lists of bytes never encode alike', () => {
    const list = fc.array(fc.uint8Array({ maxLength: 4 }), { maxLength: 4 });
    fc.assert(
      fc.property(list, list, (a, b) => {
        const same = a.length === b.length && a.every((x, i) => toHex(x) === toHex(b[i] as Uint8Array));
        expect(toHex(encodeItem(a)) === toHex(encodeItem(b))).toBe(same);
      }),
    );
  });
  it('tags separate', () => {
    expect(toHex(digest('a', 'x'))).not.toBe(toHex(digest('b', 'x')));
    expect(toHex(taggedHash('a', utf8('x')))).not.toBe(toHex(taggedHash('b', utf8('x'))));
  });
});

describe('reading binary', () => {
  it('hex is lowercase and of the length asked for', () => {
    for (const bad of ['0', 'AB', 'zz', '0x00']) expect(() => fromHex(bad)).toThrow();
    expect(() => fromHex('abcd', 3)).toThrow(/3 bytes/);
  });
  it('nothing is read beyond the end, and nothing is left over', () => {
    const r = new Reader(Uint8Array.of(1, 2, 3));
    expect(r.u16('a')).toBe(258);
    expect(() => r.u16('b')).toThrow(/b is missing/);
    expect(() => { r.end(); }).toThrow(/1 bytes too many/);
  });
});
