/** What every signing needs in a home, whatever the protocol: the intent as it was joined, the context, the gate. */
import { join } from 'node:path';
import { SCHEMES } from '../curves/scheme.ts';
import type { PresignPlan, SignPlan } from '../plan/plan.ts';
import { decide, type Decision } from '../policy/gate.ts';
import { intentMessage, MAX_INTENT_BYTES, MAX_MESSAGE_BYTES, parseIntent, type SignedIntent } from '../policy/intent.ts';
import type { EcdsaContext } from '../protocols/ecdsa-sign.ts';
import type { Certificate } from '../protocols/epoch.ts';
import type { SignContext } from '../protocols/frost-sign.ts';
import { keyFacts, type Signing } from '../protocols/signing.ts';
import { toHex } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import type { Home } from './home.ts';
import { recallIntent } from './intent-memory.ts';
import { requireKey, requireSigning } from './key-store.ts';
import { storedPresignature } from './presignatures.ts';
import type { CeremonyStore } from './store.ts';

/** The active certificate of the key that a plan uses. @throws E_UNKNOWN_KEY, E_KEY_PENDING, E_EPOCH, E_FORK, E_RESTORED */
export function certificateFor(home: Home, plan: SignPlan | PresignPlan): Certificate {
  const certificate = requireKey(home, plan.key.name);
  if (certificate.epoch.number !== plan.key.epoch)
    fail('E_EPOCH', `the plan names epoch ${String(plan.key.epoch)} of ${plan.key.name}; epoch ${String(certificate.epoch.number)} is active here`, {
      field: 'key.epoch',
      // who is behind
      participant: certificate.epoch.number < plan.key.epoch ? home.facts.name : plan.lead,
      remedy: 'Bring the newest certificate to whoever is behind, then ask the lead for a new plan.',
    });
  requireSigning(home, certificate);
  return certificate;
}

/** Context of a FROST signing against the key's active epoch. @throws as {@link certificateFor} and `signContext` */
export async function frostContextIn(home: Home, plan: SignPlan, intent: SignedIntent, message: Uint8Array): Promise<SignContext> {
  const { signContext } = await import('../protocols/frost-sign.ts');
  return signContext(plan, certificateFor(home, plan), intent, message);
}

/** Context of an ECDSA signing, with the presignature that this home holds. @throws as {@link certificateFor} and `ecdsaContext` */
export async function ecdsaContextIn(home: Home, plan: SignPlan, intent: SignedIntent, message: Uint8Array): Promise<EcdsaContext> {
  const { ecdsaContext } = await import('../protocols/ecdsa-sign.ts');
  const certificate = certificateFor(home, plan);
  const record = plan.presignature === undefined ? undefined : storedPresignature(home, plan.key.name, plan.key.epoch, plan.presignature);
  return ecdsaContext(plan, certificate, intent, message, record);
}

/** Context of a signing plan in this home. @throws as the two above */
export function contextIn(home: Home, plan: SignPlan, intent: SignedIntent, message: Uint8Array): Promise<Signing> {
  return SCHEMES[plan.key.scheme].protocol === 'frost' ? frostContextIn(home, plan, intent, message) : ecdsaContextIn(home, plan, intent, message);
}

/** The gate's decision for a signing plan in this home, now. */
export function decideIn(home: Home, ctx: Signing, now: Date): Decision {
  const memory = recallIntent(home, ctx.intent, ctx.plan, toHex(ctx.session.sid));
  return decide(ctx.intent, keyFacts(ctx.certificate), memory, now);
}

/** Intent and message as this home stored them when it joined. @throws E_STATE when they are gone */
export function storedIntent(store: CeremonyStore): { intent: SignedIntent; message: Uint8Array } {
  const { disk } = store.home;
  const file = join(store.dir, 'intent.json');
  const bytes = disk.read(file, MAX_INTENT_BYTES) ?? fail('E_STATE', 'the intent of a ceremony is missing from this home', { file });
  const intent = parseIntent(bytes, file);
  return { intent, message: intentMessage(intent.intent, disk.read(join(store.dir, 'message.bin'), MAX_MESSAGE_BYTES)) };
}
