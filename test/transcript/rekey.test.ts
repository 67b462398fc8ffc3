/** Verification of the records of refresh, reshare and import: finished ones, incomplete ones, and what somebody breaks in them. */
import { toHex } from '../../src/wire/bytes.ts';
import { canonicalBytes } from '../../src/wire/canon.ts';
import { type Statement, statementBytes } from '../../src/transcript/statement.ts';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeCard, makeCard } from '../../src/plan/card.ts';
import type { SchemeName } from '../../src/curves/scheme.ts';
import { type Certificate, parseCertificate } from '../../src/protocols/epoch.ts';
import type { Finding } from '../../src/protocols/machine.ts';
import { refusalBody } from '../../src/protocols/machine.ts';
import { makeRekeyDealing } from '../../src/protocols/rekey-participant.ts';
import type { RekeyContext } from '../../src/protocols/rekey.ts';
import { rekeyDealBody } from '../../src/protocols/rekey-messages.ts';
import { encodeEvidence } from '../../src/transcript/evidence.ts';
import type { RecordFile } from '../../src/transcript/record-files.ts';
import { type Verification, verifyEvidence } from '../../src/transcript/verify.ts';
import { random } from '../support/harness.ts';
import { Ceremony, type Change, People, Person } from '../support/rekey.ts';
import { bytesOf, chainOf, faults, type Folder, linesOf, verify, withFiles } from './fixture.ts';

const QUORUM = '2-of(alice, bob, carol)';
/** bob deals and leaves, carol leaves without dealing, dave and erin join. */
const AFTER = '2-of(alice, dave, erin)';
const BASE = 'base/certificate.json';
const OWN = 'transcript/certificate.json';

type Finished = Ceremony & { readonly certificate: Certificate };
let people: People;
let dkg: Finished;
let fresh: Finished;
let shared: Finished;
let imported: Finished;
beforeAll(async () => {
  people = new People();
  dkg = await people.finished(people.dkgPlan(QUORUM));
  fresh = await people.finished(people.refreshPlan(dkg.certificate), dkg.certificate);
  shared = await people.finished(people.resharePlan(dkg.certificate, AFTER, ['alice', 'bob']), dkg.certificate);
  imported = await people.finished(people.importPlan('oscar', QUORUM));
});

const said = ({ checks }: Verification, name: string): string[] => checks.filter((c) => c.name === name).map((c) => c.text);
const files = (folder: Folder): RecordFile[] => [...folder].map(([path, bytes]) => ({ file: path, bytes }));
/** A further reshare of the same kind, whose messages are exchanged on the way; recorded by nobody as finished. */
async function reshared(change?: Change, plan = people.resharePlan(dkg.certificate, AFTER, ['alice', 'bob'])): Promise<Ceremony> {
  return (await Ceremony.of(people, plan, dkg.certificate)).play(change);
}

