/** What anybody may run on public data reaches no file that handles secrets. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const folder = fileURLToPath(new URL('../../src/sharing/', import.meta.url));
const SECRET = ['deal', 'make-complaint', 'make-dealing', 'make-prekey', 'open', 'prove', 'prove-possession', 'seal'].map((n) => `${n}.ts`);

function imports(file: string): string[] {
  const text = readFileSync(`${folder}${file}`, 'utf8');
  return [...text.matchAll(/from '\.\/([a-z-]+\.ts)'/g)].map((m) => m[1] as string);
}

function reach(file: string, seen = new Set<string>()): Set<string> {
  for (const next of imports(file)) {
    if (seen.has(next)) continue;
    seen.add(next);
    reach(next, seen);
  }
  return seen;
}

test('public files of sharing/ import no secret file, even at a distance', () => {
  const all = readdirSync(folder).filter((f) => f.endsWith('.ts'));
  expect(all).toEqual(expect.arrayContaining(SECRET));
  for (const file of all) if (!SECRET.includes(file)) expect([file, [...reach(file)].filter((f) => SECRET.includes(f))]).toEqual([file, []]);
});

test('sharing/ has no files, no clock and no randomness of its own', () => {
  for (const file of readdirSync(folder)) {
    const text = readFileSync(`${folder}${file}`, 'utf8');
    expect([file, /'node:|Date\.now|new Date|Math\.random|randomBytes|getRandomValues|console\./.exec(text)?.[0]]).toEqual([file, undefined]);
    const layers = [...text.matchAll(/from '\.\.\/([a-z]+)\//g)].map((m) => m[1]);
    expect([file, layers.filter((l) => l !== 'wire' && l !== 'curves')]).toEqual([file, []]);
  }
});
