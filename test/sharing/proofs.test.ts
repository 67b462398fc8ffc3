import { ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js';
import { describe, expect, test } from 'vitest';
import { group } from '../../src/curves/group.ts';
import { batchWeights } from '../../src/sharing/batch.ts';
import { decodeDleqProof, dleqChallenge, failingDleq, type DleqStatement } from '../../src/sharing/dleq.ts';
import { proveDleq, proveSchnorr } from '../../src/sharing/prove.ts';
import { decodeSchnorrProof, failingSchnorr, schnorrChallenge } from '../../src/sharing/schnorr-proof.ts';
import { secondBase, sealingGroup } from '../../src/sharing/sealing-group.ts';
import { concat } from '../../src/wire/bytes.ts';
import { codeOf, GROUPS, seeded } from './support.ts';

const bytes = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);

describe('challenges', () => {
  test('cover the context, the statement and the first message', () => {
    const g = group('p256');
    const seen = [
      schnorrChallenge(g, bytes(1), bytes(2), bytes(3)),
      schnorrChallenge(g, bytes(9), bytes(2), bytes(3)),
      schnorrChallenge(g, bytes(1), bytes(9), bytes(3)),
      schnorrChallenge(g, bytes(1), bytes(2), bytes(9)),
    ];
    const statement = [bytes(1), bytes(2), bytes(3), bytes(4)] as const;
    const vary = (i: number): DleqStatement => [0, 1, 2, 3].map((j) => (i === j ? bytes(9) : statement[j])) as unknown as DleqStatement;
    seen.push(dleqChallenge(bytes(5), statement, bytes(6)), dleqChallenge(bytes(9), statement, bytes(6)), dleqChallenge(bytes(5), statement, bytes(9)));
    for (const i of [0, 1, 2, 3]) seen.push(dleqChallenge(bytes(5), vary(i), bytes(6)));
    expect(new Set(seen).size).toBe(seen.length);
  });

  test('weights differ among themselves, fit 128 bits, and change with every challenge and response', () => {
    const g = group('ed25519');
    const w = batchWeights(g, [1n, 2n], [3n, 4n], 2);
    expect(w.length).toBe(4);
    for (const other of [batchWeights(g, [1n, 5n], [3n, 4n], 2), batchWeights(g, [1n, 2n], [3n, 5n], 2)])
      expect(other.some((x) => w.includes(x))).toBe(false);
    expect(new Set(w).size).toBe(4);
    expect(w.every((x) => x < 2n ** 128n)).toBe(true);
  });
});

