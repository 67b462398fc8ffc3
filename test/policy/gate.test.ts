import { describe, expect, it } from 'vitest';
import { decide, type IntentMemory, type KeyFacts, refusal, requireDecision } from '../../src/policy/gate.ts';
import { type Intent, intentMessage, makeIntent, parseIntent } from '../../src/policy/intent.ts';
import { toHex, utf8 } from '../../src/wire/bytes.ts';
import { signerFromSeed } from '../../src/wire/ed25519.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { sha256 } from '../../src/wire/hash.ts';

const alice = signerFromSeed(new Uint8Array(32).fill(1));
const message = utf8('pay bob');
const NOW = new Date('2026-06-01T12:00:00Z');
const base: Intent = {
  v: 1,
  type: 'mpc-ceremony/intent',
  id: '01JD0000000000000000000000',
  mode: 'production',
  keyName: 'treasury',
  keyId: 'ab'.repeat(16),
  keyEpoch: 1,
  algorithm: 'frost-secp256k1',
  action: 'message',
  payload: { kind: 'message', size: message.length, sha256: toHex(sha256(message)), bytes: `0x${toHex(message)}` },
  initiator: { name: 'alice', identity: toHex(alice.publicKey) },
  created: '2026-06-01T11:00:00Z',
  expires: '2026-06-02T11:00:00Z',
  singleUse: true,
};
const key: KeyFacts = { name: 'treasury', id: base.keyId, epoch: 1, scheme: 'frost-secp256k1', mode: 'production', derivable: true, roster: new Map([['alice', toHex(alice.publicKey)]]) };
const signed = (over: Partial<Intent> = {}) => parseIntent(makeIntent({ ...base, ...over }, alice), 'x');
const codes = (over: Partial<Intent>, k: Partial<KeyFacts> = {}, memory: IntentMemory = 'new', now = NOW): string[] =>
  decide(signed(over), { ...key, ...k }, memory, now).reasons.map((r) => r.code);
const thrown = (f: () => unknown): string => {
  try {
    f();
    return 'nothing';
  } catch (e) {
    return e instanceof CeremonyError ? e.code : String(e);
  }
};

describe('the gate', () => {
  it('allows what is in order', () => {
    const d = decide(signed(), key, 'new', NOW);
    expect(d.allow).toBe(true);
    expect(requireDecision(d, signed().hash)).toBe(d);
  });
  it.each([
    ['another key', ['E_SCOPE'], {}, { id: 'cd'.repeat(16) }],
    ['another scheme', ['E_KEY_PURPOSE'], {}, { scheme: 'frost-p256' as const }],
    ['another epoch', ['E_EPOCH'], { keyEpoch: 2 }, {}],
    ['rehearsal against production', ['E_REHEARSAL'], { mode: 'rehearsal' as const }, {}],
    ['a path where there are none', ['E_PATH'], { path: 'm/0/1' }, { derivable: false }],
    ['a stranger as initiator', ['E_INITIATOR'], {}, { roster: new Map() }],
  ])('%s: refused', (_, expected, over, k) => {
    expect(codes(over, k as Partial<KeyFacts>)).toEqual(expected);
  });
  it('expired, from the future, or used before: refused', () => {
    expect(codes({}, {}, 'new', new Date('2026-06-02T11:00:00Z'))).toEqual(['E_INTENT_EXPIRED']);
    expect(codes({}, {}, 'new', new Date('2026-06-01T10:00:00Z'))).toEqual(['E_INTENT_EXPIRED']);
    expect(codes({}, {}, 'spent')).toEqual(['E_INTENT_SEEN']);
    expect(codes({}, {}, 'earlier-attempt')).toEqual([]);
  });
  it('GOV-47 every failing check is returned, and the refusal shows them all', () => {
    const d = decide(signed({ keyEpoch: 9, mode: 'rehearsal' }), { ...key, id: 'cd'.repeat(16) }, 'spent', NOW);
    expect(d.reasons.map((r) => r.code)).toEqual(['E_SCOPE', 'E_EPOCH', 'E_REHEARSAL', 'E_INTENT_SEEN']);
    expect(refusal(d, 'f').facts.details).toHaveLength(3);
  });
  it('GOV-09 a decision cannot be forged, transferred or absent', () => {
    const d = decide(signed(), key, 'new', NOW);
    const forged = { ...d };
    expect(thrown(() => requireDecision(undefined, signed().hash))).toBe('E_NO_DECISION');
    expect(thrown(() => requireDecision(forged, signed().hash))).toBe('E_NO_DECISION');
    expect(thrown(() => requireDecision(d, signed({ keyEpoch: 2 }).hash))).toBe('E_NO_DECISION');
    expect(thrown(() => requireDecision(decide(signed(), key, 'spent', NOW), signed().hash))).toBe('E_NO_DECISION');
  });
});

describe('the intent', () => {
  const bytes = makeIntent(base, alice);
  it('every flipped byte is refused', () => {
    for (let i = 0; i < bytes.length; i++) {
      const bad = bytes.slice();
      bad[i] = (bad[i] as number) ^ 1;
      expect(thrown(() => parseIntent(bad, 'x')), `byte ${String(i)}`).toMatch(/^E_/);
    }
  });
  it('unknown and missing fields, hardened paths and other actions are refused', () => {
    for (const over of [{ extra: 1 }, { singleUse: false }, { path: "m/0'" }, { path: 'm' }, { action: 'transfer' }, { id: 'x' }, { created: '2026-06-31T00:00:00Z' }])
      expect(thrown(() => makeIntent({ ...base, ...over } as unknown as Intent, alice)), JSON.stringify(over)).toBe('E_INTENT');
  });
  it('signed by somebody else than it says: refused', () => {
    expect(thrown(() => parseIntent(makeIntent(base, signerFromSeed(new Uint8Array(32).fill(2))), 'x'))).toBe('E_INITIATOR_SIG');
  });
  it('another message than the one named: refused', () => {
    const { bytes: _, ...payload } = base.payload;
    const away = signed({ payload }).intent;
    expect(thrown(() => intentMessage(away, undefined))).toBe('E_MISSING');
    expect(thrown(() => intentMessage(away, utf8('pay eve')))).toBe('E_INTENT_HASH');
    expect(intentMessage(away, message)).toEqual(message);
  });
});