describe('a finished record is ok, and says', () => {
  it('of a key generation made here, that the support makes whole records', async () => {
    const result = await verify(dkg.folder());
    expect([result.verdict, faults(result)]).toEqual(['ok', []]);
  });

  it('of a refresh, that all shares were replaced and who destroyed the old ones', async () => {
    const result = await verify(fresh.folder());
    expect([result.verdict, faults(result)]).toEqual(['ok', []]);
    expect(result.checks.map((c) => c.name)).toEqual([
      'plan', 'chain alice', 'chain bob', 'chain carol', 'opening', 'base', 'proofs', 'certificate', 'activation', 'destruction', 'messages', 'seen',
    ]);
    expect(said(result, 'base')).toEqual(['the certificate of treasury, epoch 1, confirmed by all its 3 participants; all of them dealt new shares to one another']);
    expect(said(result, 'proofs')[0]).toContain('of 3 dealings hold; they add nothing to the key frost-ed25519');
    expect(said(result, 'destruction')).toEqual(['shares of epoch 1 recorded as destroyed by alice, bob, carol']);
    expect(fresh.certificate.epoch.publicKey).toBe(dkg.certificate.epoch.publicKey);
  });

  it('of a reshare, whose shares were given on, who left and who joined; who has not destroyed is remarked', async () => {
    const result = await verify(shared.folder());
    expect([result.verdict, faults(result)]).toEqual(['ok', []]);
    expect(said(result, 'base')[0]).toContain('; the shares of alice and bob were given on; bob and carol leave; dave and erin join');
    expect(said(result, 'proofs')[0]).toContain('of 2 dealings hold, each of the very share of its dealer');
    expect(said(result, 'certificate')[0]).toContain('all 3 participants confirmed epoch 2');
    expect(said(result, 'activation')).toEqual(['recorded as active by alice, dave, erin', 'the certificate was taken in by bob, who has left']);
    expect(said(result, 'destruction')).toEqual([
      'shares of epoch 1 recorded as destroyed by alice, bob',
      'W_RETIRE_OPEN: no transcript here records that carol destroyed the share of epoch 1; a quorum of shares that were kept can still sign',
    ]);
    expect(said(result, 'messages')[0]).toContain('5 messages');
    expect(shared.certificate.epoch.publicKey).toBe(dkg.certificate.epoch.publicKey);
  });

  it('of an import, who brought the key, and for ever that it was born whole', async () => {
    const result = await verify(imported.folder());
    expect([result.verdict, faults(result)]).toEqual(['ok', []]);
    expect(said(result, 'base')).toEqual(['the key came from outside (key): oscar dealt what it held of it']);
    expect(said(result, 'born')[0]).toMatch(/^whole/);
    const later = await people.finished(people.refreshPlan(imported.certificate), imported.certificate);
    const again = await verify(later.folder());
    expect([again.verdict, said(again, 'born').length]).toEqual(['ok', 1]);
    expect(said(await verify(fresh.folder()), 'born')).toEqual([]);
  });

  it('of a share restored in a new home, that the old home has not destroyed its own', async () => {
    people.of('robert').shares.set(dkg.sid, people.of('bob').shares.get(dkg.sid) as Uint8Array);
    const moved = await people.finished(people.resharePlan(dkg.certificate, '2-of(alice, robert, carol)', ['alice', ['bob', 'robert']]), dkg.certificate);
    const result = await verify(moved.folder());
    expect([result.verdict, faults(result)]).toEqual(['ok', []]);
    expect(said(result, 'base')[0]).toContain('the shares of alice and robert were given on; bob leaves; robert joins');
    expect(said(result, 'destruction').join()).toContain('W_RETIRE_OPEN: no transcript here records that bob destroyed');
  });

  it('of epoch after epoch, each on the one before', async () => {
    const third = await people.finished(people.resharePlan(shared.certificate, 'all-of(1-of(carol, dave), 2-of(alice, bob, frank))', ['dave', 'erin']), shared.certificate);
    const result = await verify(third.folder());
    expect([result.verdict, faults(result)]).toEqual(['ok', []]);
    expect([third.certificate.epoch.number, third.certificate.epoch.base?.number]).toEqual([3, 2]);
    expect((await verify(dkg.folder(), shared.folder(), third.folder())).verdict).toBe('ok');
    const other = await verify(withFiles(third.folder(), { [BASE]: dkg.certificate.bytes }));
    expect([other.verdict, faults(other)[0]]).toEqual(['wrong', 'wrong base E_EPOCH']);
  });

  const schemes: SchemeName[] = ['frost-ed448', 'frost-secp256k1-tr', 'frost-secp256k1', 'frost-p256', 'frost-ristretto255'];
  it.each(schemes)('of %s', async (scheme) => {
    const some = new People();
    const key = await some.finished(some.dkgPlan('all-of(alice, bob)', scheme, { stock: 1 }));
    const after = await some.finished(some.resharePlan(key.certificate, 'all-of(bob, carol)', ['alice', 'bob'], { stock: 2 }), key.certificate);
    const taken = await some.finished(some.importPlan('alice', 'all-of(alice, bob)', scheme));
    for (const made of [key, after, taken]) {
      const result = await verify(made.folder());
      expect([result.verdict, faults(result)]).toEqual(['ok', []]);
    }
  });

  it('also without what is written after the last message, and with files renamed', async () => {
    const unfinished = await reshared();
    const result = await verify(unfinished.folder());
    expect([result.verdict, said(result, 'activation')]).toEqual(['ok', ['no transcript here tells of the activation yet']]);
    // bob leaves with its deal, which seals its chain up to the entry before
    for (const [who, kept] of [['bob', 1], ['dave', 1], ['alice', 2]] as const) {
      const path = `transcript/${who}.jsonl`;
      expect(await verify(withFiles(shared.folder(), { [path]: chainOf(linesOf(bytesOf(shared.folder(), path)).slice(0, kept)) }))).toMatchObject({ verdict: 'ok' });
    }
    const renamed = new Map([...shared.folder()].map(([path, bytes], i) => [path === 'PLAN.yaml' ? path : `file-${String(i)}`, bytes]));
    expect((await verify(renamed)).verdict).toBe('ok');
  });

  it('with statements of destruction beside it, each judged by its signature and what it is about', async () => {
    const certificate = parseCertificate(bytesOf(shared.folder(), 'transcript/certificate.json'), 'x');
    const statement = (who: string, change: Partial<Statement> = {}): Buffer => {
      const { signer } = people.of(who);
      const fields = {
        v: 1 as const, type: 'mpc-ceremony/destruction' as const, key: 'treasury', id: certificate.epoch.key.id, owner: who, identity: toHex(signer.publicKey),
        epochs: [1], supersededBy: toHex(certificate.digest), method: 'software-only' as const, at: '2026-03-01T12:00:00Z', ...change,
      };
      return Buffer.from(canonicalBytes({ ...fields, sig: toHex(signer.sign(statementBytes(fields))) }));
    };
    const judged = async (bytes: Buffer): Promise<unknown> => {
      const result = await verify(withFiles(shared.folder(), { 'destroyed/bob.json': bytes }));
      return [result.verdict, faults(result)];
    };
    expect(await judged(statement('bob'))).toEqual(['ok', []]);
    expect(await judged(Buffer.from('{"at":"2026-03-01T12:00:00Z","epochs":[1]}'))).toEqual(['wrong', ['wrong destruction E_FORMAT']]);
    expect(await judged(statement('bob', { supersededBy: '00'.repeat(32) }))).toEqual(['wrong', ['wrong destruction E_CERTIFICATE']]);
    expect(await judged(statement('bob', { id: '00'.repeat(16) }))).toEqual(['wrong', ['wrong destruction E_CERTIFICATE']]);
    // dave never held a share of that epoch, and nobody speaks for bob
    expect(await judged(statement('dave'))).toEqual(['wrong', ['wrong destruction E_CERTIFICATE']]);
    expect(await judged(statement('dave', { identity: toHex(people.of('bob').signer.publicKey) }))).toEqual(['wrong', ['wrong destruction E_SIGNATURE']]);
  });
});

