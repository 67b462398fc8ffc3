/**
 * Until it is killed: replaces `state`, creates `spent/<n>`, makes and erases `live/<n>` in the folder of argument 1,
 * beginning at the number of argument 2. After each change it tells its number, without buffering.
 */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { realDisk } from '../../../src/vault/durable.ts';
import { content } from './content.ts';

const [dir = '', start = '1'] = process.argv.slice(2);
const disk = realDisk();
for (const sub of ['spent', 'live']) disk.makeDir(join(dir, sub));
for (let n = Number(start); ; n++) {
  const tell = (what: string): void => {
    writeSync(1, `${what} ${String(n)}\n`);
  };
  disk.write(join(dir, 'state'), content(n));
  tell('state');
  disk.createOnce(join(dir, 'spent', String(n)), content(n));
  tell('spent');
  disk.write(join(dir, 'live', String(n)), content(n));
  tell('live');
  disk.erase(join(dir, 'live', String(n)));
  tell('erased');
}
