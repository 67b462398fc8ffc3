/**
 * A home that is behind: the key was given on without it, or without its knowing, since it is an older copy. It checks the whole public record by itself,
 * and with the complete certificate takes up the new epoch, destroying what it holds (rules C4a, P6). Nobody can make such a record without the shares
 * of an old quorum, since every dealer proves knowledge of its part of the key: a courier cannot talk a holder out of its
 * share.
 */
import { join } from 'node:path';
import { planSession, type RefreshPlan, type RekeyPlan, type ResharePlan, seated, witnessesOf } from '../plan/plan.ts';
import { type Certificate, completeCertificate, parseCertificate } from '../protocols/epoch.ts';
import { roundOf } from '../protocols/keying.ts';
import { closingOf, type Inbound } from '../protocols/machine.ts';
import { rekeyContext, rekeyFindings } from '../protocols/rekey.ts';
import { sealingReady } from '../sharing/sealing-group.ts';
import { parseChain } from '../transcript/chain.ts';
import { release, scanFolder } from '../transport/folder.ts';
import { ceremonyId, type Envelope, openBlob } from '../wire/blob.ts';
import { fromHex, toHex } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import { folderBase, storedBase } from './base.ts';
import { type Home, lockReason, renewedAt, requireUnlocked } from './home.ts';
import { readPlan } from './join.ts';
import { activeEpoch, epochCertificate, forkActive } from './key-store.ts';
import type { Port, Step } from './port.ts';
import { storedStatement } from './retire.ts';
import { CeremonyStore } from './store.ts';
import { supersede } from './supersede.ts';
import { utc } from './times.ts';

/** Bases of the attempts on a key that this home joined: it checked that it belongs there before it said anything. */
function joinedBases(home: Home, id: string): Certificate[] {
  return CeremonyStore.all(home).flatMap((store) => ((store.plan.kind === 'refresh' || store.plan.kind === 'reshare') && store.plan.key.id === id ? (storedBase(store) ?? []) : []));
}

/**
 * The plan of a folder that gave a key of this home on, if this home cannot learn of it in the ordinary way: it has no seat
 * there, or was restored since it had one, or dealt, leaves, and was told that the attempt had ended.
 * @throws E_MISSING, E_PLAN_FIELD
 */
export async function givenOn(home: Home, folder: string): Promise<RefreshPlan | ResharePlan | undefined> {
  const { plan } = await readPlan(home, folder);
  if (plan.kind !== 'refresh' && plan.kind !== 'reshare') return undefined;
  const own = seated(plan).find((p) => p.name === home.facts.name && p.homeId === home.facts.homeId);
  if (own) {
    const store = CeremonyStore.find(home, plan);
    const renewed = renewedAt(home);
    const restored = store ? store.ending?.code === 'E_ROLLBACK' : renewed !== undefined && Date.parse(plan.created) < renewed.getTime();
    const left = store !== undefined && !store.done && !plan.participants.some((p) => p.name === own.name);
    if (!restored && !left) return undefined;
  }
  const active = activeEpoch(home, plan.name);
  return (active ? active.epoch.key.id === plan.key.id : joinedBases(home, plan.key.id).length > 0) ? plan : undefined;
}

/**
 * What a command does that could not go on in the ordinary way: it takes up what the folder proves, or says why not.
 * @param error of the ordinary way
 * @throws `error` where there is nothing to take up, and what {@link takeUp} throws
 */
export async function orTakeUp(home: Home, folder: string, port: Port, error: CeremonyError): Promise<Step> {
  if (lockReason(home) !== undefined || !home.disk.exists(join(folder, 'PLAN.yaml'))) throw error;
  const plan = await givenOn(home, folder);
  if (!plan) throw error;
  try {
    return await takeUp(home, plan, folder, port);
  } catch (e) {
    // who has a seat is told first why it cannot go on there
    throw e instanceof CeremonyError && e.code === 'E_MISSING' && CeremonyStore.find(home, plan) ? error : e;
  }
}

/**
 * Messages of the folder, each signed by its seat, and the confirmations of a certificate there. Of two messages of one
 * seat, the one counts that everybody's confirmations name.
 * @throws E_EQUIVOCATION, and what openBlob throws
 */
