/** Key generation in a home: where the protocol's secrets rest, and what activation does. */
import type { DkgPlan } from '../plan/plan.ts';
import { COMMIT, CONFIRM, DEAL, dkgContext, dkgFindings, type DkgResult } from '../protocols/dkg.ts';
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
import { activate, activeEpoch, checkRank, dropPending, epochCertificate, retireLower, sharePath, stockPath } from './key-store.ts';
import { inHome } from './home.ts';
import type { Port } from './port.ts';
import type { CeremonyStore } from './store.ts';

/** Driver of one key generation. @throws E_POP when a one-time key of the plan has no valid proof */
export async function dkgDriver(store: CeremonyStore, plan: DkgPlan, port: Port): Promise<Driver> {
  await sealingReady();
  const ctx = dkgContext(plan);
  const { leaf } = store.seat;
  const own = plan.participants[leaf - 1] ?? fail('E_INTERNAL', 'no own seat');
  const forSlot = (slot: number): string => store.secretPath(`for-${String(slot)}`);

  // a step asks several times about the same messages, and verifying all proofs is most of its work
  let judged: { key: string; verdict: ReturnType<typeof dkgFindings> } | undefined;
  const judge = (messages: Inbound): ReturnType<typeof dkgFindings> => {
    const key = [...messages].map(([slot, m]) => `${String(slot)}:${toHex(echo(m))}`).join();
    judged = judged?.key === key ? judged : { key, verdict: dkgFindings(ctx, messages) };
    return judged.verdict;
  };
  const resultOf = (messages: Inbound): DkgResult => judge(messages).result ?? fail('E_INTERNAL', 'no result yet');
  const certificateOf = (messages: Inbound): Certificate =>
    completeCertificate(resultOf(messages).epoch, store.session, messages.get(CONFIRM) ?? new Map<number, Envelope>());

  const confirm = (messages: Inbound, { vault }: Identity): MadeMessage => {
    const result = resultOf(messages);
    const secret = prekeySecret(vault, own.prekey.n) ?? fail('E_STATE', 'the one-time key of this ceremony is missing from this home');
    const opening = openShares(ctx, leaf, result, messages, secret, port.random);
    secret.fill(0);
    if (!opening.ok) return { message: 'complaint', body: opening.complaint };
    vault.put(sharePath(plan.name, plan.rank), opening.share);
    const stock = Array.from({ length: plan.stock }, (_, i) => {
      const made = makeNonces(plan.scheme, opening.share, port.random);
      vault.put(stockPath(plan.name, plan.rank, i), made.nonces);
      made.nonces.fill(0);
      return made.commitment;
    });
    opening.share.fill(0);
    const next = freshPrekey(store.home, vault, port.random);
    const prekey = { n: next.n, P: fromHex(next.P), pop: fromHex(next.pop) };
    const deals = messages.get(DEAL) ?? fail('E_INTERNAL', 'no deals');
    return { message: 'confirm', body: confirmBody({ echo: echo(deals), epoch: result.digest, prekey, stock }) };
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
    findings: (messages) => judge(messages).findings,
    make(slot, messages, identity) {
      const { vault } = identity;
      checkRank(store.home, plan.name, plan.rank, store.id);
      if (activeEpoch(store.home, plan.name))
        fail('E_TWO_SHARES', `a key named ${plan.name} has become active in this home meanwhile`, { field: 'name', remedy: 'Use that key, or ask the lead for a plan under another name.' });
      if (slot === COMMIT) {
        const made = makeCommit(ctx, leaf, port.random);
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
      return confirm(messages, identity);
    },
    sent(slot) {
      if (slot === DEAL) store.home.disk.erase(inHome(store.home, forSlot(DEAL)));
    },
    missingWitnesses: (messages) => (plan.witnesses ? store.missingWitnesses(toHex(resultOf(messages).digest)) : []),
    finish: (messages, identity) => takeIn(certificateOf(messages), identity),
    adopt(bytes, file, identity) {
      const certificate = parseCertificate(bytes, file);
      const mine = certificate.confirms[leaf - 1]?.envelope;
      const sent = store.ownBlob(CONFIRM);
      if (certificate.epoch.session !== toHex(store.session.sid) || !mine || !sent || !equalBytes(mine.bytes, sent.bytes)) return undefined;
      if (store.missingWitnesses(toHex(certificate.digest)).length > 0) return undefined;
      return takeIn(certificate, identity);
    },
    finished() {
      const certificate = epochCertificate(store.home, plan.name, plan.rank) ?? fail('E_STATE', 'the certificate of this ceremony is missing from this home');
      return { files: files(certificate), lines: lines(certificate) };
    },
    abandon() {
      const closing = store.ownBlob(CONFIRM);
      // after a confirmation this participant is in doubt: the pending share stays (rule C3)
      if (closing && closingOf(closing.body) === 'close') return;
      destroyPrekey(store.home, own.prekey.n);
      store.destroySecrets();
      dropPending(store.home, plan.name, plan.rank);
    },
  };
}

