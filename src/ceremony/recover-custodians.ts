/**
 * `recover` from custodians. The home that recovers writes a request; every custodian compares its words with the person
 * who recovers, opens its piece in its own home and releases it, encrypted to that request; the home that recovers checks
 * the pieces, names whoever released a false one, and puts a minimal quorum of them together.
 *
 *   DIR/request.json            canonical, signed by the home that recovers
 *   DIR/OWNER-KEY-epoch-N.backup, cards/NAME.card
 *   DIR/pieces/CUSTODIAN.piece  signed by the custodian; nothing secret in it
 *   DIR/evidence/               false pieces, with all that is needed to judge them
 */
import { join } from 'node:path';
import * as v from 'valibot';
import { backupStem, MAX_BACKUP_BYTES, parseBackup, type ParsedBackup } from '../backup/backup-file.ts';
import { custodianOf, makeRelease } from '../backup/make-release.ts';
import { combinePieces } from '../backup/open-backup.ts';
import { openProof } from '../backup/open-proof.ts';
import { cardText, checkReleased, checkRequest, type Compared, encodeRecovery, MAX_PIECE_BYTES, MAX_REQUEST_BYTES, parseReleased, parseRequest, type PieceRecord, type RecoveryRequest, requestDigest, type RequestRecord, requestWords } from '../backup/recovery.ts';
import { encodeRecoveryEvidence, requestName } from '../backup/recovery-evidence.ts';
import { backupCertificate, verifyBackup } from '../backup/verify-backup.ts';
import { x25519Public } from '../backup/x25519.ts';
import { encodeCard, parseCard } from '../plan/card.ts';
import type { Certificate } from '../protocols/epoch.ts';
import { parseQuorum } from '../sharing/expression.ts';
import { select } from '../sharing/quorum.ts';
import { release } from '../transport/folder.ts';
import { equalBytes, toHex } from '../wire/bytes.ts';
import { canonicalBytes } from '../wire/canon.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import { formatWords } from '../wire/words.ts';
import { custodySecrets } from './custody.ts';
import { type Home, inHome, ownCard, requireUnlocked } from './home.ts';
import type { Port } from './port.ts';
import { type Recovery, readBackup, requireGood, trustIn } from './recover.ts';
import { afterRestore, alreadyThere, checkPlaceFor, isSuperseded, keepRestored, refuseSuperseded } from './recover-store.ts';
import { compareEpoch, EPOCH_COMPARED, type EpochCompared } from './recover-words.ts';
import { readRecord } from './record.ts';
import { utc } from './times.ts';
import { blankTwo } from './word-quiz.ts';

const REQUEST = 'request.json';
const MAX_FILES = 128;

/** Places of a request in the home that recovers: in `identity/`, where interrupted erasures are ended. */
const keptRequest = (name: string): string => `recovery-${name}.json`;
/** How the epoch of a request became known to the home that asks. */
const comparedFile = (name: string): string => `recovery-${name}.compared.json`;
const ComparedSchema = v.strictObject({ v: v.literal(1), compared: v.picklist(EPOCH_COMPARED) });
const transportPath = (name: string): string => `identity/recovery-${name}.sealed`;
/** Folder of the pieces that this home released, as they left: its register as a custodian. */
const releasedDir = (home: Home): string => inHome(home, 'identity', 'custody', 'released');

/** What a custodian released, and to whom. Public. */
export function releasedPieces(home: Home): PieceRecord[] {
  const dir = releasedDir(home);
  return home.disk.list(dir).map((f) => parseReleased(home.disk.read(join(dir, f), MAX_PIECE_BYTES) ?? new Uint8Array(), join(dir, f)));
}

/** A file as a step wrote it. */
export interface Wrote {
  readonly path: string;
  readonly sha256: string;
}
const wrote = (path: string, bytes: Uint8Array): Wrote => ({ path, sha256: toHex(sha256(bytes)) });

/** A request as its maker sees it. Public. */
export interface Requested {
  readonly request: RecoveryRequest;
  readonly certificate: Certificate;
  readonly words: readonly string[];
  readonly quorum: string;
  readonly compared: EpochCompared;
  readonly wrote: readonly Wrote[];
}

