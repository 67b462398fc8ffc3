/** The backup layer: what anybody may run reaches nothing that handles secrets, and none of it has effects of its own. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = join(import.meta.dirname, '../../src');
const files = readdirSync(join(SRC, 'backup')).map((f) => `backup/${f}`);
const secret = (file: string): boolean => /^(?:vault|ceremony)\/|\/(?:make-|open-|prove|deal\.|open\.|seal\.)/.test(file);

function reached(file: string, seen = new Set<string>()): Set<string> {
  for (const [, path] of readFileSync(join(SRC, file), 'utf8').matchAll(/from '(\.[^']+)'/g)) {
    const next = posix.join(posix.dirname(file), path as string);
    if (seen.has(next)) continue;
    seen.add(next);
    reached(next, seen);
  }
  return seen;
}

describe('src/backup', () => {
  it('is whole', () => {
    expect(files).toContain('backup/verify-backup.ts');
    expect([...reached('backup/make-backup.ts')].some((f) => f === 'sharing/deal.ts')).toBe(true);
  });
  it.each(files.filter((f) => !secret(f)))('%s reaches no secret', (file) => {
    expect([...reached(file)].filter(secret)).toEqual([]);
  });
  it.each(files)('%s has no effects', (file) => {
    expect(/'node:(?!crypto')[a-z_/]+'|\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\brandomBytes\b|\bgetRandomValues\b|\bprocess\.|\bconsole\./.exec(readFileSync(join(SRC, file), 'utf8'))?.[0]).toBeUndefined();
  });
});
