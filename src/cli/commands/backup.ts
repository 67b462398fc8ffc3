/** `backup export`, `backup verify`, `backup list`, `backup place`, `backup type`. */
import { join } from 'node:path';
import type { CheckedBackup } from '../../ceremony/backup-check.ts';
import type { Verdict } from '../../backup/verify-backup.ts';
import type { Card } from '../../plan/card.ts';
import { openHome, type Home } from '../../ceremony/home.ts';
import { toHex } from '../../wire/bytes.ts';
import { CeremonyError, EXIT, type ExitCode, fail } from '../../wire/errors.ts';
import { sha256 } from '../../wire/hash.ts';
import { formatWords } from '../../wire/words.ts';
import { type Context, realPath } from '../context.ts';
import { backupPassphrase, openingKeys } from '../opening-keys.ts';
import { fold } from '../output.ts';
import { VERSION } from '../version.ts';

const SIGN: Readonly<Record<Verdict, string>> = { ok: '✓', wrong: '✗', 'cannot-tell': '?' };
const EXIT_OF: Readonly<Record<Verdict, ExitCode>> = { ok: EXIT.ok, wrong: EXIT.wrong, 'cannot-tell': EXIT.cannotTell };

interface ExportOptions {
  readonly key: string;
  readonly to?: readonly string[];
  readonly quorum?: string;
  readonly site?: string;
  readonly out: string;
  readonly passphraseBackupFile?: string;
}

const recipientOrPath = (text: string): string => (/^age1[02-9a-z]+$/.test(text) ? text : realPath(text));

export async function backupExport(ctx: Context, options: ExportOptions): Promise<ExitCode> {
  const home = await ctx.home('write');
  const to = (options.to ?? []).map(recipientOrPath);
  const wantsPassphrase = options.passphraseBackupFile !== undefined || to.length === 0;
  if (to.length === 0 && options.passphraseBackupFile === undefined && (ctx.flags.input === false || !process.stdin.isTTY))
    fail('E_RECIPIENT', 'nobody could open this backup', { field: 'to', remedy: 'Give --to CARD or age1…, or --passphrase-backup-file.' });
  const { exportBackup } = await import('../../ceremony/backup-export.ts');
  const passphrase = wantsPassphrase ? await backupPassphrase(ctx, options.passphraseBackupFile, true) : undefined;
  const out = realPath(options.out);
  try {
    const made = await exportBackup(home, { key: options.key, to, quorum: options.quorum, passphrase, site: options.site, out, program: `mpc-ceremony ${VERSION}` }, ctx.port(home));
    const { epoch } = made.certificate;
    ctx.out.result(
      {
        schema: 'mpc-ceremony/backup/1',
        key: epoch.key.name,
        scheme: epoch.key.scheme,
        epoch: epoch.number,
        owner: made.owner,
        leaf: made.leaf,
        lock: made.lock,
        out,
        wrote: made.wrote,
        ...(options.site === undefined ? {} : { site: options.site }),
        notes: made.notes,
        exit: 0,
      },
      [
        `✓ Backup of the share of ${made.owner}: ${epoch.key.name}, epoch ${String(epoch.number)}`,
        `Folder       ${out}`,
        ...made.wrote.map((w) => `  ${w.sha256.slice(0, 8)}  ${w.path}`),
        ...made.notes.flatMap((n) => fold(`! ${n}`)),
        'NEXT  CARRY_OUT',
        '  Test it where it will be kept: mpc-ceremony backup verify FILE.backup',
        '  After the next epoch it is worth nothing: export again.',
      ].flatMap(fold),
    );
    return EXIT.ok;
  } finally {
    passphrase?.wipe();
  }
}

interface VerifyOptions {
  readonly certificate?: string;
  readonly card?: readonly string[];
  readonly open?: boolean;
  readonly identity?: readonly string[];
  readonly passphraseBackupFile?: string;
}

/** The home, if there is one: `backup verify` needs none. */
function homeIfAny(ctx: Context): Home | undefined {
  return ctx.disk.exists(join(ctx.homeRoot, 'VERSION')) ? openHome(ctx.disk, ctx.homeRoot) : undefined;
}

