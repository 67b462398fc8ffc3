/** The key as one quorum signs with it, from the certificate of its epoch. Public. */
import { group } from '../curves/group.ts';
import { SCHEMES } from '../curves/scheme.ts';
import { type QuorumKey, quorumKey } from '../ecdsa/quorum-key.ts';
import { parseQuorum } from '../sharing/expression.ts';
import { decodeTree, leafPoints } from '../sharing/tree.ts';
import { fromHex, Reader } from '../wire/bytes.ts';
import type { Certificate } from './epoch.ts';

/** @param signers names, exactly one minimal quorum @param path BIP-32 path, if any @throws as `quorumKey` */
export function certifiedQuorumKey({ epoch }: Certificate, signers: readonly string[], path: string | undefined): QuorumKey {
  const g = group(SCHEMES[epoch.key.scheme].group);
  const quorum = parseQuorum(epoch.quorum);
  const tree = decodeTree(g, quorum, true, new Reader(fromHex(epoch.tree), 'E_CERTIFICATE'));
  return quorumKey({ group: g, quorum, leafPoints: leafPoints(tree), publicKey: fromHex(epoch.publicKey), chainCode: fromHex(epoch.chainCode), signers, path });
}
