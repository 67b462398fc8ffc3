/**
 * A dealer in a key generation whose every part can be exchanged before it speaks. What it says is made by the real
 * functions of the protocol; left alone, it is honest.
 */
import { ownedModulus, type OwnedModulus } from '../../src/arith/owner.ts';
import { prekeySecret } from '../../src/ceremony/identity.ts';
import { type AuxInfo, encodeAux } from '../../src/ecdsa/aux-info.ts';
import type { ProofContext } from '../../src/ecdsa/context.ts';
import { type AuxSecret, drawAux, orderOfRing } from '../../src/ecdsa/make-aux.ts';
import { type FacWitness, proveFac } from '../../src/ecdsa/prove-fac.ts';
import { provePrm } from '../../src/ecdsa/prove-prm.ts';
import { ringPedersen, type RingPedersen } from '../../src/ecdsa/ring-pedersen.ts';
import { TASKS } from '../../src/ecdsa/tasks.ts';
import type { DkgPlan } from '../../src/plan/plan.ts';
import { type Announcements, announced, announcement, announcementBinding, possessionBinding, proofBinding, proveBody } from '../../src/protocols/auxiliary.ts';
import { concluded } from '../../src/protocols/crew.ts';
import { COMMIT, DEAL, dealOf, type DkgContext, dkgContext, dkgFindings, PROVE } from '../../src/protocols/dkg.ts';
import { commitment, complaintBody, dealBody } from '../../src/protocols/dkg-messages.ts';
import { confirmBody } from '../../src/protocols/epoch.ts';
import { type Dealt, type KeyingResult, roundOf } from '../../src/protocols/keying.ts';
import { openShares } from '../../src/protocols/keying-participant.ts';
import { echo, type Inbound } from '../../src/protocols/machine.ts';
import { alone } from '../../src/protocols/make-crew.ts';
import { makeStockedOffers } from '../../src/protocols/stock-offers.ts';
import { complaintContext, complaintStatement, disputeOf } from '../../src/sharing/complaint.ts';
import { encodeDealing } from '../../src/sharing/dealing.ts';
import { makePolynomials, type Polynomials } from '../../src/sharing/deal.ts';
import type { Leaf } from '../../src/sharing/expression.ts';
import { makePrekey } from '../../src/sharing/make-prekey.ts';
import { proveDleq, proveSchnorr } from '../../src/sharing/prove.ts';
import { provePossession } from '../../src/sharing/prove-possession.ts';
import { sealBoxes } from '../../src/sharing/seal.ts';
import type { SealedBoxes } from '../../src/sharing/sealing-proof.ts';
import { multiply } from '../../src/sharing/sealing-group.ts';
import { encodeTree, type PublicTree } from '../../src/sharing/tree.ts';
import { type Envelope, openBlob } from '../../src/wire/blob.ts';
import { concat } from '../../src/wire/bytes.ts';
import { type Party, random } from './harness.ts';
import type { Run } from './run.ts';
import type { PartyAux } from '../../src/ecdsa/presign.ts';

export class Dealer {
  readonly ctx: DkgContext;
  readonly leaf: number;
  poly: Polynomials;
  tree: PublicTree;
  treeBytes: Uint8Array;
  possession: Uint8Array;
  chainPart = random(32);
  salt = random(32);
  /** Of an ECDSA key. */
  auxiliary: Uint8Array = new Uint8Array(0);
  sealed: SealedBoxes;

  constructor(run: Run, name: string) {
    this.ctx = dkgContext(run.plan as DkgPlan);
    this.leaf = run.seat(name).leaf;
    const { tree, coefficients } = makePolynomials(this.ctx.group, this.ctx.quorum, 'dkg', undefined, random);
    this.poly = coefficients;
    this.tree = tree;
    this.treeBytes = encodeTree(tree);
    this.possession = this.prove();
    this.sealed = this.seal();
  }

  /** Deals these polynomials, with everything that follows from them. */
  take(poly: Polynomials): void {
    const { group, quorum } = this.ctx;
    this.poly = poly;
    const gates = new Map([...poly.gates].map(([label, row]) => [label, row.map((s) => group.multiply(group.base, s))]));
    this.tree = { group, quorum, constant: group.multiply(group.base, poly.constant), gates };
    this.treeBytes = encodeTree(this.tree);
    this.possession = this.prove();
    this.sealed = this.seal();
  }

