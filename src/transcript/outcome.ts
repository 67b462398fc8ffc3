/** What the public checks of a protocol make of the messages of a record. */
import type { Finding } from '../protocols/machine.ts';
import { closingOf } from '../protocols/machine.ts';
import { CLOSE, type Mismatch } from '../protocols/presign.ts';
import type { Recorded } from './messages.ts';

export interface Outcome {
  readonly findings: readonly Finding[];
  /** Whether the ceremony reached its end: key, presignatures or signature are there. */
  readonly complete: boolean;
  /** Whether an error round is due in place of what would follow. */
  readonly traced?: boolean;
}

/** The outcome of a ceremony whose files do not suffice to judge anything. */
export const UNJUDGED: Outcome = { findings: [], complete: false };

/** Says that the parts of a presignature do not add up, where nothing here names who is to blame, and what is missing to do so. */
export function tellMismatch({ report, session, messages }: Recorded, { entry, which }: Mismatch): void {
  const closings = messages.get(CLOSE);
  const silent = session.seats.filter((s) => !closings?.has(s.leaf)).map((s) => s.name);
  const others = session.seats.filter((s) => closings?.has(s.leaf) === true && closingOf(closings.get(s.leaf)?.body as Uint8Array) !== 'trace').map((s) => s.name);
  const why = [
    ...(silent.length > 0 ? [`the trace of ${silent.join(', ')} is missing: bring ${silent.map((s) => `round-${String(CLOSE)}/${s}.blob`).join(', ')}`] : []),
    ...(others.length > 0 ? [`${others.join(', ')} did not trace`] : []),
  ];
  report.cannotTell('proofs', `the ${which === 'gamma' ? 'nonce' : 'key'} parts of presignature ${String(entry + 1)} do not add up, and nothing here names who is to blame: ${why.join('; ')}`, {
    code: silent.length > 0 ? 'E_MISSING' : 'E_SUM',
    ...(silent.length === 1 ? { place: silent[0] } : {}),
  });
}
