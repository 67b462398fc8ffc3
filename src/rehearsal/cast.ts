/** Who plays: the draft that is rehearsed, and what follows from it. Public. */
import type { Draft } from '../ceremony/draft.ts';
import type { SchemeName } from '../curves/scheme.ts';
import { parseQuorum } from '../sharing/expression.ts';
import { select } from '../sharing/quorum.ts';
import { fail } from '../wire/errors.ts';
import { RESERVED } from './stage.ts';

export interface Cast {
  /** Name of the key. */
  readonly key: string;
  readonly scheme: SchemeName;
  /** The rule as written in the draft. */
  readonly quorum: string;
  readonly stock: number;
  /** Holders of shares in the order of the quorum; the first one leads. */
  readonly holders: readonly string[];
  readonly lead: string;
  readonly witnesses: readonly string[];
  readonly everybody: readonly string[];
  /** The first minimal quorum: who signs. The first of them leads the signing. */
  readonly signers: readonly string[];
}

/** The draft of a rehearsal without a template. */
export function plainDraft(scheme: SchemeName, quorum: string): Draft {
  return {
    schema: 'mpc-ceremony/draft/1',
    kind: 'dkg',
    name: 'treasury',
    scheme,
    quorum,
    participants: parseQuorum(quorum).leaves.map(({ name }) => ({ name })),
    attended: false,
    stock: 0,
    expiresInDays: 1,
  };
}

/** A draft as it can be rehearsed: without the gates that need people, an air gap, or a rehearsal before it. */
export function rehearsable(draft: Draft, scheme: SchemeName | undefined): Draft {
  const { machine: _machine, rehearsal: _rehearsal, ...rest } = draft;
  return { ...rest, attended: false, ...(scheme === undefined ? {} : { scheme }) };
}

/** @throws the refusals of a quorum expression; E_USAGE for names that the stage needs itself */
export function castOf(draft: Draft): Cast {
  const quorum = parseQuorum(draft.quorum, draft.roles);
  const holders = quorum.leaves.map((l) => l.name);
  const witnesses = draft.witnesses ?? [];
  const everybody = [...holders, ...witnesses];
  const reserved = everybody.find((name) => RESERVED.has(name));
  if (reserved !== undefined) fail('E_USAGE', `a rehearsal needs the name ${reserved} for itself; no participant can have it`, { participant: reserved });
  return {
    key: draft.name,
    scheme: draft.scheme,
    quorum: draft.quorum,
    stock: draft.stock,
    holders,
    lead: holders[0] ?? fail('E_INTERNAL', 'a quorum without leaves'),
    witnesses,
    everybody,
    signers: (select(quorum, new Set(holders)) ?? fail('E_INTERNAL', 'everybody together is no quorum')).map((l) => l.name),
  };
}
