/**
 * The envelope: everything one participant says in one round, as one signed blob.
 *
 *   version 1 | ceremony 16 | slot 1 | leaf 1 | head seq 4 | head hash 32 | body … | Ed25519 signature 64
 *
 * Only what a receiver cannot rebuild is transmitted; the whole session descriptor (through its 32-byte digest), the
 * kind, the attempt and the sender's name are signed with it. The sender is who the signature says, never a file name
 * or a field inside the body (attack row 37).
 */
import { concat, fromHex, Reader, toHex, u32 } from './bytes.ts';
import { type Signer, verifyEd25519 } from './ed25519.ts';
import { fail } from './errors.ts';
import { encodeItem, sha256 } from './hash.ts';

export const BLOB_VERSION = 1;
/** Bytes around the body. */
export const BLOB_OVERHEAD = 1 + 16 + 1 + 1 + 4 + 32 + 64;
/** No blob is larger; plans whose messages would be are refused. A round of 1000 presignatures has up to 10 MB. */
export const MAX_BLOB_BYTES = 1 << 24;
/** Where a session does not say otherwise, no honest blob is larger. */
export const USUAL_BLOB_BYTES = 1 << 20;

/** Place in the sender's own transcript chain: number of the last entry (0: none) and its hash (32 bytes). */
export interface Head {
  readonly seq: number;
  readonly hash: Uint8Array;
}

/** Highest number that an entry of a chain can have. */
export const MAX_SEQ = 1_000_000;

/** The head of an empty chain. */
export const EMPTY_HEAD: Head = { seq: 0, hash: new Uint8Array(32) };

/** Who sits where: the leaf id (1..64) of the quorum tree, the name, and the raw Ed25519 key. */
export interface Seat {
  readonly leaf: number;
  readonly name: string;
  readonly identity: Uint8Array;
}

/** What both sides know before a blob travels. All public. */
export interface Session {
  /** 32-byte digest of the plan. */
  readonly sid: Uint8Array;
  readonly kind: string;
  readonly attempt: number;
  /** In ascending order of leaf id. */
  readonly seats: readonly Seat[];
  /** Bytes that no honest blob of this session exceeds, if that is not {@link USUAL_BLOB_BYTES}. */
  readonly maxBytes?: number;
}

/** A blob whose signature was checked; made by {@link openBlob} alone. */
export interface Envelope {
  readonly slot: number;
  readonly leaf: number;
  readonly name: string;
  readonly head: Head;
  readonly body: Uint8Array;
  /** The exact bytes, and their SHA-256: what echoes and transcripts refer to. */
  readonly bytes: Uint8Array;
  readonly hash: Uint8Array;
  readonly verified: true;
}

/** Header fields of a blob before its signature is checked: hints for finding the session, nothing more. */
export interface BlobHint {
  readonly ceremony: string;
  readonly slot: number;
  readonly leaf: number;
}

function signedBytes(session: Session, seat: Seat, slot: number, head: Head, body: Uint8Array): Uint8Array {
  return encodeItem([
    'mpc-ceremony/blob/v1',
    session.sid,
    session.kind,
    session.attempt,
    slot,
    seat.leaf,
    seat.name,
    head.seq,
    head.hash,
    sha256(body),
  ]);
}

/** Makes the blob of `seat` for `slot`. The signature is deterministic: the same input gives the same bytes. */
export function makeBlob(
  session: Session,
  seat: Seat,
  slot: number,
  head: Head,
  body: Uint8Array,
  signer: Signer,
): Uint8Array {
  const signature = signer.sign(signedBytes(session, seat, slot, head, body));
  return concat(
    Uint8Array.of(BLOB_VERSION),
    session.sid.slice(0, 16),
    Uint8Array.of(slot, seat.leaf),
    u32(head.seq),
    head.hash,
    body,
    signature,
  );
}

/**
 * Reads the header of a blob without trusting it.
 * @returns undefined when the bytes cannot be a blob at all
 */
export function blobHint(bytes: Uint8Array): BlobHint | undefined {
  if (bytes.length < BLOB_OVERHEAD || bytes[0] !== BLOB_VERSION) return undefined;
  return { ceremony: toHex(bytes.slice(1, 17)), slot: bytes[17] as number, leaf: bytes[18] as number };
}

/**
 * Checks a blob against the session: version, ceremony, seat, signature.
 * @throws E_TOO_LARGE, E_VERSION, E_FORMAT, E_SIGNATURE (names the seat in the header, who is not thereby to blame)
 */
export function openBlob(bytes: Uint8Array, session: Session): Envelope {
  if (bytes.length > (session.maxBytes ?? USUAL_BLOB_BYTES)) fail('E_TOO_LARGE', `a blob of ${String(bytes.length)} bytes`);
  const r = new Reader(bytes);
  const version = r.u8('version');
  if (version !== BLOB_VERSION) fail('E_VERSION', `blob version ${String(version)}; this program reads 1`);
  const ceremony = r.take(16, 'ceremony');
  if (toHex(ceremony) !== toHex(session.sid.slice(0, 16)))
    fail('E_FORMAT', 'this blob belongs to another ceremony', { field: 'ceremony' });
  const slot = r.u8('slot');
  const leaf = r.u8('leaf');
  const head: Head = { seq: r.u32('head.seq'), hash: r.take(32, 'head.hash') };
  if (r.remaining < 64) fail('E_FORMAT', 'too short: signature is missing', { field: 'signature' });
  const body = r.take(r.remaining - 64, 'body');
  const signature = r.take(64, 'signature');
  const seat = session.seats.find((s) => s.leaf === leaf);
  if (!seat) fail('E_FORMAT', `seat ${String(leaf)} is not in the plan`, { field: 'leaf' });
  if (!verifyEd25519(seat.identity, signedBytes(session, seat, slot, head, body), signature))
    fail('E_SIGNATURE', `not signed by ${seat.name}, whose seat it claims`, {
      field: 'signature',
      remedy: 'The bytes were damaged or forged on the way. Bring the file again from its sender.',
    });
  return { slot, leaf, name: seat.name, head, body, bytes, hash: sha256(bytes), verified: true };
}

/** Ceremony id: the first 16 bytes of the session digest, as hex. */
export function ceremonyId(sid: Uint8Array): string {
  return toHex(sid.slice(0, 16));
}

/** Bytes of a ceremony id. @throws E_FORMAT */
export function ceremonyIdBytes(id: string): Uint8Array {
  return fromHex(id, 16);
}
