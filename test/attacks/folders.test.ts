/**
 * The coordinator and the courier are untrusted (SGN-14): whatever lies in a folder, honest participants never finish
 * wrongly, never lose state, and go on when the good file comes.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockReason } from '../../src/ceremony/home.ts';
import { pendingEpochs, requireKey } from '../../src/ceremony/key-store.ts';
import { COMMIT } from '../../src/protocols/dkg.ts';
import { verifySignature } from '../../src/schnorr/verify-signature.ts';
import { fromHex, toHex, utf8 } from '../../src/wire/bytes.ts';
import { Dealer } from '../support/dealer.ts';
import { random, Table } from '../support/harness.ts';
import type { Run } from '../support/run.ts';

const ALL = ['alice', 'mallory', 'carol'];
const HONEST = ['alice', 'carol'];
const QUORUM = '2-of(alice, mallory, carol)';
const MESSAGE = 'pay 5 to the baker';
let table: Table;
beforeAll(async () => {
  table = await Table.open(ALL);
  const run = await table.dkg({ quorum: QUORUM, honest: ALL, stock: 2 });
  await run.settle();
  table.save('key');
});
afterAll(() => {
  table.close();
});
beforeEach(() => {
  table.restore('key');
});

/** Everything that can happen to one file on the way; the byte that is flipped moves on from file to file. */
function* spoilt(good: Uint8Array, turn: number): Generator<[string, Uint8Array | undefined]> {
  for (const at of [(turn * 7) % good.length, (turn * 101 + (good.length >> 1)) % good.length, good.length - 1]) {
    const bytes = good.slice();
    bytes[at] = (bytes[at] as number) ^ 1;
    yield [`byte ${String(at)}`, bytes];
  }
  yield ['cut off', good.slice(0, good.length >> 1)];
  yield ['gone', undefined];
}

/**
 * For every file of alice's folder and what can happen to it: alice steps, then gets the good folder.
 * @param take what is tried with each file, of the five there are: every one, or every second, … moving on from file to file
 */
async function tamper(run: Run, take: number, finished: (label: string) => void): Promise<number> {
  const folder = run.folder('alice');
  const good = join(table.root, 'good');
  rmSync(good, { recursive: true, force: true });
  cpSync(folder, good, { recursive: true });
  table.save('before');
  let [cases, turn] = [0, 0];
  for (const path of run.files('alice')) {
    const bytes = run.file('alice', path) as Uint8Array;
    for (const [what, bad] of spoilt(bytes, turn)) {
      if ((turn += 1) % take !== 0) continue;
      if (bad) run.write('alice', path, bad);
      else rmSync(join(folder, path));
      await run.next('alice');
      const label = `${path}, ${what}: ${run.code('alice')} ${run.last.get('alice')?.error?.message ?? ''}`;
      expect([label, lockReason(table.party('alice').home)]).toEqual([label, undefined]);
      expect([label, run.last.get('alice')?.error?.facts.participant]).toEqual([label, undefined]);
      if (run.code('alice') !== 'DONE') {
        // the good file comes
        rmSync(folder, { recursive: true });
        cpSync(good, folder, { recursive: true });
        await run.next('alice');
        expect([label, run.code('alice')]).toEqual([label, 'DONE']);
      }
      finished(label);
      table.restore('before', 'alice');
      rmSync(folder, { recursive: true });
      cpSync(good, folder, { recursive: true });
      cases += 1;
    }
  }
  return cases;
}

