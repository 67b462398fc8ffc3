/**
 * What a quorum means for the people, places, units and vendors behind the participants: which of them could satisfy it
 * alone, and without which of them nothing is satisfied. Public.
 */
import type { Quorum } from './expression.ts';
import { select } from './quorum.ts';

/** What is known about the holder of a seat; everything but the name is optional free text. */
export interface Seat {
  readonly name: string;
  readonly person?: string | undefined;
  readonly unit?: string | undefined;
  readonly place?: string | undefined;
  readonly vendor?: string | undefined;
}

/** The attributes by which seats are grouped. */
export const ATTRIBUTES = ['person', 'unit', 'place', 'vendor'] as const;
export type Attribute = (typeof ATTRIBUTES)[number];

/** The seats that share one person, unit, place or vendor. */
export interface SeatGroup {
  readonly attribute: Attribute;
  /** As written at the first of the seats. */
  readonly value: string;
  /** Participants, in the order of the expression. */
  readonly members: readonly string[];
  /** The members could satisfy the quorum without anybody else. */
  readonly signsAlone: boolean;
  /** Without the members nothing satisfies the quorum. */
  readonly blocksAlone: boolean;
}

/**
 * Groups the participants of a quorum by an attribute. Values are compared without regard to case and spaces. A
 * participant without a stated person counts as the person of its own name; one without another attribute is left out.
 */
export function seatGroups(quorum: Quorum, people: readonly Seat[], attribute: Attribute): SeatGroup[] {
  const seats = new Map(people.map((s) => [s.name, s]));
  const groups = new Map<string, { value: string; members: string[] }>();
  for (const { name } of quorum.leaves) {
    const value = seats.get(name)?.[attribute] ?? (attribute === 'person' ? name : undefined);
    if (value === undefined) continue;
    const key = value.normalize('NFKC').trim().replace(/\s+/g, ' ').toLowerCase();
    const group = groups.get(key);
    if (group) group.members.push(name);
    else groups.set(key, { value, members: [name] });
  }
  return [...groups.values()].map(({ value, members }) => {
    const inside = new Set(members);
    const outside = new Set(quorum.leaves.map((l) => l.name).filter((n) => !inside.has(n)));
    return {
      attribute,
      value,
      members,
      signsAlone: select(quorum, inside) !== undefined,
      blocksAlone: select(quorum, outside) === undefined,
    };
  });
}

/** Participants of the quorum for whom an attribute is not stated. */
export function unstated(quorum: Quorum, people: readonly Seat[], attribute: Attribute): string[] {
  const stated = new Set(people.filter((s) => s[attribute] !== undefined).map((s) => s.name));
  return quorum.leaves.map((l) => l.name).filter((n) => !stated.has(n));
}
