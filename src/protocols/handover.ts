/**
 * What a refresh, a reshare or an import changes, in plain words: who deals, who leaves, who joins, what gets weaker.
 * For people, before they agree. Public.
 */
import { isRekey, type Plan, planQuorum, type ResharePlan } from '../plan/plan.ts';
import { explainQuorum } from '../sharing/explain.ts';
import { parseQuorum } from '../sharing/expression.ts';
import { smallestSize } from '../sharing/quorum-facts.ts';
import { count, listOf } from '../sharing/quorum-words.ts';
import type { EpochRecord } from './epoch.ts';

const FORMATS: Readonly<Record<string, string>> = { key: 'a whole private key', 'zf-frost': 'shares of FROST by the Zcash Foundation', lockness: 'shares of CGGMP by LFDT-Lockness' };
const verb = (names: readonly string[], one: string, many: string): string => `${listOf(names)} ${names.length === 1 ? one : many}`;

/** Names of those who deal, who receive nothing though they hold or deal, who are new, and who hold before and after; the last three need the base. */
export interface Handover {
  readonly dealers: readonly string[];
  readonly leaving: readonly string[];
  readonly joining: readonly string[];
  readonly staying: readonly string[];
}

/** @param base the epoch that is left; without it nobody is known to hold a share but those who deal */
export function handover(plan: ResharePlan, base: EpochRecord | undefined): Handover {
  const dealers = plan.dealers.map((d) => d.name);
  // whoever deals in a new home has another name than the holder
  const before = base ? base.roster : plan.dealers;
  const receives = (p: { name: string; identity: string }): boolean => plan.participants.some((q) => q.name === p.name && q.identity === p.identity);
  const held = (p: { name: string; identity: string }): boolean => before.some((q) => q.name === p.name && q.identity === p.identity);
  const gone = [...before, ...plan.dealers].filter((p) => !receives(p)).map((p) => p.name);
  return {
    dealers,
    leaving: [...new Set(gone)],
    joining: plan.participants.filter((p) => !held(p)).map((p) => p.name),
    staying: plan.participants.filter(held).map((p) => p.name),
  };
}

/** What the new quorum is worse at than the old one: empty where nothing is. */
export function weaknesses(plan: ResharePlan, base: EpochRecord): string[] {
  const [old, now] = [parseQuorum(base.quorum), planQuorum(plan)];
  const [few, fewer] = [smallestSize(old.root), smallestSize(now.root)];
  const [losses, lossesNow] = [explainQuorum(old).lossesSurvived.worst, explainQuorum(now).lossesSurvived.worst];
  return [
    ...(fewer < few ? [`${count(fewer, 'participant')} acting together could misuse the key; before it took ${String(few)}.`] : []),
    ...(now.leaves.length < old.leaves.length ? [`${count(now.leaves.length, 'share')} instead of ${String(old.leaves.length)}: there is less to lose before the key is lost.`] : []),
    ...(lossesNow < losses ? [`The key survives the loss of ${lossesNow === 0 ? 'no share' : `any ${count(lossesNow, 'share')}`}; before, of any ${String(losses)}.`] : []),
  ];
}

function reshareSentences(plan: ResharePlan, base: EpochRecord | undefined): string[] {
  const { dealers, leaving, joining, staying } = handover(plan, base);
  const renamed = plan.dealers.flatMap((d) => {
    const holder = base?.roster[d.leaf - 1]?.name;
    return holder === undefined || holder === d.name ? [] : [`${d.name} deals the share of ${holder}, which is in another home now.`];
  });
  const weaker = base ? weaknesses(plan, base) : [];
  return [
    `${verb(dealers, 'deals', 'deal')}: together an exact minimal quorum of epoch ${String(plan.key.epoch)}.`,
    ...renamed,
    ...(leaving.length > 0 ? [`${verb(leaving, 'leaves and receives', 'leave and receive')} no share.`] : ['Nobody leaves.']),
    ...(base
      ? [joining.length > 0 ? `${verb(joining, 'joins', 'join')}: no share before, one after.` : 'Nobody joins.', ...(staying.length > 0 ? [`${verb(staying, 'stays and receives a new share', 'stay and receive new shares')}.`] : [])]
      : [`${verb(plan.participants.map((p) => p.name), 'receives a share', 'receive shares')}; which of them held one before, the certificate of the base tells.`]),
    ...(weaker.length > 0 ? ['The new quorum is weaker than the old one:', ...weaker] : plan.weakens ? ['The plan says that the new quorum is weaker than the old one.'] : []),
  ];
}

/** The change in sentences; none for plans that change no existing key. @param base epoch record of the base, if it is at hand */
export function handoverSentences(plan: Plan, base?: EpochRecord): string[] {
  if (!isRekey(plan)) return [];
  if (plan.kind === 'import') {
    const { source, dealers } = plan;
    return [
      `A key that exists already is taken in: ${FORMATS[source.format] ?? source.format}, public key ${source.publicKey}.`,
      `${verb(dealers.map((d) => d.name), 'deals', 'deal')} what ${dealers.length === 1 ? 'it holds' : 'they hold'} of it; ${verb(plan.participants.map((p) => p.name), 'receives a share', 'receive shares')}.`,
      'It is born whole: the record says for ever that the key existed before this ceremony. Copies elsewhere keep their power; a new key made by everybody is safer where the address may change.',
    ];
  }
  const voided = `Public key and addresses stay the same. Shares, stocks and backups of epoch ${String(plan.key.epoch)} become void.`;
  if (plan.kind === 'reshare') return [...reshareSentences(plan, base), voided];
  return [`${listOf(plan.participants.map((p) => p.name))} renew their shares. Everybody has to take part; people and quorum stay the same.`, voided];
}

/** The warning of a plan whose base was dealt before in an attempt that came to nothing (`W_DEALT`). */
export function dealtWarning(plan: Plan): { readonly code: 'W_DEALT'; readonly text: string } | undefined {
  if (!('dealt' in plan) || !plan.dealt) return undefined;
  return {
    code: 'W_DEALT',
    text: `${listOf(plan.dealt)} received dealings of epoch ${String(plan.key.epoch)} in an attempt that came to no end. These cannot be called back; this ceremony makes them worthless, but for one case: if every dealer's dealing went out, a quorum of those who received them can compute the key, and no new epoch heals that.`,
  };
}