describe('what it builds on', () => {
  it('missing: cannot tell, whatever else is there', async () => {
    for (const made of [fresh, shared]) {
      const result = await verify(withFiles(made.folder(), { [BASE]: undefined }));
      expect([result.verdict, faults(result)]).toEqual(['cannot-tell', ['cannot-tell base E_MISSING']]);
    }
  });

  it('of another key, of another epoch, or not even a certificate: wrong, and nobody is blamed', async () => {
    const foreign = await people.finished(people.dkgPlan(QUORUM));
    for (const [bytes, code] of [
      [foreign.certificate.bytes, 'E_EPOCH'],
      [fresh.certificate.bytes, 'E_EPOCH'],
      [shared.certificate.bytes, 'E_EPOCH'],
      [dkg.certificate.bytes.slice(0, -1), 'E_CERTIFICATE'],
    ] as const) {
      const result = await verify(withFiles(shared.folder(), { [BASE]: bytes }));
      expect([result.verdict, faults(result)[0]]).toEqual(['wrong', `wrong base ${code}`]);
      expect(result.checks.filter((c) => c.culprit !== undefined)).toEqual([]);
    }
  });

  it('one good copy and one wrong one: wrong', async () => {
    const result = await verify(shared.folder(), withFiles(shared.folder(), { [BASE]: fresh.certificate.bytes }));
    expect([result.verdict, faults(result)]).toEqual(['wrong', ['wrong base E_EPOCH']]);
  });

  it('a dealer deals something else than its share: it is named', async () => {
    for (const cheat of ['alice', 'bob']) {
      const plan = people.resharePlan(dkg.certificate, AFTER, ['alice', 'bob']);
      const stopped = await Ceremony.of(people, plan, dkg.certificate);
      for (const name of ['alice', 'bob'])
        stopped.say(name, 1, name === cheat ? rekeyDealBody({ commitment: new Uint8Array(0), dealing: makeRekeyDealing(stopped.ctx as RekeyContext, stopped.seat(name).leaf, 5n, random) }) : await stopped.body(name, 1));
      const result = await verify(stopped.folder());
      expect(result.verdict).toBe('wrong');
      expect(faults(result)[0]).toMatch(new RegExp(`^wrong proofs \\[${cheat}\\] E_DEALING`));

      // evidence of it: repeated with the base, not judged without
      const [finding] = (await stopped.judged()).findings as [Finding];
      const evidence = [{ file: 'evidence/1.json', bytes: encodeEvidence(stopped.session, finding, cheat, undefined) }];
      const plain = stopped.folder();
      expect((await verifyEvidence(evidence, files(plain))).checks).toMatchObject([{ verdict: 'ok', culprit: cheat }]);
      expect((await verifyEvidence(evidence, files(withFiles(plain, { [BASE]: undefined })))).checks).toMatchObject([{ verdict: 'cannot-tell', code: 'E_MISSING' }]);
      const other = cheat === 'alice' ? 'bob' : 'alice';
      const false_ = [{ file: 'evidence/1.json', bytes: encodeEvidence(stopped.session, finding, other, undefined) }];
      expect((await verifyEvidence(false_, files(plain))).checks).toMatchObject([{ verdict: 'wrong', code: 'E_EVIDENCE' }]);
    }
  });

  it('a plan whose dealers are no quorum of it, or who deal in another name: wrong', async () => {
    const plan = people.resharePlan(dkg.certificate, AFTER, ['alice', 'bob']);
    const [alice, bob] = plan.dealers as [(typeof plan.dealers)[number], (typeof plan.dealers)[number]];
    for (const [dealers, code] of [
      [[{ ...alice }, { ...bob }, { ...people.of('carol').seat, leaf: 3 }], 'E_QUORUM_SURPLUS'],
      [[{ ...bob, leaf: 1 }, { ...alice, leaf: 2 }], 'E_SEAT_DUP'],
    ] as const) {
      const folder = withFiles(shared.folder(), { 'PLAN.yaml': Buffer.from(JSON.stringify({ ...plan, dealers })) });
      // of the plan alone and its base: nobody joined it
      const result = await verify(new Map([...folder].filter(([path]) => path === 'PLAN.yaml' || path === BASE)));
      expect([result.verdict, faults(result).find((l) => l.startsWith('wrong'))]).toEqual(['wrong', `wrong base ${code}`]);
    }
  });
});

