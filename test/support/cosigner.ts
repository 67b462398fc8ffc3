/** A signer whose nonces and shares the test holds in its hand. Left alone, it is honest. */
import { keyFacts } from '../../src/protocols/signing.ts';
import { loadShare, requireKey } from '../../src/ceremony/key-store.ts';
import type { SignPlan } from '../../src/plan/plan.ts';
import { decide } from '../../src/policy/gate.ts';
import { intentMessage, parseIntent } from '../../src/policy/intent.ts';
import { requestOf, type SignContext, signContext } from '../../src/protocols/frost-sign.ts';
import { makeShare } from '../../src/protocols/frost-sign-participant.ts';
import type { Inbound } from '../../src/protocols/machine.ts';
import { type MadeNonces, makeNonces } from '../../src/schnorr/nonce.ts';
import { type Party, random } from './harness.ts';
import type { Run } from './run.ts';

/** Context of a signing, from the files of somebody's folder and a home's certificate. */
export function signingContext(run: Run, label: string): SignContext {
  const intent = parseIntent(run.file(label, 'intent.json') as Uint8Array, 'intent.json');
  return signContext(run.plan as SignPlan, requireKey(run.table.party(label).home, 'treasury'), intent, intentMessage(intent.intent, run.file(label, 'message.bin')));
}

export class Cosigner {
  readonly ctx: SignContext;
  readonly party: Party;
  readonly leaf: number;
  readonly made: MadeNonces;

  constructor(run: Run, label: string) {
    this.party = run.table.party(label);
    this.ctx = signingContext(run, label);
    this.leaf = run.seat(this.party.name).leaf;
    this.made = makeNonces(this.ctx.plan.key.scheme, this.#share(), random);
  }

  #share(): Uint8Array {
    return loadShare(this.party.identity.vault, this.ctx.certificate);
  }

  /** Body of the nonce message. */
  nonce(): Uint8Array {
    return this.made.commitment;
  }
  /** Body of the share message. @param nonces the stocked pair, when signing from stock */
  share(messages: Inbound, nonces = this.made.nonces): Uint8Array {
    const decision = decide(this.ctx.intent, keyFacts(this.ctx.certificate), 'new', this.party.port.now());
    return makeShare(this.ctx, requestOf(this.ctx, messages), this.leaf, this.#share(), nonces.slice(), decision);
  }
}
