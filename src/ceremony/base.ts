/** The certificate that a refresh or reshare builds on, as this home stored it when it took part. */
import { join } from 'node:path';
import type { RekeyPlan } from '../plan/plan.ts';
import { type Certificate, MAX_CERTIFICATE_BYTES, parseCertificate } from '../protocols/epoch.ts';
import { equalBytes } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import type { Home } from './home.ts';
import { activeEpoch } from './key-store.ts';
import type { CeremonyStore } from './store.ts';

/** Its place in a ceremony folder. */
export const BASE_FILE = 'base/certificate.json';
/** Name under which the share of a foreign key waits, sealed, to be dealt. */
export const IMPORTED = 'imported';
/** Its name among the files of a ceremony in a home. */
export const STORED_BASE = 'base.json';

/** Bytes and certificate of a folder's base; undefined for an import. @throws E_MISSING, E_CERTIFICATE */
export function folderBase(home: Home, plan: RekeyPlan, folder: string): { bytes: Uint8Array; certificate: Certificate } | undefined {
  if (plan.kind === 'import') return undefined;
  const file = join(folder, BASE_FILE);
  const bytes = home.disk.read(file, MAX_CERTIFICATE_BYTES) ?? fail('E_MISSING', 'the certificate of the epoch that this ceremony builds on is missing', { file, remedy: 'Bring the whole folder of the lead.' });
  return { bytes, certificate: parseCertificate(bytes, file) };
}

/** The base as a file to be stored with the ceremony. */
export function baseToStore(bytes: Uint8Array): { path: string; bytes: Uint8Array } {
  return { path: STORED_BASE, bytes };
}

/** The base of a ceremony of this home; undefined for an import. @throws E_STATE when it is gone, E_CERTIFICATE when it is damaged */
export function storedBase(store: CeremonyStore): Certificate | undefined {
  if (store.plan.kind !== 'refresh' && store.plan.kind !== 'reshare') return undefined;
  const file = join(store.dir, STORED_BASE);
  return parseCertificate(store.home.disk.read(file, MAX_CERTIFICATE_BYTES) ?? fail('E_STATE', 'the base of a ceremony is missing from this home', { file }), file);
}

/**
 * Whether the base of a plan is still what is in force here (rule C4): a newcomer has no other certificate.
 * @throws E_EPOCH
 */
export function requireBase(home: Home, plan: RekeyPlan, base: Certificate | undefined): void {
  const active = activeEpoch(home, plan.name);
  if (!active) return;
  if (!base) fail('E_TWO_SHARES', `a key named ${plan.name} is active in this home`, { field: 'name', remedy: 'Ask the lead for a plan under another name.' });
  if (active.epoch.key.id !== base.epoch.key.id) fail('E_TWO_SHARES', `this home holds another key named ${plan.name}`, { field: 'name', remedy: 'Use another home for this one.' });
  if (!equalBytes(active.digest, base.digest))
    fail('E_EPOCH', `the plan builds on epoch ${String(base.epoch.number)} of ${plan.name}; epoch ${String(active.epoch.number)} is active here`, {
      field: 'key.epoch',
      remedy: 'Bring the newest certificate to whoever is behind, then ask the lead for a new plan.',
    });
}
