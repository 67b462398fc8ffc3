/** Key generation in a home: where the protocol's secrets rest, and what activation does. */
import { SCHEMES } from '../curves/scheme.ts';
import type { AuxSecret } from '../ecdsa/make-aux.ts';
import type { DkgPlan } from '../plan/plan.ts';
import { COMMIT, DEAL, type Dealt, dkgContext, dkgFindings, type DkgResult } from '../protocols/dkg.ts';
import { makeCommit, makeDeal, openShares } from '../protocols/dkg-participant.ts';
import { type Certificate, completeCertificate, confirmBody, parseCertificate } from '../protocols/epoch.ts';
import { closingOf, echo, type Inbound } from '../protocols/machine.ts';
import { makeNonces } from '../schnorr/nonce.ts';
import { outputKey } from '../schnorr/output-key.ts';
import { sealingReady } from '../sharing/sealing-group.ts';
import type { Envelope } from '../wire/blob.ts';
import { equalBytes, fromHex, toHex } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { formatWords, words } from '../wire/words.ts';
import type { Driver, Finished, MadeMessage } from './driver.ts';
import { addPrekeyToCard, destroyPrekey, freshPrekey, type Identity, prekeySecret } from './identity.ts';
import { activate, activeEpoch, checkRank, dropPending, epochCertificate, epochPrimesPath, retireLower, sharePath, stockPath } from './key-store.ts';
import { remembered } from './judged.ts';
import { inHome } from './home.ts';
import type { Port } from './port.ts';
import type { CeremonyStore } from './store.ts';

/** What only an ECDSA key needs; loaded for such keys alone. */
async function ecdsaParts(plan: DkgPlan) {
  if (SCHEMES[plan.scheme].protocol !== 'cggmp24') return undefined;
  const [auxiliary, crew, primes, offers] = await Promise.all([import('../protocols/auxiliary-participant.ts'), import('../protocols/make-crew.ts'), import('./primes.ts'), import('../protocols/stock-offers.ts')]);
  return { ...auxiliary, ...crew, ...primes, ...offers };
}

