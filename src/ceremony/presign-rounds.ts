/** The rounds of presigning in a home: where their secrets rest. Used by presigning and by ECDSA signing without a stock. */
import { join } from 'node:path';
import type { AuxSecret } from '../ecdsa/make-aux.ts';
import type { Inbound } from '../protocols/machine.ts';
import { type Crew, ownJudge } from '../protocols/make-crew.ts';
import type { Judge } from '../protocols/crew.ts';
import { bindingOfRounds, CLOSE, CONVERT, type Mismatch, OFFER, type Presigning, SUM } from '../protocols/presign.ts';
import { makeConverts, makeOffers, makeSums, makeTraceMessage, presignSecrets, type Signer } from '../protocols/presign-participant.ts';
import type { Certificate } from '../protocols/epoch.ts';
import { fail } from '../wire/errors.ts';
import type { Identity } from './identity.ts';
import { burnNonce, epochPrimesPath, loadShare, stockPath } from './key-store.ts';
import type { Port } from './port.ts';
import { storedPrimes } from './primes.ts';
import type { CeremonyStore } from './store.ts';

/** This signer's part in rounds 1 to 3 and in the error round. */
export class PresignRounds {
  readonly #store: CeremonyStore;
  readonly #p: Presigning;
  readonly #certificate: Certificate;
  readonly #port: Port;

  constructor(store: CeremonyStore, p: Presigning, certificate: Certificate, port: Port) {
    this.#store = store;
    this.#p = p;
    this.#certificate = certificate;
    this.#port = port;
  }

  get #leaf(): number {
    return this.#store.seat.leaf;
  }
  get #crew(): Crew {
    return this.#port.crew;
  }
  get #name(): string {
    return this.#certificate.epoch.key.name;
  }
  #primes({ vault }: Identity): AuxSecret {
    return storedPrimes(vault, epochPrimesPath(this.#name, this.#certificate.epoch.number)) ?? fail('E_STATE', `the primes of ${this.#name} are missing from this home`);
  }
  #forSlot(slot: number): string {
    return this.#store.secretPath(`for-${String(slot)}`);
  }
  /** Where the secret lies that a slot needs: that of a stocked offer, or what the round before left. */
  #secretPath(slot: number): string {
    const stocked = slot === CONVERT ? this.#p.stocked?.get(this.#leaf) : undefined;
    return stocked ? stockPath(this.#name, this.#certificate.epoch.number, stocked.index) : this.#forSlot(slot);
  }
  #secret(slot: number, { vault }: Identity): Uint8Array {
    return (
      vault.get(this.#secretPath(slot)) ??
      fail(slot === CONVERT && this.#p.stocked ? 'E_NONCE_BURNED' : 'E_STATE', 'the secret of this round is not in this home any more', {
        remedy: 'Ask the lead for a further attempt: mpc-ceremony sign --again FOLDER --live.',
      })
    );
  }

  /** This signer as judge of what it received; with its own factors where the home is open already. */
  async judge(everything: boolean): Promise<Judge> {
    if (everything) return { crew: { check: (task, args) => this.#crew.run(task, args) } };
    return { ...ownJudge(this.#crew, this.#leaf, this.#primes(await this.#port.unlock())), settled: this.#store.settled };
  }

  /** The body of rounds 1 to 3. Its secret is sealed before it is returned. @throws E_NONCE_BURNED for a stocked offer that was spent otherwise */
  async make(slot: number, messages: Inbound, identity: Identity): Promise<Uint8Array> {
    const { vault } = identity;
    const share = loadShare(vault, this.#certificate);
    const signer: Signer = { leaf: this.#leaf, own: this.#primes(identity), share, crew: this.#crew, random: this.#port.random };
    const stocked = this.#p.stocked?.get(this.#leaf);
    if (slot === CONVERT && stocked) burnNonce(this.#store.home, this.#name, this.#certificate.epoch.number, stocked.bytes, bindingOfRounds(this.#p, messages, 0));
    const before = slot === OFFER ? new Uint8Array(0) : this.#secret(slot, identity);
    const makers = { [OFFER]: () => makeOffers(this.#p, signer), [CONVERT]: () => makeConverts(this.#p, signer, before, messages), [SUM]: () => makeSums(this.#p, signer, before, messages) };
    const { body, secret } = await (makers[slot as keyof typeof makers] ?? fail('E_INTERNAL', 'no such round'))();
    vault.put(this.#forSlot(slot + 1), secret);
    for (const bytes of [secret, before, share]) bytes.fill(0);
    return body;
  }

  /** The body of the error round. */
  async trace(messages: Inbound, identity: Identity, mismatch: Mismatch): Promise<Uint8Array> {
    const share = new Uint8Array(0);
    const signer: Signer = { leaf: this.#leaf, own: this.#primes(identity), share, crew: this.#crew, random: this.#port.random };
    const secret = this.#secret(CLOSE, identity);
    const body = await makeTraceMessage(this.#p, signer, secret, messages, mismatch);
    secret.fill(0);
    return body;
  }

  /** What is kept of each presignature, once all parts add up: 64 bytes each, secret; undefined where the rounds' secrets are gone. */
  halves(messages: Inbound, { vault }: Identity): Uint8Array[] | undefined {
    const secret = vault.get(this.#forSlot(CLOSE));
    if (!secret) return undefined;
    const halves = presignSecrets(this.#p, secret, messages);
    secret.fill(0);
    return halves;
  }

  /** Destroys what the round before needed, once a message counts as sent. */
  sent(slot: number): void {
    if (slot === OFFER) return;
    this.#store.home.disk.erase(join(this.#store.home.root, this.#secretPath(slot)));
  }

  /** Destroys every secret of the rounds, a stocked offer too. */
  destroy(): void {
    if (this.#p.stocked) this.sent(CONVERT);
    this.#store.destroySecrets();
  }
}
