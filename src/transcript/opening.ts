/** How a ceremony began: the plan that everybody joined, the cards in it, and the first entry of every chain. */
import { parseCard } from '../plan/card.ts';
import { type Plan, rosterHash, seated, witnessesOf } from '../plan/plan.ts';
import { toHex } from '../wire/bytes.ts';
import { CeremonyError } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import { airGapWords, notAirGapped } from './airgap.ts';
import type { EntryPayload } from './entry-fields.ts';
import { placeOf } from './merge.ts';
import type { Recorded } from './messages.ts';
import { otherProgram } from './pinned.ts';
import type { RecordFile } from './record-files.ts';
import type { Report } from './report.ts';

/** An attended plan is joined by a person who compares the words; only the lead has nobody to compare with. */
function checkCompared(report: Report, plan: Plan, author: string, open: EntryPayload): void {
  if (plan.attended && author !== plan.lead && open.compared !== 'typed')
    report.wrong('opening', `the plan is attended, and ${author} joined without a person comparing the words (${open.compared ?? ''})`, {
      culprit: author,
      code: 'E_ATTENDED',
      place: placeOf(author, 1),
    });
}

/** Every participant's first entry, and no other, opens its part: with this plan and this roster. */
export function checkOpenings({ report, plan, session, chains }: Recorded): void {
  const opens: EntryPayload[] = [];
  report.section(
    'opening',
    () => {
      const programs = new Set(opens.map((o) => o.program));
      const typed = opens.filter((o) => o.compared === 'typed').map((o) => o.author);
      return (
        `${String(opens.length)} participants joined this plan with this roster; ` +
        (programs.size > 1 ? `they ran ${String(programs.size)} different programs; ` : `program ${(opens[0]?.program ?? '').slice(0, 16)}…${plan.program === undefined ? '' : ', which the plan pins'}; `) +
        (typed.length > 0 ? `words compared by ${typed.join(', ')}` : 'words not compared') +
        airGapWords(opens)
      );
    },
    () => {
      for (const { name } of session.seats) {
        const links = chains.get(name)?.links ?? [];
        for (const { payload } of links) {
          const place = placeOf(name, payload.seq);
          if ((payload.kind === 'open') !== (payload.seq === 1))
            report.wrong('opening', `the first entry of ${name}, and no other, must be the opening`, { culprit: name, code: 'E_CHAIN', place });
          else if (payload.kind === 'open') {
            opens.push(payload);
            if (payload.plan !== toHex(session.sid)) report.wrong('opening', `${name} joined another plan`, { culprit: name, code: 'E_PLAN_CHANGED', place });
            if (payload.roster !== toHex(rosterHash(plan))) report.wrong('opening', `${name} joined with another roster`, { culprit: name, code: 'E_ROSTER_HASH', place });
            const other = otherProgram(plan, payload);
            if (other !== undefined) report.wrong('opening', other, { culprit: name, code: 'E_RELEASE', place });
            const gap = notAirGapped(plan, payload);
            if (gap !== undefined) report.wrong('opening', gap, { culprit: name, code: 'E_AIRGAP', place });
            checkCompared(report, plan, name, payload);
          }
        }
      }
    },
  );
}

/** The plan file must be one that somebody joined, to the last byte: a comment in it also speaks to people. */
export function checkPlanFiles({ report, session, chains }: Recorded, files: readonly RecordFile[]): void {
  const joined = new Set(session.seats.map((s) => chains.get(s.name)?.links[0]?.payload.subject?.sha256).filter((h) => h !== undefined));
  for (const { file, bytes } of files)
    if (joined.size > 0 && !joined.has(toHex(sha256(bytes))))
      report.wrong('plan file', 'the plan file says the same as the plan that was joined, and is not that file byte for byte: its comments or layout were changed', {
        code: 'E_PLAN_CHANGED',
        place: file,
      });
  if (joined.size > 1) report.ok('plan file', `participants joined ${String(joined.size)} plan files that differ in layout and say the same`);
}

/** Cards in the folder must be whole, and those of this ceremony's people the ones that the plan names. */
export function checkCards(report: Report, plan: Plan, files: readonly RecordFile[]): void {
  if (files.length === 0) return;
  const people: readonly { name: string; identity: string; homeId: string; x25519?: string; prekey?: { n: number; P: string; pop: string } }[] = [...seated(plan), ...witnessesOf(plan)];
  report.section(
    'cards',
    () => `${String(files.length)} cards, signed by their owners, as in the plan`,
    () => {
      for (const { file, bytes } of files) {
        try {
          const card = parseCard(bytes, file);
          const seat = people.find((p) => p.name === card.name);
          if (!seat) continue;
          const reserved = card.prekeys.find((p) => p.n === seat.prekey?.n);
          const same = card.ed25519 === seat.identity && card.homeId === seat.homeId && (seat.x25519 ?? card.x25519) === card.x25519 && (!reserved || reserved.P === seat.prekey?.P);
          if (!same) report.wrong('cards', `the plan holds another card for ${card.name} than this one`, { code: 'E_CARD', place: file });
        } catch (e) {
          if (!(e instanceof CeremonyError)) throw e;
          report.wrong('cards', e.message, { code: e.code, place: file });
        }
      }
    },
  );
}
