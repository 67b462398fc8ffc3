/**
 * A dealer in a key generation whose every part can be exchanged before it speaks. What it says is made by the real
 * functions of the protocol; left alone, it is honest.
 */
import type { DkgPlan } from '../../src/plan/plan.ts';
import { COMMIT, type DkgContext, dkgContext } from '../../src/protocols/dkg.ts';
import { commitment, dealBody } from '../../src/protocols/dkg-messages.ts';
import { echo, type Inbound } from '../../src/protocols/machine.ts';
import { encodeDealing } from '../../src/sharing/dealing.ts';
import { makePolynomials, type Polynomials } from '../../src/sharing/deal.ts';
import { provePossession } from '../../src/sharing/prove-possession.ts';
import { sealBoxes } from '../../src/sharing/seal.ts';
import type { SealedBoxes } from '../../src/sharing/sealing-proof.ts';
import { encodeTree, type PublicTree } from '../../src/sharing/tree.ts';
import { random } from './harness.ts';
import type { Run } from './run.ts';

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
  auxiliary = new Uint8Array(0);
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
