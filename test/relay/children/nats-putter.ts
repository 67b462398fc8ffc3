/** Puts one part (argument 4: its bytes in number, all of the value 7) into a place (2: box, 3: name) of a NATS relay (1), and says how it went. */
import { natsRelay } from '../../../src/relay/nats-relay.ts';

const [url, box, name, size] = process.argv.slice(2) as [string, string, string, string];
const relay = await natsRelay(new URL(url));
console.log(await relay.put(box, name, new Uint8Array(Number(size)).fill(7)));
await relay.close();
