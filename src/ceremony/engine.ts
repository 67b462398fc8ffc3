/**
 * The engine: one step of one participant. It takes in what has arrived, advances as far as that permits, writes what
 * must leave the machine, and says the one thing to do next. It holds nothing open; running it again is harmless.
 *
 * The way of a message: folder → collect → findings (public checks) → make → journal (commit point) → folder.
 */
import { join } from 'node:path';
import { SCHEMES } from '../curves/scheme.ts';
import { dealerSeats, isRekey, schemeOf } from '../plan/plan.ts';
import { awaited, closingOf, closingSlot, dealSlot, type Finding, type Inbound, isComplete, parseEnding, refusalBody, requiredSlots, slotsOf, slotsOfSeat, ABANDON_BODY } from '../protocols/machine.ts';
import { headOf } from '../transcript/chain.ts';
import { MAX_EVIDENCE_BYTES } from '../transcript/evidence.ts';
import { release } from '../transport/folder.ts';
import { type Envelope, makeBlob } from '../wire/blob.ts';
import { toHex } from '../wire/bytes.ts';
import { CeremonyError, type ErrorCode, ERRORS, EXIT, fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import { formatWords, words } from '../wire/words.ts';
import type { ActionCode } from './actions.ts';
import { collect, isOutdated } from './collect.ts';
import type { Driver, Finished, FolderFile, MadeMessage } from './driver.ts';
import { loadDriver } from './load-driver.ts';
import { derivedFiles, sumsFile } from './derived-files.ts';
import { evidenceFile } from './evidence.ts';
import { lockedError, lockHome, requireUnlocked } from './home.ts';
import { requireMachine } from './machine.ts';
import { eraseAllStocks } from './key-store.ts';
import type { Identity } from './identity.ts';
import type { Port, Step } from './port.ts';
import { CeremonyStore } from './store.ts';
import { utc } from './times.ts';

interface Progress {
  readonly did: string[];
  readonly wrote: { path: string; sha256: string }[];
  /** Files of the folder (full path) that were missing, older or damaged. */
  readonly mended: Set<string>;
  files: readonly FolderFile[];
  lines: readonly string[];
  /** Witnesses still to sign, once everything else is there. */
  witnesses: readonly string[];
}

/**
 * One step.
 * @throws CeremonyError with the participant to blame, or what is missing, or why this home must not go on
 */
export async function step(store: CeremonyStore, folder: string, port: Port): Promise<Step> {
  requireUnlocked(store.home);
  requireMachine(store.plan);
  const progress: Progress = { did: [], wrote: [], mended: new Set(), files: [], lines: [], witnesses: [] };
  const collected = collect(store, folder);
  // closed when the home was renewed after a lock: nothing is signed here any more, and nothing of a newer self replaced
  const closed = store.ending?.code === 'E_ROLLBACK';
  if (collected.rollback !== undefined && !closed) {
    // the stocks first: a lock without it would end every later step before they are gone
    eraseAllStocks(store.home);
    CeremonyStore.destroyUses(store.home, () => true);
    lockHome(store.home, collected.rollback, port.now());
    throw lockedError(collected.rollback);
  }
  await adoptCertificate(store, collected.certificates, port, progress);
  if (store.ending && !store.done) {
    if (!closed) releaseAll(store, folder, progress);
    throw endingError(store);
  }
  // a lying peer may stop this ceremony, which it can do anyway, but not lock the home and void its stocks
  if (collected.claim !== undefined && !store.done)
    throw new CeremonyError('E_ROLLBACK', collected.claim, {
      details: ['Either this home is an older copy of itself, or the other transcript is false. Nothing was signed.'],
      remedy: 'Compare with the words on paper and look for a newer copy of this home. If this home is right, tell the lead that the other transcript is false.',
    });
  if (collected.fork && !store.done) throw collected.fork;
  const [double] = collected.equivocations;
  if (double && !store.done) await conclude(store, folder, port, progress, [double]);

  let driver: Driver | undefined;
  const load = async (): Promise<Driver> => (driver ??= await loadDriver(store, port));
  const { seats } = store.session;
  const slots = slotsOfSeat(store.plan, store.seat.leaf, seats);
  const last = closingSlot(store.plan);
  const complete = (messages: Inbound, slot: number): boolean => isComplete(store.plan, slot, seats, messages);

  for (;;) {
    const messages = store.messages();
    if (store.done) {
      const { files, lines } = await (await load()).finished(messages);
      progress.files = files;
      progress.lines = lines;
      break;
    }
    const at = slots.findIndex((s) => !store.sent.has(s.slot));
    const before = at < 0 ? requiredSlots(store.plan).at(-1) : requiredSlots(store.plan).findLast((s) => s.slot < (slots[at]?.slot ?? 0));
    const ready = before === undefined || complete(messages, before.slot);
    const ended = [...(messages.get(last)?.values() ?? [])].some((e) => closingOf(e.body) !== 'close');
    if (!ready && !ended) break;

    if (messages.size > 0 && SCHEMES[schemeOf(store.plan)].protocol === 'cggmp24') port.say('checking the proofs …');
    const findings = await (await load()).findings(messages);
    if (findings.length > 0) await conclude(store, folder, port, progress, findings);
    // where the parts do not add up, everybody who is honest traces before it follows anybody's ending
    const tracing = (await (await load()).traces?.(messages)) === true;
    if (tracing && store.sent.has(last) && !complete(messages, last)) break;
    if (ended && (ready || isEnding(messages, last)) && (!tracing || store.sent.has(last))) await followEnding(store, folder, port, progress, messages, last);
    if (!ready && !tracing) break;

    const slot = tracing ? slotsOf(store.plan).at(-1) : slots[at];
    if (slot && store.sent.has(slot.slot)) break;
    if (!slot) {
      progress.witnesses = await (await load()).missingWitnesses(messages);
      if (progress.witnesses.length > 0) break;
    }
    const identity = await port.unlock();
    if (slot) {
      port.say(`making ${slot.name} …`);
      const made = await recordRefusal(store, folder, port, progress, async () => (await load()).make(slot.slot, messages, identity));
      const place = made.message === 'complaint' ? last : slot.slot;
      await send(store, place, made, messages, port, progress);
      (await load()).sent(place);
    } else {
      const finished = await (await load()).finish(messages, identity);
      record(store, finished, port, identity, progress);
    }
  }
  if (store.plan.attended && store.seat.name === store.plan.lead && progress.did.includes(`round${String(slots[0]?.slot)}.sent`))
    progress.lines = [...progress.lines, 'Words of this plan. Read them aloud when the others join:', ...formatWords(words(store.session.sid.slice(0, 16)))];
  releaseAll(store, folder, progress);
  return report(store, folder, progress, collected.problems);
}

/**
 * A certificate that others completed ends every doubt: a participant that has confirmed takes it up whatever else it was
 * shown, a refusal shown to it alone included (rules C3 and C4; attack row 32).
 */
async function adoptCertificate(store: CeremonyStore, found: readonly { file: string; bytes: Uint8Array }[], port: Port, progress: Progress): Promise<void> {
  const last = closingSlot(store.plan);
  if (store.done || !store.sent.has(last) || found.length === 0) return;
  const driver = await loadDriver(store, port);
  const identity = await port.unlock();
  for (const { file, bytes } of found) {
    let finished;
    try {
      finished = driver.adopt(bytes, file, identity);
    } catch (e) {
      if (e instanceof CeremonyError && e.code === 'E_CERTIFICATE') continue;
      throw e;
    }
    if (!finished) continue;
    record(store, finished, port, identity, progress);
    return;
  }
}

/** Puts the good end on the record; what goes before it is not said twice after a crash. */
function record(store: CeremonyStore, { before, entry }: Finished, port: Port, { signer }: Identity, progress: Progress): void {
  const at = utc(port.now());
  for (const facts of before ?? []) if (!store.journal.some((e) => e.payload.kind === facts.kind && e.payload.epoch === facts.epoch)) store.append({ at, ...facts }, signer);
  store.append({ at, ...entry }, signer);
  progress.did.push(entry.kind);
}

/** A refusal of the gate goes on the record before it is shown (AUD-05). */
async function recordRefusal<T>(store: CeremonyStore, folder: string, port: Port, progress: Progress, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (e) {
    if (!(e instanceof CeremonyError) || e.exit !== EXIT.refused) throw e;
    const { signer } = await port.unlock();
    if (!store.journal.some((j) => j.payload.kind === 'refused' && j.payload.code === e.code)) store.append({ at: utc(port.now()), kind: 'refused', code: e.code }, signer);
    releaseAll(store, folder, progress);
    throw e;
  }
}

/** Whether somebody refused or abandoned, which needs no judgement. */
function isEnding(messages: Inbound, last: number): boolean {
  return [...(messages.get(last)?.values() ?? [])].some((e) => ['refuse', 'abandon'].includes(closingOf(e.body) ?? ''));
}

/** Signs, stores and records a message. The journal entry is the commit point. */
async function send(store: CeremonyStore, slot: number, made: MadeMessage, messages: Inbound, port: Port, progress: Progress): Promise<void> {
  const { signer } = await port.unlock();
  const at = utc(port.now());
  for (const facts of made.before ?? []) store.append({ at, ...facts }, signer);
  const blob = makeBlob(store.session, store.seat, slot, store.head, made.body, signer);
  store.prepare(slot, blob);
  // a complaint is about the deals, whatever round has come since
  const inputs = [...(messages.get(made.message === 'complaint' ? dealSlot(store.plan) : slot - 1)?.values() ?? [])];
  store.append(
    {
      at,
      kind: 'sent',
      slot,
      message: made.message,
      subject: { bytes: blob.length, sha256: toHex(sha256(blob)) },
      ...(inputs.length === 0 ? {} : { inputs: Object.fromEntries(inputs.map((e) => [e.name, toHex(e.hash)])) }),
      ...seenFacts(store, messages),
    },
    signer,
  );
  progress.did.push(`round${String(slot)}.sent`);
}

/** Highest head of every other participant in the messages held. */
function seenFacts(store: CeremonyStore, messages: Inbound): { seen?: Record<string, { hash: string; seq: number }> } {
  const seen: Record<string, { hash: string; seq: number }> = {};
  for (const sent of messages.values())
    for (const e of sent.values()) {
      if (e.leaf === store.seat.leaf || e.head.seq === 0) continue;
      const before = seen[e.name];
      if (!before || before.seq < e.head.seq) seen[e.name] = { hash: toHex(e.head.hash), seq: e.head.seq };
    }
  return Object.keys(seen).length === 0 ? {} : { seen };
}

/** Puts findings on the record, refuses for good where somebody is to blame, and ends the step with the error. */
async function conclude(store: CeremonyStore, folder: string, port: Port, progress: Progress, findings: readonly Finding[]): Promise<never> {
  const finding = findings.find((f) => f.culprit !== undefined) ?? (findings[0] as Finding);
  const participant = store.session.seats.find((s) => s.leaf === finding.culprit)?.name;
  const evidence = evidenceFile(store, finding, participant);
  store.home.disk.makeDir(`${store.dir}/evidence`);
  store.home.disk.write(`${store.dir}/${evidence.path}`, evidence.bytes);
  // two views may still be explained by a message that is under way; a culprit or a degenerate result ends the attempt
  const final = finding.culprit !== undefined || ['E_DEGENERATE', 'E_AUX_COLLISION'].includes(finding.code);
  const identity = await port.unlock();
  if (!store.journal.some((e) => e.payload.kind === 'blamed' && e.payload.code === finding.code && e.payload.participant === participant))
    store.append(
      {
        at: utc(port.now()),
        kind: 'blamed',
        code: finding.code,
        evidence: toHex(sha256(evidence.bytes)),
        ...(participant === undefined ? {} : { participant }),
      },
      identity.signer,
    );
  if (final) {
    if (participant !== undefined) (await loadDriver(store, port)).blame?.(participant);
    await refuse(store, port, progress, refusalBody(finding.code, finding.culprit), 'refuse');
    store.end({ code: finding.code, text: finding.text, ...(participant === undefined ? {} : { participant }) });
  }
  releaseAll(store, folder, progress);
  throw final ? endingError(store) : viewError(finding);
}

/** Sends a refusal or abandonment if the closing slot is still free (rule C1), and destroys what it makes useless. */
async function refuse(store: CeremonyStore, port: Port, progress: Progress, body: Uint8Array, message: 'refuse' | 'abandon'): Promise<void> {
  const last = closingSlot(store.plan);
  if (!store.sent.has(last)) await send(store, last, { message, body }, new Map(), port, progress);
  try {
    (await loadDriver(store, port)).abandon();
  } catch (e) {
    // a plan that cannot be used any more must still come to its end
    if (!(e instanceof CeremonyError)) throw e;
    store.destroySecrets();
  }
}

/** Another participant refused or abandoned: the attempt cannot complete. */
async function followEnding(store: CeremonyStore, folder: string, port: Port, progress: Progress, messages: Inbound, last: number): Promise<void> {
  const others = [...(messages.get(last)?.values() ?? [])].filter((e) => e.leaf !== store.seat.leaf);
  // a refusal comes first: an abandonment may only follow it
  const ending = others.find((e) => closingOf(e.body) === 'refuse') ?? others.find((e) => closingOf(e.body) === 'abandon');
  if (!ending) return;
  const { code, culprit, kind } = parseEnding(ending.body);
  const named = store.session.seats.find((s) => s.leaf === culprit)?.name;
  await refuse(store, port, progress, ABANDON_BODY, 'abandon');
  const identity = await port.unlock();
  if (!store.journal.some((e) => e.payload.kind === 'aborted')) store.append({ at: utc(port.now()), kind: 'aborted', reason: 'refused', participant: ending.name }, identity.signer);
  store.end({
    code: 'E_ABORTED',
    text: kind === 'abandon' ? `${ending.name} ended its part in this attempt` : `${ending.name} refused this attempt: ${code}${named === undefined ? '' : `, and names ${named}`}`,
    participant: ending.name,
  });
  releaseAll(store, folder, progress);
  throw endingError(store);
}

/**
 * Ends this participant's part on the record (rule C1: not after its closing message).
 * @throws E_ABORTED always, once the end is durable
 */
export async function abort(store: CeremonyStore, folder: string, port: Port, reason: 'operator' | 'equivocation' | 'stalled' | 'mistake' | 'suspicion' | 'superseded'): Promise<never> {
  requireUnlocked(store.home);
  const progress: Progress = { did: [], wrote: [], mended: new Set(), files: [], lines: [], witnesses: [] };
  if (store.done) fail('E_USAGE', 'this ceremony is complete; there is nothing to abort');
  if (!store.ending) {
    await refuse(store, port, progress, ABANDON_BODY, 'abandon');
    const { signer } = await port.unlock();
    if (!store.journal.some((e) => e.payload.kind === 'aborted')) store.append({ at: utc(port.now()), kind: 'aborted', reason }, signer);
    store.end({ code: 'E_ABORTED', text: `${store.seat.name} ended its part in this attempt (${reason})`, participant: store.seat.name });
  }
  releaseAll(store, folder, progress);
  throw endingError(store);
}

function endingError(store: CeremonyStore): CeremonyError {
  const ending = store.ending ?? fail('E_INTERNAL', 'no ending');
  const culprit = ending.participant;
  const evidence = store.home.disk.list(`${store.dir}/evidence`).filter((f) => f.endsWith('.json'));
  return new CeremonyError(ending.code, ending.text, {
    ...(culprit === undefined ? {} : { participant: culprit }),
    ...(evidence.length === 0 ? {} : { file: `evidence/${evidence[0] as string}` }),
    details: [endingWords(ending.code), ...dealtWords(store)],
    remedy:
      ERRORS[ending.code][0] === EXIT.refused
        ? 'Ask the lead for a new plan or a new intent.'
        : `Stop. Tell the ceremony lead. A further attempt: mpc-ceremony ${store.plan.kind} --again FOLDER, ${ending.code === 'E_ABORTED' ? 'when the reason is understood' : 'without the one who is named'}.`,
  });
}

/** A dealing cannot be recalled: what an attempt that came to nothing has let out, and what heals it. */
function dealtWords({ plan, seat, sent }: CeremonyStore): string[] {
  if (!isRekey(plan) || !sent.has(dealSlot(plan)) || !dealerSeats(plan).includes(seat.leaf)) return [];
  const receivers = plan.participants.map((p) => p.name).join(', ');
  return [
    `W_DEALT  What ${seat.name} dealt cannot be recalled: enough of ${receivers} together know it, without a certificate too. Let a new epoch of the same key follow soon, by a refresh or a reshare.`,
    ...(plan.kind === 'reshare' ? [`If the dealings of all of ${plan.dealers.map((d) => d.name).join(', ')} went out, these receivers can compute the whole key, and no new epoch heals that.`] : []),
  ];
}

function endingWords(code: ErrorCode): string {
  if (ERRORS[code][0] === EXIT.refused) return 'Nothing was signed. This plan stays refused for this participant.';
  if (code === 'E_ABORTED') return 'This attempt is over for this participant.';
  return 'Nothing secret that depends on the faulty message has left this machine. The signed evidence is kept.';
}

function viewError(finding: Finding): CeremonyError {
  return new CeremonyError(finding.code, finding.text, {
    details: ['Nobody can be blamed yet. Nothing secret has left this machine because of it.'],
    remedy: 'Stop. Bring the other participants’ files here: two signed copies together show who signed both. If nothing turns up: mpc-ceremony abort --reason equivocation.',
  });
}

/** Writes this participant's own files where they are missing, older or damaged. */
function releaseAll(store: CeremonyStore, folder: string, progress: Progress): void {
  const own: FolderFile[] = [...store.sent].map((slot) => ({ path: `round-${String(slot)}/${store.seat.name}.blob`, bytes: (store.ownBlob(slot) as Envelope).bytes }));
  own.push({ path: `transcript/${store.seat.name}.jsonl`, bytes: store.chainBytes });
  const { disk } = store.home;
  for (const name of disk.list(`${store.dir}/evidence`)) {
    const bytes = disk.read(`${store.dir}/evidence/${name}`, MAX_EVIDENCE_BYTES);
    if (bytes) own.push({ path: `evidence/${name}`, bytes });
  }
  const put = (file: FolderFile, derived = false): void => {
    if (release(disk, folder, file.path, file.bytes, derived)) progress.mended.add(join(folder, file.path));
    progress.wrote.push({ path: file.path, sha256: toHex(sha256(file.bytes)) });
  };
  for (const file of [...own, ...progress.files]) put(file);
  for (const file of derivedFiles(store)) put(file, true);
  settleChains(store, folder, put);
  if (store.done) put(sumsFile(disk, folder));
}

/**
 * Others' chains in the folder. While the ceremony runs, a copy that is provably older than its author's messages is taken
 * away, so that it is not carried over the author's newer one; at the end everybody's longest chain is put in its place.
 */
function settleChains(store: CeremonyStore, folder: string, put: (file: FolderFile) => void): void {
  const { disk } = store.home;
  const over = store.done || store.ending !== undefined;
  for (const seat of store.session.seats) {
    if (seat.leaf === store.seat.leaf) continue;
    const kept = store.keptChain(seat.name);
    if (!kept) continue;
    const path = `transcript/${seat.name}.jsonl`;
    if (over) put({ path, bytes: kept });
    else if (disk.exists(join(folder, path)) && isOutdated(store, seat, kept)) disk.erase(join(folder, path));
  }
}

function report(store: CeremonyStore, folder: string, progress: Progress, problems: readonly CeremonyError[]): Step {
  const messages = store.messages();
  const me = store.seat.name;
  const pending = awaited(store.plan, store.session.seats, messages);
  const needs = store.done || !pending ? [] : pending.missing.map((s) => ({ from: s.name, what: `round${String(pending.slot.slot)}` }));
  const head = toHex(headOf(store.journal).hash);
  const who = needs.map((n) => n.from).join(', ');
  const action = (code: ActionCode, text: string): Step['nextAction'] => ({ code, who: me, text });
  const base = { ceremony: store.plan.name, kind: store.plan.kind, attempt: store.plan.attempt, participant: me, did: progress.did, wrote: progress.wrote, needs, head, lines: progress.lines };
  if (store.done) return { ...base, nextAction: action('DONE', 'Done. Keep this folder with the record; power off when you are finished here.'), exit: 0 };
  if (progress.witnesses.length > 0) {
    const names = progress.witnesses.join(', ');
    return {
      ...base,
      needs: progress.witnesses.map((from) => ({ from, what: 'witness' })),
      nextAction: action('WITNESS_SIGN', `Everything is here but the signature of the witness: ${names}. Carry this folder to ${names}, who runs: mpc-ceremony note witness FOLDER`),
      exit: progress.did.length > 0 ? 0 : 10,
    };
  }
  // a message that was made before, and whose way to the folder was cut off, must leave the machine too
  const released = [...store.sent].some((slot) => progress.mended.has(join(folder, `round-${String(slot)}`, `${me}.blob`)));
  if (progress.did.length > 0 || released)
    return { ...base, nextAction: action('CARRY_OUT', `Carry this folder to ${who}, and bring it back with their ${pending?.slot.name ?? 'message'}. Then: mpc-ceremony next FOLDER`), exit: 0 };
  const problem = problems.find((p) => !progress.mended.has(p.facts.file ?? ''));
  if (problem) throw problem;
  return { ...base, nextAction: action('BRING_IN', `Waiting for the ${pending?.slot.name ?? 'message'} of ${who}. Bring the folder here when it has it. Then: mpc-ceremony next FOLDER`), exit: 10 };
}
