/**
 * Taking part: everything that is checked before the first cryptographic message. Nothing is durable until all checks
 * have passed; a refusal leaves the home as it was.
 */
import { join as joinPath } from 'node:path';
import { foreignKeyRecord, type ForeignShare } from '../interop/foreign-share.ts';
import { parseCard } from '../plan/card.ts';
import { checkPlan, fromStock, isRekey, type ImportPlan, type KeyingPlan, type Plan, type PresignPlan, planSession, rosterHash, seated, sessionId, type SignPlan } from '../plan/plan.ts';
import { encodePlanFile, MAX_PLAN_FILE_BYTES, parsePlanFile } from '../plan/plan-file.ts';
import { refusal } from '../policy/gate.ts';
import { intentMessage, MAX_INTENT_BYTES, MAX_MESSAGE_BYTES, parseIntent, type SignedIntent } from '../policy/intent.ts';
import type { EntryFacts } from '../transcript/chain.ts';
import { release } from '../transport/folder.ts';
import { ceremonyId } from '../wire/blob.ts';
import { equalBytes, toHex } from '../wire/bytes.ts';
import { canonicalBytes, type Json } from '../wire/canon.ts';
import { type CeremonyError, fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import { formatWords, words } from '../wire/words.ts';
import { baseToStore, folderBase, IMPORTED, requireBase } from './base.ts';
import { requireUnblamed } from './blame.ts';
import { deriveFiles } from './derived-files.ts';
import { step } from './engine.ts';
import { type Home, inHome, ownCard, renewedAt, requireUnlocked } from './home.ts';
import { acceptPrekeys, checkOwnPrekey, checkPrekeys, type Identity, reservePrekey } from './identity.ts';
import { bindIntent } from './intent-memory.ts';
import { acceptStock, activeEpoch, checkRank, requireNoFork, takeRank } from './key-store.ts';
import { interfacesUp, requireMachine } from './machine.ts';
import type { Port, Step } from './port.ts';
import { programDigest } from './program.ts';
import { requireRehearsal } from './rehearsed.ts';
import { certificateFor, contextIn, decideIn } from './signing.ts';
import { CeremonyStore } from './store.ts';
import { utc } from './times.ts';
import { blankTwo } from './word-quiz.ts';

/** A plan file: exact bytes, and their SHA-256 in hex. */
export interface PlanFile {
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/** What joining still needs: a person's word, then the durable promises. */
interface Prepared {
  /** A refusal of the gate: goes on the record, and ends the ceremony for this participant. */
  readonly refused?: { readonly error: CeremonyError; readonly intent: string; readonly decision: string } | undefined;
  readonly confirm: (port: Port) => Promise<void>;
  readonly prepare: (identity: Identity) => void;
}

type Compared = 'typed' | 'scripted' | 'not-compared';

/** Checks that need this home: mode, own seat and card, cards of others that were verified before. */
function checkSeat(home: Home, plan: Plan, file: string): void {
  const card = ownCard(home);
  const { name } = home.facts;
  if (plan.mode !== home.facts.mode)
    fail('E_REHEARSAL', `the plan is for ${plan.mode}, this home for ${home.facts.mode}`, { file, field: 'mode', remedy: 'Use the home that was made for it.' });
  const seat = seated(plan).find((p) => p.name === name);
  if (!seat) fail('E_NOT_PARTICIPANT', `${name} has no seat in this plan`, { file, participant: name, remedy: 'Check --home, and that this is the right folder.' });
  if (seat.identity !== card.ed25519 || seat.homeId !== home.facts.homeId || ('x25519' in seat && seat.x25519 !== card.x25519))
    fail('E_CARD', `the plan holds another card for ${name} than this home's`, { file, participant: name, remedy: 'Give the lead the card of this home, and ask for a new plan.' });
  const renewed = renewedAt(home);
  if (renewed && Date.parse(plan.created) < Math.floor(renewed.getTime() / 1000) * 1000)
    fail('E_ROLLBACK', `this plan was made before this home was renewed (${utc(renewed)}); its newer self may have taken part`, {
      file,
      field: 'created',
      remedy: 'Ask the lead for a further attempt (--again): this home takes part in whatever begins from now on.',
    });
  for (const p of seated(plan)) {
    const path = inHome(home, 'peers', `${p.name}.card`);
    const bytes = p.name === name ? undefined : home.disk.read(path, 65_536);
    if (bytes && parseCard(bytes, path).ed25519 !== p.identity)
      fail('E_CARD', `the plan holds another card for ${p.name} than the one this home knows`, {
        file,
        participant: p.name,
        remedy: `Compare words with ${p.name} in person. If ${p.name} really has a new home: mpc-ceremony peers add NEW.card, then peers verify ${p.name}.`,
      });
  }
}

/**
 * Compares the words of the plan: two are blanked, and the operator types what the lead reads aloud. The lead, who made
 * the plan, has nobody to compare with yet and reads.
 */
async function compareWords(plan: Plan, me: string, port: Port): Promise<Compared> {
  if (!plan.attended || me === plan.lead) return 'not-compared';
  const quiz = blankTwo(words(sessionId(plan).slice(0, 16)));
  const { answer, source } = await port.ask('compare-words', [
    `COMPARE_WORDS  Words of this plan; they cover everybody's keys. ${plan.lead} reads aloud.`,
    ...formatWords(quiz.shown),
    `Type words ${quiz.positions.join(' and ')} as ${plan.lead} reads them, with a space between:`,
  ]);
  if (source === 'scripted')
    fail('E_ATTENDED', 'this plan is attended: a person must compare the words', { field: 'compare-words', remedy: 'Run the command at a terminal, or ask the lead for a plan with attended: false.' });
  if (!quiz.matches(answer))
    fail('E_WORDS', `the words that ${plan.lead} read are not the words of the plan in this folder`, {
      remedy: 'Read all sixteen again, slowly. If they still differ, stop: somebody has changed the plan or a card on the way. Tell the lead.',
    });
  return source;
}

/** A signer reads on its own screen what is to be signed, and types a whole word. @throws E_DECLINED, E_ATTENDED */
async function approve(plan: SignPlan, { intent, hash }: SignedIntent, port: Port): Promise<void> {
  if (!plan.attended) return;
  const { answer, source } = await port.ask('approve', [
    `APPROVE  ${intent.initiator.name} asks to sign with ${intent.keyName} (${intent.algorithm}):`,
    intent.action === 'digest'
      ? '  a DIGEST of 32 bytes that was made elsewhere. NOBODY HERE CAN READ what it stands for.'
      : `  the exact bytes of a message of ${String(intent.payload.size)} bytes${intent.payload.hash === undefined ? '' : `, hashed with ${intent.payload.hash}`}`,
    `  sha256 ${intent.payload.sha256}`,
    ...(intent.path === undefined ? [] : [`  path ${intent.path}`]),
    ...(intent.reason === undefined ? [] : [`  reason: ${intent.reason}`]),
    `  valid until ${intent.expires}, once`,
    'Words of the intent:',
    ...formatWords(words(hash.slice(0, 16))),
    'Type the word approve to sign, anything else to refuse:',
  ]);
  if (source === 'scripted')
    fail('E_ATTENDED', 'this plan is attended: a person must approve', { field: 'approve', remedy: 'Run the command at a terminal, or ask the lead for a plan with attended: false.' });
  if (answer.trim() !== 'approve') fail('E_DECLINED', 'the operator did not approve; nothing was signed', { remedy: 'Tell the lead why. To take part after all: mpc-ceremony join FOLDER.' });
}

/** Reads the plan of a folder. @throws E_MISSING, E_PLAN_FIELD */
export async function readPlan(home: Home, folder: string): Promise<{ plan: Plan; planFile: PlanFile; file: string }> {
  const file = joinPath(folder, 'PLAN.yaml');
  const bytes = home.disk.read(file, MAX_PLAN_FILE_BYTES);
  if (!bytes) fail('E_MISSING', `there is no PLAN.yaml in ${folder}`, { file, remedy: 'Give the ceremony folder that the lead sent.' });
  return { plan: await parsePlanFile(bytes, file), planFile: { bytes, sha256: toHex(sha256(bytes)) }, file };
}

/** Whether this home could join a plan, as far as the plan alone tells. @throws as `checkPlan`; E_REHEARSAL, E_NOT_PARTICIPANT, E_CARD, E_ROLLBACK */
export function checkJoining(home: Home, plan: Plan, file: string, now: Date): void {
  checkPlan(plan, file, now);
  checkSeat(home, plan, file);
}

/** Joins the ceremony of a folder and takes the first step. Joining again continues it. */
export async function join(home: Home, folder: string, port: Port): Promise<Step> {
  requireUnlocked(home);
  const { plan, planFile, file } = await readPlan(home, folder);
  const there = CeremonyStore.find(home, plan);
  if (there) {
    there.moveTo(folder);
    return step(there, folder, port);
  }
  checkJoining(home, plan, file, port.now());
  if (plan.routes) (await import('./route-faults.ts')).tellRoutes(plan, [{ path: 'PLAN.yaml', bytes: planFile.bytes }], port.say);
  return step(await enter(home, plan, folder, planFile, port), folder, port);
}

/**
 * Makes this home part of a checked plan: what is promised for good is written first, the journal's first entry last.
 * Also the lead's way in, right after it made the plan.
 */
export async function enter(home: Home, plan: Plan, folder: string, planFile: PlanFile, port: Port): Promise<CeremonyStore> {
  const session = planSession(plan);
  const id = ceremonyId(session.sid);
  const file = joinPath(folder, 'PLAN.yaml');
  const { prepare, confirm, refused } =
    plan.kind === 'sign' ? await prepareSigning(home, plan, folder, port) : plan.kind === 'presign' ? await preparePresigning(home, plan) : await prepareKeying(home, plan, folder, file, id, port);
  requireMachine(plan);
  const opening = (compared: Compared): EntryFacts => ({
    at: utc(port.now()),
    kind: 'open',
    plan: toHex(session.sid),
    roster: toHex(rosterHash(plan)),
    program: programDigest(),
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    compared,
    network: interfacesUp().length === 0 ? 'off' : 'up',
    subject: { bytes: planFile.bytes.length, sha256: planFile.sha256 },
  });
  const derived = await deriveFiles(plan, planFile.bytes);
  if (refused) {
    const { signer } = await port.unlock();
    CeremonyStore.attach(home, plan, derived);
    const store = CeremonyStore.begin(home, plan, folder, planFile.sha256, opening('not-compared'), signer);
    store.append({ at: utc(port.now()), kind: 'gate', intent: refused.intent, decision: refused.decision, allow: false }, signer);
    store.append({ at: utc(port.now()), kind: 'refused', code: refused.error.code, intent: refused.intent }, signer);
    store.end({ code: refused.error.code, text: refused.error.message });
    release(home.disk, folder, `transcript/${home.facts.name}.jsonl`, store.chainBytes);
    throw refused.error;
  }
  const compared = await compareWords(plan, home.facts.name, port);
  await confirm(port);
  const identity = await port.unlock();
  const { signer } = identity;
  prepare(identity);
  CeremonyStore.attach(home, plan, derived);
  return CeremonyStore.begin(home, plan, folder, planFile.sha256, opening(compared), signer);
}

/** Checks of a plan that makes an epoch; then the promises: one-time key, rank, and what it builds on. */
async function prepareKeying(home: Home, plan: KeyingPlan, folder: string, file: string, id: string, port: Port): Promise<Prepared> {
  const { sealingReady } = await import('../sharing/sealing-group.ts');
  await sealingReady();
  const base = isRekey(plan) ? folderBase(home, plan, folder) : undefined;
  if (plan.kind === 'dkg') {
    if (activeEpoch(home, plan.name))
      fail('E_TWO_SHARES', `this home already holds a share of a key named ${plan.name}`, { file, field: 'name', remedy: 'Choose another name for the new key.' });
    requireRehearsal(home.disk, plan, folder);
  } else {
    requireBase(home, plan, base?.certificate);
    requireNoFork(home, plan.name);
  }
  const { keyingContext } = await import('../protocols/keying.ts');
  keyingContext(plan, base?.certificate);
  const own = plan.participants.find((x) => x.name === home.facts.name);
  // every check before any promise: a plan that is refused must not use up one-time keys
  if (own) checkOwnPrekey(home, own.prekey, id, plan.rank);
  checkPrekeys(home, plan, id);
  const from = base?.certificate.epoch.number ?? 0;
  checkRank(home, plan.name, plan.rank, id, from);
  const imported = plan.kind === 'import' ? ownImport(home, plan, port) : undefined;
  return {
    confirm: () => Promise.resolve(),
    prepare: ({ vault }) => {
      if (own) reservePrekey(home, own.prekey, id, plan.rank);
      acceptPrekeys(home, plan, id);
      takeRank(home, plan.name, plan.rank, id, from);
      if (base) CeremonyStore.attach(home, plan, [baseToStore(base.bytes)]);
      if (imported) vault.put(CeremonyStore.secretPathOf(home, plan, IMPORTED), imported.share);
      imported?.share.fill(0);
    },
  };
}

/** The share that this participant brings into an import, if it is one of those who hand the key over. @throws E_MISSING, E_FOREIGN */
function ownImport(home: Home, plan: ImportPlan, port: Port): ForeignShare | undefined {
  const dealer = plan.dealers.find((d) => d.name === home.facts.name);
  if (!dealer) return undefined;
  const given = port.imported?.() ?? fail('E_MISSING', `${dealer.name} hands over a share of the key, and it was not given`, { participant: dealer.name, field: 'share', remedy: 'mpc-ceremony join FOLDER --share FILE (and --public FILE for a ZF key package).' });
  const same = equalBytes(canonicalBytes(foreignKeyRecord(given.key) as unknown as Json), canonicalBytes(plan.source as unknown as Json));
  if (toHex(given.identifier) !== dealer.identifier || !same) given.share.fill(0);
  if (toHex(given.identifier) !== dealer.identifier || !same)
    fail('E_FOREIGN', 'the share is of another key, scheme, chain code or holder than the plan names', { participant: dealer.name, field: 'share' });
  return given;
}

/** Presigning releases nothing that signs: what is agreed to is the plan. */
async function preparePresigning(home: Home, plan: PresignPlan): Promise<Prepared> {
  const { presigningOf } = await import('../protocols/presign-plan.ts');
  presigningOf(plan, certificateFor(home, plan));
  requireUnblamed(home, plan);
  return { confirm: () => Promise.resolve(), prepare: () => undefined };
}

async function prepareSigning(home: Home, plan: SignPlan, folder: string, port: Port): Promise<Prepared> {
  const intentFile = joinPath(folder, 'intent.json');
  const intentBytes = home.disk.read(intentFile, MAX_INTENT_BYTES) ?? fail('E_MISSING', 'the intent is missing from the folder', { file: intentFile, remedy: 'Bring the whole folder of the lead.' });
  const intent = parseIntent(intentBytes, intentFile);
  const message = intentMessage(intent.intent, home.disk.read(joinPath(folder, 'message.bin'), MAX_MESSAGE_BYTES));
  const ctx = await contextIn(home, plan, intent, message);
  requireUnblamed(home, plan);
  const decision = decideIn(home, ctx, port.now());
  return {
    refused: decision.allow ? undefined : { error: refusal(decision, intentFile), intent: toHex(intent.hash), decision: toHex(decision.hash) },
    confirm: (p) => approve(plan, intent, p),
    prepare: () => {
      if (fromStock(plan)) {
        const used = plan.participants.map((p) => ({ owner: p.name, index: p.stock?.index ?? 0 }));
        acceptStock(home, plan.key.name, plan.key.epoch, ceremonyId(ctx.session.sid), used);
      }
      bindIntent(home, intent, toHex(ctx.session.sid));
      CeremonyStore.attach(home, plan, [
        { path: 'intent.json', bytes: intentBytes },
        { path: 'message.bin', bytes: message },
      ]);
    },
  };
}

/** The plan file as this program writes it. */
export async function planFileOf(plan: Plan): Promise<PlanFile> {
  const bytes = await encodePlanFile(plan);
  return { bytes, sha256: toHex(sha256(bytes)) };
}
