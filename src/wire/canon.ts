/**
 * Canonical JSON: the subset of RFC 8785 that needs no number formatting. Objects, arrays, strings, booleans, null and
 * safe integers; keys are printable ASCII and sorted; strings are well formed, NFC, without control or
 * bidirectional-override characters. For ASCII contents this is also what `jq -cS` prints.
 * Input that is not already canonical is refused, never repaired: this is what kills duplicate keys.
 */
import { CeremonyError, fail, type ErrorCode } from './errors.ts';
import { utf8 } from './bytes.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const MAX_DEPTH = 16;
// C0, DEL, C1, and the characters that reorder or hide text
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff]/;

/**
 * The canonical text of a value.
 * @throws E_CANON when the value is outside the subset
 */
export function canonical(value: Json, depth = 0): string {
  if (depth > MAX_DEPTH) fail('E_CANON', 'nested too deeply');
  if (value === null || value === true || value === false) return String(value);
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) fail('E_CANON', 'only safe integers are allowed');
    return String(value);
  }
  if (typeof value === 'string') {
    if (!value.isWellFormed() || value.normalize('NFC') !== value) fail('E_CANON', 'text is not well formed NFC');
    if (UNSAFE.test(value)) fail('E_CANON', 'text holds control or direction characters');
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map((v) => canonical(v, depth + 1)).join(',')}]`;
  const object = value as { readonly [key: string]: Json };
  const keys = Object.keys(object).sort();
  return `{${keys
    .map((k) => {
      if (!/^[\x20-\x7e]+$/.test(k)) fail('E_CANON', 'a key is not printable ASCII');
      const v = object[k];
      if (v === undefined) fail('E_CANON', `undefined value at ${k}`);
      return `${JSON.stringify(k)}:${canonical(v, depth + 1)}`;
    })
    .join(',')}}`;
}

/** UTF-8 bytes of the canonical text. */
export function canonicalBytes(value: Json): Uint8Array {
  return utf8(canonical(value));
}

/**
 * Parses canonical JSON.
 * @param maxBytes refuse larger input before parsing
 * @param code error code for a refusal
 * @throws the code, when the input is not UTF-8, not JSON, too large, or not byte for byte its own canonical form
 */
export function parseCanonical(bytes: Uint8Array, maxBytes: number, code: ErrorCode = 'E_CANON'): Json {
  if (bytes.length > maxBytes)
    throw new CeremonyError('E_TOO_LARGE', `${String(bytes.length)} bytes; at most ${String(maxBytes)} are accepted`);
  let text: string;
  let value: Json;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text) as Json;
  } catch (cause) {
    throw new CeremonyError(code, 'not JSON in UTF-8', { cause });
  }
  let again: string;
  try {
    again = canonical(value);
  } catch (cause) {
    throw new CeremonyError(code, cause instanceof Error ? cause.message : 'not canonical', { cause });
  }
  if (again !== text) throw new CeremonyError(code, 'not in canonical form (order of keys, spaces, duplicate keys or numbers)');
  return value;
}
