/** What a verification found: one line a check, and the verdict that follows from all of them. */
import type { ErrorCode } from '../wire/errors.ts';

/**
 * `wrong`: checked, and not what it must be. `cannot-tell`: something needed is missing, or the ceremony ended without a
 * result and without anybody being proven wrong.
 */
export type Verdict = 'ok' | 'wrong' | 'cannot-tell';

/** One check. Public. */
export interface Check {
  /** What was checked: `chain alice`, `messages`, `proofs`, `certificate`, … */
  readonly name: string;
  readonly verdict: Verdict;
  /** Whose own signature proves the fault. Never whoever merely brought damaged bytes. */
  readonly culprit?: string;
  readonly code?: ErrorCode;
  /** File and line, or author and entry number (`bob:3`). */
  readonly place?: string;
  readonly text: string;
}

/** Facts of a check beyond its text. */
export interface CheckFacts {
  readonly culprit?: string | undefined;
  readonly code?: ErrorCode | undefined;
  readonly place?: string | undefined;
}

const RANK: Readonly<Record<Verdict, number>> = { ok: 0, 'cannot-tell': 1, wrong: 2 };

/** The worst of several verdicts; `wrong` is worse than `cannot-tell`. */
export function worst(verdicts: readonly Verdict[]): Verdict {
  return verdicts.reduce<Verdict>((a, b) => (RANK[b] > RANK[a] ? b : a), 'ok');
}

/** Collects checks in the order in which they were made. */
export class Report {
  readonly #checks: Check[] = [];
  #faults = 0;

  get checks(): readonly Check[] {
    return this.#checks;
  }
  get verdict(): Verdict {
    return worst(this.#checks.map((c) => c.verdict));
  }

  #add(name: string, verdict: Verdict, text: string, { culprit, code, place }: CheckFacts): void {
    if (verdict !== 'ok') this.#faults += 1;
    this.#checks.push({
      name,
      verdict,
      ...(culprit === undefined ? {} : { culprit }),
      ...(code === undefined ? {} : { code }),
      ...(place === undefined ? {} : { place }),
      text,
    });
  }

  ok(name: string, text: string, facts: CheckFacts = {}): void {
    this.#add(name, 'ok', text, facts);
  }
  wrong(name: string, text: string, facts: CheckFacts = {}): void {
    this.#add(name, 'wrong', text, facts);
  }
  cannotTell(name: string, text: string, facts: CheckFacts = {}): void {
    this.#add(name, 'cannot-tell', text, facts);
  }

  /** Runs some checks, and says that all is well if they found no fault; nothing, if there is nothing to say. */
  section(name: string, allWell: () => string | undefined, run: () => void): void {
    const before = this.#faults;
    run();
    const text = this.#faults === before ? allWell() : undefined;
    if (text !== undefined) this.ok(name, text);
  }
}
