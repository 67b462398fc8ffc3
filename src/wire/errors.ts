/**
 * The one error type of the program. Every refusal carries a stable code, and where they are known the
 * participant, the file, the field and the remedy, so that a tired operator and a script read the same facts.
 */

/** Exit codes of the binary: the closed list that `help exit-codes` prints. */
export const EXIT = {
  ok: 0,
  waiting: 10,
  needsPerson: 11,
  refused: 20,
  wrong: 21,
  cannotTell: 22,
  equivocation: 23,
  stateConflict: 24,
  declined: 30,
  environment: 40,
  usage: 64,
  internal: 70,
  io: 74,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What each exit code means and what a script should do about it (`help exit-codes`). */
export const EXIT_TABLE: readonly (readonly [ExitCode, string, string])[] = [
  [EXIT.ok, 'progressed, or complete (nextAction.code is DONE)', 'go on'],
  [EXIT.waiting, 'nothing to do: waiting for others', 'try later'],
  [EXIT.needsPerson, 'a person must answer, and there is no terminal to ask at', 'fetch a person'],
  [EXIT.refused, 'plan or policy refuses', 'fix the plan or the intent'],
  [EXIT.wrong, 'checked and wrong; the culprit is named', 'stop, keep everything'],
  [EXIT.cannotTell, 'cannot tell: something needed is missing', 'supply it'],
  [EXIT.equivocation, 'equivocation: same sender, same round, different bytes', 'stop; both signed copies are kept'],
  [EXIT.stateConflict, 'own state conflicts: rolled back, stale epoch, locked', 'compare with the words on paper'],
  [EXIT.declined, 'the operator said no, or the ceremony was aborted', 'read the reason'],
  [EXIT.environment, 'the environment is not fit', 'fix the machine'],
  [EXIT.usage, 'usage', 'read the help of the command'],
  [EXIT.internal, 'internal error', 'report it with the text shown'],
  [EXIT.io, 'input or output failed', 'check disk, stick and permissions, then repeat the command'],
  [EXIT.interrupted, 'interrupted', 'repeat the command'],
];

/** Every stable error code, with the exit code it ends in and one line for `help errors`. */
export const ERRORS = {
  // format of what comes from outside
  E_CANON: [EXIT.wrong, 'bytes are not in canonical form'],
  E_FORMAT: [EXIT.wrong, 'bytes do not have the required form, length or range'],
  E_TOO_LARGE: [EXIT.wrong, 'larger than any honest file of this kind'],
  E_VERSION: [EXIT.refused, 'written by another version of the format'],
  E_POINT: [EXIT.wrong, 'not a canonical point of the prime-order group'],
  E_SCALAR: [EXIT.wrong, 'not a canonical scalar'],
  // plan and quorum
  E_PLAN_FIELD: [EXIT.refused, 'a plan field is unknown, unused, missing or out of range'],
  E_PLAN_EXPIRED: [EXIT.refused, 'the plan has expired or is not yet valid'],
  E_PLAN_CHANGED: [EXIT.refused, 'the plan in the folder is not the one that was joined'],
  E_ROSTER_ORDER: [EXIT.refused, 'the roster is not in the order that the quorum expression gives'],
  E_ROSTER_HASH: [EXIT.refused, 'the roster differs from the one this ceremony began with'],
  E_SEAT_DUP: [EXIT.refused, 'one participant, card or home in two seats'],
  E_THRESHOLD: [EXIT.refused, 'the quorum could be satisfied by one person'],
  E_QUORUM_SYNTAX: [EXIT.refused, 'the quorum expression cannot be read'],
  E_QUORUM: [EXIT.refused, 'the signers do not satisfy the quorum'],
  E_QUORUM_SURPLUS: [EXIT.refused, 'more signers than the quorum needs'],
  E_WEAKEN: [EXIT.refused, 'the new quorum is weaker than the old one, and the plan does not say that this is wanted'],
  E_ROLE_SHORT: [EXIT.refused, 'a role has fewer holders than are asked of it'],
  E_SCHEME: [EXIT.refused, 'unknown or unsuitable scheme'],
  E_CARD: [EXIT.refused, 'a card is missing, foreign, damaged or not signed by its owner'],
  E_PREKEY_BUSY: [EXIT.refused, 'a one-time encryption key is used, reserved or unknown'],
  E_NOT_JOINED: [EXIT.refused, 'this participant has not joined the ceremony'],
  E_NOT_PARTICIPANT: [EXIT.refused, 'this home has no seat in the plan'],
  E_REHEARSAL: [EXIT.refused, 'rehearsal and production do not mix'],
  E_SESSION_SEEN: [EXIT.refused, 'this home has already joined a ceremony with this identity'],
  E_RECIPIENT: [EXIT.refused, 'a key that a backup is to be encrypted to cannot be used'],
  E_BACKUP_KEY: [EXIT.refused, 'the key or passphrase given does not open this backup'],
  E_BACKUP_PLACE: [EXIT.refused, 'another copy of this backup is kept at the same place'],
  E_CUSTODY_REUSED: [EXIT.refused, 'a custody key already holds a backup of another epoch of the key'],
  E_ESCROW: [EXIT.refused, 'the backup would let too few people reach the key'],
  E_EXISTS: [EXIT.refused, 'would overwrite something that exists'],
  E_UNKNOWN_KEY: [EXIT.refused, 'no such key in this home'],
  E_KEY_PENDING: [EXIT.refused, 'the key has no complete certificate yet'],
  E_KEY_PURPOSE: [EXIT.refused, 'the key was made for another scheme or purpose'],
  E_TWO_SHARES: [EXIT.refused, 'this home already holds a share of the key'],
  E_RANK: [EXIT.refused, 'the rank of the attempt does not follow the rank rules'],
  E_WITNESS: [EXIT.cannotTell, 'a witness named in the plan has not signed'],
  E_WITNESS_SHARE: [EXIT.refused, 'a witness may not hold a share'],
  E_ROUTE: [EXIT.refused, 'the plan does not allow this route, or the route cannot carry what the plan needs'],
  E_RELEASE: [EXIT.refused, 'the plan asks for another program than this one'],
  E_AIRGAP: [EXIT.refused, 'the plan asks for machines without network, and one does not attest that it had none'],
  E_ATTENDED: [EXIT.refused, 'the plan asks for a person; a scripted answer is not accepted'],
  // intents and the gate
  E_INTENT: [EXIT.refused, 'the intent has an unknown, missing or out-of-range field'],
  E_INTENT_HASH: [EXIT.refused, 'intent and payload do not belong together'],
  E_INTENT_EXPIRED: [EXIT.refused, 'the intent has expired or is not yet valid'],
  E_INTENT_SEEN: [EXIT.refused, 'the intent is single use and was used before'],
  E_INITIATOR: [EXIT.refused, 'the initiator is not known here'],
  E_INITIATOR_SIG: [EXIT.refused, "the initiator's signature does not verify"],
  E_SCOPE: [EXIT.refused, 'the intent names another key'],
  E_PATH: [EXIT.refused, 'the derivation path is not allowed'],
  E_RAW_DIGEST: [EXIT.refused, 'a digest made elsewhere is never signed from stock'],
  E_BLOCKED: [EXIT.refused, 'a participant who cheated takes no part until a person has looked'],
  E_ABORT_LIMIT: [EXIT.refused, 'too many failures of one participant in this epoch'],
  E_NO_DECISION: [EXIT.refused, 'a share is released only with a decision of the gate'],
  // verification: checked and wrong
  E_SIGNATURE: [EXIT.wrong, 'a signature does not verify'],
  E_COMMIT: [EXIT.wrong, 'what was revealed is not what was committed to'],
  E_POP: [EXIT.wrong, 'a proof of possession does not verify'],
  E_DEALING: [EXIT.wrong, 'a dealing has the wrong shape'],
  E_SEALING: [EXIT.wrong, 'a sealing proof does not verify'],
  E_VSS: [EXIT.wrong, 'a sub-share does not fit the commitments'],
  E_FALSE_COMPLAINT: [EXIT.wrong, 'a complaint accuses an honest dealer'],
  E_CONFIRM: [EXIT.wrong, 'a confirmation is for something else'],
  E_SHARE: [EXIT.wrong, 'a signature share does not verify'],
  E_SHARE_PROOF: [EXIT.wrong, 'a proof of share health is for something else, or not a fresh one'],
  E_REQUEST: [EXIT.wrong, 'a signature share, or a released piece, answers another request'],
  E_PIECE: [EXIT.wrong, 'a custodian signed a piece that is not the one dealt to it'],
  E_RECOVERY: [EXIT.wrong, 'a file of a recovery is damaged, or not for the backup beside it'],
  E_PROOF: [EXIT.wrong, 'a zero-knowledge proof does not verify'],
  E_RANGE: [EXIT.wrong, 'a value or a response of a proof is out of its range'],
  E_MODULUS: [EXIT.wrong, 'a modulus has the wrong size or form'],
  E_FIXTURE: [EXIT.wrong, 'a modulus made for tests, whose factors everybody knows'],
  E_SUM: [EXIT.wrong, 'the parts of a presignature do not add up'],
  E_CERTIFICATE: [EXIT.wrong, 'a certificate does not verify'],
  E_FOREIGN: [EXIT.wrong, 'key shares of another implementation do not belong together'],
  E_CHAIN: [EXIT.wrong, 'a transcript chain is broken'],
  E_EVIDENCE: [EXIT.wrong, 'the evidence does not show what it claims'],
  E_AUX_COLLISION: [EXIT.declined, 'two moduli have a common factor; both owners make new ones'],
  E_DEGENERATE: [EXIT.declined, 'the result is degenerate; start a further attempt'],
  E_BACKUP_BAD: [EXIT.wrong, 'a backup is damaged, exchanged, or holds something else than it says'],
  E_BACKUP_PROOF: [EXIT.wrong, 'the proof of a backup does not verify'],
  E_SHEET: [EXIT.wrong, 'a line typed from a printed backup is wrong'],
  // carriers
  E_QR: [EXIT.wrong, 'a code, or the parts of one, cannot be what this program shows'],
  E_PARCEL: [EXIT.wrong, 'what a code or a relay carried has the wrong form, or is not for this ceremony'],
  E_RELAY_PART: [EXIT.wrong, 'what lies in a place of the relay does not open, or is not signed by its sender'],
  // views and equivocation
  E_EQUIVOCATION: [EXIT.equivocation, 'one sender signed two different messages for one slot'],
  E_FORK: [EXIT.equivocation, 'one author signed two different entries with one number'],
  E_VIEW: [EXIT.equivocation, 'two participants hold different messages of a round'],
  // missing
  E_MISSING: [EXIT.cannotTell, 'something needed is missing'],
  // own state
  E_ROLLBACK: [EXIT.stateConflict, 'this home is an older copy of itself, or one of two copies in use'],
  E_LOCKED: [EXIT.stateConflict, 'this home is locked'],
  E_BUSY: [EXIT.stateConflict, 'another process is using this home'],
  E_STATE: [EXIT.stateConflict, 'the stored state of this home is damaged'],
  E_SHARE_BAD: [EXIT.stateConflict, 'the share in this home is not the one that the certificate speaks of'],
  E_EPOCH: [EXIT.stateConflict, 'the epoch is not the active one'],
  E_RETIRED: [EXIT.stateConflict, 'this home has ended its part in the key; its shares are destroyed'],
  E_BALANCE_ATTEST: [EXIT.refused, 'a key ends only when somebody attests that nothing depends on it'],
  E_RETIRE_OPEN: [EXIT.cannotTell, 'an epoch cannot be closed yet: something is left of it'],
  E_RESTORED: [EXIT.stateConflict, 'the share came from a backup; it is dealt on and signs nothing'],
  E_NONCE_BURNED: [EXIT.stateConflict, 'a nonce was already spent on another request'],
  E_PRESIGN_USED: [EXIT.stateConflict, 'a presignature was already spent, or is not in this home'],
  E_R_REUSE: [EXIT.stateConflict, 'a nonce point repeats: randomness is faulty or a copy is in use'],
  E_HOME_VERSION: [EXIT.stateConflict, 'the home was written by a newer program'],
  E_NO_HOME: [EXIT.refused, 'there is no home here'],
  // people
  E_PASSPHRASE: [EXIT.needsPerson, 'the passphrase is wrong'],
  E_PERSON: [EXIT.needsPerson, 'a person must answer'],
  E_WORDS: [EXIT.wrong, 'the words that were read aloud are not the ones shown'],
  E_DECLINED: [EXIT.declined, 'the operator said no'],
  E_ABORTED: [EXIT.declined, 'the ceremony was aborted'],
  E_ANSWERS: [EXIT.usage, 'the answers file has an unknown or unused id'],
  // machine
  E_RNG: [EXIT.environment, 'the random source fails its test'],
  E_NETWORK_UP: [EXIT.environment, 'the plan asks for an air gap and a network interface is up'],
  E_MACHINE: [EXIT.environment, 'the machine is not fit for this plan'],
  E_RELAY: [EXIT.io, 'the relay cannot be reached, or does not do what a relay does'],
  E_IO: [EXIT.io, 'reading or writing failed'],
  E_USAGE: [EXIT.usage, 'the command line cannot be understood'],
  E_INTERNAL: [EXIT.internal, 'an unexpected error'],
  E_INTERRUPTED: [EXIT.interrupted, 'interrupted'],
} as const satisfies Record<string, readonly [ExitCode, string]>;

export type ErrorCode = keyof typeof ERRORS;

/** Facts about an error beyond its code and text; all of them public, none may hold a secret. */
export interface ErrorFacts {
  /** Name of the participant who is to blame or concerned. */
  readonly participant?: string | undefined;
  readonly file?: string | undefined;
  readonly field?: string | undefined;
  /** The lawful next step, in words an operator can follow. */
  readonly remedy?: string | undefined;
  /** Further lines for the screen. */
  readonly details?: readonly string[] | undefined;
  readonly cause?: unknown;
}

/** The only error that the program throws on purpose. Its text never contains a secret. */
export class CeremonyError extends Error {
  readonly code: ErrorCode;
  readonly facts: ErrorFacts;
  constructor(code: ErrorCode, text: string, facts: ErrorFacts = {}) {
    super(text, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = 'CeremonyError';
    this.code = code;
    this.facts = facts;
  }
  /** Exit code of the process when this error ends it. */
  get exit(): ExitCode {
    return ERRORS[this.code][0];
  }
  /** The same error with further facts; existing facts win. */
  with(facts: ErrorFacts): CeremonyError {
    return new CeremonyError(this.code, this.message, { ...facts, ...this.facts });
  }
}

/**
 * Throws a {@link CeremonyError}; reads as a sentence at the call site.
 * @throws always
 */
export function fail(code: ErrorCode, text: string, facts?: ErrorFacts): never {
  throw new CeremonyError(code, text, facts);
}
