/** Party 2 deals wrongly: shape, degree, points, scalars, rogue keys. Rows 20 to 25, 47, 48, 57, 58 of the attack table. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { group, type Point } from '../../src/curves/group.ts';
import { COMMIT, DEAL } from '../../src/protocols/dkg.ts';
import type { Inbound } from '../../src/protocols/machine.ts';
import { decodePolynomials, type Polynomials } from '../../src/sharing/deal.ts';
import { encodeTree } from '../../src/sharing/tree.ts';
import { USUAL_BLOB_BYTES } from '../../src/wire/blob.ts';
import { concat } from '../../src/wire/bytes.ts';
import type { ErrorCode } from '../../src/wire/errors.ts';
import { Dealer } from '../support/dealer.ts';
import { expectAbort, expectNoKey } from '../support/expect.ts';
import { random, Table } from '../support/harness.ts';
import type { Run } from '../support/run.ts';

const HONEST = ['alice', 'carol'];
const QUORUM = '2-of(alice, mallory, carol)';
let table: Table;
beforeAll(async () => {
  table = await Table.open(['alice', 'mallory', 'carol']);
});
afterAll(() => {
  table.close();
});
beforeEach(() => {
  table.restore('fresh');
});

/** A key generation in which everybody has committed; what mallory will reveal is prepared by `craft`. */
async function committed(craft: (dealer: Dealer, run: Run) => void = () => undefined, scheme: 'frost-ed25519' | 'frost-secp256k1' = 'frost-ed25519'): Promise<{ run: Run; dealer: Dealer }> {
  const run = await table.dkg({ scheme, quorum: QUORUM, honest: HONEST, cheats: ['mallory'] });
  await run.settle();
  const dealer = new Dealer(run, 'mallory');
  craft(dealer, run);
  run.say('mallory', COMMIT, dealer.commit());
  await run.settle();
  return { run, dealer };
}

/** The whole attack: commit to what `craft` makes, reveal what `reveal` makes of it. */
async function attack(code: ErrorCode, craft: (dealer: Dealer, run: Run) => void, reveal = (dealer: Dealer, messages: Inbound): Uint8Array => dealer.deal(messages), scheme?: 'frost-ed25519' | 'frost-secp256k1'): Promise<void> {
  const { run, dealer } = await committed(craft, scheme);
  run.say('mallory', DEAL, reveal(dealer, run.messages()));
  await run.settle();
  await expectAbort(run, code, 'mallory');
}

const ed = group('ed25519');
/** Replaces the k-th point of mallory's tree by these bytes and commits to it. */
const withPoint = (k: number, bytes: Uint8Array) => (d: Dealer): void => {
  d.treeBytes = concat(d.treeBytes.slice(0, 32 * k), bytes, d.treeBytes.slice(32 * (k + 1)));
};
// y = 0 has order 4: x² = -1
const TORSION = (ed.Point as unknown as { fromBytes(b: Uint8Array): Point }).fromBytes(new Uint8Array(32));
const IDENTITY = Uint8Array.of(1, ...new Uint8Array(31));
// y = 2 is not on the curve
const OFF_CURVE = Uint8Array.of(2, ...new Uint8Array(31));
const NON_CANONICAL = new Uint8Array(Buffer.from(`ee${'ff'.repeat(30)}7f`, 'hex'));

describe('row 20 decommitment mismatch', () => {
  const flip = (bytes: Uint8Array): void => {
    bytes[7] = (bytes[7] as number) ^ 1;
  };
  test.each<[string, (d: Dealer) => void]>([
    ['commitments', (d) => flip(d.treeBytes)],
    ['proof of possession', (d) => flip(d.possession)],
    ['chain-code part', (d) => flip(d.chainPart)],
    ['salt', (d) => flip(d.salt)],
  ])('row 20 one byte of the %s differs from what was committed to', async (_, change) => {
    const { run, dealer } = await committed();
    change(dealer);
    run.say('mallory', DEAL, dealer.deal(run.messages()));
    await run.settle();
    await expectAbort(run, 'E_COMMIT', 'mallory');
  });

  test('row 20 DKG-04 a late change of the whole dealing is refused', async () => {
    const { run } = await committed();
    run.say('mallory', DEAL, new Dealer(run, 'mallory').deal(run.messages()));
    await run.settle();
    await expectAbort(run, 'E_COMMIT', 'mallory');
  });
});

