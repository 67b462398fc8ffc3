/** What happened in a rehearsal, told in plain words while it happens and kept for the summary, `--json` and log.txt. */
import type { Slot } from '../protocols/machine.ts';
import type { FaultName } from './faults.ts';
import type { Outcome } from './program.ts';
import { ANYBODY } from './stage.ts';

/** One run of the program. */
export interface StepRecord {
  /** Milliseconds from the beginning of the rehearsal to the end of this step. */
  readonly at: number;
  readonly participant: string;
  readonly command: string;
  readonly exit: number | null;
  readonly killed: boolean;
  readonly code?: string;
  readonly text: string;
}

/** What a gate ought to say, or said. */
export interface Verdict {
  readonly exit?: number | null;
  readonly code?: string | undefined;
  /** The participant who is named: as the culprit, or as the one whose message is missing. */
  readonly participant?: string | undefined;
  readonly file?: string | undefined;
  /** Whether what left the laptop stayed the same byte for byte. */
  readonly sameBytes?: boolean;
}

export interface GateRecord {
  readonly participant: string;
  readonly expected: Verdict;
  readonly observed: Verdict;
  readonly asItShouldBe: boolean;
  readonly text: string;
}

export interface FaultRecord {
  readonly fault: FaultName;
  /** What was done to the ceremony. */
  readonly done: string[];
  readonly gates: GateRecord[];
}

export interface CheckRecord {
  readonly name: string;
  readonly verdict: 'ok' | 'wrong' | 'not-checked';
  readonly text: string;
}

export class Story {
  readonly #say: (text: string) => void;
  readonly #begun = performance.now();
  readonly #log: string[] = [];
  readonly steps: StepRecord[] = [];
  readonly faults: FaultRecord[] = [];
  readonly checks: CheckRecord[] = [];
  /** Rounds of the ceremony that is told: those of its plan in which everybody speaks. */
  rounds: readonly Slot[] = [];
  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  get milliseconds(): number {
    return Math.round(performance.now() - this.#begun);
  }
  get log(): string {
    return `${this.#log.join('\n')}\n`;
  }

  #lines(text: string, mark: string): string[] {
    const lead = `${(this.milliseconds / 1000).toFixed(1).padStart(5)} s ${mark} `;
    return fold(text, 80 - lead.length).map((line, i) => (i === 0 ? lead : ' '.repeat(lead.length)) + line);
  }

  #tell(text: string, mark = ' '): void {
    const lines = this.#lines(text, mark);
    for (const line of lines) this.#say(line);
    this.#log.push(...lines);
  }

  /** What a program is busy with; not kept. */
  busy(participant: string, text: string): void {
    for (const line of this.#lines(`${laptopOf(participant)}: ${text}`, '…')) this.#say(line);
  }

  /** Heading of a part. */
  chapter(title: string): void {
    this.#say(title);
    this.#log.push('', title);
  }

  /** Something that no program did: the courier, the operator, a person. */
  remark(text: string): void {
    this.#tell(text);
  }

  /** A command that is only worth a line in the log. */
  aside(line: string): void {
    this.#log.push(`          $ ${line}`);
  }

  /** A run of the program. @param doing what the command is for; the outcome is added */
  step(participant: string, command: string, doing: string, outcome: Outcome): void {
    const result = resultOf(outcome, this.rounds);
    const text = [doing, result].filter((s) => s !== '').join(', ');
    this.#tell(`${laptopOf(participant)}: ${command} — ${text}`);
    this.aside(outcome.line);
    const code = outcome.report.error?.code;
    this.steps.push({ at: this.milliseconds, participant, command, exit: outcome.exit ?? null, killed: outcome.killed, ...(code === undefined ? {} : { code }), text });
  }

  check(name: string, verdict: CheckRecord['verdict'], text: string): void {
    this.#tell(text, verdict === 'ok' ? '✓' : verdict === 'wrong' ? '✗' : ' ');
    this.checks.push({ name, verdict, text });
  }

  /** Begins or continues the account of a fault. */
  fault(fault: FaultName, done: string): FaultRecord {
    let record = this.faults.find((f) => f.fault === fault);
    if (!record) this.faults.push((record = { fault, done: [], gates: [] }));
    record.done.push(done);
    this.#tell(`fault ${fault}: ${done}`, '!');
    return record;
  }

  /**
   * Compares what a gate said with what it ought to say.
   * @param said what is told of it; the verdict in words unless given
   */
  gate(fault: FaultRecord, participant: string, expected: Verdict, observed: Verdict, said?: string): void {
    const text = said ?? show(expected.file === undefined ? { ...observed, file: undefined } : observed);
    const same = (['exit', 'code', 'participant', 'sameBytes'] as const).every((k) => expected[k] === undefined || expected[k] === observed[k]);
    const asItShouldBe = same && (expected.file === undefined || observed.file?.endsWith(expected.file) === true);
    fault.gates.push({ participant, expected, observed, asItShouldBe, text });
    const gate = participant.includes(' ') ? participant : `gate at ${participant}`;
    this.#tell(asItShouldBe ? `${gate}: ${text}: as it should be` : `${gate}: expected ${show(expected)}, observed ${show(observed)}: NOT as it should be`, asItShouldBe ? '✓' : '✗');
  }
}

