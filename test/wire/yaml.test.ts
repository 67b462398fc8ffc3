import { expect, test } from 'vitest';
import { utf8 } from '../../src/wire/bytes.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { parseYaml } from '../../src/wire/yaml.ts';

async function outcome(text: string | Uint8Array): Promise<string> {
  try {
    const value = await parseYaml(typeof text === 'string' ? utf8(text) : text, 65_536);
    return JSON.stringify(value);
  } catch (e) {
    if (e instanceof CeremonyError) return `${e.code} ${e.message}`;
    throw e;
  }
}

test.each([
  ['a: 1 # one\nb: [x, y]\nc:\n  - d: true\n', '{"a":1,"b":["x","y"],"c":[{"d":true}]}'],
  ['quorum: 2-of(alice, bob)\nnetwork: off\nday: 2026-01-31\n', '{"quorum":"2-of(alice, bob)","network":"off","day":"2026-01-31"}'],
  ['a: "[[[[[[[[[[[["\n', '{"a":"[[[[[[[[[[[["}'],
  ['a: 1\na: 2', 'E_PLAN_FIELD line 2, column 1: this field stands here twice'],
  ['a: &x 1\nb: *x', 'E_PLAN_FIELD line 1, column 4: anchors are not accepted; write the value out'],
  ['b: *x', 'E_PLAN_FIELD line 1, column 4: aliases are not accepted; write the value out'],
  ['a: !!str 3', 'E_PLAN_FIELD line 1, column 4: tags are not accepted'],
  ['%YAML 1.1\n---\na: yes', 'E_PLAN_FIELD line 1, column 1: directives are not accepted'],
  ['---\na: 1\n---\nb: 2', 'E_PLAN_FIELD line 3, column 1: a second document begins'],
  ['__proto__: {a: 1}', 'E_PLAN_FIELD line 1, column 1: a field name is letters, digits and "-"'],
  ['a: {<<: {b: 1}}', 'E_PLAN_FIELD line 1, column 5: a field name is letters, digits and "-"'],
  ['[1]: 2', 'E_PLAN_FIELD line 1, column 1: With stringKeys, all keys must be strings'],
  ['a:\n\t- b', 'E_PLAN_FIELD line 2, column 1: Tabs are not allowed as indentation'],
])('%j', async (text, expected) => {
  expect(await outcome(text)).toBe(expected);
});

test.each(['[', '{a: ', '- ', '? ', ': ', 'a:\n '])('many of %j are refused before anything recursive reads them', async (piece) => {
  expect(await outcome(piece.repeat(Math.floor(65_000 / piece.length)))).toMatch(/^E_PLAN_FIELD line \d+, column \d+: /);
});

test('balanced brackets deeper than any plan', async () => {
  expect(await outcome(`a: ${'['.repeat(20_000)}${']'.repeat(20_000)}`)).toBe(
    'E_PLAN_FIELD line 1, column 12: nested too deeply',
  );
  // a quoted closing bracket does not hide a level
  expect(await outcome('["]",'.repeat(5_000))).toMatch(/nested too deeply$/);
});

test('the deepest accepted nesting is harmless', async () => {
  const deep = Array.from({ length: 31 }, (_, i) => `${' '.repeat(2 * i)}- a:`).join('\n');
  expect(await outcome(deep)).toMatch(/^(\[\{"a":){31}null(\}\]){31}$/);
});

test('size and encoding', async () => {
  expect(await outcome(new Uint8Array(65_537))).toBe('E_TOO_LARGE 65537 bytes; at most 65536 are accepted');
  expect(await outcome(Uint8Array.of(0x61, 0x3a, 0x20, 0xff))).toBe('E_PLAN_FIELD line 1: the file is not UTF-8 text');
});
