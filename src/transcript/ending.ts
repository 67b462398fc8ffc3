/**
 * How an attempt ended other than well, and what proves it. A proven fault makes the record wrong and names its culprit;
 * an attempt that somebody ended without proof cannot be told to be right or wrong.
 */
import { type Finding, parseEnding } from '../protocols/machine.ts';
import { toHex } from '../wire/bytes.ts';
import { CeremonyError } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import { type LiveCheck, type Proof, proveEvidence } from './evidence.ts';
import { placeOf } from './merge.ts';
import { endingMessages, type Recorded } from './messages.ts';
import type { RecordFile } from './record-files.ts';

/** Puts what the live check found into the report. A degenerate result is nobody's fault. */
export function tellFindings({ report, session }: Recorded, findings: readonly Finding[]): void {
  for (const { code, culprit, text } of findings) {
    const name = session.seats.find((s) => s.leaf === culprit)?.name;
    if (code === 'E_DEGENERATE') report.cannotTell('proofs', text, { code });
    else report.wrong('proofs', text, { code, culprit: name });
  }
}

/** One evidence file. @returns what it proves, or undefined after it was reported */
export async function checkEvidence({ report, session }: Recorded, { file, bytes }: RecordFile, protocol: LiveCheck): Promise<Proof | undefined> {
  try {
    return await proveEvidence(bytes, session, protocol);
  } catch (e) {
    if (!(e instanceof CeremonyError)) throw e;
    if (e.code === 'E_MISSING') report.cannotTell('evidence', `this evidence cannot be judged: ${e.message}`, { code: e.code, place: file });
    else report.wrong('evidence', `this evidence does not show what it claims, and says nothing against anybody: ${e.message}`, { code: 'E_EVIDENCE', place: file });
    return undefined;
  }
}

/** Evidence files, and every entry that points at one: each has the other, and shows what it claims. */
export async function checkAllEvidence(recorded: Recorded, files: readonly RecordFile[], notes: readonly RecordFile[], protocol: LiveCheck): Promise<Proof[]> {
  const { report, chains } = recorded;
  const present = new Map([...files, ...notes].map((f) => [toHex(sha256(f.bytes)), f]));
  const proofs = new Map<string, Proof>();
  for (const [hash, file] of present) {
    if (!files.includes(file)) continue;
    const proof = await checkEvidence(recorded, file, protocol);
    if (!proof) continue;
    proofs.set(hash, proof);
    report.wrong('evidence', `proven: ${proof.text}`, { code: proof.code, culprit: proof.culprit, place: file.file });
  }
  const pointedAt = new Set<string>();
  let missing = 0;
  for (const [author, { links }] of chains)
    for (const { payload } of links) {
      const { evidence, kind } = payload;
      if (evidence === undefined) continue;
      pointedAt.add(evidence);
      const place = placeOf(author, payload.seq);
      const proof = proofs.get(evidence);
      if (!present.has(evidence)) {
        missing += 1;
        const what = kind === 'blamed' ? `the evidence of ${author} for ${payload.code ?? 'a fault'}${payload.participant === undefined ? '' : ` by ${payload.participant}`}` : `the text of what ${author} noted`;
        report.cannotTell('evidence', `${what} is missing: bring evidence/ from ${author} (sha256 ${evidence.slice(0, 16)}…)`, { code: 'E_MISSING', place });
      } else if (kind === 'blamed' && proof && (proof.code !== payload.code || proof.culprit !== payload.participant))
        report.wrong('evidence', `${author} recorded ${payload.code ?? ''} and points at evidence of ${proof.code}`, { code: 'E_EVIDENCE', place });
      else if (kind === 'exception') report.ok('exception', `${author} noted ${payload.message === 'bag' ? 'a sealed bag' : 'an exception'}: ${present.get(evidence)?.file ?? ''}`, { place });
    }
  for (const [hash, file] of present)
    if (notes.includes(file) && !pointedAt.has(hash)) {
      // where a noted text is missing, this is what was made of it
      if (missing > 0) report.wrong('evidence', 'no transcript entry names this file as it is: it was changed, or put here by nobody', { code: 'E_EVIDENCE', place: file.file });
      else report.cannotTell('evidence', 'no transcript entry here names this file: nobody vouches for it', { code: 'E_MISSING', place: file.file });
    }
  return [...proofs.values()];
}

/** Closing messages and entries with which participants ended the attempt. */
export function checkEnding(recorded: Recorded, complete: boolean): void {
  const { report, plan, session, chains, messages } = recorded;
  const tell = (text: string, place: string): void => {
    if (complete) report.ok('ending', `${text}; the result is complete all the same`, { place });
    else report.cannotTell('ending', text, { code: 'E_ABORTED', place });
  };
  for (const e of endingMessages(plan, messages)) {
    try {
      const { kind, code, culprit } = parseEnding(e.body);
      const named = session.seats.find((s) => s.leaf === culprit)?.name;
      tell(kind === 'abandon' ? `${e.name} ended its part in this attempt` : `${e.name} refused this attempt: ${code}${named === undefined ? '' : `, and names ${named}`} (a claim; the proof is in evidence/)`, e.name);
    } catch (cause) {
      // complaints, traces and malformed closings are judged by the protocol's own check
      if (!(cause instanceof CeremonyError)) throw cause;
    }
  }
  for (const { name } of session.seats)
    for (const { payload } of chains.get(name)?.links ?? []) {
      const place = placeOf(name, payload.seq);
      if (payload.kind === 'aborted') tell(`${name} ended its part: ${payload.reason ?? ''}${payload.participant === undefined ? '' : ` (${payload.participant})`}`, place);
      if (payload.kind === 'refused') tell(`${name} refused: ${payload.code ?? ''}`, place);
      if (payload.kind === 'gate' && payload.allow === false) tell(`the gate of ${name} refused the intent`, place);
    }
}

/** Whether somebody ended the attempt, so that later messages will never come. */
export function hasEnded({ plan, session, chains, messages }: Omit<Recorded, 'report'>): boolean {
  if (endingMessages(plan, messages).length > 0) return true;
  return session.seats.some(({ name }) => chains.get(name)?.links.some(({ payload }) => ['aborted', 'blamed', 'refused'].includes(payload.kind)));
}
