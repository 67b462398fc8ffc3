/** Loading the driver of a ceremony: only the kind at hand, with the curves it needs. */
import { SCHEMES } from '../curves/scheme.ts';
import { schemeOf } from '../plan/plan.ts';
import type { Driver } from './driver.ts';
import type { Port } from './port.ts';
import type { CeremonyStore } from './store.ts';

/** Loads the driver of a ceremony. */
export async function loadDriver(store: CeremonyStore, port: Port): Promise<Driver> {
  const { plan } = store;
  switch (plan.kind) {
    case 'dkg':
      return (await import('./dkg-driver.ts')).dkgDriver(store, plan, port);
    case 'refresh':
    case 'reshare':
    case 'import':
      return (await import('./rekey-driver.ts')).rekeyDriver(store, plan, port);
    case 'presign':
      return (await import('./presign-driver.ts')).presignDriver(store, plan, port);
    case 'sign':
      if (SCHEMES[schemeOf(plan)].protocol === 'frost') return (await import('./sign-driver.ts')).signDriver(store, plan, port);
      return (await import('./ecdsa-driver.ts')).ecdsaDriver(store, plan, port);
  }
}
