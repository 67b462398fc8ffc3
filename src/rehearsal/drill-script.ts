/**
 * A drill as data: who does what with which command, what must be seen, what goes wrong and who must notice it. The same
 * data is played headless (drill-play.ts) and printed for the room (drill-print.ts), so that paper and run cannot differ.
 */
import type { ActionCode } from '../ceremony/actions.ts';
import type { ErrorCode } from '../wire/errors.ts';

/** Who acts besides the participants. */
export const LEADER = 'leader';
export const COURIER = 'courier';
/** Somebody with a copy of a home that is not theirs. */
export const THIEF = 'thief';
/** Whoever finds a laptop of before in a cupboard. */
export const FINDER = 'finder';

/** A word of a command: as it stands, or something that lies elsewhere on the stage than in the room. */
export type Word =
  | string
  /** The acting person's copy of a ceremony folder. */
  | { readonly folder: string }
  /** A file of the acting person. */
  | { readonly own: string }
  /** A file that everybody has. */
  | { readonly common: string }
  /** The folder with the cards. */
  | { readonly cards: true }
  /** Where backups are kept. */
  | { readonly safe: string }
  /** The age recipient of somebody's backup key. */
  | { readonly recipient: string };

/** What the program must say. Every part that is given must agree. */
export interface Expect {
  readonly exit: readonly number[];
  readonly code?: ErrorCode;
  /** One of these is the next action. */
  readonly next?: readonly ActionCode[];
  /** Whose message is waited for, or who is named in the refusal. */
  readonly names?: string;
  /** Part of the path of the file that is named. */
  readonly file?: string;
  /** Part of the text. */
  readonly says?: string;
  /** Fields of the result. */
  readonly has?: Readonly<Record<string, boolean | number | string>>;
}

/** A change that no program makes: what happens to laptops, sticks and files. */
export type Deed =
  | { readonly deed: 'copy-home'; readonly of: string; readonly as: string }
  | { readonly deed: 'lose-home'; readonly of: string }
  /** A new participant's card comes to where the cards are. */
  | { readonly deed: 'card'; readonly of: string }
  | { readonly deed: 'backup-key'; readonly of: string }
  /** Copies a whole folder, or one file of it, over what is there. */
  | { readonly deed: 'hand'; readonly ceremony: string; readonly from: string; readonly to: string; readonly path?: string }
  /** Puts a file of one ceremony, or of its maker, in the place of another. */
  | { readonly deed: 'exchange'; readonly at: string; readonly ceremony: string; readonly path: string; readonly by: string }
  | { readonly deed: 'flip'; readonly at: string; readonly ceremony: string; readonly path: string }
  | { readonly deed: 'edit'; readonly at: string; readonly ceremony: string; readonly path: string; readonly line: string; readonly text: string }
  /** A stick is lost: the copy of a folder is somewhere else now. */
  | { readonly deed: 'lose-folder'; readonly of: string; readonly ceremony: string }
  | { readonly deed: 'new-folder'; readonly of: string; readonly ceremony: string };

/** A round of the courier before a step. */
export interface Carry {
  readonly ceremony: string;
  readonly people: readonly string[];
  /** What does not arrive: files whose path begins with this, at this reader. */
  readonly withheld?: readonly { readonly path: string; readonly reader: string }[];
}

export type Act =
  | {
      readonly kind: 'command';
      readonly words: readonly Word[];
      readonly expect: Expect;
      /** The folder of this ceremony is made: `--out` and what a rehearsal needs are added. */
      readonly begins?: string;
      readonly carry?: Carry;
      /** The laptop loses power at this durable write. */
      readonly power?: number;
    }
  /** Everybody in turn, with the courier in between, until all are done. */
  | { readonly kind: 'rounds'; readonly ceremony: string; readonly withheld?: Carry['withheld'] }
  | { readonly kind: 'deeds'; readonly deeds: readonly Deed[]; readonly injects?: readonly string[] }
  /** The same public key as before the drill, in this epoch. */
  | { readonly kind: 'same-key'; readonly key: string; readonly epoch: number }
  /** No copy of this ceremony has a signature. */
  | { readonly kind: 'unsigned'; readonly ceremony: string; readonly copies: readonly string[] }
  /** Nothing secret of any home in what was lost. */
  | { readonly kind: 'scan'; readonly of: string };

export interface DrillStep {
  /** Who acts; each with the same command on the own laptop. */
  readonly who: readonly string[];
  /** What is done, in a clause. */
  readonly does: string;
  readonly act: Act;
  /** The fault that is noticed here, by whoever acts. */
  readonly notices?: string;
}

/** Something that is made to go wrong. */
export interface DrillFault {
  readonly id: string;
  /** What was done. */
  readonly what: string;
}

/** The people and the key of a drill. */
export interface DrillCast {
  readonly key: string;
  readonly ecdsa: boolean;
  readonly quorum: string;
  /** In the order of the quorum. */
  readonly holders: readonly string[];
  readonly lead: string;
  /** A holder without whom the others still sign. */
  readonly victim: string;
  /** Somebody new. */
  readonly newcomer: string;
  /** A minimal quorum among some people, with one of them in it; the lead first where it takes part. */
  signers(present: readonly string[], including: string): string[];
  /** Whether these people can sign. */
  suffices(present: readonly string[]): boolean;
  /** The same after a replacement: names of the old quorum stand for the new ones. */
  readonly replaced: Readonly<Record<string, string>>;
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** One line for the list. */
  readonly shows: string;
  /** What must hold for a pass, for the paper. */
  readonly goal: string;
  /** Participants beyond the holders. */
  readonly joining: readonly string[];
  readonly faults: readonly DrillFault[];
  readonly steps: readonly DrillStep[];
}
