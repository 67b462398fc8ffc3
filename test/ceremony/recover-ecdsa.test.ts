/** A restored share of an ECDSA key: no primes come back with it, and the reshare makes new ones. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { expect, test } from 'vitest';
import { epochPrimesPath, requireKey } from '../../src/ceremony/key-store.ts';
import { recoverOwn } from '../../src/ceremony/recover.ts';
import { Table } from '../support/harness.ts';
import { backUp, expectRestored, shareIn } from '../support/recovering.ts';
import { reshare } from '../support/redealer.ts';
import { LONG as ALL_TESTS } from '../support/long.ts';

test.runIf(ALL_TESTS)('ECDSA: restored in a new home, dealt on, and the key signs again under the same public key', async () => {
  const table = await Table.open(['alice', 'bob', 'alice2']);
  try {
    await (await table.dkg({ scheme: 'cggmp24-secp256k1', quorum: '2-of(alice, bob)', honest: ['alice', 'bob'] })).settle();
    const share = shareIn(table, 'alice');
    const { publicKey } = requireKey(table.party('bob').home, 'treasury').epoch;
    const identity = await generateX25519Identity();
    const bk = await backUp(table, 'alice', 'alice', { to: [await identityToRecipient(identity)] });
    rmSync(table.party('alice').home.root, { recursive: true, force: true });
    table.parties.delete('alice');
    const { home, port } = table.party('alice2');
    await recoverOwn(home, { from: { kind: 'backup', file: join(bk, 'alice-treasury-epoch-1.backup') }, identities: [identity], forensic: false, unattended: true }, port);
    expectRestored(table, 'alice2', share);
    expect(home.disk.exists(join(home.root, epochPrimesPath('treasury', 1)))).toBe(false);
    const honest = ['alice2', 'bob'];
    const run = await reshare(table, { honest }, { quorum: '2-of(alice2, bob)', dealers: [['alice', 'alice2'], ['bob', 'bob']] });
    await run.settle();
    expect(honest.map((n) => run.code(n))).toEqual(['DONE', 'DONE']);
    expect(requireKey(home, 'treasury').epoch.publicKey).toBe(publicKey);
    const signed = await table.sign({ honest, live: true });
    await signed.settle();
    expect(honest.map((n) => signed.code(n))).toEqual(['DONE', 'DONE']);
  } finally {
    table.close();
  }
}, 300_000);
