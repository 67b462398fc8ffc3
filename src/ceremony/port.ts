/** What the ceremony layer needs from outside: disk, clock, randomness, the unlocked identity, and a person. */
import type { AuxSecret } from '../ecdsa/make-aux.ts';
import type { ForeignShare } from '../interop/foreign-share.ts';
import type { Crew } from '../protocols/make-crew.ts';
import type { Disk } from '../vault/durable.ts';
import type { Random } from '../wire/random.ts';
import type { ActionCode } from './actions.ts';
import type { Identity } from './identity.ts';

/** How an answer came; stands in the transcript. */
export type AnswerSource = 'typed' | 'scripted';

/** The effects of a step. */
export interface Port {
  readonly disk: Disk;
  readonly now: () => Date;
  readonly random: Random;
  /** Unlocks the home once per process; asks for the passphrase only when a secret is really needed. */
  readonly unlock: () => Promise<Identity>;
  /** Asks a person. @throws E_PERSON when nobody can be asked */
  readonly ask: (id: string, question: readonly string[]) => Promise<{ answer: string; source: AnswerSource }>;
  /** Runs the heavy tasks of ECDSA. */
  readonly crew: Crew;
  /** Where the primes of an ECDSA key come from, if they are not to be made: rehearsals and tests. Secret. */
  readonly primes?: (() => Promise<AuxSecret>) | undefined;
  /** The share of a foreign key that this participant imports, if it was given. Secret. */
  readonly imported?: (() => ForeignShare) | undefined;
  /** Tells a person what is going on (never part of a result). */
  readonly say: (text: string) => void;
}

/** The outcome of a command that moved a ceremony; the shape of `--json`. */
export interface Step {
  readonly ceremony: string;
  readonly kind: string;
  readonly attempt: number;
  readonly participant: string;
  readonly did: readonly string[];
  readonly wrote: readonly { readonly path: string; readonly sha256: string }[];
  readonly needs: readonly { readonly from: string; readonly what: string }[];
  readonly nextAction: { readonly code: ActionCode; readonly who: string; readonly text: string };
  /** Hash of this participant's last transcript entry, hex. */
  readonly head: string;
  /** Lines for people: what happened, what to compare or write down. */
  readonly lines: readonly string[];
  readonly exit: 0 | 10;
}
