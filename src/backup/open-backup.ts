/** Opening a backup: from the proofs with an X25519 key, from the package of an age file, from custodians' pieces. Secret out. */
import * as v from 'valibot';
import { group as groupOf } from '../curves/group.ts';
import { SCHEMES } from '../curves/scheme.ts';
import { explainIssues } from '../plan/fields.ts';
import type { Certificate } from '../protocols/epoch.ts';
import { parseQuorum } from '../sharing/expression.ts';
import { exactQuorum, select } from '../sharing/quorum.ts';
import { recombination } from '../sharing/recombination.ts';
import { equalBytes, fromHex, toHex } from '../wire/bytes.ts';
import { type Json, parseCanonical } from '../wire/canon.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import type { ParsedBackup } from './backup-file.ts';
import { openProof } from './open-proof.ts';
import { MAX_PACKAGE_BYTES, type PiecePackage, PieceSchema, type SharePackage, ShareSchema } from './share-package.ts';
import { custodianTree, ownerShare } from './statement.ts';
import { backupCertificate, backupPieces } from './verify-backup.ts';
import { x25519Public } from './x25519.ts';

/** What a proof opened to. */
export interface OpenedPiece {
  /** Name of the recipient or custodian, if it has one. */
  readonly name: string | undefined;
  /** Leaf id in the custodians' quorum; 0 when this is the owner's whole share. */
  readonly custodian: number;
  /** Encoded scalar: the share, or the custodian's piece. Secret: the caller wipes it. */
  readonly scalar: Uint8Array;
}

/**
 * Opens what the backup holds for one X25519 key. Works on the proofs alone: no age file is needed.
 * @param custodian leaf id to open, where one key stands at several; any, unless given
 * @param secret X25519 key, 32 bytes
 * @throws E_BACKUP_KEY when nothing in it is for this key, E_BACKUP_PROOF, E_CERTIFICATE, E_DEALING
 */
export function openPiece(backup: ParsedBackup, custodian: number | undefined, secret: Uint8Array): OpenedPiece {
  const own = x25519Public(secret);
  const pieces = backupPieces(backup, backupCertificate(backup));
  const piece = pieces.find((p) => equalBytes(p.statement.recipient, own) && (custodian === undefined || p.custodian === custodian));
  if (!piece) return fail('E_BACKUP_KEY', 'nothing in this backup is for the key given', { file: backup.file, remedy: 'Use the key of one of its recipients: mpc-ceremony backup verify names them.' });
  return { name: piece.name, custodian: piece.custodian, scalar: openProof(piece.statement, piece.proof, secret) };
}

/**
 * The owner's share from pieces of custodians. Pieces beyond one minimal quorum are not used.
 * @param pieces encoded scalars by the custodian's leaf id (secret)
 * @returns the encoded share: secret, the caller wipes it; it fits the owner's public verification share
 * @throws E_QUORUM when the custodians do not satisfy their quorum; E_BACKUP_BAD when a piece is not the one that was
 *   dealt, naming the custodian; E_CERTIFICATE, E_DEALING
 */
export function combinePieces(backup: ParsedBackup, certificate: Certificate, pieces: ReadonlyMap<number, Uint8Array>): Uint8Array {
  const { record, file } = backup;
  const owner = ownerShare(certificate, record.owner);
  const { group, X } = owner;
  const custodians = record.custodians ?? fail('E_BACKUP_BAD', 'this backup was not dealt to custodians', { file, field: 'custodians' });
  const { quorum, points } = custodianTree(owner, custodians.quorum, fromHex(custodians.tree));
  const present = new Set(quorum.leaves.filter((l) => pieces.has(l.id)).map((l) => l.name));
  const leaves = exactQuorum(quorum, select(quorum, present)?.map((l) => l.name) ?? [...present]);
  const weights = recombination(quorum, leaves, group.order);
  let x = 0n;
  for (const leaf of leaves) {
    const scalar = group.decodeScalar(pieces.get(leaf.id) as Uint8Array);
    const point = points.get(leaf.id);
    if (scalar === 0n || point === undefined || !group.multiply(group.base, scalar).equals(point))
      fail('E_BACKUP_BAD', `the piece of ${leaf.name} is not the one that was dealt`, { participant: leaf.name, file, remedy: `Ask ${leaf.name} for the right piece, or another custodian.` });
    x = (x + (weights.get(leaf.id) as bigint) * scalar) % group.order;
  }
  if (x === 0n || !group.multiply(group.base, x).equals(X)) fail('E_BACKUP_BAD', "the pieces do not make the owner's share", { participant: record.owner, file });
  return group.encodeScalar(x);
}

