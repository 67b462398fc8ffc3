/** Files that are derived: put back where they are missing or damaged, and never read. */
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parsePlanFile } from '../../src/plan/plan-file.ts';
import { sessionId } from '../../src/plan/plan.ts';
import { toHex, utf8 } from '../../src/wire/bytes.ts';
import { type Run, Table } from '../support/harness.ts';

const ALL = ['alice', 'bob', 'carol'];
let table: Table;
let run: Run;
beforeAll(async () => {
  table = await Table.open(ALL);
  run = await table.dkg({ quorum: '2-of(alice, bob, carol)', honest: ALL });
});
afterAll(() => {
  table.close();
});

const text = (path: string, label = 'alice'): string => Buffer.from(run.file(label, path) ?? new Uint8Array(0)).toString();
const sums = (label: string): Map<string, string> => new Map(text('SHA256SUMS', label).trimEnd().split('\n').map((l) => [l.slice(66), l.slice(0, 64)]));

it('from the first step on: plan, script and recipe; sums only when the ceremony is complete', async () => {
  const plan = text('PLAN.yaml');
  for (const [path, start] of [['SCRIPT.html', '<!doctype html>'], ['VERIFY.txt', '#!/usr/bin/env bash']] as const) {
    const there = text(path);
    expect(there.startsWith(start)).toBe(true);
    rmSync(join(run.folder('alice'), path));
    await run.next('alice');
    expect(text(path)).toBe(there);
    writeFileSync(join(run.folder('alice'), path), 'damaged');
    await run.next('alice');
    expect(text(path)).toBe(there);
  }
  rmSync(join(run.folder('alice'), 'PLAN.yaml'));
  await run.next('alice');
  expect(text('PLAN.yaml')).toBe(plan);
  expect(run.files('alice')).not.toContain('SHA256SUMS');
});

it('everybody derives the same', async () => {
  const forAlice = ['SCRIPT.html', 'VERIFY.txt'].map((path) => text(path));
  for (const path of ['SCRIPT.html', 'VERIFY.txt']) rmSync(join(run.folder('bob'), path), { force: true });
  await run.next('bob');
  expect(['SCRIPT.html', 'VERIFY.txt'].map((path) => text(path, 'bob'))).toEqual(forAlice);
});

it('the plan file goes back byte for byte as it was joined, also where it was written in another way', async () => {
  const joined = text('PLAN.yaml', 'carol');
  const other = joined.replace(/^# .*\n/, '').replace('attempt: 1', 'attempt:   1');
  const [a, b] = await Promise.all([joined, other].map((t) => parsePlanFile(utf8(t), 'x')));
  expect(a && toHex(sessionId(a))).toBe(b && toHex(sessionId(b)));
  writeFileSync(join(run.folder('carol'), 'PLAN.yaml'), other);
  // carol has not joined: this layout is hers
  await run.next('carol');
  expect(text('PLAN.yaml', 'carol')).toBe(other);
  writeFileSync(join(run.folder('carol'), 'PLAN.yaml'), joined);
  await run.next('carol');
  expect([run.last.get('carol')?.error, text('PLAN.yaml', 'carol')]).toEqual([undefined, other]);
  await run.next('carol');
  expect(run.last.get('carol')?.error).toBeUndefined();
  // the journal names the bytes
  const open = run.store('carol')?.journal[0]?.payload;
  expect(open?.subject).toEqual({ bytes: Buffer.byteLength(other), sha256: createHash('sha256').update(other).digest('hex') });
});

it('SHA256SUMS names every other file of the folder, in order, as sha256sum reads it', async () => {
  await run.settle();
  for (const label of ALL) expect([label, run.code(label)]).toEqual([label, 'DONE']);
  mkdirSync(join(run.folder('alice'), 'evidence'), { recursive: true });
  writeFileSync(join(run.folder('alice'), 'evidence', 'photo.jpg'), 'x');
  writeFileSync(join(run.folder('alice'), 'REPORT.html'), 'x');
  await run.next('alice');
  const listed = [...sums('alice').keys()];
  expect(listed).toEqual(run.files('alice').filter((f) => !['SCRIPT.html', 'VERIFY.txt', 'REPORT.html', 'SHA256SUMS'].includes(f)).sort());
  expect(listed).toContain('evidence/photo.jpg');
  for (const [path, hash] of sums('alice')) expect([path, createHash('sha256').update(run.file('alice', path) ?? '').digest('hex')]).toEqual([path, hash]);
  expect(text('SHA256SUMS')).toMatch(/^(?:[0-9a-f]{64} {2}[^\n]+\n)+$/);
});
