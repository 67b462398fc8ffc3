/** The relay keys of the participants of a ceremony: where a message to each of them can be sealed to. Public. */
import { join } from 'node:path';
import { isRekey } from '../plan/plan.ts';
import { fromHex, toHex } from '../wire/bytes.ts';
import { storedBase } from './base.ts';
import { activeEpoch } from './key-store.ts';
import { knownCards } from './leading.ts';
import type { CeremonyStore } from './store.ts';

/**
 * Raw X25519 keys (32 bytes) by name, of everybody with a seat whose key is known: from the plan, the certificate that it
 * builds on or uses, and cards of this home and the folder. Only a key that belongs to the seat's identity counts.
 */
export function relayKeys(store: CeremonyStore): Map<string, Uint8Array> {
  const { plan, home, session } = store;
  const base = isRekey(plan) ? storedBase(store) : 'key' in plan ? activeEpoch(home, plan.key.name) : undefined;
  const people: { readonly name: string; readonly identity: string; readonly x25519?: string }[] = [
    ...plan.participants,
    ...(base?.epoch.roster ?? []),
    ...[...knownCards(home, join(store.folder, 'cards')).values()].map(({ card }) => ({ name: card.name, identity: card.ed25519, x25519: card.x25519 })),
  ];
  const found = new Map<string, Uint8Array>();
  for (const seat of session.seats) {
    const key = people.find((p) => p.name === seat.name && p.identity === toHex(seat.identity) && p.x25519 !== undefined)?.x25519;
    if (key !== undefined) found.set(seat.name, fromHex(key, 32));
  }
  return found;
}
