/**
 * A relay that reads, drops, repeats, reorders, swaps, serves different things to different readers, fills disks and lies:
 * it can delay and nothing else. And participants who use the relay to cheat: they are named.
 */
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeCard, makeCard } from '../../src/plan/card.ts';
import { fetchFrom, pushTo, Visited } from '../../src/ceremony/relay-route.ts';
import { sealPart } from '../../src/relay/seal-part.ts';
import { boxOf, doorOf, placeName } from '../../src/relay/place.ts';
import { MAX_PART_BYTES } from '../../src/relay/relay.ts';
import { encodeParcel, type ParcelFile } from '../../src/transport/parcel.ts';
import { readRecord } from '../../src/transport/record.ts';
import { verifyRecord } from '../../src/transcript/verify.ts';
import { realDisk } from '../../src/vault/durable.ts';
import { concat, toHex, utf8 } from '../../src/wire/bytes.ts';
import { signerFromSeed } from '../../src/wire/ed25519.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { Table } from '../support/harness.ts';
import { hostile, MemoryRelay, type Misdeeds, settleOver, visit } from '../support/relayed.ts';
import type { Run } from '../support/run.ts';
import { Stage } from '../support/stage.ts';

const NAMES = ['alice', 'bob', 'carol'];
let table: Table;
let relay: MemoryRelay;

beforeAll(async () => void (table = await Table.open(NAMES)));
afterAll(() => table.close());
beforeEach(() => {
  table.restore('fresh');
  relay = new MemoryRelay();
});

/** A key generation of all three, begun by alice, whose folder nobody carries. */
async function begin(): Promise<Run> {
  const run = await table.dkg({ quorum: '2-of(alice,bob,carol)', honest: ['alice'] });
  (run as { honest: readonly string[] }).honest = NAMES;
  return run;
}
const codes = (run: Run): string[] => NAMES.map((n) => run.code(n));
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));

