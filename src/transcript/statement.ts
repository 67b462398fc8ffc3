/** A holder's signed statement that superseded shares were destroyed. Public: its form and its check. */
import * as v from 'valibot';
import { hex, int, nameOf, utcTime } from '../plan/fields.ts';
import { fromHex } from '../wire/bytes.ts';
import { canonicalBytes, type Json, parseCanonical } from '../wire/canon.ts';
import { verifyEd25519 } from '../wire/ed25519.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { taggedHash } from '../wire/hash.ts';

/** Largest statement file. */
export const MAX_STATEMENT_BYTES = 16_384;

const StatementSchema = v.strictObject({
  v: v.literal(1),
  type: v.literal('mpc-ceremony/destruction'),
  key: nameOf('key'),
  id: hex(16),
  owner: nameOf('participant'),
  identity: hex(32),
  /** Epochs whose share, primes and stocks were overwritten and unlinked here. */
  epochs: v.pipe(v.array(int(1, 1_000_000)), v.maxLength(1000)),
  /** Digest of the epoch that superseded them. */
  supersededBy: hex(32),
  /** Overwritten by software; no statement about flash cells, snapshots, copies, or the medium itself. */
  method: v.literal('software-only'),
  at: utcTime,
  sig: hex(64),
});

/** A statement whose form and signature were checked. Public. */
export type Statement = v.InferOutput<typeof StatementSchema>;

/** What its owner signs. */
export function statementBytes(statement: Omit<Statement, 'sig'>): Uint8Array {
  return taggedHash('destruction/v1', canonicalBytes(statement as unknown as Json));
}

/** Reads a statement and checks its signature; who the identity is, the roster tells. @throws E_FORMAT, E_SIGNATURE naming the file */
export function parseStatement(bytes: Uint8Array, file: string): Statement {
  const parsed = v.safeParse(StatementSchema, parseCanonical(bytes, MAX_STATEMENT_BYTES));
  if (!parsed.success) return fail('E_FORMAT', 'this is not a statement of destruction', { file });
  const { sig, ...fields } = parsed.output;
  if (!verifyEd25519(fromHex(fields.identity), statementBytes(fields), fromHex(sig))) throw new CeremonyError('E_SIGNATURE', 'the statement of destruction is not signed by its owner', { file, participant: fields.owner });
  return parsed.output;
}
