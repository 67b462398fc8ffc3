/**
 * A cheat in the third round of presigning and in the error round, in a presigning and where a message is signed at once:
 * row 35 of the attack table, and A.13. Mallory signs with alice, or with carol and dave.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { traceBytes } from '../../src/ecdsa/trace.ts';
import { ABANDON_BODY, echo, type Inbound, refusalBody } from '../../src/protocols/machine.ts';
import { CLOSE, CONVERT, OFFER, SUM, traceBody, type Mismatch } from '../../src/protocols/presign.ts';
import { concat } from '../../src/wire/bytes.ts';
import type { ErrorCode } from '../../src/wire/errors.ts';
import { blamedIn, ecdsaTable, evidenceAgainst, expectCaught, forget, GROUP, keyState, messagesIn, type Parts, Presigner, statesOf, unspent } from '../support/ecdsa-cheat.ts';
import { encodeEvidence } from '../../src/transcript/evidence.ts';
import { verifyEvidence } from '../../src/transcript/verify.ts';
import { type Envelope, openBlob } from '../../src/wire/blob.ts';
import { evidenceOf, expectEvidence, judge, recordOf } from '../support/expect.ts';
import { random, type Table } from '../support/harness.ts';
import type { Run } from '../support/run.ts';
import { LONG as ALL_TESTS } from '../support/long.ts';
import { Stage } from '../support/stage.ts';

let table: Table;
beforeAll(async () => {
  table = await ecdsaTable();
});
afterAll(() => {
  table.close();
});

const { base, order } = GROUP;
const NONCE: Mismatch = { entry: 0, which: 'gamma' };
const KEY: Mismatch = { entry: 0, which: 'chi' };

/** Everybody has said two rounds, and the honest ones the third. */
class Summed {
  readonly stage: Stage;
  readonly cheat: Presigner;
  readonly before: ReturnType<typeof statesOf>;
  /** A sum of mallory's that is good. */
  readonly good: Parts;
  /** The honest ones have said their sums, and nobody has seen another's. */
  readonly apart: Stage;

  private constructor(apart: Stage, stage: Stage, cheat: Presigner, good: Parts) {
    this.apart = apart;
    this.stage = stage;
    this.cheat = cheat;
    this.before = statesOf(stage.run);
    this.good = good;
  }
  static async of(run: Run): Promise<Summed> {
    const cheat = new Presigner(run, 'mallory');
    run.say('mallory', OFFER, await cheat.offer());
    await run.settle();
    run.say('mallory', CONVERT, await cheat.convert(messagesIn(run, run.honest[0] as string)));
    for (const label of run.honest) await run.next(label);
    const apart = new Stage(run, 'apart');
    await run.settle();
    const stage = new Stage(run, 'summed');
    return new Summed(apart, stage, cheat, cheat.parts(SUM, await cheat.sum(messagesIn(run, run.honest[0] as string))));
  }
  get messages(): Inbound {
    return messagesIn(this.stage.run, this.stage.run.honest[0] as string);
  }
  /** The third round with this sum of mallory's. */
  say(sum: Uint8Array): Run {
    const run = this.stage.back();
    run.say('mallory', SUM, sum);
    return run;
  }
  async expectRefused(sum: Uint8Array, code: ErrorCode): Promise<void> {
    await this.say(sum).settle();
    await this.caught(code);
  }
  caught(code: ErrorCode): Promise<void> {
    return expectCaught(this.stage, code, 'mallory', this.before);
  }
  /** Mallory's trace with these proofs, of what it has said. */
  trace(mismatch: Mismatch, proofs: Uint8Array): Uint8Array {
    const sums = this.messages.get(SUM) as ReadonlyMap<number, never>;
    return traceBody(echo(sums), mismatch, proofs);
  }
  /** What has the length of a trace. */
  get nothing(): Uint8Array {
    return new Uint8Array(traceBytes('secp256k1', this.cheat.peers.length));
  }
  get wrongDelta(): Uint8Array {
    return this.good.with('delta', (this.good.number('delta') + 1n) % order);
  }
  get wrongS(): Uint8Array {
    return this.good.with('S', GROUP.encodePoint(GROUP.decodePoint(this.good.get('S')).add(base)));
  }
  /** What follows from another mask than the one that mallory gave. */
  async wrongMask(which: 'gamma' | 'chi'): Promise<Uint8Array> {
    this.stage.back();
    // k, γ, a, b, w; then for the only peer the masks, each with two nonces
    const at = 5 * 32 + (which === 'gamma' ? 0 : 161 + 2 * 384) + 100;
    const secret = this.cheat.convertSecret.slice();
    secret[at] = (secret[at] as number) ^ 1;
    const { sumSecret } = this.cheat;
    const sum = await this.cheat.sum(this.messages, secret);
    this.cheat.sumSecret = sumSecret;
    return sum;
  }
}

