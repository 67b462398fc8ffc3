/** What must hold for every honest participant after an attack. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { activeEpoch, requireKey, sharePath } from '../../src/ceremony/key-store.ts';
import { closingOf, slotsOf } from '../../src/protocols/machine.ts';
import type { RecordFile } from '../../src/transcript/record-files.ts';
import { verifyEvidence, verifyRecord } from '../../src/transcript/verify.ts';
import { openBlob } from '../../src/wire/blob.ts';
import { canonicalBytes, type Json } from '../../src/wire/canon.ts';
import { type ErrorCode, ERRORS } from '../../src/wire/errors.ts';
import type { Run } from './run.ts';

/** An evidence file, taken apart. */
export interface Evidence {
  readonly schema: string;
  readonly session: string;
  readonly code: ErrorCode;
  readonly participant: string | null;
  readonly judge: number | null;
  readonly envelopes: readonly string[];
}

/** All files of somebody's folder, as a third party gets them. */
export function recordOf(run: Run, label: string): RecordFile[] {
  return run.files(label).map((file) => ({ file: `${label}/${file}`, bytes: run.file(label, file) as Uint8Array }));
}

/**
 * What a third party says to evidence who was not there and trusts neither the accuser nor the courier.
 * @returns code and culprit of what is proven, or E_EVIDENCE
 */
export async function judge(run: Run, evidence: Evidence): Promise<{ code: string | undefined; culprit: string | undefined }> {
  const file = { file: 'evidence/x.json', bytes: canonicalBytes(evidence as unknown as Json) };
  const { checks } = await verifyEvidence([file], recordOf(run, run.honest[0] as string));
  return { code: checks[0]?.code, culprit: checks[0]?.culprit };
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
export async function expectAbort(run: Run, code: ErrorCode, culprit: string | undefined, labels = run.honest): Promise<void> {
  for (const label of labels) {
    const error = run.error(label);
    expect([label, error.code, error.message]).toEqual([label, code, expect.any(String)]);
    expect(error.exit).toBe(ERRORS[code][0]);
    expect([label, error.facts.participant]).toEqual([label, culprit]);
    await expectEvidence(run, label, code, culprit);
    expectNothingReleased(run, label);
    if (run.plan.kind === 'dkg') expectNoKey(run, label);
  }
  await expectNobodyFramed(run);
}

/** The evidence in the folder shows the finding to a third party. */
export async function expectEvidence(run: Run, label: string, code: ErrorCode, culprit: string | undefined): Promise<void> {
  const evidence = evidenceOf(run, label).find((e) => e.code === code && e.participant === (culprit ?? null));
  expect(evidence, `${label} wrote evidence of ${code} by ${String(culprit)}`).toBeDefined();
  expect(await judge(run, evidence as Evidence)).toEqual({ code, culprit });
}

/** Whoever verifies the whole record blames no honest participant. */
export async function expectNobodyFramed(run: Run): Promise<void> {
  const { verdict, checks } = await verifyRecord([recordOf(run, run.honest[0] as string)]);
  expect(verdict).not.toBe('ok');
  expect(checks.filter((c) => c.culprit !== undefined && !run.cheats.includes(c.culprit))).toEqual([]);
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
