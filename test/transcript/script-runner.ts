/** Runs VERIFY.txt as somebody does who does not have this program: bash and the few tools that it names, nothing else. */
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { execa } from 'execa';
import { expect } from 'vitest';
import type { Folder } from './fixture.ts';

const TOOLS = ['bash', 'jq', 'openssl', 'sha256sum', 'base64', 'od', 'head', 'tail', 'wc', 'mktemp', 'rm'];

/** What the script said. */
export interface Said {
  readonly exit: number | undefined;
  readonly lines: readonly string[];
  /** Faults, without what is missing because of them. */
  readonly wrong: readonly string[];
  readonly missing: readonly string[];
}

/** A place with the tools of the script and nothing else on the path. */
export class ScriptRunner {
  // a blank in the name of the place for temporary files must not matter
  readonly #dir = realpathSync(mkdtempSync(join(tmpdir(), 'verify script-')));
  #runs = 0;

  constructor() {
    mkdirSync(join(this.#dir, 'bin'));
    for (const tool of TOOLS) {
      const at = (process.env['PATH'] ?? '').split(delimiter).map((p) => join(p, tool)).find((p) => existsSync(p));
      if (at === undefined) throw new Error(`${tool} is not installed: these tests need ${TOOLS.join(', ')}`);
      symlinkSync(at, join(this.#dir, 'bin', tool));
    }
  }

  async run(folder: Folder): Promise<Said> {
    const root = join(this.#dir, String((this.#runs += 1)));
    for (const [path, bytes] of folder) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), bytes);
    }
    const result = await execa(join(this.#dir, 'bin', 'bash'), ['VERIFY.txt'], { cwd: root, reject: false, extendEnv: false, env: { PATH: join(this.#dir, 'bin'), TMPDIR: this.#dir } });
    expect(result.stderr).toBe('');
    const lines = result.stdout.split('\n');
    const after = (mark: string): string[] => lines.filter((l) => l.startsWith(mark)).map((l) => l.slice(9));
    return { exit: result.exitCode, lines, wrong: after('WRONG  '), missing: after('MISSING') };
  }

  close(): void {
    rmSync(this.#dir, { recursive: true });
  }
}
