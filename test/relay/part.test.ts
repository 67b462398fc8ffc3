/** Parts: what lies in a relay opens for its reader alone, as what it was made for and by whom, or not at all. */
import sodium from 'libsodium-wrappers-sumo';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { openAtDoor, openPart } from '../../src/relay/open-part.ts';
import { padme } from '../../src/relay/padme.ts';
import { partSignedBytes } from '../../src/relay/part.ts';
import { boxOf, doorOf, placeName } from '../../src/relay/place.ts';
import { relayKey, SEAL_BYTES } from '../../src/relay/relay-key.ts';
import { MAX_PART_BYTES, MAX_PAYLOAD_BYTES, PLACE } from '../../src/relay/relay.ts';
import { sealPart } from '../../src/relay/seal-part.ts';
import { concat, fromHex, toHex, u32, utf8 } from '../../src/wire/bytes.ts';
import { canonicalBytes, type Json } from '../../src/wire/canon.ts';
import type { CeremonyError } from '../../src/wire/errors.ts';
import { digest } from '../../src/wire/hash.ts';
import { type Person, person, random, refusal } from './people.ts';

const alice = person('alice');
const bob = person('bob');
const carol = person('carol');
const sid = random(32);
const payload = random(20_000);

const sealed = (over: Partial<Parameters<typeof sealPart>[0]> = {}): Uint8Array =>
  sealPart({ sid, from: 'alice', to: 'bob', label: 'message-2', payload, reader: bob.key.publicKey, signer: alice.signer, key: alice.key, ...over });
const expected = { sid, from: 'alice', identity: alice.signer.publicKey, to: 'bob', label: 'message-2' };
const refused = (bytes: Uint8Array, over: Partial<typeof expected> = {}, key = bob.key): Promise<CeremonyError> => refusal(() => openPart(bytes, { ...expected, ...over }, key));

/** What a reader sees inside. */
const inside = (bytes: Uint8Array, reader: Person = bob): Uint8Array => sodium.crypto_box_seal_open(bytes, reader.key.publicKey, reader.secret);
/** Anybody's sealed box, as libsodium makes it. */
const boxTo = (reader: Person, inner: Uint8Array): Uint8Array => sodium.crypto_box_seal(inner, reader.key.publicKey);
const padded = (inner: Uint8Array): Uint8Array => concat(inner, new Uint8Array(padme(inner.length) - inner.length));
const lp = (bytes: Uint8Array): Uint8Array => concat(u32(bytes.length), bytes);
/** A part made by hand, signed by alice for a reader. */
function made(header: Json | Uint8Array, { body = payload, reader = bob, signedFor = reader }: { body?: Uint8Array; reader?: Person; signedFor?: Person } = {}): Uint8Array {
  const bytes = header instanceof Uint8Array ? header : canonicalBytes(header);
  return boxTo(reader, padded(concat(lp(bytes), lp(alice.signer.sign(partSignedBytes(bytes, signedFor.key.publicKey, body))), lp(body))));
}
const honest = { v: 1, sid: toHex(sid), from: 'alice', to: 'bob', label: 'message-2', identity: toHex(alice.signer.publicKey) };

beforeAll(() => sodium.ready);

