/** The folder that a drill leaves: drill.json, REPORT.md, the kept ceremony folders, SHA256SUMS, and in the room a signature. Public. */
import { join } from 'node:path';
import { lstatSync, readdirSync } from 'node:fs';
import * as v from 'valibot';
import { explainIssues, hex, nameOf } from '../plan/fields.ts';
import { Report } from '../transcript/report.ts';
import type { Disk } from '../vault/durable.ts';
import { fromHex, toHex, utf8 } from '../wire/bytes.ts';
import { canonicalBytes, parseCanonical } from '../wire/canon.ts';
import { type Signer, verifyEd25519 } from '../wire/ed25519.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { sha256, taggedHash } from '../wire/hash.ts';
import { type DrillRecord, drillReport, encodeDrill, MAX_DRILL_BYTES, parseDrill } from './drill-report.ts';

export const DRILL_FILE = 'drill.json';
export const REPORT_FILE = 'REPORT.md';
export const SUMS_FILE = 'SHA256SUMS';
export const SIGNATURE_FILE = 'SIGNATURE.json';
/** Where the kept ceremony folders lie. */
export const FOLDERS = 'folders';

const MAX_FILE_BYTES = 1 << 26;
const MAX_FILES = 20_000;

const SignatureSchema = v.strictObject({
  v: v.literal(1),
  type: v.literal('mpc-ceremony/drill-signature'),
  signer: nameOf('participant'),
  identity: hex(32),
  /** SHA-256 of SHA256SUMS. */
  sums: hex(32),
  signature: hex(64),
});

/** What is signed, 32 bytes: who signs, and the sums of all files. */
function signedMessage(fields: Omit<v.InferOutput<typeof SignatureSchema>, 'signature'>): Uint8Array {
  return taggedHash('drill/v1', canonicalBytes(fields));
}

/** Paths of all regular files below a folder, sorted, with forward slashes. @throws E_IO for links and more files than a drill has */
export function pathsBelow(dir: string): string[] {
  const found: string[] = [];
  const walk = (at: string): void => {
    for (const name of readdirSync(join(dir, at)).sort()) {
      const path = at === '' ? name : `${at}/${name}`;
      const stat = lstatSync(join(dir, path));
      if (stat.isDirectory()) walk(path);
      else if (stat.isFile()) found.push(path);
      else fail('E_IO', `${path} is neither a file nor a folder`, { file: join(dir, path) });
      if (found.length > MAX_FILES) fail('E_TOO_LARGE', `more than ${String(MAX_FILES)} files`, { file: dir });
    }
  };
  walk('');
  return found.sort();
}

function digestOf(disk: Disk, file: string): string {
  return toHex(sha256(disk.read(file, MAX_FILE_BYTES) ?? fail('E_MISSING', 'the file has gone', { file })));
}

const sumLine = (digest: string, path: string): string => `${digest}  ${path}\n`;

/** Facts of a kept folder: number of files, and a digest over names and contents. @param path relative to `dir` */
export function folderFacts(disk: Disk, dir: string, path: string): DrillRecord['folders'][number] {
  const files = pathsBelow(join(dir, path));
  const sums = files.map((f) => sumLine(digestOf(disk, join(dir, path, f)), f));
  return { path, files: files.length, sha256: toHex(sha256(utf8(sums.join('')))) };
}

/** All kept ceremony folders below `folders/`, two levels down: whose copy, and which ceremony. */
export function keptFolders(disk: Disk, dir: string): DrillRecord['folders'] {
  return disk.dirs(join(dir, FOLDERS)).flatMap((owner) => disk.dirs(join(dir, FOLDERS, owner)).map((ceremony) => folderFacts(disk, dir, `${FOLDERS}/${owner}/${ceremony}`)));
}

/**
 * Writes drill.json, REPORT.md, SHA256SUMS over everything in the folder, and with a signer SIGNATURE.json.
 * @throws E_USAGE for a text that cannot stand in a record, E_IO
 */
export function writeDrill(disk: Disk, dir: string, record: DrillRecord, signer?: Signer): void {
  disk.write(join(dir, DRILL_FILE), encodeDrill(record), { mode: 0o644, verify: true });
  disk.write(join(dir, REPORT_FILE), utf8(drillReport(record)), { mode: 0o644, verify: true });
  const sums = utf8(pathsBelow(dir).filter((p) => p !== SUMS_FILE && p !== SIGNATURE_FILE).map((p) => sumLine(digestOf(disk, join(dir, p)), p)).join(''));
  disk.write(join(dir, SUMS_FILE), sums, { mode: 0o644, verify: true });
  if (!signer || !record.signer) return;
  const fields = { v: 1, type: 'mpc-ceremony/drill-signature', signer: record.signer.name, identity: toHex(signer.publicKey), sums: toHex(sha256(sums)) } as const;
  disk.write(join(dir, SIGNATURE_FILE), canonicalBytes({ ...fields, signature: toHex(signer.sign(signedMessage(fields))) }), { mode: 0o644, verify: true });
}

/**
 * Verifies the folder of a drill: form and sums of everything, that the report says what the record says, that the kept
 * folders are those of the record, and the signature. Needs no home. What cannot be read is told, not thrown.
 * @param identity key of whoever should have signed it, hex; without it, any signer's signature is taken for its own word
 */
