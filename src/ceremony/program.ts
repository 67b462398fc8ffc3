/** Which program this is: the digest of its own files, for the transcript and for plans that pin it. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** This file as it runs: a chunk (.cjs) of the build, a source (.ts), or the one file that holds everything (`npm run bundle`). */
const OWN = fileURLToPath(import.meta.url);
const CHUNKED = /\.(?:cjs|ts)$/.test(OWN);

/** Where the program lies, as `sha256sum` takes it: the one file, or undefined for a program of several files. Public. */
export function programFile(): string | undefined {
  return CHUNKED ? undefined : OWN;
}

/**
 * SHA-256 of this program, 64 hex digits, public. Of the one file it is the SHA-256 of that file; of a build in several
 * files it covers their names and contents. In a checkout that runs unbuilt (tests) it covers the source folder of this file.
 */
export function programDigest(): string {
  const hash = createHash('sha256');
  if (!CHUNKED) return hash.update(readFileSync(OWN)).digest('hex');
  const dir = dirname(OWN);
  for (const name of readdirSync(dir).sort()) {
    if (extname(name) !== extname(OWN)) continue;
    const bytes = readFileSync(join(dir, name));
    hash.update(`${name}\0${String(bytes.length)}\0`).update(bytes);
  }
  return hash.digest('hex');
}

/** The file that a worker of the crew begins with; the one file learns from the first argument of a worker what it is. */
export function workerFile(): URL {
  return CHUNKED ? new URL('./crew-worker.cjs', import.meta.url) : new URL(import.meta.url);
}
