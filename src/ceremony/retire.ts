/**
 * Signed statements of destruction (RET-01, RET-02). Nobody can prove that a secret is gone: a statement says what a
 * holder's program did, and what software cannot know about disks and copies.
 */
import { join } from 'node:path';
import type { Certificate } from '../protocols/epoch.ts';
import { MAX_STATEMENT_BYTES, parseStatement, type Statement, statementBytes } from '../transcript/statement.ts';
import { equalBytes, toHex } from '../wire/bytes.ts';
import { canonicalBytes, type Json } from '../wire/canon.ts';
import type { Signer } from '../wire/ed25519.ts';
import { CeremonyError } from '../wire/errors.ts';
import { type Home, inHome } from './home.ts';
import { epochCertificate, epochDir, sharePath } from './key-store.ts';
import { utc } from './times.ts';

const statementPath = (home: Home, name: string, epoch: number): string => inHome(home, epochDir(name, epoch), 'destroyed.json');

/** Makes the statement of this home, once; repeated after a crash it stays what it was if nothing more was destroyed. */
export function destructionStatement(home: Home, { epoch, digest }: Certificate, epochs: readonly number[], signer: Signer, now: Date): void {
  const file = statementPath(home, epoch.key.name, epoch.number);
  const before = home.disk.read(file, MAX_STATEMENT_BYTES);
  const earlier = before ? parseStatement(before, file).epochs : [];
  const all = [...new Set([...earlier, ...epochs])].sort((a, b) => a - b);
  if (before && all.length === earlier.length) return;
  const fields = {
    v: 1 as const,
    type: 'mpc-ceremony/destruction' as const,
    key: epoch.key.name,
    id: epoch.key.id,
    owner: home.facts.name,
    identity: toHex(signer.publicKey),
    epochs: all,
    supersededBy: toHex(digest),
    method: 'software-only' as const,
    at: utc(now),
  };
  home.disk.write(file, canonicalBytes({ ...fields, sig: toHex(signer.sign(statementBytes(fields))) } as unknown as Json));
}

/** The file bytes of this home's statement about what an epoch superseded. */
export function storedStatement(home: Home, name: string, epoch: number): Uint8Array | undefined {
  return home.disk.read(statementPath(home, name, epoch), MAX_STATEMENT_BYTES);
}

/** A statement that lies in a folder, if it is one: a file that is too large, a link, or damaged says nothing. */
function readStatement(home: Home, file: string): { readonly bytes: Uint8Array; readonly statement: Statement } | undefined {
  try {
    const bytes = home.disk.read(file, MAX_STATEMENT_BYTES);
    return bytes && { bytes, statement: parseStatement(bytes, file) };
  } catch (e) {
    if (e instanceof CeremonyError) return undefined;
    throw e;
  }
}

/**
 * Statements of the others that lie in a folder, kept with the epoch that superseded what they destroyed: one of each who
 * held a share of the base, as far as this home knows that epoch. All else is left where it is.
 */
export function keepStatements(home: Home, folder: string, { epoch, digest }: Certificate): void {
  const { name, id } = epoch.key;
  const holders = new Set((epoch.base && epochCertificate(home, name, epoch.base.number))?.epoch.roster.map((p) => p.identity));
  const dir = join(folder, 'destroyed');
  for (const file of holders.size === 0 ? [] : home.disk.list(dir).filter((f) => f.endsWith('.json'))) {
    const found = readStatement(home, join(dir, file));
    if (found?.statement.id !== id || found.statement.supersededBy !== toHex(digest) || !holders.has(found.statement.identity)) continue;
    const kept = inHome(home, epochDir(name, epoch.number), 'statements');
    const place = join(kept, `${found.statement.identity}.json`);
    if (equalBytes(home.disk.read(place, MAX_STATEMENT_BYTES) ?? new Uint8Array(0), found.bytes)) continue;
    home.disk.makeDir(kept);
    home.disk.write(place, found.bytes);
  }
}

/** What is still open before the epochs below an active one can be called closed (RET-04). */
export interface ClosingItem {
  readonly what: 'statement' | 'backup' | 'share';
  readonly text: string;
}

/**
 * The closing checklist of the epoch before: a statement of destruction of everybody who held a share there, nothing of
 * it in this home, and its registered backups destroyed.
 * @param backups files of the register that belong to earlier epochs and are not marked as destroyed
 */
export function closingItems(home: Home, { epoch }: Certificate, backups: readonly { readonly file: string; readonly digest: string }[]): ClosingItem[] {
  const { name } = epoch.key;
  const before = epoch.base && epochCertificate(home, name, epoch.base.number);
  const dir = inHome(home, epochDir(name, epoch.number), 'statements');
  const stated = new Set(
    [...home.disk.list(dir).map((f) => join(dir, f)), statementPath(home, name, epoch.number)].flatMap((file) => {
      const bytes = home.disk.read(file, MAX_STATEMENT_BYTES);
      const s = bytes && parseStatement(bytes, file);
      return s && epoch.base && s.epochs.includes(epoch.base.number) ? [s.identity] : [];
    }),
  );
  const silent = (before?.epoch.roster ?? []).filter((p) => !stated.has(p.identity));
  const left = epoch.base && home.disk.exists(inHome(home, sharePath(name, epoch.base.number)));
  return [
    ...silent.map((p) => ({ what: 'statement' as const, text: `${p.name} has not stated that its share of epoch ${String(epoch.base?.number)} is destroyed: bring destroyed/${p.name}.json` })),
    ...(left ? [{ what: 'share' as const, text: `this home still holds its share of epoch ${String(epoch.base?.number)}: mpc-ceremony next FOLDER` }] : []),
    ...backups.map(({ file, digest }) => ({ what: 'backup' as const, text: `the backup ${file} is of an earlier epoch: destroy it, then mpc-ceremony backup destroyed ${digest} --key ${name} --by NAME` })),
  ];
}
