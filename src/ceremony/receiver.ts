/**
 * What key generation, refresh, reshare and import share in a home: opening what was dealt, confirming it, taking the
 * certificate, and destroying what it supersedes (dealing specification, rules C1 to C6).
 */
import { SCHEMES } from '../curves/scheme.ts';
import type { AuxSecret } from '../ecdsa/make-aux.ts';
import { type KeyingPlan, schemeOf } from '../plan/plan.ts';
import { type Certificate, completeCertificate, confirmBody, parseCertificate } from '../protocols/epoch.ts';
import type { Dealt, KeyingContext, KeyingResult } from '../protocols/keying.ts';
import { openShares } from '../protocols/keying-participant.ts';
import { closingOf, echo, type Finding, type Inbound } from '../protocols/machine.ts';
import { makeNonces } from '../schnorr/nonce.ts';
import { outputKey } from '../schnorr/output-key.ts';
import type { Envelope } from '../wire/blob.ts';
import { equalBytes, fromHex, toHex } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { formatWords, words } from '../wire/words.ts';
import type { Driver, Finished, FolderFile, MadeMessage } from './driver.ts';
import { recordCare } from './care.ts';
import { addPrekeyToCard, destroyPrekey, freshPrekey, type Identity, nextPrekeyCounter, prekeySecret } from './identity.ts';
import { activeEpoch, epochCertificate, epochPrimesPath, forkActive, keepPending, dropPending, sharePath, stockPath } from './key-store.ts';
import type { Port } from './port.ts';
import { keepStatements, storedStatement } from './retire.ts';
import type { CeremonyStore } from './store.ts';
import { supersede } from './supersede.ts';
import { utc } from './times.ts';

/** What only an ECDSA key needs; loaded for such keys alone. */
export async function ecdsaParts(plan: KeyingPlan) {
  if (SCHEMES[schemeOf(plan)].protocol !== 'cggmp24') return undefined;
  const [auxiliary, crew, primes, offers] = await Promise.all([import('../protocols/auxiliary-participant.ts'), import('../protocols/make-crew.ts'), import('./primes.ts'), import('../protocols/stock-offers.ts')]);
  return { ...auxiliary, ...crew, ...primes, ...offers };
}
export type EcdsaParts = NonNullable<Awaited<ReturnType<typeof ecdsaParts>>>;

/** The judgement of a protocol on a set of messages. */
export type Judged = (messages: Inbound) => Promise<{ findings: readonly Finding[]; dealt?: Dealt; result?: KeyingResult }>;

/** The receiver's part of a driver. */
export interface Receiver extends Pick<Driver, 'findings' | 'missingWitnesses' | 'finish' | 'adopt' | 'finished' | 'abandon'> {
  /** Primes of an ECDSA key in this ceremony (secret). @throws E_STATE */
  primes(identity: Identity): AuxSecret;
  readonly primesPath: string;
  /** Own share of what was dealt (secret), or the complaint to send. */
  open(messages: Inbound, identity: Identity): Promise<ReturnType<typeof openShares>>;
  confirm(messages: Inbound, identity: Identity): Promise<MadeMessage>;
}

/**
 * @param before the encoded share of the base that a refresh adds to (secret), read when it is needed
 */
