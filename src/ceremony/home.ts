/**
 * A participant's home: the one place on a machine where its secrets and its memory live.
 *
 *   VERSION                     layout, mode, name and home id; refuses a newer layout
 *   identity/                   card, sealed identity, one-time encryption keys, custody keys of backups
 *   peers/                      cards of the others, and how they were compared
 *   keys/NAME/                  rank, care register, register of backups, locks
 *   keys/NAME/epoch-N/          certificate, sealed share and primes, stock, presignatures, spent marks, statements
 *   ceremonies/LABEL-ID/        plan, journal, messages in and out, sealed round secrets
 *   sessions/                   every ceremony id ever joined
 *   intents/                    every intent id ever acted on
 */
import { join } from 'node:path';
import * as v from 'valibot';
import { hex, nameOf } from '../plan/fields.ts';
import { type Card, parseCard } from '../plan/card.ts';
import type { Disk } from '../vault/durable.ts';
import { canonicalBytes, type Json } from '../wire/canon.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { readRecord } from './record.ts';

/** Layout of the home that this program writes. */
export const LAYOUT = 1;

const VersionSchema = v.strictObject({
  layout: v.pipe(v.number(), v.integer()),
  mode: v.picklist(['production', 'rehearsal']),
  name: nameOf('participant'),
  homeId: hex(16),
});

export type Mode = 'production' | 'rehearsal';

/** Public facts of a home. */
export type HomeFacts = v.InferOutput<typeof VersionSchema>;

/** An opened home: its place, its facts, and the way to the disk. */
export interface Home {
  readonly root: string;
  readonly facts: HomeFacts;
  readonly disk: Disk;
}

/** Writes the VERSION file: the last step of making a home. */
export function writeHomeFacts(disk: Disk, root: string, facts: HomeFacts): void {
  disk.write(join(root, 'VERSION'), canonicalBytes(facts as unknown as Json));
}

/**
 * Opens a home.
 * @throws E_NO_HOME when there is none, E_HOME_VERSION when a newer program wrote it, E_STATE when VERSION is damaged
 */
export function openHome(disk: Disk, root: string): Home {
  const file = join(root, 'VERSION');
  if (!disk.exists(file))
    fail('E_NO_HOME', `no home at ${root}`, { file: root, remedy: 'Make one first: mpc-ceremony init --name YOUR-NAME' });
  disk.checkPrivate(root);
  const layout = readRecord(disk, file, v.looseObject({ layout: v.number() }), 'the VERSION file of this home')?.layout;
  if (layout !== undefined && layout > LAYOUT)
    fail('E_HOME_VERSION', 'this home was written by a newer program', { file, remedy: 'Use the newer mpc-ceremony.' });
  const facts = readRecord(disk, file, VersionSchema, 'the VERSION file of this home') ?? fail('E_STATE', 'the VERSION file of this home has gone', { file });
  return { root, facts, disk };
}

/**
 * Ends the erasures that a crash interrupted, in every folder that holds sealed files: secrets that were to be destroyed
 * are gone before anything else is done. The caller holds the lock of the home.
 */
export function sweepHome(home: Home): void {
  const { disk } = home;
  const below = (...parts: string[]): string[] => disk.dirs(inHome(home, ...parts)).map((name) => inHome(home, ...parts, name));
  const epochs = below('keys').flatMap((key) => disk.dirs(key).map((epoch) => join(key, epoch)));
  const secrets = below('ceremonies').map((dir) => join(dir, 'secret'));
  for (const dir of [inHome(home, 'identity'), inHome(home, 'identity', 'prekeys'), ...epochs, ...epochs.flatMap((e) => [join(e, 'stock'), join(e, 'presignatures')]), inHome(home, 'identity', 'primes'), inHome(home, 'identity', 'custody'), ...secrets]) disk.removeStaleTemps(dir);
}

/** Path inside a home. */
export function inHome(home: Home, ...parts: string[]): string {
  return join(home.root, ...parts);
}

/** This participant's own card. @throws E_STATE when it is missing, E_CARD when it is damaged */
export function ownCard(home: Home): Card {
  const file = inHome(home, 'identity', `${home.facts.name}.card`);
  const bytes = home.disk.read(file, 65_536);
  if (!bytes) fail('E_STATE', 'the card of this home is missing', { file });
  return parseCard(bytes, file);
}

const LockSchema = v.strictObject({ code: v.literal('E_ROLLBACK'), text: v.string(), at: v.string() });

/** Why this home is locked, if it is. @throws E_STATE when the lock is damaged: then nothing goes on either */
export function lockReason(home: Home): string | undefined {
  return readRecord(home.disk, inHome(home, 'LOCKED'), LockSchema, 'the lock of this home')?.text;
}

/** Text and remedy of a locked home: what is safe, and the lawful way on (rule P6). */
export function lockedError(text: string): CeremonyError {
  return new CeremonyError('E_ROLLBACK', text, {
    details: [
      'Nothing was signed. This home will sign nothing more in the ceremonies begun before, and its stocks are void.',
      'Its key shares are still there.',
    ],
    remedy:
      'Find out which copy of this home is the newest and destroy the others. Then, on the one that is kept: mpc-ceremony card renew, and give the new card to the lead.',
  });
}

/** @throws E_ROLLBACK when the home is locked */
export function requireUnlocked(home: Home): void {
  const reason = lockReason(home);
  if (reason !== undefined) throw lockedError(reason);
}

const RenewedSchema = v.strictObject({ at: v.string() });

/** When this home was last renewed after a lock: it takes part in nothing that began before (rule P6). */
export function renewedAt(home: Home): Date | undefined {
  const at = readRecord(home.disk, inHome(home, 'RENEWED'), RenewedSchema, 'the record of the renewal of this home')?.at;
  return at === undefined ? undefined : new Date(at);
}

/** Lifts the lock; what began before stays closed. */
export function unlockHome(home: Home, now: Date): void {
  home.disk.write(inHome(home, 'RENEWED'), canonicalBytes({ at: now.toISOString() }));
  home.disk.erase(inHome(home, 'LOCKED'));
}

/** Locks the home: durable before the refusal is shown. */
export function lockHome(home: Home, text: string, now: Date): void {
  home.disk.write(inHome(home, 'LOCKED'), canonicalBytes({ code: 'E_ROLLBACK', text, at: now.toISOString() }));
}
