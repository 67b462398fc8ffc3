/** The lead's part of an import: an existing key, or the shares of another implementation, are dealt to new members. */
import { checkPlan, type ImportPlan, parsePlan, type Plan } from '../plan/plan.ts';
import { keyingContext } from '../protocols/keying.ts';
import { type ForeignKey, foreignKeyRecord } from '../interop/foreign-share.ts';
import { parseQuorum } from '../sharing/expression.ts';
import { sealingReady } from '../sharing/sealing-group.ts';
import { toHex } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { type Home, requireUnlocked } from './home.ts';
import { activeEpoch, highestRank } from './key-store.ts';
import { type Asked, begin, Cards, claimFolder, planHead } from './leading.ts';
import type { Port, Step } from './port.ts';

/** What the lead asks for. */
export interface ImportRequest extends Asked {
  /** Name of the key here. */
  readonly name: string;
  readonly source: ForeignKey;
  readonly quorum: string;
  /** Holders who hand the key over: names, each with its identifier in hex or its place (from 1) in ascending order. */
  readonly dealers: readonly (readonly [string, string])[];
  readonly stock: number;
  readonly cards?: string | undefined;
  readonly witnesses?: readonly string[] | undefined;
}

function identifierOf(source: ForeignKey, text: string): string {
  const all = source.shares.map((s) => toHex(s.identifier));
  const found = /^\d{1,2}$/.test(text) ? all[Number(text) - 1] : all.find((id) => id === text);
  return found ?? fail('E_QUORUM', `${text} is no holder of this key; there are ${String(all.length)}`, { field: 'dealers' });
}

/** Begins an import. @throws E_TWO_SHARES, E_QUORUM, E_FOREIGN, E_CARD, E_EXISTS, and the refusals of a plan */
export async function startImport(home: Home, request: ImportRequest, port: Port): Promise<Step> {
  requireUnlocked(home);
  const { name, source } = request;
  if (activeEpoch(home, name)) fail('E_TWO_SHARES', `this home already holds a share of a key named ${name}`, { field: 'name', remedy: 'Choose another name.' });
  const cards = new Cards(home, request.cards);
  const quorum = parseQuorum(request.quorum);
  const members = quorum.leaves.map((l) => l.name);
  const dealers = request.dealers.map(([who, id]) => ({ ...cards.person(who), identifier: identifierOf(source, id) }));
  const files = (): { path: string; bytes: Uint8Array }[] => [...new Set([...members, ...dealers.map((d) => d.name), ...(request.witnesses ?? [])])].map((n) => cards.asFile(n));
  const unfinished = await claimFolder(home, request, (p) => p.kind === 'import' && p.name === name && p.quorum === request.quorum && p.source.publicKey === toHex(source.publicKey) && p.previous === request.previous?.sid);
  const taken: Plan | undefined = unfinished && ('store' in unfinished ? unfinished.store.plan : unfinished.plan);
  if (taken) return begin(home, taken, request.out, files(), port);
  const plan = parsePlan(
    {
      ...planHead(home, name, request, port),
      kind: 'import',
      rank: highestRank(home, name) + 1,
      quorum: request.quorum,
      stock: request.stock,
      source: foreignKeyRecord(source),
      dealers,
      participants: members.map((m) => cards.member(m)),
      ...(request.witnesses?.length ? { witnesses: request.witnesses.map((w) => cards.person(w)) } : {}),
    },
    'PLAN.yaml',
  ) as ImportPlan;
  checkPlan(plan, 'PLAN.yaml', port.now());
  await sealingReady();
  keyingContext(plan);
  return begin(home, plan, request.out, files(), port);
}
