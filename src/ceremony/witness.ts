/** Witnesses and human facts on the record. */
import { join } from 'node:path';
import { checkPlan, isKeying, isRekey, type KeyingPlan, planSession, witnessesOf } from '../plan/plan.ts';
import { dkgContext, dkgFindings } from '../protocols/dkg.ts';
import { anybody } from '../protocols/crew.ts';
import { completeCertificate } from '../protocols/epoch.ts';
import type { KeyingResult } from '../protocols/keying.ts';
import { closingSlot, type Finding, type Inbound } from '../protocols/machine.ts';
import { rekeyContext, rekeyFindings } from '../protocols/rekey.ts';
import { sealingReady } from '../sharing/sealing-group.ts';
import { headOf, nextEntry, encodeChain, parseChain, MAX_CHAIN_BYTES } from '../transcript/chain.ts';
import { release, scanFolder } from '../transport/folder.ts';
import { ceremonyId, type Envelope, openBlob } from '../wire/blob.ts';
import { toHex } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import { folderBase } from './base.ts';
import { type Home, inHome, requireUnlocked } from './home.ts';
import { readPlan } from './join.ts';
import type { Port, Step } from './port.ts';
import type { CeremonyStore } from './store.ts';
import { utc } from './times.ts';

/** The checks of a ceremony that makes an epoch, on what lies in its folder. @throws E_MISSING without the certificate that it builds on */
function judge(home: Home, plan: KeyingPlan, folder: string, messages: Inbound): Promise<{ findings: readonly Finding[]; result?: KeyingResult }> {
  if (!isRekey(plan)) return dkgFindings(dkgContext(plan), messages, anybody);
  return rekeyFindings(rekeyContext(plan, folderBase(home, plan, folder)?.certificate), messages, anybody);
}

/**
 * A witness checks the whole public record of a ceremony that makes an epoch by itself and signs what it saw: the epoch,
 * and the head of the chain of everybody who confirmed it.
 * @throws E_NOT_PARTICIPANT when the plan names no such witness, E_MISSING while messages are missing, or the first fault
 */
export async function witness(home: Home, folder: string, port: Port): Promise<Step> {
  requireUnlocked(home);
  const { plan, file } = await readPlan(home, folder);
  checkPlan(plan, file, new Date(plan.created));
  const { name } = home.facts;
  const { signer } = await port.unlock();
  const seat = witnessesOf(plan).find((w) => w.name === name && w.identity === toHex(signer.publicKey));
  if (!isKeying(plan) || !seat) fail('E_NOT_PARTICIPANT', `the plan names no witness ${name} with the card of this home`, { file, participant: name });
  const session = planSession(plan);
  const messages = new Map<number, Map<number, Envelope>>();
  for (const { bytes, hint } of scanFolder(home.disk, folder).blobs) {
    if (hint?.ceremony !== ceremonyId(session.sid)) continue;
    const e = openBlob(bytes, session);
    const slot = messages.get(e.slot) ?? new Map<number, Envelope>();
    const before = slot.get(e.leaf);
    if (before && toHex(before.hash) !== toHex(e.hash)) fail('E_EQUIVOCATION', `${e.name} signed two different messages for one slot`, { participant: e.name });
    slot.set(e.leaf, e);
    messages.set(e.slot, slot);
  }
  await sealingReady();
  const { findings, result } = await judge(home, plan, folder, messages);
  const [finding] = findings;
  if (finding) fail(finding.code, finding.text, { participant: session.seats.find((s) => s.leaf === finding.culprit)?.name });
  const confirms = messages.get(closingSlot(plan)) ?? new Map<number, Envelope>();
  const members = session.seats.slice(0, plan.participants.length);
  if (!result || members.some((s) => !confirms.has(s.leaf)))
    fail('E_MISSING', 'not every participant has confirmed yet', { file: folder, remedy: 'Wait until all confirmations are in the folder, then run the command again.' });
  const certificate = completeCertificate(result.epoch, session, confirms);

  const owner = { author: name, identity: signer.publicKey, ceremony: ceremonyId(session.sid) };
  const own = inHome(home, 'witnessed', `${owner.ceremony}.jsonl`);
  const bytes = home.disk.read(own, MAX_CHAIN_BYTES);
  let entries = bytes ? parseChain(bytes, owner) : [];
  const digest = toHex(certificate.digest);
  if (!entries.some((e) => e.payload.kind === 'witness' && e.payload.epoch === digest)) {
    const heads = Object.fromEntries(members.map((s) => [s.name, toHex((confirms.get(s.leaf) as Envelope).head.hash)]));
    entries = [...entries, nextEntry(entries, owner, { at: utc(port.now()), kind: 'witness', plan: toHex(session.sid), epoch: digest, result: certificate.sha256, heads }, signer)];
    home.disk.makeDir(inHome(home, 'witnessed'));
    home.disk.write(own, encodeChain(entries));
  }
  release(home.disk, folder, `transcript/${name}.jsonl`, encodeChain(entries));
  return {
    ceremony: plan.name,
    kind: plan.kind,
    attempt: plan.attempt,
    participant: name,
    did: ['witness'],
    wrote: [{ path: `transcript/${name}.jsonl`, sha256: toHex(sha256(encodeChain(entries))) }],
    needs: [],
    head: toHex(headOf(entries).hash),
    lines: [`✓ ${name} has checked every message and proof of this ${plan.kind === 'dkg' ? 'key generation' : plan.kind}, and signed the epoch.`],
    nextAction: { code: 'CARRY_OUT', who: name, text: 'Carry this folder back to the participants. Each runs: mpc-ceremony next FOLDER' },
    exit: 0,
  };
}

/**
 * Puts a human fact on the record: the text goes into evidence/, its hash into the signed journal.
 * @param kind `exception` or `bag`
 */
export async function noteFact(store: CeremonyStore, folder: string, kind: 'exception' | 'bag', text: string, port: Port): Promise<{ file: string; head: string }> {
  requireUnlocked(store.home);
  if (text.trim() === '' || text.length > 4096) fail('E_USAGE', 'the text must have 1 to 4096 characters', { field: 'text' });
  const { signer } = await port.unlock();
  const bytes = new TextEncoder().encode(`${kind}, noted by ${store.seat.name} at ${utc(port.now())}\n\n${text}\n`);
  const path = `evidence/${kind}-${store.seat.name}-${String(store.head.seq + 1)}.txt`;
  store.home.disk.makeDir(join(store.dir, 'evidence'));
  store.home.disk.write(join(store.dir, path), bytes);
  const entry = store.append({ at: utc(port.now()), kind: 'exception', message: kind, evidence: toHex(sha256(bytes)) }, signer);
  release(store.home.disk, folder, path, bytes);
  release(store.home.disk, folder, `transcript/${store.seat.name}.jsonl`, store.chainBytes);
  return { file: path, head: entry.hash };
}
