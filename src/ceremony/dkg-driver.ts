/** Key generation in a home: its rounds, and where their secrets rest. */
import type { DkgPlan } from '../plan/plan.ts';
import { COMMIT, DEAL, dealOf, dkgContext, dkgFindings } from '../protocols/dkg.ts';
import { makeCommit, makeDeal } from '../protocols/dkg-participant.ts';
import { roundOf } from '../protocols/keying.ts';
import { sealingReady } from '../sharing/sealing-group.ts';
import { fail } from '../wire/errors.ts';
import type { Driver, MadeMessage } from './driver.ts';
import { inHome } from './home.ts';
import type { Identity } from './identity.ts';
import { remembered } from './judged.ts';
import { activeEpoch, checkRank } from './key-store.ts';
import type { Port } from './port.ts';
import { ecdsaParts, receiver } from './receiver.ts';
import type { CeremonyStore } from './store.ts';
import type { Inbound } from '../protocols/machine.ts';

/** Driver of one key generation. @throws E_POP when a one-time key of the plan has no valid proof */
export async function dkgDriver(store: CeremonyStore, plan: DkgPlan, port: Port): Promise<Driver> {
  await sealingReady();
  const ctx = dkgContext(plan);
  const { leaf } = store.seat;
  const forDeal = store.secretPath(`for-${String(DEAL)}`);
  const ecdsa = await ecdsaParts(plan);
  // a step asks several times about the same messages, and verifying all proofs is most of its work
  const judge = remembered((messages: Inbound, everything) =>
    dkgFindings(ctx, messages, { ...(everything ? {} : { own: leaf, settled: store.settled }), crew: { check: (task, args) => port.crew.run(task, args) } }),
  );
  const own = receiver(store, ctx, judge, ecdsa, port, () => undefined);

  const prove = async (messages: Inbound, identity: Identity): Promise<MadeMessage> => {
    const opening = await own.open(messages, identity);
    if (!opening.ok) return { message: 'complaint', body: opening.complaint };
    const announcements = new Map([...roundOf(messages, DEAL)].map(([l, envelope]) => [l, { envelope, part: dealOf(ctx, envelope).auxiliary }]));
    const body = await ecdsa?.makeProve(ctx, leaf, own.primes(identity), opening.share, announcements, port.crew, port.random);
    opening.share.fill(0);
    return { message: 'prove', body: body ?? fail('E_INTERNAL', 'nothing to prove') };
  };

  return {
    ...own,
    async make(slot, messages, identity) {
      const { vault } = identity;
      checkRank(store.home, plan.name, plan.rank, store.id);
      if (activeEpoch(store.home, plan.name))
        fail('E_TWO_SHARES', `a key named ${plan.name} has become active in this home meanwhile`, { field: 'name', remedy: 'Use that key, or ask the lead for a plan under another name.' });
      if (slot === COMMIT) {
        const auxiliary = ecdsa
          ? await ecdsa.makeAnnouncement(ctx, leaf, await ecdsa.primesFor(store.home, identity, own.primesPath, port), port.crew, port.random)
          : new Uint8Array(0);
        const made = makeCommit(ctx, leaf, auxiliary, port.random);
        vault.put(forDeal, made.secret);
        made.secret.fill(0);
        return { message: 'commit', body: made.body };
      }
      if (slot === DEAL) {
        const secret = vault.get(forDeal) ?? fail('E_STATE', 'the round secret of this ceremony is missing from this home');
        const body = makeDeal(ctx, leaf, secret, messages, port.random);
        secret.fill(0);
        return { message: 'deal', body };
      }
      return slot === ctx.confirm ? own.confirm(messages, identity) : prove(messages, identity);
    },
    sent(slot) {
      if (slot === DEAL) store.home.disk.erase(inHome(store.home, forDeal));
    },
  };
}
