/** Making a backup of a leaf share. Secret in: the share, and the packages that go into age files; the rest is public. */
import { type Certificate } from '../protocols/epoch.ts';
import { makePolynomials, subShares } from '../sharing/deal.ts';
import type { Leaf, Quorum } from '../sharing/expression.ts';
import { encodeTree } from '../sharing/tree.ts';
import { toHex } from '../wire/bytes.ts';
import { canonicalBytes, type Json } from '../wire/canon.ts';
import type { Signer } from '../wire/ed25519.ts';
import { fail } from '../wire/errors.ts';
import type { Random } from '../wire/random.ts';
import { type AgeFile, backupSignedBytes, type BackupRecord } from './backup-file.ts';
import { makeProof } from './make-proof.ts';
import type { PiecePackage, SharePackage } from './share-package.ts';
import { custodianTree, type OwnerShare, ownerShare, type ProofFor, statementOf } from './statement.ts';

/** An X25519 key with the name it goes by. */
export interface NamedKey {
  readonly name?: string | undefined;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

/** Who can open it: each of these alone, a quorum of them, or nobody by a public proof (passphrase, post-quantum). */
export type BackupFor =
  | { readonly kind: 'recipients'; readonly keys: readonly NamedKey[] }
  | { readonly kind: 'custodians'; readonly quorum: Quorum; readonly keys: readonly (NamedKey & { readonly name: string })[] }
  | { readonly kind: 'unproven' };

/** Contents of an age file that is to be written. Secret: the caller encrypts and wipes it. */
export interface OpenPackage {
  /** Leaf id of the custodian; 0 for the whole share. */
  readonly custodian: number;
  readonly name: string | undefined;
  readonly bytes: Uint8Array;
}

export interface BackupDraft {
  /** All but the age files and the signature. Public. */
  readonly record: Omit<BackupRecord, 'sig' | 'age'>;
  /** Secret. */
  readonly packages: readonly OpenPackage[];
}

/**
 * Makes the proofs and the packages of a backup.
 * @param share the encoded leaf share (secret); the caller wipes it
 * @param made UTC time to the second
 * @throws E_STATE when the share is not the one of the certificate; E_RECIPIENT for an unusable key; E_SCALAR
 */
export function makeBackup(certificate: Certificate, owner: string, share: Uint8Array, to: BackupFor, made: string, random: Random): BackupDraft {
  const place = ownerShare(certificate, owner);
  const { group, leaf, X } = place;
  const x = group.decodeScalar(share);
  if (x === 0n || !group.multiply(group.base, x).equals(X)) fail('E_STATE', `the share in this home is not the one of epoch ${String(certificate.epoch.number)}`, { participant: owner });
  const { key, number: epoch } = certificate.epoch;
  const base = {
    v: 1 as const,
    type: 'mpc-ceremony/backup' as const,
    sid: toHex(random(16)),
    mode: key.mode,
    key: key.name,
    epoch,
    owner,
    leaf: { id: leaf.id, label: leaf.label },
    made,
    certificate: Buffer.from(certificate.bytes).toString('base64'),
  };
  const prove = (target: Omit<ProofFor, 'sid'>, scalar: bigint): string =>
    Buffer.from(makeProof(statementOf(certificate, place, { sid: base.sid, ...target }), scalar, random)).toString('base64');

  if (to.kind !== 'custodians') {
    const packages = [{ custodian: 0, name: undefined, bytes: encode(sharePackage(certificate, place, share)) }];
    if (to.kind === 'unproven') return { record: base, packages };
    const recipients = to.keys.map(({ name, key: k }) => ({ ...(name === undefined ? {} : { name }), key: toHex(k), proof: prove({ name, key: k }, x) }));
    return { record: { ...base, recipients }, packages };
  }
  const { quorum, keys } = to;
  if (keys.length !== quorum.leaves.length || keys.some(({ name }, i) => quorum.leaves[i]?.name !== name)) fail('E_INTERNAL', 'the custodians are not in the order of their quorum');
  const { coefficients, tree } = makePolynomials(group, quorum, 'backup', x, random);
  const encoded = encodeTree(tree);
  const dealt = custodianTree(place, quorum.text, encoded);
  const pieces = subShares(coefficients, quorum);
  const roster = keys.map(({ name, key: k }, i) => ({ name, key: toHex(k), proof: prove({ name, key: k, custodian: { leaf: quorum.leaves[i] as Leaf, tree: dealt } }, pieces[i] as bigint) }));
  const packages = quorum.leaves.map((l, i): OpenPackage => {
    const piece = group.encodeScalar(pieces[i] as bigint);
    const point = toHex(group.encodePoint(group.multiply(group.base, pieces[i] as bigint)));
    const bytes = encode({
      ...facts(certificate, place),
      type: 'mpc-ceremony/share-piece',
      custodian: { name: l.name, quorum: quorum.text, leaf: { id: l.id, label: l.label } },
      publicPiece: point,
      piece: toHex(piece),
    } satisfies PiecePackage);
    piece.fill(0);
    return { custodian: l.id, name: l.name, bytes };
  });
  return { record: { ...base, custodians: { quorum: quorum.text, tree: toHex(encoded), roster } }, packages };
}

function facts({ epoch, digest }: Certificate, { group, leaf, X }: OwnerShare): Omit<SharePackage, 'type' | 'share'> {
  const { name, id, scheme, mode } = epoch.key;
  return {
    v: 1,
    key: { name, id },
    scheme,
    mode,
    epoch: epoch.number,
    certificate: toHex(digest),
    quorum: epoch.quorum,
    publicKey: epoch.publicKey,
    chainCode: epoch.chainCode,
    owner: leaf.name,
    leaf: { id: leaf.id, label: leaf.label },
    publicShare: toHex(group.encodePoint(X)),
  };
}

/** The package of a whole leaf share. Secret. */
function sharePackage(certificate: Certificate, place: OwnerShare, share: Uint8Array): SharePackage {
  return { ...facts(certificate, place), type: 'mpc-ceremony/share', share: toHex(share) };
}

const encode = (contents: SharePackage | PiecePackage): Uint8Array => canonicalBytes(contents as unknown as Json);

/** The finished record: with the age files that were written, signed by the owner. */
export function signBackup(draft: BackupDraft, age: readonly AgeFile[], signer: Signer): BackupRecord {
  const unsigned = { ...draft.record, age: [...age] };
  return { ...unsigned, sig: toHex(signer.sign(backupSignedBytes(unsigned))) };
}
