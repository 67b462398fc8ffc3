/**
 * The form of what an age file of a backup holds: one JSON object, in canonical form, that anybody who opens the file with
 * age can read. Two types: a leaf share of a key, and a custodian's piece of one. Secret where it holds `share` or `piece`;
 * this file has only the form.
 */
import * as v from 'valibot';
import { type SchemeName, SCHEMES } from '../curves/scheme.ts';
import { hex, hexUpTo, int, line, nameOf } from '../plan/fields.ts';

/** Largest package, bytes: two quorum expressions and the rest. */
export const MAX_PACKAGE_BYTES = 32_768;

const schemeNames = Object.keys(SCHEMES) as [SchemeName, ...SchemeName[]];
const leaf = v.strictObject({ id: int(1, 64), label: v.string() });

const common = {
  v: v.literal(1),
  key: v.strictObject({ name: nameOf('key'), id: hex(16) }),
  scheme: v.picklist(schemeNames),
  mode: v.picklist(['production', 'rehearsal']),
  epoch: int(1, 1_000_000),
  /** Digest of the epoch record, 32 bytes. */
  certificate: hex(32),
  /** The key's quorum: which shares together make the key. */
  quorum: line(8192),
  publicKey: hexUpTo(57),
  chainCode: hex(32),
  owner: nameOf('participant'),
  leaf,
  /** X_leaf: the owner's public verification share. */
  publicShare: hexUpTo(57),
};

export const ShareSchema = v.strictObject({ ...common, type: v.literal('mpc-ceremony/share'), share: hexUpTo(57) });
export const PieceSchema = v.strictObject({
  ...common,
  type: v.literal('mpc-ceremony/share-piece'),
  custodian: v.strictObject({ name: nameOf('custodian'), quorum: line(8192), leaf }),
  /** The point of the piece. */
  publicPiece: hexUpTo(57),
  piece: hexUpTo(57),
});

/** A leaf share. Secret. */
export type SharePackage = v.InferOutput<typeof ShareSchema>;
/** A custodian's piece of a leaf share. Secret. */
export type PiecePackage = v.InferOutput<typeof PieceSchema>;
