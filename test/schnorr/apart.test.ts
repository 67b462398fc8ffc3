import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

it('nothing but sign.ts reaches the files that handle secrets', () => {
  const folder = new URL('../../src/schnorr/', import.meta.url);
  const importers = readdirSync(folder).filter((file) =>
    /from '\.\/(?:nonce|sign)\.ts'/.test(readFileSync(new URL(file, folder), 'utf8')),
  );
  expect(importers).toEqual(['sign.ts']);
});
