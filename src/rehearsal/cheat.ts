/**
 * The malicious participant of a rehearsal. It opens a rehearsal home of the stage with the rehearsal passphrase and takes
 * the place of the program for one message: makes it as an honest participant would, changes it, and signs and records it.
 * Afterwards the home holds the changed message as sent. Secret: it handles a rehearsal home's secrets, and no other's.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { collect } from '../ceremony/collect.ts';
import type { Driver } from '../ceremony/driver.ts';
import { utc } from '../ceremony/times.ts';
import type { Home } from '../ceremony/home.ts';
import { openIdentity, type Identity } from '../ceremony/identity.ts';
import { enter, readPlan } from '../ceremony/join.ts';
import { loadDriver } from '../ceremony/load-driver.ts';
import type { Port } from '../ceremony/port.ts';
import { CeremonyStore } from '../ceremony/store.ts';
import type { AuxSecret } from '../ecdsa/make-aux.ts';
import type { Inbound } from '../protocols/machine.ts';
import { alone } from '../protocols/make-crew.ts';
import { acquireLock } from '../vault/lock.ts';
import { Secret } from '../vault/secret.ts';
import { makeBlob } from '../wire/blob.ts';
import { toHex } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import { copyOf, PASSPHRASE_FILE, type Stage } from './stage.ts';

export const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));

/** Whose part is taken over, and where. */
export interface Cheating {
  readonly home: Home;
  readonly stage: Stage;
  readonly cheater: string;
  readonly ceremony: string;
  /** Primes for a key generation that begins here. Secret. */
  readonly primes?: AuxSecret;
}

/** A home that is open, in a ceremony: what a changed program has at hand. */
export interface Seized {
  readonly store: CeremonyStore;
  readonly driver: Driver;
  readonly identity: Identity;
  readonly messages: Inbound;
}

/** What the entry of a message says about those of others: the round before, and the newest head of each of them. */
function received(messages: Inbound, slot: number, own: number): { inputs?: Record<string, string>; seen?: Record<string, { hash: string; seq: number }> } {
  const inputs = [...(messages.get(slot - 1)?.values() ?? [])].map((e) => [e.name, toHex(e.hash)] as const);
  const heads = [...messages.values()].flatMap((m) => [...m.values()]).filter((e) => e.leaf !== own && e.head.seq > 0).sort((a, b) => a.head.seq - b.head.seq);
  const seen = heads.map(({ name, head }) => [name, { hash: toHex(head.hash), seq: head.seq }] as const);
  return { ...(inputs.length === 0 ? {} : { inputs: Object.fromEntries(inputs) }), ...(seen.length === 0 ? {} : { seen: Object.fromEntries(seen) }) };
}

/**
 * Sends a changed message in a slot. A home that has not joined yet joins.
 * @param change makes the body from the honest one
 * @throws E_REHEARSAL for a home that was not made for rehearsals
 */
export async function sendChanged(cheating: Cheating, slot: number, change: (honest: Uint8Array, seized: Seized) => Uint8Array | Promise<Uint8Array>): Promise<void> {
  const { home, stage, cheater, ceremony, primes } = cheating;
  if (home.facts.mode !== 'rehearsal') fail('E_REHEARSAL', 'only a rehearsal home can be made to cheat', { file: home.root });
  const lock = await acquireLock(home.root);
  try {
    const folder = join(stage.root, copyOf(cheater, ceremony));
    const passphrase = new Secret(new Uint8Array(readFileSync(join(stage.root, PASSPHRASE_FILE))).filter((b) => b !== 0x0a));
    const identity = await openIdentity(home, passphrase, random);
    const port: Port = {
      disk: home.disk,
      now: () => new Date(),
      random,
      unlock: () => Promise.resolve(identity),
      ask: () => fail('E_PERSON', 'nobody can be asked'),
      crew: alone,
      primes: primes && (() => Promise.resolve(primes)),
      say: () => undefined,
    };
    const { plan, planFile } = await readPlan(home, folder);
    const store = CeremonyStore.find(home, plan) ?? (await enter(home, plan, folder, planFile, port));
    collect(store, folder);
    const messages = store.messages();
    const driver = await loadDriver(store, port);
    const { message, body, before = [] } = await driver.make(slot, messages, identity);
    const changed = await change(body, { store, driver, identity, messages });
    const at = utc(port.now());
    for (const facts of before) store.append({ at, ...facts }, identity.signer);
    const blob = makeBlob(store.session, store.seat, slot, store.head, changed, identity.signer);
    store.prepare(slot, blob);
    store.append({ at, kind: 'sent', slot, message, subject: { bytes: blob.length, sha256: toHex(sha256(blob)) }, ...received(messages, slot, store.seat.leaf) }, identity.signer);
    driver.sent(slot);
    identity.vault.close();
  } finally {
    await lock.release();
  }
}
