/** The steps of the printed script where messages travel by QR codes alone: who scans whose screen, and what is shown then. */
import type { ActionCode } from './actions.ts';
import { codeFlow, type Said, type Turn } from './code-flow.ts';
import { finished, firstPrompts, makesEpoch, scriptFolder, startCommand, wordsOfTheKey } from './script-words.ts';
import type { ScriptFacts } from './script-steps.ts';

/** Adds a numbered step. */
export type AddStep = (who: string, code: ActionCode, text: string, how?: { readonly command?: string; readonly screen?: boolean }) => void;

const list = (names: readonly string[]): string => (names.length === 1 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`);

/** What a screen shows, in words. */
function shownWords({ who, opening, shows }: Turn, rounds: readonly string[]): string {
  const of = (round: number): string[] => shows.filter((m: Said) => m.round === round).map((m) => m.from);
  const parts = rounds.flatMap((name, round) => {
    const from = of(round);
    if (from.length === 0) return [];
    return [from.length === 1 && from[0] === who ? `its message of round ${name}` : `the messages of round ${name} of ${list(from)}`];
  });
  return list([...(opening ? ['the plan'] : []), ...parts]);
}

/** The steps from the lead's first command until everybody has finished. */
export function codeSteps(facts: ScriptFacts, add: AddStep): void {
  const { lead, participants, rounds, attended } = facts;
  const folder = scriptFolder(facts);
  const turns = codeFlow(lead, participants.map((p) => p.name), rounds, facts.speakers);
  turns.forEach((turn, i) => {
    const { who, scans, first, done } = turn;
    const person = participants.find((p) => p.name === who);
    // who scans this screen before it changes
    const changes = turns.findIndex((t, k) => k > i && t.who === who);
    const readers = turns.slice(i + 1, changes < 0 ? undefined : changes).filter((t) => t.scans.includes(who)).map((t) => t.who);
    const shows = readers.length === 0 ? '' : `The screen shows ${shownWords(turn, rounds)}. It stays until ${list(readers)} ${readers.length === 1 ? 'has' : 'have'} it whole.`;
    const compare = first && who === lead && attended ? ` ${who} compares the sixteen words on the screen with the ones on this paper.` : '';
    const end: [ActionCode, string] = done ? ['DONE', `${who} has finished: ${finished(facts, person?.leaves === true)}. ${shows}`.trim()] : ['SHOW_QR', `${shows}${compare}`];
    const begins = first && who === lead;
    const command = begins ? (facts.start ?? startCommand(facts)) : ['mpc-ceremony', first ? 'join' : 'next', folder, ...(first ? (person?.brings ?? []) : [])].join(' ');
    const scan: [ActionCode, string][] = scans.length === 0 ? [] : [['SCAN_QR', `${who} holds the camera to the screen of ${scans.length === 1 ? list(scans) : `${list(scans)}, one after the other`}, until its own screen says that everything is there.`]];
    [...scan, ...(first ? firstPrompts(facts, who) : []), end].forEach(([code, text], k) => {
      add(who, code, text, k === 0 ? { command: `${command} --via qr` } : {});
    });
    if (done && attended && makesEpoch(facts)) add(who, 'WRITE_DOWN', wordsOfTheKey(who), { screen: false });
  });
}
