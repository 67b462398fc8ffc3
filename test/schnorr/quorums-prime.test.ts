import fc from 'fast-check';
import { it } from 'vitest';
import type { FrostSchemeName } from '../../src/curves/scheme.ts';
import { dealKey, minimalQuorums } from './helpers.ts';
import { everyQuorum, exercise } from './quorum-cases.ts';

everyQuorum(['frost-ristretto255', 'frost-p256', 'frost-secp256k1', 'frost-secp256k1-tr']);
everyQuorum(['frost-secp256k1', 'frost-secp256k1-tr'], ['m/0/5', 'm/1', 'm/44/0/0/1/2147483647']);

it('any expression: an exact quorum signs, a wrong share is named', () => {
  type Node = { t: number; children: Node[] } | null;
  const { tree } = fc.letrec<{ tree: Node; gate: Node }>((tie) => ({
    tree: fc.oneof({ maxDepth: 3 }, fc.constant(null), tie('gate')),
    gate: fc.record({ t: fc.nat(), children: fc.array(tie('tree'), { minLength: 2, maxLength: 3 }) }),
  }));
  const write = (node: Node, next: () => string): string =>
    node === null
      ? next()
      : `${String((node.t % node.children.length) + 1)}-of(${node.children.map((c) => write(c, next)).join(', ')})`;
  const scheme = fc.constantFrom<FrostSchemeName>('frost-secp256k1', 'frost-secp256k1-tr', 'frost-ristretto255');
  fc.assert(
    fc.property(fc.array(tree, { minLength: 2, maxLength: 3 }), scheme, fc.nat(), fc.nat(), (children, name, pick, seed) => {
      let n = 0;
      const text = `all-of(${children.map((c) => write(c, () => `p${String(++n)}`)).join(', ')})`;
      const key = dealKey(name, text, String(seed));
      const quorums = minimalQuorums(key.quorum);
      exercise(key, quorums[pick % quorums.length] as string[], pick, { blame: true });
    }),
    { numRuns: 12, seed: 7 },
  );
});
