/** What happens to laptops, sticks and files in a drill. Everything lies on the stage; homes are touched only if they were made for rehearsals. */
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ageIdentity, ageRecipient } from '../backup/recipient.ts';
import { x25519Public } from '../backup/x25519.ts';
import { realDisk } from '../vault/durable.ts';
import { fail } from '../wire/errors.ts';
import type { Deed } from './drill-script.ts';
import { CARDS, copyOf, homeOf, rehearsalHome, type Stage } from './stage.ts';

/** Where backups are kept. */
export const SAFE = 'safe';
/** Where a lost stick is found. */
export const FOUND = 'found';

function bytesOf(stage: Stage, path: string): Buffer {
  const file = join(stage.root, path);
  if (!existsSync(file)) fail('E_INTERNAL', `the drill needs ${path}, which is not there`, { file });
  return readFileSync(file);
}

function put(stage: Stage, path: string, bytes: Uint8Array, mode = 0o600): void {
  const file = join(stage.root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes, { mode });
}

/** A home on the stage that may be copied or destroyed. @throws E_REHEARSAL for one that was not made for rehearsals */
function touchable(stage: Stage, name: string): string {
  return rehearsalHome(stage, name, realDisk()).root;
}

/**
 * Does one deed.
 * @throws E_REHEARSAL before a home that was not made for rehearsals is touched; E_INTERNAL where what it changes is not there
 */
export function doDeed(stage: Stage, deed: Deed): void {
  const inFolder = (who: string, ceremony: string, path = ''): string => join(copyOf(who, ceremony), path);
  switch (deed.deed) {
    case 'copy-home':
      cpSync(touchable(stage, deed.of), join(stage.root, homeOf(deed.as)), { recursive: true });
      mkdirSync(join(stage.root, deed.as), { recursive: true });
      return;
    case 'lose-home':
      rmSync(touchable(stage, deed.of), { recursive: true });
      return;
    case 'card':
      return put(stage, join(CARDS, `${deed.of}.card`), bytesOf(stage, join(homeOf(deed.of), 'identity', `${deed.of}.card`)));
    case 'backup-key': {
      const secret = new Uint8Array(randomBytes(32));
      put(stage, join(SAFE, `${deed.of}.identity`), Buffer.from(`${ageIdentity(secret)}\n`));
      put(stage, join(SAFE, `${deed.of}.recipient`), Buffer.from(ageRecipient(x25519Public(secret))));
      secret.fill(0);
      return;
    }
    case 'hand': {
      const from = join(stage.root, inFolder(deed.from, deed.ceremony));
      if (deed.path !== undefined) return put(stage, inFolder(deed.to, deed.ceremony, deed.path), bytesOf(stage, inFolder(deed.from, deed.ceremony, deed.path)));
      if (!existsSync(from)) fail('E_INTERNAL', `${deed.from} has no folder ${deed.ceremony}`, { participant: deed.from });
      return cpSync(from, join(stage.root, inFolder(deed.to, deed.ceremony)), { recursive: true });
    }
    case 'exchange':
      return put(stage, inFolder(deed.at, deed.ceremony, deed.path), bytesOf(stage, deed.by));
    case 'flip': {
      const path = inFolder(deed.at, deed.ceremony, deed.path);
      const bytes = new Uint8Array(bytesOf(stage, path));
      const middle = bytes.length >> 1;
      bytes[middle] = (bytes[middle] ?? 0) ^ 1;
      return put(stage, path, bytes);
    }
    case 'edit': {
      const path = inFolder(deed.at, deed.ceremony, deed.path);
      const lines = bytesOf(stage, path).toString('utf8').split('\n');
      if (!lines.some((l) => l.startsWith(deed.line))) fail('E_INTERNAL', `${path} has no line ${deed.line}`);
      return put(stage, path, Buffer.from(lines.map((l) => (l.startsWith(deed.line) ? `${deed.line}${deed.text}` : l)).join('\n')));
    }
    case 'new-folder':
      mkdirSync(join(stage.root, inFolder(deed.of, deed.ceremony)), { recursive: true });
      return;
    case 'lose-folder': {
      const from = join(stage.root, inFolder(deed.of, deed.ceremony));
      const to = join(stage.root, FOUND, deed.ceremony, deed.of);
      mkdirSync(dirname(to), { recursive: true });
      return renameSync(from, to);
    }
  }
}