  prove(): Uint8Array {
    return provePossession(this.ctx.session.sid, this.leaf, this.tree, this.poly, random);
  }
  seal(over: Partial<Parameters<typeof sealBoxes>[0]> = {}): SealedBoxes {
    return sealBoxes({ sid: this.ctx.session.sid, dealer: this.leaf, tree: this.tree, poly: this.poly, prekeys: this.ctx.prekeys, random, ...over });
  }

  /** Body of round 1. */
  commit(): Uint8Array {
    return commitment(this.ctx.session.sid, this.leaf, { ...this, commitments: this.treeBytes });
  }
  /** The dealing part of round 2. */
  dealing(): Uint8Array {
    return encodeDealing(this.treeBytes, this.possession, this.sealed);
  }
  /** Body of round 2. @param messages what the victims hold, for the echo */
  deal(messages: Inbound): Uint8Array {
    const commits = messages.get(COMMIT);
    if (!commits) throw new Error('no commits yet');
    return dealBody({ echo: echo(commits), salt: this.salt, chainPart: this.chainPart, auxiliary: this.auxiliary, dealing: this.dealing() });
  }
}

/** What a dealer of an ECDSA key publishes: moduli and bases, Π-prm, ρ. */
export interface Published {
  readonly own: AuxSecret;
  readonly aux: AuxInfo;
  /** s = t^λ. */
  readonly lambda: bigint;
  readonly proof: Uint8Array;
  readonly rho: Uint8Array;
}

const rings = new Map<bigint, OwnedModulus>();

/** Parameters with arithmetic that knows the factors: the first powers to a modulus are slow. */
export function ownRing({ nHat, s, t }: Pick<AuxInfo, 'nHat' | 's' | 't'>, { pHat, qHat }: AuxSecret): RingPedersen {
  const M = rings.get(pHat * qHat) ?? ownedModulus(pHat, qHat);
  rings.set(M.n, M);
  return { nHat, s, t, M };
}

/** The parts of a prove message. Π-fac by leaf id of its verifier. */
export interface ProveParts {
  readonly echo: Uint8Array;
  readonly possession: Uint8Array;
  readonly modulus: Uint8Array;
  readonly factors: ReadonlyMap<number, Uint8Array>;
}

/** The body of a prove message of these parts. */
export function proving({ factors, ...parts }: ProveParts): Uint8Array {
  return proveBody({ ...parts, factors: [...factors].sort(([a], [b]) => a - b).map(([, proof]) => proof) });
}

/** Messages with one more: what its sender holds that is about to say it. */
export function withMessage(run: Run, messages: Inbound, blob: Uint8Array): Inbound {
  const envelope = openBlob(blob, run.session);
  const all = new Map([...messages].map(([slot, sent]) => [slot, new Map(sent)]));
  all.set(envelope.slot, (all.get(envelope.slot) ?? new Map<number, Envelope>()).set(envelope.leaf, envelope));
  return all;
}

/** Dealer of an ECDSA key: its moduli, and what it proves of them, can be exchanged as well. */
export class EcdsaDealer extends Dealer {
  readonly party: Party;
  own: AuxSecret;
  aux: AuxInfo;
  lambda: bigint;
  ringProof: Uint8Array;
  rho = random(32);

  /** @param published in the same ceremony before, or the primes of which it is to be made */
  constructor(run: Run, name: string, published: Published | AuxSecret) {
    super(run, name);
    this.party = run.table.party(name);
    if ('own' in published) {
      this.own = published.own;
      this.aux = published.aux;
      this.lambda = published.lambda;
      this.ringProof = published.proof;
      this.rho = published.rho;
    } else {
      this.own = published;
      const { aux, lambda } = drawAux(published, random);
      this.aux = aux;
      this.lambda = lambda;
      this.ringProof = this.proveRing();
    }
    this.announce();
  }
  get published(): Published {
    return { own: this.own, aux: this.aux, lambda: this.lambda, proof: this.ringProof, rho: this.rho };
  }

  get announcing(): ProofContext {
    return { bind: announcementBinding(this.ctx.session.sid), prover: this.leaf, verifier: 0 };
  }
  /** Π-prm for s and t, whatever they are, as far as λ is a witness. */
  proveRing(where = this.announcing): Uint8Array {
    return provePrm(where, { ring: ownRing(this.aux, this.own) }, { lambda: this.lambda, phi: orderOfRing(this.own) }, random(32));
  }
  /** Puts moduli, bases, Π-prm and ρ into the deal. */
  announce(): void {
    this.auxiliary = announcement(encodeAux(this.aux), this.ringProof, this.rho);
  }