describe('presigning with alice', () => {
  let s: Summed;
  beforeAll(async () => {
    table.restore('key');
    s = await Summed.of(await table.presign({ honest: ['alice'], cheats: ['mallory'] }));
  });

  test('the good sum gives a presignature', async () => {
    const run = s.say(s.good.bytes);
    await run.settle();
    expect([run.code('alice'), unspent(table, 'alice')]).toEqual(['DONE', 1]);
  });

  describe('what is false by itself', () => {
    test.each<[string, ErrorCode, () => Uint8Array | Promise<Uint8Array>]>([
      ['Δ is another point', 'E_PROOF', () => s.good.with('Delta', GROUP.encodePoint(GROUP.decodePoint(s.good.get('Delta')).add(base)))],
      ['another z', 'E_PROOF', () => s.good.with('elog.z', s.good.number('elog.z') ^ 1n)],
      // δ, Δ and S fit each other then; the k of the offer was another
      ['another k throughout', 'E_PROOF', () => { const { convertSecret } = s.cheat; return s.cheat.sum(messagesIn(s.stage.back(), 'alice'), concat(GROUP.encodeScalar((2n * GROUP.decodeScalar(convertSecret.slice(0, 32))) % order), convertSecret.slice(32))); }],
      ['alice’s Δ with her proof (row 18)', 'E_PROOF', () => s.good.withAll({ Delta: alices().get('Delta'), elog: alices().get('elog') })],
      ['all that alice said (row 18)', 'E_PROOF', () => alices().bytes],
      ['S is the identity (row 47)', 'E_POINT', () => s.good.with('S', 0n)],
      ['δ + q (row 48)', 'E_SCALAR', () => s.good.with('delta', order)],
      ['no echo (row 36)', 'E_FORMAT', () => s.good.bytes.slice(64)],
      ['nothing (row 57)', 'E_FORMAT', () => new Uint8Array(0)],
      ['two entries (row 58)', 'E_FORMAT', () => concat(s.good.bytes, s.good.bytes.slice(64))],
    ])('%s', async (_, code, sum) => s.expectRefused(await sum(), code));
    const alices = (): Parts => new Presigner(s.stage.run, 'alice').parts(SUM, messagesIn(s.stage.back(), 'alice').get(SUM)?.get(1)?.body as Uint8Array);
  });

  test('row 36 a false echo blames nobody', async () => {
    const run = s.say(concat(random(32), s.good.bytes.slice(32)));
    await run.settle();
    expect([run.code('alice'), run.error('alice').facts.participant, blamedIn(table, 'alice'), unspent(table, 'alice')]).toEqual(['E_VIEW', undefined, [], 0]);
    await expectEvidence(run, 'alice', 'E_VIEW', undefined);
    expect(statesOf(run)).toEqual(s.before);
  });

  describe('δ that does not add up', () => {
    /** What mallory says in the closing slot lies there before alice has traced. */
    const sayTrace = async (body: () => Uint8Array | Promise<Uint8Array>): Promise<Run> => {
      const run = s.say(s.wrongDelta);
      run.say('mallory', CLOSE, await body());
      await run.settle();
      return run;
    };

    test('alice proves her part, and mallory, who is left, is named, though it keeps silent', async () => {
      const run = s.say(s.wrongDelta);
      await run.settle();
      expect(run.store('alice')?.ownBlob(CLOSE)?.body[0]).toBe(5);
      await s.caught('E_SUM');
      expect(unspent(table, 'alice')).toBe(0);
      // whatever mallory says now, alice has said her last word
      run.say('mallory', CLOSE, await s.cheat.trace(messagesIn(run, 'alice'), NONCE));
      await run.settle();
      await s.caught('E_SUM');
    });
    test('evidence against alice, from her honest trace and another sum that mallory signs afterwards, shows nothing', async () => {
      const run = s.say(s.wrongDelta);
      await run.settle();
      const said = messagesIn(run, 'alice');
      const trace = said.get(CLOSE)?.get(1) as Envelope;
      const other = openBlob(run.blob('mallory', SUM, s.wrongS), run.session);
      const envelopes = [...[...said].filter(([slot]) => slot < SUM).flatMap(([, m]) => [...m.values()]), said.get(SUM)?.get(1) as Envelope, other, trace];
      for (const code of ['E_SUM', 'E_PROOF', 'E_FORMAT'] as const) {
        const bytes = encodeEvidence(run.session, { code, culprit: 1, text: '', evidence: envelopes }, 'alice', undefined);
        const { verdict, checks } = await verifyEvidence([{ file: 'evidence/false.json', bytes }], recordOf(run, 'alice'));
        expect([verdict, checks.filter((c) => c.culprit === 'alice')]).toEqual(['wrong', []]);
      }
    });
    test('row 60 what mallory does not prove does not leave alice, whoever is said to have judged', async () => {
      const run = s.say(s.wrongDelta);
      const said = [...messagesIn(run, 'alice').values()].flatMap((round) => [...round.values()]);
      // a trace that shows nothing
      const own = openBlob(run.blob('mallory', CLOSE, s.trace(NONCE, s.nothing)), run.session);
      for (const by of [null, 1, 2, 64])
        for (const code of ['E_SUM', 'E_PROOF', 'E_RANGE'] as const)
          for (const envelopes of [said, [...said, own]]) expect([by, await judge(run, evidenceAgainst(run, code, 'alice', by, envelopes))]).toEqual([by, { code: 'E_EVIDENCE', culprit: undefined }]);
    });
    test('mallory’s trace, made as it should be, gives the lie away', async () => {
      await sayTrace(() => s.cheat.trace(messagesIn(s.stage.run, 'alice'), NONCE));
      forget();
      await s.caught('E_PROOF');
    });
    test('no proofs at all', async () => {
      await sayTrace(() => s.trace(NONCE, s.nothing));
      await s.caught('E_RANGE');
    });
    test.each<[string, ErrorCode, () => Uint8Array]>([
      ['a trace of another presignature', 'E_SUM', () => s.trace({ ...NONCE, entry: 1 }, s.nothing)],
      ['a trace of the other product', 'E_SUM', () => s.trace(KEY, s.nothing)],
      ['a trace of a product that there is not', 'E_FORMAT', () => { const body = s.trace(KEY, s.nothing); body[1 + 64 + 2] = 2; return body; }],
      ['a trace cut off', 'E_FORMAT', () => s.trace(NONCE, s.nothing).slice(0, -1)],
      ['a trace with 100 kB besides', 'E_FORMAT', () => concat(s.trace(NONCE, s.nothing), new Uint8Array(100_000))],
      ['a share', 'E_FORMAT', () => concat(Uint8Array.of(1), random(64))],
      // alice traces before she follows an ending, and then mallory is left
      ['a refusal that names alice', 'E_SUM', () => refusalBody('E_SUM', 1)],
      ['an abandonment', 'E_SUM', () => ABANDON_BODY],
    ])('%s', async (_, code, body) => {
      const run = await sayTrace(body);
      expect([run.code('alice'), run.error('alice').facts.participant, blamedIn(table, 'alice')]).toEqual([code, 'mallory', ['mallory']]);
      await expectEvidence(run, 'alice', code, 'mallory');
      expect(statesOf(run)).toEqual(s.before);
    });
    test('a trace about another third round blames nobody', async () => {
      const run = await sayTrace(() => traceBody(random(64), NONCE, s.nothing));
      expect([run.code('alice'), run.error('alice').facts.participant, blamedIn(table, 'alice')]).toEqual(['E_VIEW', undefined, []]);
      await expectEvidence(run, 'alice', 'E_VIEW', undefined);
    });
  });

  describe('every lie calls for the error round of what it concerns', () => {
    test.each<[string, Mismatch, () => Uint8Array | Promise<Uint8Array>]>([
      ['δ from another mask', NONCE, () => s.wrongMask('gamma')],
      ['δ that makes the sum zero', NONCE, () => s.good.with('delta', order - new Presigner(s.stage.run, 'alice').parts(SUM, messagesIn(s.stage.back(), 'alice').get(SUM)?.get(1)?.body as Uint8Array).number('delta'))],
      ['another S', KEY, () => s.wrongS],
      ['S from another mask', KEY, () => s.wrongMask('chi')],
      ['both', NONCE, () => s.good.withAll({ delta: (s.good.number('delta') + 1n) % order, S: GROUP.encodePoint(base) })],
    ])('%s', async (_, mismatch, sum) => {
      // mallory's trace is there at once: alice need not make hers to see that it is false
      const run = s.say(await sum());
      run.say('mallory', CLOSE, s.trace(mismatch, s.nothing));
      await run.settle();
      await s.caught('E_RANGE');
      // and no other error round is due
      const again = s.say(messagesIn(run, 'alice').get(SUM)?.get(2)?.body as Uint8Array);
      again.say('mallory', CLOSE, s.trace(mismatch === KEY ? NONCE : KEY, s.nothing));
      await again.settle();
      await s.caught('E_SUM');
    });
  });

  test('a trace of parts that add up names who made it; who has finished already is not disturbed', async () => {
    const run = s.say(s.good.bytes);
    run.say('mallory', CLOSE, s.trace(NONCE, s.nothing));
    await run.settle();
    await s.caught('E_SUM');

    const later = s.say(s.good.bytes);
    await later.settle();
    later.say('mallory', CLOSE, s.trace(NONCE, s.nothing));
    await later.settle();
    expect([later.code('alice'), unspent(table, 'alice')]).toEqual(['DONE', 1]);
  });
});

