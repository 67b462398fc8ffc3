/**
 * A reader that knows ceremonies/transport.md and nothing of this project: SHA-2, HMAC, X25519, Ed25519 and deflate of Node, the
 * sealed box of libsodium. It finds the places of a finished ceremony in a relay, opens what lies there and unpacks it.
 */
import { createHash, createHmac, createPrivateKey, createPublicKey, diffieHellman, verify } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import sodium from 'libsodium-wrappers-sumo';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pushTo, Visited } from '../../src/ceremony/relay-route.ts';
import { planSession } from '../../src/plan/plan.ts';
import { relayKey, relayReady } from '../../src/relay/relay-key.ts';
import { sealPart } from '../../src/relay/seal-part.ts';
import { encodeParcel } from '../../src/transport/parcel.ts';
import { signerFromSeed } from '../../src/wire/ed25519.ts';
import { Counting } from '../support/carrying.ts';
import { Table } from '../support/harness.ts';
import type { Run } from '../support/run.ts';

type Item = Uint8Array | string | number | Item[];
const u32 = (n: number): Buffer => {
  const b = Buffer.alloc(4);
  b.writeUInt32BE(n);
  return b;
};
function E(item: Item): Buffer {
  if (Array.isArray(item)) return Buffer.concat([Buffer.of(4), u32(item.length), ...item.map(E)]);
  if (typeof item === 'number') return Buffer.concat([Buffer.of(3), u32(4), u32(item)]);
  const bytes = typeof item === 'string' ? Buffer.from(item, 'utf8') : Buffer.from(item);
  return Buffer.concat([Buffer.of(typeof item === 'string' ? 2 : 1), u32(bytes.length), bytes]);
}
const sha = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
const H = (tag: string, ...items: Item[]): Buffer => sha(E([`mpc-ceremony/${tag}`, ...items]));
const place = (...of: Parameters<typeof H>): string => H(...of).subarray(0, 16).toString('hex');

const secretKey = (raw: Uint8Array) => createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), raw]), format: 'der', type: 'pkcs8' });
const publicKey = (raw: Uint8Array, algorithm: '6e' | '70' = '6e') => createPublicKey({ key: Buffer.concat([Buffer.from(`302a300506032b65${algorithm}032100`, 'hex'), raw]), format: 'der', type: 'spki' });
const x25519 = (secret: Uint8Array, point: Uint8Array): Buffer => diffieHellman({ privateKey: secretKey(secret), publicKey: publicKey(point) });

/** Padmé, as written. */
function padme(L: number): number {
  const e = Math.floor(Math.log2(L));
  const step = 2 ** (e - (Math.floor(Math.log2(e)) + 1));
  return Math.ceil(L / step) * step;
}

/** Opens a part; everything is checked that the page says. */
function openPart(part: Uint8Array, reader: { publicKey: Uint8Array; secret: Uint8Array }): { header: Record<string, unknown>; payload: Buffer } {
  const inner = Buffer.from(sodium.crypto_box_seal_open(part, reader.publicKey, reader.secret));
  let at = 0;
  const lp = (): Buffer => {
    const length = inner.readUInt32BE(at);
    const bytes = inner.subarray(at + 4, at + 4 + length);
    at += 4 + length;
    return bytes;
  };
  const [headerBytes, signature, payload] = [lp(), lp(), lp()];
  expect(inner.length).toBe(padme(at));
  expect(inner.subarray(at).every((b) => b === 0)).toBe(true);
  const header = JSON.parse(headerBytes.toString()) as Record<string, unknown>;
  expect(Object.keys(header)).toEqual(['from', 'identity', 'label', 'sid', 'to', 'v']);
  expect(headerBytes.toString()).toBe(JSON.stringify(header));
  const signed = E(['mpc-ceremony/relay-part/v1', headerBytes, reader.publicKey, sha(payload)]);
  expect(verify(null, signed, publicKey(Buffer.from(String(header['identity']), 'hex'), '70'), signature)).toBe(true);
  return { header, payload };
}