/** Whether every gate answered a fault as it should. */
export function answered(fault: FaultRecord): boolean {
  return fault.gates.length > 0 && fault.gates.every((g) => g.asItShouldBe);
}

/** The verdict of a run of the program. */
export function verdictOf(outcome: Outcome): Verdict {
  const { error, needs } = outcome.report;
  return { exit: outcome.exit ?? null, code: error?.code, participant: error ? error.participant : needs?.map((n) => n.from).join(', '), file: error?.file };
}

/** A verdict in one line. */
export function show(v: Verdict): string {
  if (v.sameBytes !== undefined) return v.sameBytes ? 'the same bytes' : 'other bytes';
  const named = v.participant === undefined || v.participant === '' ? '' : v.exit === 10 ? `, waiting for ${v.participant}` : `, naming ${v.participant}`;
  return `exit ${String(v.exit)}${v.code === undefined ? '' : ` ${v.code}`}${named}${v.file === undefined ? '' : `, file ${short(v.file)}`}`;
}

/** The last two parts of a path. */
export function short(path: string): string {
  return path.split('/').slice(-2).join('/');
}

function laptopOf(participant: string): string {
  return participant === ANYBODY ? ANYBODY : `${participant}'s laptop`;
}

/** A message that was written, as one of a ceremony's rounds. */
function messageOf(slot: number, rounds: readonly Slot[]): string {
  const at = rounds.findIndex((r) => r.slot === slot);
  const name = rounds[at]?.name;
  if (name === undefined) return 'writes a message besides';
  return rounds.length === 1 ? `writes its one message (${name})` : `writes message ${String(at + 1)} of ${String(rounds.length)} (${name})`;
}

/** Ends of ceremonies, as `did` names them. */
const ENDS: Readonly<Record<string, string>> = {
  certificate: 'holds all confirmations: the key is active',
  presigned: 'has the presignatures in stock',
  signature: 'puts the signature together and verifies it',
};

function resultOf(outcome: Outcome, rounds: readonly Slot[]): string {
  if (outcome.killed) return 'killed by the operating system (kill -9)';
  const { error, did = [], needs = [] } = outcome.report;
  if (error) return `stops with exit ${String(outcome.exit)} ${error.code}${(error.text as string | undefined) === undefined ? '' : `: ${error.text}`}`;
  // recover says in one word what it did
  const parts = (Array.isArray(did) ? (did as readonly string[]) : [String(did)]).map((d) => {
    const slot = /^round(\d+)\.sent$/.exec(d)?.[1];
    return slot === undefined ? (ENDS[d] ?? d) : messageOf(Number(slot), rounds);
  });
  if (parts.length > 0) return parts.join(', ');
  if (needs.length > 0) return `waits for ${inWords(needs.map((n) => n.from))}`;
  return outcome.report.nextAction?.code === 'DONE' ? 'has finished' : '';
}

/** Names as a sentence lists them. */
export function inWords(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
}

/** Words of a text in lines of at most `width` columns. */
export function fold(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
