/** Threshold ECDSA signing in a home: the gate, the presignature and its burning, and the signature. */
import { join } from 'node:path';
import { type SignPlan } from '../plan/plan.ts';
import { refusal } from '../policy/gate.ts';
import { ecdsaFindings, type EcdsaRequest, type EcdsaResult, ecdsaRequest, ecdsaSignatureFile } from '../protocols/ecdsa-sign.ts';
import { makeEcdsaShare } from '../protocols/ecdsa-sign-participant.ts';
import { concluded } from '../protocols/crew.ts';
import type { Inbound } from '../protocols/machine.ts';
import { CLOSE } from '../protocols/presign.ts';
import { presignatureId } from '../protocols/presignature.ts';
import { fromHex, toHex } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import { rememberBlame, requireUnblamed } from './blame.ts';
import type { Driver, Finished } from './driver.ts';
import type { Identity } from './identity.ts';
import { finishIntent } from './intent-memory.ts';
import { remembered } from './judged.ts';
import { burnNonce, rememberNoncePoint } from './key-store.ts';
import type { Port } from './port.ts';
import { PresignRounds } from './presign-rounds.ts';
import { presignaturePath } from './presignatures.ts';
import { decideIn, ecdsaContextIn, storedIntent } from './signing.ts';
import type { CeremonyStore } from './store.ts';

/** Driver of one signing. */
export async function ecdsaDriver(store: CeremonyStore, plan: SignPlan, port: Port): Promise<Driver> {
  const { home } = store;
  const { intent, message } = storedIntent(store);
  const ctx = await ecdsaContextIn(home, plan, intent, message);
  const { leaf } = store.seat;
  const { name, epoch } = plan.key;
  const rounds = ctx.record ? undefined : new PresignRounds(store, ctx.presigning, ctx.certificate, port);
  const halfPath = ctx.record && presignaturePath(name, epoch, toHex(presignatureId(ctx.record)));

  const judge = remembered(async (messages, everything) => ecdsaFindings(ctx, messages, rounds && !store.done ? await rounds.judge(everything) : concluded));
  const resultOf = async (messages: Inbound): Promise<EcdsaResult> => (await judge(messages)).result ?? fail('E_INTERNAL', 'no signature yet');
  const files = (result: EcdsaResult): Finished['files'] => [
    { path: 'signature.bin', bytes: result.signature },
    { path: 'signature.json', bytes: ecdsaSignatureFile(ctx, result) },
  ];
  const lines = (result: EcdsaResult): string[] => [
    `The signature of ${name} is complete and verified.`,
    `Signature   ${toHex(result.signature)}`,
    `Public key  ${toHex(ctx.presigning.key.publicKeyBytes)}`,
    'It lies in the ceremony folder: signature.bin (DER) and signature.json (r, s, recovery id).',
  ];

  /** Own half of the presignature, secret. Spent, durably, on the request before it is read. */
  const spend = (request: EcdsaRequest, messages: Inbound, identity: Identity): Uint8Array => {
    burnNonce(home, name, epoch, presignatureId(request.record), request.hash, 'E_PRESIGN_USED');
    // a nonce point that repeats means faulty randomness or a copy: then nothing is signed
    rememberNoncePoint(home, name, fromHex(request.record.gamma), request.hash);
    const half = halfPath === undefined ? rounds?.halves(messages, identity)?.[0] : identity.vault.get(halfPath);
    return (
      half ??
      fail('E_PRESIGN_USED', 'the presignature that this request needs is not in this home any more', {
        remedy: 'Ask the lead for a further attempt: mpc-ceremony sign --again FOLDER.',
      })
    );
  };

  /** Destroys what is left of the presignature or of the rounds, a stocked offer too, which a crash may have spared. */
  const destroy = (): void => {
    if (halfPath !== undefined) home.disk.erase(join(home.root, halfPath));
    else rounds?.destroy();
  };

  return {
    findings: async (messages) => (await judge(messages)).findings,
    traces: async (messages) => (await judge(messages)).mismatch !== undefined,
    async make(slot, messages, identity) {
      const { mismatch, request: known } = await judge(messages);
      // tracing releases nothing that signs: it needs no decision, and an intent that has expired must not shield a cheat
      if (slot === CLOSE && mismatch) return { message: 'trace', body: (await rounds?.trace(messages, identity, mismatch)) ?? fail('E_INTERNAL', 'nothing to trace') };
      requireUnblamed(home, plan);
      const decision = decideIn(home, ctx, port.now());
      if (!decision.allow) throw refusal(decision, 'intent.json');
      const first = store.sent.size === 0;
      const gate = { kind: 'gate' as const, intent: toHex(intent.hash), decision: toHex(decision.hash), allow: decision.allow };
      if (slot !== CLOSE) {
        const body = (await rounds?.make(slot, messages, identity)) ?? fail('E_INTERNAL', 'no rounds before a share from stock');
        return { message: { 1: 'offer', 2: 'convert', 3: 'sum' }[slot] ?? '', body, ...(first ? { before: [gate] } : {}) };
      }
      const request = known ?? ecdsaRequest(ctx);
      const body = makeEcdsaShare(ctx, request, leaf, spend(request, messages, identity), decision);
      return { message: 'share', body, before: [...(first ? [gate] : []), { kind: 'gate', intent: toHex(intent.hash), request: toHex(request.hash), allow: true }] };
    },
    sent(slot) {
      if (halfPath !== undefined) home.disk.erase(join(home.root, halfPath));
      else rounds?.sent(slot);
    },
    missingWitnesses: () => Promise.resolve([]),
    async finish(messages) {
      const result = await resultOf(messages);
      finishIntent(home, intent, toHex(store.session.sid));
      destroy();
      return {
        entry: { kind: 'signature', intent: toHex(intent.hash), request: toHex(result.request.hash), subject: { bytes: result.signature.length, sha256: toHex(sha256(result.signature)) } },
        files: files(result),
        lines: lines(result),
      };
    },
    adopt: () => undefined,
    async finished(messages) {
      const result = await resultOf(messages);
      return { files: files(result), lines: lines(result) };
    },
    blame: (participant) => {
      rememberBlame(home, name, epoch, participant, `${store.label} ${store.id}`);
    },
    abandon: destroy,
  };
}
