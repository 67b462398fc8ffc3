/** Refresh, reshare and import in a home: its rounds, and where their secrets rest. */
import { dealerSeats, type RekeyPlan } from '../plan/plan.ts';
import { roundOf } from '../protocols/keying.ts';
import type { Inbound } from '../protocols/machine.ts';
import { announcementsOf, rekeyContext, rekeyFindings, REVEAL } from '../protocols/rekey.ts';
import { rekeyDealBody } from '../protocols/rekey-messages.ts';
import { commitAuxiliary, importConstant, makeRekeyDealing, makeReveal, requireShare, reshareConstant } from '../protocols/rekey-participant.ts';
import { sealingReady } from '../sharing/sealing-group.ts';
import { fail } from '../wire/errors.ts';
import { IMPORTED, requireBase, storedBase } from './base.ts';
import type { Driver, MadeMessage } from './driver.ts';
import { inHome } from './home.ts';
import type { Identity } from './identity.ts';
import { remembered } from './judged.ts';
import { checkRank, loadShare, requireNoFork, requireNotRetired } from './key-store.ts';
import type { Port } from './port.ts';
import { ecdsaParts, receiver } from './receiver.ts';
import type { CeremonyStore } from './store.ts';

/** Driver of one refresh, reshare or import. @throws as `rekeyContext` */
export async function rekeyDriver(store: CeremonyStore, plan: RekeyPlan, port: Port): Promise<Driver> {
  await sealingReady();
  const base = storedBase(store);
  const ctx = rekeyContext(plan, base);
  const { leaf, name } = store.seat;
  const forReveal = store.secretPath(`for-${String(REVEAL)}`);
  const ecdsa = await ecdsaParts(plan);
  const judge = remembered((messages: Inbound, everything) =>
    rekeyFindings(ctx, messages, { ...(everything ? {} : { own: leaf, settled: store.settled }), crew: { check: (task, args) => port.crew.run(task, args) } }),
  );
  const oldShare = ({ vault }: Identity): Uint8Array => loadShare(vault, base ?? fail('E_INTERNAL', 'no base'));
  const own = receiver(store, ctx, judge, ecdsa, port, (identity) => (plan.kind === 'refresh' ? oldShare(identity) : undefined));

  const constant = (identity: Identity): bigint | undefined => {
    if (plan.kind === 'import') {
      const share = identity.vault.get(store.secretPath(IMPORTED)) ?? fail('E_STATE', 'the share to be imported is missing from this home');
      const value = importConstant(plan, name, share);
      share.fill(0);
      return value;
    }
    const share = oldShare(identity);
    // a wrong share is found before it is dealt, not by the others
    if (plan.kind === 'refresh') requireShare(ctx.base ?? fail('E_INTERNAL', 'no base'), leaf, share);
    const value = plan.kind === 'reshare' ? reshareConstant(ctx.base ?? fail('E_INTERNAL', 'no base'), plan, name, share) : undefined;
    share.fill(0);
    return value;
  };

  const deal = async (identity: Identity): Promise<MadeMessage> => {
    const dealing = dealerSeats(plan).includes(leaf) ? makeRekeyDealing(ctx, leaf, constant(identity), port.random) : new Uint8Array(0);
    if (!ecdsa || leaf > ctx.members.length) return { message: 'deal', body: rekeyDealBody({ commitment: new Uint8Array(0), dealing }) };
    const primes = await ecdsa.primesFor(store.home, identity, own.primesPath, port);
    const { commitment, secret } = commitAuxiliary(ctx, leaf, await ecdsa.makeAnnouncement(ctx, leaf, primes, port.crew, port.random), port.random);
    identity.vault.put(forReveal, secret);
    secret.fill(0);
    return { message: 'deal', body: rekeyDealBody({ commitment, dealing }) };
  };

  const reveal = (messages: Inbound, { vault }: Identity): MadeMessage => {
    const secret = vault.get(forReveal) ?? fail('E_STATE', 'the round secret of this ceremony is missing from this home');
    const body = makeReveal(ctx, secret, messages);
    secret.fill(0);
    return { message: 'reveal', body };
  };

  const prove = async (messages: Inbound, identity: Identity): Promise<MadeMessage> => {
    const opening = await own.open(messages, identity);
    if (!opening.ok) return { message: 'complaint', body: opening.complaint };
    const body = await ecdsa?.makeProve(ctx, leaf, own.primes(identity), opening.share, announcementsOf(ctx, roundOf(messages, REVEAL)), port.crew, port.random);
    opening.share.fill(0);
    return { message: 'prove', body: body ?? fail('E_INTERNAL', 'nothing to prove') };
  };

  return {
    ...own,
    async make(slot, messages, identity) {
      checkRank(store.home, plan.name, plan.rank, store.id, base?.epoch.number);
      requireBase(store.home, plan, base);
      requireNoFork(store.home, plan.name);
      if (base) requireNotRetired(store.home, plan.name, base.epoch.key.id);
      if (slot === ctx.deal) return deal(identity);
      if (slot === ctx.confirm) return own.confirm(messages, identity);
      return slot === REVEAL ? reveal(messages, identity) : prove(messages, identity);
    },
    sent(slot) {
      const { disk } = store.home;
      if (slot === REVEAL) disk.erase(inHome(store.home, forReveal));
      if (slot === ctx.deal) disk.erase(inHome(store.home, store.secretPath(IMPORTED)));
    },
  };
}
