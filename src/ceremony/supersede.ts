/** What a certificate does to the rest of a home: first it is stored, then all that it supersedes is destroyed (rules C2, C6, P4). */
import type { Certificate } from '../protocols/epoch.ts';
import { toHex } from '../wire/bytes.ts';
import type { Signer } from '../wire/ed25519.ts';
import type { Home } from './home.ts';
import { destroyPrekey } from './identity.ts';
import { activate, retireKey, retireLower } from './key-store.ts';
import { destructionStatement, storedStatement } from './retire.ts';
import { CeremonyStore } from './store.ts';
import { utc } from './times.ts';

/** What was dealt in an attempt opens with its one-time key for ever: both go. @param which by rank and session id in hex */
function destroyAttempts(home: Home, id: string, which: (rank: number, sid: string) => boolean): void {
  for (const store of CeremonyStore.all(home)) {
    const { plan } = store;
    if ((plan.kind !== 'refresh' && plan.kind !== 'reshare') || plan.key.id !== id || !which(plan.rank, toHex(store.session.sid))) continue;
    const own = plan.participants.find((p) => p.homeId === home.facts.homeId);
    if (own) destroyPrekey(home, own.prekey.n);
    store.destroySecrets();
  }
}

/**
 * Ends this home's part in a key for good: shares, stocks, and what attempts and signings under way hold.
 * @param attested who found that nothing depends on the key any more, and how
 * @param movedTo where what it protected is now
 * @returns the epochs whose share was destroyed
 */
export function endKey(home: Home, certificate: Certificate, attested: string, movedTo: string, signer: Signer, now: Date): readonly number[] {
  const { epoch } = certificate;
  const gone = retireKey(home, epoch, attested, movedTo, utc(now));
  CeremonyStore.destroyUses(home, (key) => key.id === epoch.key.id);
  destroyAttempts(home, epoch.key.id, () => true);
  destructionStatement(home, certificate, gone, signer, now);
  return gone;
}

/**
 * Puts an epoch in force, and destroys shares, stocks, one-time keys and round secrets of every attempt on the same key
 * that is not above it. Repeated after a crash it does what is left to do.
 * @returns the epochs whose share was destroyed
 */
export function supersede(home: Home, certificate: Certificate, signer: Signer, now: Date): readonly number[] {
  const { epoch } = certificate;
  activate(home, certificate);
  const gone = retireLower(home, epoch);
  CeremonyStore.destroyUses(home, (key) => key.id === epoch.key.id && key.epoch < epoch.number);
  destroyAttempts(home, epoch.key.id, (rank, sid) => rank < epoch.number || (rank === epoch.number && sid <= epoch.session));
  if (gone.length > 0 || storedStatement(home, epoch.key.name, epoch.number)) destructionStatement(home, certificate, gone, signer, now);
  return gone;
}
