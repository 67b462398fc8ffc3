/** Gathering codes and remembering them: what is said of it, what a hostile code can do, and how a scan goes on. */
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Receiver, Scan, ScanMemory, scanWords } from '../../src/cli/qr-scan.ts';
import { encodePart, type PartFields } from '../../src/qr/cbor-part.ts';
import { toBytewords } from '../../src/qr/bytewords.ts';
import { readPart } from '../../src/qr/ur-part.ts';
import { urSender } from '../../src/qr/ur.ts';
import { realDisk } from '../../src/vault/durable.ts';
import { CeremonyError } from '../../src/wire/errors.ts';

const bytes = (length: number, seed = 1): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 77 + (i >> 4)) & 0xff);
const parts = (message: Uint8Array, size: number, from: number, to: number): string[] => {
  const sender = urSender(message, size);
  return Array.from({ length: to - from + 1 }, (_, i) => sender.part(from + i));
};

let dir: string;
let told: string[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'qr-scan-'));
  told = [];
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});
const file = (): string => join(dir, 'new', '.scan');
const memory = (): ScanMemory => new ScanMemory(realDisk(), file(), (text) => told.push(text));
const HEAD = '# mpc-ceremony: codes scanned so far; mpc-ceremony qr scan goes on with them. Nothing secret. Removed when complete.\n';
const recalled = async (from = memory()): Promise<Scan> => {
  const scan = new Scan(from);
  await scan.recall();
  return scan;
};
const lines = (): string[] => readFileSync(file(), 'utf8').split('\n').filter((l) => l.startsWith('UR:'));

describe('how far it is', () => {
  it('is said in one line', () => {
    expect(scanWords({ parts: 72, have: 41, missing: 31, foreign: 2, damaged: 1 })).toBe('41 of 72 parts, 31 missing, 2 codes of another message, 1 damaged');
    expect(scanWords({ parts: 0, have: 0, missing: 0, foreign: 1, damaged: 0 })).toBe('no code yet, 1 code of another message');
  });

  it('counts every code once, foreign ones by what is held of them, and damaged ones', () => {
    const scan = new Scan();
    const [a, b] = [bytes(1000), bytes(900, 2)];
    for (let again = 0; again < 3; again++) for (const text of parts(a, 100, 1, 4)) scan.take(text);
    for (let again = 0; again < 2; again++) for (const text of parts(b, 90, 1, 2)) scan.take(text);
    scan.take(parts(a, 100, 5, 5).map((t) => t.slice(0, -1) + (t.endsWith('A') ? 'B' : 'A'))[0] as string);
    scan.take('https://example.org/');
    scan.take('UR:CRYPTO-PSBT/AEAEAEAE');
    expect(scan.facts).toEqual({ parts: 11, have: 4, missing: 7, foreign: 2, damaged: 1 });
    expect(scan.words).toBe('4 of 11 parts, 7 missing, 2 codes of another message, 1 damaged');
  });
});