/**
 * Asks the custodians of a backup: makes a key for this request alone, seals it, and writes request, backup and card.
 * @param out folder to make; absent, or of the same unfinished request
 * @param options unattended (attended false): neither the words of the request nor those of an unknown epoch are compared
 * @throws as the checks of `recoverOwn`; E_BACKUP_BAD when it was not dealt to custodians; E_TWO_SHARES when this home asks
 *   for another share of the key already; E_EXISTS
 */
export async function requestPieces(home: Home, file: string, options: { readonly certificate?: string | undefined; readonly attended: boolean; readonly out: string }, port: Port): Promise<Requested> {
  requireUnlocked(home);
  const { backup, certificate } = readBackup(home.disk, file);
  const { same, newer } = trustIn(home.disk, certificate, options.certificate);
  requireGood(verifyBackup(backup, same), file);
  const { record } = backup;
  const custodians = record.custodians ?? fail('E_BACKUP_BAD', 'this backup was not dealt to custodians', { file, field: 'custodians', remedy: 'Open it with mpc-ceremony recover --backup FILE.' });
  const later = isSuperseded(home, certificate, newer);
  if (later !== undefined) refuseSuperseded(certificate, later);
  checkPlaceFor(home, certificate, record.owner, false);
  for (const other of openRequests(home))
    if (other.record.key.id === certificate.epoch.key.id && other.record.owner !== record.owner)
      fail('E_TWO_SHARES', `this home asks for the share of ${other.record.owner} already`, { participant: record.owner, remedy: 'Restore every share in a home of its own, on a machine of its own.' });
  if (home.disk.exists(join(options.out, REQUEST))) fail('E_EXISTS', 'there is a request in this folder already', { file: join(options.out, REQUEST), remedy: 'Give another folder with --out, or go on with this one: mpc-ceremony recover --finish DIR.' });
  const compared = await compareEpoch(home, certificate, same, !options.attended, port);
  const { signer, vault } = await port.unlock();
  if (alreadyThere(home, vault, certificate, record.owner)) fail('E_EXISTS', `the share of ${record.owner} was restored in this home already`, { remedy: afterRestore(certificate, record.owner, home.facts.name)[1] });

  const secret = port.random(32);
  const card = ownCard(home);
  const unsigned: Omit<RequestRecord, 'sig'> = {
    v: 1,
    type: 'mpc-ceremony/recovery-request',
    session: toHex(port.random(16)),
    mode: home.facts.mode,
    backup: backup.sha256,
    key: { name: certificate.epoch.key.name, id: certificate.epoch.key.id },
    epoch: certificate.epoch.number,
    certificate: toHex(certificate.digest),
    owner: record.owner,
    card: cardText(card),
    transport: toHex(x25519Public(secret)),
    attended: options.attended,
    made: utc(port.now()),
  };
  const bytes = encodeRecovery({ ...unsigned, sig: toHex(signer.sign(requestDigest(unsigned))) });
  const request = parseRequest(bytes, REQUEST);
  vault.put(transportPath(requestName(request)), secret);
  secret.fill(0);
  home.disk.write(inHome(home, 'identity', comparedFile(requestName(request))), canonicalBytes({ v: 1, compared }));
  home.disk.write(inHome(home, 'identity', keptRequest(requestName(request))), bytes);
  const files: readonly (readonly [string, Uint8Array])[] = [
    [`${backupStem(record)}.backup`, backup.bytes],
    [`cards/${card.name}.card`, encodeCard(card)],
    [REQUEST, bytes],
  ];
  for (const [path, contents] of files) release(home.disk, options.out, path, contents);
  return { request, certificate, words: requestWords(request.digest), quorum: custodians.quorum, compared, wrote: files.map(([path, contents]) => wrote(path, contents)) };
}

/** Requests of this home whose key is still there. */
function openRequests(home: Home): RecoveryRequest[] {
  const dir = inHome(home, 'identity');
  return home.disk
    .list(dir)
    .filter((f) => /^recovery-[0-9a-f]{16}\.json$/.test(f) && home.disk.exists(join(dir, f.replace(/\.json$/, '.sealed'))))
    .map((f) => parseRequest(home.disk.read(join(dir, f), MAX_REQUEST_BYTES) ?? new Uint8Array(), join(dir, f)));
}

