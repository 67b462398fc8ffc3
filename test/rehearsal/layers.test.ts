/** A rehearsal acts from outside: nothing that a real ceremony runs may reach into it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const src = join(import.meta.dirname, '../../src');

it('is used by its commands alone', () => {
  const users = readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((f) => f.endsWith('.ts') && !f.startsWith('rehearsal'))
    .filter((f) => /from '[^']*rehearsal\//.test(readFileSync(join(src, f), 'utf8')));
  expect(users.sort()).toEqual([join('cli', 'commands', 'drill.ts'), join('cli', 'commands', 'rehearse.ts')]);
});

it('does not use the command line', () => {
  for (const file of readdirSync(join(src, 'rehearsal'))) expect(readFileSync(join(src, 'rehearsal', file), 'utf8'), file).not.toMatch(/from '[^']*cli\//);
});