export async function backupVerify(ctx: Context, files: readonly string[], options: VerifyOptions): Promise<ExitCode> {
  const { checkBackup, readTrusted } = await import('../../ceremony/backup-check.ts');
  const { worst } = await import('../../transcript/report.ts');
  const trusted = options.certificate === undefined ? undefined : readTrusted(ctx.disk, realPath(options.certificate));
  const cards = await readCards(ctx, options.card ?? []);
  const home = homeIfAny(ctx);
  const opening = options.open === true ? await openingKeys(ctx, home, options) : undefined;
  const checked: CheckedBackup[] = [];
  try {
    for (const file of files) checked.push(await checkBackup(ctx.disk, realPath(file), trusted, home, opening?.keys, cards));
  } finally {
    opening?.wipe();
  }
  if (home) await noteTests(ctx, checked);
  const verdict = worst(checked.map((c) => c.verdict));
  const [only] = checked;
  const one = checked.length === 1 && only ? only : undefined;
  ctx.out.result(
    {
      schema: 'mpc-ceremony/backup-check/1',
      verdict,
      checks: checked.flatMap((c) => c.checks.map((check) => ({ ...check, file: c.file }))),
      ...(one?.facts ?? {}),
      ...(one ? { keys: one.keys, trusted: one.trusted } : {}),
      ...(one?.retired === undefined ? {} : { retired: one.retired }),
      opened: checked.flatMap((c) => c.opened),
      files: checked.map(({ file, verdict: v, sha256: digest, facts, keys, trusted: known, retired, opened }) => ({ file, verdict: v, ...(digest === undefined ? {} : { sha256: digest }), ...(facts ?? {}), keys, trusted: known, ...(retired === undefined ? {} : { retired }), opened })),
      exit: EXIT_OF[verdict],
    },
    checked.flatMap(screen),
  );
  return EXIT_OF[verdict];
}

async function readCards(ctx: Context, files: readonly string[]): Promise<Card[]> {
  const { parseCard } = await import('../../plan/card.ts');
  return files.map((path) => {
    const file = realPath(path);
    return parseCard(ctx.disk.read(file, 65_536) ?? fail('E_CARD', 'there is no such card', { file, field: 'card' }), file);
  });
}

function screen({ file, verdict, checks, facts, keys, trusted, retired, opened }: CheckedBackup): string[] {
  const lines = [file, ...checks.map((c) => `${SIGN[c.verdict]} ${c.name.padEnd(12)}${c.of === undefined ? '' : `${c.of}: `}${c.text}${c.code === undefined ? '' : ` [${c.code.slice(2)}]`}`)];
  for (const { name, key } of keys.filter((k) => k.known === 'unknown' && !checks.some((c) => c.name === 'recipient' && c.verdict === 'wrong' && c.of === k.name)))
    lines.push(name === undefined ? `? ${'recipient'.padEnd(12)}no name stands with ${key}` : `? ${'recipient'.padEnd(12)}${name}: the key is not known here: compare ${key} with the card of ${name} (--card FILE)`);
  if (facts && verdict === 'ok' && retired === true) {
    lines.push(`It is of a retired epoch of ${facts.key}: nothing that signs comes back from it. Destroy it and its copies.`, `Public key   ${facts.publicKey}`);
  } else if (facts && verdict === 'ok') {
    const what = opened.length > 0 ? 'It opens, and restores' : 'It would restore';
    lines.push(`✓ ${what} the share of ${facts.owner}, leaf ${String(facts.leaf)} of ${facts.key}, epoch ${String(facts.epoch)}.`, `Public key   ${facts.publicKey}`);
    if (!trusted) lines.push('Compare the words of the epoch with those of the key (key show), or give --certificate:', ...formatWords(facts.words));
  } else lines.push(verdict === 'wrong' ? '✗ Do not count on this file. Keep it, and export again while the home is there.' : '? Nothing wrong was found, and nothing shown to be right.');
  return lines.flatMap(fold);
}

/** Enters good tests into the register of the home. A home that is in use keeps its register as it is. */
async function noteTests(ctx: Context, checked: readonly CheckedBackup[]): Promise<void> {
  const good = checked.filter((c) => c.verdict === 'ok' && c.facts);
  if (good.length === 0) return;
  const { backupCopies, noteTest } = await import('../../ceremony/backup-register.ts');
  const home = openHome(ctx.disk, ctx.homeRoot);
  const registered = good.filter((c) => backupCopies(home, c.facts?.key ?? '').some((copy) => copy.sha256 === c.sha256));
  if (registered.length === 0) return;
  try {
    await ctx.home('write');
  } catch (e) {
    if (!(e instanceof CeremonyError && e.code === 'E_BUSY')) throw e;
    ctx.out.say('! The home is in use: the test was not entered into its register.');
    return;
  }
  const at = ctx.now().toISOString().replace(/\.\d{3}Z$/, 'Z');
  for (const c of registered) noteTest(home, c.facts?.key ?? '', c.sha256 ?? '', at, c.opened.length > 0 ? 'opened' : 'proof');
}