describe('cards', () => {
  it('of those who leave are those of the plan, too; a card that names a custody key is one, whatever its file is called', async () => {
    const cardOf = (name: string, of: Person = people.of(name)): Uint8Array =>
      encodeCard(makeCard({ mode: 'rehearsal', name, homeId: of.homeId, x25519: of.x25519, prekeys: [], custody: { n: 1, key: of.x25519 } }, of.signer));
    const good = withFiles(shared.folder(), { 'cards/bob.card': cardOf('bob'), 'cards/dave': cardOf('dave') });
    expect(said(await verify(good), 'cards')).toEqual(['2 cards, signed by their owners, as in the plan']);
    for (const name of ['bob', 'dave']) {
      const result = await verify(withFiles(good, { [`cards/${name}`]: cardOf(name, new Person(name)) }));
      expect([result.verdict, faults(result)]).toEqual(['wrong', ['wrong cards E_CARD']]);
    }
  });
});

describe('messages', () => {
  it('a missing one is named: of dealers, of receivers, of nobody else', async () => {
    for (const path of ['round-1/alice.blob', 'round-1/bob.blob', 'round-2/alice.blob', 'round-2/dave.blob']) {
      const result = await verify(withFiles(shared.folder(), { [path]: undefined }));
      expect([result.verdict, faults(result).filter((l) => l.startsWith('wrong'))]).toEqual(['cannot-tell', []]);
      expect(result.checks.filter((c) => c.verdict !== 'ok').map((c) => c.text).join('\n')).toContain(`is missing: bring ${path}`);
    }
  });

  it('the deal of a dealer who leaves is dropped on the way: the attempt is under way', async () => {
    const dropped = await reshared((saying) => (saying.name === 'bob' ? undefined : saying));
    const result = await verify(dropped.folder());
    expect([result.verdict, faults(result)]).toEqual(['cannot-tell', ['cannot-tell messages E_MISSING', 'cannot-tell messages E_MISSING']]);
    expect(said(result, 'messages')).toEqual([
      'the deal of bob is missing: bring round-1/bob.blob',
      'the confirm of alice, dave, erin is missing: bring round-2/alice.blob, round-2/dave.blob, round-2/erin.blob',
    ]);
  });

  it.each([
    ['a newcomer deals', 'dave', 1, 'deal'],
    ['a dealer who has left confirms', 'bob', 2, 'confirm'],
    ['a dealer who has left complains', 'bob', 2, 'complaint'],
  ] as const)('%s: it has nothing to say there', async (_, who, slot, message) => {
    const ceremony = await reshared();
    const copied = ceremony.messages.get(slot)?.get(ceremony.seat('alice').leaf)?.body as Uint8Array;
    ceremony.say(who, slot, message === 'complaint' ? Uint8Array.of(2, ...copied.slice(1)) : copied, message);
    const result = await verify(ceremony.folder());
    expect(result.verdict).toBe('wrong');
    expect(faults(result)).toContain(`wrong proofs [${who}] E_FORMAT`);
  });

  it('a dealer who leaves may refuse; where everybody else confirms, the result stands', async () => {
    const complete = await reshared();
    complete.say('bob', 2, refusalBody('E_ABORTED', undefined), 'refuse');
    expect((await verify(complete.folder())).verdict).toBe('ok');
    const ended = await Ceremony.of(people, people.resharePlan(dkg.certificate, AFTER, ['alice', 'bob']), dkg.certificate);
    ended.say('alice', 1, await ended.body('alice', 1));
    ended.say('bob', 2, refusalBody('E_ABORTED', undefined), 'refuse');
    const result = await verify(ended.folder());
    expect([result.verdict, faults(result)]).toEqual(['cannot-tell', ['cannot-tell ending E_ABORTED']]);
  });

  it('what a message depends on is recorded: the deals of the dealers, no more and no less', async () => {
    const ceremony = await reshared();
    for (const change of [
      (inputs: Record<string, string>) => ({ ...inputs, dave: 'ab'.repeat(32) }),
      ({ bob: _, ...inputs }: Record<string, string>) => inputs,
    ]) {
      const entries = ceremony.chains.get('dave') ?? [];
      const kept = [...entries];
      const last = entries.pop()?.payload;
      if (!last) throw new Error('dave has said nothing');
      const { v: _v, author: _a, key: _k, ceremony: _c, seq: _s, prev: _p, at: _at, ...facts } = last;
      ceremony.record('dave', { ...facts, inputs: change({ ...facts.inputs }) });
      const result = await verify(ceremony.folder());
      expect([result.verdict, faults(result)[0]]).toEqual(['wrong', 'wrong messages [dave] E_CHAIN']);
      ceremony.chains.set('dave', kept);
    }
    expect((await verify(ceremony.folder())).verdict).toBe('ok');
  });
});

