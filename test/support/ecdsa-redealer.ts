/** A participant in the refresh or reshare of an ECDSA key: its new moduli, and what it proves of them, can be exchanged. */
import { type AuxInfo, encodeAux } from '../../src/ecdsa/aux-info.ts';
import { type AuxSecret, drawAux, orderOfRing } from '../../src/ecdsa/make-aux.ts';
import { type FacWitness, proveFac } from '../../src/ecdsa/prove-fac.ts';
import { provePrm } from '../../src/ecdsa/prove-prm.ts';
import { ringPedersen } from '../../src/ecdsa/ring-pedersen.ts';
import { TASKS } from '../../src/ecdsa/tasks.ts';
import { announced, announcement, announcementBinding, possessionBinding, proofBinding } from '../../src/protocols/auxiliary.ts';
import { concluded } from '../../src/protocols/crew.ts';
import type { Dealt, KeyingResult } from '../../src/protocols/keying.ts';
import { roundOf } from '../../src/protocols/keying.ts';
import { echo, type Inbound } from '../../src/protocols/machine.ts';
import { announcementsOf, REVEAL, rekeyFindings } from '../../src/protocols/rekey.ts';
import { auxiliaryCommitment, rekeyDealBody, revealBody } from '../../src/protocols/rekey-messages.ts';
import { proveSchnorr } from '../../src/sharing/prove.ts';
import { ownRing, type ProveParts } from './dealer.ts';
import { random } from './harness.ts';
import { Redealer } from './redealer.ts';
import type { Run } from './run.ts';
import type { PartyAux } from '../../src/ecdsa/presign.ts';

export class EcdsaRedealer extends Redealer {
  readonly own: AuxSecret;
  readonly aux: AuxInfo;
  readonly lambda: bigint;
  readonly rho = random(32);
  salt = random(32);
  ringProof: Uint8Array;
  /** Moduli, bases, Π-prm and ρ as they are committed to and revealed. */
  auxiliary: Uint8Array;

  constructor(run: Run, label: string, own: AuxSecret) {
    super(run, label);
    this.own = own;
    const { aux, lambda } = drawAux(own, random);
    this.aux = aux;
    this.lambda = lambda;
    this.ringProof = this.proveRing();
    this.auxiliary = this.announcement();
  }

  /** Π-prm. @param sid of another ceremony @param leaf of another participant */
  proveRing(sid = this.ctx.session.sid, leaf = this.leaf): Uint8Array {
    return provePrm({ bind: announcementBinding(sid), prover: leaf, verifier: 0 }, { ring: ownRing(this.aux, this.own) }, { lambda: this.lambda, phi: orderOfRing(this.own) }, random(32));
  }
  announcement(): Uint8Array {
    return announcement(encodeAux(this.aux), this.ringProof, this.rho);
  }
  commitment(leaf = this.leaf): Uint8Array {
    return auxiliaryCommitment(this.ctx.session.sid, leaf, this.salt, this.auxiliary);
  }
  override deal(commitment = this.commitment()): Uint8Array {
    return rekeyDealBody({ commitment, dealing: this.dealing() });
  }
  /** Body of the reveal. @param messages what the victims hold, for the echo */
  reveal(messages: Inbound): Uint8Array {
    return revealBody({ echo: echo(roundOf(messages, this.ctx.deal)), salt: this.salt, auxiliary: this.auxiliary });
  }
  bind(messages: Inbound): Uint8Array {
    return proofBinding(this.ctx, announcementsOf(this.ctx, roundOf(messages, REVEAL)));
  }
  verifiers(messages: Inbound): PartyAux[] {
    return announced(this.ctx, announcementsOf(this.ctx, roundOf(messages, REVEAL))).filter((v) => v.leaf !== this.leaf);
  }
  proveFactors(bind: Uint8Array, verifier: PartyAux, factors: FacWitness = this.own): Uint8Array {
    return proveFac({ bind, prover: this.leaf, verifier: verifier.leaf }, { n: this.aux.n, ring: ringPedersen(verifier.nHat, verifier.s, verifier.t) }, factors, random(32));
  }
  /** The parts of the prove message, all of them good. */
  async proofs(messages: Inbound): Promise<ProveParts> {
    const bind = this.bind(messages);
    const { group } = this.ctx;
    const x = group.decodeScalar(await this.share(messages));
    return {
      echo: echo(roundOf(messages, REVEAL)),
      possession: proveSchnorr(group, possessionBinding(bind, this.leaf), x, group.encodePoint(group.multiply(group.base, x)), random),
      modulus: TASKS.proveModulus({ bind, leaf: this.leaf, own: this.own, seed: random(32) }),
      factors: new Map(this.verifiers(messages).map((v) => [v.leaf, this.proveFactors(bind, v)])),
    };
  }
  override async dealt(messages: Inbound): Promise<Dealt> {
    const { dealt } = await rekeyFindings(this.ctx, messages, concluded);
    if (!dealt) throw new Error('the deals are not good');
    return dealt;
  }
  override async result(messages: Inbound): Promise<KeyingResult> {
    const { result, findings } = await rekeyFindings(this.ctx, messages, concluded);
    if (!result) throw new Error(`no result: ${findings.map((f) => f.text).join()}`);
    return result;
  }
}