  /** The auxiliary parts of all deals. */
  announcements(messages: Inbound): Announcements {
    return new Map([...roundOf(messages, DEAL)].map(([leaf, envelope]) => [leaf, { envelope, part: dealOf(this.ctx, envelope).auxiliary }]));
  }
  /** What the proofs of round 3 are bound to, and for whom Π-fac is made. */
  bind(messages: Inbound): Uint8Array {
    return proofBinding(this.ctx, this.announcements(messages));
  }
  verifiers(messages: Inbound): PartyAux[] {
    return announced(this.ctx, this.announcements(messages)).filter((v) => v.leaf !== this.leaf);
  }
  /** The one-time key that its boxes are sealed to; 32 bytes. */
  prekey(): Uint8Array {
    const { n } = (this.ctx.plan as DkgPlan).participants[this.leaf - 1]?.prekey as { n: number };
    return prekeySecret(this.party.identity.vault, n) as Uint8Array;
  }
  /** What all deals give. @param messages with its own */
  async dealt(messages: Inbound): Promise<Dealt> {
    const { dealt, findings } = await dkgFindings(this.ctx, messages, concluded);
    if (!dealt) throw new Error(`the deals are not good: ${findings.map((f) => f.text).join()}`);
    return dealt;
  }
  /** Its leaf share. */
  async share(messages: Inbound): Promise<bigint> {
    const opening = openShares(this.ctx, this.leaf, await this.dealt(messages), messages, this.prekey(), undefined, random);
    if (!opening.ok) throw new Error('a box of the cheat is bad');
    return this.ctx.group.decodeScalar(opening.share);
  }
  /** Body of a complaint about a box that may be good, with its true key. */
  async complain(messages: Inbound, accused: number): Promise<Uint8Array> {
    const dispute = disputeOf((await this.dealt(messages)).verdict, accused, this.ctx.quorum.leaves[this.leaf - 1] as Leaf);
    const p = this.prekey();
    const K = multiply(p, dispute.dealing.sealing.E);
    const complaint = concat(K, proveDleq(complaintContext(dispute), p, complaintStatement(dispute, K), random));
    return complaintBody({ echo: echo(messages.get(DEAL) as ReadonlyMap<number, Envelope>), dealer: accused, complaint });
  }
  sharePossession(bind: Uint8Array, share: bigint): Uint8Array {
    const { group } = this.ctx;
    return proveSchnorr(group, possessionBinding(bind, this.leaf), share, group.encodePoint(group.multiply(group.base, share)), random);
  }
  proveModulus(bind: Uint8Array): Uint8Array {
    return TASKS.proveModulus({ bind, leaf: this.leaf, own: this.own, seed: random(32) });
  }
  /** @param factors those that are claimed */
  proveFactors(bind: Uint8Array, verifier: PartyAux, factors: FacWitness = this.own): Uint8Array {
    const ring = ringPedersen(verifier.nHat, verifier.s, verifier.t);
    return proveFac({ bind, prover: this.leaf, verifier: verifier.leaf }, { n: this.aux.n, ring }, factors, random(32));
  }
  /** The parts of round 3. @param over what is not to be made here */
  async proofs(messages: Inbound, over: Partial<ProveParts> = {}): Promise<ProveParts> {
    const bind = this.bind(messages);
    return {
      echo: over.echo ?? echo(messages.get(DEAL) as ReadonlyMap<number, Envelope>),
      possession: over.possession ?? this.sharePossession(bind, await this.share(messages)),
      modulus: over.modulus ?? this.proveModulus(bind),
      factors: over.factors ?? new Map(this.verifiers(messages).map((v) => [v.leaf, this.proveFactors(bind, v)])),
    };
  }

  /** What all messages up to the prove round give. @param messages with its own */
  async result(messages: Inbound): Promise<KeyingResult> {
    const { result, findings } = await dkgFindings(this.ctx, messages, concluded);
    if (!result) throw new Error(`no result: ${findings.map((f) => f.text).join()}`);
    return result;
  }
  /** The first messages of presigning that the plan asks for. */
  async stock(result: KeyingResult): Promise<Uint8Array[]> {
    return (await makeStockedOffers(result, this.ctx, this.leaf, this.own, alone, random)).map(({ entry }) => entry);
  }
  /** Body of the confirmation. @param messages with its own prove message */
  confirm(messages: Inbound, epoch: Uint8Array, stock: readonly Uint8Array[]): Uint8Array {
    const { name, homeId } = this.party.home.facts;
    const n = 1000;
    const { P, pop } = makePrekey({ owner: name, homeId, n }, random);
    return confirmBody({ echo: echo(messages.get(PROVE) as ReadonlyMap<number, Envelope>), epoch, prekey: { n, P, pop }, stock });
  }
}