describe('rows 21 and 22 degree', () => {
  const points = (count: number): Uint8Array => concat(...Array.from({ length: count }, () => ed.encodePoint(ed.multiply(ed.base, ed.randomScalar(random)))));
  test.each([3, 52])('row 21 threshold raise: %i points where 2 are due', (n) =>
    attack('E_DEALING', (d) => {
      d.treeBytes = concat(d.treeBytes, points(n - 2));
    }),
  );
  test('row 22 threshold lowering: one point where 2 are due', () =>
    attack('E_DEALING', (d) => {
      d.treeBytes = d.treeBytes.slice(0, 32);
    }));
  test('row 22 threshold lowering: the last point is the identity', () => attack('E_POINT', withPoint(1, IDENTITY)));

  test('row 22 the combined top coefficient is the identity: abort without blame', async () => {
    const run = await allKnowing((others, q) => ({ constant: 5n, top: (q - (others.top % q)) % q }));
    await expectAbort(run, 'E_DEGENERATE', undefined);
  });
});

describe('row 24 zero shares', () => {
  test('row 24 zero share: the shares of one participant add up to zero: abort without blame', async () => {
    // F(3) = constant + 3·top = 0 in the sum of all dealings; nobody could arrange that who does not know the others'
    const run = await allKnowing((others, q) => ({ constant: (((-others.constant - 3n * (others.top + 9n)) % q) + q) % q, top: 9n }));
    await expectAbort(run, 'E_DEGENERATE', undefined);
  });

  test('row 24 zero key: the public key is the identity: abort without blame', async () => {
    const run = await allKnowing((others, q) => ({ constant: (q - (others.constant % q)) % q, top: 9n }));
    await expectAbort(run, 'E_DEGENERATE', undefined);
  });

  test('row 24 a sub-share of zero in a single dealing harms nobody and is let pass', async () => {
    // mallory's own f(3) = 0 is legal, the sum at 3 is not zero: carol neither complains nor stops
    const { run, dealer } = await committed((d) => {
      const q = d.ctx.group.order;
      d.take({ group: d.ctx.group, constant: (q - 3n * 7n) % q, gates: new Map([['', [7n]]]) });
    });
    run.say('mallory', DEAL, dealer.deal(run.messages()));
    await run.settle();
    expect(HONEST.map((n) => run.code(n))).toEqual(['WAIT', 'WAIT']);
    expect(HONEST.every((n) => run.store(n)?.sent.has(3))).toBe(true);
  });
});

/** A dealer that knows the honest polynomials (no protocol protects against that) and chooses its own by them. */
async function allKnowing(choose: (others: { constant: bigint; top: bigint }, q: bigint) => { constant: bigint; top: bigint }): Promise<Run> {
  const { run, dealer } = await committed((d, r) => {
    const polys = HONEST.map((name): Polynomials => {
      const path = r.store(name)?.secretPath('for-2') as string;
      const secret = table.party(name).identity.vault.get(path) as Uint8Array;
      return decodePolynomials(d.ctx.group, d.ctx.quorum, 'dkg', secret.slice(64 + 64 + 64 + 4));
    });
    const q = d.ctx.group.order;
    const sum = (of: (p: Polynomials) => bigint): bigint => polys.reduce((n, p) => (n + of(p)) % q, 0n);
    const { constant, top } = choose({ constant: sum((p) => p.constant), top: sum((p) => p.gates.get('')?.[0] as bigint) }, q);
    d.take({ group: d.ctx.group, constant, gates: new Map([['', [top]]]) });
  });
  run.say('mallory', DEAL, dealer.deal(run.messages()));
  await run.settle();
  return run;
}

