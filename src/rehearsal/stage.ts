/**
 * rehearsal/: a whole ceremony played on one machine. It acts as people do, from outside: it runs the real program once
 * for every step, each participant with a home and a folder copy of its own, and carries files between the copies. No
 * real ceremony uses anything that is here, and nothing here touches a home that was not made for rehearsals.
 *
 * This file: where things lie on the stage.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Home, openHome } from '../ceremony/home.ts';
import type { Disk } from '../vault/durable.ts';
import { fail } from '../wire/errors.ts';
import type { Cast } from './cast.ts';

/** Public on purpose: rehearsal homes hold nothing worth protecting. */
const PASSPHRASE = 'rehearsal only, protects nothing';

/** Who verifies a record: somebody with neither home nor secret. */
export const ANYBODY = 'anybody';

/** Names on the stage that no participant can have. */
export const RESERVED: ReadonlySet<string> = new Set(['homes', 'cards', ANYBODY]);

export interface Stage {
  /** Folder of the rehearsal, absolute; the program runs there, so that the commands in log.txt can be repeated. */
  readonly root: string;
  readonly cast: Cast;
}

/** Places, relative to the root of the stage. */
export const PASSPHRASE_FILE = 'passphrase.txt';
export const CARDS = 'cards';
export const DRAFT = 'draft.yaml';
export const MESSAGE = 'message.txt';
export const homeOf = (name: string): string => `homes/${name}`;
/** A participant's own copy of a ceremony folder. */
export const copyOf = (name: string, ceremony: string): string => `${name}/${ceremony}`;

/**
 * Makes the folder of a rehearsal.
 * @throws E_EXISTS when there is something in it already
 */
export function makeStage(root: string, cast: Cast, draft: string, message: string): Stage {
  if (existsSync(root) && readdirSync(root).length > 0)
    fail('E_EXISTS', `${root} is not empty`, { file: root, field: 'out', remedy: 'Name a folder that does not exist yet with --out.' });
  for (const dir of ['', 'homes', CARDS, ...cast.everybody]) mkdirSync(join(root, dir), { recursive: true, mode: 0o700 });
  writeFileSync(join(root, PASSPHRASE_FILE), `${PASSPHRASE}\n`, { mode: 0o600 });
  chmodSync(join(root, PASSPHRASE_FILE), 0o600);
  writeFileSync(join(root, DRAFT), draft);
  writeFileSync(join(root, MESSAGE), message);
  return { root: realpathSync(root), cast };
}

/**
 * Opens a home of the stage for looking at it, or for the cheat.
 * @throws E_REHEARSAL unless it was made for rehearsals
 */
export function rehearsalHome(stage: Stage, name: string, disk: Disk): Home {
  const home = openHome(disk, join(stage.root, homeOf(name)));
  if (home.facts.mode !== 'rehearsal') fail('E_REHEARSAL', `the home of ${name} is for production; a rehearsal touches only its own homes`, { file: home.root });
  return home;
}