describe('a part', () => {
  it('opens for its reader', () => {
    expect(openPart(sealed(), expected, bob.key)).toEqual(payload);
    expect(openPart(sealed({ payload: new Uint8Array(0) }), expected, bob.key)).toEqual(new Uint8Array(0));
  });
  it('is a sealed box of libsodium, in both directions', () => {
    const inner = inside(sealed());
    expect(inner.length).toBe(padme(inner.length));
    expect(toHex(inner)).toContain(toHex(payload));
    expect(openPart(made(honest), expected, bob.key)).toEqual(payload);
    expect(bob.key.unseal(boxTo(bob, payload))).toEqual(payload);
    expect(inside(alice.key.seal(bob.key.publicKey, payload))).toEqual(payload);
  });
  it('is the same bytes each time, and others for another payload, reader, label or sender', () => {
    const first = sealed();
    expect(sealed()).toEqual(first);
    const other = payload.slice();
    other[0] = (other[0] as number) ^ 1;
    const all = [first, sealed({ payload: other }), sealed({ reader: carol.key.publicKey, to: 'carol' }), sealed({ label: 'message-3' }), sealed({ key: carol.key })];
    // the ephemeral keys differ: no two messages ever share a key
    expect(new Set(all.map((p) => toHex(p.subarray(0, 32)))).size).toBe(all.length);
    // a key that was made anew after a crash is the same
    expect(sealed({ key: relayKey(alice.secret) })).toEqual(first);
  });
  it('shows nothing outside but its padded length', () => {
    const sizes = new Set([19_990, 20_000, 20_100].map((n) => sealed({ payload: payload.length >= n ? payload.slice(0, n) : random(n) }).length));
    expect(sizes.size).toBe(1);
    const text = Buffer.from(sealed()).toString('latin1');
    for (const name of ['alice', 'bob', 'message']) expect(text).not.toContain(name);
    expect(toHex(sealed())).not.toContain(toHex(sid.subarray(0, 8)));
  });
  it('carries 24 MiB and no more', async () => {
    const large = new Uint8Array(MAX_PAYLOAD_BYTES);
    const part = sealed({ payload: large });
    expect(part.length).toBeLessThanOrEqual(MAX_PART_BYTES);
    expect(openPart(part, expected, bob.key).length).toBe(MAX_PAYLOAD_BYTES);
    expect((await refusal(() => sealed({ payload: new Uint8Array(MAX_PAYLOAD_BYTES + 1) }))).code).toBe('E_TOO_LARGE');
    expect((await refused(new Uint8Array(MAX_PART_BYTES + 1))).facts.field).toBe('length');
  });
});

