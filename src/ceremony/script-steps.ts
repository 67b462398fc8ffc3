/**
 * The numbered steps of a ceremony in a room, as data: who types which command, and which action the screen then asks
 * for. The printed script shows them, and an end-to-end test compares them with what the program does.
 */
import type { Plan } from '../plan/plan.ts';
import type { ActionCode } from './actions.ts';
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
  return [lead, ...others.filter((n) => first?.includes(n) ?? true), ...others.filter((n) => first?.includes(n) === false)];
}

/** Whether the ceremony ends with words of a key. */
export function makesEpoch({ kind }: ScriptFacts): boolean {
  return kind !== 'sign' && kind !== 'presign';
}

/** The stops of the stick among the participants; witnesses add one each, and one more for the last writer. */
export function scriptVisits(facts: ScriptFacts): Visit[] {
  return visitOrder(stopOrder(facts), facts.rounds, facts.speakers);
}

/** The name of the ceremony folder on the stick. */
export function scriptFolder(facts: ScriptFacts): string {
  return facts.folder ?? (facts.kind === 'sign' ? facts.name : `${facts.name}-${facts.kind}`);
}

/** The steps of the ceremony, from the lead's first command to switching off. */
export function scriptSteps(facts: ScriptFacts): ScriptStep[] {
  const steps: ScriptStep[] = [];
  const add = (who: string, code: ActionCode, text: string, how: { command?: string; screen?: boolean } = {}): void => {
    const { command, screen = true } = how;
    steps.push({ n: steps.length + 1, who, code, text, screen, ...(command === undefined ? {} : { command }) });
  };
  const folder = scriptFolder(facts);
  const visits = scriptVisits(facts);
  // whoever writes the last message sees that the witnesses are still missing, and completes at one more stop
  const last = visits.findIndex((v) => v.completes);
  const witnessed = facts.witnesses.length > 0;
  const stops: Stop[] = visits.map((v, i) => ({ ...v, completes: v.completes && !(witnessed && i === last), first: i < facts.participants.length }));
  if (witnessed) {
    stops.splice(last + 1, 0, ...facts.witnesses.map((who) => ({ who, sends: [], completes: false, first: false, witness: true })));
    stops.push({ who: (visits[last] as Visit).who, sends: [], completes: true, first: false });
  }

  stops.forEach((stop, i) => {
    const { who } = stop;
    const hand = handOn(stops[i + 1]?.who);
    if (stop.witness) {
      add(who, 'CARRY_OUT', `${who} reads the record on the screen and signs it. ${hand}`, {
        command: `mpc-ceremony note witness ${folder}`,
      });
      return;
    }
    const lead = stop.first && who === facts.lead;
    const person = facts.participants.find((p) => p.name === who);
    const command = lead ? (facts.start ?? startCommand(facts)) : ['mpc-ceremony', stop.first ? 'join' : 'next', folder, ...(stop.first ? (person?.brings ?? []) : [])].join(' ');
    const prompts: [ActionCode, string][] = [];
    if (facts.attended && stop.first) {
      if (!lead)
        prompts.push([
          'COMPARE_WORDS',
          `The screen shows the sixteen words with two of them blank. ${facts.lead} reads those two aloud from the paper; ${who} types them.`,
        ]);
      if (facts.kind === 'sign')
        prompts.push(['APPROVE', `${who} reads what is to be signed, on this screen and not on another, and approves or refuses it.`]);
    }
    const wrote = [
      ...(stop.sends.length > 0 ? [`${who}'s ${messages(stop.sends)} on the stick.`] : stop.completes || !stop.first ? [] : [`${who} has joined and waits for the others.`]),
      ...(lead && facts.attended ? [`${who} compares the sixteen words on the screen with the ones on this paper.`] : []),
    ].join(' ');
    const end: [ActionCode, string] = stop.completes
      ? ['DONE', `${wrote} ${who} has finished: ${finished(facts, person?.leaves === true)}. ${hand}`.trim()]
      : witnessed && i === last
        ? ['WITNESS_SIGN', `${wrote} Everything is there for the witnesses. ${hand}`]
        : [stop.sends.length > 0 || lead ? 'CARRY_OUT' : 'BRING_IN', `${wrote} ${hand}`.trim()];
    [...prompts, end].forEach(([code, text], k) => {
      add(who, code, text, k === 0 ? { command } : {});
    });
    if (stop.completes && facts.attended && makesEpoch(facts))
      add(
        who,
        'WRITE_DOWN',
        `${who} copies the sixteen words of the key from the screen onto the page "Words of the key". They are the same for everybody.`,
        { screen: false },
      );
  });
  add('all', 'POWER_OFF', 'Every laptop is switched off and locked away. The stick goes to the archive.', { screen: false });
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

const messages = (rounds: readonly string[]): string =>
  rounds.length === 1 ? `message of round ${rounds.join('')} is` : `messages of rounds ${rounds.join(' and ')} are`;

const finished = ({ kind }: ScriptFacts, leaves: boolean): string =>
  leaves
    ? 'this laptop holds no share any more'
    : {
        dkg: 'the key is active on this laptop',
        refresh: 'the new share is active on this laptop, and the old one destroyed',
        reshare: 'the new share is active on this laptop; an old one is destroyed',
        import: 'the key is active on this laptop',
        sign: 'the signature is in the folder and verifies',
        presign: 'the presignatures are in stock on this laptop',
      }[kind];

function startCommand(facts: ScriptFacts): string {
  const { name, scheme, quorumText, participants, attended, options = [] } = facts;
  const signers = ['--signers', participants.map((p) => p.name).join(',')];
  const what = {
    dkg: ['dkg', '--name', name, '--scheme', scheme, '--quorum', quorumText, '--cards', 'cards'],
    refresh: ['refresh', '--key', name],
    reshare: ['reshare', '--key', name, '--quorum', quorumText, ...options, '--cards', 'cards'],
    import: ['import', '--name', name, ...options, '--quorum', quorumText, '--cards', 'cards', ...(participants.find((p) => p.name === facts.lead)?.brings ?? ['--share', 'FILE'])],
    sign: ['sign', '--intent', 'intent.json', ...signers],
    presign: ['presign', '--key', name, '--count', String(facts.count ?? 1), ...signers],
  }[facts.kind];
  return ['mpc-ceremony', ...what, '--out', scriptFolder(facts), ...(attended ? [] : ['--unattended'])].map(quoted).join(' ');
}

/** One word of a command as a POSIX shell reads it. */
function quoted(word: string): string {
  return /^[A-Za-z0-9_.,:=/-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
