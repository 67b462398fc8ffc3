/** Waits for a line on standard input, then tries to create the files 0 … count-1 in a folder; tells which it won. */
import { once } from 'node:events';
import { join } from 'node:path';
import { utf8 } from '../../../src/wire/bytes.ts';
import { realDisk } from '../../../src/vault/durable.ts';

const [dir = '', count = '0'] = process.argv.slice(2);
const disk = realDisk();
console.log('ready');
await once(process.stdin, 'data');
const won: number[] = [];
for (let id = 0; id < Number(count); id++)
  if (disk.createOnce(join(dir, String(id)), utf8(`request of ${String(process.pid)}`))) won.push(id);
console.log(JSON.stringify({ pid: process.pid, won }));
process.exit();
