/** What the printed room script is made from, taken from a plan. Public. */
import { fromStock, type Plan, planQuorum, type PresignPlan, sessionId, type SignPlan } from '../plan/plan.ts';
import { requiredSlots } from '../protocols/machine.ts';
import { explainQuorum } from '../sharing/explain.ts';
import { words } from '../wire/words.ts';
import type { ScriptFacts } from './script-steps.ts';

function whatTheyMake(plan: SignPlan | PresignPlan): string {
  if (plan.kind === 'presign') return `; they make ${String(plan.count)} presignature${plan.count === 1 ? '' : 's'}${plan.path === undefined ? '' : ` for the path ${plan.path}`}`;
  if (plan.presignature !== undefined) return ', with a presignature of their stock';
  return fromStock(plan) ? ', each from its stock' : '';
}

export function scriptFacts(plan: Plan): ScriptFacts {
  const common = {
    name: plan.name,
    mode: plan.mode,
    lead: plan.lead,
    rounds: requiredSlots(plan).map((s) => s.name),
    words: words(sessionId(plan).slice(0, 16)),
    attended: plan.attended,
    created: plan.created,
    expires: plan.expires,
  };
  if (plan.kind !== 'dkg')
    return {
      ...common,
      kind: plan.kind,
      ...(plan.kind === 'presign' ? { count: plan.count } : {}),
      participants: plan.participants.map((p) => ({ name: p.name })),
      witnesses: [],
      scheme: plan.key.scheme,
      quorumText: plan.participants.map((p) => p.name).join(', '),
      explanation: [`The signers are ${plan.participants.map((p) => p.name).join(', ')}${whatTheyMake(plan)}.`],
    };
  return {
    ...common,
    kind: 'dkg',
    participants: plan.participants.map((p) => ({ name: p.name, ...(p.unit === undefined ? {} : { role: p.unit }), ...(p.place === undefined ? {} : { place: p.place }) })),
    witnesses: (plan.witnesses ?? []).map((w) => w.name),
    scheme: plan.scheme,
    quorumText: plan.quorum,
    explanation: explainQuorum(planQuorum(plan), plan.participants, plan.roles).sentences,
  };
}
