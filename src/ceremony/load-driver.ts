/** Loading the driver of a ceremony: only the kind at hand, with the curves it needs. */
import type { Driver } from './driver.ts';
import type { Port } from './port.ts';
import type { CeremonyStore } from './store.ts';

/** Loads the driver of a ceremony. */
export async function loadDriver(store: CeremonyStore, port: Port): Promise<Driver> {
  if (store.plan.kind === 'dkg') {
    const { dkgDriver } = await import('./dkg-driver.ts');
    return dkgDriver(store, store.plan, port);
  }
  const { signDriver } = await import('./sign-driver.ts');
  return signDriver(store, store.plan, port);
}
