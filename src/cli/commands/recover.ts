/** `recover`: a holder from its own backup; request, release and finish of a recovery from custodians. */
import { join } from 'node:path';
import { type Home, openHome } from '../../ceremony/home.ts';
import type { Recovery } from '../../ceremony/recover.ts';
import type { Secret } from '../../vault/secret.ts';
import { toHex } from '../../wire/bytes.ts';
import { CeremonyError, EXIT, type ExitCode, fail } from '../../wire/errors.ts';
import { formatWords, words } from '../../wire/words.ts';
import { type Context, realPath } from '../context.ts';
import { fold } from '../output.ts';

interface RecoverOptions {
  readonly backup?: string;
  readonly age?: string;
  readonly sheet?: string;
  readonly digest?: string;
  readonly certificate?: string;
  readonly identity?: readonly string[];
  readonly passphraseBackupFile?: string;
  readonly forensic?: boolean;
  readonly request?: boolean;
  readonly out?: string;
  readonly unattended?: boolean;
  readonly release?: string;
  readonly finish?: string;
  readonly evidence?: string;
  readonly card?: string;
}

/** What each way of recovering takes beside its own option. */
const TAKES: Readonly<Record<'backup' | 'age' | 'sheet' | 'request' | 'release' | 'finish' | 'evidence', readonly (keyof RecoverOptions)[]>> = {
  backup: ['backup', 'certificate', 'identity', 'passphraseBackupFile', 'forensic', 'unattended'],
  age: ['age', 'certificate', 'identity', 'passphraseBackupFile', 'forensic', 'unattended'],
  sheet: ['sheet', 'digest', 'certificate', 'identity', 'passphraseBackupFile', 'forensic', 'unattended'],
  request: ['backup', 'request', 'certificate', 'out', 'unattended'],
  release: ['release', 'unattended', 'certificate'],
  finish: ['finish'],
  evidence: ['evidence', 'card'],
};
const NAMES: readonly (keyof RecoverOptions)[] = ['backup', 'age', 'sheet', 'digest', 'certificate', 'identity', 'passphraseBackupFile', 'forensic', 'request', 'out', 'unattended', 'release', 'finish', 'evidence', 'card'];

