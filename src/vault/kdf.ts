/** From a passphrase to a key: Argon2id (RFC 9106) by libsodium, one lane. */
import { CeremonyError, fail } from '../wire/errors.ts';
import type { Sodium } from '../wire/sodium.ts';
import { Secret } from './secret.ts';

/** What one guess at the passphrase costs. Public; kept in the header of the file it protects. */
export interface KdfCost {
  /** Bytes of memory. */
  readonly memory: number;
  /** Passes over the memory. */
  readonly passes: number;
}

const MIB = 1024 * 1024;

/** About a second on a laptop. */
export const PRODUCTION: KdfCost = { memory: 256 * MIB, passes: 3 };
/** The least that is accepted. Rehearsals start many participants on one machine, and their homes protect nothing. */
export const REHEARSAL: KdfCost = { memory: 8 * MIB, passes: 1 };

const CEILING: KdfCost = { memory: 1024 * MIB, passes: 10 };

export const SALT_BYTES = 16;
export const KEY_BYTES = 32;

/**
 * Whether a cost read from a file may be paid: above the ceiling it would exhaust the machine. To be asked before any
 * memory is taken. The cost is authenticated with the file: who lowers it has another key and opens nothing.
 */
export function acceptableCost({ memory, passes }: KdfCost): boolean {
  const within = (value: number, floor: number, ceiling: number): boolean =>
    Number.isSafeInteger(value) && value >= floor && value <= ceiling;
  return (
    within(memory, REHEARSAL.memory, CEILING.memory) &&
    memory % 1024 === 0 &&
    within(passes, REHEARSAL.passes, CEILING.passes)
  );
}

/**
 * The 32-byte key (secret) of a passphrase. Blocks for as long as the cost says.
 * @param salt 16 bytes, public, random for each file
 * @throws E_INTERNAL for a cost that {@link acceptableCost} refuses; E_MACHINE when the memory cannot be had
 */
export function deriveKey(sodium: Sodium, passphrase: Secret, salt: Uint8Array, cost: KdfCost): Secret {
  if (!acceptableCost(cost)) fail('E_INTERNAL', 'the cost of the key derivation is out of bounds');
  return passphrase.use((bytes) => {
    try {
      return new Secret(
        sodium.crypto_pwhash(
          KEY_BYTES,
          bytes,
          salt,
          cost.passes,
          cost.memory,
          sodium.crypto_pwhash_ALG_ARGON2ID13,
        ),
      );
    } catch (cause) {
      const need = `${String(cost.memory / MIB)} MiB of memory`;
      throw new CeremonyError('E_MACHINE', `the passphrase cannot be processed: it needs ${need}`, {
        remedy: 'close other programs or use a machine with more memory',
        cause,
      });
    }
  });
}
