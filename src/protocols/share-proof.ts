/**
 * Proof of share health: a holder shows, offline and without signing anything for anybody, that it holds its leaf share
 * of an epoch (mission row OPS-11). The file holds a Schnorr proof of knowledge of the share against its public
 * verification share in the certificate, and the signature of the holder's identity over everything. Public side.
 *
 * What it does not show: when it was made, unless it answers a challenge that its reader chose (`at` is what the holder
 * says); and nothing about the Paillier primes of an ECDSA key, which the holder's own program compares with the epoch
 * before it makes a proof.
 */
import * as v from 'valibot';
import { group, type Group, type Point } from '../curves/group.ts';
import { type SchemeName, SCHEMES } from '../curves/scheme.ts';
import { explainIssues, hex, hexUpTo, int, nameOf, utcTime } from '../plan/fields.ts';
import { parseQuorum } from '../sharing/expression.ts';
import { decodeSchnorrProof, failingSchnorr } from '../sharing/schnorr-proof.ts';
import { decodeTree, leafPoint } from '../sharing/tree.ts';
import { fromHex, Reader, toHex } from '../wire/bytes.ts';
import { canonicalBytes, type Json, parseCanonical } from '../wire/canon.ts';
import { verifyEd25519 } from '../wire/ed25519.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { digest, taggedHash } from '../wire/hash.ts';
import type { Certificate, EpochRecord } from './epoch.ts';

/** Largest file of a proof. */
export const MAX_SHARE_PROOF_BYTES = 4096;
/** How far the holder's clock may be ahead of the reader's, in milliseconds. */
export const CLOCK_SKEW_MS = 600_000;

const schemeNames = Object.keys(SCHEMES) as [SchemeName, ...SchemeName[]];

const statement = {
  v: v.literal(1),
  type: v.literal('mpc-ceremony/share-proof'),
  key: v.strictObject({ name: nameOf('key'), id: hex(16), scheme: v.picklist(schemeNames), mode: v.picklist(['production', 'rehearsal']) }),
  /** Number of the epoch. */
  epoch: int(1, 1_000_000),
  /** Digest of the epoch that the certificate confirms: certificates of one epoch may differ in single confirmations. */
  certificate: hex(32),
  owner: nameOf('participant'),
  leaf: int(1, 64),
  /** When the holder says that it was made. */
  at: utcTime,
  /** What the reader chose, if anything: 32 bytes. */
  challenge: v.optional(hex(32)),
};
const StatementSchema = v.strictObject(statement);
const ProofSchema = v.strictObject({
  ...statement,
  /** R ‖ z in the group of the key. */
  proof: hexUpTo(57 + 57),
  /** Ed25519, of the owner's identity in the epoch. */
  signature: hex(64),
});

/** What a proof says, and what it is bound to. Public. */
export type ShareStatement = v.InferOutput<typeof StatementSchema>;
/** A proof file in its form; nothing in it is checked yet. Public. */
export type ShareProof = v.InferOutput<typeof ProofSchema>;

/** Name of the file: owner, key and epoch. */
export function shareProofName({ key, number }: EpochRecord, owner: string): string {
  return `${owner}-${key.name}-epoch-${String(number)}.proof`;
}

/**
 * What the Schnorr proof is bound to, 32 bytes: every field of the statement, under a tag of its own, so that it is no
 * proof of possession of a dealing or an epoch and no signature.
 */
export function shareProofContext(fields: ShareStatement): Uint8Array {
  return digest('share-health/v1', canonicalBytes(fields as unknown as Json));
}

/** What the owner's identity signs, 32 bytes: statement and proof. */
export function shareProofMessage(proof: Omit<ShareProof, 'signature'>): Uint8Array {
  return taggedHash('share-proof/v1', canonicalBytes(proof as unknown as Json));
}

/**
 * The place of a participant in an epoch, and the public verification share X of its leaf share there.
 * @throws E_NOT_PARTICIPANT; E_CERTIFICATE where the tree of the epoch cannot be read or gives no share there
 */
export function shareOf({ epoch }: Certificate, owner: string): { readonly group: Group; readonly leaf: number; readonly identity: Uint8Array; readonly point: Point } {
  const at = epoch.roster.findIndex((p) => p.name === owner);
  const holder = epoch.roster[at];
  if (!holder) fail('E_NOT_PARTICIPANT', `${owner} holds no share of ${epoch.key.name} in epoch ${String(epoch.number)}`, { participant: owner });
  const g = group(SCHEMES[epoch.key.scheme].group);
  const quorum = parseQuorum(epoch.quorum);
  const leaf = quorum.leaves[at];
  if (leaf?.name !== owner) fail('E_CERTIFICATE', 'roster and quorum of the epoch differ', { participant: owner });
  const reader = new Reader(fromHex(epoch.tree), 'E_CERTIFICATE');
  const tree = decodeTree(g, quorum, true, reader);
  reader.end();
  const point = leafPoint(tree, leaf);
  if (point.is0()) fail('E_CERTIFICATE', `the certificate gives ${owner} no share`, { participant: owner });
  return { group: g, leaf: leaf.id, identity: fromHex(holder.identity), point };
}

