/** What passes between the program and OpenSSL: runtimes that refuse or answer badly, what is left behind, when objects are made. */
import * as crypto from 'node:crypto';
import type { DiffieHellman } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { modPowReference } from '../../src/arith/reference.ts';
import { casesOf, expected, moduliOf, noise, outcome, plainPower, primeOf } from './powers.ts';

/** Stands between: makes the object, or changes what it answers. */
interface Between {
  readonly open?: () => void;
  readonly answer?: (bytes: Buffer) => Buffer;
}

/** Fresh modules on a runtime of that kind; `opened` are the objects made so far, with the moduli and the bytes of their exponents; `count` the powers asked of each. */
async function runtime(between: Between = {}) {
  vi.resetModules();
  const opened: { modulus: bigint; dh: DiffieHellman; exponents: number[] }[] = [];
  const count = { openssl: 0, refused: 0, reference: 0 };
  vi.doMock('../../src/arith/reference.ts', () => ({
    modPowReference: (...args: Parameters<typeof modPowReference>) => {
      count.reference++;
      return modPowReference(...args);
    },
  }));
  vi.doMock('node:crypto', () => ({
    ...crypto,
    createDiffieHellman: (prime: Uint8Array, generator: number) => {
      between.open?.();
      const dh = crypto.createDiffieHellman(prime, generator);
      const exponents: number[] = [];
      opened.push({ modulus: BigInt(`0x${Buffer.from(prime).toString('hex')}`), dh, exponents });
      return {
        setPrivateKey: (key: Uint8Array) => {
          exponents.push(key.length);
          return dh.setPrivateKey(key);
        },
        computeSecret: (key: Uint8Array) => {
          count.openssl++;
          count.refused++;
          const out = dh.computeSecret(key);
          if (out.some((b) => b !== 0)) count.refused--;
          return between.answer ? between.answer(out) : out;
        },
      };
    },
  }));
  return { opened, count, ...(await import('../../src/arith/modexp.ts')), ...(await import('../../src/arith/modulus.ts')), ...(await import('../../src/arith/owner.ts')) };
}

afterEach(() => {
  vi.doUnmock('node:crypto');
  vi.doUnmock('../../src/arith/reference.ts');
  vi.resetModules();
});

const m = primeOf(300, 'a') * primeOf(330, 'b');
const base = noise(600, 'base');
const exponent = noise(700, 'exponent');

describe('where OpenSSL does not compute powers the reference takes over', () => {
  it.each<[string, Between]>([
    ['no Diffie-Hellman', { open: () => { throw new Error('unsupported'); } }],
    ['every result refused', { answer: () => { throw new Error('unsupported'); } }],
    ['empty results', { answer: () => Buffer.alloc(0) }],
    ['all-zero results', { answer: (b) => Buffer.alloc(b.length) }],
    ['results without leading zeros', { answer: (b) => b.subarray(1) }],
    ['results that are wrong', { answer: (b) => Buffer.concat([b.subarray(0, -1), Uint8Array.of((b.at(-1) as number) ^ 4)]) }],
  ])('%s', async (_, between) => {
    const r = await runtime(between);
    expect(r.usesOpenssl()).toBe(false);
    expect(r.modPow(base, exponent, m)).toBe(plainPower(base, exponent, m));
    expect(r.exactPower(m)(base, exponent)).toBe(plainPower(base, exponent, m));
    expect(r.exactPower(m)(base, 0n)).toBe(1n);
    expect(() => r.modPow(base, exponent, m + 1n)).toThrow('a modulus must be odd');
  });
  it('it does here', async () => {
    const r = await runtime();
    expect(r.usesOpenssl()).toBe(true);
    expect(r.opened.length).toBe(1);
    expect(r.usesOpenssl()).toBe(true);
    expect(r.opened.length).toBe(1);
  });
  it.each<[string, (b: Buffer) => Buffer]>([
    ['refused', () => { throw new Error('late'); }],
    ['empty', () => Buffer.alloc(0)],
    ['all-zero', (b) => Buffer.alloc(b.length)],
    ['short', (b) => b.subarray(1)],
  ])('a single result that is %s after a good start', async (_, answer) => {
    let bad = false;
    const r = await runtime({ answer: (b) => (bad ? answer(b) : b) });
    expect(r.usesOpenssl()).toBe(true);
    const exact = r.exactPower(m);
    bad = true;
    expect(r.modPow(base, exponent, m)).toBe(plainPower(base, exponent, m));
    expect(exact(base, exponent)).toBe(plainPower(base, exponent, m));
  });
});

