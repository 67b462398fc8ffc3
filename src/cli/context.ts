/** The composition root of a command: disk, clock, randomness, passphrase, prompts. Effects are made here and nowhere else. */
import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import { realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Home } from '../ceremony/home.ts';
import type { Identity } from '../ceremony/identity.ts';
import type { Port } from '../ceremony/port.ts';
import { type Disk, realDisk } from '../vault/durable.ts';
import type { Lock } from '../vault/lock.ts';
import { fail } from '../wire/errors.ts';
import { mixedRandom } from '../vault/mixed-random.ts';
import type { Random } from '../wire/random.ts';
import { Answers } from './answers.ts';
import { Output } from './output.ts';

/** Global flags, as commander gives them. */
export interface GlobalFlags {
  readonly home?: string;
  readonly json?: boolean;
  readonly input?: boolean;
  readonly answers?: string;
  readonly passphraseFile?: string;
  readonly passphraseFd?: string;
  readonly entropyFile?: string;
  readonly via?: string;
  readonly relayCreds?: string;
  readonly relayCa?: string;
  readonly quiet?: boolean;
  readonly color?: boolean;
}

/** The route that a command takes: a folder, codes on screens, or a relay by its address. */
export type ChosenRoute = { readonly by: 'folder'; readonly dir: string } | { readonly by: 'qr' } | { readonly by: 'relay'; readonly url: string };

/** Reads --via. @throws E_USAGE */
function parseRoute(via: string): ChosenRoute {
  if (via.startsWith('folder:') && via.length > 7) return { by: 'folder', dir: via.slice(7) };
  if (via === 'qr') return { by: 'qr' };
  if (via.startsWith('relay:') && via.length > 6) return { by: 'relay', url: via.slice(6) };
  return fail('E_USAGE', `--via ${via}: there is no such route`, { field: 'via', remedy: 'Use --via folder:DIR, --via qr, or --via relay:ADDRESS.' });
}

export class Context {
  readonly flags: GlobalFlags;
  readonly out: Output;
  readonly disk: Disk;
  readonly random: Random;
  readonly homeRoot: string;
  readonly answers: Answers;
  /** How messages travel, if that was said. */
  readonly route: ChosenRoute | undefined;
  /** What is known of the ceremony while a command runs; an error is told with it. */
  about: Record<string, unknown> = {};
  #home: Home | undefined;
  #identity: Promise<Identity> | undefined;
  #lock: Lock | undefined;

  constructor(flags: GlobalFlags) {
    this.flags = flags;
    this.route = flags.via === undefined ? undefined : parseRoute(flags.via);
    this.out = new Output({
      json: flags.json === true,
      quiet: flags.quiet === true,
      color: flags.color !== false && flags.json !== true && process.stdout.isTTY && process.env['NO_COLOR'] === undefined,
    });
    this.homeRoot = realPath(flags.home ?? process.env['MPC_CEREMONY_HOME'] ?? join(homedir(), '.mpc-ceremony'));
    this.disk = realDisk(crashHook(this.homeRoot));
    const extra = flags.entropyFile === undefined ? undefined : this.disk.read(realPath(flags.entropyFile), 1 << 20);
    if (flags.entropyFile !== undefined && (extra?.length ?? 0) < 16)
      fail('E_USAGE', 'the entropy file is missing or shorter than 16 bytes', { file: flags.entropyFile, field: 'entropy-file' });
    this.random = mixedRandom((length) => new Uint8Array(randomBytes(length)), extra);
    this.answers = new Answers(this.disk, flags);
  }

  now(): Date {
    return new Date();
  }

