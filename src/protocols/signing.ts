/**
 * What every signing has in common, whatever the protocol: plan, certificate, intent and message belong together. Public.
 */
import { SCHEMES } from '../curves/scheme.ts';
import { type PresignPlan, planSession, type SignPlan } from '../plan/plan.ts';
import type { KeyFacts } from '../policy/gate.ts';
import type { SignedIntent } from '../policy/intent.ts';
import type { Session } from '../wire/blob.ts';
import { toHex } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import type { Certificate } from './epoch.ts';

/** What plan, certificate and intent fix. Public. */
export interface Signing {
  readonly plan: SignPlan;
  readonly session: Session;
  readonly certificate: Certificate;
  readonly intent: SignedIntent;
  readonly message: Uint8Array;
}

/**
 * Whether a plan uses the key of this certificate: key, epoch, mode and the seats of its participants.
 * @throws E_CERTIFICATE, E_SCOPE, E_REHEARSAL, E_EPOCH, E_ROSTER_HASH
 */
export function requireSameKey(plan: SignPlan | PresignPlan, certificate: Certificate): void {
  const { epoch } = certificate;
  if (toHex(certificate.digest) !== plan.key.certificate) fail('E_CERTIFICATE', 'the certificate is of another epoch than the plan names', { field: 'key.certificate' });
  if (epoch.key.id !== plan.key.id || epoch.key.name !== plan.key.name || epoch.key.scheme !== plan.key.scheme)
    fail('E_SCOPE', 'the plan names another key than the certificate', { field: 'key' });
  if (epoch.key.mode !== plan.mode) fail('E_REHEARSAL', `the key is for ${epoch.key.mode}, the plan for ${plan.mode}`, { field: 'mode' });
  if (epoch.number !== plan.key.epoch) fail('E_EPOCH', `the plan names epoch ${String(plan.key.epoch)}, the certificate is of epoch ${String(epoch.number)}`, { field: 'key.epoch' });
  for (const p of plan.participants) {
    const seat = epoch.roster[p.leaf - 1];
    if (seat?.name !== p.name || seat.identity !== p.identity || seat.homeId !== p.homeId)
      fail('E_ROSTER_HASH', `${p.name} does not sit in seat ${String(p.leaf)} of this epoch with these keys`, { participant: p.name, field: 'participants' });
  }
}

/**
 * Puts plan, certificate, intent and message of a signing together.
 * @param stockName how a plan names what a participant stocked with its confirmation, hex
 * @throws as {@link requireSameKey}; E_INTENT_HASH, E_NONCE_BURNED
 */
export function signing(plan: SignPlan, certificate: Certificate, intent: SignedIntent, message: Uint8Array, stockName: (entry: Uint8Array) => string): Signing {
  requireSameKey(plan, certificate);
  if (toHex(intent.hash) !== plan.intent) fail('E_INTENT_HASH', 'the intent is not the one that the plan names', { field: 'intent' });
  for (const p of plan.participants) {
    const stocked = p.stock && certificate.confirms[p.leaf - 1]?.confirm.stock[p.stock.index];
    if (p.stock && (!stocked || stockName(stocked) !== p.stock.commitment))
      fail('E_NONCE_BURNED', `the plan names a first message that ${p.name} has not stocked in this epoch`, { participant: p.name, field: 'participants' });
  }
  return { plan, session: planSession(plan), certificate, intent, message };
}

/** What the gate is told about a key. */
export function keyFacts(certificate: Certificate): KeyFacts {
  const { key, number, roster } = certificate.epoch;
  return {
    name: key.name,
    id: key.id,
    epoch: number,
    scheme: key.scheme,
    mode: key.mode,
    derivable: SCHEMES[key.scheme].derivable,
    roster: new Map(roster.map((p) => [p.name, p.identity])),
  };
}