describe('secrets in the objects', () => {
  it('the exponent is overwritten, also after a refusal', async () => {
    const r = await runtime();
    r.modPow(base, exponent, m);
    const exact = r.exactPower(m);
    exact(base, exponent);
    const p = primeOf(512, 'p');
    r.exactPower(p)(base, p - 1n); // a result of 1
    expect(r.opened.length).toBe(4);
    for (const { dh } of r.opened) expect(dh.getPrivateKey('hex')).toBe('01');
  });
});

describe('the exact mode', () => {
  it.each(moduliOf(512).map((m) => [m.name, m] as const))('needs the reference only where this power and the one before are 0, modulo %s', async (_, modulus) => {
    const r = await runtime();
    const exact = r.exactPower(modulus.m);
    let refused = 0;
    for (const c of casesOf(modulus)) {
      Object.assign(r.count, { openssl: 0, refused: 0, reference: 0 });
      const result = outcome(() => exact(c.base, c.exponent));
      const b = ((c.base % modulus.m) + modulus.m) % modulus.m;
      const never = c.exponent === 0n || b <= 1n || b === modulus.m - 1n || typeof result === 'string';
      const twice = [0n, 1n, modulus.m - 1n].includes(result as bigint);
      expect([c.name, r.count.openssl, r.count.reference]).toEqual([c.name, never ? 0 : twice ? 2 : 1, !never && twice && plainPower(b, c.exponent - 1n, modulus.m) === 0n ? 1 : 0]);
      if (!never && twice) refused++;
    }
    if (modulus.factors.length > 0) expect(refused).toBeGreaterThan(0);
  });
});

it('a prime of RFC 3526 is a modulus like any other, for bases outside its subgroup too', async () => {
  const r = await runtime();
  const m = BigInt(`0x${crypto.getDiffieHellman('modp14').getPrime('hex')}`);
  const exact = r.exactPower(m);
  Object.assign(r.count, { openssl: 0, reference: 0 });
  for (const b of [4n, m - 4n]) expect(exact(b, 65537n)).toBe(plainPower(b, 65537n, m));
  expect(r.count).toEqual({ openssl: 2, refused: 0, reference: 0 });
});

describe('padding', () => {
  it.each(moduliOf(512).map((m) => [m.name, m] as const))('has no other path for bases and results of 0, 1 and -1, modulo %s', async (_, modulus) => {
    const r = await runtime();
    r.usesOpenssl();
    Object.assign(r.count, { openssl: 0, reference: 0 });
    const cases = casesOf(modulus).filter((c) => c.exponent > 0n);
    let special = 0;
    for (const c of cases) {
      const result = outcome(() => r.modPow(c.base, c.exponent, modulus.m));
      if (result === 0n || result === 1n || result === modulus.m - 1n) special++;
    }
    expect(special).toBeGreaterThan(20);
    expect(r.count).toEqual({ openssl: cases.length, refused: 0, reference: 0 });
  });
  it('works modulo a multiple of the modulus and of 3 that fills whole blocks', async () => {
    const r = await runtime();
    r.usesOpenssl();
    for (const bits of [512, 513, 1007, 1008, 1009, 1023, 1024, 1536, 3071, 3072]) {
      const n = noise(bits, 'modulus') | 1n;
      r.modPow(base, 65537n, n);
      const { modulus } = r.opened.at(-1) as { modulus: bigint };
      expect([bits, modulus % n, modulus % 3n, modulus % 2n]).toEqual([bits, 0n, 0n, 1n]);
      const words = Math.ceil(modulus.toString(2).length / 64);
      expect([bits, words % 8, words * 64]).toEqual([bits, 0, r.paddedBits(bits)]);
      expect(r.paddedBits(bits) - bits).toBeLessThan(528);
    }
  });
});

