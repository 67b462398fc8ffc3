/** What a home remembers of the intents it acted on: an intent is single use, and a further attempt continues one. */
import * as v from 'valibot';
import type { SignPlan } from '../plan/plan.ts';
import type { IntentMemory } from '../policy/gate.ts';
import type { SignedIntent } from '../policy/intent.ts';
import { toHex } from '../wire/bytes.ts';
import { canonicalBytes } from '../wire/canon.ts';
import { type Home, inHome } from './home.ts';
import { readRecord } from './record.ts';

const RecordSchema = v.strictObject({ hash: v.string(), session: v.string(), done: v.boolean() });

const fileOf = (home: Home, signed: SignedIntent): string => inHome(home, 'intents', `${signed.intent.id.toLowerCase()}.json`);

function read(home: Home, signed: SignedIntent): v.InferOutput<typeof RecordSchema> | undefined {
  return readRecord(home.disk, fileOf(home, signed), RecordSchema, 'the record of an intent');
}

/** How the intent stands with this home, seen from the session `sid` (hex). */
export function recallIntent(home: Home, signed: SignedIntent, plan: SignPlan, sid: string): IntentMemory {
  const record = read(home, signed);
  if (!record) return 'new';
  if (record.hash !== toHex(signed.hash)) return 'spent';
  if (record.session === sid) return 'this-attempt';
  return !record.done && plan.previous === record.session ? 'earlier-attempt' : 'spent';
}

/** Binds the intent to a session, durably, before any share exists. */
export function bindIntent(home: Home, signed: SignedIntent, sid: string): void {
  if (read(home, signed)?.session === sid) return;
  home.disk.write(fileOf(home, signed), canonicalBytes({ hash: toHex(signed.hash), session: sid, done: false }));
}

/** The intent has its signature: no further attempt may follow. */
export function finishIntent(home: Home, signed: SignedIntent, sid: string): void {
  home.disk.write(fileOf(home, signed), canonicalBytes({ hash: toHex(signed.hash), session: sid, done: true }));
}