/** The scalar in a package: share or piece, encoded. Secret: the caller wipes it. */
export function packageScalar(contents: SharePackage | PiecePackage): Uint8Array {
  return fromHex(contents.type === 'mpc-ceremony/share' ? contents.share : contents.piece);
}

/**
 * Reads the package of an age file and checks that its scalar fits its point.
 * @param bytes what age decrypted (secret); the caller wipes it
 * @returns the package (secret: its hex text cannot be wiped, keep it short)
 * @throws E_BACKUP_BAD naming file and field, never quoting the contents
 */
export function parsePackage(bytes: Uint8Array, file: string): SharePackage | PiecePackage {
  let json: Json;
  try {
    json = parseCanonical(bytes, MAX_PACKAGE_BYTES, 'E_BACKUP_BAD');
  } catch {
    return fail('E_BACKUP_BAD', 'the age file opens, but holds no share package', { file });
  }
  const type = typeof json === 'object' && json !== null && !Array.isArray(json) ? (json as { readonly type?: Json }).type : undefined;
  const parsed = type === 'mpc-ceremony/share-piece' ? v.safeParse(PieceSchema, json) : v.safeParse(ShareSchema, json);
  if (!parsed.success) {
    // the text of an issue may quote a value
    const { field } = explainIssues(parsed.issues);
    return fail('E_BACKUP_BAD', `the share package cannot be used: ${field}`, { file, field });
  }
  const contents = parsed.output;
  const group = groupOf(SCHEMES[contents.scheme].group);
  const scalar = packageScalar(contents);
  try {
    const x = group.decodeScalar(scalar);
    const point = contents.type === 'mpc-ceremony/share' ? contents.publicShare : contents.publicPiece;
    if (x === 0n || toHex(group.encodePoint(group.multiply(group.base, x))) !== point)
      fail('E_BACKUP_BAD', 'the secret in the package does not fit its public point', { file, participant: contents.owner });
  } catch (e) {
    if (e instanceof CeremonyError && e.code === 'E_BACKUP_BAD') throw e;
    fail('E_BACKUP_BAD', 'the secret in the package is no scalar of its group', { file, participant: contents.owner });
  } finally {
    scalar.fill(0);
  }
  return contents;
}

/**
 * Whether an opened package is the share, or the piece, that a certificate and its backup file speak of.
 * @param backup needed for a piece: its point stands in the custodians' tree
 * @throws E_BACKUP_BAD naming the field; E_EPOCH when it is of another epoch
 */
export function checkPackage(contents: SharePackage | PiecePackage, certificate: Certificate, backup: ParsedBackup | undefined, file: string): void {
  const { epoch, digest } = certificate;
  const wrong = (field: string, text: string): never => fail('E_BACKUP_BAD', text, { file, field, participant: contents.owner });
  if (contents.key.id !== epoch.key.id) wrong('key', `the package is of the key ${contents.key.name}, not of ${epoch.key.name}`);
  if (contents.certificate !== toHex(digest))
    fail('E_EPOCH', `the package is of epoch ${String(contents.epoch)}, the certificate of epoch ${String(epoch.number)}`, { file, field: 'epoch', participant: contents.owner });
  const owner = ownerShare(certificate, contents.owner);
  const facts: readonly (readonly [string, boolean])[] = [
    ['scheme', contents.scheme === epoch.key.scheme],
    ['mode', contents.mode === epoch.key.mode],
    ['epoch', contents.epoch === epoch.number],
    ['quorum', contents.quorum === epoch.quorum],
    ['publicKey', contents.publicKey === epoch.publicKey],
    ['chainCode', contents.chainCode === epoch.chainCode],
    ['leaf', contents.leaf.id === owner.leaf.id && contents.leaf.label === owner.leaf.label],
    ['publicShare', contents.publicShare === toHex(owner.group.encodePoint(owner.X))],
    ['owner', backup === undefined || backup.record.owner === contents.owner],
  ];
  for (const [field, ok] of facts) if (!ok) wrong(field, `the ${field} in the package is not that of the epoch and the backup`);
  if (contents.type === 'mpc-ceremony/share') return;
  const { custodian } = contents;
  const quorum = parseQuorum(custodian.quorum);
  const leaf = quorum.leaves[custodian.leaf.id - 1];
  if (leaf?.name !== custodian.name || leaf.label !== custodian.leaf.label) wrong('custodian', 'the custodian in the package is not that of its quorum');
  const dealt = backup?.record.custodians;
  if (!dealt) return;
  const { points } = custodianTree(owner, dealt.quorum, fromHex(dealt.tree));
  const point = points.get(custodian.leaf.id);
  if (custodian.quorum !== dealt.quorum || point === undefined || toHex(owner.group.encodePoint(point)) !== contents.publicPiece)
    wrong('publicPiece', `the piece of ${custodian.name} is not the one that the backup dealt`);
}