/**
 * Reads a proof file: size, canonical form, every field. Nothing in it is checked against anything yet.
 * @throws E_TOO_LARGE, E_CANON, E_FORMAT naming file and field
 */
export function parseShareProof(bytes: Uint8Array, file: string): ShareProof {
  const remedy = 'Ask its owner to make the proof again (mpc-ceremony key prove), and to carry it anew.';
  try {
    const parsed = v.safeParse(ProofSchema, parseCanonical(bytes, MAX_SHARE_PROOF_BYTES));
    if (parsed.success) return parsed.output;
    const { field, text } = explainIssues(parsed.issues);
    return fail('E_FORMAT', `this is not a proof of share health: ${field}: ${text}`, { field });
  } catch (e) {
    throw e instanceof CeremonyError ? e.with({ file, remedy }) : e;
  }
}

/** What the reader knows and asks for. */
export interface ShareProofReading {
  /** Name of the file, for messages. */
  readonly file: string;
  readonly now: Date;
  /** 32 bytes in lowercase hex: the proof must answer it. Without it any proof of this epoch is taken, at the time it says. */
  readonly challenge?: string | undefined;
}

/**
 * Checks a proof against the certificate of the epoch that its reader holds.
 * A false signature blames nobody, any courier can damage a file; a signed proof that does not hold blames its owner.
 * @throws E_SHARE_PROOF for another key, no or another place in the quorum, another challenge, or a time more than
 * {@link CLOCK_SKEW_MS} ahead; E_EPOCH for another epoch; E_SIGNATURE, E_POP; all naming participant and file
 */
export function verifyShareProof(read: ShareProof, certificate: Certificate, { file, now, challenge }: ShareProofReading): void {
  const { epoch } = certificate;
  const { signature, ...signed } = read;
  const { proof, ...fields } = signed;
  const { owner } = read;
  const facts = { participant: owner, file };
  const again = `Ask ${owner} for a new proof: mpc-ceremony key prove ${epoch.key.name}.`;
  const { name, id, scheme, mode } = epoch.key;
  for (const [field, theirs, ours] of [['key.name', read.key.name, name], ['key.id', read.key.id, id], ['key.scheme', read.key.scheme, scheme], ['key.mode', read.key.mode, mode]])
    if (theirs !== ours) fail('E_SHARE_PROOF', `the proof is for another key than ${name} of this home`, { ...facts, field, remedy: again });
  if (read.epoch !== epoch.number || read.certificate !== toHex(certificate.digest))
    fail('E_EPOCH', `the proof is for epoch ${String(read.epoch)} of ${name}; active here is ${String(epoch.number)}${read.epoch === epoch.number ? ', with another certificate' : ''}`, {
      ...facts,
      field: read.epoch === epoch.number ? 'certificate' : 'epoch',
      remedy: read.epoch > epoch.number ? `Bring the certificate of epoch ${String(read.epoch)} to this home first: mpc-ceremony next FOLDER.` : `${owner} may have an old copy of its home. ${again}`,
    });
  const seat = epoch.roster.findIndex((p) => p.name === owner) + 1;
  if (seat === 0 || read.leaf !== seat) fail('E_SHARE_PROOF', `${owner} does not hold share ${String(read.leaf)} of ${name}`, { ...facts, field: seat === 0 ? 'owner' : 'leaf', remedy: again });
  const share = shareOf(certificate, owner);
  if (!verifyEd25519(share.identity, shareProofMessage(signed), fromHex(signature)))
    fail('E_SIGNATURE', `the proof was changed on its way, or ${owner} did not sign it`, { ...facts, field: 'signature', remedy: again });
  if (challenge !== undefined && read.challenge !== challenge)
    fail('E_SHARE_PROOF', read.challenge === undefined ? 'the proof answers no challenge; it may be an old one' : 'the proof answers another challenge; it may be an old one', {
      ...facts,
      field: 'challenge',
      remedy: `Ask ${owner} for a new proof: mpc-ceremony key prove ${name} --challenge ${challenge}`,
    });
  if (Date.parse(read.at) > now.getTime() + CLOCK_SKEW_MS)
    fail('E_SHARE_PROOF', `the proof says that it was made at ${read.at}, which is still to come`, { ...facts, field: 'at', remedy: `Compare the clocks of this machine and of ${owner}'s. ${again}` });
  if (!holds(share.group, share.point, shareProofContext(fields), fromHex(proof)))
    fail('E_POP', `${owner} does not show that it holds its share of ${name}`, {
      ...facts,
      field: 'proof',
      remedy: `Keep this file. ${owner} may have lost its share: ask it to run mpc-ceremony key prove ${name}, and to recover from its backup if that fails.`,
    });
}

function holds(g: Group, statementPoint: Point, context: Uint8Array, bytes: Uint8Array): boolean {
  try {
    const proof = decodeSchnorrProof(g, bytes);
    return failingSchnorr(g, [{ context, statementBytes: g.encodePoint(statementPoint), statement: statementPoint, proof }]).length === 0;
  } catch (e) {
    if (e instanceof CeremonyError && (e.code === 'E_POP' || e.code === 'E_POINT' || e.code === 'E_SCALAR')) return false;
    throw e;
  }
}
