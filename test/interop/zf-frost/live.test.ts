/** Our signatures verified by ZF FROST itself; needs its program built (README.md here): npm run test:oracle. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { SCHEMES } from '../../../src/curves/scheme.ts';
import { dealKey, EXPRESSIONS, minimalQuorums, SCHEME_NAMES, signWith } from '../../schnorr/helpers.ts';
import { hex } from '../../schnorr/vectors.ts';

const oracle = fileURLToPath(new URL('./target/release/zf-frost', import.meta.url));

describe('ZF FROST, live', () => {
  it('verifies signatures made here, over nested quorums and below paths, and refuses altered ones', () => {
    const cases = SCHEME_NAMES.flatMap((scheme) =>
      EXPRESSIONS.flatMap((text) => {
        const key = dealKey(scheme, text, 'live');
        const signers = minimalQuorums(key.quorum)[2] as string[];
        return (SCHEMES[scheme].derivable ? ['m', 'm/0', 'm/1/2'] : ['m']).flatMap((path) => {
          const { outputKey, message, signature } = signWith(key, signers, { path });
          const line = { scheme, publicKey: hex(outputKey), message: hex(message), signature: hex(signature) };
          return [line, { ...line, message: `00${line.message}` }];
        });
      }),
    );
    const run = spawnSync(oracle, ['verify'], { input: JSON.stringify(cases), encoding: 'utf8' });
    expect(run.stderr).toBe('');
    expect(JSON.parse(run.stdout)).toEqual(cases.map((_, i) => i % 2 === 0));
  });
});