describe('a message signed at once with alice', () => {
  let s: Summed;
  beforeAll(async () => {
    table.restore('key');
    s = await Summed.of(await table.sign({ honest: ['alice'], cheats: ['mallory'], live: true }));
  });

  test('mallory, left alone, is honest', async () => {
    const run = s.say(s.good.bytes);
    await run.settle();
    run.say('mallory', CLOSE, await s.cheat.share(messagesIn(run, 'alice')));
    await run.settle();
    expect(run.code('alice')).toBe('DONE');
  });

  test.runIf(ALL_TESTS)('another S: alice proves her part in the place of the share, and mallory is left', async () => {
    const run = s.say(s.wrongS);
    await run.settle();
    expect(run.store('alice')?.ownBlob(CLOSE)?.body[0]).toBe(5);
    await s.caught('E_SUM');
    expect(run.file('alice', 'signature.bin')).toBeUndefined();
  });
  test('an intent that expires meanwhile does not shield mallory', async () => {
    const run = s.say(s.wrongS);
    const { clock } = table;
    table.clock = new Date(clock.getTime() + 40 * 86_400_000);
    await run.settle();
    table.clock = clock;
    expect([run.code('alice'), run.error('alice').facts.participant]).toEqual(['E_SUM', 'mallory']);
  });
  test.each<[string, Mismatch, () => Uint8Array | Promise<Uint8Array>]>([
    ['another δ', NONCE, () => s.wrongDelta],
    ['δ from another mask', NONCE, () => s.wrongMask('gamma')],
    ['S from another mask', KEY, () => s.wrongMask('chi')],
  ])('%s', async (_, mismatch, sum) => {
    const run = s.say(await sum());
    run.say('mallory', CLOSE, s.trace(mismatch, s.nothing));
    await run.settle();
    await s.caught('E_RANGE');
  });
  test('a share where the parts do not add up does not save mallory', async () => {
    const share = await s.cheat.share(messagesIn(s.say(s.good.bytes), 'alice'));
    const run = s.say(s.wrongS);
    run.say('mallory', CLOSE, share);
    await run.settle();
    await s.caught('E_SUM');
  });
  test.each<[string, ErrorCode, string | undefined, (good: Uint8Array) => Uint8Array]>([
    ['one bit off', 'E_SHARE', 'mallory', (b) => concat(b.slice(0, 60), Uint8Array.of((b[60] as number) ^ 1), b.slice(61))],
    ['zero', 'E_SHARE', 'mallory', (b) => concat(b.slice(0, 33), new Uint8Array(32))],
    ['for another request (row 46)', 'E_VIEW', undefined, (b) => concat(b.slice(0, 1), random(32), b.slice(33))],
  ])('row 5 a share that is %s', async (_, code, culprit, change) => {
    const run = s.say(s.good.bytes);
    await run.settle();
    run.say('mallory', CLOSE, change(await s.cheat.share(messagesIn(run, 'alice'))));
    await run.settle();
    expect([run.code('alice'), run.error('alice').facts.participant, blamedIn(table, 'alice')]).toEqual([code, culprit, culprit === undefined ? [] : [culprit]]);
    await expectEvidence(run, 'alice', code, culprit);
    expect(run.file('alice', 'signature.bin')).toBeUndefined();
    expect(Object.keys(keyState(table, 'alice')).filter((x) => !x.startsWith('spent/'))).toEqual(Object.keys(s.before.alice as object));
  });
  test('a trace of parts that add up', async () => {
    const run = s.say(s.good.bytes);
    await run.settle();
    run.say('mallory', CLOSE, s.trace(NONCE, s.nothing));
    await run.settle();
    expect([run.code('alice'), run.error('alice').facts.participant, blamedIn(table, 'alice')]).toEqual(['E_SUM', 'mallory', ['mallory']]);
    await expectEvidence(run, 'alice', 'E_SUM', 'mallory');
    expect(run.file('alice', 'signature.bin')).toBeUndefined();
  });
});

