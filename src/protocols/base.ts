/**
 * What a refresh, a reshare or an import builds on: the epoch that is left, or the key that is taken in; and the public
 * constants that every dealer is held to (dealing specification, "kinds"; attack rows 26 to 28). Public.
 */
import { group, type Point } from '../curves/group.ts';
import { SCHEMES } from '../curves/scheme.ts';
import { foreignConstant, foreignKeyOf } from '../interop/foreign-share.ts';
import { dealerSeats, planQuorum, type RefreshPlan, type RekeyPlan, type ResharePlan, seated } from '../plan/plan.ts';
import { parseQuorum, type Quorum } from '../sharing/expression.ts';
import { exactQuorum } from '../sharing/quorum.ts';
import { dual, smallestSize } from '../sharing/quorum-facts.ts';
import { recombination } from '../sharing/recombination.ts';
import { decodeTree, leafPoints, type PublicTree } from '../sharing/tree.ts';
import { equalBytes, fromHex, Reader } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import type { Certificate, EpochRecord } from './epoch.ts';

/** The epoch that a ceremony builds on. Public. */
export interface Base {
  readonly epoch: EpochRecord;
  /** 32 bytes: the digest of the epoch record. */
  readonly digest: Uint8Array;
  readonly quorum: Quorum;
  readonly tree: PublicTree & { readonly constant: Point };
  /** X of every leaf, by id. */
  readonly leafPoints: ReadonlyMap<number, Point>;
}

/** The public tree of an epoch. @throws E_CERTIFICATE when it is none of its quorum, or not of the public key */
export function epochTree(epoch: EpochRecord): Omit<Base, 'epoch' | 'digest'> {
  const g = group(SCHEMES[epoch.key.scheme].group);
  const quorum = parseQuorum(epoch.quorum);
  const reader = new Reader(fromHex(epoch.tree), 'E_CERTIFICATE');
  const tree = decodeTree(g, quorum, true, reader);
  reader.end();
  const { constant } = tree;
  if (!constant || !equalBytes(g.encodePoint(constant), fromHex(epoch.publicKey))) return fail('E_CERTIFICATE', 'the tree of the epoch is not that of its public key');
  return { quorum, tree: { ...tree, constant }, leafPoints: leafPoints(tree) };
}

/**
 * The base of a plan, which must be the very epoch that the plan names.
 * @returns undefined for an import, which has none
 * @throws E_MISSING without certificate; E_EPOCH when it is of another key or epoch; for a refresh E_QUORUM when the
 *   quorum is another (attack row 27) and E_CARD when the people are; for a reshare E_QUORUM, E_QUORUM_SURPLUS when the
 *   dealers are no exact minimal quorum of the base, E_SEAT_DUP when one holder deals for another leaf, E_CARD when a name of the base is given to another home, E_WEAKEN
 */
export function baseOf(plan: RekeyPlan, certificate: Certificate | undefined): Base | undefined {
  if (plan.kind === 'import') return undefined;
  if (!certificate) return fail('E_MISSING', 'the certificate of the epoch that this ceremony builds on is missing', { file: 'base/certificate.json', remedy: 'Bring the whole folder of the lead.' });
  const { epoch, digest } = certificate;
  const { key } = plan;
  if (epoch.key.name !== key.name || epoch.key.id !== key.id || epoch.key.scheme !== key.scheme || epoch.number !== key.epoch || !equalBytes(digest, fromHex(key.certificate)) || epoch.key.mode !== plan.mode)
    fail('E_EPOCH', `the plan builds on epoch ${String(key.epoch)} of ${key.name}; this certificate is of epoch ${String(epoch.number)} of ${epoch.key.name}, or of another one of that number`, { field: 'key' });
  const base = { epoch, digest, ...epochTree(epoch) };
  if (plan.kind === 'refresh') checkRefresh(plan, base);
  else checkReshare(plan, base);
  return base;
}

