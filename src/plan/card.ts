/**
 * plan/: what everybody agrees on before any cryptography begins: cards and plans. Public data only.
 *
 * A card introduces a participant: name, home, identity key, relay key and one-time encryption keys, signed by the
 * identity key. Its 16 words cover the identity part alone, so that new one-time and custody keys do not change them.
 */
import * as v from 'valibot';
import { fromHex, toHex } from '../wire/bytes.ts';
import { type Json, canonicalBytes, parseCanonical } from '../wire/canon.ts';
import { checkIdentityKey, type Signer, verifyEd25519 } from '../wire/ed25519.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { taggedHash } from '../wire/hash.ts';
import { explainIssues, hex, nameOf } from './fields.ts';

/** Most one-time keys that a card may carry. */
export const MAX_PREKEYS = 64;
const MAX_CARD_BYTES = 32_768;

/** A one-time encryption key as published: counter, ristretto255 point (32 bytes hex), proof of possession (64 bytes hex). */
export const PrekeySchema = v.strictObject({
  n: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(0xffffffff)),
  P: hex(32),
  pop: hex(64),
});
export type PublicPrekey = v.InferOutput<typeof PrekeySchema>;

const CardSchema = v.strictObject({
  v: v.literal(1),
  type: v.literal('mpc-ceremony/card'),
  mode: v.picklist(['production', 'rehearsal']),
  name: nameOf('participant'),
  homeId: hex(16),
  ed25519: hex(32),
  x25519: hex(32),
  prekeys: v.pipe(v.array(PrekeySchema), v.maxLength(MAX_PREKEYS)),
  /** The X25519 key to which backups of others are made, with its counter; every renewal brings a new one. */
  custody: v.optional(v.strictObject({ n: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(0xffffffff)), key: hex(32) })),
  sig: hex(64),
});

/** A card whose form and signature were checked. Public. */
export type Card = v.InferOutput<typeof CardSchema>;

function signedBytes(card: Omit<Card, 'sig'>): Uint8Array {
  const { v: version, type, mode, name, homeId, ed25519, x25519, prekeys, custody } = card;
  return taggedHash('card/v1', canonicalBytes({ v: version, type, mode, name, homeId, ed25519, x25519, prekeys, ...(custody ? { custody } : {}) } as Json));
}

/** Makes and signs a card; prekeys in ascending order of their counter. */
export function makeCard(fields: Omit<Card, 'sig' | 'v' | 'type' | 'ed25519'>, signer: Signer): Card {
  const card = {
    v: 1 as const,
    type: 'mpc-ceremony/card' as const,
    ...fields,
    prekeys: [...fields.prekeys].sort((a, b) => a.n - b.n),
    ed25519: toHex(signer.publicKey),
  };
  return { ...card, sig: toHex(signer.sign(signedBytes(card))) };
}

/** The file bytes of a card. */
export function encodeCard(card: Card): Uint8Array {
  return canonicalBytes(card as Json);
}

/**
 * Reads a card file. The proofs of possession of its one-time keys are checked where a plan takes one up.
 * @throws E_CARD naming the file and field
 */
export function parseCard(bytes: Uint8Array, file: string): Card {
  const remedy = 'Ask its owner for the card again (mpc-ceremony card show).';
  let json: Json;
  try {
    json = parseCanonical(bytes, MAX_CARD_BYTES);
  } catch (e) {
    const text = e instanceof CeremonyError ? e.message : 'unreadable';
    throw new CeremonyError('E_CARD', `this is not a card: ${text}`, { file, remedy, cause: e });
  }
  const parsed = v.safeParse(CardSchema, json);
  if (!parsed.success) {
    const { field, text } = explainIssues(parsed.issues);
    throw new CeremonyError('E_CARD', `this card cannot be used: ${field}: ${text}`, { file, field, remedy });
  }
  const card = parsed.output;
  try {
    checkIdentityKey(fromHex(card.ed25519));
  } catch (cause) {
    throw new CeremonyError('E_CARD', 'the identity key is not usable', { file, field: 'ed25519', remedy, cause });
  }
  card.prekeys.forEach((p, i) => {
    const before = card.prekeys[i - 1];
    if (before && before.n >= p.n) fail('E_CARD', 'one-time keys are not in ascending order', { file, field: 'prekeys' });
  });
  if (!verifyEd25519(fromHex(card.ed25519), signedBytes(card), fromHex(card.sig)))
    fail('E_CARD', `the card of ${card.name} is not signed by its own identity key`, {
      file,
      field: 'sig',
      participant: card.name,
      remedy,
    });
  return card;
}

/** The 16 bytes whose words are compared aloud: they cover name, home and keys, but not the one-time keys. */
export function cardFingerprint(card: Pick<Card, 'mode' | 'name' | 'homeId' | 'ed25519' | 'x25519'>): Uint8Array {
  const { mode, name, homeId, ed25519, x25519 } = card;
  return taggedHash('card-identity/v1', canonicalBytes({ mode, name, homeId, ed25519, x25519 })).slice(0, 16);
}
