/** A quorum expression in plain English. Public; wording only, no judgement. */
import type { Gate, Leaf } from './expression.ts';

/** "a", "a and b", "a, b and c". */
export function listOf(names: readonly string[], joint: 'and' | 'or' = 'and'): string {
  if (names.length < 2) return names.join('');
  return `${names.slice(0, -1).join(', ')} ${joint} ${names[names.length - 1] as string}`;
}

/** "1 participant", "2 participants"; large counts with a comma every three digits. */
export function count(n: bigint | number, one: string, many = `${one}s`): string {
  return `${String(n).replace(/\B(?=(\d{3})+$)/g, ',')} ${BigInt(n) === 1n ? one : many}`;
}

/**
 * Who can sign: one sentence for the whole expression, and one for each inner gate that itself holds gates
 * ("Group A: …"), so that no sentence needs brackets.
 */
export function whoCanSign(root: Gate): string[] {
  const groups: Gate[] = [];
  const collect = (gate: Gate): void => {
    for (const child of gate.children)
      if (child.kind === 'gate') {
        if (!isFlat(child)) groups.push(child);
        collect(child);
      }
  };
  collect(root);
  const nameOf = (gate: Gate): string => `group ${letters(groups.indexOf(gate))}`;
  const phrase = (node: Gate | Leaf): string =>
    node.kind === 'leaf' ? node.name : isFlat(node) ? flatPhrase(node) : nameOf(node);

  const body = (gate: Gate): string => {
    const { children, threshold } = gate;
    if (isFlat(gate)) return flatPhrase(gate);
    if (threshold === children.length) return merged(children, 'and', phrase).join(', together with ');
    if (threshold === 1) return `either ${merged(children, 'or', phrase).join(', or ')}`;
    return `any ${String(threshold)} of these ${String(children.length)}: ${children.map(phrase).join('; ')}`;
  };
  const whole = isFlat(root) && root.threshold === root.children.length ? `${body(root)} together` : body(root);
  return [
    `${whole.replace(/^(?:any|either|group) /, (w) => w.charAt(0).toUpperCase() + w.slice(1))}.`,
    ...groups.map((g) => `${nameOf(g).replace('group', 'Group')}: ${body(g)}.`),
  ];
}

const isFlat = (gate: Gate): boolean => gate.children.every((c) => c.kind === 'leaf');

function flatPhrase(gate: Gate): string {
  const names = gate.children.map((c) => (c as Leaf).name);
  if (gate.threshold === names.length) return listOf(names, 'and');
  if (gate.threshold === 1) return listOf(names, 'or');
  return `any ${String(gate.threshold)} of ${listOf(names)}`;
}

/** Phrases of the children, the participants among them put together where the first of them stands. */
function merged(
  children: readonly (Gate | Leaf)[],
  joint: 'and' | 'or',
  phrase: (node: Gate | Leaf) => string,
): string[] {
  const people = children.filter((c) => c.kind === 'leaf').map((c) => c.name);
  const first = children.findIndex((c) => c.kind === 'leaf');
  return children.flatMap((c, i) => (c.kind === 'gate' ? [phrase(c)] : i === first ? [listOf(people, joint)] : []));
}

/** A … Z, AA, AB … */
function letters(n: number): string {
  const last = String.fromCharCode(65 + (n % 26));
  return n < 26 ? last : letters(Math.floor(n / 26) - 1) + last;
}
