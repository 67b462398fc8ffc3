/** Which program this is: the digest of its own files, for the transcript. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * SHA-256 over the names and contents of the program's own files, hex. In a checkout that runs unbuilt (tests) it covers
 * the source folder of this file.
 */
export function programDigest(): string {
  const dir = dirname(fileURLToPath(import.meta.url));
  const hash = createHash('sha256');
  for (const name of readdirSync(dir).sort()) {
    if (!/\.(?:js|cjs|mjs|ts)$/.test(name)) continue;
    const bytes = readFileSync(join(dir, name));
    hash.update(`${name}\0${String(bytes.length)}\0`).update(bytes);
  }
  return hash.digest('hex');
}
