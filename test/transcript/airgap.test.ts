/** SGN-23: what each machine says of its network when it takes part, and a plan that asks for machines without one. */
import type { NetworkInterfaceInfo } from 'node:os';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { checkFields } from '../../src/transcript/entry-fields.ts';
import { Table } from '../support/harness.ts';
import type { Run } from '../support/run.ts';
import { bytesOf, entriesOf, faults, type Folder, folderOf, rewritten, verify, withFiles } from './fixture.ts';

const UP: Record<string, NetworkInterfaceInfo[]> = { eth0: [{ address: '192.0.2.1', netmask: '255.255.255.0', family: 'IPv4', mac: '02:00:00:00:00:01', internal: false, cidr: '192.0.2.1/24' }] };
const LOOPBACK: Record<string, NetworkInterfaceInfo[]> = { lo: [{ address: '127.0.0.1', netmask: '255.0.0.0', family: 'IPv4', mac: '00:00:00:00:00:00', internal: true, cidr: '127.0.0.1/8' }] };
const machine = vi.hoisted(() => ({ interfaces: () => ({}) as Record<string, unknown> }));
vi.mock('node:os', async (original) => ({ ...(await original<typeof import('node:os')>()), networkInterfaces: () => machine.interfaces() }));

const THREE = ['alice', 'bob', 'carol'];
let table: Table;
let run: Run;
let folder: Folder;
const opened = (name: string, from: Folder = folder): unknown => entriesOf(run, name, bytesOf(from, `transcript/${name}.jsonl`))[0]?.payload.network;

beforeAll(async () => {
  machine.interfaces = () => LOOPBACK;
  table = await Table.open(THREE);
  run = await table.dkg({ quorum: '2-of(alice, bob, carol)', honest: THREE, network: 'off' });
  await run.settle();
  folder = await folderOf(run);
});
afterAll(() => {
  table.close();
});
beforeEach(() => {
  machine.interfaces = () => LOOPBACK;
});

describe('a plan for machines without network', () => {
  test('everybody attests, and the record says who', async () => {
    expect(run.plan.machine).toEqual({ network: 'off' });
    expect(THREE.map((n) => opened(n))).toEqual(['off', 'off', 'off']);
    const result = await verify(folder);
    expect([result.verdict, faults(result)]).toEqual(['ok', []]);
    expect(result.checks.find((c) => c.name === 'opening')?.text).toContain('without network, by the word of their own machines: alice, bob, carol');
  });
  test.each([['up', 'carol had one'], [undefined, 'carol does not say so']])('an attestation of %s is none (E_AIRGAP)', async (network, words) => {
    const path = 'transcript/carol.jsonl';
    const result = await verify(withFiles(folder, { [path]: rewritten(run, 'carol', bytesOf(folder, path), 1, (e) => (e.payload.kind === 'open' ? { network } : {})) }));
    expect(result.verdict).toBe('wrong');
    expect(faults(result)).toContain('wrong opening [carol] E_AIRGAP');
    expect(result.checks.find((c) => c.code === 'E_AIRGAP')?.text).toContain(words);
  });
  test('another word than off and up, or the word in another place, is no entry at all', () => {
    const [open, sent] = entriesOf(run, 'carol', bytesOf(folder, 'transcript/carol.jsonl')).map((e) => e.payload);
    expect(checkFields({ ...open, network: 'up' })).toBeDefined();
    for (const network of ['perhaps', '', true, null]) expect(checkFields({ ...open, network })).toBeUndefined();
    expect([sent?.kind, checkFields({ ...sent }) !== undefined, checkFields({ ...sent, network: 'off' })]).toEqual(['sent', true, undefined]);
  });
  test('nobody takes part, or goes on, with an interface up', async () => {
    table.restore('fresh');
    const other = await table.dkg({ quorum: '2-of(alice, bob, carol)', honest: THREE, network: 'off' });
    machine.interfaces = () => ({ ...LOOPBACK, ...UP });
    for (const name of ['bob', 'alice']) {
      await other.next(name);
      expect(other.error(name)).toMatchObject({ code: 'E_NETWORK_UP', facts: { field: 'machine.network' } });
    }
    expect(other.store('bob')).toBeUndefined();
  });
});

describe('a plan that does not ask', () => {
  test('goes on with a network, and the record says the truth about it', async () => {
    table.restore('fresh');
    machine.interfaces = () => UP;
    const connected = await table.dkg({ quorum: '2-of(alice, bob, carol)', honest: THREE });
    machine.interfaces = () => LOOPBACK;
    await connected.settle();
    const files = await folderOf(connected);
    const before = run;
    run = connected;
    expect(THREE.map((n) => opened(n, files))).toEqual(['up', 'off', 'off']);
    run = before;
    const result = await verify(files);
    expect([result.verdict, faults(result)]).toEqual(['ok', []]);
    expect(result.checks.find((c) => c.name === 'opening')?.text).toMatch(/by the word of their own machines: bob, carol$/);
  });
});