/** A refresh keeps quorum and people: a lower threshold would not lower anything, and cost security (attack row 27). */
function checkRefresh(plan: RefreshPlan, { epoch, quorum }: Base): void {
  if (planQuorum(plan).text !== quorum.text)
    fail('E_QUORUM', `a refresh keeps the quorum ${quorum.text}; the plan says ${planQuorum(plan).text}`, { field: 'quorum', remedy: 'For another quorum: mpc-ceremony reshare.' });
  plan.participants.forEach((p, i) => {
    const before = epoch.roster[i];
    if (before?.name !== p.name || before.identity !== p.identity || before.homeId !== p.homeId)
      fail('E_CARD', `${p.name} has another card than in epoch ${String(epoch.number)}`, { participant: p.name, field: 'participants', remedy: 'A new home, or another person, needs a reshare.' });
  });
}

function checkReshare(plan: ResharePlan, base: Base): void {
  const { epoch, quorum } = base;
  const held = plan.dealers.map((d) => {
    const holder = epoch.roster[d.leaf - 1] ?? fail('E_QUORUM', `there is no leaf ${String(d.leaf)} in epoch ${String(epoch.number)}`, { participant: d.name, field: 'dealers' });
    // whoever restored a share deals under a new identity; nobody deals for somebody else
    const own = epoch.roster.findIndex((p) => p.identity === d.identity);
    if (own >= 0 && own !== d.leaf - 1) fail('E_SEAT_DUP', `${d.name} holds another leaf than the one it is to deal`, { participant: d.name, field: 'dealers' });
    return holder.name;
  });
  exactQuorum(quorum, held);
  // a name of the base stays with its holder: who could give it to another home would receive in the holder's place
  for (const p of seated(plan)) {
    const before = epoch.roster.find((r) => r.name === p.name);
    if (before && (before.identity !== p.identity || before.homeId !== p.homeId))
      fail('E_CARD', `${p.name} has another card than in epoch ${String(epoch.number)}`, { participant: p.name, field: 'participants', remedy: 'Who has a new home takes another name there.' });
  }
  if (weakens(quorum, planQuorum(plan)) !== (plan.weakens === true))
    fail(
      'E_WEAKEN',
      plan.weakens === true ? 'the plan says that it weakens the key, and it does not' : `fewer people than before could sign or could lose the key: ${quorum.text} becomes ${planQuorum(plan).text}`,
      { field: 'weakens', remedy: 'Where that is wanted, the lead says so in the plan: mpc-ceremony reshare … --accept-weaker.' },
    );
}

/** Whether a quorum can be satisfied by fewer people than another, is blocked by the loss of fewer, or has fewer seats. */
export function weakens(before: Quorum, after: Quorum): boolean {
  const blocks = ({ root }: Quorum): number => smallestSize(dual(root));
  return smallestSize(after.root) < smallestSize(before.root) || blocks(after) < blocks(before) || after.leaves.length < before.leaves.length;
}

/**
 * The points that the dealers' constants must have, by seat: c·X of the old leaf in a reshare, λ·X of the holder in an
 * import.
 * @returns undefined in a refresh, whose constant is zero by format
 * @throws E_POINT, E_SCALAR, E_QUORUM; E_FOREIGN when the public shares of an import do not give its public key
 */
export function pinnedConstants(plan: RekeyPlan, base: Base | undefined): ReadonlyMap<number, Point> | undefined {
  if (plan.kind === 'refresh') return undefined;
  const seats = dealerSeats(plan);
  if (plan.kind === 'reshare') {
    if (!base) return fail('E_INTERNAL', 'a reshare without base');
    const leaves = plan.dealers.map((d) => base.quorum.leaves[d.leaf - 1] ?? fail('E_QUORUM', 'no such leaf'));
    const { group: g } = base.tree;
    const c = recombination(base.quorum, leaves, g.order);
    return new Map(leaves.map((leaf, i) => [seats[i] as number, g.multiplyPublic(base.leafPoints.get(leaf.id) ?? fail('E_INTERNAL', 'no such leaf'), c.get(leaf.id) ?? fail('E_INTERNAL', 'no such leaf'))]));
  }
  const key = foreignKeyOf(plan.source);
  const holders = plan.dealers.map((d) => fromHex(d.identifier));
  return new Map(holders.map((own, i) => [seats[i] as number, foreignConstant(key, holders, own).point]));
}
