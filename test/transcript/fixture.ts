/** Finished ceremonies for the tests of this folder: real ones, run in this process, as the files of their folder. */
import { walkChain } from '../../src/transcript/chain.ts';
import type { Entry } from '../../src/transcript/entry.ts';
import { makeEntry } from '../../src/transcript/entry.ts';
import type { Check } from '../../src/transcript/report.ts';
import { type Verification, verifyRecord } from '../../src/transcript/verify.ts';
import type { Checkers, Outcome } from '../../src/protocols/crew.ts';
import { ceremonyId, makeBlob, openBlob } from '../../src/wire/blob.ts';
import { toHex } from '../../src/wire/bytes.ts';
import type { Signer } from '../../src/wire/ed25519.ts';
import { rememberingCrew } from '../support/crew.ts';
import { type Run, Table } from '../support/harness.ts';

/** Files of a ceremony folder, by path. */
export type Folder = ReadonlyMap<string, Uint8Array>;

/** Files that are written for people and never read. */
export const DERIVED = ['SCRIPT.html', 'VERIFY.txt', 'SHA256SUMS'];

/** The folder as it is when a careful courier has brought everybody's newest files together. */
export async function folderOf(run: Run): Promise<Map<string, Uint8Array>> {
  // the table's courier also carries stale copies; everybody writes its own files once more
  for (const label of run.honest) await run.next(label);
  const files = new Map<string, Uint8Array>();
  for (const label of [...run.honest, ...run.cheats])
    for (const path of run.files(label)) {
      const owner = /^(?:transcript|round-\d)\/([a-z]+)\.(?:jsonl|blob)$/.exec(path)?.[1];
      if (!files.has(path) || owner === label) files.set(path, run.file(label, path) as Uint8Array);
    }
  return files;
}

/** A table with a finished key generation and a finished signing with its key. */
export interface Fixture {
  readonly table: Table;
  readonly dkg: Run;
  readonly sign: Run;
  readonly dkgFolder: Folder;
  readonly signFolder: Folder;
}

/** Runs a 2-of-3 key generation and a signing by alice and bob. */
export async function finishedCeremonies(options: { readonly scheme?: Parameters<Table['dkg']>[0]['scheme']; readonly stock?: number; readonly quorum?: string; readonly signers?: readonly string[] } = {}): Promise<Fixture> {
  const { scheme, stock = 0, quorum = '2-of(alice, bob, carol)', signers = ['alice', 'bob'] } = options;
  const names = [...new Set([...quorum.matchAll(/[a-z]{3,}/g)].map(([name]) => name))].filter((n) => n !== 'all');
  const table = await Table.open(names);
  const dkg = await table.dkg({ quorum, honest: names, stock, ...(scheme === undefined ? {} : { scheme }) });
  await dkg.settle();
  const sign = await table.sign({ honest: signers });
  await sign.settle();
  for (const run of [dkg, sign])
    for (const name of run.honest) if (run.code(name) !== 'DONE') throw run.error(name);
  return { table, dkg, sign, dkgFolder: await folderOf(dkg), signFolder: await folderOf(sign) };
}

/** Checks what the ceremonies of this process have not checked yet: the proofs of ECDSA take long. */
export const remembering: Checkers = { check: (task, args) => rememberingCrew.run(task, args) as Promise<Outcome<void>[]> };

/** Verifies copies of a folder. */
export function verify(...folders: readonly Folder[]): Promise<Verification> {
  return verifyRecord(folders.map((folder, i) => [...folder].map(([path, bytes]) => ({ file: `copy-${String(i + 1)}/${path}`, bytes }))), remembering);
}

/** The same folder with some files exchanged; undefined takes one away. */
export function withFiles(folder: Folder, files: Readonly<Record<string, Uint8Array | undefined>>): Map<string, Uint8Array> {
  const changed = new Map(folder);
  for (const [path, bytes] of Object.entries(files)) {
    if (bytes) changed.set(path, bytes);
    else changed.delete(path);
  }
  return changed;
}

