/** Party 2 proves and seals falsely. Rows 6, 15, 19, 51, 52, 53, 61 of the attack table. */
import { ristretto255 } from '@noble/curves/ed25519.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { requireKey } from '../../src/ceremony/key-store.ts';
import { group } from '../../src/curves/group.ts';
import type { DkgPlan } from '../../src/plan/plan.ts';
import { COMMIT, DEAL, type DkgContext, dkgContext, dkgFindings } from '../../src/protocols/dkg.ts';
import { commitment } from '../../src/protocols/dkg-messages.ts';
import { closingOf, echo } from '../../src/protocols/machine.ts';
import { FIRST_BASE, secondBase } from '../../src/sharing/sealing-group.ts';
import { type Envelope, makeBlob, openBlob } from '../../src/wire/blob.ts';
import { concat, fromHex, toHex, utf8 } from '../../src/wire/bytes.ts';
import { encodeItem, sha256, taggedHash } from '../../src/wire/hash.ts';
import { verifySignature } from '../../src/schnorr/verify-signature.ts';
import { Dealer } from '../support/dealer.ts';
import { expectAbort, expectEvidence, expectNoKey } from '../support/expect.ts';
import { random, Table } from '../support/harness.ts';
import type { Run } from '../support/run.ts';
import { anybody } from '../../src/protocols/crew.ts';

const CONFIRM = 3;

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

/** A key generation in which the honest participants have revealed, mallory has committed, and is to reveal. */
async function revealed(craft: (d: Dealer, run: Run) => void = () => undefined): Promise<{ run: Run; dealer: Dealer }> {
  const run = await table.dkg({ quorum: QUORUM, honest: HONEST, cheats: ['mallory'] });
  await run.settle();
  const dealer = new Dealer(run, 'mallory');
  craft(dealer, run);
  run.say('mallory', COMMIT, dealer.commit());
  await run.settle();
  return { run, dealer };
}
const flip = (bytes: Uint8Array, at: number): Uint8Array => {
  const out = bytes.slice();
  out[at] = (out[at] as number) ^ 1;
  return out;
};
/** The deal of a participant, as alice holds it. */
const dealOf = (run: Run, name: string): Uint8Array => run.messages().get(DEAL)?.get(run.seat(name).leaf)?.body as Uint8Array;

describe('rows 6 and 19 replay and copying', () => {
  test('row 6 proof replay: the proof of possession of an earlier ceremony', async () => {
    const { dealer: earlier } = await revealed();
    for (const name of ['alice', 'mallory', 'carol']) table.renew(name);
    const { run, dealer } = await revealed((d) => {
      // same polynomials, honestly sealed for this ceremony: only the proof is old
      const possession = earlier.possession;
      d.take(earlier.poly);
      d.possession = possession;
    });
    run.say('mallory', DEAL, dealer.deal(run.messages()));
    await run.settle();
    await expectAbort(run, 'E_POP', 'mallory');
  });

  test('row 6 an envelope of an earlier ceremony is no message of this one', async () => {
    const { run: earlier } = await revealed();
    for (const name of ['alice', 'mallory', 'carol']) table.renew(name);
    const run = await table.dkg({ name: 'second', quorum: QUORUM, honest: HONEST, cheats: ['mallory'] });
    for (const name of HONEST) run.write(name, 'round-1/mallory.blob', earlier.file('alice', 'round-1/mallory.blob') as Uint8Array);
    await run.settle();
    for (const name of HONEST) {
      expect(run.error(name).code).toBe('E_FORMAT');
      expect(run.error(name).facts.participant).toBeUndefined();
      expect(run.messages(name).get(COMMIT)?.size).toBe(2);
    }
  });

  test('row 19 rushing copy: the commitment and the reveal of another participant', async () => {
    const run = await table.dkg({ quorum: QUORUM, honest: HONEST, cheats: ['mallory'] });
    run.say('mallory', COMMIT, run.messages().get(COMMIT)?.get(1)?.body as Uint8Array);
    await run.settle();
    run.say('mallory', DEAL, dealOf(run, 'alice'));
    await run.settle();
    await expectAbort(run, 'E_COMMIT', 'mallory');
  });

  test('row 19 the dealing of another participant under a commitment of one’s own', async () => {
    // possible only for who knows the dealing before it is revealed; the proofs are bound to the dealer all the same
    const { run, dealer } = await revealed((d, r) => {
      const path = r.store('alice')?.secretPath('for-2') as string;
      const secret = table.party('alice').identity.vault.get(path) as Uint8Array;
      [d.salt, d.chainPart, d.treeBytes, d.possession] = [secret.slice(0, 32), secret.slice(32, 64), secret.slice(64, 128), secret.slice(128, 192)];
    });
    run.say('mallory', DEAL, concat(dealer.deal(run.messages()).slice(0, 96 + 64 + 128), dealOf(run, 'alice').slice(96 + 64 + 128)));
    await run.settle();
    await expectAbort(run, 'E_POP', 'mallory');
  });
});

