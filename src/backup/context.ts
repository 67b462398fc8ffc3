/**
 * What a proof of a backup is bound to: the statement's whole surroundings, in the challenge and in the derivation of
 * every row. Public. A proof taken out of its place verifies nowhere else.
 */
import type { SchemeName } from '../curves/scheme.ts';
import { canonicalBytes } from '../wire/canon.ts';
import { taggedHash } from '../wire/hash.ts';

/** The context; lowercase hex throughout. Its canonical JSON is what is hashed. */
export interface BackupContext {
  readonly v: 1;
  /** 16 random bytes, one backup. */
  readonly sid: string;
  readonly mode: 'production' | 'rehearsal';
  /** Key id, 16 bytes. */
  readonly key: string;
  readonly scheme: SchemeName;
  /** The key's own group. */
  readonly curve: string;
  /** The group's public key as it stands in the epoch record. */
  readonly publicKey: string;
  /** Epoch number. */
  readonly epoch: number;
  /** Digest of the epoch record, 32 bytes: what the certificate confirms. */
  readonly certificate: string;
  readonly owner: string;
  /** The owner's leaf: id and label. */
  readonly leaf: { readonly id: number; readonly label: string };
  /** X_leaf: the owner's public verification share. */
  readonly publicShare: string;
  /** SHA-256 with a tag of the key's quorum, 32 bytes. */
  readonly quorum: string;
  /** The same of the custodians' quorum; "" for a backup to single recipients. */
  readonly custodians: string;
  /** The custodian's leaf: id and label; id 0 and "" for a single recipient. */
  readonly custodian: { readonly id: number; readonly label: string };
  /** Name that the recipient goes by; "" where it has none. */
  readonly name: string;
  /** X25519 public key, 32 bytes. */
  readonly recipient: string;
  /** C_0, the constant of the dealing: must be X_leaf. */
  readonly constant: string;
  /** Digest of the dealing's public tree, 32 bytes; "" for a single recipient. */
  readonly tree: string;
}

/** 32-byte digest of a context. */
export function contextDigest(context: BackupContext): Uint8Array {
  return taggedHash('backup/context/v1', canonicalBytes(context as unknown as Parameters<typeof canonicalBytes>[0]));
}