describe('whoever fills places', () => {
  const cases: [string, string, () => Promise<CeremonyError>][] = [
    ['gives bob’s part to carol', 'box', () => refused(sealed(), { to: 'carol' }, carol.key)],
    ['as bob, seals what alice signed again to carol (surreptitious forwarding)', 'signature', () => refused(boxTo(carol, inside(sealed())), { to: 'carol' }, carol.key)],
    ['as bob, does so with a header that names carol', 'signature', () => {
      const inner = inside(sealed());
      const header = canonicalBytes({ ...honest, to: 'carol' });
      const rest = inner.subarray(4 + canonicalBytes(honest).length);
      const length = 4 + header.length + 4 + 64 + 4 + payload.length;
      return refused(boxTo(carol, padded(concat(lp(header), rest).subarray(0, length))), { to: 'carol' }, carol.key);
    }],
    ['swaps two messages of one sender', 'label', () => refused(sealed({ label: 'message-3' }))],
    ['swaps the messages of two senders', 'from', () => refused(sealed({ from: 'carol', signer: carol.signer, key: carol.key }))],
    ['brings a part of another ceremony', 'sid', () => refused(sealed({ sid: random(32) }))],
    ['brings a part of another attempt, whose plan differs in one bit', 'sid', () => refused(sealed({ sid: sid.map((b, i) => (i === 31 ? b ^ 1 : b)) }))],
    ['has a part that names bob sealed to bob, but for somebody else', 'to', () => refused(sealed({ to: 'carol' }))],
    ['signs as alice with a key of its own', 'identity', () => refused(sealed({ signer: carol.signer }))],
    ['signs with its own key and names alice’s', 'signature', () => {
      const header = canonicalBytes(honest);
      return refused(boxTo(bob, padded(concat(lp(header), lp(carol.signer.sign(partSignedBytes(header, bob.key.publicKey, payload))), lp(payload)))));
    }],
    ['exchanges the payload under alice’s signature', 'signature', () => {
      const inner = inside(sealed()).slice();
      const at = 4 + canonicalBytes(honest).length + 4 + 64 + 4;
      inner[at] = (inner[at] as number) ^ 1;
      return refused(boxTo(bob, inner));
    }],
    ['takes the signature of a blob or card for one of a part', 'signature', () => {
      const header = canonicalBytes(honest);
      return refused(boxTo(bob, padded(concat(lp(header), lp(alice.signer.sign(header)), lp(payload)))));
    }],
    ['leaves the signature out', 'signature', () => {
      const header = canonicalBytes(honest);
      return refused(boxTo(bob, padded(concat(lp(header), lp(new Uint8Array(0)), lp(payload)))));
    }],
    ['pads with something else than zeros', 'padding', () => {
      const inner = inside(sealed()).slice();
      inner[inner.length - 1] = 1;
      return refused(boxTo(bob, inner));
    }],
    ['pads too little', 'padding', () => refused(boxTo(bob, inside(sealed()).slice(0, -1)))],
    ['pads too much', 'padding', () => refused(boxTo(bob, concat(inside(sealed()), new Uint8Array(1))))],
    ['pads to the next step', 'padding', () => {
      const inner = inside(sealed());
      return refused(boxTo(bob, concat(inner, new Uint8Array(padme(inner.length + 1) - inner.length))));
    }],
    ['lies about the length of the header', 'header', () => lie(0, 513)],
    ['claims a header of 4 GiB', 'header', () => lie(0, 0xffffffff)],
    ['lies about the length of the signature', 'signature', () => lie(4 + canonicalBytes(honest).length, 65)],
    ['claims a payload that is longer than what there is', 'payload', () => lie(4 + canonicalBytes(honest).length + 68, payload.length + 100_000)],
    ['claims a payload of 4 GiB', 'payload', () => lie(4 + canonicalBytes(honest).length + 68, 0xffffffff)],
    ['claims a shorter payload, so that its end counts as padding', 'padding', () => lie(4 + canonicalBytes(honest).length + 68, payload.length - 1)],
    ['puts an empty message there', 'header', () => refused(boxTo(bob, new Uint8Array(0)))],
  ];
  function lie(at: number, value: number): Promise<CeremonyError> {
    const inner = inside(sealed()).slice();
    inner.set(u32(value), at);
    return refused(boxTo(bob, inner));
  }
  it.each(cases)('%s: refused by %s', async (_, field, attack) => {
    const error = await attack();
    expect([error.code, error.facts.field, error.facts.participant]).toEqual(['E_RELAY_PART', field, 'alice']);
    expect(error.facts.remedy).toBeDefined();
  });

  it.each([
    ['spaces', utf8(JSON.stringify({ ...honest }, undefined, 1))],
    ['keys in another order', utf8(`{"v":1,${JSON.stringify({ ...honest, v: undefined }).slice(1)}`)],
    ['a key twice', utf8(Buffer.from(canonicalBytes(honest)).toString().replace('"to":"bob"', '"to":"bob","to":"bob"'))],
    ['no JSON', utf8('alice')],
    ['bytes that are no UTF-8', Uint8Array.of(0xff, 0xfe)],
    ['a further field', canonicalBytes({ ...honest, x: 1 })],
    ['a missing field', canonicalBytes(Object.fromEntries(Object.entries(honest).filter(([k]) => k !== 'to')))],
    ['another version', canonicalBytes({ ...honest, v: 2 })],
    ['a name that is none', canonicalBytes({ ...honest, from: '../alice' })],
    ['a label that is none', canonicalBytes({ ...honest, label: 'Message 2' })],
    ['an identity in upper case', canonicalBytes({ ...honest, identity: honest.identity.toUpperCase() })],
    ['a list', canonicalBytes([honest])],
  ])('as alice, signs a header with %s: refused', async (_, header) => {
    expect((await refused(made(header))).code).toBe('E_RELAY_PART');
  });
  it('as alice, signs with a key of small order: refused', async () => {
    // with the identity element as key, R = sB and any s verify for every message
    const small = `01${'00'.repeat(31)}`;
    const header = canonicalBytes({ ...honest, identity: small });
    const forged = concat(Uint8Array.of(1), new Uint8Array(63));
    expect((await refused(boxTo(bob, padded(concat(lp(header), lp(forged), lp(payload)))), { identity: fromHex(small) })).facts.field).toBe('signature');
  });

  it('flips any bit, cuts anywhere, appends: refused', async () => {
    const part = sealed({ payload: utf8('short') });
    for (let bit = 0; bit < 8 * part.length; bit++) {
      const bad = part.slice();
      bad[bit >> 3] = (bad[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(bob.key.unseal(bad)).toBeUndefined();
    }
    for (let length = 0; length < part.length; length++) expect((await refused(part.slice(0, length))).facts.field).toBe('box');
    expect((await refused(concat(part, Uint8Array.of(0)))).facts.field).toBe('box');
  });
  it('fills a place with anything: refused without another kind of error', async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => (await refused(bytes)).code === 'E_RELAY_PART'), { numRuns: 200 });
    // the same inside a box that opens
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => (await refused(boxTo(bob, bytes))).code === 'E_RELAY_PART'), { numRuns: 200 });
  });
  it('learns nothing of the inside from a refusal', async () => {
    const error = await refused(made({ ...honest, label: 'geheim' }));
    expect(JSON.stringify([error.message, error.facts])).not.toContain('geheim');
  });
});