export function verifyDrill(disk: Disk, dir: string, identity?: string): { readonly report: Report; readonly record: DrillRecord | undefined } {
  const report = new Report();
  const attempt = <T>(name: string, work: () => T): T | undefined => {
    try {
      return work();
    } catch (e) {
      if (!(e instanceof CeremonyError)) throw e;
      const place = e.facts.file;
      if (e.code === 'E_MISSING') report.cannotTell(name, e.message, { code: e.code, place });
      else report.wrong(name, e.message, { code: e.code, place });
      return undefined;
    }
  };
  const read = (name: string, max: number): Uint8Array => disk.read(join(dir, name), max) ?? fail('E_MISSING', `${name} is missing`, { file: join(dir, name) });
  const record = attempt('record', () => parseDrill(read(DRILL_FILE, MAX_DRILL_BYTES), join(dir, DRILL_FILE)));
  if (record) report.ok('record', `${record.scenario}, ${record.mode}: ${record.result}`);
  attempt('sums', () => {
    checkSums(disk, dir, read(SUMS_FILE, 1 << 23), report);
  });
  if (record) {
    attempt('report', () => {
      const same = toHex(sha256(read(REPORT_FILE, MAX_DRILL_BYTES))) === toHex(sha256(utf8(drillReport(record))));
      if (same) report.ok('report', 'REPORT.md says what drill.json says');
      else report.wrong('report', 'REPORT.md is not what follows from drill.json', { code: 'E_FORMAT', place: REPORT_FILE });
    });
    attempt('folders', () => {
      const kept = JSON.stringify(keptFolders(disk, dir));
      if (kept === JSON.stringify(record.folders)) report.ok('folders', `${String(record.folders.length)} kept ceremony folders, as recorded`);
      else report.wrong('folders', 'the kept ceremony folders are not those of the record', { code: 'E_FORMAT', place: FOLDERS });
    });
    attempt('signature', () => {
      checkSignature(record, { sums: read(SUMS_FILE, 1 << 23), signature: disk.read(join(dir, SIGNATURE_FILE), 4096) }, identity, report);
    });
  }
  return { report, record };
}

function checkSums(disk: Disk, dir: string, sums: Uint8Array, report: Report): void {
  const listed = new Map<string, string>();
  for (const text of Buffer.from(sums).toString('utf8').split('\n').slice(0, -1)) {
    const match = /^([0-9a-f]{64}) {2}(\S.*)$/.exec(text);
    if (!match?.[1] || !match[2]) return report.wrong('sums', 'SHA256SUMS has a line that is no sum', { code: 'E_FORMAT', place: SUMS_FILE });
    listed.set(match[2], match[1]);
  }
  const there = pathsBelow(dir).filter((p) => p !== SUMS_FILE && p !== SIGNATURE_FILE);
  for (const path of there) {
    const sum = listed.get(path);
    if (sum === undefined) report.wrong('sums', 'the file is not listed in SHA256SUMS', { code: 'E_FORMAT', place: path });
    else if (sum !== digestOf(disk, join(dir, path))) report.wrong('sums', 'the file is not the one that was recorded', { code: 'E_FORMAT', place: path });
  }
  const missing = [...listed.keys()].filter((p) => !there.includes(p));
  for (const path of missing) report.cannotTell('sums', 'the file is missing', { code: 'E_MISSING', place: path });
  if (report.checks.every((c) => c.name !== 'sums')) report.ok('sums', `${String(there.length)} files are as recorded`);
}

function checkSignature(record: DrillRecord, files: { readonly sums: Uint8Array; readonly signature: Uint8Array | undefined }, identity: string | undefined, report: Report): void {
  const wrong = (text: string): void => {
    report.wrong('signature', text, { code: 'E_SIGNATURE', place: SIGNATURE_FILE });
  };
  const { signer } = record;
  if (!signer) {
    if (files.signature) return wrong('a lab drill has no signature');
    if (identity !== undefined) return wrong('a lab drill is signed by nobody');
    return report.ok('signature', 'a lab drill: nobody signs it');
  }
  if (!files.signature) return report.cannotTell('signature', 'the signature is missing', { code: 'E_MISSING', place: SIGNATURE_FILE });
  const parsed = v.safeParse(SignatureSchema, parseCanonical(files.signature, 4096));
  if (!parsed.success) {
    const { field, text } = explainIssues(parsed.issues);
    return wrong(`this is not the signature of a drill: ${field}: ${text}`);
  }
  const { signature, ...fields } = parsed.output;
  if (fields.identity !== signer.identity || fields.signer !== signer.name) return wrong('the signature is of somebody else than the record says');
  if (identity !== undefined && identity !== signer.identity) return wrong(`the record is signed by another ${signer.name} than the card says`);
  if (fields.sums !== toHex(sha256(files.sums))) return wrong('the signature is for other sums');
  if (!verifyEd25519(fromHex(fields.identity), signedMessage(fields), fromHex(signature))) return wrong('the signature does not verify');
  report.ok('signature', `signed by ${signer.name}${identity === undefined ? `, whose identity is ${signer.identity.slice(0, 16)}…; compare it with the card` : ', as on the card'}`);
}

