/**
 * Who was proven to have cheated in a use of an ECDSA key. A failed signing is never just retried: whoever caused it takes
 * no part until a person has looked, and after three times not in this epoch at all (attack row 5; THR-08).
 */
import * as v from 'valibot';
import type { PresignPlan, SignPlan } from '../plan/plan.ts';
import { canonicalBytes, type Json } from '../wire/canon.ts';
import { fail } from '../wire/errors.ts';
import { type Home, inHome } from './home.ts';
import { epochDir } from './key-store.ts';
import { readRecord } from './record.ts';

/** Failures of one participant after which only a new epoch helps. */
export const ABORT_LIMIT = 3;

const BlameSchema = v.record(
  v.string(),
  v.strictObject({
    /** Label and id of each ceremony. */
    failures: v.array(v.string()),
    /** How many of them a person has looked at, and what was found last. */
    cleared: v.number(),
    reason: v.optional(v.string()),
    at: v.optional(v.string()),
  }),
);
type Blame = v.InferOutput<typeof BlameSchema>;

const fileOf = (home: Home, name: string, epoch: number): string => inHome(home, epochDir(name, epoch), 'blamed.json');
const read = (home: Home, name: string, epoch: number): Blame => readRecord(home.disk, fileOf(home, name, epoch), BlameSchema, `the record of failures with ${name}`) ?? {};

function write(home: Home, name: string, epoch: number, all: Blame): void {
  home.disk.write(fileOf(home, name, epoch), canonicalBytes(all as Json));
}

/** Remembers that a participant was proven to have cheated. @param ceremony its label and, after a space, its id */
export function rememberBlame(home: Home, name: string, epoch: number, participant: string, ceremony: string): void {
  const all = read(home, name, epoch);
  const before = all[participant] ?? { failures: [], cleared: 0 };
  if (before.failures.includes(ceremony)) return;
  write(home, name, epoch, { ...all, [participant]: { ...before, failures: [...before.failures, ceremony] } });
}

/** Refuses a plan in which somebody takes part who was blamed. @throws E_BLOCKED, E_ABORT_LIMIT naming the participant */
export function requireUnblamed(home: Home, plan: SignPlan | PresignPlan): void {
  const all = read(home, plan.key.name, plan.key.epoch);
  for (const { name } of plan.participants) {
    const record = all[name];
    if (!record) continue;
    if (record.failures.length >= ABORT_LIMIT)
      fail('E_ABORT_LIMIT', `${name} was proven to have cheated ${String(record.failures.length)} times with this epoch of ${plan.key.name}`, {
        participant: name,
        remedy: 'Choose other signers. Replace this participant or its machine, and begin a new epoch.',
      });
    if (record.failures.length > record.cleared)
      fail('E_BLOCKED', `${name} was proven to have cheated in ${record.failures.at(-1)?.split(' ')[0] ?? ''}`, {
        participant: name,
        remedy: `Choose other signers, or find out what happened, then: mpc-ceremony peers clear ${name} --key ${plan.key.name} --reason TEXT`,
      });
  }
}

/** A person has looked. @returns how often the participant had failed @throws E_USAGE when there is nothing to clear */
export function clearBlame(home: Home, name: string, epoch: number, participant: string, reason: string, at: string): number {
  const all = read(home, name, epoch);
  const record = all[participant];
  if (!record || record.cleared === record.failures.length) return fail('E_USAGE', `nothing stands against ${participant} in this epoch of ${name}`, { participant });
  write(home, name, epoch, { ...all, [participant]: { ...record, cleared: record.failures.length, reason, at } });
  return record.failures.length;
}
