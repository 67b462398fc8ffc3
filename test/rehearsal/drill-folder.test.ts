/** The evidence of a drill, and somebody who changes it. */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { keptFolders, pathsBelow, verifyDrill, writeDrill } from '../../src/rehearsal/drill-folder.ts';
import { contradiction, type DrillRecord, drillReport, encodeDrill, parseDrill } from '../../src/rehearsal/drill-report.ts';
import { realDisk } from '../../src/vault/durable.ts';
import { toHex, utf8 } from '../../src/wire/bytes.ts';
import { signerFromSeed } from '../../src/wire/ed25519.ts';
import { refusal } from './refusal.ts';

const disk = realDisk();
const alice = signerFromSeed(new Uint8Array(32).fill(1));
const mallory = signerFromSeed(new Uint8Array(32).fill(2));
const dirs: string[] = [];
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
});

const lab: DrillRecord = {
  v: 1,
  type: 'mpc-ceremony/drill',
  scenario: 'lost-stick',
  title: 'a stick is lost between two rounds',
  mode: 'lab',
  key: { name: 'treasury', scheme: 'frost-ed25519', quorum: '2-of(alice, bob, carol)' },
  people: ['alice', 'bob', 'carol'],
  began: '2026-03-01T12:00:00Z',
  ended: '2026-03-01T12:10:00Z',
  milliseconds: 599_999,
  preparation: 1000,
  steps: [{ no: 1, who: ['alice'], does: 'goes on', command: 'mpc-ceremony next refresh', milliseconds: 1200, exits: [21], code: 'E_SIGNATURE', outcome: 'as-expected', expected: 'exit 21' }],
  faults: [{ id: 'stick-lost', what: 'the stick is lost', noticed: { by: 'carol', exit: 74, code: 'E_IO', text: 'there is no folder' }, asExpected: true }],
  exceptions: [],
  failures: [],
  result: 'pass',
  due: '2027-03-01T12:10:00Z',
  program: { name: 'mpc-ceremony 0.1.0', digest: 'ab'.repeat(32) },
  folders: [],
};
const room = (): DrillRecord => ({ ...lab, mode: 'staging', place: 'Bern, room 2', signer: { name: 'alice', identity: toHex(alice.publicKey) } });

/** A folder with one kept ceremony folder. */
function folder(record: DrillRecord, signer?: typeof alice): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'drill-folder-')));
  dirs.push(dir);
  mkdirSync(join(dir, 'folders', 'alice', 'refresh', 'round-1'), { recursive: true });
  writeFileSync(join(dir, 'folders', 'alice', 'refresh', 'PLAN.yaml'), 'plan: 1\n');
  writeFileSync(join(dir, 'folders', 'alice', 'refresh', 'round-1', 'alice.blob'), 'blob');
  writeFileSync(join(dir, 'log.txt'), 'log\n');
  writeDrill(disk, dir, { ...record, folders: keptFolders(disk, dir) }, signer);
  return dir;
}
const verdict = (dir: string, identity?: string): string => verifyDrill(disk, dir, identity).report.verdict;
const faults = (dir: string, identity?: string): string[] => [...new Set(verifyDrill(disk, dir, identity).report.checks.filter((c) => c.verdict !== 'ok').map((c) => c.name))];
/** What somebody without the signer's key can repair: the sums. */
function repairSums(dir: string): void {
  const lines = pathsBelow(dir).filter((p) => p !== 'SHA256SUMS' && p !== 'SIGNATURE.json').map((p) => `${createHash('sha256').update(readFileSync(join(dir, p))).digest('hex')}  ${p}\n`);
  writeFileSync(join(dir, 'SHA256SUMS'), lines.join(''));
}
const flip = (file: string): void => {
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
  writeFileSync(file, bytes);
};

describe('a whole folder verifies', () => {
  it('of the lab', () => {
    expect(verdict(folder(lab))).toBe('ok');
  });
  it('of the room, by anybody, and with the card of its signer', () => {
    const dir = folder(room(), alice);
    expect([verdict(dir), verdict(dir, toHex(alice.publicKey))]).toEqual(['ok', 'ok']);
  });
  it('is the same for the same drill, byte for byte', () => {
    const [a, b] = [folder(room(), alice), folder(room(), alice)];
    for (const p of pathsBelow(a)) expect(readFileSync(join(a, p)).equals(readFileSync(join(b, p))), p).toBe(true);
  });
});