describe('the certificate', () => {
  it('of another epoch, of another attempt, or on another base: wrong', async () => {
    const twin = await reshared();
    for (const bytes of [dkg.certificate.bytes, fresh.certificate.bytes, (twin.certificate as Certificate).bytes]) {
      const result = await verify(withFiles(shared.folder(), { [OWN]: bytes }));
      expect([result.verdict, faults(result)]).toEqual(['wrong', ['wrong certificate E_CERTIFICATE']]);
      // also where the base is missing, and nothing else can be judged
      expect((await verify(withFiles(shared.folder(), { [OWN]: bytes, [BASE]: undefined }))).verdict).toBe('wrong');
    }
    expect(await verify(withFiles(shared.folder(), { [OWN]: undefined }))).toMatchObject({ verdict: 'cannot-tell' });
  });

  it('with other confirmations than those that lie here: equivocation', async () => {
    const ceremony = await reshared();
    const { certificate } = ceremony;
    const again = await ceremony.body('dave', 2);
    (ceremony.chains.get('dave') ?? []).pop();
    ceremony.say('dave', 2, again);
    const result = await verify(withFiles(ceremony.folder(), { [OWN]: (certificate as Certificate).bytes }));
    expect(result.verdict).toBe('wrong');
    expect(faults(result)).toContain('wrong certificate [dave] E_EQUIVOCATION');
  });

  it('somebody recorded another one', async () => {
    const ceremony = await reshared();
    ceremony.record('bob', { kind: 'certificate', epoch: 'ab'.repeat(32), result: 'cd'.repeat(32) });
    const result = await verify(ceremony.folder());
    expect([result.verdict, faults(result)]).toEqual(['wrong', ['wrong certificate [bob] E_CERTIFICATE']]);
  });
});