describe('row 25 rogue key (THR-07)', () => {
  test('row 25 rogue key: the constant is chosen after all others have revealed', async () => {
    const { run, dealer } = await committed();
    const { deals, target } = await revealed(run);
    // C_0 = X* − Σ C_{j,0} for a key whose secret mallory knows
    const others = deals.map((body) => ed.decodePoint(body.slice(3 * 32 + 64, 3 * 32 + 64 + 32)));
    const rogue = others.reduce((sum, p) => sum.subtract(p), target);
    dealer.treeBytes = concat(ed.encodePoint(rogue), dealer.treeBytes.slice(32));
    run.say('mallory', DEAL, dealer.deal(run.messages()));
    await run.settle();
    await expectAbort(run, 'E_COMMIT', 'mallory');
  });

  test('row 25 rogue key DKG-05: a constant that was committed to without knowing its logarithm', () =>
    // the proof is honest for another constant: nobody can make one for this
    attack('E_POP', (d) => {
      const rogue = ed.decodePoint(d.treeBytes.slice(0, 32)).add(ed.multiply(ed.base, 5n));
      d.treeBytes = concat(ed.encodePoint(rogue), d.treeBytes.slice(32));
      d.tree = { ...d.tree, constant: rogue };
      d.sealed = d.seal();
    }));

  test.each<[string, (d: Dealer) => void]>([
    ['zeros', (d) => (d.possession = new Uint8Array(64))],
    ['another participant’s', (d) => (d.possession = proofOf(d, 1))],
    ['a response that is one off', (d) => (d.possession = withScalar(d.possession, 32, 1n))],
  ])('row 25 DKG-05 a proof of possession that is %s', (_, change) => attack('E_POP', change));

  /** Lets alice and carol reveal; returns their deals and a key that mallory knows. */
  async function revealed(run: Run): Promise<{ deals: Uint8Array[]; target: Point }> {
    await run.settle();
    const deals = HONEST.map((n) => run.messages().get(DEAL)?.get(run.seat(n).leaf)?.body as Uint8Array);
    return { deals, target: ed.multiply(ed.base, 1234567n) };
  }
  function proofOf(d: Dealer, leaf: number): Uint8Array {
    const own = d.leaf;
    (d as { leaf: number }).leaf = leaf;
    const proof = d.prove();
    (d as { leaf: number }).leaf = own;
    return proof;
  }
});

/** Adds a number to a little-endian scalar inside bytes. */
function withScalar(bytes: Uint8Array, at: number, add: bigint): Uint8Array {
  const out = bytes.slice();
  let value = 0n;
  for (let i = 31; i >= 0; i--) value = (value << 8n) | BigInt(out[at + i] as number);
  value += add;
  for (let i = 0; i < 32; i++, value >>= 8n) out[at + i] = Number(value & 255n);
  return out;
}

describe('row 47 points', () => {
  test.each<[string, number, Uint8Array]>([
    ['off the curve', 0, OFF_CURVE],
    ['the identity', 0, IDENTITY],
    ['not canonical', 0, NON_CANONICAL],
    ['off the curve, in the coefficient', 1, OFF_CURVE],
    ['of order 4, in the coefficient', 1, new Uint8Array(32)],
  ])('row 47 a commitment %s', (_, k, bytes) => attack('E_POINT', withPoint(k, bytes)));

  test.each([0, 1])('row 47 a small-order part in commitment %i', (k) =>
    attack('E_POINT', (d) => {
      const point = ed.decodePoint(d.treeBytes.slice(32 * k, 32 * (k + 1))).add(TORSION);
      withPoint(k, ed.encodePoint(point))(d);
      // proof and sealing are made over the altered tree, as a careful cheat would
      const [constant, top] = [d.treeBytes.slice(0, 32), d.treeBytes.slice(32, 64)].map((b) => ed.decodePointFast(b)) as [Point, Point];
      d.tree = { ...d.tree, constant, gates: new Map([['', [top]]]) };
      d.possession = d.prove();
      d.sealed = d.seal();
    }),
  );

  test('row 47 uncompressed points', () =>
    attack(
      'E_DEALING',
      (d) => {
        const g = group('secp256k1');
        d.treeBytes = concat(...[0, 1].map((k) => (g.decodePoint(d.treeBytes.slice(33 * k, 33 * (k + 1))) as Point & { toBytes(c: boolean): Uint8Array }).toBytes(false)));
      },
      undefined,
      'frost-secp256k1',
    ));

  test.each<[string, 'E' | 'E2', Uint8Array]>([
    ['the identity', 'E', new Uint8Array(32)],
    ['not canonical', 'E', NON_CANONICAL],
    ['no point', 'E2', new Uint8Array(32).fill(0xff)],
  ])('row 47 a sealing key that is %s', (_, field, bytes) =>
    attack('E_POINT', (d) => {
      d.sealed = { ...d.sealed, [field]: bytes };
    }),
  );
});

