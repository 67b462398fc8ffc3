/** What a certificate does to the rest of a home: first it is stored, then all that it supersedes is destroyed (rules C2, C6, P4). */
import type { Certificate } from '../protocols/epoch.ts';
import type { Signer } from '../wire/ed25519.ts';
import type { Home } from './home.ts';
import { destroyPrekey } from './identity.ts';
import { activate, retireLower } from './key-store.ts';
import { destructionStatement, storedStatement } from './retire.ts';
import { CeremonyStore } from './store.ts';

/**
 * Puts an epoch in force, and destroys shares, stocks, one-time keys and round secrets of every attempt on the same key
 * that is not above it. Repeated after a crash it does what is left to do.
 * @returns the epochs whose share was destroyed
 */
export function supersede(home: Home, certificate: Certificate, signer: Signer, now: Date): readonly number[] {
  const { epoch } = certificate;
  activate(home, certificate);
  const gone = retireLower(home, epoch);
  for (const store of CeremonyStore.all(home)) {
    const { plan } = store;
    // what was dealt in a lower attempt opens with these keys for ever
    if ((plan.kind !== 'refresh' && plan.kind !== 'reshare') || plan.key.id !== epoch.key.id || plan.rank > epoch.number) continue;
    const own = plan.participants.find((p) => p.homeId === home.facts.homeId);
    if (own) destroyPrekey(home, own.prekey.n);
    store.destroySecrets();
  }
  if (gone.length > 0 || storedStatement(home, epoch.key.name, epoch.number)) destructionStatement(home, certificate, gone, signer, now);
  return gone;
}
