import { ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js';
import { describe, expect, test } from 'vitest';
import { group, hashToScalar, type Point } from '../../src/curves/group.ts';
import { batchWeights } from '../../src/sharing/batch.ts';
import { decodeDleqProof, dleqChallenge, dleqHolds, type DleqStatement } from '../../src/sharing/dleq.ts';
import { proveDleq, proveSchnorr } from '../../src/sharing/prove.ts';
import { decodeSchnorrProof, failingSchnorr, schnorrChallenge } from '../../src/sharing/schnorr-proof.ts';
import { FIRST_BASE, secondBase } from '../../src/sharing/sealing-group.ts';
import { concat, toHex } from '../../src/wire/bytes.ts';
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
    expect(new Set(seen).size).toBe(seen.length);
    const statement: DleqStatement = { P1: bytes(2), B2: bytes(3), P2: bytes(4) };
    const dleq = [
      dleqChallenge(bytes(5), statement, bytes(6)),
      dleqChallenge(bytes(9), statement, bytes(6)),
      dleqChallenge(bytes(5), statement, bytes(9)),
      ...(['P1', 'B2', 'P2'] as const).map((part) => dleqChallenge(bytes(5), { ...statement, [part]: bytes(9) }, bytes(6))),
    ];
    expect(new Set(dleq.map(toHex)).size).toBe(dleq.length);
  });

  test('weights differ among themselves, fit 128 bits, and change with every challenge and response', () => {
    const g = group('ed25519');
    const w = batchWeights(g, [1n, 2n], [3n, 4n]);
    expect(w.length).toBe(2);
    for (const other of [batchWeights(g, [1n, 5n], [3n, 4n]), batchWeights(g, [1n, 2n], [3n, 5n])])
      expect(other.some((x) => w.includes(x))).toBe(false);
    expect(new Set(w).size).toBe(2);
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
  // the group of sealing by another library than the code under test
  const s = group('ristretto255');
  const random = seeded('dleq');
  const bases = [FIRST_BASE, secondBase()].map((b) => s.decodePoint(b)) as [Point, Point];
  const statementOf = (e: bigint, e2: bigint): DleqStatement => ({
    P1: s.encodePoint(s.multiply(bases[0], e)),
    B2: secondBase(),
    P2: s.encodePoint(s.multiply(bases[1], e2)),
  });
  const holds = (e: bigint, e2: bigint, witness: bigint): boolean => {
    const statement = statementOf(e, e2);
    return dleqHolds(bytes(7), statement, decodeDleqProof(proveDleq(bytes(7), s.encodeScalar(witness), statement, random), 'E_SEALING'));
  };
  test('hold for equal logarithms and no others', () => {
    for (const e of [1n, 3n, s.order - 1n]) expect(holds(e, e, e)).toBe(true);
    expect([holds(3n, 4n, 3n), holds(4n, 3n, 3n), holds(6n, 6n, 7n), holds(6n, 6n, 0n)]).toEqual([false, false, false, false]);
  });
  test('are what the equations say, computed by another library', () => {
    for (let i = 0; i < 16; i++) {
      const e = s.randomScalar(random);
      const statement = statementOf(e, e);
      const raw = proveDleq(bytes(i), s.encodeScalar(e), statement, random);
      const { A1, A2, z } = decodeDleqProof(raw, 'E_SEALING');
      const c = hashToScalar(s, 'dleq-challenge/v1', bytes(i), [FIRST_BASE, statement.B2, statement.P1, statement.P2], raw.slice(0, 64));
      const response = s.decodeScalar(z);
      for (const [base, A, P] of [[bases[0], A1, statement.P1], [bases[1], A2, statement.P2]] as const)
        expect(s.multiply(base, response).equals(s.decodePoint(A).add(s.multiply(s.decodePoint(P), c)))).toBe(true);
    }
  });
  test('errors that cancel between the two equations, and a part of another proof, are found', () => {
    const statement = statementOf(3n, 3n);
    const proof = decodeDleqProof(proveDleq(bytes(7), s.encodeScalar(3n), statement, random), 'E_SEALING');
    const other = decodeDleqProof(proveDleq(bytes(7), s.encodeScalar(3n), statement, random), 'E_SEALING');
    expect(dleqHolds(bytes(7), statement, proof)).toBe(true);
    const D = s.multiply(s.base, 9n);
    const up = (A: Uint8Array): Uint8Array => s.encodePoint(s.decodePoint(A).add(D));
    const down = (A: Uint8Array): Uint8Array => s.encodePoint(s.decodePoint(A).subtract(D));
    const spoiled = [
      { ...proof, A1: up(proof.A1), A2: down(proof.A2) },
      { ...proof, A1: up(proof.A1) },
      { ...proof, A2: down(proof.A2) },
      { ...proof, A1: proof.A2, A2: proof.A1 },
      ...(['A1', 'A2', 'z'] as const).map((part) => ({ ...proof, [part]: other[part] })),
      { ...proof, z: s.encodeScalar(0n) },
    ];
    for (const bad of spoiled) expect(dleqHolds(bytes(7), statement, bad)).toBe(false);
    expect(dleqHolds(bytes(8), statement, proof)).toBe(false);
  });
  test('are read at exact length', () => {
    const raw = proveDleq(bytes(7), s.encodeScalar(3n), statementOf(3n, 3n), random);
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
