/** Building blocks of the strict schemas, and the wording of their refusals. */
import * as v from 'valibot';
import { canonical } from '../wire/canon.ts';

/** Lowercase hex of exactly `bytes` bytes. */
export const hex = (bytes: number) =>
  v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${String(2 * bytes)}}$`), `must be ${String(bytes)} bytes of lowercase hex`));

/** Lowercase hex of at most `maxBytes` bytes, not empty. */
export const hexUpTo = (maxBytes: number) =>
  v.pipe(
    v.string(),
    v.regex(/^(?:[0-9a-f]{2})+$/, 'must be lowercase hex'),
    v.maxLength(2 * maxBytes, `must be at most ${String(maxBytes)} bytes of hex`),
  );

/** ASCII lowercase name that is safe as a file name on FAT and ISO 9660. */
export const nameOf = (what: string) =>
  v.pipe(
    v.string(),
    // names of every object in the language: records by name would lose them
    v.notValues(['constructor', 'prototype'], `a ${what} cannot have this name`),
    v.regex(/^[a-z][a-z0-9-]{0,31}$/, `a ${what} name is a lowercase letter, then letters, digits or "-", at most 32 in all`),
  );

/** UTC time to the second. */
export const utcTime = v.pipe(
  v.string(),
  v.regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/, 'must be a time like 2026-01-31T12:00:00Z'),
  v.check((s) => !Number.isNaN(Date.parse(s)) && new Date(s).toISOString() === s.replace('Z', '.000Z'), 'no such time'),
);

/** Whole number in a range. */
export const int = (min: number, max: number) =>
  v.pipe(
    v.number('must be a whole number'),
    v.integer('must be a whole number'),
    v.minValue(min, `must be at least ${String(min)}`),
    v.maxValue(max, `must be at most ${String(max)}`),
  );

function isPlain(text: string): boolean {
  try {
    canonical(text);
    return true;
  } catch {
    return false;
  }
}

/** A short line of text for people: what canonical JSON can hold. */
export const line = (max: number) =>
  v.pipe(
    v.string(),
    v.minLength(1, 'must not be empty'),
    v.maxLength(max, `must be at most ${String(max)} characters`),
    v.check(isPlain, 'holds control or direction characters, or is not in normal form'),
  );

/** Where and why a schema refused, as one field path and one sentence (the first issue). */
export function explainIssues(issues: readonly v.BaseIssue<unknown>[]): { field: string; text: string } {
  const issue = issues[0];
  if (!issue) return { field: '', text: 'not valid' };
  const path = (issue.path ?? []).reduce((at, p) => {
    const key = p.key as string | number;
    return typeof key === 'number' ? `${at}[${String(key)}]` : at === '' ? key : `${at}.${key}`;
  }, '');
  const text =
    issue.type === 'strict_object'
      ? issue.expected === 'never'
        ? 'unknown field'
        : 'missing field'
      : issue.message;
  return { field: path, text };
}
