/** Comparing words so that nobody can click through: two are blanked, and the operator types what another person reads. */
import { randomInt } from 'node:crypto';

export interface WordQuiz {
  /** The words with two blanks. */
  readonly shown: readonly string[];
  /** Positions of the blanks, from 1. */
  readonly positions: readonly [string, string];
  matches(answer: string): boolean;
}

/** Blanks two words at random positions. */
export function blankTwo(all: readonly string[]): WordQuiz {
  const first = randomInt(all.length);
  const second = (first + 1 + randomInt(all.length - 1)) % all.length;
  const [a, b] = [first, second].sort((x, y) => x - y) as [number, number];
  const expected = `${all[a] as string} ${all[b] as string}`.toLowerCase();
  return {
    shown: all.map((w, i) => (i === a || i === b ? '________' : w)),
    positions: [String(a + 1), String(b + 1)],
    matches: (answer) => answer.trim().toLowerCase().replace(/\s+/g, ' ') === expected,
  };
}
