/**
 * Runs the list of powers (test/arith/powers.ts) on other versions of node. Not part of the test run: it fetches the
 * binaries from npm (30 MB each) into a temporary folder.
 *
 *   node test/interop/node-versions.mjs                20, 22 and 24
 *   node test/interop/node-versions.mjs 23 --all       another one; also what takes minutes
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const options = process.argv.slice(2).filter((a) => a.startsWith('--'));
const named = process.argv.slice(2).filter((a) => !a.startsWith('--'));
const versions = named.length > 0 ? named : ['20', '22', '24'];
const folder = mkdtempSync(join(tmpdir(), 'node-versions-'));
let failed = false;
try {
  execFileSync('npx', ['rolldown', 'test/arith/run-list.ts', '--platform', 'node', '--format', 'cjs', '-d', folder, '--log-level', 'silent'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  for (const version of versions) {
    const place = join(folder, version);
    mkdirSync(place);
    execFileSync('npm', ['pack', '--silent', `node-${process.platform}-${process.arch}@${version}`], { cwd: place, stdio: ['ignore', 'ignore', 'inherit'] });
    execFileSync('tar', ['xzf', readdirSync(place).find((f) => f.endsWith('.tgz'))], { cwd: place });
    const { status } = spawnSync(join(place, 'package/bin/node'), [join(folder, 'run-list.js'), ...options], { stdio: 'inherit' });
    failed ||= status !== 0;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;
