/**
 * Evidence files: the original signed envelopes, from which anybody repeats a finding with the check that made it. The
 * file itself is signed by nobody and proves nothing; what it shows, it shows by the signatures in it.
 */
import * as v from 'valibot';
import { hex, int, nameOf } from '../plan/fields.ts';
import { equivocation, type Finding, type Inbound } from '../protocols/machine.ts';
import { type Envelope, openBlob, type Session } from '../wire/blob.ts';
import { toHex } from '../wire/bytes.ts';
import { canonicalBytes, parseCanonical } from '../wire/canon.ts';
import { CeremonyError, type ErrorCode, ERRORS, fail } from '../wire/errors.ts';

/** Largest evidence file. */
export const MAX_EVIDENCE_BYTES = 64 * 1024 * 1024;

const EvidenceSchema = v.strictObject({
  schema: v.literal('mpc-ceremony/evidence/1'),
  session: hex(32),
  code: v.picklist(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]),
  participant: v.nullable(nameOf('participant')),
  /** Leaf id of who judged; null where every proof was checked. A fault that comes before, and was not addressed to it, does not hide this one. */
  judge: v.nullable(int(1, 64)),
  /** May be empty: a stocked first message is proven bad by the certificate and the plan. */
  envelopes: v.pipe(v.array(v.string()), v.maxLength(512)),
});

/** The file of a finding. @param participant name of the culprit, if there is one */
export function encodeEvidence(session: Session, finding: Finding, participant: string | undefined, judge: number | undefined): Uint8Array {
  return canonicalBytes({
    schema: 'mpc-ceremony/evidence/1',
    session: toHex(session.sid),
    code: finding.code,
    participant: participant ?? null,
    judge: judge ?? null,
    envelopes: finding.evidence.map((e) => Buffer.from(e.bytes).toString('base64')),
  });
}

/** What an evidence file was shown to prove. */
export interface Proof {
  readonly code: ErrorCode;
  /** Undefined when the fault is real and nobody can be named. */
  readonly culprit: string | undefined;
  readonly text: string;
}

function openAll(texts: readonly string[], session: Session): Envelope[] {
  return texts.map((text) => {
    const bytes = Buffer.from(text, 'base64');
    if (bytes.toString('base64') !== text) fail('E_EVIDENCE', 'an envelope is not canonical base64');
    return openBlob(new Uint8Array(bytes), session);
  });
}

/**
 * The live check of one ceremony: all faults in a set of messages.
 * @param own leaf of the participant with whose eyes it looks: what others prove to others it does not check
 * @throws E_MISSING when it cannot judge for want of other files
 */
export type LiveCheck = (messages: Inbound, own?: number) => Promise<readonly Finding[]>;

/** What the envelopes show: two of one sender for one slot, or what the protocol's own check finds in them. */
async function findingsOf(envelopes: readonly Envelope[], protocol: LiveCheck, judge: number | undefined): Promise<readonly Finding[]> {
  const messages = new Map<number, Map<number, Envelope>>();
  for (const e of envelopes) {
    const slot = messages.get(e.slot) ?? new Map<number, Envelope>();
    const before = slot.get(e.leaf);
    if (before && toHex(before.hash) === toHex(e.hash)) fail('E_EVIDENCE', 'an envelope stands in the file twice');
    if (before) return [equivocation(before, e)];
    messages.set(e.slot, slot.set(e.leaf, e));
  }
  return protocol(messages, judge);
}

/**
 * Repeats the finding of an evidence file.
 * @throws E_EVIDENCE when the file does not show what it claims: it then says nothing against anybody; E_MISSING when
 *   `protocol` cannot judge for want of other files
 */
export async function proveEvidence(bytes: Uint8Array, session: Session, protocol: LiveCheck): Promise<Proof> {
  try {
    const parsed = v.safeParse(EvidenceSchema, parseCanonical(bytes, MAX_EVIDENCE_BYTES));
    if (!parsed.success) fail('E_EVIDENCE', 'not an evidence file');
    const { session: sid, code, participant, judge, envelopes } = parsed.output;
    if (sid !== toHex(session.sid)) fail('E_EVIDENCE', 'it belongs to another ceremony');
    const nameOfLeaf = (leaf: number | undefined): string | undefined => session.seats.find((s) => s.leaf === leaf)?.name;
    const found = (await findingsOf(openAll(envelopes, session), protocol, judge ?? undefined)).find((f) => f.code === code && nameOfLeaf(f.culprit) === (participant ?? undefined));
    if (!found) fail('E_EVIDENCE', `the messages in it do not show ${code}${participant === null ? '' : ` by ${participant}`}`);
    return { code, culprit: participant ?? undefined, text: found.text };
  } catch (e) {
    if (!(e instanceof CeremonyError) || e.code === 'E_MISSING') throw e;
    throw new CeremonyError('E_EVIDENCE', e.code === 'E_EVIDENCE' ? e.message : `an envelope in it does not hold: ${e.message}`, { cause: e });
  }
}