export function receiver(store: CeremonyStore, ctx: KeyingContext, judge: Judged, ecdsa: EcdsaParts | undefined, port: Port, before: (identity: Identity) => Uint8Array | undefined): Receiver {
  const { plan } = ctx;
  const { leaf } = store.seat;
  /** Undefined for a dealer who leaves. */
  const own = plan.participants[leaf - 1];
  const primesPath = store.secretPath('primes');
  const resultOf = async (messages: Inbound): Promise<KeyingResult> => (await judge(messages)).result ?? fail('E_INTERNAL', 'no result yet');
  const primes = ({ vault }: Identity): AuxSecret => ecdsa?.storedPrimes(vault, primesPath) ?? fail('E_STATE', 'the primes of this ceremony are missing from this home');

  const open: Receiver['open'] = async (messages, identity) => {
    const dealt = (await judge(messages)).dealt ?? fail('E_INTERNAL', 'no dealings yet');
    const secret = (own && prekeySecret(identity.vault, own.prekey.n)) ?? fail('E_STATE', 'the one-time key of this ceremony is missing from this home');
    const old = before(identity);
    const opening = openShares(ctx, leaf, dealt, messages, secret, old, port.random);
    secret.fill(0);
    old?.fill(0);
    return opening;
  };

  const files = (certificate: Certificate): FolderFile[] => {
    const statement = storedStatement(store.home, certificate.epoch.key.name, certificate.epoch.number);
    return [{ path: 'transcript/certificate.json', bytes: certificate.bytes }, ...(statement ? [{ path: `destroyed/${store.seat.name}.json`, bytes: statement }] : [])];
  };
  const lines = (certificate: Certificate): string[] => {
    const { epoch } = certificate;
    return [
      epoch.kind === 'dkg'
        ? `The key ${plan.name} exists and is active (epoch ${String(epoch.number)}, ${epoch.key.scheme}).`
        : `Epoch ${String(epoch.number)} of ${plan.name} is active (${epoch.key.scheme}). Public key and addresses are the same as before.`,
      `Public key  ${toHex(outputKey(epoch.key.scheme, fromHex(epoch.publicKey)).bytes)}`,
      ...(epoch.born === 'whole' ? ['This key was born whole: it existed in one place before it was imported.'] : []),
      ...(epoch.base ? (own ? [storedStatement(store.home, plan.name, epoch.number) ? 'Shares, stocks and backups of earlier epochs are void; what this home held of them is destroyed.' : 'Shares, stocks and backups of earlier epochs are void.'] : ['This home holds no share of the new epoch. What it held of earlier ones is destroyed.']) : []),
      'Words of this key. Every participant must see the same; write them down:',
      ...formatWords(words(certificate.digest.slice(0, 16))),
    ];
  };

  const takeIn = (certificate: Certificate, identity: Identity): Finished => {
    const { epoch } = certificate;
    const active = activeEpoch(store.home, plan.name);
    // of two epochs of one rank the higher session counts (rule C4)
    if (active && (active.epoch.number > plan.rank || (active.epoch.number === plan.rank && active.epoch.session > epoch.session)))
      fail('E_EPOCH', `epoch ${String(active.epoch.number)} of ${plan.name} is active; epoch ${String(plan.rank)} is refused for ever`, {
        remedy: 'Nothing to do: the higher epoch is the one in force.',
      });
    if (!own && active && active.epoch.number !== plan.rank && epoch.base?.epoch !== toHex(active.digest)) forkActive(store.home, active, certificate);
    supersede(store.home, certificate, identity.signer, port.now());
    if (own) destroyPrekey(store.home, own.prekey.n);
    store.destroySecrets();
    recordCare(store.home, plan.name, { kind: 'epoch', epoch: epoch.number, at: utc(port.now()) });
    const mine = certificate.confirms[leaf - 1]?.confirm.prekey;
    if (own && mine) addPrekeyToCard(store.home, identity, { n: mine.n, P: toHex(mine.P), pop: toHex(mine.pop) });
    return {
      ...(epoch.base && storedStatement(store.home, plan.name, epoch.number) ? { before: [{ kind: 'destroyed', epoch: epoch.base.epoch }] } : {}),
      entry: { kind: 'certificate', epoch: toHex(certificate.digest), result: certificate.sha256 },
      files: files(certificate),
      lines: lines(certificate),
    };
  };

  return {
    primes,
    primesPath,
    open,
    findings: async (messages) => (await judge(messages)).findings,
    async confirm(messages, identity) {
      const { vault } = identity;
      const result = await resultOf(messages);
      const opening = await open(messages, identity);
      if (!opening.ok) return { message: 'complaint', body: opening.complaint };
      keepPending(store.home, result.epoch);
      vault.put(sharePath(plan.name, plan.rank), opening.share);
      if (ecdsa) ecdsa.keepPrimes(vault, epochPrimesPath(plan.name, plan.rank), primes(identity));
      const made = ecdsa
        ? await ecdsa.makeStockedOffers(result, ctx, leaf, primes(identity), port.crew, port.random)
        : Array.from({ length: plan.stock }, () => {
            const { nonces, commitment } = makeNonces(schemeOf(plan), opening.share, port.random);
            return { secret: nonces, entry: commitment };
          });
      const stock = made.map(({ secret, entry }, i) => {
        vault.put(stockPath(plan.name, plan.rank, i), secret);
        secret.fill(0);
        return entry;
      });
      opening.share.fill(0);
      const next = freshPrekey(store.home, vault, port.random, store.prekeyCounter(nextPrekeyCounter(store.home)));
      const prekey = { n: next.n, P: fromHex(next.P), pop: fromHex(next.pop) };
      const last = messages.get(ctx.confirm - 1) ?? fail('E_INTERNAL', 'the round before is missing');
      return { message: 'confirm', body: confirmBody({ echo: echo(last), epoch: result.digest, prekey, stock }) };
    },
    missingWitnesses: async (messages) => (plan.witnesses ? store.missingWitnesses(toHex((await resultOf(messages)).digest)) : []),
    finish: async (messages, identity) => takeIn(completeCertificate((await resultOf(messages)).epoch, store.session, messages.get(ctx.confirm) ?? new Map<number, Envelope>()), identity),
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
      keepStatements(store.home, store.folder, certificate);
      return Promise.resolve({ files: files(certificate), lines: lines(certificate) });
    },
    abandon() {
      const closing = store.ownBlob(ctx.confirm);
      // after a confirmation this participant is in doubt: the pending share stays (rule C3)
      if (closing && closingOf(closing.body) === 'close') return;
      if (own) destroyPrekey(store.home, own.prekey.n);
      store.destroySecrets();
      dropPending(store.home, plan.name, plan.rank);
    },
  };
}
