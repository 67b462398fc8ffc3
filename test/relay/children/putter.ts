/** Puts numbered parts into a relay (argument 1), from number (2) up to number (3), several at a time, and says each that was acknowledged. */
import { openRelay } from '../../../src/relay/open-relay.ts';
import { part, partPlace } from './numbered.ts';

const relay = await openRelay(process.argv[2] as string);
const box = process.argv[5] as string;
let next = Number(process.argv[3]);
const end = Number(process.argv[4]);
await Promise.all(
  Array.from({ length: 4 }, async () => {
    while (next < end) {
      const n = next++;
      const outcome = await relay.put(box, partPlace(n), part(n));
      process.stdout.write(`${outcome} ${String(n)}\n`);
    }
  }),
);
await relay.close();