/** Destroys the keys of all requests for this share: pieces that still travel open nowhere any more. */
function forgetRequests(home: Home, { record }: RecoveryRequest): void {
  for (const open of openRequests(home)) if (open.record.key.id === record.key.id && open.record.owner === record.owner) home.disk.erase(inHome(home, transportPath(requestName(open))));
}

/** Request and backup of a folder, one for the other; the request with its signature, the backup as far as its form and certificate. */
function readFolder(home: Home, dir: string): { request: RecoveryRequest; backup: ParsedBackup; certificate: Certificate } {
  const { disk } = home;
  const file = join(dir, REQUEST);
  const request = parseRequest(disk.read(file, MAX_REQUEST_BYTES) ?? fail('E_MISSING', 'there is no request in this folder', { file, remedy: 'Give the folder that recover --request made.' }), file);
  if (request.record.mode !== home.facts.mode) fail('E_REHEARSAL', `the request is for ${request.record.mode}, this home for ${home.facts.mode}`, { file, field: 'mode', remedy: 'Use the home that was made for it.' });
  const names = disk.list(dir).filter((f) => f.endsWith('.backup'));
  const found = names.slice(0, MAX_FILES).map((f) => join(dir, f)).find((path) => toHex(sha256(disk.read(path, MAX_BACKUP_BYTES) ?? new Uint8Array())) === request.record.backup);
  if (found === undefined)
    return names.length === 0
      ? fail('E_MISSING', 'the backup is missing from this folder', { file: dir, remedy: 'Bring the whole folder of the home that recovers.' })
      : fail('E_RECOVERY', 'the backup in this folder is not the one that the request names', { file: join(dir, names[0] ?? ''), field: 'backup', remedy: 'Bring request and backup again, together.' });
  const backup = parseBackup(disk.read(found, MAX_BACKUP_BYTES) ?? new Uint8Array(), found);
  const certificate = backupCertificate(backup);
  checkRequest(request, backup, certificate, file);
  return { request, backup, certificate };
}

/** A released piece as its custodian sees it. Public. */
export interface Released {
  readonly request: RecoveryRequest;
  readonly custodian: string;
  readonly piece: PieceRecord;
  /** The same bytes left before. */
  readonly again: boolean;
  readonly wrote: readonly Wrote[];
}

/**
 * A custodian's part: compares the words of the request with the person who recovers, opens its piece, encrypts it to the
 * request, and notes the release in this home before the piece leaves it. The same request gets the same bytes again.
 * @param unattended no words are compared: only where the request says so too, and only once for a backup
 * @param trusted file of a certificate that the custodian trusts: of the backup's epoch, or a later one
 * @throws E_BACKUP_KEY when this home is no custodian of the backup; E_TWO_SHARES when the home that asks holds, or was
 *   given, another share; E_EPOCH when this home knows a later epoch; E_CARD when it knows another card of that name;
 *   E_ATTENDED, E_WORDS, E_PERSON; what is wrong with request or backup
 */