describe('a ceremony over a relay alone', () => {
  it('completes, and everybody holds everybody’s transcript', async () => {
    const run = await begin();
    await settleOver(run, relay);
    expect(codes(run)).toEqual(['DONE', 'DONE', 'DONE']);
    for (const name of NAMES) {
      expect(run.files(name).filter((f) => f.startsWith('transcript/'))).toEqual(expect.arrayContaining(NAMES.map((n) => `transcript/${n}.jsonl`)));
      const folder = run.folder(name);
      const verdict = await verifyRecord(readRecord(realDisk(), [{ shown: folder, real: folder }]).folders);
      expect(verdict.verdict).toBe('ok');
    }
    // every copy of the record is the same, whoever's folder it lies in
    const chains = (n: string): string[] => NAMES.map((a) => toHex(run.file(n, `transcript/${a}.jsonl`) ?? new Uint8Array(0)));
    expect(chains('bob')).toEqual(chains('alice'));
    expect(chains('carol')).toEqual(chains('alice'));
  });

  it('may be mixed with a stick within one round', async () => {
    const run = await begin();
    // carol has no network: alice, who is at the relay, carries a stick to her and back
    for (let i = 0; i < 6; i++) {
      for (const name of ['alice', 'bob']) await visit(run, name, relay);
      run.carry(['alice', 'carol']);
      await run.next('carol');
      run.carry(['carol', 'alice']);
      // what came by stick goes on to bob by stick of another courier only where he asks for it
      run.carry(['alice', 'bob']);
    }
    expect(codes(run)).toEqual(['DONE', 'DONE', 'DONE']);
  });

  it('puts every message once, however often it is pushed', async () => {
    const run = await begin();
    await settleOver(run, relay);
    const stored = relay.puts.filter((p) => p.result === 'stored');
    expect(new Set(stored.map((p) => p.box + p.name)).size).toBe(stored.length);
    // forgetful listing: the client pushes everything again, byte for byte
    const deaf = hostile(relay, { list: () => [] });
    const before = relay.puts.length;
    for (const name of NAMES) {
      const { identity } = table.party(name);
      const store = run.store(name);
      if (!store) throw new Error('not joined');
      const { problems } = await pushTo(deaf, store, run.folder(name), identity, new Visited());
      expect(problems.map((p) => p.message)).toEqual([]);
    }
    expect(relay.puts.slice(before).map((p) => p.result)).toEqual(stored.map(() => 'there'));
  });

  it('shows the relay nothing of what is in it: no name, no message, no plan', async () => {
    const run = await begin();
    await settleOver(run, relay);
    const all = Buffer.concat(relay.puts.map((p) => p.bytes)).toString('latin1');
    for (const word of [...NAMES, 'treasury', 'MPCP', 'participants', toHex(run.session.sid), Buffer.from(run.session.sid).toString('latin1'), Buffer.from(run.session.sid.slice(0, 16)).toString('latin1')]) expect(all.includes(word)).toBe(false);
    const names = [...relay.boxes.entries()].flatMap(([box, places]) => [box, ...places.keys()]);
    for (const name of names) expect(name).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe('a hostile relay', () => {
  const swapped = (inner: MemoryRelay): NonNullable<Misdeeds['get']> => (box, name) => {
    const names = [...(inner.boxes.get(box)?.keys() ?? [])];
    return inner.boxes.get(box)?.get(names[(names.indexOf(name) + 1) % names.length] as string);
  };
  let flip = 0;
  const MISDEEDS: Record<string, (inner: MemoryRelay, earlier: MemoryRelay) => Misdeeds> = {
    'keeps everything back': () => ({ list: () => [] }),
    'lists what it does not have': () => ({ get: () => undefined }),
    'swaps the contents of places': (inner) => ({ get: swapped(inner) }),
    'flips a byte': () => ({
      get: (_b, _n, bytes) => {
        flip += 977;
        return bytes?.map((b, i) => (i === flip % bytes.length ? b ^ 1 : b));
      },
    }),
    'cuts everything short': () => ({ get: (_b, _n, bytes) => bytes?.slice(0, bytes.length - 1) }),
    'adds to everything': () => ({ get: (_b, _n, bytes) => bytes && concat(bytes, new Uint8Array(16)) }),
    'answers with noise': () => ({ get: (_b, _n, bytes) => bytes && random(bytes.length) }),
    'answers with nothing': () => ({ get: (_b, _n, bytes) => bytes && new Uint8Array(0) }),
    'answers with more than a part has': () => ({ get: () => new Uint8Array(MAX_PART_BYTES + 1) }),
    'replays an earlier ceremony': (_inner, earlier) => {
      const old = [...earlier.boxes.values()].flatMap((m) => [...m.values()]);
      let n = 0;
      return { get: () => old[(n += 1) % old.length] };
    },
    'lists thousands of places': () => ({ list: (_b, names) => [...names, ...Array.from({ length: 4096 }, () => toHex(random(16)))], get: () => random(300) }),
  };

  let joined: { stage: Stage; relay: MemoryRelay };
  let earlier: MemoryRelay;
  beforeAll(async () => {
    table.restore('fresh');
    earlier = relay = new MemoryRelay();
    await settleOver(await begin(), relay);
    table.restore('fresh');
    relay = new MemoryRelay();
    const run = await begin();
    // far enough that everybody has joined, then the relay turns
    for (const name of NAMES) await visit(run, name, relay);
    joined = { stage: new Stage(run, 'joined'), relay: relay.copy() };
  });

  it.each(Object.entries(MISDEEDS))('%s: nobody is blamed, nobody completes, nobody is stopped; an honest one brings it to its end', async (_, misdeeds) => {
    const run = joined.stage.back();
    relay = joined.relay.copy();
    const bad = hostile(relay, misdeeds(relay, earlier));
    for (let i = 0; i < 2; i++) for (const name of NAMES) await visit(run, name, bad);
    for (const name of NAMES) {
      expect(run.code(name)).toBe('WAIT');
      expect(run.store(name)?.ending).toBeUndefined();
      expect(run.store(name)?.journal.filter((e) => e.payload.kind === 'blamed')).toEqual([]);
    }
    await settleOver(run, relay);
    expect(codes(run)).toEqual(['DONE', 'DONE', 'DONE']);
  });

  it('says which message does not open, and how to get it', async () => {
    const run = joined.stage.back();
    relay = joined.relay.copy();
    const brought = await visit(run, 'alice', hostile(relay, { get: () => random(500) }));
    const { problems = [] } = brought ?? {};
    expect(problems.map((p) => [p.code, p.facts.participant])).toEqual([['E_RELAY_PART', 'bob'], ['E_RELAY_PART', 'carol']].filter(([, who]) => problems.some((p) => p.facts.participant === who)));
    expect(problems.length).toBeGreaterThan(0);
    expect(problems[0]?.facts.remedy).toContain('another route');
  });

  it('serves different parts to different readers in vain: a place opens for its reader alone', async () => {
    const run = joined.stage.back();
    relay = joined.relay.copy();
    const box = boxOf(run.session.sid);
    const all = [...(relay.boxes.get(box)?.values() ?? [])];
    // alice asks for the place of bob's message to her and is given each of all others
    let opened = 0;
    for (const other of all) {
      const { identity } = table.party('alice');
      const store = run.store('alice');
      if (!store) throw new Error('not joined');
      const { fetched, problems } = await fetchFrom(hostile(relay, { get: () => other }), store, run.folder('alice'), identity, new Visited());
      opened += fetched.length;
      expect(problems.length).toBeGreaterThan(0);
    }
    // each of her own two letters opens once, at its own place
    expect(opened).toBeLessThanOrEqual(2);
  });
});

describe('participants who cheat over a relay', () => {
  /** What bob seals to one reader, at the place where the honest program would put it. */
  async function letter(run: Run, to: string, label: string, files: readonly ParcelFile[], as: { from?: string; sid?: Uint8Array; sealedFor?: string } = {}): Promise<void> {
    const { identity } = table.party('bob');
    const reader = table.party(to).identity.relay.publicKey;
    const sid = run.session.sid;
    const name = placeName(identity.relay.shared(reader), { sid, from: 'bob', to, label });
    const part = sealPart({ sid: as.sid ?? sid, from: as.from ?? 'bob', to: as.sealedFor ?? to, label, payload: encodeParcel(files), reader, signer: identity.signer, key: identity.relay });
    await relay.put(boxOf(sid), name, part);
  }
  const blob = (run: Run, slot: number, body: Uint8Array): ParcelFile => ({ path: `round-${String(slot)}/bob.blob`, bytes: run.blob('bob', slot, body) });

  async function waiting(): Promise<Run> {
    const run = await begin();
    await visit(run, 'alice', relay);
    await visit(run, 'carol', relay);
    await visit(run, 'alice', relay);
    return run;
  }

  it('who says different things to different readers is named by both', async () => {
    const run = await waiting();
    // another commitment lies at carol's place before bob's own program comes to put the one there that alice gets
    const body = new Uint8Array(run.store('alice')?.ownBlob(1)?.body.length ?? 0).fill(1);
    await letter(run, 'carol', 'message-1', [blob(run, 1, body)]);
    // bob's program, changed so that it does not mind what lies in its places
    const careless = { ...hostile(relay, {}), put: (...put: Parameters<MemoryRelay['put']>) => relay.put(...put).catch(() => 'there' as const) };
    await visit(run, 'bob', careless);
    for (let i = 0; i < 4; i++) for (const name of NAMES) await visit(run, name, name === 'bob' ? careless : relay);
    const verdicts = ['alice', 'carol'].map((n) => [run.error(n).code, run.error(n).facts.participant]);
    expect(verdicts).toContainEqual(['E_EQUIVOCATION', 'bob']);
    // nobody but bob is named by a check; who follows somebody's ending names whom it follows
    for (const [code, who] of verdicts) expect(code === 'E_ABORTED' || who === undefined || who === 'bob').toBe(true);
    expect(codes(run)).not.toContain('DONE');
  });

  it.each<[string, (run: Run) => Promise<void>]>([
    ['brings a message of another seat', async (run) => letter(run, 'alice', 'message-1', [{ path: 'round-1/carol.blob', bytes: run.store('carol')?.ownBlob(1)?.bytes ?? new Uint8Array(0) }])],
    ['brings a message of another round', async (run) => letter(run, 'alice', 'message-1', [blob(run, 2, new Uint8Array(40))])],
    ['brings two messages at once', async (run) => letter(run, 'alice', 'message-1', [blob(run, 1, new Uint8Array(32)), { path: 'round-2/bob.blob', bytes: run.blob('bob', 2, new Uint8Array(32)) }])],
    ['brings another plan', async (run) => letter(run, 'alice', 'message-1', [{ path: 'PLAN.yaml', bytes: utf8('another') }])],
    ['brings a transcript of somebody else at its end', async (run) => letter(run, 'alice', 'end', [{ path: 'transcript/carol.jsonl', bytes: utf8('{}\n') }])],
    ['brings a card as evidence', async (run) => letter(run, 'alice', 'evidence-1', [{ path: 'cards/bob.card', bytes: utf8('{}') }])],
    ['says it is carol', async (run) => letter(run, 'alice', 'message-1', [blob(run, 1, new Uint8Array(32))], { from: 'carol' })],
    ['names another ceremony', async (run) => letter(run, 'alice', 'message-1', [blob(run, 1, new Uint8Array(32))], { sid: new Uint8Array(32) })],
    ['names another reader', async (run) => letter(run, 'alice', 'message-1', [blob(run, 1, new Uint8Array(32))], { sealedFor: 'carol' })],
  ])('who %s is not heard', async (_, cheat) => {
    const run = await waiting();
    await cheat(run);
    const before = run.files('alice').length;
    const { identity } = table.party('alice');
    const store = run.store('alice');
    if (!store) throw new Error('not joined');
    const { fetched, problems } = await fetchFrom(relay, store, run.folder('alice'), identity, new Visited());
    expect(fetched).toEqual([]);
    expect(problems.map((p) => p.facts.participant)).toEqual(['bob']);
    expect(run.files('alice')).toHaveLength(before);
  });

  it('who squats at a place of somebody else cannot: it does not know where it is', async () => {
    const run = await waiting();
    const { identity } = table.party('bob');
    const wanted = placeName(table.party('carol').identity.relay.shared(table.party('alice').identity.relay.publicKey), { sid: run.session.sid, from: 'carol', to: 'alice', label: 'message-2' });
    const guesses = ['alice', 'carol'].flatMap((to) => ['alice', 'carol', 'bob'].map((from) => placeName(identity.relay.shared(table.party(to).identity.relay.publicKey), { sid: run.session.sid, from, to, label: 'message-2' })));
    expect(guesses).not.toContain(wanted);
  });
});

describe('at the door', () => {
  const of = (name: string) => table.party(name).identity;
  const publicOf = (name: string): Uint8Array => of(name).relay.publicKey;
  /** What a participant leaves at its own door for bob. */
  async function leave(from: string, sid: Uint8Array, files: readonly ParcelFile[], as: { from?: string; name?: string } = {}): Promise<void> {
    const { relay: key, signer } = of(from);
    const part = sealPart({ sid, from: as.from ?? from, to: 'bob', label: 'opening', payload: encodeParcel(files), reader: publicOf('bob'), signer, key });
    await relay.put(doorOf(key.shared(publicOf('bob')), from, 'bob'), as.name ?? toHex(random(16)), part);
  }
  const plan = (run: Run): ParcelFile => ({ path: 'PLAN.yaml', bytes: run.file('alice', 'PLAN.yaml') ?? new Uint8Array(0) });

  it('nobody but the two knows where it is', () => {
    const wanted = doorOf(of('alice').relay.shared(publicOf('bob')), 'alice', 'bob');
    expect(['alice', 'bob'].map((to) => doorOf(of('carol').relay.shared(publicOf(to)), 'alice', 'bob'))).not.toContain(wanted);
  });

  it.each<[string, (run: Run) => Promise<void>]>([
    ['carol invites with alice’s plan', async (run) => leave('carol', run.session.sid, [plan(run)])],
    ['carol invites as alice', async (run) => leave('carol', run.session.sid, [plan(run)], { from: 'alice' })],
    ['alice’s plan comes with a transcript', async (run) => leave('alice', run.session.sid, [plan(run), { path: 'transcript/alice.jsonl', bytes: run.store('alice')?.chainBytes ?? new Uint8Array(0) }])],
    ['alice names another session', async (run) => leave('alice', new Uint8Array(32), [plan(run)])],
    ['alice leaves no plan', async (run) => leave('alice', run.session.sid, [{ path: 'cards/alice.card', bytes: utf8('{}') }])],
    ['alice leaves noise', async () => void (await relay.put(doorOf(of('alice').relay.shared(publicOf('bob')), 'alice', 'bob'), toHex(random(16)), random(300)))],
  ])('%s: nothing is joined and nothing written; the true invitation is found beside it', async (_, leaveIt) => {
    const run = await begin();
    await leaveIt(run);
    await visit(run, 'bob', relay);
    expect(run.store('bob')).toBeUndefined();
    expect(run.files('bob')).toEqual([]);
    await visit(run, 'alice', relay);
    await visit(run, 'bob', relay);
    expect(run.store('bob')?.sent.has(1)).toBe(true);
  });

  it('a lead whose relay key cannot be used is passed over, and so is one whose door cannot be looked behind', async () => {
    const run = await begin();
    const card = makeCard({ mode: 'rehearsal', name: 'mallory', homeId: '11'.repeat(16), x25519: '00'.repeat(32), prekeys: [] }, signerFromSeed(random(32)));
    writeFileSync(join(table.root, 'runs', run.id, 'cards', 'mallory.card'), encodeCard(card));
    await visit(run, 'alice', relay);
    const carols = doorOf(of('carol').relay.shared(publicOf('bob')), 'carol', 'bob');
    const failing = { ...hostile(relay, {}), list: (box: string) => (box === carols ? Promise.reject(new CeremonyError('E_RELAY', 'full')) : relay.list(box)) };
    await visit(run, 'bob', failing);
    expect(run.store('bob')?.sent.has(1)).toBe(true);
  });

  it('a stranger’s plan under known names is not even looked at', async () => {
    const other = await Table.open(['alice']);
    try {
      const { signer, relay: key } = other.party('alice').identity;
      const run = await begin();
      const part = sealPart({ sid: run.session.sid, from: 'alice', to: 'bob', label: 'opening', payload: encodeParcel([plan(run)]), reader: publicOf('bob'), signer, key });
      await relay.put(doorOf(key.shared(publicOf('bob')), 'alice', 'bob'), toHex(random(16)), part);
      await visit(run, 'bob', relay);
      expect(run.store('bob')).toBeUndefined();
    } finally {
      other.close();
    }
  });
});

describe('an older copy of a home', () => {
  it('meets its own message at the relay and stops before it says another', async () => {
    const run = await begin();
    await visit(run, 'alice', relay);
    await visit(run, 'bob', relay);
    await visit(run, 'carol', relay);
    table.save('joined');
    await visit(run, 'alice', relay);
    await visit(run, 'bob', relay);
    expect(run.store('bob')?.sent.has(2)).toBe(true);
    table.restore('joined');
    await visit(run, 'bob', relay);
    expect(run.code('bob')).toBe('E_ROLLBACK');
    expect(run.store('bob')?.sent.has(2)).toBe(false);
  });

  it('or of two: the second to speak finds the first one’s message where its own should lie, whatever the relay lists', async () => {
    const run = await begin();
    for (const name of NAMES) await visit(run, name, relay);
    table.save('joined');
    await visit(run, 'alice', relay);
    await visit(run, 'bob', relay);
    const { identity } = table.party('bob');
    table.restore('joined');
    // the relay hides the list, so that the copy does not see it before it speaks
    const store = run.store('bob');
    if (!store) throw new Error('not joined');
    await fetchFrom(relay, run.store('carol') as NonNullable<typeof store>, run.folder('carol'), table.party('carol').identity, new Visited());
    run.write('bob', 'round-1/carol.blob', run.store('carol')?.ownBlob(1)?.bytes ?? new Uint8Array(0));
    rmSync(join(run.folder('bob'), 'round-2'), { recursive: true, force: true });
    rmSync(join(run.folder('bob'), 'transcript'), { recursive: true, force: true });
    await run.next('bob');
    const copy = run.store('bob');
    expect(copy?.sent.has(2)).toBe(true);
    await expect(pushTo(hostile(relay, { list: () => [] }), copy as NonNullable<typeof copy>, run.folder('bob'), identity, new Visited())).rejects.toMatchObject({ code: 'E_ROLLBACK' });
  });
});
