/** A relay over a folder (argument 1) on a port (argument 2, 0: any); says where, and ends gracefully when told to. */
import { serve } from '../../../src/relay/serve.ts';
import { openSpool } from '../../../src/relay/spool.ts';

const server = await serve(openSpool(process.argv[2] as string), { host: '127.0.0.1', port: Number(process.argv[3]), onFault: (text) => console.error(text) });
process.once('SIGTERM', () => {
  void server.close().then(() => process.exit(0));
});
console.log(server.address);