describe('SGN-14 every file of the coordinator', () => {
  test('SGN-14 tamper with every file of a signing folder before the last step', async () => {
    const run = await table.sign({ honest: HONEST });
    await run.next('carol');
    run.carry();
    const { publicKey } = requireKey(table.party('alice').home, 'treasury').epoch;
    const cases = await tamper(run, 3, (label) => {
      const signature = run.file('alice', 'signature.bin') as Uint8Array;
      expect([label, verifySignature('frost-ed25519', fromHex(publicKey), utf8(MESSAGE), signature)]).toEqual([label, true]);
    });
    expect(cases).toBeGreaterThan(15);
  });

  test('SGN-14 tamper with every file of a key generation before the last step', async () => {
    for (const n of ALL) table.renew(n);
    const run = await table.dkg({ name: 'second', quorum: '2-of(alice, carol)', honest: HONEST });
    await run.next('carol');
    run.carry(['carol', 'alice']);
    await run.next('alice');
    run.carry(['alice', 'carol']);
    await run.next('carol');
    run.carry(['carol', 'alice']);
    await run.next('alice');
    run.carry(['alice', 'carol']);
    await run.next('carol');
    expect(run.code('carol')).toBe('DONE');
    run.carry(['carol', 'alice']);
    const right = toHex(requireKey(table.party('carol').home, 'second').digest);
    const cases = await tamper(run, 1, (label) => {
      expect([label, toHex(requireKey(table.party('alice').home, 'second').digest)]).toEqual([label, right]);
    });
    expect(cases).toBeGreaterThan(40);
  });

  test('SGN-14 tamper before joining: whatever is in the plan, nobody finishes with another key than the others', async () => {
    for (const n of ALL) table.renew(n);
    const run = await table.dkg({ name: 'second', quorum: '2-of(alice, carol)', honest: HONEST });
    const good = run.file('carol', 'PLAN.yaml') as Uint8Array;
    table.save('before');
    for (let at = 0; at < good.length; at += 97) {
      const bad = good.slice();
      bad[at] = (bad[at] as number) ^ 1;
      run.write('carol', 'PLAN.yaml', bad);
      await run.next('carol');
      const where = `byte ${String(at)}`;
      if (run.last.get('carol')?.error) expect([where, run.error('carol').exit]).toEqual([where, expect.any(Number)]);
      // joined all the same (a comment, or another session): alice takes nothing of it for hers
      const blob = run.file('carol', 'round-1/carol.blob');
      if (blob) {
        run.write('alice', 'round-1/carol.blob', blob);
        await run.next('alice');
        const taken = run.messages('alice').get(COMMIT)?.has(2) === true;
        expect([where, ['WAIT', ...(taken ? [] : ['E_FORMAT'])]]).toEqual([where, expect.arrayContaining([run.code('alice')])]);
      }
      table.restore('before');
      rmSync(run.folder('carol'), { recursive: true });
      for (const dir of ['round-1', 'round-2', 'transcript']) rmSync(join(run.folder('alice'), dir), { recursive: true, force: true });
      run.write('carol', 'PLAN.yaml', good);
    }
    await run.next('alice');
    await run.settle();
    expect(HONEST.map((n) => run.code(n))).toEqual(['DONE', 'DONE']);
  });
});

describe('what a folder can be', () => {
  /** A signing that waits for carol; alice's folder is hers to spoil. */
  const waiting = (): Promise<Run> => table.sign({ honest: HONEST });
  /** Alice was not harmed: with carol's message she finishes. */
  async function recovers(run: Run): Promise<void> {
    await run.next('carol');
    run.carry(['carol', 'alice']);
    await run.next('alice');
    expect([run.code('alice'), run.last.get('alice')?.error?.message]).toEqual(['DONE', undefined]);
  }

  test('links: a file, a folder, the plan; none is followed', async () => {
    const run = await waiting();
    const secret = join(table.party('carol').home.root, 'identity/identity.sealed');
    symlinkSync(secret, join(run.folder('alice'), 'link.blob'));
    symlinkSync(table.party('carol').home.root, join(run.folder('alice'), 'linked'));
    await run.next('alice');
    expect(run.code('alice')).toBe('WAIT');
    await recovers(run);
  });

  test('links: an own file or folder that leads elsewhere is not written through', async () => {
    const run = await waiting();
    const elsewhere = join(table.root, 'elsewhere');
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, 'precious'), 'precious');
    rmSync(join(run.folder('alice'), 'round-2/alice.blob'));
    symlinkSync(join(elsewhere, 'precious'), join(run.folder('alice'), 'round-2/alice.blob'));
    await run.next('alice');
    expect([run.code('alice'), run.error('alice').exit]).toEqual(['E_IO', 74]);
    rmSync(join(run.folder('alice'), 'round-2'), { recursive: true });
    symlinkSync(elsewhere, join(run.folder('alice'), 'round-2'));
    await run.next('alice');
    expect(run.code('alice')).toBe('E_IO');
    rmSync(join(run.folder('alice'), 'round-2'));
    expect(Buffer.from(cat(join(elsewhere, 'precious'))).toString()).toBe('precious');
    await recovers(run);
  });

  test('row 58 more files than any ceremony has: refused, and taken up again when they are gone', async () => {
    const run = await waiting();
    const dir = join(run.folder('alice'), 'x');
    mkdirSync(dir);
    for (let i = 0; i < 10_001; i++) writeFileSync(join(dir, String(i)), '');
    await run.next('alice');
    expect(run.code('alice')).toBe('E_TOO_LARGE');
    rmSync(dir, { recursive: true });
    await recovers(run);
  });

  test('junk of every kind beside the messages', async () => {
    const run = await waiting();
    const junk: Record<string, Uint8Array> = {
      'a.blob': random(300),
      'b.blob': new Uint8Array(0),
      'c.jsonl': random(300),
      'd.jsonl': utf8('{"payload":"'),
      'e.jsonl': utf8('{"payload":"aGk=","payloadType":"x","signatures":[]}\n'),
      'certificate.json': utf8('{"confirms":'),
      'transcript/certificate.json': utf8(`{"confirms":[],"epoch":{},"type":"x","v":1}`),
      'evidence/x.json': utf8('{"code":"E_X","envelopes":["AAAA",3,null]}'),
      'evidence/y.json': utf8('{"code":"E_X","envelopes":"no"}'),
      'evidence/z.json': utf8('{"code":"E_'),
      'deep/er/than/ever.blob': random(300),
      '.hidden.blob': random(300),
      'round-1/ALICE.BLOB': random(10),
      'SCRIPT.html': utf8('<script>alert(1)</script>'),
    };
    for (const [path, bytes] of Object.entries(junk)) run.write('alice', path, bytes);
    await run.next('alice');
    // junk that claims to be a message is pointed out; nobody is blamed for it
    expect([run.code('alice'), run.error('alice').facts.participant]).toEqual(['E_FORMAT', undefined]);
    await recovers(run);
  });

  test('the transcript of another, under one’s own name and the other way round', async () => {
    const run = await waiting();
    await run.next('carol');
    const carols = run.file('carol', 'transcript/carol.jsonl') as Uint8Array;
    run.write('alice', 'transcript/alice.jsonl', carols);
    run.write('alice', 'transcript/mallory.jsonl', carols);
    await run.next('alice');
    expect(run.code('alice')).toBe('WAIT');
    expect(lockReason(table.party('alice').home)).toBeUndefined();
    expect(run.file('alice', 'transcript/alice.jsonl')).not.toEqual(carols);
    await recovers(run);
  });

  test('a second form of the same signature is neither a message nor a second one', async () => {
    // an Ed25519 response plus the group order: OpenSSL refuses it, so that nobody can frame or lock a sender with it
    const run = await waiting();
    await run.next('carol');
    const L = 2n ** 252n + 27742317777372353535851937790883648493n;
    for (const name of HONEST) {
      const blob = (run.file(name, `round-2/${name}.blob`) as Uint8Array).slice();
      let s = 0n;
      for (let i = 31; i >= 0; i--) s = (s << 8n) | BigInt(blob[blob.length - 32 + i] as number);
      s += L;
      for (let i = 0; i < 32; i++, s >>= 8n) blob[blob.length - 32 + i] = Number(s & 255n);
      run.write('alice', `copy/${name}.blob`, blob);
    }
    await run.next('alice');
    expect(run.code('alice')).toBe('E_SIGNATURE');
    expect(lockReason(table.party('alice').home)).toBeUndefined();
    await recovers(run);
  });

  test('an empty folder, and one that is gone', async () => {
    const run = await waiting();
    rmSync(run.folder('alice'), { recursive: true });
    await run.next('alice');
    expect(run.code('alice')).toBe('E_IO');
    mkdirSync(run.folder('alice'));
    await run.next('alice');
    // the home is the truth: its own files are there again
    expect(run.files('alice')).toEqual(expect.arrayContaining(['round-2/alice.blob', 'transcript/alice.jsonl']));
    await recovers(run);
  });

  test('a home whose record was damaged says so and signs nothing', async () => {
    const run = await waiting();
    const { home } = table.party('carol');
    await run.next('carol');
    const journal = join(run.store('carol')?.dir as string, 'journal.jsonl');
    const bytes = cat(journal);
    for (const at of [5, bytes.length >> 1, bytes.length - 2]) {
      const bad = bytes.slice();
      bad[at] = (bad[at] as number) ^ 1;
      home.disk.write(journal, bad);
      await run.next('carol');
      expect([run.code('carol'), run.error('carol').exit]).toEqual(['E_STATE', 24]);
    }
    home.disk.write(journal, bytes);
    await run.settle();
    expect(HONEST.map((n) => run.code(n))).toEqual(['DONE', 'DONE']);
  });
});

