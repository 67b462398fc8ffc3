/** The strict reader of other people's JSON. */
import * as fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { MAX_FOREIGN_BYTES, readForeign } from '../../src/interop/foreign-json.ts';
import { utf8 } from '../../src/wire/bytes.ts';
import { refusal } from './fixtures.ts';

const read = (text: string): unknown => readForeign(v.unknown(), utf8(text), 'f.json');

describe('JSON of others', () => {
  it('is read as JSON.parse reads it, with any white space', () => {
    const leaf = fc.oneof(fc.integer({ min: 0, max: 999_999_999 }), fc.stringMatching(/^[A-Za-z0-9_-]{0,20}$/));
    const key = fc.stringMatching(/^[a-z]{1,6}[A-Z_]$/);
    const value = fc.oneof(leaf, fc.array(leaf, { maxLength: 4 }), fc.dictionary(key, fc.oneof(leaf, fc.array(leaf), fc.dictionary(key, leaf))));
    fc.assert(
      fc.property(value, fc.constantFrom(undefined, 1, '\t', '  '), (x, space) => {
        const text = JSON.stringify(x, undefined, space);
        expect(JSON.parse(JSON.stringify(read(`\r\n${text}\n`)))).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([
    '', ' ', '{', '}', '[1,]', '[,1]', '[1 2]', '{"a":1,}', '{"a" 1}', '{"a"::1}', '{1:1}', '{"a"}', '{a:1}', "{'a':1}", '[1]]', '{}{}', '1 1', '[1:2]', '[{]}',
    'true', 'null', '-1', '1.0', '1e3', '01', '1234567890', '0x1', '"\\u0061"', '"a', '"a b"', '"ä"', '"a\nb"', '/**/1', '\u0000', '\ufeff1', '"\u00a0"', '[1,2',
  ])('refuses %j', (text) => {
    expect(refusal(() => read(text)).code).toBe('E_FORMAT');
  });

  it('refuses a field that stands there twice, also where JSON.parse takes the last', () => {
    expect(refusal(() => read('{"a":1,"b":{"x":1,"x":1}}')).facts).toMatchObject({ field: 'x', file: 'f.json' });
    expect(refusal(() => read('{"a":1,"a":2}')).message).toMatch(/twice/);
  });

  it.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'])('refuses the name %s, which objects have by themselves', (name) => {
    expect(refusal(() => read(`{"${name}":1}`)).facts.field).toBe(name);
    expect(refusal(() => readForeign(v.strictObject({ a: v.number() }), utf8(`{"a":1,"${name}":1}`), 'f')).message).toMatch(/unknown field/);
    expect(refusal(() => readForeign(v.record(v.string(), v.number()), utf8(`{"a":1,"${name}":1}`), 'f')).message).toMatch(/unknown field/);
  });

  it('refuses deep nesting and long files before it reads them', () => {
    expect(refusal(() => read('[[[[[1]]]]]')).message).toMatch(/deeply/);
    expect(refusal(() => read('['.repeat(60_000))).message).toMatch(/deeply/);
    expect(read('[[[[1]]]]')).toEqual([[[[1]]]]);
    expect(read(' '.repeat(MAX_FOREIGN_BYTES - 1) + '1')).toBe(1);
    expect(refusal(() => read(' '.repeat(MAX_FOREIGN_BYTES) + '1')).code).toBe('E_TOO_LARGE');
  });

  it('refuses every truncation of an object', () => {
    const text = '{"a":["x",12],"b":{"c":"d"}}';
    for (let n = 0; n < text.length; n++) expect(refusal(() => read(text.slice(0, n))).code).toBe('E_FORMAT');
  });
});
