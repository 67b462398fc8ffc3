import { readFileSync } from 'node:fs';

/** A JSON file of test/vectors. */
export function vectors<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(`../vectors/${path}`, import.meta.url), 'utf8')) as T;
}

export const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
export const hex = (b: Uint8Array): string => Buffer.from(b).toString('hex');
