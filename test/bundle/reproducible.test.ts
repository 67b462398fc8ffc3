/** The one file is the same bytes from any checkout, anywhere, for anybody, on any day. */
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { bundle, newDir, ROOT, sha256 } from './support.ts';

/** What a checkout has that goes into the build. */
const TRACKED = ['package.json', 'package-lock.json', 'rolldown.config.js', 'embedded.js', 'bundle', 'src', 'templates'];

/** A copy of the checkout, without node_modules. */
function checkout(dir: string): string {
  mkdirSync(dir, { recursive: true });
  for (const name of TRACKED) cpSync(join(ROOT, name), join(dir, name), { recursive: true });
  return dir;
}

/** Real copies of the packages that the program uses, as `npm ci` would put them there. */
function installed(dir: string): void {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as { packages: Record<string, { dev?: boolean; devOptional?: boolean; optional?: boolean; peer?: boolean }> };
  const used = Object.entries(lock.packages).filter(([path, { dev, devOptional, optional, peer }]) => path !== '' && !dev && !devOptional && !optional && !peer);
  expect(used.length).toBeGreaterThan(10);
  for (const [path] of used) cpSync(join(ROOT, path), join(dir, path), { recursive: true });
  // what builds is a tool, wherever it lies
  for (const tool of ['rolldown', 'fflate']) symlinkSync(join(ROOT, 'node_modules', tool), join(dir, 'node_modules', tool));
}

it('two checkouts at different paths, by different people on different days, give the same file', () => {
  const dir = newDir();
  const a = checkout(join(dir, 'a'));
  symlinkSync(join(ROOT, 'node_modules'), join(a, 'node_modules'));
  const b = checkout(join(dir, 'zz', 'another place', 'with-a-longer-name'));
  installed(b);
  for (const name of readdirSync(b, { recursive: true, encoding: 'utf8' })) if (/^(?:src|bundle|templates)/.test(name)) utimesSync(join(b, name), 86_400, 86_400);
  // another day: everything in JavaScript sees a clock that is 400 days ahead
  const clock = join(dir, 'clock.mjs');
  writeFileSync(clock, 'const now = Date.now; const ahead = 400 * 86_400_000; Date.now = () => now() + ahead; const D = Date; globalThis.Date = class extends D { constructor(...a) { super(...(a.length === 0 ? [D.now()] : a)); } };\n');

  const first = readFileSync(bundle(a, join(dir, 'out-a'), { umask: '022', env: { TZ: 'Pacific/Auckland', LANG: 'C', HOME: join(dir, 'alice') } }));
  const second = readFileSync(
    bundle(b, join(dir, 'elsewhere', 'out-b'), { umask: '077', env: { TZ: 'America/Los_Angeles', LANG: 'tr_TR.UTF-8', SOURCE_DATE_EPOCH: '1', NODE_ENV: 'production', HOME: '/', NODE_OPTIONS: `--import ${clock}` } }),
  );
  expect(sha256(second)).toBe(sha256(first));
  const text = first.toString('latin1');
  for (const path of [dir, ROOT, 'out-a']) expect(text.includes(path), path).toBe(false);

  // and it does depend on what it is made of
  const file = join(a, 'src/cli/version.ts');
  writeFileSync(file, readFileSync(file, 'utf8').replace("'0.1.0'", "'0.1.1'"));
  expect(sha256(readFileSync(bundle(a, join(dir, 'out-c'))))).not.toBe(sha256(first));
});
