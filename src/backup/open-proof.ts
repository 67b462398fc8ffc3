/** Opening publicly verifiable encryptions with the recipient's secret key. */
import { equalBytes } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { openedSide, parseProof, rowMask, type Statement } from './pve.ts';
import { importPublic, x25519Agree, x25519Public } from './x25519.ts';

/**
 * The scalar x with xG = X, in the suite's encoding: secret, the caller wipes it. Tries row after row; after a proof
 * that verified, the first one will do.
 * @param secret the recipient's X25519 key, 32 bytes
 * @throws E_BACKUP_KEY when the key is another recipient's; E_BACKUP_PROOF when no row restores x, which a proof that
 *   verifies rules out
 */
export function openProof(s: Statement, bytes: Uint8Array, secret: Uint8Array): Uint8Array {
  const { group } = s;
  if (!equalBytes(x25519Public(secret), s.recipient)) fail('E_BACKUP_KEY', 'this backup was made for another key', { field: 'recipient' });
  const { challenge, rows } = parseProof(group, bytes);
  for (const [i, row] of rows.entries()) {
    const kept = openedSide(challenge, i) === 0 ? 1 : 0;
    const { shared } = x25519Agree(secret, importPublic(row.E));
    const side = (row.c - rowMask(s, i, kept, row.E, shared) + group.order) % group.order;
    shared.fill(0);
    const x = (side + row.opened) % group.order;
    if (x !== 0n && group.multiply(group.base, x).equals(s.X)) return group.encodeScalar(x);
  }
  return fail('E_BACKUP_PROOF', 'no row of the proof restores the share', { field: 'proof' });
}