describe('row 15 every field is in the hash', () => {
  test('row 15 no byte of a dealing can be changed, committed to or not', async () => {
    const { run, dealer } = await revealed();
    const ctx = dkgContext(run.plan as DkgPlan);
    const honest = run.messages();
    const body = dealer.deal(honest);
    expect(await verdict(run, ctx, dealer, body)).toBe('good');
    // the dealing proper: commitments, proof of possession, sealing key, sealing proof, boxes
    for (let at = 160; at < body.length; at += 7) expect([at, await verdict(run, ctx, dealer, flip(body, at))]).toEqual([at, 'mallory']);
  });

  /** Whom the public checks blame when mallory had committed to exactly this body. */
  async function verdict(run: Run, ctx: DkgContext, dealer: Dealer, body: Uint8Array): Promise<string | undefined> {
    const [tree, possession] = [body.slice(160, 224), body.slice(224, 288)];
    const V = commitment(ctx.session.sid, dealer.leaf, { ...dealer, commitments: tree, possession });
    const signer = table.party('mallory').identity.signer;
    const envelope = (slot: number, b: Uint8Array) => openBlob(makeBlob(ctx.session, run.seat('mallory'), slot, { seq: 1, hash: new Uint8Array(32) }, b, signer), ctx.session);
    const messages = new Map([...run.messages()].map(([slot, m]) => [slot, new Map(m)]));
    messages.get(COMMIT)?.set(2, envelope(COMMIT, V));
    const commits = echo(messages.get(COMMIT) as ReadonlyMap<number, Envelope>);
    // everybody's echo names the commit that mallory really sent: build the honest view of this world
    for (const name of HONEST) {
      const { leaf } = run.seat(name);
      const own = table.party(name).identity.signer;
      messages.get(DEAL)?.set(leaf, openBlob(makeBlob(ctx.session, run.seat(name), DEAL, { seq: 1, hash: new Uint8Array(32) }, concat(commits, dealOf(run, name).slice(96)), own), ctx.session));
    }
    messages.get(DEAL)?.set(2, envelope(DEAL, concat(commits, body.slice(96))));
    const { findings, result } = await dkgFindings(ctx, messages, anybody);
    if (findings.length === 0 && result) return 'good';
    return findings.every((f) => f.culprit === 2) ? 'mallory' : `blames ${findings.map((f) => `${String(f.culprit)} ${f.code}`).join()}`;
  }

  test('row 15 the sealing proof is bound to session, dealer, commitments, boxes and one-time keys', async () => {
    const { run, dealer } = await revealed();
    const { ctx } = dealer;
    const seals = [
      dealer.seal({ sid: random(32) }),
      dealer.seal({ dealer: 1 }),
      dealer.seal({ tree: new Dealer(run, 'mallory').tree }),
      dealer.seal({ prekeys: [ctx.prekeys[1], ctx.prekeys[0], ctx.prekeys[2]] as Uint8Array[] }),
      { ...dealer.sealed, boxes: dealer.seal().boxes },
    ];
    for (const sealed of seals) {
      const fake = run.messages();
      dealer.sealed = sealed;
      const messages = new Map([...fake].map(([slot, m]) => [slot, new Map(m)]));
      messages.get(DEAL)?.set(2, openBlob(run.blob('mallory', DEAL, dealer.deal(fake)), run.session));
      expect((await dkgFindings(ctx, messages, anybody)).findings.map((f) => [f.code, f.culprit])).toEqual([['E_SEALING', 2]]);
    }
  });
});

