/**
 * The care register of a key in a home, `keys/NAME/care.json`: when each participant last showed that it holds its share,
 * when the epoch began, when a backup was last tested, and how the last drill went (mission rows REF-04, BAK-04, OPS-11).
 * Public. It is this home's own memory, for people: nothing that is cryptographically checked depends on it.
 */
import { join } from 'node:path';
import * as v from 'valibot';
import { explainIssues, hex, int, nameOf, utcTime } from '../plan/fields.ts';
import { parsePlan } from '../plan/plan.ts';
import type { Certificate } from '../protocols/epoch.ts';
import { ceremonyId } from '../wire/blob.ts';
import { fromHex } from '../wire/bytes.ts';
import { canonicalBytes, type Json } from '../wire/canon.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { type Home, inHome } from './home.ts';
import { requireKey } from './key-store.ts';
import { readRecord } from './record.ts';
import { CeremonyStore } from './store.ts';

/** How this home came to know of a proof: made in it; an answer to its own challenge; or only dated by whoever made it. */
export const PROOF_SEEN = ['here', 'challenge', 'dated'] as const;
export type ProofSeen = (typeof PROOF_SEEN)[number];

/** How a drill can end. */
export const DRILL_RESULTS = ['pass', 'pass-with-exceptions', 'fail'] as const;
export type DrillResult = (typeof DRILL_RESULTS)[number];

const epochNumber = int(1, 1_000_000);

const CareSchema = v.strictObject({
  v: v.literal(1),
  type: v.literal('mpc-ceremony/care'),
  /** Key id: another key of the same name has a register of its own. */
  key: hex(16),
  /** When an epoch became active in this home. */
  epoch: v.optional(v.strictObject({ number: epochNumber, at: utcTime })),
  /** The first activation that this register knows of: drills count from there. */
  since: v.optional(utcTime),
  /** Proofs of shares; those of earlier epochs say nothing. */
  proven: v.optional(v.strictObject({ epoch: epochNumber, by: v.record(nameOf('participant'), v.strictObject({ at: utcTime, seen: v.picklist(PROOF_SEEN) })) })),
  /** The last test of a backup, and of which epoch it was: backups of earlier epochs restore nothing. */
  backupTested: v.optional(v.strictObject({ epoch: epochNumber, at: utcTime })),
  /** The last drill. */
  drilled: v.optional(v.strictObject({ at: utcTime, result: v.picklist(DRILL_RESULTS), due: utcTime })),
});

/** What a home remembers of the care of a key. Public. Times are UTC to the second. */
export type Care = v.InferOutput<typeof CareSchema>;

/**
 * What can be recorded. Each replaces what was recorded of its kind before (proofs: by participant). `epoch` of a backup
 * test is the active one unless given.
 */
export type CareEvent =
  | { readonly kind: 'epoch'; readonly epoch: number; readonly at: string }
  | { readonly kind: 'proof'; readonly epoch: number; readonly participant: string; readonly at: string; readonly seen: ProofSeen }
  | { readonly kind: 'backup-test'; readonly at: string; readonly epoch?: number }
  | { readonly kind: 'drill'; readonly at: string; readonly result: DrillResult; readonly due: string };

const carePath = (home: Home, name: string): string => inHome(home, 'keys', name, 'care.json');

function readCare(home: Home, name: string): Care | undefined {
  const file = carePath(home, name);
  try {
    return readRecord(home.disk, file, CareSchema, `the care register of ${name}`);
  } catch (cause) {
    if (!(cause instanceof CeremonyError) || cause.code !== 'E_STATE') throw cause;
    throw new CeremonyError('E_STATE', cause.message, { file, remedy: 'No secret and no key depends on this file. Remove it: what it said then counts as not done, and proofs can be taken again.', cause });
  }
}

