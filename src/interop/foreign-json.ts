/**
 * interop/ reads and writes key shares of other implementations and plain private keys: pure functions on bytes, no
 * files, no prompts. Files that handle secrets are open-*.ts and make-*.ts; all others work on public data.
 *
 * This file reads the JSON of others strictly: bounded size and depth, no repeated keys, and of JSON only what those
 * formats use, which is objects, lists, whole numbers, and text without escapes.
 */
import * as v from 'valibot';
import { CeremonyError, fail } from '../wire/errors.ts';

/** Largest file of a key share or public package, in bytes: 64 holders of the widest group take less than a third. */
export const MAX_FOREIGN_BYTES = 64 * 1024;

type Value = number | string | readonly Value[] | { readonly [key: string]: Value };

const MAX_DEPTH = 4;
const TOKEN = /[ \t\r\n]*(?:([{}[\]:,])|"([A-Za-z0-9_-]{0,128})"|(0|[1-9][0-9]{0,8})(?![0-9.eE]))/y;
const REST = /^[ \t\r\n]*$/;

/** Printable ASCII, tabs and line ends. @throws E_TOO_LARGE, E_FORMAT */
export function asciiText(bytes: Uint8Array, maxBytes: number): string {
  if (bytes.length > maxBytes) fail('E_TOO_LARGE', `${String(bytes.length)} bytes; at most ${String(maxBytes)} are accepted`);
  for (const b of bytes) if ((b < 0x20 || b > 0x7e) && b !== 9 && b !== 10 && b !== 13) fail('E_FORMAT', 'the file is not plain ASCII text');
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/**
 * The value of a JSON text of another implementation, still to be checked against a schema. Objects have no prototype.
 * The result and the text inside may be secret: errors quote neither.
 * @throws E_FORMAT, E_TOO_LARGE
 */
function parseForeignJson(bytes: Uint8Array): Value {
  const text = asciiText(bytes, MAX_FOREIGN_BYTES);
  let at = 0;
  const malformed = (): never => fail('E_FORMAT', `not JSON as this format uses it, at byte ${String(at + 1)}`);
  /** A mark of the syntax, or a value that has no parts. */
  const next = (): { mark: string } | { value: string | number } => {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null) return malformed();
    at = TOKEN.lastIndex;
    const [, mark, string, number] = match;
    return mark !== undefined ? { mark } : { value: string ?? Number(number) };
  };
  const mark = (): string => {
    const token = next();
    return 'mark' in token ? token.mark : malformed();
  };
  /** Reads elements up to the closing mark; `element` gets the first token of each. */
  const list = (close: string, element: (token: ReturnType<typeof next>) => void): void => {
    let token = next();
    if ('mark' in token && token.mark === close) return;
    for (;;) {
      element(token);
      const after = mark();
      if (after === close) return;
      if (after !== ',') malformed();
      token = next();
    }
  };
  const read = (token: ReturnType<typeof next>, depth: number): Value => {
    if ('value' in token) return token.value;
    if (depth === MAX_DEPTH) fail('E_FORMAT', 'the JSON is nested too deeply');
    if (token.mark === '[') {
      const items: Value[] = [];
      list(']', (first) => items.push(read(first, depth + 1)));
      return items;
    }
    if (token.mark !== '{') return malformed();
    const object = Object.create(null) as Record<string, Value>;
    list('}', (first) => {
      const key = 'value' in first && typeof first.value === 'string' ? first.value : malformed();
      // names that objects have by themselves: the library would take them for known, or pass over them
      if (key in {} || key === 'prototype') fail('E_FORMAT', 'unknown field', { field: key });
      if (key in object) fail('E_FORMAT', 'a field stands there twice', { field: key });
      if (mark() !== ':') malformed();
      object[key] = read(next(), depth + 1);
    });
    return object;
  };
  const value = read(next(), 0);
  if (!REST.test(text.slice(at))) malformed();
  return value;
}

/** Text of every refusal is fixed here, since the library's own would quote the value, which may be secret. */
function explain(issue: v.BaseIssue<unknown>): { field: string; text: string } {
  const field = (issue.path ?? []).map((p) => String(p.key)).join('.');
  if (issue.type === 'strict_object' && issue.expected === 'never') return { field, text: 'unknown field' };
  if (issue.type === 'strict_object' && issue.expected !== 'Object') return { field, text: 'missing field' };
  const TEXT: Readonly<Record<string, string>> = {
    strict_object: 'must be an object',
    record: 'must be an object',
    array: 'must be a list',
    string: 'must be text',
    regex: 'must be lowercase hex',
    max_length: 'is too long',
    max_entries: 'more than 64 holders',
    number: 'must be a whole number',
    min_value: 'is too small',
    max_value: 'is too large',
  };
  return { field, text: TEXT[issue.type] ?? 'is not what this format has here' };
}

/**
 * Reads JSON of another implementation against its strict schema.
 * @param bytes of the file; secret if the format holds a share
 * @param file name for error texts
 * @throws E_FORMAT, E_TOO_LARGE; naming the file and, where it is known, the field
 */
export function readForeign<S extends v.GenericSchema>(schema: S, bytes: Uint8Array, file: string): v.InferOutput<S> {
  return inFile(file, () => {
    const parsed = v.safeParse(schema, parseForeignJson(bytes));
    if (parsed.success) return parsed.output;
    const { field, text } = explain(parsed.issues[0]);
    return fail('E_FORMAT', field === '' ? `the file ${text}` : `${field}: ${text}`, { field: field === '' ? undefined : field });
  });
}

/** Runs and adds the file's name to a refusal. */
export function inFile<T>(file: string, run: () => T): T {
  try {
    return run();
  } catch (e) {
    if (e instanceof CeremonyError) throw e.with({ file });
    throw e;
  }
}

/** Runs and adds the field's name to a refusal. */
export function inField<T>(field: string, run: () => T): T {
  try {
    return run();
  } catch (e) {
    if (e instanceof CeremonyError) throw new CeremonyError(e.code, `${field}: ${e.message}`, { ...e.facts, field });
    throw e;
  }
}

/** Lowercase hex, not empty, of at most 57 bytes: every scalar and point of our groups. Its length is checked by its group. */
export const hexText = v.pipe(v.string(), v.regex(/^(?:[0-9a-f]{2}){1,57}$/));

/** Whole number in a range. */
export const count = (min: number, max: number) => v.pipe(v.number(), v.minValue(min), v.maxValue(max));