describe('destruction', () => {
  it('recorded of another epoch than the one that is superseded: wrong', async () => {
    for (const epoch of [shared.certificate.digest, fresh.certificate.digest]) {
      const ceremony = await reshared();
      ceremony.record('bob', { kind: 'destroyed', epoch: Buffer.from(epoch).toString('hex') });
      const result = await verify(ceremony.folder());
      expect([result.verdict, faults(result)]).toEqual(['wrong', ['wrong destruction [bob] E_CERTIFICATE']]);
    }
  });

  it('of a newcomer counts for nobody', async () => {
    const ceremony = (await reshared()).finish(['dave', 'erin']);
    const result = await verify(ceremony.folder());
    expect([result.verdict, said(result, 'destruction').length]).toEqual(['ok', 1]);
    expect(said(result, 'destruction')[0]).toContain('W_RETIRE_OPEN: no transcript here records that alice, bob, carol destroyed the shares of epoch 1');
  });

  it('is not asked for while the epoch is not complete, nor where nothing is superseded', async () => {
    const dropped = await reshared((saying) => (saying.name === 'dave' ? undefined : saying));
    for (const folder of [dropped.folder(), imported.folder(), dkg.folder()]) expect(said(await verify(folder), 'destruction')).toEqual([]);
  });
});

describe('any change of any byte', () => {
  const change = fc.record({ kind: fc.constantFrom('flip', 'flip', 'flip', 'delete', 'insert', 'cut'), file: fc.nat(), at: fc.nat(), value: fc.integer({ min: 1, max: 255 }) });
  it.each(['refresh', 'reshare', 'import'] as const)('of a finished %s is never ok, and blames nobody', async (kind) => {
    const folder = { refresh: fresh, reshare: shared, import: imported }[kind].folder();
    const paths = [...folder.keys()].filter((p) => p !== 'VERIFY.txt');
    await fc.assert(
      fc.asyncProperty(change, async ({ kind: how, file, at, value }) => {
        const path = paths[file % paths.length] as string;
        const bytes = bytesOf(folder, path);
        const offset = at % bytes.length;
        const [before, after] = [bytes.slice(0, offset), bytes.slice(offset + 1)];
        const middle = { flip: [(bytes[offset] as number) ^ value], delete: [], insert: [value, bytes[offset] as number], cut: undefined }[how];
        const { verdict, checks } = await verify(withFiles(folder, { [path]: middle ? new Uint8Array([...before, ...middle, ...after]) : before }));
        // cut at the end of a line, a transcript only lacks its tail
        const tail = how === 'cut' && path.endsWith('.jsonl') && bytes[offset - 1] === 0x0a;
        if (!tail && verdict !== 'wrong') throw new Error(`${verdict}: ${how} ${path} at ${String(offset)}`);
        const culprits = checks.filter((k) => k.culprit !== undefined);
        if (culprits.length > 0) throw new Error(`${path} at ${String(offset)}: ${JSON.stringify(culprits)}`);
      }),
      { numRuns: 60 },
    );
  });
});
