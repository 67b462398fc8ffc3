/**
 * The numbered steps of a ceremony in a room, as data: who types which command, and which action the screen then asks
 * for. The printed script shows them, and an end-to-end test compares them with what the program does.
 */
import type { Plan, Route } from '../plan/plan.ts';
import type { ActionCode } from './actions.ts';
import { allowedRoutes } from './routes.ts';
import { type AddStep, codeSteps } from './script-codes.ts';
import { finished, firstPrompts, makesEpoch, scriptFolder, startCommand, wordsOfTheKey } from './script-words.ts';
import { type Speakers, type Visit, visitOrder } from './visits.ts';

/** What a room script is made from; all of it stands in the plan or follows from it. Public. */
export interface ScriptFacts {
  readonly kind: Plan['kind'];
  /** Of presignatures. */
  readonly count?: number;
  /** Name of the key, or of the signing ceremony. */
  readonly name: string;
  readonly mode: 'production' | 'rehearsal';
  readonly lead: string;
  /** Everybody with a seat. `part` is what this one does where not everybody does the same; `brings`: options of its first command, for a share of a foreign key. */
  readonly participants: readonly { readonly name: string; readonly role?: string; readonly place?: string; readonly part?: string; readonly leaves?: true; readonly brings?: readonly string[] }[];
  readonly witnesses: readonly string[];
  /** Rounds in which everybody writes one message, for example commit, deal, confirm. */
  readonly rounds: readonly string[];
  /** Rounds in which not everybody does. */
  readonly speakers?: Speakers;
  /** What an existing key goes through, in plain words. */
  readonly changes?: readonly string[];
  /** Options of the lead's command that follow from the plan. */
  readonly options?: readonly string[];
  readonly scheme: string;
  /** The quorum expression as written. */
  readonly quorumText: string;
  /** The quorum in plain words. */
  readonly explanation: readonly string[];
  /** Sixteen words over the session id. */
  readonly words: readonly string[];
  /** People confirm at the keyboard. */
  readonly attended: boolean;
  /** UTC times. */
  readonly created: string;
  readonly expires: string;
  /** Ways by which messages may travel, where the plan says so. */
  readonly routes?: readonly Route[];
  /** The plan pins the program. */
  readonly pinned?: true;
  /** The ceremony folder as it is called on the stick; by default NAME-dkg, or NAME for a signing. */
  readonly folder?: string;
  /** The command with which the lead began; by default made from the other facts. */
  readonly start?: string;
}

/** One step: one physical action. */
export interface ScriptStep {
  /** Number on the paper, from 1. */
  readonly n: number;
  readonly who: string;
  readonly code: ActionCode;
  /** To be typed, letter by letter; absent when the step follows from the command before it or needs no machine. */
  readonly command?: string;
  readonly text: string;
  /** The program shows this code: in a prompt, or as the next action when the command ends. */
  readonly screen: boolean;
}

/** A command of the script, with the codes that the program shows: prompts first, the next action last. */
export interface ScriptCommand {
  readonly who: string;
  readonly command: string;
  readonly codes: readonly ActionCode[];
}

/** Participants in the order of their first stop: the lead, then who speaks in the first round, then the others, as the roster has them. */
function stopOrder({ lead, participants, rounds, speakers }: ScriptFacts): string[] {
  const first = speakers?.[rounds[0] ?? ''];
  const others = participants.map((p) => p.name).filter((n) => n !== lead);
  return [...(isSeated(lead, participants) ? [lead] : []), ...others.filter((n) => first?.includes(n) ?? true), ...others.filter((n) => first?.includes(n) === false)];
}

/** What the messages travel on, by the paper: a stick, unless the plan allows nothing but codes or nothing but a relay. */
export type Carrier = 'stick' | 'codes' | 'relay';

/** A witness reads the whole record, which only a folder holds: a plan with witnesses has a stick. */
export function carrierOf({ routes, witnesses }: Pick<ScriptFacts, 'routes' | 'witnesses'>): Carrier {
  const only = witnesses.length > 0 ? 'folder' : allowedRoutes(routes ? { routes: [...routes] } : {}).join();
  return only === 'qr' ? 'codes' : only === 'relay' ? 'relay' : 'stick';
}

/** The stops of the stick among the participants; witnesses add one each, and one more for the last writer. */
export function scriptVisits(facts: ScriptFacts): Visit[] {
  const begins = isSeated(facts.lead, facts.participants) ? [] : [{ who: facts.lead, sends: [], completes: false }];
  return [...begins, ...visitOrder(stopOrder(facts), facts.rounds, facts.speakers)];
}

const isSeated = (lead: string, participants: ScriptFacts['participants']): boolean => participants.some((p) => p.name === lead);

