/**
 * The zero-knowledge proofs of ECDSA in one record: each is recomputed once, however often the record and its evidence
 * ask for it, and counted for the report.
 */
import type { CheckArgs, CheckName } from '../ecdsa/checks.ts';
import type { Checkers, Outcome } from '../protocols/crew.ts';
import { toHex, utf8 } from '../wire/bytes.ts';
import { sha256 } from '../wire/hash.ts';

type Count = readonly [many: number, what: string];

/** What each check recomputes, in plain words. */
const COUNTS: { readonly [K in CheckName]: (args: CheckArgs<K>) => readonly Count[] } = {
  checkAuxOf: () => [[1, 'of ring-Pedersen parameters']],
  checkModulus: () => [[1, 'of Paillier moduli']],
  checkFactors: () => [[1, 'of their factors']],
  checkOffer: () => [[2, 'of ranges in offers']],
  checkGamma: () => [[1, 'of nonce points']],
  checkAffine: () => [[1, 'of conversions']],
  checkSum: () => [[1, 'of sums']],
  checkTrace: ({ signers }) => [[signers.length, 'of error rounds']],
};

/** The arguments of a check as text: two of different content never give the same. */
function textOf(args: unknown): string {
  return JSON.stringify(args, (_, value: unknown) => (typeof value === 'bigint' ? { n: value.toString(16) } : value instanceof Uint8Array ? { bytes: toHex(value) } : value));
}

/** Checkers that remember and count. */
export class Proofs implements Checkers {
  readonly #crew: Checkers;
  readonly #known = new Map<string, Outcome<void>>();
  readonly #counts = new Map<string, number>();
  constructor(crew: Checkers) {
    this.#crew = crew;
  }

  async check<K extends CheckName>(task: K, args: readonly CheckArgs<K>[]): Promise<Outcome<void>[]> {
    const keys = args.map((a) => `${task} ${toHex(sha256(utf8(textOf(a))))}`);
    const fresh = new Map(args.flatMap((a, i) => (this.#known.has(keys[i] as string) ? [] : [[keys[i] as string, a] as const])));
    const outcomes = await this.#crew.check(task, [...fresh.values()]);
    [...fresh].forEach(([key, a], i) => {
      this.#known.set(key, outcomes[i] as Outcome<void>);
      for (const [many, what] of COUNTS[task](a)) this.#counts.set(what, (this.#counts.get(what) ?? 0) + many);
    });
    return keys.map((key) => this.#known.get(key) as Outcome<void>);
  }

  /** How many proofs were recomputed, and of what; undefined where there were none. */
  get summary(): string | undefined {
    if (this.#counts.size === 0) return undefined;
    const total = [...this.#counts.values()].reduce((a, b) => a + b, 0);
    return `${String(total)} zero-knowledge proofs recomputed: ${[...this.#counts].map(([what, many]) => `${String(many)} ${what}`).join(', ')}`;
  }
}