/** The register with one more event. Pure. @throws E_EPOCH for a proof of an earlier epoch than the register knows */
export function withEvent(care: Care, event: CareEvent, active: number): Care {
  switch (event.kind) {
    case 'epoch':
      return { ...care, epoch: { number: event.epoch, at: event.at }, since: care.since ?? event.at };
    case 'proof': {
      const { participant, at, seen } = event;
      const before = care.proven;
      if (before && event.epoch < before.epoch) fail('E_EPOCH', `the proof is for epoch ${String(event.epoch)}; proofs of epoch ${String(before.epoch)} are recorded`, { participant });
      return { ...care, proven: { epoch: event.epoch, by: { ...(before?.epoch === event.epoch ? before.by : {}), [participant]: { at, seen } } } };
    }
    case 'backup-test':
      return { ...care, backupTested: { epoch: event.epoch ?? active, at: event.at } };
    case 'drill':
      return { ...care, drilled: { at: event.at, result: event.result, due: event.due } };
  }
}

/**
 * Records an event of the care of a key, durably; repeated, it changes nothing. The caller holds the lock of the home.
 * @throws E_UNKNOWN_KEY, E_KEY_PENDING; E_STATE naming the file when the register is damaged; E_EPOCH; E_INTERNAL for an
 * event out of form
 */
export function recordCare(home: Home, key: string, event: CareEvent): void {
  const { epoch } = requireKey(home, key);
  const before = readCare(home, key);
  const care: Care = before?.key === epoch.key.id ? before : { v: 1, type: 'mpc-ceremony/care', key: epoch.key.id };
  const checked = v.safeParse(CareSchema, withEvent(care, event, epoch.number));
  if (!checked.success) {
    const { field, text } = explainIssues(checked.issues);
    return fail('E_INTERNAL', `the event cannot be recorded: ${field}: ${text}`, { field });
  }
  home.disk.write(carePath(home, key), canonicalBytes(checked.output as unknown as Json));
}

/**
 * The register of a key, or undefined where nothing was recorded of it yet; one that is of another key of the same name
 * counts as none.
 * @throws E_UNKNOWN_KEY, E_KEY_PENDING, E_STATE naming the file
 */
export function careOf(home: Home, key: string): Care | undefined {
  const care = readCare(home, key);
  return care?.key === requireKey(home, key).epoch.key.id ? care : undefined;
}

/**
 * When the active epoch became active in this home: from the register, else from this participant's own journal of the
 * ceremony that made it, else undefined. UTC to the second.
 */
export function activatedAt(home: Home, { epoch }: Certificate, care: Care | undefined): string | undefined {
  if (care?.epoch?.number === epoch.number) return care.epoch.at;
  const suffix = `-${ceremonyId(fromHex(epoch.session)).slice(0, 8)}`;
  for (const name of home.disk.dirs(inHome(home, 'ceremonies')).filter((d) => d.endsWith(suffix))) {
    const file = join(inHome(home, 'ceremonies', name), 'plan.json');
    try {
      const plan = readRecord(home.disk, file, v.unknown(), 'the plan of a ceremony');
      const entry = CeremonyStore.find(home, parsePlan(plan, file))?.journal.find((e) => e.payload.kind === 'certificate');
      if (entry) return entry.payload.at;
    } catch (e) {
      // a record that cannot be read hides no public fact of the key; the ceremony itself reports it
      if (!(e instanceof CeremonyError)) throw e;
    }
  }
  return undefined;
}

/** What the register holds of a participant's proof in an epoch, if anything. */
export function provenOf(care: Care | undefined, epoch: number, participant: string): { readonly at: string; readonly seen: ProofSeen } | undefined {
  const proven = care?.proven;
  return proven?.epoch === epoch && Object.hasOwn(proven.by, participant) ? proven.by[participant] : undefined;
}

/** How often what is due, in days. */
export interface CareRules {
  /** A proof of every participant's share. */
  readonly proofDays: number;
  /** A refresh, counted from the activation of the epoch. */
  readonly refreshDays: number;
  readonly backupDays: number;
  /** The first drill, counted from the first activation; later ones name their next date themselves. */
  readonly drillDays: number;
}

