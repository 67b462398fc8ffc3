/** What the printed room script is made from, taken from a plan. Public. */
import { dealerSeats, fromStock, type ImportPlan, isKeying, type KeyingPlan, type Plan, planQuorum, planSeats, type PresignPlan, schemeOf, seated, sessionId, type SignPlan, witnessesOf } from '../plan/plan.ts';
import { dealtWarning, handoverSentences } from '../protocols/handover.ts';
import { requiredSlots, speakers } from '../protocols/machine.ts';
import { explainQuorum } from '../sharing/explain.ts';
import { words } from '../wire/words.ts';
import type { ScriptFacts } from './script-steps.ts';

function whatTheyMake(plan: SignPlan | PresignPlan): string {
  if (plan.kind === 'presign') return `; they make ${String(plan.count)} presignature${plan.count === 1 ? '' : 's'}${plan.path === undefined ? '' : ` for the path ${plan.path}`}`;
  if (plan.presignature !== undefined) return ', with a presignature of their stock';
  return fromStock(plan) ? ', each from its stock' : '';
}

/** Options that name the files of a foreign key. */
function broughtFiles({ source }: ImportPlan): readonly string[] {
  return ['--share', 'FILE', ...(source.format === 'zf-frost' ? ['--public', 'FILE'] : [])];
}

/** Everybody with a seat, and what each does where that is not the same for all. */
function seatedPeople(plan: KeyingPlan): ScriptFacts['participants'] {
  const deals = dealerSeats(plan);
  return seated(plan).map(({ name }, i) => {
    const member = plan.participants[i];
    const dealer = 'dealers' in plan && deals.includes(i + 1);
    return {
      name,
      ...(member?.unit === undefined ? {} : { role: member.unit }),
      ...(member?.place === undefined ? {} : { place: member.place }),
      ...('dealers' in plan ? { part: member ? (dealer ? 'deals and receives' : 'receives') : 'deals and leaves' } : {}),
      ...(member ? {} : { leaves: true as const }),
      ...(dealer && plan.kind === 'import' ? { brings: broughtFiles(plan) } : {}),
    };
  });
}

/** Who speaks in the rounds in which not everybody does. */
function speakersOf(plan: KeyingPlan): Pick<ScriptFacts, 'speakers'> {
  const seats = planSeats(plan);
  const partly = requiredSlots(plan).flatMap(({ name, slot }) => {
    const leaves = speakers(plan, slot, seats);
    return leaves.length === seats.length ? [] : [[name, seats.filter((s) => leaves.includes(s.leaf)).map((s) => s.name)] as const];
  });
  return partly.length === 0 ? {} : { speakers: Object.fromEntries(partly) };
}

/** What the lead said of a reshare or an import besides key and quorum. */
function startOptions(plan: KeyingPlan): Pick<ScriptFacts, 'options'> {
  if (plan.kind === 'reshare') return { options: ['--dealers', plan.dealers.map((d) => d.name).join(','), ...(plan.weakens ? ['--accept-weaker'] : [])] };
  if (plan.kind !== 'import') return {};
  const { source, dealers } = plan;
  return { options: source.format === 'key' ? ['--scheme', source.scheme] : ['--format', source.format, '--dealers', dealers.map((d) => `${d.name}=${d.identifier}`).join(',')] };
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
    scheme: schemeOf(plan),
    ...(plan.routes ? { routes: plan.routes } : {}),
    ...(plan.program === undefined ? {} : { pinned: true as const }),
  };
  if (!isKeying(plan))
    return {
      ...common,
      kind: plan.kind,
      ...(plan.kind === 'presign' ? { count: plan.count } : {}),
      participants: plan.participants.map((p) => ({ name: p.name })),
      witnesses: [],
      quorumText: plan.participants.map((p) => p.name).join(', '),
      explanation: [`The signers are ${plan.participants.map((p) => p.name).join(', ')}${whatTheyMake(plan)}.`],
    };
  const changes = [...handoverSentences(plan), ...[dealtWarning(plan)].flatMap((w) => (w ? [`${w.code}: ${w.text}`] : []))];
  return {
    ...common,
    ...speakersOf(plan),
    ...startOptions(plan),
    kind: plan.kind,
    participants: seatedPeople(plan),
    witnesses: witnessesOf(plan).map((w) => w.name),
    quorumText: plan.quorum,
    explanation: explainQuorum(planQuorum(plan), plan.participants, plan.roles).sentences,
    ...(changes.length === 0 ? {} : { changes }),
  };
}
