/** The codec as a page has it: no import of Node, and it runs where there is nothing but the language. */
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { rolldown } from 'rolldown';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

/** Every file of src/ that a file imports, itself included, and every other specifier on the way. */
function reach(file: string, files = new Set<string>(), packages = new Set<string>()): { files: Set<string>; packages: Set<string> } {
  files.add(file);
  for (const [, specifier] of readFileSync(join(ROOT, file), 'utf8').matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)) {
    const s = specifier as string;
    const next = posix.join(posix.dirname(file), s);
    if (!s.startsWith('.')) packages.add(s);
    else if (!files.has(next)) reach(next, files, packages);
  }
  return { files, packages };
}

describe('without Node', () => {
  it('imports one hash and nothing of Node', () => {
    const { files, packages } = reach('src/qr/ur.ts');
    expect([...packages]).toEqual(['@noble/hashes/sha2.js']);
    expect([...files].sort()).toEqual([
      'src/qr/bytewords.ts', 'src/qr/cbor-part.ts', 'src/qr/crc32.ts', 'src/qr/elimination.ts', 'src/qr/fountain.ts', 'src/qr/gathering.ts', 'src/qr/ur-part.ts', 'src/qr/ur.ts', 'src/qr/xor.ts', 'src/qr/xoshiro.ts', 'src/wire/errors.ts',
    ]);
    for (const file of files) expect([file, /\b(?:Buffer|process|require|globalThis)\b\s*[.(]/.exec(readFileSync(join(ROOT, file), 'utf8'))?.[0]]).toEqual([file, undefined]);
  });

  it('runs in a context with the language alone', async () => {
    const build = await rolldown({ input: join(ROOT, 'src/qr/ur.ts'), platform: 'browser', logLevel: 'silent' });
    const { output } = await build.generate({ format: 'iife', name: 'codec' });
    await build.close();
    const context = createContext(Object.create(null) as object);
    runInContext(output[0].code, context);
    const said = runInContext(
      `(() => {
        if (typeof Buffer + typeof process + typeof TextEncoder + typeof performance !== 'undefined'.repeat(4)) throw new Error('not alone');
        const message = Uint8Array.from({ length: 5000 }, (_, i) => (i * i) >> 3);
        const sender = codec.urSender(message, 100);
        const reader = new codec.UrReader();
        for (let k = 1; reader.message === undefined; k += 2) reader.take(sender.part(sender.sequence(k)));
        let refused;
        try { sender.part(0); } catch (e) { refused = e.code; }
        return JSON.stringify([reader.progress.missing, reader.message.every((b, i) => b === message[i]), reader.take('x'), refused]);
      })()`,
      context,
    ) as string;
    expect(JSON.parse(said)).toEqual([0, true, 'foreign', 'E_QR']);
  });
});
