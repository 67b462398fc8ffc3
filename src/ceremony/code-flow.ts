/**
 * The way of the messages where codes on screens carry them (outgoing.ts): the lead's laptop stands in the middle and shows
 * everything that somebody may lack, the others show it what they have said. Public; knows rounds by name only. The same for
 * the budget, which counts, and for the printed script.
 */
import { fail } from '../wire/errors.ts';
import type { Speakers } from './visits.ts';

/** A message: its round, from 0, and who said it. */
export interface Said {
  readonly round: number;
  readonly from: string;
}

/** One command of a participant: it scans some screens, goes on as far as that permits, and shows. */
export interface Turn {
  readonly who: string;
  /** Whose screens it scans, one after the other; nobody's for the first command of the lead. */
  readonly scans: readonly string[];
  /** Rounds, from 0, whose message it says now. */
  readonly sends: readonly number[];
  /** What its screen then shows, by round and name. */
  readonly shows: readonly Said[];
  /** The plan is shown along: somebody may not have joined yet. */
  readonly opening: boolean;
  /** It has all messages of all rounds. */
  readonly done: boolean;
  /** Its first command: it begins or joins. */
  readonly first: boolean;
}

const key = ({ round, from }: Said): string => `${String(round)} ${from}`;

class Participant {
  readonly name: string;
  readonly held = new Map<string, Said>();
  readonly #speaking: readonly (readonly string[])[];

  constructor(name: string, speaking: readonly (readonly string[])[]) {
    this.name = name;
    this.#speaking = speaking;
  }
  has(round: number, from: string): boolean {
    return this.held.has(key({ round, from }));
  }
  take(messages: readonly Said[]): void {
    for (const m of messages) this.held.set(key(m), m);
  }
  #complete(round: number): boolean {
    return this.#speaking[round]?.every((n) => this.has(round, n)) ?? true;
  }
  get done(): boolean {
    return this.#speaking.every((_, round) => this.#complete(round));
  }
  /** Rounds whose message it can say, if it had these besides; nothing changes. */
  wouldSend(messages: readonly Said[]): number[] {
    const trial = new Participant(this.name, this.#speaking);
    trial.take([...this.held.values(), ...messages]);
    return trial.advance();
  }
  /** Says what can be said, as the engine does: a message of a round when all of the rounds before are there. */
  advance(): number[] {
    const sends: number[] = [];
    for (const [round, names] of this.#speaking.entries()) {
      if (names.includes(this.name) && !this.has(round, this.name)) {
        this.take([{ round, from: this.name }]);
        sends.push(round);
      }
      if (!this.#complete(round)) break;
    }
    return sends;
  }
  spoke(name: string, after = -1): boolean {
    return [...this.held.values()].some((m) => m.from === name && m.round > after);
  }
  /** What this one shows to these: what somebody of them may lack, who has not said anything later. */
  shown(readers: readonly string[], all: boolean): Said[] {
    return [...this.held.values()]
      .filter((m) => (all || m.from === this.name) && readers.some((r) => r !== m.from && !this.spoke(r, m.round)))
      .sort((a, b) => a.round - b.round);
  }
}

/**
 * The turns in order, from the lead's first command until everybody has everything.
 * @param names everybody with a seat; a lead without one only shows the plan, and the first of them stands in the middle
 * @param rounds names of the rounds; everybody speaks in each, except where `only` says who does
 */
export function codeFlow(lead: string, names: readonly string[], rounds: readonly string[], only: Speakers = {}): Turn[] {
  const speaking = rounds.map((round) => names.filter((n) => only[round]?.includes(n) ?? true));
  const seated = names.includes(lead);
  const hub = new Participant(seated ? lead : (names[0] ?? fail('E_INTERNAL', 'a ceremony without participants')), speaking);
  const others = names.filter((n) => n !== hub.name).map((n) => new Participant(n, speaking));
  const readers = others.map((o) => o.name);
  const begun = new Set<string>();
  const turns: Turn[] = [];
  const turn = (p: Participant, scans: readonly string[]): void => {
    const sends = p.advance();
    const shows = p === hub ? hub.shown(readers, true) : p.shown([hub.name], false);
    turns.push({ who: p.name, scans, sends, shows, opening: p === hub && readers.some((r) => !hub.spoke(r)), done: p.done, first: !begun.has(p.name) });
    begun.add(p.name);
  };
  if (!seated) turns.push({ who: lead, scans: [], sends: [], shows: [], opening: true, done: false, first: true });
  turn(hub, seated ? [] : [lead]);
  while (!hub.done) {
    const showing = hub.shown(readers, true);
    const moved = others.filter((o) => o.wouldSend(showing).length > 0);
    if (moved.length === 0) fail('E_INTERNAL', 'nobody can go on');
    for (const o of moved) {
      o.take(showing);
      turn(o, [hub.name]);
    }
    for (const o of moved) hub.take(o.shown([hub.name], false));
    turn(hub, moved.map((o) => o.name));
  }
  const last = hub.shown(readers, true);
  for (const o of others) {
    if (o.done) continue;
    o.take(last);
    turn(o, [hub.name]);
  }
  return turns;
}
