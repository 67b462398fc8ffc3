/**
 * The age program opens what `backup export` writes. It is found on PATH or named by AGE; the tests fail without it.
 * `go install filippo.io/age/cmd/...@v1.1.1` builds the version of Debian 12.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ageIdentity, ageRecipient, parseRecipient } from '../../../src/backup/recipient.ts';
import { readSheet, sheetLines } from '../../../src/backup/sheet.ts';
import { writeAge } from '../../../src/ceremony/backup-age.ts';
import { Secret } from '../../../src/vault/secret.ts';
import { utf8 } from '../../../src/wire/bytes.ts';
import { backupOf, keeper, makeKey, toOne, toQuorum } from '../../backup/support.ts';

const AGE = process.env['AGE'] ?? 'age';
const dir = mkdtempSync(join(tmpdir(), 'age-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** What the age program prints. */
function open(file: Uint8Array, secret: Uint8Array): string {
  writeFileSync(join(dir, 'f.age'), file);
  writeFileSync(join(dir, 'key.txt'), `${ageIdentity(secret)}\n`, { mode: 0o600 });
  return execFileSync(AGE, ['-d', '-i', join(dir, 'key.txt'), join(dir, 'f.age')], { stdio: ['ignore', 'pipe', 'pipe'] }).toString('utf8');
}

describe('age opens', () => {
  const key = makeKey('frost-ed448', '2-of(alice, bob, carol)');
  const keepers = [keeper('c1'), keeper('c2')];
  const to = keepers.map((k) => parseRecipient(ageRecipient(k.key)));

  it('a share, for each recipient', async () => {
    const { packages } = backupOf(key, 'alice', toOne(keepers[0] as never));
    const { bytes } = packages[0] as { bytes: Uint8Array };
    const file = await writeAge(bytes, to);
    for (const k of keepers) expect(open(file, k.secret)).toBe(Buffer.from(bytes).toString());
    expect(() => open(file, keeper('c3').secret)).toThrow();
  });
  it("a custodian's piece, typed back from its sheet", async () => {
    const { packages } = backupOf(key, 'alice', toQuorum('2-of(c1, c2)', keepers));
    for (const [i, { bytes }] of packages.entries()) {
      const file = readSheet(sheetLines(await writeAge(bytes, to.slice(i, i + 1))).join('\n'));
      expect(open(file, keepers[i]?.secret as Uint8Array)).toBe(Buffer.from(bytes).toString());
    }
  });
  // age asks for a passphrase at the terminal alone; script(1) is one
  it('a passphrase', async () => {
    writeFileSync(join(dir, 'p.age'), await writeAge(utf8('{"share":"x"}'), new Secret(utf8('plover-anvil-quartz-71'))));
    const { status } = spawnSync('script', ['-qec', `${AGE} -d -o ${join(dir, 'p.out')} ${join(dir, 'p.age')}`, '/dev/null'], { input: 'plover-anvil-quartz-71\n' });
    expect(status).toBe(0);
    expect(execFileSync('cat', [join(dir, 'p.out')]).toString()).toBe('{"share":"x"}');
  });
});