export async function releasePiece(home: Home, dir: string, unattended: boolean, port: Port, trusted?: string): Promise<Released> {
  requireUnlocked(home);
  const { request, backup, certificate } = readFolder(home, dir);
  const { record, card } = request;
  const { same: epochGiven, newer } = trustIn(home.disk, certificate, trusted);
  const later = isSuperseded(home, certificate, newer);
  if (later !== undefined) refuseSuperseded(certificate, later);
  const known = home.disk.read(inHome(home, 'peers', `${card.name}.card`), 65_536);
  if (known && parseCard(known, `peers/${card.name}.card`).ed25519 !== card.ed25519)
    fail('E_CARD', `the request comes from another home than the ${card.name} that this home knows`, { participant: card.name, file: join(dir, REQUEST), remedy: `Ask ${card.name} in person. If there really is a new home, it needs another name.` });
  const before = releasedPieces(home);
  const twice = before.find((p) => p.key.id === record.key.id && p.owner !== record.owner && (p.to.identity === card.ed25519 || p.to.homeId === card.homeId));
  if (twice) fail('E_TWO_SHARES', `a piece of the share of ${twice.owner} was released to ${card.name} at ${twice.at}; that home would hold two shares`, { participant: card.name, remedy: 'Every share is restored in a home of its own, on a machine of its own.' });
  const name = requestName(request);
  const same = home.disk.read(join(releasedDir(home), `${name}.piece`), MAX_PIECE_BYTES);
  // a certificate of another key or epoch stops it also when the piece left before
  if (!same || epochGiven) requireGood(verifyBackup(backup, epochGiven), backup.file);
  if (same) return put(home, dir, request, same, true);

  const { vault, signer } = await port.unlock();
  const keys = custodySecrets(home, vault);
  try {
    const own = keys.find((k) => custodianOf(backup, k.secret) !== undefined) ?? fail('E_BACKUP_KEY', `this home is no custodian of the backup; they are ${(backup.record.custodians?.roster ?? []).map((c) => c.name).join(', ')}`, { file: backup.file });
    const repeated = before.some((p) => p.backup === record.backup);
    const compared = await compareWords(request, repeated, unattended, port);
    const bytes = makeRelease(request, backup, certificate, own.secret, compared, utc(port.now()), signer, port.random);
    home.disk.makeDir(releasedDir(home));
    home.disk.write(join(releasedDir(home), `${name}.piece`), bytes);
    return put(home, dir, request, bytes, false);
  } finally {
    for (const k of keys) k.secret.fill(0);
  }
}

function put(home: Home, dir: string, request: RecoveryRequest, bytes: Uint8Array, again: boolean): Released {
  const piece = parseReleased(bytes, 'piece');
  const path = `pieces/${piece.custodian.name}.piece`;
  release(home.disk, dir, path, bytes);
  return { request, custodian: piece.custodian.name, piece, again, wrote: [wrote(path, bytes)] };
}

/** Compares the words of a request: two are blanked, and the operator types what the person who recovers reads aloud. */
async function compareWords({ record, card, digest }: RecoveryRequest, repeated: boolean, unattended: boolean, port: Port): Promise<Compared> {
  if (unattended) {
    if (record.attended) fail('E_ATTENDED', 'this request is attended: a person must compare its words', { field: 'unattended', remedy: `Leave out --unattended, and let ${card.name} read the words.` });
    if (repeated) fail('E_ATTENDED', 'this home released its piece of this backup before; once more only after a person has compared the words', { field: 'unattended', remedy: `Leave out --unattended, and let ${card.name} read the words.` });
    return 'not-compared';
  }
  const quiz = blankTwo(requestWords(digest));
  const { answer, source } = await port.ask('release-piece', [
    `COMPARE_WORDS  ${card.name} asks for the piece of this home, to restore the share of ${record.owner} in ${record.key.name}, epoch ${String(record.epoch)}.`,
    ...(repeated ? ['THIS HOME RELEASED ITS PIECE OF THIS BACKUP BEFORE. Ask why it is needed again.'] : []),
    `Know whom you talk to: in the room, or by a voice and a number that you knew before. ${card.name} reads aloud.`,
    ...formatWords(quiz.shown),
    `Type words ${quiz.positions.join(' and ')} as ${card.name} reads them, with a space between:`,
  ]);
  if (source === 'scripted' && (record.attended || repeated)) fail('E_ATTENDED', 'a person must compare the words of this request', { field: 'release-piece', remedy: 'Run the command at a terminal.' });
  if (!quiz.matches(answer))
    fail('E_WORDS', `the words that ${card.name} read are not those of the request in this folder; nothing was released`, { participant: card.name, remedy: 'Read all sixteen again, slowly. If they still differ, stop: somebody else asks, or has changed the request on the way.' });
  return source;
}

/** A piece that cannot be used, and why. */
export interface BadPiece {
  readonly file: string;
  readonly error: CeremonyError;
  /** The custodian who signed a false piece, where this home knows its identity key. */
  readonly culprit?: string;
  readonly evidence?: string;
}

