/** What the proofs of a backup say, from the certificate and the backup file. Public. */
import type { Group, Point } from '../curves/group.ts';
import { epochTree } from '../protocols/base.ts';
import type { Certificate } from '../protocols/epoch.ts';
import { type Leaf, parseQuorum, type Quorum } from '../sharing/expression.ts';
import { checkConstant } from '../sharing/kinds.ts';
import { decodeTree, leafPoints, type PublicTree, treeDigest } from '../sharing/tree.ts';
import { Reader, toHex, utf8 } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { taggedHash } from '../wire/hash.ts';
import { type BackupContext, contextDigest } from './context.ts';
import type { Statement } from './pve.ts';

/** A holder's place in an epoch, with the public verification share X_leaf. */
export interface OwnerShare {
  readonly group: Group;
  readonly quorum: Quorum;
  readonly leaf: Leaf;
  readonly X: Point;
}

/**
 * The leaf of a participant and its point, from the epoch record.
 * @throws E_BACKUP_BAD when the participant holds no share in this epoch; E_CERTIFICATE when the record contradicts itself,
 *   also when its tree is not that of its public key
 */
export function ownerShare({ epoch }: Pick<Certificate, 'epoch'>, owner: string): OwnerShare {
  const { quorum, tree, leafPoints: points } = epochTree(epoch);
  const leaf = quorum.leaves.find((l) => l.name === owner);
  if (!leaf) return fail('E_BACKUP_BAD', `${owner} holds no share of ${epoch.key.name} in epoch ${String(epoch.number)}`, { participant: owner, field: 'owner' });
  if (epoch.roster[leaf.id - 1]?.name !== owner) fail('E_CERTIFICATE', 'the roster is not in the order of the quorum', { participant: owner });
  const X = points.get(leaf.id);
  if (X === undefined || X.is0()) return fail('E_CERTIFICATE', `the public verification share of ${owner} is zero`, { participant: owner });
  return { group: tree.group, quorum, leaf, X };
}

/** The custodians' quorum and the public tree of the dealing to them. */
export interface CustodianTree {
  readonly quorum: Quorum;
  readonly tree: PublicTree;
  /** By leaf id. */
  readonly points: ReadonlyMap<number, Point>;
  readonly digest: Uint8Array;
}

/**
 * Reads the public tree of a dealing to custodians; its constant must be the owner's X_leaf.
 * @param expression the custodians' quorum @param encoded the tree (see sharing/tree.ts)
 * @throws E_DEALING when C_0 is another point; E_BACKUP_BAD when the tree has another shape; E_POINT; what `parseQuorum` throws
 */
export function custodianTree({ group, X }: OwnerShare, expression: string, encoded: Uint8Array): CustodianTree {
  const quorum = parseQuorum(expression);
  if (quorum.text !== expression) fail('E_BACKUP_BAD', "the custodians' quorum is not in its canonical form", { field: 'custodians.quorum' });
  const reader = new Reader(encoded, 'E_BACKUP_BAD');
  const tree = decodeTree(group, quorum, true, reader);
  reader.end();
  checkConstant('backup', tree, X);
  return { quorum, tree, points: leafPoints(tree), digest: treeDigest(group, quorum, encoded) };
}

const expressionHash = (text: string): string => toHex(taggedHash('backup/quorum/v1', utf8(text)));

/** Whom a proof is for: a single recipient, or a leaf of the custodians' quorum. */
export interface ProofFor {
  readonly sid: string;
  readonly name: string | undefined;
  /** X25519 public key, 32 bytes. */
  readonly key: Uint8Array;
  readonly custodian?: { readonly leaf: Leaf; readonly tree: CustodianTree };
}

/** The statement of one proof, with everything around it. @throws E_BACKUP_BAD when a custodian's point is zero */
export function statementOf({ epoch, digest }: Pick<Certificate, 'epoch' | 'digest'>, owner: OwnerShare, to: ProofFor): Statement {
  const { group, leaf, X } = owner;
  const { custodian } = to;
  const about = custodian === undefined ? X : custodian.tree.points.get(custodian.leaf.id);
  if (about === undefined || about.is0()) return fail('E_BACKUP_BAD', 'the point of a custodian is missing or zero', { participant: to.name, field: 'custodians.tree' });
  const constant = custodian?.tree.tree.constant ?? X;
  const context: BackupContext = {
    v: 1,
    sid: to.sid,
    mode: epoch.key.mode,
    key: epoch.key.id,
    scheme: epoch.key.scheme,
    curve: group.name,
    publicKey: epoch.publicKey,
    epoch: epoch.number,
    certificate: toHex(digest),
    owner: leaf.name,
    leaf: { id: leaf.id, label: leaf.label },
    publicShare: toHex(group.encodePoint(X)),
    quorum: expressionHash(epoch.quorum),
    custodians: custodian === undefined ? '' : expressionHash(custodian.tree.quorum.text),
    custodian: custodian === undefined ? { id: 0, label: '' } : { id: custodian.leaf.id, label: custodian.leaf.label },
    name: to.name ?? '',
    recipient: toHex(to.key),
    constant: toHex(group.encodePoint(constant)),
    tree: custodian === undefined ? '' : toHex(custodian.tree.digest),
  };
  return { group, X: about, recipient: to.key, context: contextDigest(context) };
}
