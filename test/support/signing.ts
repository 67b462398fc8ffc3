/** Setting up signings, honest and spoilt. */
import { join } from 'node:path';
import type { SignPlan } from '../../src/plan/plan.ts';
import { parseIntent } from '../../src/policy/intent.ts';
import { NONCE } from '../../src/protocols/frost-sign.ts';
import type { Inbound } from '../../src/protocols/machine.ts';
import { openBlob } from '../../src/wire/blob.ts';
import { toHex } from '../../src/wire/bytes.ts';
import { random, Table } from './harness.ts';
import type { Run } from './run.ts';

export const ALL = ['alice', 'mallory', 'carol'];
export const QUORUM = '2-of(alice, mallory, carol)';

/** A table at which everybody holds a share of the key `treasury`, and a stock of nonces; saved as `key`. */
export async function keyTable(stock: number): Promise<Table> {
  const table = await Table.open(ALL);
  const run = await table.dkg({ quorum: QUORUM, honest: ALL, stock });
  await run.settle();
  table.save('key');
  return table;
}

/** Alice begins to sign with mallory, who is a cheat, in two rounds. */
export const live = (table: Table, over = {}): Promise<Run> => table.sign({ honest: ['alice'], cheats: ['mallory'], live: true, ...over });
/** Alice begins to sign with carol, from stock. */
export const stocked = (table: Table, over = {}): Promise<Run> => table.sign({ honest: ['alice', 'carol'], ...over });

/** Marks of the nonce pairs that a home has spent. */
export function spent(table: Table, label: string): string[] {
  const { home } = table.party(label);
  return home.disk.list(join(home.root, 'keys/treasury/epoch-1/spent'));
}

/** Every share message of a participant that lies in any folder of a run. */
export function sharesOf(run: Run, name: string): string[] {
  const found = [...run.honest, ...run.cheats].flatMap((label) => run.file(label, `round-2/${name}.blob`) ?? []);
  return [...new Set(found.map(toHex))];
}

/** The nonce messages of both, though alice may not have taken mallory's in yet. */
export function bothNonces(run: Run): Inbound {
  const messages = new Map([...run.messages()].map(([slot, m]) => [slot, new Map(m)]));
  messages.get(NONCE)?.set(run.seat('mallory').leaf, openBlob(run.file('alice', 'round-1/mallory.blob') as Uint8Array, run.session));
  return messages;
}

/** The plan of a run, changed, in fresh folders, with the files that belong to it. */
export async function replanted(run: Run, change: (plan: SignPlan) => SignPlan, files: Record<string, Uint8Array> = {}): Promise<Run> {
  const plan = change({ ...(run.plan as SignPlan), nonce: toHex(random(32)) });
  const label = run.honest[0] as string;
  return run.table.plant(plan, run.honest, {
    'intent.json': run.file(label, 'intent.json') as Uint8Array,
    'message.bin': run.file(label, 'message.bin') as Uint8Array,
    'base/certificate.json': run.file(label, 'base/certificate.json') as Uint8Array,
    ...files,
  });
}

/** An intent that was never used, with the hash that a plan names. */
export function otherIntent(table: Table, by = 'alice', over = {}): { bytes: Uint8Array; hash: string } {
  const bytes = table.intent(by, 'pay 5000 to mallory', over);
  return { bytes, hash: toHex(parseIntent(bytes, 'intent.json').hash) };
}
