/** What must hold for every honest participant after an attack. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { activeEpoch, requireKey, sharePath } from '../../src/ceremony/key-store.ts';
import { intentMessage, parseIntent } from '../../src/policy/intent.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { dkgContext, dkgFindings } from '../../src/protocols/dkg.ts';
import { parseCertificate } from '../../src/protocols/epoch.ts';
import { signContext, signFindings } from '../../src/protocols/frost-sign.ts';
import { closingOf, equivocation, type Finding, type Inbound, slotsOf } from '../../src/protocols/machine.ts';
import { type Envelope, openBlob } from '../../src/wire/blob.ts';
import { planSession } from '../../src/plan/plan.ts';
import { toHex } from '../../src/wire/bytes.ts';
import { type ErrorCode, ERRORS } from '../../src/wire/errors.ts';
import type { Run } from './harness.ts';

/** An evidence file. */
export interface Evidence {
  readonly schema: string;
  readonly session: string;
  readonly code: ErrorCode;
  readonly participant: string | null;
  readonly envelopes: readonly string[];
}

/** Public files that somebody who was not there has beside the evidence. */
export interface PublicFiles {
  readonly plan: Plan;
  /** Of a signing: the key's certificate, the intent and the message. */
  readonly certificate?: Uint8Array | undefined;
  readonly intent?: Uint8Array | undefined;
  readonly message?: Uint8Array | undefined;
}

/**
 * What a third party finds who holds the evidence and the public files, and trusts neither the accuser nor the courier:
 * signatures first, then the checks of the live ceremony.
 */
export function repeatFindings(files: PublicFiles, evidence: Evidence): readonly Finding[] {
  const { plan } = files;
  const session = planSession(plan);
  expect(evidence.session).toBe(toHex(session.sid));
  const envelopes = evidence.envelopes.map((text) => openBlob(new Uint8Array(Buffer.from(text, 'base64')), session));
  const slots = new Map<number, Map<number, Envelope>>();
  for (const e of envelopes) {
    const slot = slots.get(e.slot) ?? new Map<number, Envelope>();
    const before = slot.get(e.leaf);
    if (before && toHex(before.hash) !== toHex(e.hash)) return [equivocation(before, e)];
    slots.set(e.slot, slot.set(e.leaf, e));
  }
  return findingsOf(files, slots);
}

function findingsOf({ plan, certificate, intent, message }: PublicFiles, messages: Inbound): readonly Finding[] {
  if (plan.kind === 'dkg') return dkgFindings(dkgContext(plan), messages).findings;
  if (!certificate || !intent) throw new Error('a signing is judged with certificate and intent');
  const signed = parseIntent(intent, 'intent.json');
  return signFindings(signContext(plan, parseCertificate(certificate, 'certificate.json'), signed, intentMessage(signed.intent, message)), messages).findings;
}

/** Public files of a run, as somebody's folder holds them. */
export function publicFiles(run: Run, label = run.honest[0] as string): PublicFiles {
  return { plan: run.plan, certificate: run.file(label, 'base/certificate.json'), intent: run.file(label, 'intent.json'), message: run.file(label, 'message.bin') };
}

/** The evidence files in somebody's folder. */
export function evidenceOf(run: Run, label: string): Evidence[] {
  return run
    .files(label)
    .filter((f) => /^evidence\/[^/]+\.json$/.test(f))
    .map((f) => JSON.parse(Buffer.from(run.file(label, f) as Uint8Array).toString()) as Evidence);
}

/**
 * Every honest participant refused the attempt with this code, named the culprit, and wrote evidence that a stranger can
 * check; nobody confirmed or released a share, and no key came into being.
 */
export function expectAbort(run: Run, code: ErrorCode, culprit: string | undefined, labels = run.honest): void {
  for (const label of labels) {
    const error = run.error(label);
    expect([label, error.code, error.message]).toEqual([label, code, expect.any(String)]);
    expect(error.exit).toBe(ERRORS[code][0]);
    expect([label, error.facts.participant]).toEqual([label, culprit]);
    expectEvidence(run, label, code, culprit);
    expectNothingReleased(run, label);
    if (run.plan.kind === 'dkg') expectNoKey(run, label);
  }
}

/** The evidence in the folder shows the finding to a third party. */
export function expectEvidence(run: Run, label: string, code: ErrorCode, culprit: string | undefined): void {
  const evidence = evidenceOf(run, label).find((e) => e.code === code && e.participant === (culprit ?? null));
  expect(evidence, `${label} wrote evidence of ${code} by ${String(culprit)}`).toBeDefined();
  const found = repeatFindings(publicFiles(run, label), evidence as Evidence).map((f) => [f.code, run.session.seats.find((s) => s.leaf === f.culprit)?.name]);
  expect(found).toContainEqual([code, culprit]);
}

/** The closing message of the protocol (confirmation, signature share) was never made. */
export function expectNothingReleased(run: Run, label: string): void {
  const last = slotsOf(run.plan).at(-1)?.slot as number;
  const own = run.store(label)?.ownBlob(last);
  expect([label, own && closingOf(own.body)]).not.toEqual([label, 'close']);
  // nor does it lie in a folder, whatever the journal says
  const name = run.table.party(label).name;
  for (const other of [...run.honest, ...run.cheats]) {
    const bytes = run.file(other, `round-${String(last)}/${name}.blob`);
    if (bytes) expect(closingOf(openBlob(bytes, run.session).body)).not.toBe('close');
  }
}

/** The home holds neither certificate nor share of the key of this key generation. */
export function expectNoKey(run: Run, label: string): void {
  const { home } = run.table.party(label);
  const { plan } = run;
  if (plan.kind !== 'dkg') throw new Error('not a key generation');
  expect(activeEpoch(home, plan.name)).toBeUndefined();
  expect(() => requireKey(home, plan.name)).toThrow();
  expect(home.disk.exists(join(home.root, sharePath(plan.name, plan.rank)))).toBe(false);
}