/** The steps of the ceremony, from the lead's first command to switching off. */
export function scriptSteps(facts: ScriptFacts): ScriptStep[] {
  const steps: ScriptStep[] = [];
  const add: AddStep = (who, code, text, how = {}) => {
    const { command, screen = true } = how;
    steps.push({ n: steps.length + 1, who, code, text, screen, ...(command === undefined ? {} : { command }) });
  };
  const carrier = carrierOf(facts);
  if (carrier === 'codes') {
    codeSteps(facts, add);
    add('all', 'POWER_OFF', 'Every laptop is switched off and locked away. Before that, the folders of all laptops are brought together by file for the archive.', { screen: false });
    return steps;
  }
  const folder = scriptFolder(facts);
  const via = carrier === 'relay' ? ' --via relay:ADDRESS' : '';
  const visits = scriptVisits(facts);
  // whoever writes the last message sees that the witnesses are still missing, and completes at one more stop
  const last = visits.findIndex((v) => v.completes);
  const seats = facts.participants.length + (isSeated(facts.lead, facts.participants) ? 0 : 1);
  const witnessed = facts.witnesses.length > 0;
  const stops: Stop[] = visits.map((v, i) => ({ ...v, completes: v.completes && !(witnessed && i === last), first: i < seats }));
  if (witnessed) {
    stops.splice(last + 1, 0, ...facts.witnesses.map((who) => ({ who, sends: [], completes: false, first: false, witness: true })));
    stops.push({ who: (visits[last] as Visit).who, sends: [], completes: true, first: false });
  }

  stops.forEach((stop, i) => {
    const { who } = stop;
    const hand = carrier === 'relay' ? nextByRelay(stops[i + 1]?.who) : handOn(stops[i + 1]?.who);
    if (stop.witness) {
      add(who, 'CARRY_OUT', `${who} reads the record on the screen and signs it. ${hand}`, {
        command: `mpc-ceremony note witness ${folder}`,
      });
      return;
    }
    const lead = stop.first && who === facts.lead;
    const person = facts.participants.find((p) => p.name === who);
    const command = `${lead ? (facts.start ?? startCommand(facts)) : ['mpc-ceremony', stop.first ? 'join' : 'next', folder, ...(stop.first ? (person?.brings ?? []) : [])].join(' ')}${via}`;
    const prompts: [ActionCode, string][] = stop.first ? firstPrompts(facts, who) : [];
    const there = carrier === 'relay' ? 'in the relay' : 'on the stick';
    const wrote = [
      ...(stop.sends.length > 0
        ? [`${who}'s ${messages(stop.sends)} ${there}.`]
        : lead && !person
          ? [`The plan is ${there}.`]
          : stop.completes || !stop.first
            ? []
            : [`${who} has joined and waits for the others.`]),
      ...(lead && facts.attended ? [`${who} compares the sixteen words on the screen with the ones on this paper.`] : []),
    ].join(' ');
    const end: [ActionCode, string] = stop.completes
      ? ['DONE', `${wrote} ${who} has finished: ${finished(facts, person?.leaves === true)}. ${hand}`.trim()]
      : witnessed && i === last
        ? ['WITNESS_SIGN', `${wrote} Everything is there for the witnesses. ${hand}`]
        : [carrier === 'relay' ? 'WAIT' : stop.sends.length > 0 || lead ? 'CARRY_OUT' : 'BRING_IN', `${wrote} ${hand}`.trim()];
    [...prompts, end].forEach(([code, text], k) => {
      add(who, code, text, k === 0 ? { command } : {});
    });
    if (stop.completes && facts.attended && makesEpoch(facts))
      add(who, 'WRITE_DOWN', wordsOfTheKey(who), { screen: false });
  });
  add('all', 'POWER_OFF', `Every laptop is switched off and locked away. ${carrier === 'relay' ? 'One folder with the records of all goes to the archive.' : 'The stick goes to the archive.'}`, { screen: false });
  return steps;
}

interface Stop extends Visit {
  /** The participant's first stop: the lead starts, the others join. */
  readonly first: boolean;
  readonly witness?: boolean;
}

/** The commands in order, each with the codes that it shows. */
export function scriptCommands(steps: readonly ScriptStep[]): ScriptCommand[] {
  const out: { who: string; command: string; codes: ActionCode[] }[] = [];
  for (const { who, command, code, screen } of steps) {
    if (command !== undefined) out.push({ who, command, codes: [code] });
    else if (screen) out[out.length - 1]?.codes.push(code);
  }
  return out;
}

function handOn(next: string | undefined): string {
  return next === undefined ? 'Eject the stick and leave it on the table.' : `Eject the stick, hand it to ${next.toUpperCase()}.`;
}

function nextByRelay(next: string | undefined): string {
  return next === undefined ? '' : `${next.toUpperCase()} is next.`;
}

const messages = (rounds: readonly string[]): string =>
  rounds.length === 1 ? `message of round ${rounds.join('')} is` : `messages of rounds ${rounds.join(' and ')} are`;
