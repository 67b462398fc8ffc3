/**
 * Files of the ceremony folder that are written for people and for later, and never read back. What follows from the
 * plan is made when this participant joins and kept in its home, so that a `next` which only waits loads nothing for it.
 */
import { join } from 'node:path';
import type { Plan } from '../plan/plan.ts';
import type { Disk } from '../vault/durable.ts';
import { toHex, utf8 } from '../wire/bytes.ts';
import { CeremonyError } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import type { FolderFile } from './driver.ts';
import type { CeremonyStore } from './store.ts';

const FROM_PLAN = ['PLAN.yaml', 'SCRIPT.html', 'VERIFY.txt'];
const SUMS = 'SHA256SUMS';
/** Without a place in SHA256SUMS: what is derived may be made again at any time. */
const NOT_SUMMED = new Set(['SCRIPT.html', 'VERIFY.txt', 'REPORT.html', SUMS]);
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * The files that follow from a plan, by their names in the home and in the folder.
 * @param planFile the plan file as it was joined: it is put back byte for byte where it is missing
 */
export async function deriveFiles(plan: Plan, planFile: Uint8Array): Promise<FolderFile[]> {
  const [{ roomScript }, { scriptFacts }, { verifyScript }] = await Promise.all([
    import('./room-script.ts'),
    import('./script-facts.ts'),
    import('../transcript/verify-script.ts'),
  ]);
  return [
    { path: 'PLAN.yaml', bytes: planFile },
    { path: 'SCRIPT.html', bytes: utf8(roomScript(scriptFacts(plan))) },
    { path: 'VERIFY.txt', bytes: utf8(verifyScript(plan)) },
  ];
}

/** The files of {@link deriveFiles} as this home keeps them. */
export function derivedFiles(store: CeremonyStore): FolderFile[] {
  return FROM_PLAN.flatMap((path) => {
    const bytes = store.home.disk.read(join(store.dir, path), MAX_BYTES);
    return bytes ? [{ path, bytes }] : [];
  });
}

/** SHA256SUMS: every file of the folder that is not derived, as `sha256sum --check` reads it, ordered by path. */
export function sumsFile(disk: Disk, folder: string): FolderFile {
  const paths = disk.list(folder).filter((name) => !NOT_SUMMED.has(name));
  for (const dir of disk.dirs(folder)) paths.push(...disk.list(join(folder, dir)).map((name) => `${dir}/${name}`));
  const lines = paths.sort().flatMap((path) => {
    // sha256sum writes such names in another way
    if (/[\\\n\r]/.test(path)) return [];
    const bytes = readIfPossible(disk, join(folder, path));
    return bytes ? [`${toHex(sha256(bytes))}  ${path}\n`] : [];
  });
  return { path: SUMS, bytes: utf8(lines.join('')) };
}

/** A foreign file that cannot be read is none of this record's. */
function readIfPossible(disk: Disk, file: string): Uint8Array | undefined {
  try {
    return disk.read(file, MAX_BYTES);
  } catch (e) {
    if (e instanceof CeremonyError) return undefined;
    throw e;
  }
}