describe('row 51 chain code', () => {
  test('row 51 chain code: different parts for 1 and 3', async () => {
    const { run, dealer } = await revealed();
    const one = dealer.deal(run.messages());
    dealer.chainPart = random(32);
    run.say('mallory', DEAL, dealer.deal(run.messages()), ['carol']);
    await run.next('carol');
    expect(run.error('carol').code).toBe('E_COMMIT');
    run.say('mallory', DEAL, one, ['alice']);
    await run.next('alice');
    await run.settle();
    // carol was shown the part that was not committed to; alice confirmed, then saw both
    expect(run.error('carol').facts.participant).toBe('mallory');
    await expectEvidence(run, 'carol', 'E_COMMIT', 'mallory');
    expect([run.error('alice').code, run.error('alice').facts.participant]).toEqual(['E_EQUIVOCATION', 'mallory']);
    await expectEvidence(run, 'alice', 'E_EQUIVOCATION', 'mallory');
    expectNoKey(run, 'carol');
    expect(() => requireKey(table.party('alice').home, 'treasury')).toThrow(expect.objectContaining({ code: 'E_KEY_PENDING' }));
  });
});

describe('row 52 boxes', () => {
  test('row 52 box exchange: 3 gets the sub-share of 1 and 1 that of 3', async () => {
    const { run, dealer } = await revealed();
    // f(4 − x) takes the values of f in reverse order
    const { order } = dealer.ctx.group;
    const slope = dealer.poly.gates.get('')?.[0] as bigint;
    dealer.sealed = dealer.seal({ poly: { ...dealer.poly, constant: (dealer.poly.constant + 4n * slope) % order, gates: new Map([['', [order - slope]]]) } });
    run.say('mallory', DEAL, dealer.deal(run.messages()));
    await run.settle();
    for (const name of HONEST) expect([run.code(name), run.error(name).facts.participant]).toEqual(['E_VSS', 'mallory']);
    await expectAbort(run, 'E_VSS', 'mallory');
  });

  test('row 52 box exchange: the sealed boxes of 1 and 3 change places', async () => {
    const { run, dealer } = await revealed();
    const [one, two, three] = dealer.sealed.boxes as [Uint8Array, Uint8Array, Uint8Array];
    dealer.sealed = { ...dealer.sealed, boxes: [three, two, one] };
    run.say('mallory', DEAL, dealer.deal(run.messages()));
    await run.settle();
    await expectAbort(run, 'E_SEALING', 'mallory');
  });

  test('row 52 sealing key taken from another dealing: with its proof, or shifted', async () => {
    const { run, dealer } = await revealed();
    const alice = dealOf(run, 'alice').slice(288);
    const [E, E2, proof] = [alice.slice(0, 32), alice.slice(32, 64), alice.slice(64, 160)];
    dealer.sealed = { ...dealer.sealed, E, E2, proof };
    run.say('mallory', DEAL, dealer.deal(run.messages()));
    await run.settle();
    await expectAbort(run, 'E_SEALING', 'mallory');
  });

  test('row 52 decryption oracle: a sealing key derived from another dealer’s never gets an answer', async () => {
    // E₂ = E₁ + r·B and garbage: an honest complaint would reveal p₃·E₂, and with r·P₃ anybody opened 1's box to 3
    const { run, dealer } = await revealed();
    const alice = dealOf(run, 'alice').slice(288);
    const shifted = (point: Uint8Array, base: Uint8Array): Uint8Array => ristretto255.Point.fromBytes(point).add(ristretto255.Point.fromBytes(base).multiply(77n)).toBytes();
    const [E, E2] = [shifted(alice.slice(0, 32), FIRST_BASE), shifted(alice.slice(32, 64), secondBase())];
    dealer.sealed = { ...dealer.sealed, E, E2 };
    run.say('mallory', DEAL, dealer.deal(run.messages()));
    await run.settle();
    await expectAbort(run, 'E_SEALING', 'mallory');
    for (const name of HONEST) expect(closingOf(run.store(name)?.ownBlob(CONFIRM)?.body as Uint8Array)).toBe('refuse');
  });
});