describe('what is remembered', () => {
  it('goes on after the process ended, and is removed when the message is complete', async () => {
    const message = bytes(1000);
    const first = new Scan(memory());
    for (const text of parts(message, 100, 1, 6)) first.take(text.toLowerCase());
    first.save();
    expect(lines()).toEqual(parts(message, 100, 1, 6));
    expect(readFileSync(file(), 'utf8').split('\n')[0]).toMatch(/^# mpc-ceremony: .*Nothing secret/);

    const second = await recalled();
    expect(second.facts).toEqual({ parts: 11, have: 6, missing: 5, foreign: 0, damaged: 0 });
    const got: Uint8Array[] = [];
    const receiver = new Receiver(second, (m) => Promise.resolve(void got.push(m)));
    for (const text of parts(message, 100, 12, 40)) await receiver.take(text);
    expect(got).toEqual([message]);
    expect(existsSync(file())).toBe(false);
    // and the same codes do not begin it again
    for (const text of parts(message, 100, 1, 3)) await receiver.take(text);
    second.save();
    expect([existsSync(file()), got.length, second.facts.have]).toEqual([false, 1, 0]);
  });

  it('holds several messages apart, and only the complete one leaves', async () => {
    const [a, b] = [bytes(500), bytes(500, 2)];
    const scan = new Scan(memory());
    const receiver = new Receiver(scan, () => Promise.resolve());
    for (const text of parts(a, 100, 1, 3)) await receiver.take(text);
    for (const text of parts(b, 100, 1, 2)) await receiver.take(text);
    for (const text of parts(a, 100, 4, 6)) await receiver.take(text);
    expect(lines()).toEqual(parts(b, 100, 1, 2));
    expect(scan.words).toBe('2 of 6 parts, 4 missing');
    expect((await recalled()).words).toBe('2 of 6 parts, 4 missing');
  });

  it('forgets codes of the same message in another size', async () => {
    const message = bytes(500);
    const receiver = new Receiver(new Scan(memory()), () => Promise.resolve());
    for (const text of [...parts(message, 50, 1, 4), ...parts(message, 100, 1, 6)]) await receiver.take(text);
    expect(existsSync(file())).toBe(false);
  });

  it('takes up a file in which all is there: the process ended before it was removed', async () => {
    const message = bytes(300);
    new Scan(memory()).save();
    realDisk().makeDir(join(dir, 'new'));
    writeFileSync(file(), HEAD + parts(message, 100, 1, 4).join('\n'));
    const got: Uint8Array[] = [];
    await new Receiver(new Scan(memory()), (m) => Promise.resolve(void got.push(m))).settle();
    expect([got, existsSync(file())]).toEqual([[message], false]);
  });

  it('is no trap when somebody else wrote it', async () => {
    realDisk().makeDir(join(dir, 'new'));
    writeFileSync(file(), Buffer.concat([Buffer.from(`${HEAD}UR:BYTES/1-4000000/AEAE\nUR:\nUR:BYTES/`), Buffer.alloc(100_000, 0xff), Buffer.from(`\n\0\n${parts(bytes(300), 100, 1, 1)[0] as string}\n`)]));
    expect((await recalled()).facts).toEqual({ parts: 4, have: 1, missing: 3, foreign: 0, damaged: 0 });
    rmSync(file());
    symlinkSync('/etc/passwd', file());
    const scan = new Scan(memory());
    for (const text of parts(bytes(300), 100, 1, 2)) scan.take(text);
    scan.save();
    expect(scan.facts.have).toBe(2);
    // told once, and the scan goes on
    expect(told).toEqual([expect.stringMatching(/^! codes are not remembered/)]);
  });

  it('somebody else\'s file of that name stays as it is, and that is told', async () => {
    realDisk().makeDir(join(dir, 'new'));
    for (const theirs of ['my tax papers', '', `a line\n${HEAD}`, HEAD.slice(0, -2), parts(bytes(300), 100, 1, 4).join('\n')]) {
      told = [];
      writeFileSync(file(), theirs);
      const scan = await recalled();
      expect([scan.begun, scan.messages]).toEqual([false, []]);
      scan.save();
      for (const text of parts(bytes(500), 100, 1, 3)) scan.take(text);
      scan.save();
      expect(readFileSync(file(), 'utf8')).toBe(theirs);
      expect(told).toEqual(['! codes are not remembered for a further scan: .scan is there already and is no such file']);
    }
    // larger than anything that is remembered
    writeFileSync(file(), HEAD + 'UR:'.padEnd(13 * 1024 * 1024, 'A'));
    (await recalled()).save();
    expect(readFileSync(file())).toHaveLength(HEAD.length + 13 * 1024 * 1024);
  });

  it('is taken up in pieces: who leaves meanwhile need not wait, and loses nothing', async () => {
    realDisk().makeDir(join(dir, 'new'));
    // every one of them mixes hundreds of parts: seconds of work
    const heavy = parts(bytes(16_000), 4, 5000, 12_000);
    writeFileSync(file(), HEAD + heavy.join('\n'));
    const leaving = new AbortController();
    setImmediate(() => {
      leaving.abort();
    });
    const scan = new Scan(memory());
    await scan.recall(leaving.signal);
    expect(scan.facts.have).toBeGreaterThan(0);
    expect(scan.facts.have).toBeLessThan(3900);
    scan.save();
    expect(new Set(lines())).toEqual(new Set(heavy));
  });

  it('is bounded: of more codes than can count the last are taken up', async () => {
    realDisk().makeDir(join(dir, 'new'));
    const [old, last] = [parts(bytes(500), 100, 1, 3), parts(bytes(400, 2), 100, 1, 2)];
    writeFileSync(file(), HEAD + [...old, ...Array.from({ length: 4 * 4096 }, () => 'UR:BYTES/AE'), ...last].join('\n'));
    expect((await recalled()).words).toBe('2 of 5 parts, 3 missing');
  });

  it('is written after a few codes without being asked', () => {
    const scan = new Scan(memory());
    for (const text of parts(bytes(5000), 100, 1, 16)) scan.take(text);
    expect(lines()).toHaveLength(16);
  });

  it('stays small under a flood', () => {
    const scan = new Scan(memory());
    scan.take(parts(bytes(500), 100, 1, 1)[0] as string);
    // ten other messages, and one of them without end
    for (let seed = 2; seed < 12; seed++) for (const text of parts(bytes(500, seed), 100, 1, 5)) scan.take(text);
    for (const text of parts(bytes(500, 50), 100, 1, 400)) scan.take(text);
    scan.save();
    // four messages at most; of the endless one what could be needed
    expect(lines().length).toBeLessThan(60);
  });

  it('forgets a message with a forged part, which would spoil every further scan', () => {
    const message = bytes(500);
    const sender = urSender(message, 84);
    expect(sender.count).toBe(6);
    const forged = forge(sender.part(2));
    const scan = new Scan(memory());
    scan.take(forged);
    for (const n of [1, 3, 4, 5]) scan.take(sender.part(n));
    scan.save();
    expect(lines()).toHaveLength(5);
    scan.take(sender.part(6));
    expect(scan.lastRefusal).toContain('begins again');
    scan.save();
    expect(existsSync(file())).toBe(false);
    for (let n = 1; n <= 6; n++) scan.take(sender.part(n));
    expect(scan.message).toEqual(message);
  });
});

/** The same part with one byte of its fragment changed and all checksums of the part right. */
function forge(text: string): string {
  const fields = decode(text);
  const fragment = Uint8Array.from(fields.fragment);
  fragment[0] = (fragment[0] as number) ^ 1;
  return `UR:BYTES/${String(fields.sequence)}-${String(fields.count)}/${toBytewords(encodePart({ ...fields, fragment }))}`;
}
function decode(text: string): PartFields {
  const part = readPart(text, { type: 'bytes', parts: 4096, fragment: 1200, payload: 4_000_000 });
  if ('refused' in part) throw new Error(part.why);
  return part;
}

describe('what becomes of a complete message', () => {
  it('is judged once, however long its code stands before the camera', async () => {
    const [a, b] = [bytes(100), bytes(110, 2)];
    const judged: number[] = [];
    const receiver = new Receiver(new Scan(), (m) => {
      judged.push(m.length);
      if (m.length === 100) throw new CeremonyError('E_PARCEL', 'not for here');
      return Promise.resolve();
    });
    const one = urSender(a, 200).part(1);
    const results = [await receiver.take(one), await receiver.take(one), await receiver.take(one)];
    expect(results.map((r) => [r.accepted, r.refused?.code])).toEqual([[0, 'E_PARCEL'], [0, undefined], [0, undefined]]);
    expect((await receiver.take(urSender(b, 200).part(1))).accepted).toBe(1);
    expect((await receiver.take(urSender(b, 200).part(1))).accepted).toBe(0);
    expect(judged).toEqual([100, 110]);
  });

  it('that is not wanted is not asked for again, nor remembered; another one still comes', async () => {
    const [spurned, wanted] = [bytes(500), bytes(400, 2)];
    const got: number[] = [];
    const scan = new Scan(memory());
    const receiver = new Receiver(scan, (m) => {
      if (m.length === 500) throw new CeremonyError('E_PARCEL', 'not for here');
      return Promise.resolve(void got.push(m.length));
    });
    // a GIF goes on after it was complete
    for (const text of parts(spurned, 100, 1, 9)) await receiver.take(text);
    scan.save();
    expect([scan.words, scan.begun, existsSync(file())]).toEqual(['no code yet', false, false]);
    for (const text of parts(wanted, 100, 1, 2)) await receiver.take(text);
    scan.save();
    expect(lines()).toEqual(parts(wanted, 100, 1, 2));
    for (const text of parts(wanted, 100, 3, 9)) await receiver.take(text);
    expect(got).toEqual([400]);
  });

  it('one in a single code is taken while another message is still open', async () => {
    const got: number[] = [];
    const scan = new Scan();
    const receiver = new Receiver(scan, (m) => Promise.resolve(void got.push(m.length)));
    for (const text of parts(bytes(500), 100, 1, 3)) await receiver.take(text);
    expect((await receiver.take(urSender(bytes(90, 2), 200).part(1))).accepted).toBe(1);
    expect(scan.words).toBe('3 of 6 parts, 3 missing');
    for (const text of parts(bytes(500), 100, 4, 6)) await receiver.take(text);
    expect(got).toEqual([90, 500]);
  });

  it('a disk that fails is no judgement: the message is tried again', async () => {
    let fails = true;
    const receiver = new Receiver(new Scan(), () => {
      if (fails) throw new CeremonyError('E_IO', 'no space');
      return Promise.resolve();
    });
    const one = urSender(bytes(100), 200).part(1);
    await expect(receiver.take(one)).rejects.toMatchObject({ code: 'E_IO' });
    fails = false;
    expect((await receiver.take(one)).accepted).toBe(1);
  });
});