describe.runIf(ALL_TESTS)('presigning with carol and dave', () => {
  let s: Summed;
  beforeAll(async () => {
    table.restore('key');
    s = await Summed.of(await table.presign({ honest: ['carol', 'dave'], cheats: ['mallory'] }));
  });

  test.each<[string, Mismatch, () => Uint8Array]>([
    ['another δ', NONCE, () => s.wrongDelta],
    ['another S', KEY, () => s.wrongS],
  ])('%s: both name mallory by a false trace', async (_, mismatch, sum) => {
    const run = s.say(sum());
    run.say('mallory', CLOSE, s.trace(mismatch, s.nothing));
    await run.settle();
    await s.caught('E_RANGE');
  });

  test('row 35 sums that differ in their proofs alone: whoever has finished has the same presignature', async () => {
    const run = s.stage.back();
    run.say('mallory', SUM, s.good.bytes, ['carol']);
    run.say('mallory', SUM, await s.cheat.sum(messagesIn(run, 'carol')), ['dave']);
    await run.next('carol');
    await run.next('dave');
    expect([run.code('carol'), run.code('dave')]).toEqual(['DONE', 'DONE']);
    const names = (label: string): string[] => Object.keys(keyState(table, label)).filter((f) => f.startsWith('presignatures/'));
    expect(names('carol')).toEqual(names('dave'));
    await run.settle();
    expect([run.code('carol'), run.code('dave')]).toEqual(['DONE', 'DONE']);
  });

  test('row 35 what carol was shown and what dave was shown, together, name mallory', async () => {
    const run = s.apart.back();
    run.say('mallory', SUM, s.good.bytes, ['carol']);
    run.say('mallory', SUM, s.wrongDelta, ['dave']);
    await run.next('carol');
    await run.next('dave');
    expect([run.code('carol'), run.code('dave')]).toEqual(['WAIT', 'WAIT']);
    run.carry(['dave', 'carol']);
    await run.next('carol');
    await run.settle();
    await s.caught('E_EQUIVOCATION');
    for (const label of ['carol', 'dave']) expect(evidenceOf(run, label).find((e) => e.code === 'E_EQUIVOCATION')?.envelopes).toHaveLength(2);
  });

  // twenty seconds; that a trace clears who made it is shown above in every run
  test.runIf(ALL_TESTS)('one wrong sum for carol and another for dave frame neither: what they trace is what they saw', async () => {
    const run = s.apart.back();
    run.say('mallory', SUM, s.wrongDelta, ['carol']);
    run.say('mallory', SUM, s.wrongS, ['dave']);
    // what comes over the table from mallory stays with whom it was for
    await run.next('carol');
    await run.next('dave');
    const show = (from: string, to: string): void => {
      for (const file of run.files(from)) if (file.includes(`${from}.`)) run.write(to, file, run.file(from, file) as Uint8Array);
    };
    for (let i = 0; i < 3; i++) {
      show('carol', 'dave');
      show('dave', 'carol');
      await run.next('carol');
      await run.next('dave');
    }
    for (const label of ['carol', 'dave']) {
      expect(blamedIn(table, label).filter((name) => name !== 'mallory')).toEqual([]);
      expect(evidenceOf(run, label).filter((e) => e.participant === 'carol' || e.participant === 'dave')).toEqual([]);
    }
  });
});
