/**
 * sharing/ holds the dealing protocol: quorum expressions, dealings with their public checks, sealed sub-shares,
 * complaints and recombination, as the dealing specification in ARCHITECTURE.md lays down. Pure functions: no files,
 * no clock, no prompts, and randomness only as an argument. Files that handle secrets (deal, seal, open, prove,
 * prove-possession, make-complaint, make-prekey) are apart from those that anybody may run on public data.
 *
 * This file reads a quorum expression into its tree.
 */
import { fail } from '../wire/errors.ts';

/** A participant's place in the tree. */
export interface Leaf {
  readonly kind: 'leaf';
  /** Path of indices from the root, for example "2.1". */
  readonly label: string;
  /** Ordinal 1..n among the leaves, left to right; the participant's id in this epoch. */
  readonly id: number;
  /** The x-coordinate in its gate: 1..m. */
  readonly index: number;
  readonly name: string;
}

/** A threshold gate: satisfied when `threshold` of its children are. */
export interface Gate {
  readonly kind: 'gate';
  /** Path of indices from the root; the root's is "". */
  readonly label: string;
  /** The x-coordinate in the gate above: 1..m; 0 for the root. */
  readonly index: number;
  readonly threshold: number;
  readonly children: readonly (Gate | Leaf)[];
}

export interface Quorum {
  /** Canonical text after the roles were expanded; equal structures of the same names have equal texts. */
  readonly text: string;
  readonly root: Gate;
  /** In the order of their ids. */
  readonly leaves: readonly Leaf[];
  /** In pre-order: a gate before the gates below it, these from left to right. */
  readonly gates: readonly Gate[];
}

/** Holders of each role, in order. */
export type Roles = Readonly<Record<string, readonly string[]>>;

export const MAX_LEAVES = 64;
/** Most gates on the way from the root to a leaf. */
export const MAX_DEPTH = 8;
const MAX_TEXT = 8192;
const NAME = /^[a-z][a-z0-9-]{0,31}$/;
const TOKEN = /[ \t\r\n]*([a-z0-9-]+|[(),])/y;
const WORDS = { 'all-of': true, 'any-of': true } as const;

/** The tree as written: names not yet looked up, labels not yet given. */
interface Written {
  readonly threshold: number | 'all';
  readonly children: readonly (Written | string)[];
}

/** The tree after the roles were expanded. */
interface Expanded {
  readonly threshold: number;
  readonly children: readonly (Expanded | string)[];
}

function tokens(text: string): string[] {
  if (text.length > MAX_TEXT) fail('E_QUORUM_SYNTAX', 'the quorum expression is too long');
  const found: string[] = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) return fail('E_QUORUM_SYNTAX', `the quorum expression cannot be read from character ${String(at + 1)}`);
    found.push(match[1] as string);
  }
  return found;
}

function isName(word: string): boolean {
  return NAME.test(word) && !Object.hasOwn(WORDS, word);
}

function readGate(stream: string[], depth: number): Written {
  if (depth > MAX_DEPTH) fail('E_QUORUM_SYNTAX', `gates are nested more than ${String(MAX_DEPTH)} deep`);
  const word = stream.shift() as string;
  const counted = /^([1-9][0-9]?)-of$/.exec(word);
  const threshold = word === 'all-of' ? 'all' : word === 'any-of' ? 1 : counted ? Number(counted[1]) : undefined;
  if (threshold === undefined) return fail('E_QUORUM_SYNTAX', `"${word}" is no gate: all-of, any-of or a number and -of`);
  stream.shift();
  const children: (Written | string)[] = [];
  for (;;) {
    const next = stream[0];
    if (next === undefined) return fail('E_QUORUM_SYNTAX', 'a parenthesis is not closed');
    if (stream[1] === '(') children.push(readGate(stream, depth + 1));
    else if (isName(next)) children.push(stream.shift() as string);
    else return fail('E_QUORUM_SYNTAX', `"${next}" stands where a name or a gate is expected`);
    const separator = stream.shift();
    if (separator === ')') return { threshold, children };
    if (separator !== ',') return fail('E_QUORUM_SYNTAX', `a comma or a parenthesis is missing after "${next}"`);
  }
}

/** k of the holders of a role; a role with one holder is that holder. */
function expandRole(role: string, holders: readonly string[], threshold: number | 'all'): Expanded | string {
  for (const holder of holders)
    if (!isName(holder)) fail('E_QUORUM_SYNTAX', `role ${role} lists "${holder}", which is no name`);
  const wanted = threshold === 'all' ? Math.max(holders.length, 1) : threshold;
  if (wanted > holders.length)
    fail('E_ROLE_SHORT', `role ${role} has ${String(holders.length)} holders; ${String(wanted)} are asked of it`);
  return holders.length === 1 ? (holders[0] as string) : { threshold: wanted, children: holders };
}