describe('an opening at the door', () => {
  const opening = (over: Partial<Parameters<typeof sealPart>[0]> = {}): Uint8Array => sealed({ label: 'opening', ...over });
  it('tells who signed it for this reader', () => {
    expect(openAtDoor(opening(), 'bob', bob.key)).toEqual({ sid, from: 'alice', identity: alice.signer.publicKey, payload });
  });
  it('of a stranger shows the stranger’s key, whatever name it gives itself', () => {
    expect(openAtDoor(opening({ signer: carol.signer }), 'bob', bob.key).identity).toEqual(carol.signer.publicKey);
  });
  it.each([
    ['a message of a ceremony', 'label', () => sealed()],
    ['an opening for another name', 'to', () => opening({ to: 'carol' })],
    ['an opening for carol that bob sealed again', 'box', () => opening({ reader: carol.key.publicKey })],
    ['an opening that carol got and sealed to bob', 'signature', () => boxTo(bob, inside(opening({ reader: carol.key.publicKey }), carol))],
    ['noise', 'box', () => random(500)],
  ])('%s is refused by %s', async (_, field, bytes) => {
    const error = await refusal(() => openAtDoor(bytes(), 'bob', bob.key));
    expect([error.code, error.facts.field]).toEqual(['E_RELAY_PART', field]);
  });
});

describe('places', () => {
  const at = { sid, from: 'alice', to: 'bob', label: 'message-2' };
  it('are found by both, and by nobody else', () => {
    const name = placeName(alice.key.shared(bob.key.publicKey), at);
    expect(name).toMatch(PLACE);
    expect(placeName(bob.key.shared(alice.key.publicKey), at)).toBe(name);
    expect(placeName(carol.key.shared(bob.key.publicKey), at)).not.toBe(name);
    expect(placeName(carol.key.shared(alice.key.publicKey), at)).not.toBe(name);
  });
  it('differ in ceremony, direction and label; boxes in ceremony, doors in lead and reader', () => {
    const shared = alice.key.shared(bob.key.publicKey);
    const names = [at, { ...at, sid: random(32) }, { ...at, from: 'bob', to: 'alice' }, { ...at, label: 'message-3' }, { ...at, label: 'message' }].map((p) => placeName(shared, p));
    const boxes = [boxOf(sid), boxOf(random(32)), doorOf(shared, 'alice', 'bob'), doorOf(shared, 'bob', 'alice'), doorOf(alice.key.shared(carol.key.publicKey), 'alice', 'bob')];
    expect(new Set([...names, ...boxes]).size).toBe(names.length + boxes.length);
    for (const box of boxes) expect(box).toMatch(PLACE);
  });
  it('need whole digests, keys and labels', async () => {
    for (const work of [() => boxOf(random(16)), () => doorOf(random(31), 'alice', 'bob'), () => placeName(random(31), at), () => placeName(random(32), { ...at, sid: random(31) }), () => placeName(random(32), { ...at, label: 'a b' })])
      expect((await refusal(work)).code).toBe('E_INTERNAL');
  });
});