/** Files of what was carried. */
function unpack(bytes: Buffer): Map<string, Buffer> {
  if (bytes[0] === 1) return new Map([[`round-${String(bytes[17])}/seat-${String(bytes[18])}.blob`, bytes]]);
  expect([bytes.subarray(0, 4).toString('latin1'), bytes[4]]).toEqual(['MPCP', 1]);
  const body = bytes[5] === 1 ? inflateRawSync(bytes.subarray(6)) : bytes.subarray(6);
  const files = new Map<string, Buffer>();
  for (let at = 0; at < body.length; ) {
    const name = body.subarray(at + 1, at + 1 + (body[at] ?? 0)).toString('latin1');
    at += 1 + name.length;
    const length = body.readUInt32BE(at);
    files.set(name, body.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return files;
}

const THREE = ['alice', 'bob', 'carol'];
let table: Table;
let run: Run;
const relay = new Counting();
beforeAll(async () => {
  await Promise.all([relayReady(), sodium.ready]);
  table = await Table.open(THREE);
  run = await table.dkg({ quorum: '2-of(alice, bob, carol)', honest: THREE });
  await run.settle();
  for (const name of THREE) await pushTo(relay, run.store(name) as never, run.folder(name), table.party(name).identity, new Visited());
});
afterAll(() => {
  table.close();
});

describe('by the page alone', () => {
  /** A pair of relay keys whose secrets the test knows. */
  const pair = (byte: number) => {
    const secret = new Uint8Array(32).fill(byte);
    return { secret, publicKey: new Uint8Array(x25519Base(secret)) };
  };
  const x25519Base = (secret: Uint8Array): Buffer => x25519(secret, Uint8Array.from([9, ...new Uint8Array(31)]));

  test('the boxes are where they should be, and nothing lies elsewhere', () => {
    const { sid } = planSession(run.plan);
    const { participants } = run.plan as { participants: { name: string; x25519: string }[] } & typeof run.plan;
    const { relay: lead } = table.party('alice').identity;
    const doors = participants.map((p) => place('relay-door', lead.shared(new Uint8Array(Buffer.from(p.x25519, 'hex'))), 'alice', p.name));
    const boxes = new Set([...relay.parts.keys()].map((k) => k.slice(0, 32)));
    expect(boxes).toEqual(new Set([place('relay-box', sid), ...doors.slice(1)]));
    // three messages and the end of everybody for two others, and two openings
    expect(relay.parts.size).toBe(3 * 2 * 4 + 2);
  });

  test('a part sealed by the program opens with libsodium, is signed as written, and the same bytes come again', () => {
    const [alice, bob] = [pair(7), pair(9)];
    const signer = signerFromSeed(new Uint8Array(32).fill(3));
    const files = [{ path: 'PLAN.yaml', bytes: Buffer.from('a: plan\n'.repeat(50)) }, { path: 'cards/bob.card', bytes: Buffer.from('x') }];
    const { sid } = planSession(run.plan);
    const shared = H('relay-shared/v1', x25519(bob.secret, alice.publicKey));
    expect(Buffer.from(relayKey(alice.secret).shared(bob.publicKey))).toEqual(shared);
    const seal = () => sealPart({ sid, from: 'alice', to: 'bob', label: 'opening', payload: encodeParcel(files), reader: bob.publicKey, signer, key: relayKey(alice.secret) });
    const part = seal();
    expect(seal()).toEqual(part);
    const { header, payload } = openPart(part, bob);
    expect(header).toEqual({ from: 'alice', identity: Buffer.from(signer.publicKey).toString('hex'), label: 'opening', sid: Buffer.from(sid).toString('hex'), to: 'bob', v: 1 });
    expect([...unpack(payload)].map(([path, bytes]) => [path, bytes.toString()])).toEqual(files.map((f) => [f.path, f.bytes.toString()]));
    // the ephemeral key, as written for senders
    const inner = Buffer.from(sodium.crypto_box_seal_open(part, bob.publicKey, bob.secret));
    const k = createHmac('sha512', alice.secret).update('mpc-ceremony/relay-ephemeral/v1').digest();
    const ephemeral = createHmac('sha512', k).update(E([bob.publicKey, sha(inner)])).digest().subarray(0, 32);
    expect(Buffer.from(part.subarray(0, 32))).toEqual(x25519Base(ephemeral));
  });

  test('the name of a place follows from the shared secret', () => {
    const { sid } = planSession(run.plan);
    const { identity } = table.party('alice');
    const bob = table.party('bob').identity.relay;
    const box = place('relay-box', sid);
    const shared = identity.relay.shared(bob.publicKey);
    for (const label of ['message-1', 'message-2', 'message-3', 'end']) expect([label, relay.parts.has(`${box}/${place('relay-place', shared, sid, 'alice', 'bob', label)}`)]).toEqual([label, true]);
    expect(relay.parts.has(`${box}/${place('relay-place', shared, sid, 'bob', 'alice', 'message-4')}`)).toBe(false);
    expect(relay.parts.has(`${place('relay-door', shared, 'alice', 'bob')}/${place('relay-place', shared, sid, 'alice', 'bob', 'opening')}`)).toBe(true);
  });

  test('a lone message travels as it is, and says its own place', () => {
    const blob = run.file('alice', 'round-2/bob.blob') as Uint8Array;
    expect(encodeParcel([{ path: 'round-2/bob.blob', bytes: blob }])).toEqual(blob);
    const { sid } = planSession(run.plan);
    expect(Buffer.from(blob).subarray(1, 17)).toEqual(Buffer.from(sid).subarray(0, 16));
    expect([...unpack(Buffer.from(blob)).keys()]).toEqual(['round-2/seat-2.blob']);
  });
});
