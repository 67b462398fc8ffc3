/** Coming back to a moment of a ceremony, so that many tests share its beginning. */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Run } from './run.ts';

/** A moment of a ceremony to which tests come back: all homes, and everybody's folder. */
export class Stage {
  readonly run: Run;
  readonly #name: string;

  constructor(run: Run, name: string) {
    this.run = run;
    this.#name = `${name}-${run.id}`;
    run.table.save(this.#name);
    rmSync(this.#folders, { recursive: true, force: true });
    cpSync(join(run.table.root, 'runs', run.id), this.#folders, { recursive: true });
  }
  get #folders(): string {
    return join(this.run.table.root, 'saved-runs', this.#name);
  }
  /** Puts everything back. */
  back(): Run {
    const { table, id, last } = this.run;
    table.restore(this.#name);
    rmSync(join(table.root, 'runs', id), { recursive: true, force: true });
    cpSync(this.#folders, join(table.root, 'runs', id), { recursive: true });
    last.clear();
    return this.run;
  }
}
