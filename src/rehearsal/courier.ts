/** The courier: copies files between the participants' folders, as a stick does. Deletes nothing, opens nothing. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { copyOf, type Stage } from './stage.ts';

/** What happens to a file on its way to a reader: nothing, another content, or (undefined) it does not arrive. */
export type OnTheWay = (path: string, reader: string, bytes: Uint8Array) => Uint8Array | undefined;

// what everybody has the same of, or what names somebody without being written by them
const SHARED = new Set(['cards', 'base', 'evidence', '.']);

/** Regular files of a ceremony folder, as paths in it. */
export function filesIn(dir: string): string[] {
  if (!existsSync(dir)) return [];
  const plain = (at: string): string[] => readdirSync(join(dir, at), { withFileTypes: true }).filter((f) => f.isFile() && !f.name.startsWith('.')).map((f) => (at === '.' ? f.name : `${at}/${f.name}`));
  const folders = readdirSync(dir, { withFileTypes: true }).filter((f) => f.isDirectory()).map((f) => f.name);
  return ['.', ...folders].flatMap(plain).sort();
}

export class Courier {
  readonly #stage: Stage;
  /** How often the courier went round. */
  rounds = 0;
  /** Files carried. */
  files = 0;
  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /**
   * Carries what every participant wrote to all the others. A file that has a writer is taken from its writer alone.
   * @param people who is visited
   */
  carry(ceremony: string, people: readonly string[], onTheWay: OnTheWay = (_path, _reader, bytes) => bytes): void {
    this.rounds += 1;
    for (const from of people) {
      const dir = this.#at(from, ceremony);
      for (const path of filesIn(dir)) {
        const writer = this.#writer(path);
        if (writer !== undefined && writer !== from) continue;
        const bytes = readFileSync(join(dir, path));
        for (const to of people) {
          if (to === from || (writer === undefined && existsSync(join(this.#at(to, ceremony), path)))) continue;
          const arriving = onTheWay(path, to, bytes);
          if (arriving) this.hand(to, ceremony, path, arriving);
        }
      }
    }
  }

  /** Puts one file into a participant's folder. */
  hand(to: string, ceremony: string, path: string, bytes: Uint8Array): void {
    const file = join(this.#at(to, ceremony), path);
    if (existsSync(file) && readFileSync(file).equals(bytes)) return;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
    this.files += 1;
  }

  #at(name: string, ceremony: string): string {
    return join(this.#stage.root, copyOf(name, ceremony));
  }

  #writer(path: string): string | undefined {
    const [name, stem] = [dirname(path), path.slice(path.lastIndexOf('/') + 1).replace(/\..*$/, '')];
    return SHARED.has(name) ? undefined : this.#stage.cast.everybody.find((p) => p === stem);
  }
}