describe('relay keys', () => {
  it('agree as libsodium’s X25519 does', () => {
    for (const { secret, key } of [alice, bob]) expect(key.publicKey).toEqual(sodium.crypto_scalarmult_base(secret));
    const raw = sodium.crypto_scalarmult(alice.secret, bob.key.publicKey);
    expect(alice.key.shared(bob.key.publicKey)).toEqual(digest('relay-shared/v1', raw));
    expect(bob.key.shared(alice.key.publicKey)).toEqual(digest('relay-shared/v1', raw));
  });
  const small = ['00'.repeat(32), `01${'00'.repeat(31)}`, `ec${'ff'.repeat(30)}7f`, 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800', '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'];
  const second = [`ed${'ff'.repeat(30)}7f`, `ee${'ff'.repeat(30)}7f`, 'ff'.repeat(32), `${'00'.repeat(31)}80`];
  it.each([...small, ...second])('a peer whose key is %s is refused', async (hex) => {
    expect((await refusal(() => alice.key.shared(fromHex(hex)))).code).toBe('E_POINT');
    expect((await refusal(() => alice.key.seal(fromHex(hex), payload))).code).toBe('E_POINT');
    expect((await refusal(() => sealed({ reader: fromHex(hex) }))).code).toBe('E_POINT');
  });
  it('a box with an ephemeral key of small order does not open, whatever it is sealed with', () => {
    for (const hex of small) {
      const ephemeral = fromHex(hex);
      const key = sodium.crypto_core_hsalsa20(new Uint8Array(16), new Uint8Array(32), null);
      const nonce = sodium.crypto_generichash(24, concat(ephemeral, bob.key.publicKey), null);
      expect(bob.key.unseal(concat(ephemeral, sodium.crypto_secretbox_easy(payload, nonce, key)))).toBeUndefined();
    }
  });
  it('have 32 bytes, and peers too', async () => {
    expect((await refusal(() => relayKey(random(31)))).code).toBe('E_INTERNAL');
    expect((await refusal(() => alice.key.shared(random(33)))).code).toBe('E_POINT');
    expect(bob.key.unseal(random(SEAL_BYTES - 1))).toBeUndefined();
  });
});

describe('Padmé', () => {
  it('gives the lengths of the paper', () => {
    // E = ⌊log2 L⌋, S = ⌊log2 E⌋ + 1, the last E − S bits are zero
    const plain = (L: number): number => {
      const E = Math.floor(Math.log2(L));
      const S = Math.floor(Math.log2(E)) + 1;
      const mask = 2 ** (E - S) - 1;
      return L + ((mask + 1 - (L % (mask + 1))) % (mask + 1));
    };
    for (let n = 2; n < 70_000; n++) if (padme(n) !== plain(n)) expect([n, padme(n)]).toEqual([n, plain(n)]);
    expect([0, 1, 2, 9, 20_200, 150_200].map(padme)).toEqual([0, 1, 2, 10, 20_480, 151_552]);
  });
  it('never shortens, is stable, and costs what its comment says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 30 - 2 ** 25 }), (n) => {
        const p = padme(n);
        const cost = n === 0 ? 0 : p / n - 1;
        return p >= n && padme(p) === p && cost < (n >= 65_536 ? 0.032 : n >= 256 ? 0.0625 : 0.125);
      }),
    );
  });
  it('refuses what is no length', async () => {
    for (const n of [-1, 0.5, NaN, 2 ** 31]) expect((await refusal(() => padme(n))).code).toBe('E_INTERNAL');
  });
});
