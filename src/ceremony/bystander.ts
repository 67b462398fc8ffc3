/**
 * A home that is behind: the key was given on without it, or without its knowing, since it is an older copy. It checks the whole public record by itself,
 * and with the complete certificate takes up the new epoch, destroying what it holds (rules C4a, P6). Nobody can make such a record without the shares
 * of an old quorum, since every dealer proves knowledge of its part of the key: a courier cannot talk a holder out of its
 * share.
 */
import { isRekey, planSession, type RekeyPlan, seated, witnessesOf } from '../plan/plan.ts';
import { type Certificate, completeCertificate } from '../protocols/epoch.ts';
import { roundOf } from '../protocols/keying.ts';
import type { Inbound } from '../protocols/machine.ts';
import { rekeyContext, rekeyFindings } from '../protocols/rekey.ts';
import { sealingReady } from '../sharing/sealing-group.ts';
import { parseChain } from '../transcript/chain.ts';
import { release, scanFolder } from '../transport/folder.ts';
import { ceremonyId, type Envelope, openBlob } from '../wire/blob.ts';
import { fromHex, toHex } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import { folderBase } from './base.ts';
import { type Home, requireUnlocked } from './home.ts';
import { readPlan } from './join.ts';
import { activate, activeEpoch, forkActive, retireLower } from './key-store.ts';
import type { Port, Step } from './port.ts';
import { destructionStatement, storedStatement } from './retire.ts';
import { CeremonyStore } from './store.ts';
import { utc } from './times.ts';

/**
 * The plan of a folder that gave a key of this home on, if this home has no seat in it, or was restored since it had one.
 * @throws E_MISSING, E_PLAN_FIELD
 */
export async function givenOn(home: Home, folder: string): Promise<RekeyPlan | undefined> {
  const { plan } = await readPlan(home, folder);
  const seat = seated(plan).some((p) => p.name === home.facts.name && p.homeId === home.facts.homeId);
  if (!isRekey(plan) || (seat && CeremonyStore.find(home, plan)?.ending?.code !== 'E_ROLLBACK')) return undefined;
  return 'key' in plan && activeEpoch(home, plan.name)?.epoch.key.id === plan.key.id ? plan : undefined;
}

/** Messages of the folder, each signed by its seat. @throws E_EQUIVOCATION, and what openBlob throws */
function messagesIn(home: Home, folder: string, plan: RekeyPlan): Inbound {
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
  return messages;
}

/** @throws E_WITNESS when a witness of the plan has not signed the epoch */
function requireWitnesses(home: Home, folder: string, plan: RekeyPlan, certificate: Certificate): void {
  const chains = scanFolder(home.disk, folder).chains;
  for (const { name, identity } of witnessesOf(plan)) {
    const signed = chains.some(({ bytes }) => {
      try {
        const entries = parseChain(bytes, { author: name, identity: fromHex(identity), ceremony: ceremonyId(certificate.session.sid) });
        return entries.some((e) => e.payload.kind === 'witness' && e.payload.epoch === toHex(certificate.digest));
      } catch {
        return false;
      }
    });
    if (!signed) fail('E_WITNESS', `the witness ${name} has not signed this epoch`, { participant: name, remedy: 'Bring the folder again when the witness has signed.' });
  }
}

/**
 * Takes up a certificate that leaves this home out, and destroys what it holds of the key.
 * @throws E_MISSING while the certificate is not complete, the first fault of the record, E_FORK when it builds on another
 *   epoch than the one in force here
 */
export async function takeUp(home: Home, plan: RekeyPlan, folder: string, port: Port): Promise<Step> {
  requireUnlocked(home);
  const step = (done: boolean, lines: readonly string[], wrote: Step['wrote']): Step => ({
    ceremony: plan.name, kind: plan.kind, attempt: plan.attempt, participant: home.facts.name, did: done ? ['destroyed'] : [], wrote, needs: [], head: '0'.repeat(64), lines,
    nextAction: { code: 'DONE', who: home.facts.name, text: 'Done. This home holds no share of this epoch. Carry the folder back, so that the others have its statement.' },
    exit: 0,
  });
  const put = (): Step['wrote'] => {
    const bytes = storedStatement(home, plan.name, plan.rank);
    if (!bytes) return [];
    const path = `destroyed/${home.facts.name}.json`;
    release(home.disk, folder, path, bytes);
    return [{ path, sha256: toHex(sha256(bytes)) }];
  };
  const active = activeEpoch(home, plan.name) ?? fail('E_UNKNOWN_KEY', `this home knows no key ${plan.name}`);
  if (active.epoch.number >= plan.rank) return step(false, [`Epoch ${String(active.epoch.number)} of ${plan.name} is the newest that this home knows.`], put());
  await sealingReady();
  const ctx = rekeyContext(plan, folderBase(home, plan, folder)?.certificate);
  const messages = messagesIn(home, folder, plan);
  port.say('checking the record …');
  const { findings, result } = await rekeyFindings(ctx, messages, { crew: { check: (task, args) => port.crew.run(task, args) } });
  const [finding] = findings;
  if (finding) throw new CeremonyError(finding.code, finding.text, { participant: ctx.session.seats.find((s) => s.leaf === finding.culprit)?.name });
  const confirms = roundOf(messages, ctx.confirm);
  if (!result || ctx.members.some((m) => !confirms.has(m.leaf)))
    return fail('E_MISSING', `the certificate of epoch ${String(plan.rank)} of ${plan.name} is not complete yet; nothing was destroyed`, { file: folder, remedy: 'Bring the folder again when every new member has confirmed.' });
  const certificate = completeCertificate(result.epoch, ctx.session, confirms);
  requireWitnesses(home, folder, plan, certificate);
  // a roster is what its author wrote into it: only a plan that this home itself joined, on a base that it checked, makes it a member
  const member = CeremonyStore.find(home, plan) !== undefined && certificate.epoch.roster.some((p) => p.name === home.facts.name && p.homeId === home.facts.homeId);
  if (!member && certificate.epoch.base?.epoch !== toHex(active.digest)) {
    // a base that this home does not know may be made up; that its dealers know the real key, only their proofs on its real public key show
    if (plan.kind !== 'reshare' || certificate.epoch.publicKey !== active.epoch.publicKey)
      fail('E_EPOCH', `epoch ${String(plan.rank)} does not build on epoch ${String(active.epoch.number)}, which is active here; nothing was destroyed`, { field: 'key.epoch', remedy: 'Bring the records of the epochs in between, in their order.' });
    forkActive(home, active, certificate);
  }
  const { signer } = await port.unlock();
  activate(home, certificate);
  const gone = retireLower(home, certificate.epoch);
  destructionStatement(home, certificate, gone, signer, port.now());
  return step(true, [`Epoch ${String(plan.rank)} of ${plan.name} is in force, and this home has no share of it (${utc(port.now())}).`, `Destroyed here: shares and stocks of epoch ${gone.map(String).join(', ')}. Backups and copies elsewhere are yours to destroy.`], put());
}
