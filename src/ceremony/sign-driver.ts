/** FROST signing in a home: the gate, the burning of nonces, and the signature. */
import type { SignPlan } from '../plan/plan.ts';
import { fromStock } from '../plan/plan.ts';
import { refusal } from '../policy/gate.ts';
import { NONCE, requestOf, SHARE, signatureFile, signFindings, type SignResult } from '../protocols/frost-sign.ts';
import { makeShare } from '../protocols/frost-sign-participant.ts';
import type { Inbound } from '../protocols/machine.ts';
import { makeNonces } from '../schnorr/nonce.ts';
import { join } from 'node:path';
import { fromHex, toHex } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import type { Driver, Finished } from './driver.ts';
import { finishIntent } from './intent-memory.ts';
import { remembered } from './judged.ts';
import { burnNonce, loadShare, rememberNoncePoint, stockPath } from './key-store.ts';
import type { Port } from './port.ts';
import { decideIn, frostContextIn, storedIntent } from './signing.ts';
import type { CeremonyStore } from './store.ts';

/** Driver of one signing. */
export async function signDriver(store: CeremonyStore, plan: SignPlan, port: Port): Promise<Driver> {
  const { home } = store;
  const { intent, message } = storedIntent(store);
  const ctx = await frostContextIn(home, plan, intent, message);
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
  const judge = remembered((messages) => Promise.resolve(signFindings(ctx, messages)));
  const resultOf = async (messages: Inbound): Promise<SignResult> => (await judge(messages)).result ?? fail('E_INTERNAL', 'no signature yet');

  return {
    findings: async (messages) => (await judge(messages)).findings,
    async make(slot, messages, { vault }) {
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
    missingWitnesses: () => Promise.resolve([]),
    async finish(messages) {
      const result = await resultOf(messages);
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
    async finished(messages) {
      const result = await resultOf(messages);
      return { files: files(result), lines: lines(result) };
    },
    abandon() {
      home.disk.erase(join(home.root, noncePath));
      store.destroySecrets();
    },
  };
}
