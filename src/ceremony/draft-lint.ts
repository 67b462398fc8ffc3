/** What a draft says, checked before anybody travels: seats, roles and witnesses fit the quorum, and what the quorum means. */
import { type Explanation, explainQuorum, samePersonQuorum, type QuorumWarning } from '../sharing/explain.ts';
import { parseQuorum, type Quorum } from '../sharing/expression.ts';
import { canonicalBytes, type Json } from '../wire/canon.ts';
import { CeremonyError, type ErrorCode } from '../wire/errors.ts';
import type { Draft } from './draft.ts';
import { planOfDraft } from './draft-plan.ts';
import { type RouteWarning, routeFaults, routeWarnings } from './route-faults.ts';
import { type TransportBudget, transportBudget } from './transport-budget.ts';

/** One reason to refuse a draft. */
export interface DraftFault {
  readonly code: ErrorCode;
  /** YAML path. */
  readonly field: string;
  /** Begins with the YAML path. */
  readonly text: string;
  readonly remedy?: string;
}

/** The findings about a draft: it may become a plan when there are no errors. */
export interface DraftLint {
  readonly errors: readonly DraftFault[];
  readonly warnings: readonly (QuorumWarning | RouteWarning)[];
  /** Absent when the quorum cannot be read. */
  readonly explanation?: Explanation;
  /** What each route will cost; absent when the quorum cannot be read. */
  readonly budget?: TransportBudget;
}

/** Checks a draft and explains its quorum. Finds every fault, not only the first. */
export function lintDraft(draft: Draft): DraftLint {
  const errors: DraftFault[] = [];
  const fault = (field: string, text: string, code: ErrorCode = 'E_PLAN_FIELD'): void =>
    void errors.push({ code, field, text: `${field}: ${text}` });
  const roles = draft.roles ?? {};
  const seats = draft.participants.map((p) => p.name);

  draft.participants.forEach(({ name }, i) => {
    const first = seats.indexOf(name);
    if (first < i) fault(`participants[${String(i)}].name`, `${name} has a seat already: participants[${String(first)}]`, 'E_SEAT_DUP');
  });
  if (draft.roles && Object.keys(roles).length === 0) fault('roles', 'names no role');
  for (const [role, holders] of Object.entries(roles)) {
    if (seats.includes(role)) fault(`roles.${role}`, `${role} is also a participant`);
    holders.forEach((holder, i) => {
      const field = `roles.${role}[${String(i)}]`;
      if (!seats.includes(holder)) fault(field, `${holder} is no participant`);
      if (holders.indexOf(holder) < i) fault(field, `${holder} stands in this role twice`, 'E_SEAT_DUP');
    });
  }
  draft.witnesses?.forEach((witness, i) => {
    const field = `witnesses[${String(i)}]`;
    if (seats.includes(witness)) fault(field, `${witness} holds a share; a witness may not`, 'E_WITNESS_SHARE');
    if (draft.witnesses?.indexOf(witness) !== i) fault(field, `${witness} is named twice`, 'E_SEAT_DUP');
  });
  draft.routes?.forEach((route, i) => {
    if (draft.routes?.indexOf(route) !== i) fault(`routes[${String(i)}]`, `${route} is named twice`);
  });

  const quorum = readQuorum(draft, fault);
  if (quorum === undefined) return { errors, warnings: [] };
  const called = new Set(namesIn(draft.quorum));
  for (const role of Object.keys(roles)) if (!called.has(role)) fault(`roles.${role}`, 'the quorum does not use this role');
  for (const name of called)
    if (!seats.includes(name) && !Object.hasOwn(roles, name)) fault('quorum', `${name} is neither a participant nor a role`);
  const leaves = new Set(quorum.leaves.map((l) => l.name));
  seats.forEach((name, i) => {
    if (!leaves.has(name)) fault(`participants[${String(i)}].name`, `${name} is not in the quorum`);
  });
  const person = samePersonQuorum(quorum, draft.participants);
  if (person !== undefined)
    fault('participants', `"${person}" alone could satisfy the quorum with the seats held by that person`, 'E_THRESHOLD');
  const explanation = explainQuorum(quorum, draft.participants, roles);
  // the plan as it will be, but for its keys; YAML and JSON of it deflate to about the same
  const plan = planOfDraft(draft);
  const budget = transportBudget(plan, [{ path: 'PLAN.yaml', bytes: canonicalBytes(plan as unknown as Json) }]);
  errors.push(...routeFaults(plan, budget));
  return { errors, warnings: [...explanation.warnings, ...routeWarnings(plan, budget)], explanation, budget };
}

function readQuorum(draft: Draft, fault: (field: string, text: string, code: ErrorCode) => void): Quorum | undefined {
  try {
    return parseQuorum(draft.quorum, draft.roles);
  } catch (e) {
    if (!(e instanceof CeremonyError)) throw e;
    fault('quorum', e.message, e.code);
    return undefined;
  }
}

/** Names of participants and roles in a readable quorum expression: the words that no parenthesis follows. */
function namesIn(quorum: string): string[] {
  return [...quorum.matchAll(/[a-z0-9-]+(?=\s*(\()?)/g)].filter((m) => m[1] === undefined).map((m) => m[0]);
}
