/**
 * Presigning, the signer's side. Secret: what is returned as `secret` must be sealed before the message leaves. Every
 * secret of the rounds is destroyed once the parts are known to add up; it is kept only where an error round is due.
 */
import { makePresignSecret, PRESIGN_SECRET_BYTES } from '../ecdsa/make-presignature.ts';
import type { AuxSecret } from '../ecdsa/make-aux.ts';
import { affineJobs, assembleMta, type MakeMta, mtaSecretBytes } from '../ecdsa/make-mta.ts';
import { OFFER_SECRET_BYTES } from '../ecdsa/make-offer.ts';
import { deltaSum } from '../ecdsa/outcome.ts';
import { concat, Reader } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import type { Random } from '../wire/random.ts';
import { echo, type Inbound } from './machine.ts';
import { type Crew, make } from './make-crew.ts';
import {
  bindingOfOffer,
  bindingOfRounds,
  CONVERT,
  curveOf,
  entriesBody,
  type Mismatch,
  OFFER,
  offersOf,
  partsOf,
  pointOf,
  type Presigning,
  roundEntries,
  signerInfos,
  signersOf,
  SUM,
  traceBody,
} from './presign.ts';

/** One signer: leaf id, factors and leaf share (secret), and what works for it. */
export interface Signer {
  readonly leaf: number;
  readonly own: AuxSecret;
  /** Leaf share, encoded. */
  readonly share: Uint8Array;
  readonly crew: Crew;
  readonly random: Random;
}

/** A message to send and the secret that goes with it. */
interface Made {
  readonly body: Uint8Array;
  /** Secret; to be sealed. */
  readonly secret: Uint8Array;
}

const each = (p: Presigning): number[] => Array.from({ length: p.count }, (_, i) => i);

/** The secrets of single entries. @throws E_STATE */
function split(secret: Uint8Array, count: number, size: number): Uint8Array[] {
  const r = new Reader(secret, 'E_STATE');
  const parts = Array.from({ length: count }, () => r.take(size, 'secret of a presigning'));
  r.end();
  return parts;
}

/** Round 1. The secret: {@link OFFER_SECRET_BYTES} for each entry. */
export async function makeOffers(p: Presigning, { leaf, own, crew, random }: Omit<Signer, 'share'>): Promise<Made> {
  const verifiers = signerInfos(p);
  const made = await make(crew, 'makeOffer', each(p).map((entry) => ({ curve: curveOf(p), bind: bindingOfOffer(p, leaf, entry), leaf, own, verifiers, seed: random(32) })));
  return { body: entriesBody(undefined, made.map((m) => m.offer)), secret: concat(...made.map((m) => m.secret)) };
}

/** w = weight·share + shift, encoded. */
function additiveShare(p: Presigning, leaf: number, share: Uint8Array): Uint8Array {
  const { group, signers } = p.key;
  const { weight, shift } = signers.find((s) => s.leaf.id === leaf) ?? fail('E_INTERNAL', 'not a signer');
  return group.encodeScalar((weight * group.decodeScalar(share) + shift) % group.order);
}

/** Round 2, from the secret of round 1 (or of the stocked offer). The secret replaces it. */
export async function makeConverts(p: Presigning, { leaf, own, share, crew, random }: Signer, secret: Uint8Array, messages: Inbound): Promise<Made> {
  const offers = split(secret, p.count, OFFER_SECRET_BYTES);
  const w = additiveShare(p, leaf, share);
  const work = each(p).map(
    (entry): MakeMta => ({
      curve: curveOf(p),
      bind: bindingOfRounds(p, messages, entry),
      leaf,
      own,
      signers: signerInfos(p),
      offers: offersOf(p, messages, entry),
      secret: offers[entry] as Uint8Array,
      w,
      seed: random(32),
    }),
  );
  const products = await make(crew, 'makeAffine', work.flatMap(affineJobs));
  const perEntry = products.length / p.count;
  const made = work.map((args, entry) => assembleMta(args, products.slice(entry * perEntry, (entry + 1) * perEntry)));
  w.fill(0);
  const round = messages.get(OFFER);
  return { body: entriesBody(p.stocked || !round ? undefined : echo(round), made.map((m) => m.mta)), secret: concat(...made.map((m) => m.secret)) };
}

const kept = (p: Presigning): number => mtaSecretBytes(signersOf(p).length - 1);

/** Round 3. The secret: that of round 2, and k ‖ χ of each entry. */
export async function makeSums(p: Presigning, { leaf, own, crew, random }: Signer, secret: Uint8Array, messages: Inbound): Promise<Made> {
  const secrets = split(secret, p.count, kept(p));
  const made = await make(
    crew,
    'makeSum',
    each(p).map((entry) => ({
      curve: curveOf(p),
      bind: bindingOfRounds(p, messages, entry),
      leaf,
      own,
      offer: offersOf(p, messages, entry).find((o) => o.leaf === leaf)?.bytes ?? fail('E_INTERNAL', 'no own offer'),
      mtas: roundEntries(p, messages, CONVERT, entry),
      secret: secrets[entry] as Uint8Array,
      seed: random(32),
    })),
  );
  const converts = messages.get(CONVERT) ?? fail('E_INTERNAL', 'no conversions');
  return { body: entriesBody(echo(converts), made.map((m) => m.sum)), secret: concat(secret, ...made.map((m) => m.secret)) };
}

/** What is kept of each presignature, k̃ ‖ χ̃: 64 bytes, secret. Only after all parts were found to add up. */
export function presignSecrets(p: Presigning, secret: Uint8Array, messages: Inbound): Uint8Array[] {
  const sums = split(secret.slice(p.count * kept(p)), p.count, PRESIGN_SECRET_BYTES);
  return each(p).map((entry) => makePresignSecret({ curve: curveOf(p), secret: sums[entry] as Uint8Array, delta: deltaSum(partsOf(p, messages, entry)) }));
}

/** This signer's part in the error round: proofs about its ciphertexts. The presignature and all its randomness are dead with it. */
export async function makeTraceMessage(p: Presigning, { leaf, own, crew, random }: Signer, secret: Uint8Array, messages: Inbound, mismatch: Mismatch): Promise<Uint8Array> {
  const { entry, which } = mismatch;
  const secrets = split(secret.slice(0, p.count * kept(p)), p.count, kept(p));
  const [trace] = await make(crew, 'makeTrace', [
    {
      curve: curveOf(p),
      bind: bindingOfRounds(p, messages, entry),
      which,
      signers: signerInfos(p),
      prover: leaf,
      offers: offersOf(p, messages, entry),
      mtas: roundEntries(p, messages, CONVERT, entry),
      sums: roundEntries(p, messages, SUM, entry),
      point: pointOf(p, leaf),
      own,
      secret: secrets[entry] as Uint8Array,
      seed: random(32),
    },
  ]);
  return traceBody(echo(messages.get(SUM) ?? fail('E_INTERNAL', 'no sums')), mismatch, trace ?? fail('E_INTERNAL', 'no trace'));
}
