/**
 * Who must not keep a backup: rules against central escrow. They see the key's roster, the custodians and nothing else;
 * whether two cards belong to one person, or two people to one employer, no program knows. Public.
 */
import type { Card } from '../plan/card.ts';
import type { EpochRecord } from '../protocols/epoch.ts';
import { parseQuorum, type Quorum } from '../sharing/expression.ts';
import { select } from '../sharing/quorum.ts';
import { fail } from '../wire/errors.ts';

/** The participant of an epoch to whom a card belongs, by identity key or home, if any. */
function holderOf(epoch: EpochRecord, card: Card): string | undefined {
  return epoch.roster.find((p) => p.identity === card.ed25519 || p.homeId === card.homeId)?.name;
}

/**
 * Refuses keepers of a backup who would come closer to the key than its quorum allows.
 *  - the owner keeps its own backup in the home that the backup is against the loss of;
 *  - one identity or one home stands for two custodians;
 *  - another holder of the key keeps the whole share: one person with two shares;
 *  - holders of the key who are custodians open the backup among themselves and then, with the share that they did not
 *    have, satisfy a quorum of the key that they did not satisfy before.
 * @param quorum the custodians'; undefined when each card opens the backup alone
 * @throws E_ESCROW naming who
 */
export function checkEscrow(epoch: EpochRecord, owner: string, cards: readonly Card[], quorum: Quorum | undefined): void {
  const remedy = 'Choose people who hold no share of this key.';
  const seen = new Map<string, string>();
  for (const card of cards) {
    for (const mark of [card.ed25519, card.homeId]) {
      const before = seen.get(mark);
      if (before !== undefined && before !== card.name) fail('E_ESCROW', `${before} and ${card.name} are one and the same home`, { participant: card.name, field: 'to', remedy });
      seen.set(mark, card.name);
    }
    if (holderOf(epoch, card) === owner) fail('E_ESCROW', `${owner} would keep the key to its own backup in the home that the backup is for`, { participant: owner, field: 'to', remedy });
  }
  const holders = cards.flatMap((card) => {
    const holder = holderOf(epoch, card);
    return holder === undefined ? [] : [{ custodian: card.name, holder }];
  });
  if (quorum === undefined) {
    const [first] = holders;
    if (first) fail('E_ESCROW', `${first.custodian} holds a share of ${epoch.key.name} and would get the one of ${owner} as well`, { participant: first.custodian, field: 'to', remedy });
    return;
  }
  if (!select(quorum, new Set(holders.map((h) => h.custodian)))) return;
  const key = parseQuorum(epoch.quorum);
  const before = new Set(holders.map((h) => h.holder));
  if (!select(key, before) && select(key, new Set([...before, owner])))
    fail('E_ESCROW', `${[...before].join(' and ')} could open this backup among themselves, and then sign with ${epoch.key.name} without anybody else`, { participant: [...before][0], field: 'quorum', remedy });
}