describe('the courier', () => {
  test('any order, some of it twice, late and early: everybody ends with the same key', async () => {
    for (const n of ALL) table.renew(n);
    const run = await table.dkg({ name: 'second', quorum: QUORUM, honest: ALL });
    let seed = 7;
    const pick = (n: number): number => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
    for (let i = 0; i < 60 && ALL.some((n) => run.code(n) !== 'DONE'); i++) {
      const [a, b] = [ALL[pick(3)] as string, ALL[pick(3)] as string];
      for (let times = 1 + pick(2); times > 0; times--) run.carry([a, b]);
      await run.next(b);
    }
    await run.settle();
    expect(ALL.map((n) => run.code(n))).toEqual(['DONE', 'DONE', 'DONE']);
    expect(new Set(ALL.map((n) => toHex(requireKey(table.party(n).home, 'second').digest))).size).toBe(1);
  });

  test('row 62 nothing is activated by a folder that lacks one confirmation, in whatever order it is read', async () => {
    for (const n of ALL) table.renew(n);
    const run = await table.dkg({ name: 'second', quorum: QUORUM, honest: HONEST, cheats: ['mallory'] });
    const dealer = new Dealer(run, 'mallory');
    run.say('mallory', COMMIT, dealer.commit());
    await run.settle();
    run.say('mallory', 2, dealer.deal(run.messages()));
    await run.settle();
    await run.settle(['carol', 'alice']);
    for (const n of HONEST) expect([run.code(n), pendingEpochs(table.party(n).home, 'second')]).toEqual(['WAIT', [1]]);
  });
});

function cat(file: string): Uint8Array {
  return table.party('alice').home.disk.read(file, 1 << 20) as Uint8Array;
}