function expand(node: Written, roles: Roles): Expanded | string {
  const holders = (name: string): readonly string[] | undefined => (Object.hasOwn(roles, name) ? roles[name] : undefined);
  const only = node.children[0];
  // `2-of(treasury)` asks for two of the holders; among other children a role is any one of its holders
  if (node.children.length === 1 && typeof only === 'string') {
    const list = holders(only);
    if (list !== undefined) return expandRole(only, list, node.threshold);
  }
  if (node.children.length < 2) fail('E_QUORUM_SYNTAX', 'a gate needs at least two children, or one role');
  const threshold = node.threshold === 'all' ? node.children.length : node.threshold;
  if (threshold > node.children.length)
    fail('E_QUORUM_SYNTAX', `a gate asks for ${String(threshold)} of ${String(node.children.length)} children`);
  const children = node.children.map((child) => {
    if (typeof child !== 'string') return expand(child, roles);
    const list = holders(child);
    return list === undefined ? child : expandRole(child, list, 1);
  });
  return { threshold, children };
}

/** Fewest participants that satisfy the node. */
function fewest(node: Gate | Leaf): number {
  if (node.kind === 'leaf') return 1;
  const counts = node.children.map(fewest).sort((a, b) => a - b);
  return counts.slice(0, node.threshold).reduce((sum, n) => sum + n, 0);
}

/** Canonical text of a gate or leaf. */
export function nodeText(node: Gate | Leaf): string {
  if (node.kind === 'leaf') return node.name;
  const word = node.threshold === node.children.length ? 'all' : String(node.threshold);
  return `${word}-of(${node.children.map(nodeText).join(', ')})`;
}

function label(root: Expanded): Quorum {
  const leaves: Leaf[] = [];
  const gates: Gate[] = [];
  const seen = new Set<string>();
  const place = (node: Expanded | string, path: string, index: number, depth: number): Gate | Leaf => {
    if (typeof node === 'string') {
      if (seen.has(node)) fail('E_SEAT_DUP', `${node} stands in the quorum twice`, { participant: node });
      if (leaves.length === MAX_LEAVES) fail('E_QUORUM_SYNTAX', `more than ${String(MAX_LEAVES)} participants`);
      seen.add(node);
      const leaf: Leaf = { kind: 'leaf', label: path, id: leaves.length + 1, index, name: node };
      leaves.push(leaf);
      return leaf;
    }
    if (depth > MAX_DEPTH) fail('E_QUORUM_SYNTAX', `gates are nested more than ${String(MAX_DEPTH)} deep`);
    const children: (Gate | Leaf)[] = [];
    const gate: Gate = { kind: 'gate', label: path, index, threshold: node.threshold, children };
    gates.push(gate);
    node.children.forEach((child, i) => {
      children.push(place(child, path === '' ? String(i + 1) : `${path}.${String(i + 1)}`, i + 1, depth + 1));
    });
    return gate;
  };
  const gate = place(root, '', 0, 1) as Gate;
  return { text: nodeText(gate), root: gate, leaves, gates };
}

/**
 * Reads a quorum expression: `k-of(…)`, `all-of(…)` and `any-of(…)` over names, roles and further gates.
 * Public. The dealing specification in ARCHITECTURE.md, section Tree.
 * @param roles holders of each role; `k-of(role)` is k of its holders, a role among other children any one of them
 * @throws E_QUORUM_SYNTAX when it cannot be read or passes a limit, E_ROLE_SHORT when a role has too few holders,
 *   E_SEAT_DUP when a name stands in two places, E_THRESHOLD when one participant alone satisfies it
 */
export function parseQuorum(text: string, roles: Roles = {}): Quorum {
  const stream = tokens(text);
  if (stream.length === 1 && isName(stream[0] as string))
    fail('E_THRESHOLD', `the quorum is ${stream[0] as string} alone`, { remedy: 'Ask for at least two participants.' });
  if (stream[1] !== '(') fail('E_QUORUM_SYNTAX', 'a quorum begins with a gate, as in 2-of(alice, bob, carol)');
  const written = readGate(stream, 1);
  if (stream.length > 0) fail('E_QUORUM_SYNTAX', `"${stream[0] as string}" follows the end of the expression`);
  const expanded = expand(written, roles);
  const lonely = { remedy: 'Ask for at least two participants.' };
  if (typeof expanded === 'string') return fail('E_THRESHOLD', `${expanded} alone satisfies the quorum`, lonely);
  const quorum = label(expanded);
  if (fewest(quorum.root) < 2) fail('E_THRESHOLD', 'one participant alone satisfies the quorum', lonely);
  return quorum;
}
