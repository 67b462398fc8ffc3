/**
 * Asking people. Every prompt has a stable id; `--answers` maps ids to answers; an unknown or unused id is an error. No
 * terminal and no answer ends the command with the id named, never with a hang. Never used for secrets.
 */
import { resolve } from 'node:path';
import type { Disk } from '../vault/durable.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { visible } from '../wire/visible.ts';
import { discardTyped } from './terminal.ts';

/** Every prompt of the program, with what it asks for. */
export const PROMPTS = {
  'compare-words': 'two words of the plan, as another participant reads them aloud',
  'verify-peer': 'two words of a card, as its owner reads them aloud',
  approve: 'the word approve, after reading what is to be signed',
  'release-piece': 'two words of a request for recovery, as the person who recovers reads them aloud',
  'recover-words': 'two words of the epoch of a backup, as they were written down or another holder reads them; never from a script',
} as const;

export type PromptId = keyof typeof PROMPTS;

interface AnswerFlags {
  readonly answers?: string;
  readonly input?: boolean;
}

export class Answers {
  readonly #disk: Disk;
  readonly #flags: AnswerFlags;
  #given: Map<string, string> | undefined;
  readonly #used = new Set<string>();

  constructor(disk: Disk, flags: AnswerFlags) {
    this.#disk = disk;
    this.#flags = flags;
  }

  #load(): Map<string, string> {
    if (this.#given) return this.#given;
    this.#given = new Map();
    if (this.#flags.answers === undefined) return this.#given;
    const file = resolve(this.#flags.answers);
    const bytes = this.#disk.read(file, 65_536) ?? fail('E_ANSWERS', 'the answers file is missing', { file });
    let json: unknown;
    try {
      json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    } catch (cause) {
      throw new CeremonyError('E_ANSWERS', 'the answers file is not JSON', { file, cause });
    }
    if (typeof json !== 'object' || json === null || Array.isArray(json)) fail('E_ANSWERS', 'the answers file must map prompt ids to texts', { file });
    for (const [id, answer] of Object.entries(json)) {
      if (!(id in PROMPTS)) fail('E_ANSWERS', `no prompt has the id ${id}`, { file, field: id, remedy: `Known ids: ${Object.keys(PROMPTS).join(', ')}` });
      if (typeof answer !== 'string') fail('E_ANSWERS', `the answer to ${id} is not a text`, { file, field: id });
      this.#given.set(id, answer);
    }
    return this.#given;
  }

  /** Asks a question; what was typed before it is thrown away. @throws E_PERSON naming the prompt when nobody can answer, E_INTERRUPTED */
  async ask(id: string, question: readonly string[]): Promise<{ answer: string; source: 'typed' | 'scripted' }> {
    const given = this.#load().get(id);
    if (given !== undefined) {
      this.#used.add(id);
      return { answer: given, source: 'scripted' };
    }
    if (this.#flags.input === false || !process.stdin.isTTY)
      fail('E_PERSON', `a person must answer (prompt id: ${id})`, { field: id, remedy: 'Run the command at a terminal, or answer with --answers where the plan allows it.' });
    const { input } = await import('@inquirer/prompts');
    await discardTyped();
    process.stderr.write(`${visible(question.slice(0, -1).join('\n'))}\n`);
    const answer = await input({ message: visible(question.at(-1) ?? id) }, { output: process.stderr });
    return { answer, source: 'typed' };
  }

  /** Reads the answers before anything is done. @throws E_ANSWERS for a file that cannot be used or has an unknown id */
  check(): void {
    this.#load();
  }

  /** @throws E_ANSWERS when an answer was given that no prompt asked for */
  finish(): void {
    const unused = [...this.#load().keys()].filter((id) => !this.#used.has(id));
    if (unused.length > 0) fail('E_ANSWERS', `nobody asked for ${unused.join(', ')}`, { field: unused[0], remedy: 'Remove it from the answers file.' });
  }
}