/** Driver of one key generation. @throws E_POP when a one-time key of the plan has no valid proof */
export async function dkgDriver(store: CeremonyStore, plan: DkgPlan, port: Port): Promise<Driver> {
  await sealingReady();
  const ctx = dkgContext(plan);
  const { leaf } = store.seat;
  const own = plan.participants[leaf - 1] ?? fail('E_INTERNAL', 'no own seat');
  const forSlot = (slot: number): string => store.secretPath(`for-${String(slot)}`);
  const primesPath = store.secretPath('primes');
  const ecdsa = await ecdsaParts(plan);

  // a step asks several times about the same messages, and verifying all proofs is most of its work
  const judge = remembered((messages: Inbound, everything) =>
    dkgFindings(ctx, messages, { ...(everything ? {} : { own: leaf, settled: store.settled }), crew: { check: (task, args) => port.crew.run(task, args) } }),
  );
  const resultOf = async (messages: Inbound): Promise<DkgResult> => (await judge(messages)).result ?? fail('E_INTERNAL', 'no result yet');
  const certificateOf = async (messages: Inbound): Promise<Certificate> =>
    completeCertificate((await resultOf(messages)).epoch, store.session, messages.get(ctx.confirm) ?? new Map<number, Envelope>());

  const open = (dealt: Dealt, messages: Inbound, { vault }: Identity): ReturnType<typeof openShares> => {
    const secret = prekeySecret(vault, own.prekey.n) ?? fail('E_STATE', 'the one-time key of this ceremony is missing from this home');
    const opening = openShares(ctx, leaf, dealt, messages, secret, port.random);
    secret.fill(0);
    return opening;
  };
  const primesOf = ({ vault }: Identity): AuxSecret => ecdsa?.storedPrimes(vault, primesPath) ?? fail('E_STATE', 'the primes of this ceremony are missing from this home');

  const prove = async (messages: Inbound, identity: Identity): Promise<MadeMessage> => {
    const dealt = (await judge(messages)).dealt ?? fail('E_INTERNAL', 'no dealings yet');
    const opening = open(dealt, messages, identity);
    if (!opening.ok) return { message: 'complaint', body: opening.complaint };
    const body = await ecdsa?.makeProve(ctx, leaf, primesOf(identity), opening.share, messages, port.crew, port.random);
    opening.share.fill(0);
    return { message: 'prove', body: body ?? fail('E_INTERNAL', 'nothing to prove') };
  };

  const confirm = async (messages: Inbound, identity: Identity): Promise<MadeMessage> => {
    const { vault } = identity;
    const result = await resultOf(messages);
    const opening = open(result, messages, identity);
    if (!opening.ok) return { message: 'complaint', body: opening.complaint };
    vault.put(sharePath(plan.name, plan.rank), opening.share);
    if (ecdsa) ecdsa.keepPrimes(vault, epochPrimesPath(plan.name, plan.rank), primesOf(identity));
    const made = ecdsa
      ? await ecdsa.makeStockedOffers(result, ctx, leaf, primesOf(identity), port.crew, port.random)
      : Array.from({ length: plan.stock }, () => {
          const { nonces, commitment } = makeNonces(plan.scheme, opening.share, port.random);
          return { secret: nonces, entry: commitment };
        });
    const stock = made.map(({ secret, entry }, i) => {
      vault.put(stockPath(plan.name, plan.rank, i), secret);
      secret.fill(0);
      return entry;
    });
    opening.share.fill(0);
    const next = freshPrekey(store.home, vault, port.random);
    const prekey = { n: next.n, P: fromHex(next.P), pop: fromHex(next.pop) };
    const before = messages.get(ctx.confirm - 1) ?? fail('E_INTERNAL', 'the round before is missing');
    return { message: 'confirm', body: confirmBody({ echo: echo(before), epoch: result.digest, prekey, stock }) };
  };

  const takeIn = (certificate: Certificate, identity: Identity): Finished => {
    const active = activeEpoch(store.home, plan.name);
    if (active && active.epoch.number > plan.rank)
      fail('E_EPOCH', `epoch ${String(active.epoch.number)} of ${plan.name} is active; epoch ${String(plan.rank)} is refused for ever`, {
        remedy: 'Nothing to do: the higher epoch is the one in force.',
      });
    activate(store.home, certificate);
    // rule C2: first the certificate, then the destruction
    retireLower(store.home, certificate.epoch);
    destroyPrekey(store.home, own.prekey.n);
    store.destroySecrets();
    const mine = certificate.confirms[leaf - 1]?.confirm.prekey;
    if (mine) addPrekeyToCard(store.home, identity, { n: mine.n, P: toHex(mine.P), pop: toHex(mine.pop) });
    return {
      entry: { kind: 'certificate', epoch: toHex(certificate.digest), result: certificate.sha256 },
      files: files(certificate),
      lines: lines(certificate),
    };
  };
  const files = (certificate: Certificate): Finished['files'] => [{ path: 'transcript/certificate.json', bytes: certificate.bytes }];
  const lines = (certificate: Certificate): string[] => [
    `The key ${plan.name} exists and is active (epoch ${String(certificate.epoch.number)}, ${plan.scheme}).`,
    `Public key  ${toHex(outputKey(plan.scheme, fromHex(certificate.epoch.publicKey)).bytes)}`,
    'Words of this key. Every participant must see the same; write them down:',
    ...formatWords(words(certificate.digest.slice(0, 16))),
  ];

  return {
    findings: async (messages) => (await judge(messages)).findings,
    async make(slot, messages, identity) {
      const { vault } = identity;
      checkRank(store.home, plan.name, plan.rank, store.id);
      if (activeEpoch(store.home, plan.name))
        fail('E_TWO_SHARES', `a key named ${plan.name} has become active in this home meanwhile`, { field: 'name', remedy: 'Use that key, or ask the lead for a plan under another name.' });
      if (slot === COMMIT) {
        const auxiliary = ecdsa
          ? await ecdsa.makeAnnouncement(ctx, leaf, await ecdsa.primesFor(store.home, identity, primesPath, port), port.crew, port.random)
          : new Uint8Array(0);
        const made = makeCommit(ctx, leaf, auxiliary, port.random);
        vault.put(forSlot(DEAL), made.secret);
        made.secret.fill(0);
        return { message: 'commit', body: made.body };
      }
      if (slot === DEAL) {
        const secret = vault.get(forSlot(DEAL)) ?? fail('E_STATE', 'the round secret of this ceremony is missing from this home');
        const body = makeDeal(ctx, leaf, secret, messages, port.random);
        secret.fill(0);
        return { message: 'deal', body };
      }
      return slot === ctx.confirm ? confirm(messages, identity) : prove(messages, identity);
    },
    sent(slot) {
      if (slot === DEAL) store.home.disk.erase(inHome(store.home, forSlot(DEAL)));
    },
    missingWitnesses: async (messages) => (plan.witnesses ? store.missingWitnesses(toHex((await resultOf(messages)).digest)) : []),
    finish: async (messages, identity) => takeIn(await certificateOf(messages), identity),
    adopt(bytes, file, identity) {
      const certificate = parseCertificate(bytes, file);
      const mine = certificate.confirms[leaf - 1]?.envelope;
      const sent = store.ownBlob(ctx.confirm);
      if (certificate.epoch.session !== toHex(store.session.sid) || !mine || !sent || !equalBytes(mine.bytes, sent.bytes)) return undefined;
      if (store.missingWitnesses(toHex(certificate.digest)).length > 0) return undefined;
      return takeIn(certificate, identity);
    },
    finished: () => {
      const certificate = epochCertificate(store.home, plan.name, plan.rank) ?? fail('E_STATE', 'the certificate of this ceremony is missing from this home');
      return Promise.resolve({ files: files(certificate), lines: lines(certificate) });
    },
    abandon() {
      const closing = store.ownBlob(ctx.confirm);
      // after a confirmation this participant is in doubt: the pending share stays (rule C3)
      if (closing && closingOf(closing.body) === 'close') return;
      destroyPrekey(store.home, own.prekey.n);
      store.destroySecrets();
      dropPending(store.home, plan.name, plan.rank);
    },
  };
}