const flag = (name: string): string => `--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;

/** Which way was asked for. @throws E_USAGE unless exactly one, with nothing that it has no use for */
function wayOf(options: RecoverOptions): keyof typeof TAKES {
  const ways = (['age', 'sheet', 'release', 'finish', 'evidence'] as const).filter((w) => options[w] !== undefined) as (keyof typeof TAKES)[];
  if (options.backup !== undefined || options.request === true) ways.push(options.request === true ? 'request' : 'backup');
  const [way] = ways;
  if (way === undefined || ways.length > 1)
    fail('E_USAGE', way === undefined ? 'what to recover from is missing' : `${ways.map(flag).join(' and ')} do not go together`, { remedy: 'Give one of --backup FILE, --age FILE, --sheet FILE, --release DIR, --finish DIR, --evidence FILE. See mpc-ceremony help recover.' });
  const extra = NAMES.find((n) => options[n] !== undefined && !TAKES[way].includes(n));
  if (extra) fail('E_USAGE', `${flag(extra)} does not go with ${flag(way)}`, { field: flag(extra).slice(2) });
  return way;
}

export async function recover(ctx: Context, options: RecoverOptions): Promise<ExitCode> {
  const way = wayOf(options);
  if (way === 'evidence') return evidence(ctx, options);
  const home = await ctx.home('write');
  if (way === 'request') return request(ctx, home, options);
  if (way === 'release') return release(ctx, home, options);
  if (way === 'finish') return finish(ctx, home, options);
  return own(ctx, home, way, options);
}

function identities(ctx: Context, files: readonly string[], parse: (bytes: Uint8Array, file: string) => string[]): string[] {
  return files.flatMap((path) => {
    const file = realPath(path);
    const bytes = ctx.disk.read(file, 65_536) ?? fail('E_MISSING', 'the identity file is missing', { file, field: 'identity' });
    try {
      return parse(bytes, file);
    } finally {
      bytes.fill(0);
    }
  });
}

async function own(ctx: Context, home: Home, kind: 'backup' | 'age' | 'sheet', options: RecoverOptions): Promise<ExitCode> {
  const [{ recoverOwn }, { parseIdentityFile }, { readPassphrase }] = await Promise.all([import('../../ceremony/recover.ts'), import('../../ceremony/backup-age.ts'), import('../../vault/passphrase.ts')]);
  let secret: Secret | undefined;
  const passphrase = async (): Promise<Secret> => {
    if (options.passphraseBackupFile === undefined && (ctx.flags.input === false || !process.stdin.isTTY))
      fail('E_PERSON', 'the passphrase of the backup is needed', { field: 'passphrase-backup-file', remedy: 'Give --passphrase-backup-file, or run at a terminal.' });
    const read = await readPassphrase({ file: options.passphraseBackupFile, confirm: false, prompt: 'Passphrase of the backup', stdin: process.stdin, stderr: process.stderr });
    if (read.warning !== undefined) ctx.out.say(`! ${read.warning}`);
    secret = read.secret;
    return read.secret;
  };
  try {
    const recovery = await recoverOwn(
      home,
      {
        from: { kind, file: realPath(options[kind] ?? '') },
        digest: options.digest,
        certificate: options.certificate === undefined ? undefined : realPath(options.certificate),
        identities: identities(ctx, options.identity ?? [], parseIdentityFile),
        passphrase,
        forensic: options.forensic === true,
        unattended: options.unattended === true,
      },
      ctx.port(home),
    );
    return show(ctx, recovery, {});
  } finally {
    secret?.wipe();
  }
}

/** What every restore prints; nothing of it is secret. */
function show(ctx: Context, { did, certificate, owner, compared, lines }: Recovery, more: Record<string, unknown>, remarks: readonly string[] = []): ExitCode {
  const { epoch, digest } = certificate;
  const shown = words(digest.slice(0, 16));
  const next = did === 'examined' ? 'nothing was kept; the backup can be destroyed' : 'the share signs nothing: a reshare, or in the same home a refresh, has to follow';
  ctx.out.result(
    {
      schema: 'mpc-ceremony/recover/1',
      did,
      key: epoch.key.name,
      keyId: epoch.key.id,
      scheme: epoch.key.scheme,
      epoch: epoch.number,
      owner,
      leaf: epoch.roster.findIndex((p) => p.name === owner) + 1,
      publicKey: epoch.publicKey,
      words: shown,
      ...(compared === undefined ? {} : { compared }),
      ...more,
      nextAction: { code: 'DONE', who: String(ctx.about['participant']), text: next },
      exit: 0,
    },
    [
      ...remarks,
      ...(did === 'already-restored' ? ['It was restored here before; nothing was changed.'] : []),
      ...lines.map((l, i) => (i === 0 ? `✓ ${l}` : l)),
      ...(compared === 'certificate' || compared === 'typed' || did === 'examined' ? [] : [`${compared === 'not-compared' ? 'THE WORDS OF THE EPOCH WERE NOT COMPARED; that is recorded. ' : ''}Compare them with those on paper, or with another holder:`, ...formatWords(shown)]),
    ].flatMap(fold),
  );
  return EXIT.ok;
}

async function request(ctx: Context, home: Home, options: RecoverOptions): Promise<ExitCode> {
  const { requestPieces } = await import('../../ceremony/recover-custodians.ts');
  const file = realPath(options.backup ?? fail('E_USAGE', 'the backup is missing: --backup FILE', { field: 'backup' }));
  const out = realPath(options.out ?? fail('E_USAGE', 'the folder to make is missing: --out DIR', { field: 'out' }));
  const made = await requestPieces(home, file, { certificate: options.certificate === undefined ? undefined : realPath(options.certificate), attended: options.unattended !== true, out }, ctx.port(home));
  const { record } = made.request;
  ctx.out.result(
    { schema: 'mpc-ceremony/recovery-request/1', key: record.key.name, epoch: record.epoch, owner: record.owner, quorum: made.quorum, request: toHex(made.request.digest), words: made.words, attended: record.attended, compared: made.compared, out, wrote: made.wrote, nextAction: { code: 'CARRY_OUT', who: home.facts.name, text: 'carry the folder to the custodians' }, exit: 0 },
    [
      `✓ The request for the share of ${record.owner} (${record.key.name}, epoch ${String(record.epoch)}) is made.`,
      `Folder       ${out}`,
      `Custodians   ${made.quorum}`,
      ...(record.attended ? ['Words of the request. Read them aloud to every custodian, in the room or by a number that both knew before:', ...formatWords(made.words)] : ['No words are compared: this is recorded in every piece.']),
      'NEXT  CARRY_OUT',
      '  Every custodian, in its own home: mpc-ceremony recover --release DIR',
      '  Then here: mpc-ceremony recover --finish DIR',
    ].flatMap(fold),
  );
  return EXIT.ok;
}

async function release(ctx: Context, home: Home, options: RecoverOptions): Promise<ExitCode> {
  const { releasePiece } = await import('../../ceremony/recover-custodians.ts');
  const dir = realPath(options.release ?? '');
  const { request: asked, custodian, piece, again, wrote } = await releasePiece(home, dir, options.unattended === true, ctx.port(home), options.certificate === undefined ? undefined : realPath(options.certificate));
  const to = asked.card.name;
  ctx.out.result(
    { schema: 'mpc-ceremony/recovery-piece/1', key: piece.key.name, epoch: piece.epoch, owner: piece.owner, custodian, to, request: piece.request, compared: piece.compared, at: piece.at, again, folder: dir, wrote, nextAction: { code: 'CARRY_OUT', who: home.facts.name, text: `carry the folder back to ${to}` }, exit: 0 },
    [
      `✓ The piece of ${custodian} is ${again ? 'put there again' : 'released'}: it opens in the home of ${to} alone.`,
      `It is noted in this home: share of ${piece.owner}, ${piece.key.name}, epoch ${String(piece.epoch)}, words ${piece.compared === 'not-compared' ? 'NOT COMPARED' : `compared (${piece.compared})`}.`,
      'NEXT  CARRY_OUT',
      `  Carry the folder back to ${to}.`,
    ].flatMap(fold),
  );
  return EXIT.ok;
}

async function finish(ctx: Context, home: Home, options: RecoverOptions): Promise<ExitCode> {
  const { finishRecovery } = await import('../../ceremony/recover-custodians.ts');
  const done = await finishRecovery(home, realPath(options.finish ?? ''), ctx.port(home));
  const bad = done.bad.map(({ file, error, culprit, evidence }) => ({ file, code: error.code, text: error.message, ...(culprit === undefined ? {} : { culprit }), ...(evidence === undefined ? {} : { evidence }) }));
  const remarks = [
    ...(done.used.length > 0 ? [`✓ The pieces of ${done.used.join(' and ')} are good.`] : []),
    ...bad.map((b) => `✗ ${b.text} [${b.code.slice(2)}]${b.evidence === undefined ? '' : `; evidence: ${b.evidence}`}`),
  ];
  return show(ctx, done, { used: done.used, bad }, remarks);
}

/** Repeats the finding of an evidence file. Needs no home; whose identity key it is, a card tells: given, or known to the home. */
async function evidence(ctx: Context, options: RecoverOptions): Promise<ExitCode> {
  const [{ MAX_RECOVERY_EVIDENCE_BYTES, proveRecoveryEvidence }, { knownIdentity }, { parseCard }] = await Promise.all([import('../../backup/recovery-evidence.ts'), import('../../ceremony/recover-custodians.ts'), import('../../plan/card.ts')]);
  const file = realPath(options.evidence ?? '');
  const say = (exit: ExitCode, facts: Record<string, unknown>, lines: readonly string[]): ExitCode => {
    ctx.out.result({ schema: 'mpc-ceremony/recovery-evidence-check/1', verdict: exit === EXIT.wrong ? 'wrong' : 'cannot-tell', file, ...facts, exit }, lines.flatMap(fold));
    return exit;
  };
  const card = options.card === undefined ? undefined : realPath(options.card);
  const given = card === undefined ? undefined : parseCard(ctx.disk.read(card, 65_536) ?? fail('E_CARD', 'there is no such card', { file: card, field: 'card' }), card);
  let found: ReturnType<typeof proveRecoveryEvidence>;
  try {
    found = proveRecoveryEvidence(ctx.disk.read(file, MAX_RECOVERY_EVIDENCE_BYTES) ?? fail('E_MISSING', 'there is no such file', { file }), file);
  } catch (e) {
    if (!(e instanceof CeremonyError) || !['E_EVIDENCE', 'E_MISSING', 'E_TOO_LARGE'].includes(e.code)) throw e;
    return say(EXIT.cannotTell, { code: e.code, text: e.message }, [`? ${e.message}. It shows nothing against anybody.`]);
  }
  const { custodian, identity, text } = found;
  const home = ctx.disk.exists(join(ctx.homeRoot, 'VERSION')) ? openHome(ctx.disk, ctx.homeRoot) : undefined;
  const known = given?.name === custodian ? given.ed25519 : home && knownIdentity(home, custodian);
  const facts = { custodian, identity, text };
  if (known === identity) return say(EXIT.wrong, { ...facts, code: 'E_PIECE', culprit: custodian }, [`✗ ${text}.`, `Culprit      ${custodian}: signed by the identity key on its card`]);
  return say(EXIT.cannotTell, { ...facts, code: 'E_CARD' }, [`? ${text}, if it is from ${custodian} at all:`, known === undefined ? `No card of ${custodian} is known here. Give it with --card FILE; the piece is signed by` : `The card of ${custodian} has another identity key than the one that signed the piece:`, identity]);
}
