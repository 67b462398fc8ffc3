/**
 * The one gate between a request and a share. It evaluates every check, returns every reason, and its decision is a
 * value that only it can make: releasing a share demands one. The policy language will be evaluated here.
 */
import { type SchemeName, SCHEMES } from '../curves/scheme.ts';
import { toHex } from '../wire/bytes.ts';
import { CeremonyError, type ErrorCode, fail } from '../wire/errors.ts';
import { digest } from '../wire/hash.ts';
import type { SignedIntent } from './intent.ts';

/** What the signer knows of the key it is asked to use. Public facts from its own certificate. */
export interface KeyFacts {
  readonly name: string;
  /** 16 bytes hex. */
  readonly id: string;
  readonly epoch: number;
  readonly scheme: SchemeName;
  readonly mode: 'production' | 'rehearsal';
  readonly derivable: boolean;
  /** Participants of the epoch: name → identity key, hex. */
  readonly roster: ReadonlyMap<string, string>;
}

/** What this signer remembers of the intent's id. */
export type IntentMemory = 'new' | 'this-attempt' | 'earlier-attempt' | 'spent';

declare const decided: unique symbol;

/** The outcome of the gate. Made by {@link decide} alone. */
export interface Decision {
  readonly [decided]: true;
  readonly allow: boolean;
  readonly reasons: readonly { readonly code: ErrorCode; readonly text: string }[];
  /** 32 bytes: the intent that was decided on. */
  readonly intentHash: Uint8Array;
  /** 32 bytes: covers intent, outcome and reasons; stands in the transcript. */
  readonly hash: Uint8Array;
}

const made = new WeakSet<object>();

/**
 * Decides whether a share may be released for an intent. All checks run; all failures are returned.
 * Canonical form and the initiator's signature are checked before, by {@link parseIntent}: `SignedIntent` is the proof.
 */
export function decide(signed: SignedIntent, key: KeyFacts, memory: IntentMemory, now: Date): Decision {
  const { intent } = signed;
  const reasons: { code: ErrorCode; text: string }[] = [];
  const refuse = (code: ErrorCode, text: string): void => {
    reasons.push({ code, text });
  };
  // the name is what people read when they approve: it must be that of the key that signs
  if (intent.keyId !== key.id || intent.keyName !== key.name) refuse('E_SCOPE', `the intent is for key ${intent.keyName} (${intent.keyId}), not for ${key.name} (${key.id})`);
  if (intent.algorithm !== key.scheme) refuse('E_KEY_PURPOSE', `the intent asks for ${intent.algorithm}; the key is for ${key.scheme}`);
  if (intent.keyEpoch !== key.epoch) refuse('E_EPOCH', `the intent names epoch ${String(intent.keyEpoch)}; epoch ${String(key.epoch)} is active`);
  if (intent.mode !== key.mode) refuse('E_REHEARSAL', `the intent is for ${intent.mode}, the key for ${key.mode}`);
  if (intent.path !== undefined && !key.derivable) refuse('E_PATH', `keys of ${key.scheme} have no derived keys`);
  const hashes = SCHEMES[key.scheme].protocol === 'cggmp24';
  if (intent.action === 'digest' && (!hashes || intent.payload.size !== 32 || intent.payload.hash !== undefined)) refuse('E_INTENT', 'only ECDSA signs a digest, of 32 bytes and without naming a hash');
  if (intent.action === 'message' && hashes !== (intent.payload.hash !== undefined)) refuse('E_INTENT', hashes ? 'the intent names no hash for the message' : `${key.scheme} signs the bytes as they are, without a hash`);
  if (now.getTime() >= Date.parse(intent.expires)) refuse('E_INTENT_EXPIRED', `the intent expired at ${intent.expires}`);
  if (now.getTime() < Date.parse(intent.created) - 600_000) refuse('E_INTENT_EXPIRED', `the intent was created at ${intent.created}, which this clock says is still to come`);
  if (key.roster.get(intent.initiator.name) !== intent.initiator.identity) refuse('E_INITIATOR', `${intent.initiator.name} is not a participant of this key, or has another identity key`);
  if (memory === 'spent') refuse('E_INTENT_SEEN', `intent ${intent.id} is single use and was used before`);
  const allow = reasons.length === 0;
  const decision = {
    allow,
    reasons,
    intentHash: signed.hash,
    hash: digest('decision/v1', signed.hash, allow ? 1 : 0, reasons.map((r) => r.code)),
  } as unknown as Decision;
  made.add(decision);
  return decision;
}

/**
 * Insists on a positive decision of the gate for exactly this intent.
 * @throws E_NO_DECISION when it is missing, forged, negative or for another intent
 */
export function requireDecision(decision: Decision | undefined, intentHash: Uint8Array): Decision {
  if (!decision || !made.has(decision) || !decision.allow || toHex(decision.intentHash) !== toHex(intentHash))
    fail('E_NO_DECISION', 'no positive decision of the gate for this intent');
  return decision;
}

/** The refusal of a negative decision as an error: the first reason leads, the others follow. */
export function refusal(decision: Decision, file: string): CeremonyError {
  const [first, ...rest] = decision.reasons;
  if (!first) return new CeremonyError('E_INTERNAL', 'a refusal without a reason');
  return new CeremonyError(first.code, first.text, {
    file,
    details: rest.map((r) => `${r.code}  ${r.text}`),
    remedy: 'Make a new intent for what is really wanted: mpc-ceremony intent create.',
  });
}
