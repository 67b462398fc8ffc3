/** The command tree. Each action loads its own command file when it runs. */
import { Command, CommanderError, Option } from 'commander';
import { CeremonyError, EXIT, type ExitCode } from '../wire/errors.ts';
import { Context, type GlobalFlags } from './context.ts';
import { asCeremonyError } from './output.ts';
import { VERSION } from './version.ts';

/** What a command file exports. */
export type Run = (ctx: Context, ...args: never[]) => Promise<ExitCode>;

const number = (text: string): number => {
  const n = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(n)) throw new CeremonyError('E_USAGE', `${text} is not a whole number`);
  return n;
};
const names = (text: string): string[] => text.split(',').map((s) => s.trim());

/** A plan that is made with routes, and a message that is to leave by another one: told before anything is made. @throws E_ROUTE, E_USAGE */
async function requireNamedRoute(ctx: Context, named: string[] | undefined): Promise<void> {
  if (named === undefined || ctx.route === undefined) return;
  const { parseRoutes, requireRoute } = await import('../ceremony/routes.ts');
  requireRoute({ routes: parseRoutes(named) }, ctx.route.by);
}

/** Runs the program. @returns the exit code */
export async function main(argv: readonly string[]): Promise<ExitCode> {
  let exit: ExitCode = EXIT.ok;
  const program = new Command('mpc-ceremony');
  const run =
    (load: () => Promise<(ctx: Context, ...args: never[]) => Promise<ExitCode>>) =>
    async (...args: unknown[]): Promise<void> => {
      const command = args.pop() as Command;
      const ctx = new Context(command.optsWithGlobals<GlobalFlags>());
      try {
        await requireNamedRoute(ctx, command.opts<{ routes?: string[] }>().routes);
        const action = (await load()) as unknown as (ctx: Context, ...args: unknown[]) => Promise<ExitCode>;
        ctx.answers.check();
        exit = await action(ctx, ...args);
        ctx.answers.finish();
        ctx.out.flush();
      } catch (e) {
        exit = ctx.out.error(asCeremonyError(e), ctx.about);
      }
    };

  program
    .description('Key ceremonies for threshold keys, carried by files between machines that need no network')
    .version(VERSION, '-V, --version')
    .option('--home <DIR>', "this participant's home (default ~/.mpc-ceremony, or MPC_CEREMONY_HOME)")
    .option('--json', 'one JSON object on stdout, words for people on stderr')
    .option('--no-input', 'never ask; exit 11 where a person must answer')
    .option('--answers <FILE>', 'answers to prompts, as JSON: {"prompt-id": "answer"}')
    .option('--passphrase-file <FILE>', 'read the passphrase from the first line of a file')
    .option('--passphrase-fd <N>', 'read the passphrase from an open descriptor')
    .option('--entropy-file <FILE>', 'dice or coins: mixed into the randomness, never replacing it')
    .option('--via <ROUTE>', 'how messages travel: folder:DIR, qr, relay:ADDRESS')
    .option('--relay-creds <FILE>', 'NATS credentials of this participant')
    .option('--relay-ca <FILE>', 'certificate of the authority that the relay is certified by (PEM)')
    .option('--quiet', 'no remarks on stderr')
    .option('--no-color', 'no colours')
    .configureHelp({ helpWidth: 80 })
    .exitOverride()
    .configureOutput({
      writeErr: () => undefined,
      writeOut: (text) => process.stdout.write(argv.includes('--json') ? `${JSON.stringify({ schema: 'mpc-ceremony/help/1', text, exit: EXIT.ok })}\n` : text),
    });

  program
    .command('init')
    .description('make this participant’s home: identity and one-time keys, sealed under a passphrase')
    .option('--name <NAME>', 'name of this participant: a-z, 0-9 and -')
    .option('--rehearsal', 'a home for rehearsals only')
    .option('--prepare <PROTOCOL>', 'cggmp24: make the primes of an ECDSA key ahead of the day; also for a home that exists')
    .action(run(async () => (await import('./commands/init.ts')).init));

  const card = program.command('card').description('this participant’s card');
  card.command('show').description('show the card and its 16 words').action(run(async () => (await import('./commands/card.ts')).cardShow));
  card.command('renew').description('add one-time keys; needed after a restore').action(run(async () => (await import('./commands/card.ts')).cardRenew));

  const peers = program.command('peers').description('cards of the others');
  peers.command('add').argument('<file...>').description('take up cards').action(run(async () => (await import('./commands/peers.ts')).peersAdd));
  peers.command('list').description('cards of the others, and how they were compared').action(run(async () => (await import('./commands/peers.ts')).peersList));
  peers.command('verify').argument('<name>').description('compare the words of a card with its owner').action(run(async () => (await import('./commands/peers.ts')).peersVerify));

  peers
    .command('clear')
    .argument('<name>')
    .description('a person has looked at why a signing failed: this participant may take part again')
    .requiredOption('--key <NAME>', 'the key')
    .requiredOption('--reason <TEXT>', 'what was found')
    .action(run(async () => (await import('./commands/peers.ts')).peersClear));

  program
    .command('dkg')
    .description('begin a key generation')
    .option('--name <NAME>', 'name of the key')
    .option('--scheme <SCHEME>', 'signature scheme, for example frost-ed25519')
    .option('--quorum <EXPR>', "who can sign, for example '2-of(alice, bob, carol)'")
    .option('--plan <FILE>', 'a draft made from a template, instead of the flags')
    .option('--cards <DIR>', 'folder with the cards of the others')
    .option('--stock <N>', 'first messages of signing that everybody stocks: one visit for Schnorr, three for ECDSA', number)
    .option('--expires-days <N>', 'days until the plan expires', number)
    .option('--witness <NAME>', 'a witness whose signature the key needs; repeat for more', (v: string, all: string[] = []) => [...all, v])
    .option('--unattended', 'no person compares words; recorded as not compared')
    .option('--pin-program', 'everybody must run the program that runs here; its digest stands in the plan')
    .option('--rehearsed <FOLDER>', 'the finished rehearsal that the plan relies on')
    .option('--again <FOLDER>', 'a further attempt of the ceremony in this folder')
    .option('--routes <ROUTES>', 'how messages may travel: folder, qr, relay; with commas between (default: all)', names)
    .option('--out <DIR>', 'the ceremony folder to make')
    .action(run(async () => (await import('./commands/dkg.ts')).dkg));

  program
    .command('refresh')
    .description('begin a refresh: all shares change, the public key and the addresses do not')
    .option('--key <NAME>', 'the key')
    .option('--stock <N>', 'first messages of signing that everybody stocks', number)
    .option('--cards <DIR>', 'folder with fresh cards, where one-time keys have run out')
    .option('--expires-days <N>', 'days until the plan expires', number)
    .option('--witness <NAME>', 'a witness whose signature the epoch needs; repeat for more', (v: string, all: string[] = []) => [...all, v])
    .option('--unattended', 'no person compares words; recorded as not compared')
    .option('--pin-program', 'everybody must run the program that runs here; its digest stands in the plan')
    .option('--again <FOLDER>', 'a further attempt of the refresh in this folder')
    .option('--routes <ROUTES>', 'how messages may travel: folder, qr, relay; with commas between (default: all)', names)
    .option('--out <DIR>', 'the ceremony folder to make')
    .action(run(async () => (await import('./commands/rekey.ts')).refresh));

  program
    .command('reshare')
    .description('begin a reshare: an old quorum hands the key to new members, another threshold, another quorum')
    .option('--key <NAME>', 'the key')
    .option('--quorum <EXPR>', "who can sign afterwards, for example '3-of(alice, bob, dave, erin, frank)'")
    .option('--replace <OLD=NEW>', 'instead: the same quorum with one member replaced; repeat for more', (v: string, all: string[] = []) => [...all, v])
    .option('--dealers <NAMES>', 'an exact minimal quorum of the old epoch; OLD=NEW where a share was restored in a new home', names)
    .option('--accept-weaker', 'the new quorum needs fewer people or has fewer members, and that is wanted')
    .option('--stock <N>', 'first messages of signing that everybody stocks', number)
    .option('--cards <DIR>', 'folder with the cards of new members')
    .option('--expires-days <N>', 'days until the plan expires', number)
    .option('--witness <NAME>', 'a witness whose signature the epoch needs; repeat for more', (v: string, all: string[] = []) => [...all, v])
    .option('--unattended', 'no person compares words; recorded as not compared')
    .option('--pin-program', 'everybody must run the program that runs here; its digest stands in the plan')
    .option('--again <FOLDER>', 'a further attempt of the reshare in this folder')
    .option('--routes <ROUTES>', 'how messages may travel: folder, qr, relay; with commas between (default: all)', names)
    .option('--out <DIR>', 'the ceremony folder to make')
    .action(run(async () => (await import('./commands/rekey.ts')).reshare));

  program
    .command('import')
    .description('take an existing key, or the shares of another implementation, into the care of new members')
    .requiredOption('--name <NAME>', 'name of the key here')
    .requiredOption('--share <FILE>', 'private key (PEM or hex), ZF key package, or Lockness key share')
    .addOption(new Option('--format <FORMAT>').choices(['key', 'zf-frost', 'lockness']).default('key'))
    .option('--public <FILE>', 'the public key package of a ZF key')
    .option('--scheme <SCHEME>', 'signature scheme of a private key')
    .requiredOption('--quorum <EXPR>', 'who can sign afterwards')
    .option('--dealers <NAMES>', 'who hands over: alice=1,bob=2 by identifier; default: this participant alone', names)
    .option('--stock <N>', 'first messages of signing that everybody stocks', number)
    .option('--cards <DIR>', 'folder with the cards of the others')
    .option('--expires-days <N>', 'days until the plan expires', number)
    .option('--witness <NAME>', 'a witness whose signature the key needs; repeat for more', (v: string, all: string[] = []) => [...all, v])
    .option('--unattended', 'no person compares words; recorded as not compared')
    .option('--pin-program', 'everybody must run the program that runs here; its digest stands in the plan')
    .option('--routes <ROUTES>', 'how messages may travel: folder, qr, relay; with commas between (default: all)', names)
    .requiredOption('--out <DIR>', 'the ceremony folder to make')
    .action(run(async () => (await import('./commands/import.ts')).importCommand));

  program
    .command('presign')
    .description('begin the making of presignatures: an ECDSA key then signs in one visit of each signer')
    .option('--key <NAME>', 'the key')
    .option('--count <N>', 'how many', number)
    .option('--signers <NAMES>', 'an exact minimal quorum, for example alice,bob', names)
    .option('--path <PATH>', 'non-hardened derivation path, fixed for all of them')
    .option('--expires-days <N>', 'days until the plan expires', number)
    .option('--unattended', 'no person compares words; recorded as not compared')
    .option('--pin-program', 'everybody must run the program that runs here; its digest stands in the plan')
    .option('--again <FOLDER>', 'a further attempt of the presigning in this folder')
    .option('--routes <ROUTES>', 'how messages may travel: folder, qr, relay; with commas between (default: all)', names)
    .option('--out <DIR>', 'the ceremony folder to make')
    .action(run(async () => (await import('./commands/presign.ts')).presign));

  program
    .command('sign')
    .description('begin a signing')
    .option('--intent <FILE>', 'the intent to sign')
    .option('--signers <NAMES>', 'an exact minimal quorum, for example alice,bob', names)
    .option('--live', 'nothing from stock, in more visits: for a signer whose stock is void, or to sign a digest')
    .option('--unattended', 'no person compares words; recorded as not compared')
    .option('--pin-program', 'everybody must run the program that runs here; its digest stands in the plan')
    .option('--again <FOLDER>', 'a further attempt of the signing in this folder')
    .option('--routes <ROUTES>', 'how messages may travel: folder, qr, relay; with commas between (default: all)', names)
    .option('--out <DIR>', 'the ceremony folder to make')
    .action(run(async () => (await import('./commands/sign.ts')).sign));

  program.command('join').argument('<folder>').description('read a plan, compare words, and take part').option('--share <FILE>', 'import: the share of the foreign key that this participant hands over').option('--public <FILE>', 'import: the public key package of a ZF key').option('--scheme <SCHEME>', 'import: the signature scheme of a private key').option('--wait [MINUTES]', 'over a relay: stay and go on until it is done').option('--ceremony <ID>', 'over a relay: which invitation, by the beginning of its id').option('--cards <DIR>', 'over a relay: folder with the cards of leads whom this home does not know').action(run(async () => (await import('./commands/next.ts')).joinCommand));
  program.command('next').argument('[folder]').description('continue whatever is open').option('--wait [MINUTES]', 'over a relay: stay and go on until it is done').action(run(async () => (await import('./commands/next.ts')).next));
  program.command('status').argument('[folder]').description('how things stand; changes nothing').action(run(async () => (await import('./commands/status.ts')).status));
  program
    .command('abort')
    .argument('[folder]')
    .description('end this participant’s part, on the record')
    .addOption(new Option('--reason <REASON>').choices(['operator', 'equivocation', 'stalled', 'mistake', 'suspicion', 'superseded']).makeOptionMandatory())
    .action(run(async () => (await import('./commands/next.ts')).abortCommand));

  const qr = program.command('qr').description('codes on a screen or on paper, and back');
  qr.command('show')
    .argument('<path>', 'a file, or a ceremony folder: what the others need of it')
    .description('show codes on this terminal, or write them to files')
    .option('--gif <FILE>', 'an animated picture, for any screen')
    .option('--page <FILE>', 'the same in a page for a browser')
    .option('--png <FILE>', 'pictures; several codes become FILE-1, FILE-2 …')
    .option('--svg <FILE>', 'drawings; several codes become FILE-1, FILE-2 …')
    .option('--pdf <FILE>', 'sheets of paper; any one of them may be lost')
    .option('--density <VERSION>', 'version of the codes, 1 to 40: more in a code, or codes that are easier to read', number)
    .option('--fps <N>', 'codes a second, 1 to 15 (default 8)', number)
    .action(run(async () => (await import('./commands/qr.ts')).qrShow));
  qr.command('scan')
    .argument('[file...]', 'photos, screenshots, GIFs, videos, saved messages, or folders of them')
    .description('read codes; at a terminal without files also from a USB scanner or the camera')
    .option('--camera [DEVICE]', 'the camera of this machine')
    .option('--typed', 'what a scanner types comes on standard input')
    .option('--into <DIR>', 'the ceremony folder that the message goes into (default: here, if this is one)')
    .option('--out <FILE>', 'instead: the file that the message becomes')
    .action(run(async () => (await import('./commands/qr.ts')).qrScan));
  qr.command('page').argument('<file>').description('a page with which a browser reads codes, without any network').action(run(async () => (await import('./commands/qr.ts')).qrPage));

  program
    .command('rehearse')
    .description('a whole ceremony with simulated participants on this machine')
    .option('--template <NAME>', 'a template, or the path of your own draft')
    .option('--scheme <SCHEME>', 'signature scheme (default frost-ed25519)')
    .option('--quorum <EXPR>', "who can sign (default '2-of(alice, bob, carol)')")
    .option('--fault <FAULT>', 'what goes wrong; repeat for more: tampered-blob, dropped-blob, crash, equivocation, bad-sub-share; for ECDSA also: bad-modulus, wrong-share', (v: string, all: string[] = []) => [...all, v])
    .option('--out <DIR>', 'the folder to make (default ./rehearsal-DATE-TIME)')
    .action(run(async () => (await import('./commands/rehearse.ts')).rehearseCommand));

  const drill = program.command('drill').description('rehearse a disaster, measure it, and leave evidence');
  const listed = (v: string, all: string[] = []): string[] => [...all, v];
  drill.command('list').description('what can be drilled').action(run(async () => (await import('./commands/drill.ts')).drillList));
  drill
    .command('run')
    .argument('<name>', 'a drill of the list, or all')
    .description('play a drill with simulated participants, in homes of its own')
    .option('--scheme <SCHEME>', 'signature scheme (default frost-ed25519)')
    .option('--quorum <EXPR>', "who can sign (default '2-of(alice, bob, carol)')")
    .requiredOption('--out <DIR>', 'the folder to make')
    .action(run(async () => (await import('./commands/drill.ts')).drillRun));
  drill
    .command('print')
    .argument('<name>')
    .description('the script of a drill for the room, made from what drill run plays')
    .option('--key <NAME>', 'name of the key')
    .option('--quorum <EXPR>', 'who can sign')
    .action(run(async () => (await import('./commands/drill.ts')).drillPrint));
  drill
    .command('backup')
    .description('really open backups, in memory alone, and compare each with the public share of its epoch')
    .requiredOption('--key <NAME>', 'the key')
    .requiredOption('--backup <FILE...>', 'the backup files')
    .option('--identity <FILE...>', 'age identities, as age-keygen writes them; otherwise the custody keys of this home are tried')
    .option('--passphrase-backup-file <FILE>', 'the passphrase of the backup')
    .requiredOption('--place <TEXT>', 'where it was done')
    .requiredOption('--people <NAMES>', 'who was there', names)
    .option('--exception <TEXT>', 'what was out of the ordinary; repeat for more', listed)
    .option('--due-days <N>', 'days until the next drill (default 365)', number)
    .requiredOption('--out <DIR>', 'the folder to make')
    .action(run(async () => (await import('./commands/drill.ts')).drillBackup));
  drill
    .command('record')
    .argument('<name>')
    .description('record a drill that people played by the printed script; signed by this home')
    .requiredOption('--key <NAME>', 'the key')
    .addOption(new Option('--result <RESULT>').choices(['pass', 'pass-with-exceptions', 'fail']).makeOptionMandatory())
    .requiredOption('--place <TEXT>', 'where it was done')
    .requiredOption('--people <NAMES>', 'who was there', names)
    .requiredOption('--began <TIME>', 'UTC time like 2026-01-31T12:00:00Z')
    .option('--ended <TIME>', 'UTC time (default: now)')
    .option('--noticed <FAULT=WHO:E_CODE>', 'who noticed a fault; repeat for each', listed)
    .option('--step <NUMBER=SECONDS>', 'how long a step took; repeat for more', listed)
    .option('--exception <TEXT>', 'what was out of the ordinary, or failed; repeat for more', listed)
    .option('--folder <DIR>', 'a ceremony folder to keep with the record; repeat for more', listed)
    .option('--due-days <N>', 'days until the next drill (default 365)', number)
    .requiredOption('--out <DIR>', 'the folder to make')
    .action(run(async () => (await import('./commands/drill.ts')).drillRecord));
  drill
    .command('verify')
    .argument('<folder>')
    .description('check the folder of a drill: sums, report, signature; needs no home')
    .option('--card <FILE>', 'the card of whoever should have signed it')
    .action(run(async () => (await import('./commands/drill.ts')).drillVerify));

  const key = program.command('key').description('keys of this home; public facts only');
  key.command('list').description('all keys').action(run(async () => (await import('./commands/key.ts')).keyList));
  key.command('show').argument('<name>').description('one key').action(run(async () => (await import('./commands/key.ts')).keyShow));
  key
    .command('prove')
    .argument('<name>')
    .description('show, offline and signing nothing, that this home still holds its share; or take the proofs of others')
    .option('--challenge <HEX>', '32 bytes that the reader of the proof chose, so that it is surely fresh')
    .option('--out <FILE>', 'the proof file to make (default ./NAME-KEY-epoch-N.proof)')
    .option('--take <FILE...>', 'check and record proofs of others, with --challenge only those that answer it')
    .action(run(async () => (await import('./commands/prove.ts')).keyProve));
  key
    .command('export')
    .argument('<name>')
    .description('the public key in a format of others')
    .addOption(new Option('--format <FORMAT>').choices(['pem', 'raw', 'xpub', 'descriptor', 'jwk']).default('pem'))
    .option('--path <PATH>', 'a non-hardened derivation path')
    .action(run(async () => (await import('./commands/key.ts')).keyExport));

  const backup = program.command('backup').description('backups of shares: made, verified without opening, registered');
  backup
    .command('export')
    .description('encrypt the share of the active epoch, with a public proof where keys allow it')
    .requiredOption('--key <NAME>', 'the key')
    .option('--to <CARD...>', 'who can open it: cards (FILE.card), or recipients of age (age1…)')
    .option('--quorum <EXPR>', "deal it to the cards, under a quorum of theirs: '2-of(c1, c2, c3)'")
    .option('--passphrase-backup-file <FILE>', 'instead of --to: a passphrase of its own; no public proof')
    .option('--site <PLACE>', 'where this copy will be kept')
    .addOption(new Option('--as <FORMAT>', 'the share as another implementation reads it, encrypted to one recipient').choices(['zf-frost', 'lockness']))
    .requiredOption('--out <DIR>', 'folder for the files')
    .action(
      run(async () => {
        const [{ backupExport }, { exportAs }] = await Promise.all([import('./commands/backup.ts'), import('./commands/import.ts')]);
        return (ctx: Context, options: Parameters<typeof backupExport>[1] & { as?: 'zf-frost' | 'lockness' }) => (options.as === undefined ? backupExport(ctx, options) : exportAs(ctx, { ...options, as: options.as }));
      }),
    );
  backup
    .command('verify')
    .argument('<file...>')
    .description('prove that a backup would restore the share of its epoch, without opening it; needs no home')
    .option('--certificate <FILE>', 'the certificate of the epoch that it should be of')
    .option('--card <FILE...>', 'cards of those who should be able to open it: their keys are compared')
    .option('--open', 'open it as well: with --identity, --passphrase-backup-file, or the custody keys of this home')
    .option('--identity <FILE...>', 'age identities, as age-keygen writes them')
    .option('--passphrase-backup-file <FILE>', 'the passphrase of the backup')
    .action(run(async () => (await import('./commands/backup.ts')).backupVerify));
  backup.command('list').description('the register: copies, sites, tests').option('--key <NAME>', 'only of this key').action(run(async () => (await import('./commands/backup.ts')).backupList));
  backup.command('place').argument('<file>').description('register a further copy at its own site').requiredOption('--site <PLACE>', 'where it is kept').action(run(async () => (await import('./commands/backup.ts')).backupPlace));
  backup
    .command('destroyed')
    .argument('<digest>', 'the beginning of its SHA-256, as the register shows it')
    .description('note that a registered backup was destroyed')
    .requiredOption('--key <NAME>', 'the key')
    .requiredOption('--by <TEXT>', 'by whose word')
    .action(run(async () => (await import('./commands/backup.ts')).backupDestroyed));
  backup
    .command('type')
    .argument('<file>')
    .description('read a typed or scanned sheet back into its age file')
    .requiredOption('--out <FILE>', 'the age file to make')
    .option('--digest <HEX>', 'the SHA-256 on the sheet')
    .action(run(async () => (await import('./commands/backup.ts')).backupType));

  program
    .command('recover')
    .description('bring the share of a lost holder back into a home: from its own backup, or from custodians')
    .option('--backup <FILE>', 'the backup file')
    .option('--age <FILE>', 'instead: an age file of a backup')
    .option('--sheet <FILE>', 'instead: the typed or scanned lines of a printed sheet')
    .option('--digest <HEX>', 'with --sheet: the SHA-256 on the sheet')
    .option('--certificate <FILE>', 'the certificate of the epoch, or of a later one')
    .option('--identity <FILE...>', 'age identities, as age-keygen writes them; otherwise the custody keys of this home are tried')
    .option('--passphrase-backup-file <FILE>', 'the passphrase of the backup')
    .option('--forensic', 'a backup of a retired epoch: see that it opens, and keep nothing')
    .option('--request', 'with --backup and --out: ask the custodians of the backup')
    .option('--out <DIR>', 'the folder to make for them')
    .option('--unattended', 'no person compares words; recorded as not compared')
    .option('--release <DIR>', 'as a custodian: release the piece of this home')
    .option('--finish <DIR>', 'check the pieces and put the share together')
    .option('--evidence <FILE>', 'repeat the finding against a custodian who released a false piece; needs no home')
    .option('--card <FILE>', 'with --evidence: the card of the custodian')
    .action(run(async () => (await import('./commands/recover.ts')).recover));

  key
    .command('retire')
    .argument('<name>')
    .description('end this home’s part in a key for good: its shares are destroyed')
    .option('--attest <TEXT>', 'who found, and how, that nothing depends on the key any more')
    .option('--moved-to <TEXT>', 'where what it protected is now')
    .action(run(async () => (await import('./commands/retire.ts')).keyRetire));
  key
    .command('release')
    .argument('<name>')
    .description('a share that was locked because two groups gave the key on may be used again: a person has looked')
    .requiredOption('--reason <TEXT>', 'what was found')
    .action(run(async () => (await import('./commands/retire.ts')).keyRelease));
  key.command('close').argument('<name>').description('is anything left of the epoch before?').action(run(async () => (await import('./commands/retire.ts')).keyClose));

  const intent = program.command('intent').description('what a signature is for');
  intent
    .command('create')
    .description('make and sign an intent')
    .requiredOption('--key <NAME>', 'the key to sign with')
    .requiredOption('--action <ACTION>', 'message: sign a file; digest: sign 32 bytes that were hashed elsewhere (ECDSA)')
    .requiredOption('--file <FILE>', 'the message')
    .requiredOption('--out <FILE>', 'the intent file to make')
    .option('--path <PATH>', 'non-hardened derivation path, for example m/0/5')
    .option('--expires <TIME>', 'UTC time like 2026-01-31T12:00:00Z (default: in 24 hours)')
    .option('--reason <TEXT>', 'why')
    .option('--hash <NAME>', 'ECDSA: sha256 (default) or keccak256')
    .action(run(async () => (await import('./commands/intent.ts')).intentCreate));
  intent.command('show').argument('<file>').description('read an intent').action(run(async () => (await import('./commands/intent.ts')).intentShow));

  const plan = program.command('plan').description('drafts and plans');
  plan
    .command('new')
    .description('a draft from a template')
    .requiredOption('--template <NAME>', 'for example dkg-2of3')
    .option('--out <FILE>', 'the draft to make')
    .action(run(async () => (await import('./commands/plan.ts')).planNew));
  plan.command('check').argument('<file>').description('find every fault of a draft or plan, and say in plain words what it means').action(run(async () => (await import('./commands/plan.ts')).planCheck));
  plan
    .command('print')
    .argument('<file>')
    .description('the printable room script of a plan')
    .option('--out <FILE>', 'the HTML file to make')
    .action(run(async () => (await import('./commands/plan.ts')).planPrint));

  const relay = program.command('relay').description('carry messages over a relay that nobody has to trust');
  relay
    .command('serve')
    .argument('<dir>', 'the folder that holds the parts; made if it is not there')
    .description('run a relay over HTTP on this machine; needs no home')
    .option('--listen <HOST:PORT>', 'where to listen (default 127.0.0.1:8787)')
    .option('--max-bytes <N>', 'most bytes that all parts may take (default 10000000000)', number)
    .option('--tls-key <FILE>', 'key of the server (PEM), with --tls-cert; default: plain HTTP')
    .option('--tls-cert <FILE>', 'certificate chain of the server (PEM)')
    .action(run(async () => (await import('./commands/relay.ts')).relayServe));
  relay.command('status').argument('[folder]').description('which messages of a ceremony lie at the relay, and who is awaited').action(run(async () => (await import('./commands/relay-status.ts')).relayStatus));

  const transcript = program.command('transcript').description('the record: offline, without a home and without a secret');
  transcript
    .command('verify')
    .argument('<path...>')
    .description('check transcripts, messages, proofs and certificate; several copies are checked against each other')
    .action(run(async () => (await import('./commands/transcript.ts')).transcriptVerify));
  transcript.command('show').argument('<file>').description('list the entries of one transcript').action(run(async () => (await import('./commands/transcript.ts')).transcriptShow));

  program.command('doctor').description('is this machine fit?').option('--bundle <FILE>', 'write what support may see: public facts only').action(run(async () => (await import('./commands/doctor.ts')).doctor));
  const note = program.command('note').description('human facts and witness signatures, on the record');
  note.command('exception').argument('[folder]').description('something out of the ordinary').requiredOption('--text <TEXT>', 'what happened').action(run(async () => (await import('./commands/note.ts')).noteException));
  note.command('bag').argument('[folder]').description('a sealed bag: its number and what is in it').requiredOption('--text <TEXT>', 'number and contents').action(run(async () => (await import('./commands/note.ts')).noteBag));
  note.command('witness').argument('<folder>').description('a witness checks the record and signs it').action(run(async () => (await import('./commands/note.ts')).noteWitness));
  program
    .command('completion')
    .argument('<shell>', 'bash, zsh or fish')
    .description('a completion script for the shell')
    .action(run(async () => { const { completion } = await import('./commands/completion.ts'); return (ctx: Context, shell: string) => completion(ctx, shell, program); }));
  program.helpCommand(false);
  program
    .command('help')
    .argument('[topic]', 'a command, exit-codes, errors, actions or protocols')
    .description('help about a command or topic')
    .action(
      run(async () => {
        const { helpTopic } = await import('./commands/help.ts');
        return async (ctx: Context, topic?: string): Promise<ExitCode> => {
          const command = topic === undefined ? program : program.commands.find((c) => c.name() === topic && topic !== 'help');
          if (!command) return helpTopic(ctx, topic as string);
          command.outputHelp();
          return EXIT.ok;
        };
      }),
    );

  try {
    const { operands, unknown } = program.parseOptions([...argv]);
    if (operands.length === 0 && unknown.length === 0) await run(async () => (await import('./commands/hello.ts')).hello)(program);
    else await program.parseAsync([...argv], { from: 'user' });
  } catch (e) {
    if (e instanceof CommanderError && e.exitCode === 0) return EXIT.ok;
    const error =
      e instanceof CommanderError
        ? new CeremonyError('E_USAGE', e.message.replace(/^error: /, ''), { remedy: 'See mpc-ceremony help.' })
        : asCeremonyError(e);
    const json = argv.includes('--json');
    const { Output } = await import('./output.ts');
    return new Output({ json, quiet: false, color: false }).error(error, {});
  }
  return exit;
}
