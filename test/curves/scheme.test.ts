import { expect, test } from 'vitest';
import { group } from '../../src/curves/group.ts';
import { SCHEMES } from '../../src/curves/scheme.ts';

test('every scheme says its own name and fits its group', () => {
  for (const [name, scheme] of Object.entries(SCHEMES)) {
    expect(scheme.name).toBe(name);
    expect(scheme.publicKeyBytes).toBe(group(scheme.group).pointBytes - (scheme.taproot ? 1 : 0));
    expect(scheme.derivable).toBe(scheme.group === 'secp256k1');
  }
  expect(Object.keys(SCHEMES).sort()).toEqual([
    'cggmp24-p256',
    'cggmp24-secp256k1',
    'frost-ed25519',
    'frost-ed448',
    'frost-p256',
    'frost-ristretto255',
    'frost-secp256k1',
    'frost-secp256k1-tr',
  ]);
});
