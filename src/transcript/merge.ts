/** Chains of all authors from any number of copies: the longest one stands, the others must be its beginning. */
import { CeremonyError } from '../wire/errors.ts';
import { chainLines, walkChain } from './chain.ts';
import { type Entry, readUnproven } from './entry.ts';
import type { RecordFile } from './record-files.ts';
import type { Report } from './report.ts';

/** Who may write a chain in a ceremony. */
export interface Author {
  readonly name: string;
  /** Raw Ed25519 key, 32 bytes. */
  readonly identity: Uint8Array;
}

/** What later checks need of an entry. */
export type Link = Pick<Entry, 'hash' | 'payload'>;

/** One author's chain, merged from all copies. */
export interface AuthorChain {
  /** Entry n stands at n − 1. */
  readonly links: readonly Link[];
  /** Whether a copy is damaged: then nothing can be said about what should follow. */
  readonly damaged: boolean;
}

interface Copy {
  readonly file: string;
  readonly links: readonly Link[];
  readonly damaged: boolean;
}

/** Name of the entry in texts: author and number. */
export function placeOf(author: string, seq: number): string {
  return `${author}:${String(seq)}`;
}

/** Whose chain a file holds, by its first line; where that cannot be read, by its name. Nothing is proven by it. */
export function claimedAuthor({ file, bytes }: RecordFile): { author: string; ceremony: string | undefined } {
  try {
    for (const line of chainLines(bytes)) {
      const { author, ceremony } = readUnproven(line).payload;
      return { author, ceremony };
    }
  } catch (e) {
    if (!(e instanceof CeremonyError)) throw e;
  }
  return { author: (file.split('/').at(-1) ?? '').replace(/\.jsonl$/, ''), ceremony: undefined };
}

/** The entries of a file up to its first fault, which goes into the report. */
function readCopy(report: Report, { file, bytes }: RecordFile, author: Author, ceremony: string): Copy {
  const links: Link[] = [];
  try {
    for (const { hash, payload } of walkChain(bytes, { author: author.name, identity: author.identity, ceremony })) links.push({ hash, payload });
  } catch (e) {
    if (!(e instanceof CeremonyError)) throw e;
    const [line = ''] = /^line \d+(?=:)/.exec(e.message) ?? [];
    report.wrong(`chain ${author.name}`, `the transcript of ${author.name} is damaged or was changed: ${e.message}`, { code: e.code, place: `${file} ${line}`.trimEnd() });
    return { file, links, damaged: true };
  }
  return { file, links, damaged: false };
}

function describe({ payload, hash }: Link, file: string): string {
  return `${hash.slice(0, 16)}… (${payload.kind}${payload.message === undefined ? '' : ` ${payload.message}`}) in ${file}`;
}

/** Two entries with one number, both signed by their author, are proof. */
function findForks(report: Report, author: string, longest: Copy, copies: readonly Copy[]): boolean {
  const told = new Set<string>();
  for (const copy of copies) {
    const at = copy.links.findIndex((link, i) => link.hash !== longest.links[i]?.hash);
    const [mine, other] = [copy.links[at], longest.links[at]];
    if (!mine || !other || told.has(mine.hash)) continue;
    told.add(mine.hash);
    report.wrong(
      `chain ${author}`,
      `FORK by ${author} at entry ${String(at + 1)}: ${describe(other, longest.file)}, and ${describe(mine, copy.file)}; ${author} signed both, or ${author}'s device was restored from a copy`,
      { culprit: author, code: 'E_FORK', place: placeOf(author, at + 1) },
    );
  }
  return told.size > 0;
}

/**
 * Reads and merges all chain files.
 * @param required names of the authors whose chain must be there
 * @returns chains by author; authors without any file are absent
 */
export function mergeChains(report: Report, authors: readonly Author[], required: ReadonlySet<string>, ceremony: string, files: readonly RecordFile[]): Map<string, AuthorChain> {
  const copies = new Map<string, Copy[]>();
  for (const file of files) {
    const { author } = claimedAuthor(file);
    const known = authors.find((a) => a.name === author);
    if (!known) {
      report.wrong('chain', `${author} has no part in this plan, or the file is no transcript`, { code: 'E_CHAIN', place: file.file });
      continue;
    }
    copies.set(author, [...(copies.get(author) ?? []), readCopy(report, file, known, ceremony)]);
  }
  const merged = new Map<string, AuthorChain>();
  for (const { name } of authors) {
    const own = copies.get(name);
    if (!own) {
      if (required.has(name)) report.cannotTell(`chain ${name}`, `the transcript of ${name} is missing: bring transcript/${name}.jsonl`, { code: 'E_MISSING', place: name });
      continue;
    }
    const longest = own.reduce((a, b) => (b.links.length > a.links.length || (a.damaged && !b.damaged && b.links.length === a.links.length) ? b : a));
    merged.set(name, { links: longest.links, damaged: longest.damaged });
    const forked = findForks(report, name, longest, own);
    if (!forked && !own.some((c) => c.damaged))
      report.ok(`chain ${name}`, `${String(longest.links.length)} entries, signed by ${name} and linked${own.length > 1 ? `; ${String(own.length)} copies agree` : ''}`);
  }
  return merged;
}