describe.each(GROUPS)('Schnorr proofs in %s', (name) => {
  const g = group(name);
  const random = seeded(name);
  const claims = Array.from({ length: 6 }, (_, i) => {
    const x = g.randomScalar(random);
    const statement = g.multiply(g.base, x);
    const statementBytes = g.encodePoint(statement);
    const proof = decodeSchnorrProof(g, proveSchnorr(g, bytes(i), x, statementBytes, random));
    return { context: bytes(i), statement, statementBytes, proof };
  });

  test('hold together and alone; of several, exactly the false are named', () => {
    expect(failingSchnorr(g, [])).toEqual([]);
    expect(failingSchnorr(g, claims)).toEqual([]);
    const spoil = (i: number) => {
      const claim = claims[i] as (typeof claims)[0];
      return { ...claim, proof: { ...claim.proof, response: (claim.proof.response + 1n) % g.order } };
    };
    for (let i = 0; i < claims.length; i++) expect(failingSchnorr(g, claims.with(i, spoil(i)))).toEqual([i]);
    expect(failingSchnorr(g, claims.with(1, spoil(1)).with(4, spoil(4)))).toEqual([1, 4]);
    expect(failingSchnorr(g, claims.map((_, i) => spoil(i)))).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('are read at exact length', () => {
    const proof = proveSchnorr(g, bytes(0), 5n, bytes(1), random);
    expect(proof.length).toBe(g.pointBytes + g.scalarBytes);
    for (const bad of [proof.slice(0, -1), concat(proof, Uint8Array.of(0)), new Uint8Array(0)])
      expect(codeOf(() => decodeSchnorrProof(g, bad))).toBe('E_POP');
    expect(codeOf(() => decodeSchnorrProof(g, proof.fill(255)))).toBe('E_POINT');
  });

  test('no witness, no proof', () => {
    expect(codeOf(() => proveSchnorr(g, bytes(0), g.order, bytes(1), random))).toBe('E_INTERNAL');
  });
});

test('a small-order part in R is judged the same in every batch and alone', () => {
  const g = group('ed25519');
  const T = g.Point.fromHex(ED25519_TORSION_SUBGROUP[3] as string);
  for (let i = 0; i < 24; i++) {
    const random = seeded(`torsion ${String(i)}`);
    const [x, k] = [g.randomScalar(random), g.randomScalar(random)];
    const statement = g.multiply(g.base, x);
    const statementBytes = g.encodePoint(statement);
    const commitment = g.multiply(g.base, k).add(T);
    const commitmentBytes = commitment.toBytes();
    const c = schnorrChallenge(g, bytes(i), statementBytes, commitmentBytes);
    const proof = { commitment, commitmentBytes, response: (k + c * x) % g.order };
    const claim = { context: bytes(i), statement, statementBytes, proof };
    const honest = decodeSchnorrProof(g, proveSchnorr(g, bytes(i), x, statementBytes, random));
    expect(failingSchnorr(g, [claim])).toEqual([]);
    expect(failingSchnorr(g, [claim, { ...claim, proof: honest }])).toEqual([]);
    const broken = { ...honest, response: (honest.response + 1n) % g.order };
    expect(failingSchnorr(g, [claim, { ...claim, proof: broken }])).toEqual([1]);
  }
});

describe('proofs of equal logarithms', () => {
  const s = sealingGroup();
  const random = seeded('dleq');
  const bases = [s.base, secondBase()] as const;
  const claim = (e: bigint, e2: bigint, witness: bigint) => {
    const points = [s.multiply(bases[0], e), s.multiply(bases[1], e2)] as const;
    const statement = [...bases, ...points].map((p) => s.encodePoint(p)) as unknown as DleqStatement;
    const raw = proveDleq(bytes(7), witness, bases, statement, random);
    return { context: bytes(7), statement, points, proof: decodeDleqProof(raw, 'E_SEALING') };
  };
  test('hold for equal logarithms; a difference on either side is named', () => {
    const claims = [claim(3n, 3n, 3n), claim(3n, 4n, 3n), claim(5n, 5n, 5n), claim(4n, 3n, 3n), claim(6n, 6n, 7n)];
    expect(failingDleq(bases, [])).toEqual([]);
    expect(failingDleq(bases, [claim(3n, 3n, 3n), claim(8n, 8n, 8n)])).toEqual([]);
    expect(failingDleq(bases, claims)).toEqual([1, 3, 4]);
  });
  test('errors that cancel between the two equations or between two proofs are found', () => {
    const a = claim(3n, 3n, 3n);
    const D = s.multiply(s.base, 9n);
    const [A1, A2] = a.proof.commitments;
    const twisted = { ...a, proof: { ...a.proof, commitments: [A1.add(D), A2.subtract(D)] as const } };
    expect(failingDleq(bases, [twisted])).toEqual([0]);
    const up = { ...a, proof: { ...a.proof, commitments: [A1.add(D), A2] as const } };
    const down = { ...a, proof: { ...a.proof, commitments: [A1.subtract(D), A2] as const } };
    expect(failingDleq(bases, [up, down])).toEqual([0, 1]);
  });
  test('are read at exact length', () => {
    const raw = proveDleq(bytes(7), 3n, bases, claim(3n, 3n, 3n).statement, random);
    expect(raw.length).toBe(96);
    for (const bad of [raw.slice(0, -1), concat(raw, Uint8Array.of(0)), new Uint8Array(0)])
      expect(codeOf(() => decodeDleqProof(bad, 'E_SEALING'))).toBe('E_SEALING');
    for (const at of [0, 32]) {
      const bad = raw.slice();
      bad.fill(0, at, at + 32);
      expect(codeOf(() => decodeDleqProof(bad, 'E_SEALING'))).toBe('E_POINT');
    }
    expect(codeOf(() => decodeDleqProof(raw.slice().fill(255, 64), 'E_SEALING'))).toBe('E_SCALAR');
  });
});

test('a source that gives another number of bytes is refused', () => {
  const g = group('p256');
  expect(codeOf(() => proveSchnorr(g, bytes(0), 5n, bytes(1), (n) => new Uint8Array(n + 1)))).toBe('E_RNG');
});
