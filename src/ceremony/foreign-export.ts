/**
 * `backup export --as`: this home's share in the format of another implementation, so that nobody is locked in. Never in
 * the clear: the file is encrypted to one recipient, who opens it with age where the other implementation runs.
 */
import { join } from 'node:path';
import { checkEscrow } from '../backup/escrow.ts';
import { ageRecipient, parseRecipient, type Recipient } from '../backup/recipient.ts';
import { SCHEMES } from '../curves/scheme.ts';
import { plainKey } from '../interop/foreign-share.ts';
import { makeLocknessShare } from '../interop/make-lockness.ts';
import { makeZfKeyPackage } from '../interop/make-zf-frost.ts';
import { openShare } from '../interop/open-share.ts';
import { zfPublicKeyPackage } from '../interop/zf-frost.ts';
import { type Card, parseCard } from '../plan/card.ts';
import { epochTree } from '../protocols/base.ts';
import { fromHex, toHex } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import { writeAge } from './backup-age.ts';
import { backupCopies, checkCustodyKeys, registerBackup } from './backup-register.ts';
import { type Home, requireUnlocked } from './home.ts';
import { loadShare, requireKey, requireSigning } from './key-store.ts';
import type { Port } from './port.ts';
import { utc } from './times.ts';

const MAX_CARD_BYTES = 65_536;

export interface ForeignExport {
  readonly key: string;
  readonly as: 'zf-frost' | 'lockness';
  /** A card, or a recipient as age writes it. */
  readonly to: string;
  readonly out: string;
}

/** Whom the file is for, with the card where there is one. */
function recipient(home: Home, to: string): { readonly target: Recipient; readonly card?: Card } {
  if (/^age1/.test(to) && !to.endsWith('.card')) return { target: parseRecipient(to) };
  const card = parseCard(home.disk.read(to, MAX_CARD_BYTES) ?? fail('E_CARD', `there is no card at ${to}`, { file: to, field: 'to' }), to);
  if (card.mode !== home.facts.mode) fail('E_REHEARSAL', `the card of ${card.name} is for ${card.mode}, this home for ${home.facts.mode}`, { file: to, participant: card.name });
  const { custody } = card;
  return custody ? { target: parseRecipient(ageRecipient(fromHex(custody.key))), card } : fail('E_CARD', `the card of ${card.name} has no custody key`, { file: to, field: 'to' });
}

/**
 * Writes the share of the active epoch as another implementation reads it (age file), and for ZF the public key package.
 * The age file is a copy of the share like a backup: the same people may not keep it, and it stands in the register, from
 * before it is written.
 * @returns the files, with their SHA-256 in hex
 * @throws E_SCHEME when the format has no such keys, E_QUORUM for a nested quorum, E_EXISTS, E_RECIPIENT, E_CARD, E_REHEARSAL, E_ESCROW, E_CUSTODY_REUSED, and what a signing would be refused with
 */
export async function exportForeign(home: Home, { key, as, to, out }: ForeignExport, port: Port): Promise<{ path: string; sha256: string }[]> {
  requireUnlocked(home);
  const certificate = requireKey(home, key);
  requireSigning(home, certificate);
  const { epoch } = certificate;
  const { scheme } = epoch.key;
  if ((SCHEMES[scheme].protocol === 'frost') !== (as === 'zf-frost')) fail('E_SCHEME', `${as} has no keys of ${scheme}`, { field: 'as' });
  const own = epoch.roster.findIndex((p) => p.homeId === home.facts.homeId);
  if (own < 0) fail('E_NOT_PARTICIPANT', `this home holds no share of ${key}`);
  const { quorum, tree, leafPoints } = epochTree(epoch);
  const foreign = plainKey({ scheme, quorum, publicKey: fromHex(epoch.publicKey), leafPoints, chainCode: fromHex(epoch.chainCode) });
  const { target, card } = recipient(home, to);
  const owner = epoch.roster[own]?.name ?? home.facts.name;
  checkEscrow(epoch, owner, card ? [card] : [], undefined);
  checkCustodyKeys(backupCopies(home, key), epoch.key.id, epoch.number, card ? [{ name: card.name, key: card.custody?.key ?? '' }] : []);
  const name = `${home.facts.name}-${key}-epoch-${String(epoch.number)}.${as}`;
  const { vault } = await port.unlock();
  const share = loadShare(vault, certificate);
  const opened = openShare(foreign, tree.group.encodeScalar(BigInt(own + 1)), share);
  const contents = as === 'zf-frost' ? makeZfKeyPackage(opened) : makeLocknessShare(opened);
  share.fill(0);
  const age = await writeAge(contents, [target]);
  contents.fill(0);
  const files = [{ path: `${name}.age`, bytes: age, mode: 0o600 }];
  if (as === 'zf-frost') files.push({ path: `${key}-epoch-${String(epoch.number)}.public.json`, bytes: zfPublicKeyPackage(foreign), mode: 0o644 });
  for (const { path } of files) if (home.disk.exists(join(out, path))) fail('E_EXISTS', `${path} is there already`, { file: join(out, path), remedy: 'Give another folder with --out.' });
  registerBackup(home, key, {
    file: `${name}.age`,
    sha256: toHex(sha256(age)),
    owner,
    keyId: epoch.key.id,
    epoch: epoch.number,
    lock: target.key ? 'recipients' : 'post-quantum',
    recipients: [{ ...(card ? { name: card.name } : {}), ...(target.key ? { key: toHex(target.key) } : {}) }],
    made: utc(port.now()),
  });
  home.disk.makeDir(out);
  for (const { path, bytes, mode } of files) home.disk.write(join(out, path), bytes, { mode, verify: true });
  return files.map(({ path, bytes }) => ({ path, sha256: toHex(sha256(bytes)) }));
}