/** Checks that are not ok, in short. */
export function faults({ checks }: Verification): string[] {
  return checks.filter((c) => c.verdict !== 'ok').map((c) => `${c.verdict} ${c.name}${c.culprit === undefined ? '' : ` [${c.culprit}]`} ${c.code ?? ''}`);
}

/** The first check that is not ok. */
export function firstFault({ checks }: Verification): Check {
  const found = checks.find((c) => c.verdict !== 'ok');
  if (!found) throw new Error('no fault');
  return found;
}

export function bytesOf(folder: Folder, path: string): Uint8Array {
  const bytes = folder.get(path);
  if (!bytes) throw new Error(`no ${path} in ${[...folder.keys()].join(', ')}`);
  return bytes;
}

/** Lines of a text file, without their newlines. */
export function linesOf(bytes: Uint8Array): string[] {
  return Buffer.from(bytes).toString('latin1').split('\n').slice(0, -1);
}
/** A chain file of lines. */
export function chainOf(lines: readonly string[]): Uint8Array {
  return new Uint8Array(Buffer.from(lines.map((l) => `${l}\n`).join(''), 'latin1'));
}

/** Entries of a chain file by its author. */
export function entriesOf(run: Run, author: string, bytes: Uint8Array): Entry[] {
  return [...walkChain(bytes, { author, identity: run.seat(author).identity, ceremony: ceremonyId(run.session.sid) })];
}

/** The author writes its chain again from some entry on, with other facts, and signs it all. */
export function rewritten(run: Run, author: string, bytes: Uint8Array, from: number, change: (entry: Entry) => object): Uint8Array {
  const { signer } = run.table.party(author).identity;
  const entries = entriesOf(run, author, bytes);
  const lines: string[] = [];
  let prev: Entry | undefined;
  for (const entry of entries) {
    if (entry.payload.seq >= from) {
      const payload = { ...entry.payload, ...(prev ? { prev: prev.hash } : {}), ...change(entry) } as Entry['payload'];
      prev = makeEntry(Object.fromEntries(Object.entries(payload).filter(([, v]) => v !== undefined)) as Entry['payload'], signer);
    } else prev = entry;
    lines.push(prev.line);
  }
  return chainOf(lines);
}

/** One line signed by a party with whatever payload text: for what the program itself would never write. */
export function signedLine(signer: Signer, payload: string): string {
  const type = 'application/vnd.mpc-ceremony.entry.v1+json';
  const bytes = Buffer.from(payload, 'latin1');
  const sig = signer.sign(Buffer.concat([Buffer.from(`DSSEv1 ${String(type.length)} ${type} ${String(bytes.length)} `), bytes]));
  const keyid = /"key":"([0-9a-f]{16})"/.exec(payload)?.[1] ?? '0'.repeat(16);
  return `{"payload":"${bytes.toString('base64')}","payloadType":"${type}","signatures":[{"keyid":"${keyid}","sig":"${Buffer.from(sig).toString('base64')}"}]}`;
}

/** The payload text of a line. */
export function payloadOf(line: string): string {
  return Buffer.from((JSON.parse(line) as { payload: string }).payload, 'base64').toString('latin1');
}

export const hexOf = (bytes: Uint8Array): string => toHex(bytes);

/** The sender says something else in the same place, and signs it. */
export function resigned(run: Run, folder: Folder, slot: number, name: string, change: (body: Uint8Array) => Uint8Array): Map<string, Uint8Array> {
  const path = `round-${String(slot)}/${name}.blob`;
  const e = openBlob(bytesOf(folder, path), run.session);
  return withFiles(folder, { [path]: makeBlob(run.session, run.seat(name), slot, e.head, change(e.body), run.table.party(name).identity.signer) });
}

/** The messages alone: what their senders said, without what they recorded of it. */
export function withoutChains(folder: Folder): Map<string, Uint8Array> {
  return new Map([...folder].filter(([path]) => !path.endsWith('.jsonl')));
}
