/** What the printed room script is made from, taken from a plan. Public. */
import { fromStock, type Plan, planQuorum, sessionId } from '../plan/plan.ts';
import { slotsOf } from '../protocols/machine.ts';
import { explainQuorum } from '../sharing/explain.ts';
import { words } from '../wire/words.ts';
import type { ScriptFacts } from './script-steps.ts';

export function scriptFacts(plan: Plan): ScriptFacts {
  const common = {
    name: plan.name,
    mode: plan.mode,
    lead: plan.lead,
    rounds: slotsOf(plan).map((s) => s.name),
    words: words(sessionId(plan).slice(0, 16)),
    attended: plan.attended,
    created: plan.created,
    expires: plan.expires,
  };
  if (plan.kind === 'sign')
    return {
      ...common,
      kind: 'sign',
      participants: plan.participants.map((p) => ({ name: p.name })),
      witnesses: [],
      scheme: plan.key.scheme,
      quorumText: plan.participants.map((p) => p.name).join(', '),
      explanation: [`The signers are ${plan.participants.map((p) => p.name).join(', ')}${fromStock(plan) ? ', each from a stocked nonce' : ''}.`],
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
