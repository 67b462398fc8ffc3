/**
 * How many bytes each message of a ceremony has, told from the plan alone. Messages have a fixed form, so these are their
 * exact lengths: each figure adds up the fields that the reader of that message takes (dkg-messages.ts, rekey-messages.ts,
 * auxiliary.ts, epoch.ts, frost-sign.ts, presign.ts, ecdsa-sign.ts). Public.
 */
import { group } from '../curves/group.ts';
import { SCHEMES, type SchemeName } from '../curves/scheme.ts';
import { AUX_BYTES } from '../ecdsa/aux-info.ts';
import { FAC_BYTES } from '../ecdsa/fac.ts';
import { MOD_BYTES } from '../ecdsa/mod.ts';
import { mtaBytes } from '../ecdsa/mta.ts';
import { offerBytes } from '../ecdsa/offer.ts';
import { PRM_BYTES } from '../ecdsa/prm.ts';
import { sumBytes } from '../ecdsa/sum.ts';
import { traceBytes } from '../ecdsa/trace.ts';
import { dealingBytes } from '../sharing/dealing.ts';
import type { Quorum } from '../sharing/expression.ts';
import { schnorrProofBytes } from '../sharing/schnorr-proof.ts';
import { BLOB_OVERHEAD } from '../wire/blob.ts';
import { fail } from '../wire/errors.ts';
import { dealerSeats, fromStock, isKeying, type Plan, planQuorum, schemeOf, seated } from './plan.ts';

const HASH = 32;
const PREKEY = 4 + 32 + 64;

/** What the lengths of messages depend on. */
export interface Sized {
  readonly kind: Plan['kind'];
  readonly scheme: SchemeName;
  /** The quorum that receives, where an epoch is made. */
  readonly quorum?: Quorum;
  /** How many receive or sign: seats 1 to this number, where an epoch is made. */
  readonly members: number;
  /** How many have a seat: members, and dealers who leave. */
  readonly seats: number;
  /** Seats that deal; empty where nobody does. */
  readonly dealers: readonly number[];
  /** First messages of signing that everybody stocks with the confirmation. */
  readonly stock: number;
  /** Presignatures that are made at once: 1 in a signing. */
  readonly count: number;
  /** The first messages were stocked before. */
  readonly stocked: boolean;
}

/** What the lengths of a plan's messages depend on. @throws as `planQuorum` */
export function sizedPlan(plan: Plan): Sized {
  const seats = seated(plan).length;
  const common = { kind: plan.kind, scheme: schemeOf(plan), members: plan.participants.length, seats };
  if (isKeying(plan)) return { ...common, quorum: planQuorum(plan), dealers: dealerSeats(plan), stock: plan.stock, count: 0, stocked: false };
  return { ...common, dealers: [], stock: 0, count: plan.kind === 'presign' ? plan.count : 1, stocked: plan.kind === 'sign' && fromStock(plan) };
}

/** Bytes of one entry of a stock: a nonce commitment (FROST), or the first message of a presigning to everybody else (ECDSA). */
export function stockEntryBytes({ scheme, members }: Pick<Sized, 'scheme' | 'members'>): number {
  const { protocol, group: curve } = SCHEMES[scheme];
  return protocol === 'frost' ? 2 * group(curve).pointBytes : offerBytes(curveOf(scheme), members - 1);
}

function curveOf(scheme: SchemeName): 'secp256k1' | 'p256' {
  return SCHEMES[scheme].group as 'secp256k1' | 'p256';
}

/**
 * Bytes of a body of a message that makes an epoch.
 * @param message name of its slot @param seat of its sender, from 1
 */
function keyingBody(s: Sized & { readonly quorum: Quorum; readonly kind: 'dkg' | 'refresh' | 'reshare' | 'import' }, message: string, seat: number): number {
  const { protocol, group: curve } = SCHEMES[s.scheme];
  const ecdsa = protocol === 'cggmp24';
  const g = group(curve);
  const dealing = s.dealers.includes(seat) ? dealingBytes({ kind: s.kind, group: g, quorum: s.quorum }) : 0;
  const auxiliary = AUX_BYTES + PRM_BYTES + HASH;
  switch (message) {
    case 'commit':
      return HASH;
    case 'deal':
      if (s.kind === 'dkg') return HASH * s.members + 2 * HASH + (ecdsa ? auxiliary : 0) + dealing;
      return (ecdsa && seat <= s.members ? HASH : 0) + dealing;
    case 'reveal':
      return HASH * s.seats + HASH + auxiliary;
    case 'prove':
      return HASH * s.members + schnorrProofBytes(g) + MOD_BYTES + (s.members - 1) * FAC_BYTES;
    case 'confirm':
      // the echo is of the round before: of those who dealt, or of everybody's proofs
      return 1 + HASH * (ecdsa ? s.members : s.dealers.length) + HASH + PREKEY + 2 + s.stock * stockEntryBytes(s);
    default:
      return fail('E_INTERNAL', `no message ${message} makes an epoch`);
  }
}

/** Bytes of a body of a message that uses a key. @param message name of its slot */
function signingBody(s: Sized, message: string): number {
  const { protocol, group: curve } = SCHEMES[s.scheme];
  const g = group(curve);
  const peers = s.members - 1;
  const echo = HASH * s.members;
  switch (message) {
    case 'nonce':
      return 2 * g.pointBytes;
    case 'share':
      return 1 + HASH + g.scalarBytes;
    case 'offer':
      return s.count * offerBytes(curveOf(s.scheme), peers);
    case 'convert':
      return (s.stocked ? 0 : echo) + s.count * mtaBytes(curveOf(s.scheme), peers);
    case 'sum':
      return echo + s.count * sumBytes(curveOf(s.scheme));
    case 'trace':
      return 1 + echo + 3 + traceBytes(curveOf(s.scheme), peers);
    default:
      return fail('E_INTERNAL', `no message ${message} in ${protocol}`);
  }
}

/**
 * Bytes of the blob with which a seat says a message, signature and header included.
 * @param message name of the slot: commit, deal, reveal, prove, confirm; nonce, share, offer, convert, sum; trace
 * @param seat of the sender; matters only where some deal and others do not
 */
export function blobBytes(s: Sized, message: string, seat: number): number {
  const { kind, quorum } = s;
  const keying = quorum !== undefined && kind !== 'sign' && kind !== 'presign';
  return BLOB_OVERHEAD + (keying ? keyingBody({ ...s, kind, quorum }, message, seat) : signingBody(s, message));
}

/** Bytes of a message that are the same in everybody's: what it echoes of the round before, and the digest that it confirms or answers. */
export function commonBytes(s: Sized, message: string): number {
  const ecdsa = SCHEMES[s.scheme].protocol === 'cggmp24';
  switch (message) {
    case 'deal':
      return s.kind === 'dkg' ? HASH * s.members : 0;
    case 'reveal':
      return HASH * s.seats;
    case 'confirm':
      return HASH * (ecdsa ? s.members : s.dealers.length) + HASH;
    case 'share':
      return HASH;
    case 'convert':
      return s.stocked ? 0 : HASH * s.members;
    case 'prove':
    case 'sum':
    case 'trace':
      return HASH * s.members;
    default:
      return 0;
  }
}