describe('one byte', () => {
  it.each(['drill.json', 'REPORT.md', 'SHA256SUMS', 'log.txt', 'folders/alice/refresh/PLAN.yaml', 'folders/alice/refresh/round-1/alice.blob'])('of %s is noticed', (path) => {
    for (const dir of [folder(lab), folder(room(), alice)]) {
      flip(join(dir, path));
      expect(verdict(dir)).not.toBe('ok');
    }
  });
  it('of the signature is noticed', () => {
    const dir = folder(room(), alice);
    const file = join(dir, 'SIGNATURE.json');
    const json = readFileSync(file, 'utf8');
    writeFileSync(file, json.replace(/"signature":"(.)/, (_all, c: string) => `"signature":"${c === '0' ? '1' : '0'}`));
    expect(faults(dir)).toEqual(['signature']);
  });
});

describe('somebody who repairs the sums', () => {
  it('cannot change the report', () => {
    const dir = folder(lab);
    writeFileSync(join(dir, 'REPORT.md'), readFileSync(join(dir, 'REPORT.md'), 'utf8').replace('noticed by carol', 'noticed by nobody'));
    repairSums(dir);
    expect(faults(dir)).toEqual(['report']);
  });
  it('cannot change a kept message', () => {
    const dir = folder(lab);
    flip(join(dir, 'folders/alice/refresh/round-1/alice.blob'));
    repairSums(dir);
    expect(faults(dir)).toEqual(['folders']);
  });
  it('cannot rewrite a signed record and everything that follows from it', () => {
    const dir = folder(room(), alice);
    const record: DrillRecord = { ...parseDrill(readFileSync(join(dir, 'drill.json')), 'x'), place: 'Basel' };
    writeFileSync(join(dir, 'drill.json'), encodeDrill(record));
    writeFileSync(join(dir, 'REPORT.md'), drillReport(record));
    repairSums(dir);
    expect(faults(dir)).toEqual(['signature']);
  });
  it('cannot sign it in the name of another', () => {
    const record = { ...room(), place: 'Basel' };
    expect(faults(folder(record, mallory))).toEqual(['signature']);
    // with the own identity in the record it is a record of somebody else, as the card shows
    const own = folder({ ...record, signer: { name: 'alice', identity: toHex(mallory.publicKey) } }, mallory);
    expect(faults(own)).toEqual([]);
    expect(faults(own, toHex(alice.publicKey))).toEqual(['signature']);
  });
  it('cannot put a signature of another record in its place', () => {
    const dir = folder({ ...room(), place: 'Basel' }, alice);
    writeFileSync(join(dir, 'SIGNATURE.json'), readFileSync(join(folder(room(), alice), 'SIGNATURE.json')));
    expect(faults(dir)).toEqual(['signature']);
  });
});

describe('more and less', () => {
  it('a file more is wrong, one less cannot be told', () => {
    const dir = folder(lab);
    writeFileSync(join(dir, 'more.txt'), '');
    expect(verdict(dir)).toBe('wrong');
    rmSync(join(dir, 'more.txt'));
    rmSync(join(dir, 'log.txt'));
    expect(verdict(dir)).toBe('cannot-tell');
  });
  it.each(['drill.json', 'REPORT.md', 'SHA256SUMS', 'SIGNATURE.json'])('%s missing is never ok', (path) => {
    const dir = folder(room(), alice);
    rmSync(join(dir, path));
    expect(verdict(dir)).toBe('cannot-tell');
  });
  it('a line that is no sum', () => {
    const dir = folder(lab);
    writeFileSync(join(dir, 'SHA256SUMS'), '../../etc/passwd\n');
    expect(faults(dir)).toEqual(['sums']);
  });
  it('a lab drill with a signature, and one that should be of somebody', () => {
    const dir = folder(lab);
    expect(faults(dir, toHex(alice.publicKey))).toEqual(['signature']);
    writeFileSync(join(dir, 'SIGNATURE.json'), readFileSync(join(folder(room(), alice), 'SIGNATURE.json')));
    expect(faults(dir)).toEqual(['signature']);
  });
});

describe('a record', () => {
  const noted = lab.faults[0] as DrillRecord['faults'][number];
  const { noticed: _noticed, ...unnoticed } = noted;
  it.each<[string, Partial<DrillRecord>]>([
    ['passes though a fault went unnoticed', { faults: [{ ...unnoticed, asExpected: false }] }],
    ['passes though something failed', { failures: ['x'] }],
    ['passes though a step failed', { steps: [{ no: 1, who: ['alice'], does: 'x', outcome: 'failure' }] }],
    ['passes without exceptions though there is one', { exceptions: ['x'] }],
    ['passes without exceptions though a fault was noticed otherwise', { faults: [{ ...noted, asExpected: false }] }],
    ['passes with exceptions and names none', { result: 'pass-with-exceptions' }],
    ['fails and does not say why', { result: 'fail' }],
    ['is of people and unsigned', { mode: 'window' }],
    ['is of the lab and signed', { signer: { name: 'alice', identity: '00'.repeat(32) } }],
    ['ended before it began', { ended: '2026-03-01T11:00:00Z' }],
    ['is due before it ended', { due: '2026-03-01T12:00:00Z' }],
  ])('that %s is none', (_what, change) => {
    const record = { ...lab, ...change };
    expect(contradiction(record)).toEqual(expect.any(String));
    expect(refusal(() => parseDrill(encodeDrill(record), 'drill.json'))).toMatchObject({ code: 'E_FORMAT' });
  });
  it('may fail with all of these', () => {
    expect(contradiction({ ...lab, result: 'fail', failures: ['x'], exceptions: ['y'], faults: [{ ...unnoticed, asExpected: false }] })).toBeUndefined();
  });
  it('holds nothing else', () => {
    const more = { ...lab, secret: 'x' };
    expect(refusal(() => encodeDrill(more))).toMatchObject({ code: 'E_USAGE', facts: { field: 'secret' } });
    expect(refusal(() => encodeDrill({ ...lab, place: 'a\u202eb' }))).toMatchObject({ code: 'E_USAGE', facts: { field: 'place' } });
    expect(refusal(() => parseDrill(utf8(JSON.stringify(lab, null, 1)), 'f'))).toMatchObject({ code: 'E_CANON', facts: { file: 'f' } });
  });
  it('is told within 80 columns', () => {
    const long = 'word '.repeat(60).trim();
    const report = drillReport({ ...room(), people: [long], exceptions: [long], failures: [long], faults: [noted, { ...unnoticed, what: long, asExpected: false }], steps: [{ no: 1, who: ['alice', 'bob'], does: long, command: long, outcome: 'failure', expected: long, observed: long }] });
    for (const line of report.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(report).toContain('NOT NOTICED');
  });
});
