/** Cards of the others in a home, and the record of how their words were compared. */
import * as v from 'valibot';
import { type Card, encodeCard, parseCard } from '../plan/card.ts';
import { canonicalBytes } from '../wire/canon.ts';
import { fail } from '../wire/errors.ts';
import { type Home, inHome } from './home.ts';
import { readRecord } from './record.ts';
import type { AnswerSource } from './port.ts';

const VerifiedSchema = v.record(v.string(), v.strictObject({ identity: v.string(), compared: v.picklist(['typed', 'scripted']), at: v.string() }));

function verified(home: Home): v.InferOutput<typeof VerifiedSchema> {
  return readRecord(home.disk, inHome(home, 'peers', 'verified.json'), VerifiedSchema, 'the record of compared cards') ?? {};
}

/**
 * Takes up a card. A renewed card of the same identity replaces the older one; another identity is refused while the
 * known one was compared.
 * @throws E_CARD
 */
export function addPeer(home: Home, card: Card, file: string): void {
  if (card.mode !== home.facts.mode) fail('E_REHEARSAL', `the card of ${card.name} is for ${card.mode}, this home for ${home.facts.mode}`, { file, participant: card.name });
  if (card.name === home.facts.name) fail('E_CARD', `${card.name} is the name of this home's own participant`, { file, participant: card.name });
  const path = inHome(home, 'peers', `${card.name}.card`);
  const bytes = home.disk.read(path, 65_536);
  const before = bytes && parseCard(bytes, path);
  const compared = verified(home)[card.name];
  if (before && before.ed25519 !== card.ed25519 && compared?.identity === before.ed25519)
    fail('E_CARD', `another card of ${card.name} was compared and stands in this home`, {
      file,
      participant: card.name,
      remedy: `Ask ${card.name} in person. If the old home is really gone, remove ${path} and add the new card.`,
    });
  const newest = (c: Card): number => c.prekeys.at(-1)?.n ?? 0;
  if (before && before.ed25519 === card.ed25519 && newest(before) > newest(card))
    fail('E_CARD', `this card of ${card.name} is older than the one in this home`, { file, participant: card.name, remedy: 'Nothing to do: the newer one is kept.' });
  home.disk.write(path, encodeCard(card));
}

/** The card of a peer. @throws E_CARD */
export function requirePeer(home: Home, name: string): Card {
  const path = inHome(home, 'peers', `${name}.card`);
  const bytes = home.disk.read(path, 65_536) ?? fail('E_CARD', `this home has no card of ${name}`, { participant: name, remedy: `mpc-ceremony peers add ${name}.card` });
  return parseCard(bytes, path);
}

/** Records that the words of a card were compared. */
export function recordVerification(home: Home, card: Card, compared: AnswerSource, at: string): void {
  home.disk.write(inHome(home, 'peers', 'verified.json'), canonicalBytes({ ...verified(home), [card.name]: { identity: card.ed25519, compared, at } }));
}

/** Every peer, with how its card was compared. */
export function listPeers(home: Home): { name: string; identity: string; compared: AnswerSource | 'not-compared'; at?: string }[] {
  const record = verified(home);
  return home.disk
    .list(inHome(home, 'peers'))
    .filter((f) => f.endsWith('.card'))
    .map((f) => {
      const path = inHome(home, 'peers', f);
      const card = parseCard(home.disk.read(path, 65_536) ?? new Uint8Array(), path);
      const entry = record[card.name];
      return entry?.identity === card.ed25519
        ? { name: card.name, identity: card.ed25519, compared: entry.compared, at: entry.at }
        : { name: card.name, identity: card.ed25519, compared: 'not-compared' as const };
    });
}
