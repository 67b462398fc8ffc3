/** Checks an evidence file as a third party would: from the plan and the signed envelopes in it, and nothing else. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { CeremonyStore } from '../ceremony/store.ts';
import { dkgContext, dkgFindings } from '../protocols/dkg.ts';
import { equivocation, type Finding } from '../protocols/machine.ts';
import { sealingReady } from '../sharing/sealing-group.ts';
import { realDisk } from '../vault/durable.ts';
import { type Envelope, openBlob } from '../wire/blob.ts';
import type { ErrorCode } from '../wire/errors.ts';
import { filesIn } from './courier.ts';
import type { Play } from './play.ts';
import { copyOf, rehearsalHome } from './stage.ts';

const EvidenceSchema = v.object({ code: v.string(), envelopes: v.array(v.string()) });

/** What the envelopes show by themselves: two of one sender in one slot, or the findings of the protocol. */
function findings(store: CeremonyStore, envelopes: readonly Envelope[]): readonly Finding[] {
  const messages = new Map<number, Map<number, Envelope>>();
  for (const e of envelopes) {
    const slot = messages.get(e.slot) ?? new Map<number, Envelope>();
    const before = slot.get(e.leaf);
    if (before) return [equivocation(before, e)];
    messages.set(e.slot, slot.set(e.leaf, e));
  }
  return store.plan.kind === 'dkg' ? dkgFindings(dkgContext(store.plan), messages).findings : [];
}

/** Tells whether the evidence in a participant's folder shows what it claims. */
export async function verifyEvidence(play: Play, who: string, ceremony: string, claim: { code: ErrorCode; culprit: string }): Promise<void> {
  await sealingReady();
  const dir = join(play.stage.root, copyOf(who, ceremony));
  const path = filesIn(dir).find((p) => p.startsWith('evidence/') && p.endsWith(`-${claim.culprit}.json`));
  const name = `evidence ${claim.code} at ${who}`;
  if (path === undefined) {
    play.story.check(name, 'wrong', `there is no evidence against ${claim.culprit} in ${copyOf(who, ceremony)}`);
    return;
  }
  const store = CeremonyStore.byPlace(rehearsalHome(play.stage, who, realDisk()), dir, undefined);
  const { envelopes } = v.parse(EvidenceSchema, JSON.parse(readFileSync(join(dir, path), 'utf8')));
  const shown = store && findings(store, envelopes.map((e) => openBlob(new Uint8Array(Buffer.from(e, 'base64')), store.session)));
  const proves = shown?.some((f) => f.code === claim.code && store?.session.seats.find((s) => s.leaf === f.culprit)?.name === claim.culprit) === true;
  play.story.check(name, proves ? 'ok' : 'wrong', `the evidence that ${who} keeps ${proves ? 'proves' : 'does NOT prove'} to anybody that it was ${claim.culprit} (${claim.code})`);
}