describe('row 61 hash malleability', () => {
  test('row 61 hash malleability: lists, elements and boundaries all hash differently', () => {
    const forms = [['a$', 'b'], ['a', '$b'], ['a$b'], [['a$', 'b']], [['a$'], 'b'], [[], 'a$', 'b'], [sha256(utf8('a$')), 'b']];
    expect(new Set(forms.map((f) => toHex(encodeItem(f)))).size).toBe(forms.length);
    const [x, y] = [random(32), random(32)];
    expect(toHex(encodeItem([concat(x, y), new Uint8Array(0)]))).not.toBe(toHex(encodeItem([x, y])));
  });

  test('row 61 a commitment over the same bytes, cut elsewhere', async () => {
    const { run, dealer } = await revealed((d) => {
      const all = concat(d.treeBytes, d.possession);
      d.commit = () => commitment(d.ctx.session.sid, d.leaf, { ...d, commitments: all.slice(0, 32), possession: all.slice(32) });
    });
    run.say('mallory', DEAL, dealer.deal(run.messages()));
    await run.settle();
    await expectAbort(run, 'E_COMMIT', 'mallory');
  });
});

test('row 53 hidden taproot script: the output key commits to the internal key and to no script', async () => {
  const honest = ['alice', 'mallory', 'carol'];
  const run = await table.dkg({ scheme: 'frost-secp256k1-tr', quorum: QUORUM, honest });
  await run.settle();
  const { epoch } = requireKey(table.party('alice').home, 'treasury');
  const signing = await table.sign({ honest: ['alice', 'carol'], message: 'spend' });
  await signing.settle();
  const shown = JSON.parse(Buffer.from(signing.file('alice', 'signature.json') as Uint8Array).toString()) as { publicKey: string };
  const signature = signing.file('alice', 'signature.bin') as Uint8Array;

  // BIP-341, "Constructing and spending Taproot outputs", computed here by itself
  const x = fromHex(epoch.publicKey).slice(1);
  const P = secp256k1.Point.fromBytes(concat(Uint8Array.of(2), x));
  const tweaked = (root: Uint8Array): string => {
    const tag = sha256(utf8('TapTweak'));
    const t = BigInt(`0x${toHex(sha256(concat(tag, tag, x, root)))}`);
    return toHex(P.add(secp256k1.Point.BASE.multiply(t)).toBytes().slice(1));
  };
  expect(shown.publicKey).toBe(tweaked(new Uint8Array(0)));
  expect(verifySignature('frost-secp256k1-tr', fromHex(shown.publicKey), utf8('spend'), signature)).toBe(true);
  // a script that somebody slipped in would need the key to be this one
  expect(shown.publicKey).not.toBe(tweaked(taggedHash('TapLeaf', utf8('OP_TRUE'))));
  expect(group('secp256k1').decodePoint(fromHex(epoch.publicKey)).is0()).toBe(false);
});
