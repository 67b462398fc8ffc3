/** Backups at a table, homes that recover, and what must be true of a home before and after. */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type ExportRequest, exportBackup } from '../../src/ceremony/backup-export.ts';
import { type Home, openHome } from '../../src/ceremony/home.ts';
import { type Identity, openIdentity } from '../../src/ceremony/identity.ts';
import { activeEpoch, loadShare, requireKey, requireSigning, sharePath } from '../../src/ceremony/key-store.ts';
import type { Port } from '../../src/ceremony/port.ts';
import { realDisk } from '../../src/vault/durable.ts';
import { Secret } from '../../src/vault/secret.ts';
import { toHex, utf8 } from '../../src/wire/bytes.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { Scanner } from '../e2e/scanner.ts';
import { PASSPHRASE, random, type Table } from './harness.ts';

/** Code of what a command throws, or `ok`. */
export async function codeOf(work: () => Promise<unknown>): Promise<string> {
  return (await errorOf(work))?.code ?? 'ok';
}

export async function errorOf(work: () => Promise<unknown>): Promise<CeremonyError | undefined> {
  try {
    await work();
    return undefined;
  } catch (e) {
    if (e instanceof CeremonyError) return e;
    throw e;
  }
}

/** A backup of somebody's share in a fresh folder. @returns the folder */
export async function backUp(table: Table, label: string, folder: string, request: Partial<ExportRequest>): Promise<string> {
  const { home, port } = table.party(label);
  const out = join(table.root, 'backups', folder);
  mkdirSync(join(table.root, 'backups'), { recursive: true });
  await exportBackup(home, { key: 'treasury', to: [], out, program: 'test', ...request }, port);
  return out;
}

export const card = (table: Table, label: string): string => join(table.party(label).home.root, 'identity', `${table.party(label).name}.card`);

/** Encoded share of a home, in hex. */
export function shareIn(table: Table, label: string): string {
  const { home, identity } = table.party(label);
  return toHex(loadShare(identity.vault, requireKey(home, 'treasury')));
}

/** The home has nothing of the key. */
export function expectNothing(home: Home): void {
  expect(activeEpoch(home, 'treasury')).toBeUndefined();
  expect(readdirSync(join(home.root, 'keys'))).toEqual([]);
  expect(existsSync(join(home.root, 'recovered.json'))).toBe(false);
}

/** The home has the share, whole, and cannot sign with it. */
export function expectRestored(table: Table, label: string, share: string): void {
  const { home } = table.party(label);
  expect(shareIn(table, label)).toBe(share);
  let code = 'ok';
  try {
    requireSigning(home, requireKey(home, 'treasury'));
  } catch (e) {
    code = (e as CeremonyError).code;
  }
  expect(code).toBe('E_RESTORED');
}

/** No byte of any of these secrets lies in clear in a folder. */
export function expectClean(dir: string, secrets: ReadonlyMap<string, string>): void {
  const scanner = new Scanner(new Map([...secrets].map(([name, hex]) => [name, new Uint8Array(Buffer.from(hex, 'hex'))])));
  const entries = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((e) => e.isFile());
  expect(entries.length).toBeGreaterThan(0);
  for (const e of entries) expect([e.name, scanner.find(readFileSync(join(e.parentPath, e.name)))]).toEqual([e.name, []]);
}

export class Crash extends Error {}

/** The same home on a disk that ends the process, as it were, after its n-th change. */
export async function crashing(table: Table, label: string, at: number): Promise<{ home: Home; port: Port; identity: Identity }> {
  let count = 0;
  const disk = realDisk({
    onWrite: () => {
      count += 1;
      if (count === at) throw new Crash(String(at));
    },
  });
  const party = table.party(label);
  const home = openHome(disk, party.home.root);
  const identity = await openIdentity(home, new Secret(utf8(PASSPHRASE)), random);
  return { home, identity, port: { ...party.port, disk, unlock: () => Promise.resolve(identity) } };
}

/** Runs a command with a crash after its 1st, 2nd, … change until it runs through. @returns the number of crashes */
export async function crashEverywhere(table: Table, label: string, command: (home: Home, port: Port) => Promise<unknown>, after: (at: number) => Promise<void>): Promise<number> {
  for (let at = 1; at < 60; at++) {
    const { home, port } = await crashing(table, label, at);
    try {
      await command(home, port);
      return at - 1;
    } catch (e) {
      if (!(e instanceof Crash) && !(e instanceof CeremonyError && e.facts.cause instanceof Crash)) throw e;
    }
    await after(at);
  }
  throw new Error('never runs through');
}

export const hasShare = (home: Home, epoch = 1): boolean => home.disk.exists(join(home.root, sharePath('treasury', epoch)));