/** The defaults. */
export const CARE_RULES: CareRules = { proofDays: 90, refreshDays: 365, backupDays: 180, drillDays: 365 };

/** What the register is read against. */
export interface CareFacts {
  /** Number of the active epoch, and when it became active here, if that is known. */
  readonly epoch: number;
  readonly activated: string | undefined;
  readonly participants: readonly string[];
}

export type CareKind = 'proof' | 'refresh' | 'backup' | 'drill';

/** One thing that has to be done again and again. Times are UTC to the second. */
export interface CareItem {
  readonly kind: CareKind;
  /** Whose share; of proofs only. */
  readonly participant?: string;
  /** When it was last done in this epoch (a drill: ever); undefined for never. */
  readonly last?: string | undefined;
  readonly seen?: ProofSeen;
  readonly result?: DrillResult;
  /** When it has to be done next; undefined where nobody knows when counting began. */
  readonly due?: string | undefined;
  readonly overdue: boolean;
}

const DAY_MS = 86_400_000;
/** A recorded time that lies further ahead than this was written under a wrong clock, and counts as none. Milliseconds. */
const AHEAD_MS = 600_000;

/**
 * Everything that has to be done for a key, and when. Pure.
 *
 * Counting begins when a thing was last done, or when the epoch became active. Where neither is known, proofs and backup
 * tests are overdue, since they can be had at once; a refresh and a drill are not. A failed drill is overdue at once.
 */
export function careItems(care: Care | undefined, facts: CareFacts, now: Date, rules: CareRules): CareItem[] {
  const known = (at: string | undefined): string | undefined => (at !== undefined && Date.parse(at) <= now.getTime() + AHEAD_MS ? at : undefined);
  const after = (at: string | undefined, days: number): string | undefined => (at === undefined ? undefined : new Date(Date.parse(at) + days * DAY_MS).toISOString().replace(/\.\d+Z$/, 'Z'));
  const passed = (due: string | undefined, unknown: boolean): boolean => (due === undefined ? unknown : Date.parse(due) <= now.getTime());
  const activated = known(facts.activated);
  const item = (kind: CareKind, last: string | undefined, due: string | undefined, atOnce: boolean): CareItem => ({ kind, last, due, overdue: passed(due, atOnce) });

  const proofs = facts.participants.map((participant): CareItem => {
    const proof = provenOf(care, facts.epoch, participant);
    const last = known(proof?.at);
    return { ...item('proof', last, after(last ?? activated, rules.proofDays), true), participant, ...(proof && last !== undefined ? { seen: proof.seen } : {}) };
  });
  const tested = care?.backupTested?.epoch === facts.epoch ? known(care.backupTested.at) : undefined;
  const drill = known(care?.drilled?.at) === undefined ? undefined : care?.drilled;
  const drillDue = drill ? (drill.result === 'fail' ? drill.at : drill.due) : after(known(care?.since) ?? activated, rules.drillDays);
  return [
    ...proofs,
    item('refresh', activated, after(activated, rules.refreshDays), false),
    item('backup', tested, after(tested ?? activated, rules.backupDays), true),
    { ...item('drill', drill?.at, drillDue, false), ...(drill ? { result: drill.result } : {}) },
  ];
}

/** What is overdue, of {@link careItems}. Pure. */
export function overdue(care: Care | undefined, facts: CareFacts, now: Date, rules: CareRules = CARE_RULES): CareItem[] {
  return careItems(care, facts, now, rules).filter((i) => i.overdue);
}

/** The warning that goes with each kind. */
export const CARE_WARNINGS: Readonly<Record<CareKind, string>> = { proof: 'W_PROOF_DUE', refresh: 'W_REFRESH_DUE', backup: 'W_BACKUP_DUE', drill: 'W_DRILL_DUE' };