describe('a modulus that is used often', () => {
  /** For each of so many powers with exponents of so many bits: whether an object was made for it, and for what. */
  const objects = async (n: bigint, bits: number, count: number): Promise<string[]> => {
    const r = await runtime();
    r.usesOpenssl();
    const modulus = r.publicModulus(n);
    return Array.from({ length: count }, (_, i) => {
      const before = r.opened.length;
      const each = { name: '', base: 2n << BigInt(i), exponent: (i % 2 === 0 ? 1n : -1n) * ((1n << BigInt(bits - 1)) + 1n) };
      expect(modulus.pow(each.base, each.exponent)).toBe(expected(each, n));
      return r.opened.slice(before).map((o) => (o.modulus === n ? 'exact' : 'padded')).join();
    });
  };
  it('of 3072 bits: exact after 8505 bits of exponents', async () => {
    // the padding adds (3584/3072)² - 1 = 0.36 to each power; the set-up costs a power with an exponent of 3072 bits
    expect(await objects(noise(3072, 'N') | 1n, 1000, 12)).toEqual([...Array<string>(9).fill('padded'), 'exact', '', '']);
  });
  it('of 6144 bits: after 35326', async () => {
    expect(await objects(noise(6144, 'N²') | 1n, 12000, 5)).toEqual(['padded', 'padded', 'padded', 'exact', '']);
  });
  it('is the same object as long as it is remembered', async () => {
    const r = await runtime();
    const n = (i: number): bigint => (1n << 600n) + BigInt(2 * i + 1);
    const first = r.publicModulus(n(0));
    const second = r.publicModulus(n(1));
    expect(r.publicModulus(n(0))).toBe(first);
    for (let i = 2; i < 257; i++) r.publicModulus(n(i));
    expect(r.publicModulus(n(1))).toBe(second);
    expect(r.publicModulus(n(0))).not.toBe(first);
    expect(r.opened).toEqual([]);
  });
  it('a prime of the owner: later, since its set-up is dear', async () => {
    const r = await runtime();
    r.usesOpenssl();
    const p = primeOf(512, 'p');
    const q = primeOf(513, 'q');
    const owned = r.ownedModulus(p, q);
    // (1024/512)² - 1 = 3: after 60·512/3 = 10240 bits for p; (1024/513)² - 1 = 2.98: after 10314 for q
    const made: bigint[][] = [];
    for (let i = 0; i < 24; i++) {
      const before = r.opened.length;
      owned.pow(5n, 1n << 499n);
      made.push(r.opened.slice(before).map((o) => (o.modulus === p ? 1n : o.modulus === q ? 2n : 0n)));
    }
    expect(made.slice(0, 21)).toEqual(Array(21).fill([0n, 0n]));
    expect(made.slice(21)).toEqual([[1n, 2n], [], []]);
  });
});

describe('by way of the factors', () => {
  const p = primeOf(512, 'p');
  const q = primeOf(513, 'q');
  /** Bytes of the longest exponent on each object that a computation makes. */
  const lengths = async (run: (r: Awaited<ReturnType<typeof runtime>>) => unknown): Promise<number[]> => {
    const r = await runtime();
    r.usesOpenssl();
    r.opened.length = 0;
    run(r);
    return r.opened.map((o) => Math.max(...o.exponents));
  };
  it('long exponents are shortened to the order', async () => {
    expect(await lengths((r) => r.ownedModulus(p, q).pow(5n, noise(4000, 'e')))).toEqual([65, 65]);
    expect(await lengths((r) => r.ownedModulus(p, q).pow(5n, -noise(4000, 'e')))).toEqual([65, 65]);
    for (const n of await lengths((r) => r.ownedSquare(p, q).pow(5n, noise(4000, 'e')))) expect(n).toBeLessThanOrEqual(129);
  });
  it('short ones stay short, whatever their sign', async () => {
    for (const e of [noise(256, 'e'), -noise(256, 'e')]) {
      expect(await lengths((r) => r.ownedModulus(p, q).pow(5n, e))).toEqual([32, 32]);
      expect(await lengths((r) => r.ownedSquare(p, q).pow(5n, e))).toEqual([32, 32]);
    }
  });
  it('r^N modulo N² takes two short powers of each prime, one modulo the prime itself', async () => {
    const r = await runtime();
    const square = r.ownedSquare(p, q);
    r.usesOpenssl();
    r.opened.length = 0;
    r.nthPower(square, 5n);
    expect(r.opened.map(({ modulus }) => [modulus % p === 0n, modulus % (p * p) === 0n, modulus % q === 0n, modulus % (q * q) === 0n])).toEqual([
      [true, false, false, false],
      [true, true, false, false],
      [false, false, true, false],
      [false, false, true, true],
    ]);
    expect(Math.max(...r.opened.flatMap((o) => o.exponents))).toBeLessThanOrEqual(65);
  });
});