  /** Opens the home, and for commands that change it takes the one lock. */
  async home(access: 'read' | 'write'): Promise<Home> {
    const { openHome, sweepHome } = await import('../ceremony/home.ts');
    this.#home ??= openHome(this.disk, this.homeRoot);
    this.about['participant'] = this.#home.facts.name;
    if (access === 'write' && !this.#lock) {
      const { acquireLock } = await import('../vault/lock.ts');
      this.#lock = await acquireLock(this.homeRoot);
      sweepHome(this.#home);
    }
    return this.#home;
  }

  /** The passphrase: from a file, a descriptor or the terminal; never from an argument or the environment. */
  async passphrase(confirm: boolean): Promise<import('../vault/secret.ts').Secret> {
    const { readPassphrase } = await import('../vault/passphrase.ts');
    if (this.flags.input === false && this.flags.passphraseFile === undefined && this.flags.passphraseFd === undefined)
      fail('E_PERSON', 'the passphrase is needed (prompt id: passphrase)', { field: 'passphrase', remedy: 'Give --passphrase-file or --passphrase-fd, or run at a terminal.' });
    const { secret, warning } = await readPassphrase({
      file: this.flags.passphraseFile,
      fd: this.flags.passphraseFd === undefined ? undefined : Number(this.flags.passphraseFd),
      confirm,
      prompt: 'Passphrase',
      stdin: process.stdin,
      stderr: process.stderr,
    });
    if (warning !== undefined) this.out.say(`! ${warning}`);
    return secret;
  }

  /** The effects of a ceremony step in this home. */
  port(home: Home): Port {
    return {
      disk: this.disk,
      now: () => this.now(),
      random: this.random,
      unlock: () => (this.#identity ??= this.#unlock(home)),
      ask: (id, question) => this.answers.ask(id, question),
      crew: { run: async (task, args) => (await import('../ceremony/crew.ts')).crew().run(task, args) },
      primes: rehearsedPrimes(home),
      say: (text) => {
        this.out.say(text);
      },
    };
  }

  async #unlock(home: Home): Promise<Identity> {
    const { openIdentity } = await import('../ceremony/identity.ts');
    const secret = await this.passphrase(false);
    this.out.say('opening the home …');
    const identity = await openIdentity(home, secret, this.random);
    secret.wipe();
    return identity;
  }

  /** Resolved path of the folder that a command works on. */
  folder(argument: string | undefined): string {
    const given = argument ?? (this.route?.by === 'folder' ? this.route.dir : undefined);
    return realPath(given ?? '.');
  }
}

/** A path as a person names it, with links resolved once; the disk layer refuses links that appear later. */
export function realPath(path: string): string {
  const full = resolve(path);
  try {
    return realpathSync(full);
  } catch {
    return dirname(full) === full ? full : join(realPath(dirname(full)), basename(full));
  }
}

/**
 * Tests bring the primes of an ECDSA key along, which take long to make. Only a home made for rehearsal obeys, and moduli
 * of published primes are refused in every production ceremony.
 */
function rehearsedPrimes(home: Home): Port['primes'] {
  const file = process.env['MPC_CEREMONY_REHEARSE_PRIMES'];
  if (file === undefined || home.facts.mode !== 'rehearsal') return undefined;
  return async () => {
    const { decodeAuxSecret } = await import('../ecdsa/make-aux.ts');
    return decodeAuxSecret(realDisk().read(file, 4096) ?? fail('E_MISSING', 'the primes of the rehearsal are missing', { file }));
  };
}

/**
 * Rehearsals end a process at its n-th durable write, to show that nothing is lost. Only a home made for rehearsal obeys,
 * and all it can do is to end the process.
 */
function crashHook(homeRoot: string): { onWrite?: (count: number) => void } {
  const at = Number(process.env['MPC_CEREMONY_REHEARSE_CRASH'] ?? '0');
  if (at === 0) return {};
  const version = realDisk().read(join(homeRoot, 'VERSION'), 4096);
  if (!version || !Buffer.from(version).toString('latin1').includes('"mode":"rehearsal"')) return {};
  return {
    onWrite: (count) => {
      if (count === at) process.kill(process.pid, 'SIGKILL');
    },
  };
}