/** How a recovery from custodians ended. */
export interface Combined extends Recovery {
  /** Custodians whose pieces were used. */
  readonly used: readonly string[];
  readonly bad: readonly BadPiece[];
}

interface GoodPiece {
  readonly piece: PieceRecord;
  readonly statement: ReturnType<typeof checkReleased>['statement'];
  readonly proof: Uint8Array;
}

/**
 * Puts the pieces of a folder together and keeps the share. Pieces that cannot be used are passed over; whoever signed a
 * false one is named, with evidence in the folder.
 * @throws E_MISSING when this home did not make the request; E_RECOVERY when the request was changed; E_PIECE naming the
 *   custodian, E_REQUEST, E_SIGNATURE when too few good pieces are left because of such a one; E_QUORUM when too few came
 */
export async function finishRecovery(home: Home, dir: string, port: Port): Promise<Combined> {
  requireUnlocked(home);
  const { request, backup, certificate } = readFolder(home, dir);
  const { owner } = backup.record;
  const name = requestName(request);
  // this home verified the backup when it asked: the kept request names its hash
  const kept = home.disk.read(inHome(home, 'identity', keptRequest(name)), MAX_REQUEST_BYTES);
  if (!kept || !equalBytes(kept, request.bytes)) {
    const mine = request.card.ed25519 === ownCard(home).ed25519;
    const facts = { file: join(dir, REQUEST), remedy: 'Bring the request again as this home made it, or make a new one: mpc-ceremony recover --request.' };
    return mine ? fail('E_RECOVERY', 'this is not the request that this home made', facts) : fail('E_NOT_PARTICIPANT', `the request was made by ${request.card.name}, not by this home`, { ...facts, participant: request.card.name, remedy: 'A custodian runs mpc-ceremony recover --release DIR.' });
  }
  const later = isSuperseded(home, certificate, undefined);
  if (later !== undefined) refuseSuperseded(certificate, later);
  const { vault } = await port.unlock();
  checkPlaceFor(home, certificate, owner, false);
  const done = (did: Recovery['did'], used: readonly string[], bad: readonly BadPiece[]): Combined => ({ did, certificate, owner, used, bad, lines: afterRestore(certificate, owner, home.facts.name) });
  if (alreadyThere(home, vault, certificate, owner)) {
    forgetRequests(home, request);
    return done('already-restored', [], []);
  }
  const compared = readRecord(home.disk, inHome(home, 'identity', comparedFile(name)), ComparedSchema, 'how the words of the epoch were compared')?.compared;
  const secret = vault.get(transportPath(name)) ?? fail('E_STATE', 'the key of this request is not in this home any more', { file: transportPath(name), remedy: 'Make a new request: mpc-ceremony recover --request.' });
  const opened = new Map<number, Uint8Array>();
  try {
    const { good, bad } = readPieces(home, dir, request, backup, certificate);
    const quorum = parseQuorum(backup.record.custodians?.quorum ?? fail('E_INTERNAL', 'no custodians'));
    const leaves = select(quorum, new Set([...good.values()].map((g) => g.piece.custodian.name)));
    if (!leaves) return tooFew(good, bad, quorum.text);
    for (const leaf of leaves) {
      const g = good.get(leaf.id) ?? fail('E_INTERNAL', 'no such piece');
      opened.set(leaf.id, openProof(g.statement, g.proof, secret));
    }
    const share = combinePieces(backup, certificate, opened);
    try {
      keepRestored(home, vault, certificate, owner, share, { from: 'custodians', source: backup.sha256, ...(compared === undefined ? {} : { compared }) }, utc(port.now()));
    } finally {
      share.fill(0);
    }
    forgetRequests(home, request);
    return { ...done('restored', leaves.map((l) => l.name), bad), ...(compared === undefined ? {} : { compared }) };
  } finally {
    secret.fill(0);
    for (const scalar of opened.values()) scalar.fill(0);
  }
}

