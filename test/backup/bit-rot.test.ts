/** One flipped bit in a backup file, wherever it is, is found. */
import { expect, it } from 'vitest';
import { parseBackup } from '../../src/backup/backup-file.ts';
import { verdictOf, verifyBackup } from '../../src/backup/verify-backup.ts';
import { backupOf, keeper, makeKey, toOne } from './support.ts';

it('no bit of the file can change', () => {
  const { backup } = backupOf(makeKey('frost-ed25519', '2-of(alice, bob)'), 'alice', toOne(keeper('c1')));
  const places = Array.from({ length: 120 }, (_, i) => Math.floor((i * backup.bytes.length) / 120));
  const silent: number[] = [];
  for (const [i, at] of places.entries()) {
    const bad = backup.bytes.slice();
    bad[at] = (bad[at] as number) ^ (1 << (i % 8));
    try {
      if (verdictOf(verifyBackup(parseBackup(bad, backup.file))) === 'ok') silent.push(at);
    } catch (e) {
      expect(e).toMatchObject({ code: 'E_BACKUP_BAD', facts: { file: backup.file } });
    }
  }
  expect(silent).toEqual([]);
  expect(verdictOf(verifyBackup(backup))).toBe('ok');
});