describe('row 48 scalars', () => {
  test('row 48 scalar plus q in the proof of possession', () =>
    attack('E_SCALAR', (d) => {
      d.possession = withScalar(d.possession, 32, ed.order);
    }));
  test('row 48 scalar plus q in the sealing proof', () =>
    attack('E_SCALAR', (d) => {
      d.sealed = { ...d.sealed, proof: withScalar(d.sealed.proof, 64, ed.order) };
    }));
  test('row 48 scalar plus q in a box', () =>
    attack('E_SCALAR', (d) => {
      const boxes = d.sealed.boxes.map((b, i) => (i === 2 ? withScalar(b, 0, ed.order) : b));
      d.sealed = { ...d.sealed, boxes };
      const { proof } = d.seal();
      d.sealed = { ...d.sealed, proof };
    }));
});

describe('row 57 empty lists', () => {
  const cut = (from: number, to?: number) => (d: Dealer, m: Inbound): Uint8Array => {
    const body = d.deal(m);
    return to === undefined ? body.slice(0, from) : concat(body.slice(0, from), body.slice(to));
  };
  test.each<[string, ErrorCode, (d: Dealer, m: Inbound) => Uint8Array]>([
    ['an empty deal', 'E_FORMAT', () => new Uint8Array(0)],
    ['no commitments at all', 'E_DEALING', cut(160, 224)],
    ['no proof of possession', 'E_DEALING', cut(224, 288)],
    ['no sealing proof', 'E_DEALING', cut(352, 448)],
    ['no boxes', 'E_DEALING', cut(448)],
    ['a box too many', 'E_DEALING', (d, m) => concat(d.deal(m), new Uint8Array(32))],
  ])('row 57 %s', (_, code, reveal) => attack(code, () => undefined, reveal));

  test('row 57 an empty commit', async () => {
    const run = await table.dkg({ quorum: QUORUM, honest: HONEST, cheats: ['mallory'] });
    run.say('mallory', COMMIT, new Uint8Array(0));
    await run.settle();
    await expectAbort(run, 'E_FORMAT', 'mallory');
  });
});

describe('row 58 oversized input', () => {
  test('row 58 a deal of the largest size that is read is refused within a second', async () => {
    const { run, dealer } = await committed();
    const body = concat(dealer.deal(run.messages()), new Uint8Array(USUAL_BLOB_BYTES - 1000));
    run.say('mallory', DEAL, body);
    await run.next('alice');
    const started = performance.now();
    await run.next('carol');
    await run.next('alice');
    expect(performance.now() - started).toBeLessThan(1000);
    await run.settle();
    await expectAbort(run, 'E_DEALING', 'mallory');
  });

  test('row 58 a message larger than any honest one is not a message: nobody is blamed, the ceremony waits', async () => {
    // its signature is never looked at, so it could be anybody's
    const { run } = await committed();
    for (const n of HONEST) run.write(n, 'round-2/mallory.blob', random(USUAL_BLOB_BYTES + 1));
    const started = performance.now();
    await run.settle();
    expect(performance.now() - started).toBeLessThan(2000);
    for (const n of HONEST) {
      expect(run.error(n).code).toBe('E_FORMAT');
      expect(run.error(n).facts.participant).toBeUndefined();
      expectNoKey(run, n);
    }
  });
});

test('row 22 DKG-03 nested quorum: a gate below the root has a coefficient too many', async () => {
  const run = await table.dkg({ name: 'nested', quorum: 'all-of(alice, 1-of(mallory, carol))', honest: HONEST, cheats: ['mallory'] });
  const dealer = new Dealer(run, 'mallory');
  dealer.treeBytes = concat(encodeTree(dealer.tree), ed.encodePoint(ed.multiply(ed.base, 3n)));
  run.say('mallory', COMMIT, dealer.commit());
  await run.settle();
  run.say('mallory', DEAL, dealer.deal(run.messages()));
  await run.settle();
  await expectAbort(run, 'E_DEALING', 'mallory');
});
