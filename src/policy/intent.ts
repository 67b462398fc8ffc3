/**
 * policy/: what may be signed, and who decides. Imports nothing that can hold a secret.
 *
 * An intent says in canonical form what a signature is for. Signing starts from an intent and from nothing else; its
 * hash stands in the plan, in the gate's decision and in the request that every share answers.
 */
import * as v from 'valibot';
import { SCHEMES, type SchemeName } from '../curves/scheme.ts';
import { explainIssues, hex, int, line, nameOf, utcTime } from '../plan/fields.ts';
import { fromHex, toHex } from '../wire/bytes.ts';
import { canonicalBytes, type Json, parseCanonical } from '../wire/canon.ts';
import { type Signer, verifyEd25519 } from '../wire/ed25519.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { sha256, taggedHash } from '../wire/hash.ts';

/** Largest intent file. */
export const MAX_INTENT_BYTES = 65_536;
/** Larger messages travel beside the intent, named by their hash. */
export const MAX_INLINE_BYTES = 24_576;
/** Largest message that can be signed. */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

const IntentSchema = v.strictObject({
  v: v.literal(1),
  type: v.literal('mpc-ceremony/intent'),
  id: v.pipe(v.string(), v.regex(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/, 'must be a ULID')),
  mode: v.picklist(['production', 'rehearsal']),
  keyName: nameOf('key'),
  keyId: hex(16),
  keyEpoch: int(1, 1_000_000),
  algorithm: v.picklist(Object.keys(SCHEMES) as [SchemeName, ...SchemeName[]]),
  path: v.optional(v.pipe(v.string(), v.regex(/^m(?:\/(?:0|[1-9][0-9]{0,9})){1,16}$/, 'must be a path like m/0/5, without hardened steps'))),
  /** `digest`: 32 bytes that were hashed elsewhere, which nobody here can read; ECDSA only, and never from a stock. */
  action: v.picklist(['message', 'digest'], 'must be message or digest'),
  payload: v.strictObject({
    kind: v.literal('message'),
    /** ECDSA only: the hash under which the message is signed. Other schemes sign the bytes as they are. */
    hash: v.optional(v.picklist(['sha256', 'keccak256'], 'must be sha256 or keccak256')),
    size: int(0, MAX_MESSAGE_BYTES),
    sha256: hex(32),
    bytes: v.optional(v.pipe(v.string(), v.regex(/^0x(?:[0-9a-f]{2})*$/, 'must be 0x and lowercase hex'))),
  }),
  reason: v.optional(line(512)),
  initiator: v.strictObject({ name: nameOf('initiator'), identity: hex(32) }),
  created: utcTime,
  expires: utcTime,
  singleUse: v.literal(true),
});

/** The content of an intent. Public. */
export type Intent = v.InferOutput<typeof IntentSchema>;

/** An intent in canonical form with its initiator's signature checked; made by {@link parseIntent} alone. */
export interface SignedIntent {
  readonly intent: Intent;
  /** 32-byte tagged hash of the canonical intent. */
  readonly hash: Uint8Array;
  /** The exact file bytes. */
  readonly bytes: Uint8Array;
  readonly verified: true;
}

const FileSchema = v.strictObject({ intent: v.unknown(), signature: hex(64) });

/** Hash of an intent: SHA-256 tagged `intent/v1` over the canonical form. */
export function intentHash(intent: Intent): Uint8Array {
  return taggedHash('intent/v1', canonicalBytes(intent as unknown as Json));
}

/** Makes the intent file of its initiator. @throws E_INTENT when a field is out of range */
export function makeIntent(intent: Intent, signer: Signer): Uint8Array {
  const checked = v.safeParse(IntentSchema, intent);
  if (!checked.success) {
    const { field, text } = explainIssues(checked.issues);
    fail('E_INTENT', `${field}: ${text}`, { field });
  }
  const signature = toHex(signer.sign(intentHash(checked.output)));
  return canonicalBytes({ intent: checked.output, signature } as unknown as Json);
}

/**
 * Reads an intent file: canonical form, schema, initiator's signature.
 * @throws E_CANON, E_TOO_LARGE, E_INTENT, E_INITIATOR_SIG
 */
export function parseIntent(bytes: Uint8Array, file: string): SignedIntent {
  const remedy = 'Ask the initiator to make the intent again (mpc-ceremony intent create).';
  try {
    const outer = v.safeParse(FileSchema, parseCanonical(bytes, MAX_INTENT_BYTES));
    if (!outer.success) fail('E_INTENT', 'not an intent file');
    const inner = v.safeParse(IntentSchema, outer.output.intent);
    if (!inner.success) {
      const { field, text } = explainIssues(inner.issues);
      fail('E_INTENT', `${field}: ${text}`, { field });
    }
    const intent = inner.output;
    const hash = intentHash(intent);
    if (!verifyEd25519(fromHex(intent.initiator.identity), hash, fromHex(outer.output.signature)))
      fail('E_INITIATOR_SIG', `the intent is not signed by ${intent.initiator.name}`, { participant: intent.initiator.name, field: 'signature' });
    if (Date.parse(intent.expires) <= Date.parse(intent.created)) fail('E_INTENT', 'expires: is not after created', { field: 'expires' });
    return { intent, hash, bytes, verified: true };
  } catch (e) {
    throw e instanceof CeremonyError ? e.with({ file, remedy }) : e;
  }
}

/**
 * The message that an intent is about: inline, or the bytes of the file beside it.
 * @throws E_INTENT_HASH when size or hash differ, E_MISSING when it is not inline and no file was given
 */
export function intentMessage(intent: Intent, beside: Uint8Array | undefined): Uint8Array {
  const { payload } = intent;
  const message = payload.bytes === undefined ? beside : fromHex(payload.bytes.slice(2));
  if (!message) fail('E_MISSING', 'the message of the intent is missing', { remedy: 'Put the message file beside the intent, under the name of the intent with ".message" added.' });
  if (message.length !== payload.size || toHex(sha256(message)) !== payload.sha256)
    fail('E_INTENT_HASH', 'the message is not the one that the intent names', { field: 'payload' });
  return message;
}