function messagesIn(home: Home, folder: string, plan: RekeyPlan): Inbound {
  const session = planSession(plan);
  const { blobs, certificates } = scanFolder(home.disk, folder);
  const complete = certificates.flatMap(({ file, bytes }) => {
    try {
      const certificate = parseCertificate(bytes, file);
      if (certificate.epoch.session !== toHex(session.sid)) return [];
      // signed by those whom the plan names, not by whom the file names
      return [{ rounds: certificate.epoch.rounds, confirms: certificate.confirms.map((c) => openBlob(c.envelope.bytes, session)) }];
    } catch (e) {
      if (e instanceof CeremonyError) return [];
      throw e;
    }
  });
  const named = new Set(complete.flatMap((c) => [...c.confirms.map((x) => toHex(x.hash)), ...Object.values(c.rounds).flatMap((round) => Object.values(round ?? {}))]));
  const messages = new Map<number, Map<number, Envelope>>();
  const put = (bytes: Uint8Array): void => {
    const e = openBlob(bytes, session);
    const slot = messages.get(e.slot) ?? new Map<number, Envelope>();
    const before = slot.get(e.leaf);
    messages.set(e.slot, slot);
    if (before && toHex(before.hash) !== toHex(e.hash)) {
      const [counts, second] = [before, e].filter((x) => named.has(toHex(x.hash)));
      slot.set(e.leaf, (second ? undefined : counts) ?? fail('E_EQUIVOCATION', `${e.name} signed two different messages for one slot`, { participant: e.name }));
    } else slot.set(e.leaf, e);
  };
  for (const { bytes, hint } of blobs) if (hint?.ceremony === ceremonyId(session.sid)) put(bytes);
  for (const { confirms } of complete) for (const { bytes } of confirms) put(bytes);
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

/** What a newcomer knows of a key. @throws E_UNKNOWN_KEY, E_EPOCH when it was told two things */
function onlyKey(name: string, bases: readonly Certificate[]): Certificate {
  if (new Set(bases.map((b) => b.epoch.publicKey)).size > 1) fail('E_EPOCH', `this home was told of two keys under the name and id of ${name}; nothing was destroyed`, { field: 'key' });
  return bases[0] ?? fail('E_UNKNOWN_KEY', `this home knows no key ${name}`);
}

/**
 * Takes up a certificate that leaves this home out, and destroys what it holds of the key.
 * @throws E_MISSING while the certificate is not complete, the first fault of the record, E_FORK when it builds on another
 *   epoch than the one in force here
 */
export async function takeUp(home: Home, plan: RefreshPlan | ResharePlan, folder: string, port: Port): Promise<Step> {
  requireUnlocked(home);
  const step = (done: boolean, lines: readonly string[], wrote: Step['wrote']): Step => ({
    ceremony: plan.name, kind: plan.kind, attempt: plan.attempt, participant: home.facts.name, did: done ? ['destroyed'] : [], wrote, needs: [], head: '0'.repeat(64), lines,
    nextAction: { code: 'DONE', who: home.facts.name, text: 'Done. This home holds no share of this epoch. Carry the folder back, so that the others have its statement.' },
    exit: 0,
  });
  // whoever holds a certificate gives it to the others: some of them may only be able to adopt it
  const put = (): Step['wrote'] => {
    const statement = storedStatement(home, plan.name, plan.rank);
    const certificate = epochCertificate(home, plan.name, plan.rank);
    const files = [
      ...(certificate && certificate.epoch.session === toHex(planSession(plan).sid) ? [{ path: 'transcript/certificate.json', bytes: certificate.bytes }] : []),
      ...(statement ? [{ path: `destroyed/${home.facts.name}.json`, bytes: statement }] : []),
    ];
    for (const { path, bytes } of files) release(home.disk, folder, path, bytes);
    return files.map(({ path, bytes }) => ({ path, sha256: toHex(sha256(bytes)) }));
  };
  const active = activeEpoch(home, plan.name);
  const sid = toHex(planSession(plan).sid);
  // of two epochs of one rank the higher session counts (rule C4)
  const sibling = active?.epoch.number === plan.rank && active.epoch.session < sid;
  if (active && !sibling && active.epoch.number >= plan.rank) {
    // what a crash may have left (rule C2)
    supersede(home, active, (await port.unlock()).signer, port.now());
    return step(false, [`Epoch ${String(active.epoch.number)} of ${plan.name} is the newest that this home knows.`], put());
  }
  await sealingReady();
  const ctx = rekeyContext(plan, folderBase(home, plan, folder)?.certificate);
  const messages = messagesIn(home, folder, plan);
  port.say('checking the record …');
  const { findings, result } = await rekeyFindings(ctx, messages, { crew: { check: (task, args) => port.crew.run(task, args) } });
  const [finding] = findings;
  if (finding) throw new CeremonyError(finding.code, finding.text, { participant: ctx.session.seats.find((s) => s.leaf === finding.culprit)?.name });
  const confirms = roundOf(messages, ctx.confirm);
  if (!result || ctx.members.some((m) => closingOf(confirms.get(m.leaf)?.body ?? new Uint8Array(0)) !== 'close'))
    return fail('E_MISSING', `the certificate of epoch ${String(plan.rank)} of ${plan.name} is not complete yet; nothing was destroyed`, { file: folder, remedy: 'Bring the folder again when every new member has confirmed.' });
  const certificate = completeCertificate(result.epoch, ctx.session, confirms);
  requireWitnesses(home, folder, plan, certificate);
  // a roster is what its author wrote into it: only a plan that this home itself joined, on a base that it checked, makes it a member
  const member = CeremonyStore.find(home, plan) !== undefined && certificate.epoch.roster.some((p) => p.name === home.facts.name && p.homeId === home.facts.homeId);
  const bases = joinedBases(home, plan.key.id);
  const known = active ?? onlyKey(plan.name, bases);
  const base = certificate.epoch.base?.epoch;
  if ((!member || sibling) && (sibling || base !== toHex(known.digest))) {
    // a base that this home does not know may be made up; that its dealers know the real key, only their proofs on its real public key show
    const met = base !== undefined && [active?.epoch.base?.epoch, ...bases.map((b) => toHex(b.digest))].includes(base);
    if (!met && (plan.kind !== 'reshare' || certificate.epoch.publicKey !== known.epoch.publicKey))
      fail('E_EPOCH', `epoch ${String(plan.rank)} does not build on epoch ${String(known.epoch.number)}, which ${active ? 'is active here' : 'this home knows'}; nothing was destroyed`, { field: 'key.epoch', remedy: 'Bring the records of the epochs in between, in their order.' });
    if (active) forkActive(home, active, certificate);
  }
  const { signer } = await port.unlock();
  const gone = supersede(home, certificate, signer, port.now());
  return step(true, [`Epoch ${String(plan.rank)} of ${plan.name} is in force, and this home has no share of it (${utc(port.now())}).`, `Destroyed here: shares and stocks of epoch ${gone.map(String).join(', ')}. Backups and copies elsewhere are yours to destroy.`], put());
}