export async function backupList(ctx: Context, options: { readonly key?: string }): Promise<ExitCode> {
  const home = await ctx.home('read');
  const { listBackups } = await import('../../ceremony/backup-register.ts');
  const backups = listBackups(home, options.key);
  const lines = backups.flatMap((b) => [
    `${b.key}  epoch ${String(b.epoch)}${b.retired ? '  RETIRED' : ''}  ${b.file}  ${b.sha256.slice(0, 8)}`,
    `  for        ${b.quorum ?? (b.recipients.map((r) => r.name ?? `key ${r.key?.slice(0, 8) ?? 'post-quantum'}`).join(', ') || 'a passphrase')}`,
    `  kept at    ${b.site ?? 'not registered'}`,
    `  made       ${b.made}`,
    `  tested     ${b.tested ? `${b.tested.at}, ${b.tested.how === 'opened' ? 'by opening it' : 'by its proof'}` : 'never'}`,
  ]);
  ctx.out.result({ schema: 'mpc-ceremony/backups/1', backups, exit: 0 }, backups.length === 0 ? ['No backups are registered in this home.'] : lines.flatMap(fold));
  return EXIT.ok;
}

/** Registers a further copy of a backup of this home's own share, at its own site. */
export async function backupPlace(ctx: Context, path: string, options: { readonly site: string }): Promise<ExitCode> {
  const home = await ctx.home('write');
  const [{ MAX_BACKUP_BYTES, parseBackup }, { backupCopies, registerBackup }] = await Promise.all([import('../../backup/backup-file.ts'), import('../../ceremony/backup-register.ts')]);
  const file = realPath(path);
  const backup = parseBackup(ctx.disk.read(file, MAX_BACKUP_BYTES) ?? fail('E_MISSING', 'there is no such file', { file }), file);
  const { key } = backup.record;
  const known = backupCopies(home, key).find((c) => c.sha256 === backup.sha256) ?? fail('E_BACKUP_BAD', 'this backup was not made by this home, or is damaged: it is not in its register', { file });
  const { site: _site, tested: _tested, ...rest } = known;
  registerBackup(home, key, { ...rest, site: options.site });
  ctx.out.result({ schema: 'mpc-ceremony/backups/1', backups: backupCopies(home, key), exit: 0 }, [`✓ A copy of ${backup.record.owner}'s backup of ${key}, epoch ${String(backup.record.epoch)}, is registered at ${options.site}.`].flatMap(fold));
  return EXIT.ok;
}

/** Notes that a copy was destroyed: the file is gone, so it is named by the beginning of its SHA-256, which the register shows. */
export async function backupDestroyed(ctx: Context, digest: string, options: { readonly key: string; readonly by: string }): Promise<ExitCode> {
  const home = await ctx.home('write');
  const { backupCopies, noteDestroyed } = await import('../../ceremony/backup-register.ts');
  const found = /^[0-9a-f]{8,64}$/.test(digest) ? backupCopies(home, options.key).filter((c) => c.sha256.startsWith(digest)) : [];
  const [copy] = found;
  if (!copy || new Set(found.map((c) => c.sha256)).size > 1) return fail('E_BACKUP_BAD', `the register of ${options.key} has no one backup whose SHA-256 begins with ${digest}`, { field: 'digest', remedy: 'mpc-ceremony backup list shows the register.' });
  noteDestroyed(home, options.key, copy.sha256, ctx.now().toISOString().replace(/\.\d{3}Z$/, 'Z'), options.by);
  ctx.out.result({ schema: 'mpc-ceremony/backups/1', backups: backupCopies(home, options.key), exit: 0 }, fold(`✓ The backup ${copy.file} is noted as destroyed, by the word of ${options.by}. No program can see that.`));
  return EXIT.ok;
}

/** Reads a typed or scanned sheet back into its age file. */
export async function backupType(ctx: Context, path: string, options: { readonly out: string; readonly digest?: string }): Promise<ExitCode> {
  const { readSheet } = await import('../../backup/sheet.ts');
  const file = realPath(path);
  const bytes = ctx.disk.read(file, 65_536) ?? fail('E_MISSING', 'there is no such file', { file });
  const age = readSheet(Buffer.from(bytes).toString('utf8'), options.digest);
  const out = realPath(options.out);
  if (ctx.disk.exists(out)) fail('E_EXISTS', 'there is a file of this name already', { file: out, remedy: 'Give another name with --out.' });
  ctx.disk.write(out, age, { mode: 0o600, verify: true });
  const digest = toHex(sha256(age));
  ctx.out.result(
    { schema: 'mpc-ceremony/sheet/1', wrote: [{ path: out, sha256: digest }], bytes: age.length, compared: options.digest !== undefined, exit: 0 },
    [`✓ ${String(age.length)} bytes are read back: ${out}`, ...(options.digest === undefined ? ['Compare the SHA-256 with the sheet:', `  ${(digest.match(/.{8}/g) ?? []).join(' ')}`] : ['✓ The SHA-256 is the one on the sheet.'])].flatMap(fold),
  );
  return EXIT.ok;
}
