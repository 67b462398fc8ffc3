/** Keys of other implementations as they wrote them (test/vectors/interop), and ways to falsify their JSON. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { utf8 } from '../../src/wire/bytes.ts';
import { CeremonyError } from '../../src/wire/errors.ts';

const DIR = join(import.meta.dirname, '../vectors/interop');

export interface ZfBundle {
  readonly publicKeyPackage: string;
  readonly keyPackages: readonly string[];
}

const text = (name: string): string => readFileSync(join(DIR, `${name}.json`), 'utf8');
const names = readdirSync(DIR).filter((f) => f.endsWith('.json')).map((f) => f.slice(0, -5));

export const ZF = names.filter((n) => n.startsWith('frost-'));
export const zf = (name: string): ZfBundle => JSON.parse(text(name)) as ZfBundle;

/** Samples of one share, as text. */
export const LOCKNESS_SAMPLES = names.filter((n) => n.includes('-hd-'));
export const sample = text;

/** Whole keys: the texts of all shares. */
export const LOCKNESS = names.filter((n) => n.startsWith('lockness-') && !n.includes('-hd-'));
export const lockness = (name: string): readonly string[] => (JSON.parse(text(name)) as { keyShares: string[] }).keyShares;

/** Any JSON object that a test changes. */
export type Loose = Record<string, unknown>;

/** The JSON text with a change. */
export function changed(json: string, change: (value: Loose) => void): Uint8Array {
  const value = JSON.parse(json) as Loose;
  change(value);
  return utf8(JSON.stringify(value));
}

/** The refusal that `run` ends in; anything else fails the test. */
export function refusal(run: () => unknown): CeremonyError {
  try {
    run();
  } catch (e) {
    if (e instanceof CeremonyError) return e;
    throw e;
  }
  throw new Error('accepted');
}

/** Every way to choose `size` of a list, in order. */
export function choose<T>(list: readonly T[], size: number): T[][] {
  if (size === 0) return [[]];
  return list.flatMap((first, i) => choose(list.slice(i + 1), size - 1).map((rest) => [first, ...rest]));
}
