/**
 * Presignatures of a home, by key and epoch: the public record of each, and its sealed half until it is spent. A record
 * whose half is gone is spent. None of it ever goes into a backup.
 */
import { encodePresignature, MAX_PRESIGNATURE_BYTES, parsePresignature, presignatureId, type PresignatureRecord } from '../protocols/presignature.ts';
import type { Vault } from '../vault/vault.ts';
import { fromHex, toHex } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { type Home, inHome } from './home.ts';
import { epochDir, nonceSpent } from './key-store.ts';

const dirOf = (name: string, epoch: number): string => `${epochDir(name, epoch)}/presignatures`;
/** Path of the sealed half of a presignature. @param id hex */
export const presignaturePath = (name: string, epoch: number, id: string): string => `${dirOf(name, epoch)}/${id}.sealed`;

/** Stores a presignature: the half first, so that a record without one is never taken for unspent. @param half k̃ ‖ χ̃, secret */
export function keepPresignature(home: Home, vault: Vault, name: string, epoch: number, record: PresignatureRecord, half: Uint8Array): void {
  const id = toHex(presignatureId(record));
  home.disk.makeDir(inHome(home, dirOf(name, epoch)));
  vault.put(presignaturePath(name, epoch, id), half);
  home.disk.write(inHome(home, `${dirOf(name, epoch)}/${id}.json`), encodePresignature(record));
}

/** The record of a presignature that this home holds. @throws E_PRESIGN_USED when it holds none of that name, E_FORMAT when the file is damaged */
export function storedPresignature(home: Home, name: string, epoch: number, id: string): PresignatureRecord {
  const file = inHome(home, `${dirOf(name, epoch)}/${id}.json`);
  const bytes = home.disk.read(file, MAX_PRESIGNATURE_BYTES);
  if (!bytes)
    fail('E_PRESIGN_USED', 'this home does not hold the presignature that the plan names', {
      field: 'presignature',
      remedy: 'Ask the lead for a further attempt: mpc-ceremony sign --again FOLDER --live, or make a new stock: mpc-ceremony presign.',
    });
  return parsePresignature(bytes, file);
}

/** Unspent presignatures of an epoch, the oldest ceremony's lowest number first as the folder gives them. */
export function unspentPresignatures(home: Home, name: string, epoch: number): PresignatureRecord[] {
  return home.disk
    .list(inHome(home, dirOf(name, epoch)))
    .filter((f) => f.endsWith('.json'))
    .map((f) => f.slice(0, -5))
    .filter((id) => home.disk.exists(inHome(home, presignaturePath(name, epoch, id))) && !nonceSpent(home, name, epoch, fromHex(id)))
    .map((id) => storedPresignature(home, name, epoch, id))
    .sort((a, b) => (a.session < b.session ? -1 : a.session > b.session ? 1 : a.index - b.index));
}
