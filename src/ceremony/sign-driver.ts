/** Signing in a home: the gate, the burning of nonces, and the signature. */
import type { SignPlan } from '../plan/plan.ts';
import { fromStock } from '../plan/plan.ts';
import { decide, type Decision, refusal } from '../policy/gate.ts';
import { intentMessage, MAX_INTENT_BYTES, MAX_MESSAGE_BYTES, parseIntent, type SignedIntent } from '../policy/intent.ts';
import { keyFacts, NONCE, requestOf, SHARE, type SignContext, signContext, signatureFile, signFindings, type SignResult } from '../protocols/frost-sign.ts';
import { makeShare } from '../protocols/frost-sign-participant.ts';
import { echo, type Inbound } from '../protocols/machine.ts';
import { makeNonces } from '../schnorr/nonce.ts';
import { join } from 'node:path';
import { fromHex, toHex } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import type { Driver, Finished } from './driver.ts';
import type { Home } from './home.ts';
import { finishIntent, recallIntent } from './intent-memory.ts';
import { burnNonce, loadShare, rememberNoncePoint, requireKey, stockPath } from './key-store.ts';
import type { Port } from './port.ts';
import type { CeremonyStore } from './store.ts';

/**
 * Context of a signing plan in this home, against the key's active epoch.
 * @throws E_UNKNOWN_KEY, E_EPOCH, and as `signContext`
 */
export function signContextIn(home: Home, plan: SignPlan, intent: SignedIntent, message: Uint8Array): SignContext {
  const certificate = requireKey(home, plan.key.name);
  if (certificate.epoch.number !== plan.key.epoch)
    fail('E_EPOCH', `the plan names epoch ${String(plan.key.epoch)} of ${plan.key.name}; epoch ${String(certificate.epoch.number)} is active here`, {
      field: 'key.epoch',
      remedy: 'Bring the newest certificate to whoever is behind, then ask the lead for a new plan.',
    });
  return signContext(plan, certificate, intent, message);
}

/** The gate's decision for a signing plan in this home, now. */
export function decideIn(home: Home, ctx: SignContext, now: Date): Decision {
  const memory = recallIntent(home, ctx.intent, ctx.plan, toHex(ctx.session.sid));
  return decide(ctx.intent, keyFacts(ctx.certificate), memory, now);
}

/** Intent and message as this home stored them when it joined. */
function storedIntent(store: CeremonyStore): { intent: SignedIntent; message: Uint8Array } {
  const { disk } = store.home;
  const file = join(store.dir, 'intent.json');
  const bytes = disk.read(file, MAX_INTENT_BYTES) ?? fail('E_STATE', 'the intent of a ceremony is missing from this home', { file });
  const intent = parseIntent(bytes, file);
  return { intent, message: intentMessage(intent.intent, disk.read(join(store.dir, 'message.bin'), MAX_MESSAGE_BYTES)) };
}

/** Driver of one signing. */
export function signDriver(store: CeremonyStore, plan: SignPlan, port: Port): Driver {
  const { home } = store;
  const { intent, message } = storedIntent(store);
  const ctx = signContextIn(home, plan, intent, message);
  const { leaf } = store.seat;
  const own = plan.participants.find((p) => p.leaf === leaf) ?? fail('E_INTERNAL', 'no own seat');
  const { name } = plan.key;
  const noncePath = own.stock ? stockPath(name, plan.key.epoch, own.stock.index) : store.secretPath('for-2');

  const files = ({ signature }: SignResult): Finished['files'] => [
    { path: 'signature.bin', bytes: signature },
    { path: 'signature.json', bytes: signatureFile(ctx, signature) },
  ];
  const lines = (result: SignResult): string[] => [
    `The signature of ${name} is complete and verified.`,
    `Signature   ${toHex(result.signature)}`,
    `Public key  ${toHex(ctx.key.outputKey)}`,
    'It lies in the ceremony folder: signature.bin and signature.json.',
  ];
  // a step asks several times about the same messages
  let judged: { key: string; verdict: ReturnType<typeof signFindings> } | undefined;
  const judge = (messages: Inbound): ReturnType<typeof signFindings> => {
    const key = [...messages].map(([slot, m]) => `${String(slot)}:${toHex(echo(m))}`).join();
    judged = judged?.key === key ? judged : { key, verdict: signFindings(ctx, messages) };
    return judged.verdict;
  };
  const resultOf = (messages: Inbound): SignResult => judge(messages).result ?? fail('E_INTERNAL', 'no signature yet');

  return {
    findings: (messages) => judge(messages).findings,
    make(slot, messages, { vault }) {
      const decision = decideIn(home, ctx, port.now());
      if (!decision.allow) throw refusal(decision, 'intent.json');
      const gate = { kind: 'gate' as const, intent: toHex(intent.hash), decision: toHex(decision.hash), allow: decision.allow };
      const share = loadShare(vault, ctx.certificate);
      if (slot === NONCE) {
        const made = makeNonces(plan.key.scheme, share, port.random);
        vault.put(noncePath, made.nonces);
        for (const secret of [made.nonces, share]) secret.fill(0);
        return { message: 'nonce', body: made.commitment, before: [gate] };
      }
      const request = requestOf(ctx, messages);
      const commitment = own.stock ? fromHex(own.stock.commitment) : (messages.get(NONCE)?.get(leaf)?.body ?? fail('E_INTERNAL', 'no own commitment'));
      burnNonce(home, name, plan.key.epoch, commitment, request.hash);
      const nonces = vault.get(noncePath);
      if (!nonces)
        fail('E_NONCE_BURNED', 'the nonce that this request needs is not in this home any more', {
          remedy: 'Ask the lead for a further attempt with fresh nonces: mpc-ceremony sign --again FOLDER --live.',
        });
      const body = makeShare(ctx, request, leaf, share, nonces, decision);
      for (const secret of [nonces, share]) secret.fill(0);
      return { message: 'share', body, before: [...(fromStock(plan) ? [gate] : []), { kind: 'gate', intent: toHex(intent.hash), request: toHex(request.hash), allow: true }] };
    },
    sent(slot) {
      if (slot === SHARE) home.disk.erase(join(home.root, noncePath));
    },
    missingWitnesses: () => [],
    finish(messages) {
      const result = resultOf(messages);
      rememberNoncePoint(home, name, result.signature.slice(0, result.signature.length - (result.signature.length >> 1)), result.request.hash);
      finishIntent(home, intent, toHex(store.session.sid));
      home.disk.erase(join(home.root, noncePath));
      store.destroySecrets();
      return {
        entry: { kind: 'signature', intent: toHex(intent.hash), request: toHex(result.request.hash), subject: { bytes: result.signature.length, sha256: toHex(sha256(result.signature)) } },
        files: files(result),
        lines: lines(result),
      };
    },
    adopt: () => undefined,
    finished(messages) {
      const result = resultOf(messages);
      return { files: files(result), lines: lines(result) };
    },
    abandon() {
      home.disk.erase(join(home.root, noncePath));
      store.destroySecrets();
    },
  };
}