/** All pieces of a folder, each checked; what they are called does not matter. Evidence is written for false ones. */
function readPieces(home: Home, dir: string, request: RecoveryRequest, backup: ParsedBackup, certificate: Certificate): { good: Map<number, GoodPiece>; bad: BadPiece[] } {
  const good = new Map<number, GoodPiece>();
  const bad: BadPiece[] = [];
  const expected = new Set((backup.record.custodians?.roster ?? []).map((c) => `${c.name}.piece`));
  const there = home.disk.list(join(dir, 'pieces')).filter((f) => f.endsWith('.piece'));
  // the custodians' own file names first: whatever else lies there takes no place from them
  const files = [...there.filter((f) => expected.has(f)), ...there.filter((f) => !expected.has(f))].slice(0, MAX_FILES);
  for (const file of files.map((f) => join(dir, 'pieces', f))) {
    let bytes: Uint8Array | undefined;
    let piece: PieceRecord | undefined;
    try {
      bytes = home.disk.read(file, MAX_PIECE_BYTES) ?? new Uint8Array();
      piece = parseReleased(bytes, file);
      requireKnown(home, piece, file);
      const checked = checkReleased(piece, request, backup, certificate, file);
      if (!good.has(piece.custodian.leaf)) good.set(piece.custodian.leaf, { piece, ...checked });
    } catch (e) {
      if (!(e instanceof CeremonyError)) throw e;
      bad.push(judged(home, dir, request, backup, file, e, bytes, piece));
    }
  }
  return { good, bad };
}

/** @throws E_CARD when this home knows another identity key of the custodian */
function requireKnown(home: Home, { custodian, identity }: PieceRecord, file: string): void {
  const card = knownIdentity(home, custodian.name);
  if (card !== undefined && card !== identity) fail('E_CARD', `the piece of ${custodian.name} is signed by another identity than the one that this home knows`, { file, field: 'identity', remedy: `Ask ${custodian.name} in person.` });
}

/** Identity key (hex) of a name, from the card that this home has of it. @throws E_CARD when that card is damaged */
export function knownIdentity(home: Home, name: string): string | undefined {
  if (name === home.facts.name) return ownCard(home).ed25519;
  const path = inHome(home, 'peers', `${name}.card`);
  const bytes = home.disk.read(path, 65_536);
  return bytes && parseCard(bytes, path).ed25519;
}

function judged(home: Home, dir: string, request: RecoveryRequest, backup: ParsedBackup, file: string, error: CeremonyError, bytes: Uint8Array | undefined, piece: PieceRecord | undefined): BadPiece {
  if (error.code !== 'E_PIECE' || !piece || !bytes) return { file, error };
  const { name } = piece.custodian;
  const evidence = `evidence/${home.facts.name}-piece-${name}-${toHex(sha256(bytes)).slice(0, 8)}.json`;
  release(home.disk, dir, evidence, encodeRecoveryEvidence(name, request, backup, bytes));
  if (knownIdentity(home, name) !== undefined) return { file, error, culprit: name, evidence };
  // the signature is that of the key in the piece; whose key that is, only a card tells
  const { participant: _, ...facts } = error.facts;
  const text = `${error.message}; whether it is really from ${name}, only its card can tell (identity key ${piece.identity.slice(0, 16)}…)`;
  return { file, error: new CeremonyError('E_PIECE', text, { ...facts, remedy: `Get the card of ${name}: mpc-ceremony peers add FILE.card. Then repeat.` }), evidence };
}

function tooFew(good: ReadonlyMap<number, GoodPiece>, bad: readonly BadPiece[], quorum: string): never {
  const have = [...good.values()].map((g) => g.piece.custodian.name);
  const first = bad.find((b) => b.culprit !== undefined) ?? bad.find((b) => b.error.code === 'E_PIECE') ?? bad[0];
  const details = [...have.map((n) => `✓ the piece of ${n} is good`), ...bad.map((b) => `✗ ${b.error.message}`)];
  if (first) throw new CeremonyError(first.error.code, first.error.message, { ...first.error.facts, details, cause: first.error });
  return fail('E_QUORUM', `${have.length === 0 ? 'no piece is here' : `only the pieces of ${have.join(' and ')} are here`}; the custodians' quorum is ${quorum}`, { details, remedy: 'Carry the folder to further custodians: mpc-ceremony recover --release DIR. Then repeat.' });
}

