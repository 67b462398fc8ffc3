/**
 * transport/: ways to move a blob. The folder carrier reads whatever lies in a ceremony folder (a stick, a share, an
 * archive) and recognises it by content, never by name; and writes this participant's own files into it. Nothing secret
 * passes through here, and nothing that is read here is believed: it is only sorted.
 */
import { dirname, join } from 'node:path';
import type { Disk } from '../vault/durable.ts';
import { blobHint, type BlobHint, MAX_BLOB_BYTES } from '../wire/blob.ts';
import { equalBytes } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';

/** Largest file that is read when looking for messages and records. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** A file that may be a message. */
export interface FoundBlob {
  readonly file: string;
  readonly bytes: Uint8Array;
  /** Undefined when the bytes cannot be a blob, though the name says so. */
  readonly hint: BlobHint | undefined;
}

/** What lies in a folder, sorted by what it looks like. */
export interface FolderContents {
  readonly blobs: readonly FoundBlob[];
  /** Files that look like transcript chains. */
  readonly chains: readonly { readonly file: string; readonly bytes: Uint8Array }[];
  /** Files that look like certificates. */
  readonly certificates: readonly { readonly file: string; readonly bytes: Uint8Array }[];
  /** Files that may be evidence, which holds messages. */
  readonly evidence: readonly { readonly file: string; readonly bytes: Uint8Array }[];
  /** Files that could not be read. */
  readonly problems: readonly CeremonyError[];
}

// written for people and for later; never read back
const DERIVED = new Set(['PLAN.yaml', 'SCRIPT.html', 'REPORT.html', 'VERIFY.txt', 'SHA256SUMS', 'signature.bin', 'signature.json', 'message.bin', 'intent.json']);
const FOLDERS_TO_SKIP = new Set(['cards', 'base', 'destroyed']);
/** Memory for one look at a folder; whoever fills it with more only delays. */
const MAX_TOTAL_BYTES = 1024 * 1024 * 1024;

/**
 * Reads a ceremony folder, two levels deep.
 * @throws E_IO when the folder cannot be listed
 */
export function scanFolder(disk: Disk, root: string): FolderContents {
  if (!disk.exists(root)) fail('E_IO', `there is no folder ${root}`, { file: root, remedy: 'Insert the stick, or give the right folder.' });
  const blobs: FoundBlob[] = [];
  const chains: { file: string; bytes: Uint8Array }[] = [];
  const certificates: { file: string; bytes: Uint8Array }[] = [];
  const evidence: { file: string; bytes: Uint8Array }[] = [];
  const problems: CeremonyError[] = [];
  let total = 0;
  const look = (file: string): void => {
    let bytes: Uint8Array | undefined;
    try {
      bytes = disk.read(file, file.endsWith('.jsonl') ? 4 * MAX_FILE_BYTES : MAX_FILE_BYTES);
    } catch (e) {
      if (!(e instanceof CeremonyError)) throw e;
      problems.push(e.with({ file }));
      return;
    }
    if (!bytes) return;
    total += bytes.length;
    if (total > MAX_TOTAL_BYTES) fail('E_TOO_LARGE', `the files in ${root} are larger together than any honest ceremony`, { file, remedy: 'Take away what does not belong there; the messages themselves are small.' });
    if (bytes[0] === 0x7b) {
      const start = Buffer.from(bytes.subarray(0, 12)).toString('latin1');
      if (start === '{"confirms":') certificates.push({ file, bytes });
      else if (start.startsWith('{"code":"E_')) evidence.push({ file, bytes });
      else if (file.endsWith('.jsonl') || start === '{"payload":"') chains.push({ file, bytes });
      return;
    }
    const hint = bytes.length > MAX_BLOB_BYTES ? undefined : blobHint(bytes);
    if (hint !== undefined || file.endsWith('.blob')) blobs.push({ file, bytes, hint });
    else if (file.endsWith('.jsonl')) chains.push({ file, bytes });
  };
  for (const name of disk.list(root)) if (!DERIVED.has(name)) look(join(root, name));
  for (const dir of disk.dirs(root)) {
    if (FOLDERS_TO_SKIP.has(dir)) continue;
    for (const name of disk.list(join(root, dir))) look(join(root, dir, name));
  }
  return { blobs, chains, certificates, evidence, problems };
}

/**
 * Writes one of this participant's own files, if it is missing, older or damaged, and reads it back.
 * @param derived nothing is lost with it: when it is there, nobody waits for the medium
 * @returns whether it had to be written
 */
export function release(disk: Disk, root: string, path: string, bytes: Uint8Array, derived = false): boolean {
  const file = join(root, path);
  const there = holds(disk, file, bytes);
  if (there && derived) return false;
  if (!there) {
    disk.makeDir(dirname(file), 0o755);
    // what a crash left half written would travel with the stick for ever
    disk.removeStaleTemps(dirname(file));
  }
  // also when it is there: whoever copied it may not have waited for the medium
  disk.write(file, bytes, { mode: 0o644, verify: true });
  return !there;
}

function holds(disk: Disk, file: string, bytes: Uint8Array): boolean {
  try {
    const there = disk.read(file, bytes.length);
    return there !== undefined && equalBytes(there, bytes);
  } catch (e) {
    // larger, a link or no file at all: writing says what is wrong
    if (e instanceof CeremonyError) return false;
    throw e;
  }
}
