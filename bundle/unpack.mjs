// Writes the parts of the one file as code to be read: node bundle/unpack.mjs FILE DIR. It runs nothing of the file.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';

/** The parts of a one-file program by name, as code. @param text of the file */
export function partsOf(text) {
  const parts = [...text.matchAll(/^'([\w.-]+)': \(\) => \{\/\*\n([^]*?)\n\*\/\},$/gm)];
  // base64 is one line without a space; code is not
  return new Map(parts.map(([, name, body]) => [name, /^[A-Za-z0-9+/]+=*$/.test(body) ? inflateRawSync(Buffer.from(body, 'base64')).toString() : body]));
}

if (import.meta.filename === process.argv[1]) {
  const [file, dir] = process.argv.slice(2);
  mkdirSync(dir, { recursive: true });
  for (const [name, code] of partsOf(readFileSync(file, 'utf8'))) writeFileSync(join(dir, name), code);
}
