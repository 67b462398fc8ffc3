/**
 * relay/: messages between machines that never meet, by way of somebody whom nobody has to trust. A relay keeps sealed
 * parts in places that are written once. It sees boxes, names, sizes, times and addresses, and can delay or lose; what
 * it may not do is decided by whoever opens a part ({@link ./open-part.ts}), never by it.
 */
import { fail } from '../wire/errors.ts';

/** Bytes of the largest part: a payload of 24 MiB, padded and sealed. */
export const MAX_PART_BYTES = 25 << 20;
/** Bytes of the largest payload of a part. */
export const MAX_PAYLOAD_BYTES = 24 << 20;
/** Most names that a box can hold. */
export const MAX_NAMES = 4096;

/** A box or a name: 16 bytes as lower-case hex. */
export const PLACE = /^[0-9a-f]{32}$/;

/** Every HTTP answer of a relay carries it: a portal in between answers as well, and must not be taken for one. */
export const RELAY_HEADER = 'mpc-ceremony-relay';
/** Its value: the version of the paths. */
export const RELAY_HEADER_VALUE = '1';

/** A carrier of sealed parts. Every method may be repeated. All methods throw E_RELAY when the relay cannot be reached or misbehaves. */
export interface Relay {
  /** Where it is, for screens: a folder or an address. Never holds a secret. */
  readonly address: string;
  /**
   * Puts bytes into a place, durably.
   * @param bytes 1 … {@link MAX_PART_BYTES}
   * @returns whether they are new there or lay there already
   * @throws E_RELAY_PART (field: name) when other bytes lie there
   */
  put(box: string, name: string, bytes: Uint8Array): Promise<'stored' | 'there'>;
  /** What lies in a place, or undefined. Not believed: may be anything. @throws E_RELAY_PART (field: name) when the place holds what cannot be read */
  get(box: string, name: string): Promise<Uint8Array | undefined>;
  /** Names in a box in ascending order, at most {@link MAX_NAMES}; a box nobody wrote to is empty. */
  list(box: string): Promise<string[]>;
  /** Ends when the box holds more than `known` names, or after `ms` milliseconds, or when the relay is closed. */
  wait(box: string, known: number, ms: number): Promise<void>;
  /** Ends waits and connections. */
  close(): Promise<void>;
}

/** How to reach a relay, beyond its address. */
export interface RelayOptions {
  /** Path of a NATS credentials file. */
  readonly creds?: string | undefined;
  /** Path of a PEM file with the certificates of those who may vouch for the relay's own, in place of the system's. */
  readonly ca?: string | undefined;
}

/** @throws E_INTERNAL unless both are places, and E_TOO_LARGE or E_INTERNAL for bytes that no part has */
export function checkPlace(box: string, name?: string, bytes?: Uint8Array): void {
  if (!PLACE.test(box) || (name !== undefined && !PLACE.test(name))) fail('E_INTERNAL', 'not a place of a relay');
  if (bytes === undefined) return;
  if (bytes.length === 0) fail('E_INTERNAL', 'a part of no bytes');
  if (bytes.length > MAX_PART_BYTES) fail('E_TOO_LARGE', `a part of ${String(bytes.length)} bytes; a relay carries at most ${String(MAX_PART_BYTES)}`);
}

/** Throws E_RELAY_PART because other bytes lie where these belong. */
export function taken(address: string, box: string, name: string): never {
  return fail('E_RELAY_PART', `other bytes lie in place ${name} of ${address}`, {
    field: name,
    remedy: `Either this home is an older copy of itself, or somebody exchanged the part. Compare with whoever keeps the relay; when the part is damaged, it may be taken away (box ${box}), and repeating the command brings it again.`,
  });
}
