/**
 * schnorr/ holds threshold Schnorr signing: FROST (RFC 9591) as @noble/curves implements it, fed with the additive
 * shares of a quorum expression. Files, clock, prompts and randomness of its own do not belong here.
 * Secrets pass through nonce.ts and sign.ts only; no other file of the folder imports those two, so that verification
 * can never reach a secret. There is no index.ts, which would mix the two.
 */
import type { FROST } from '@noble/curves/abstract/frost.js';
import { ed25519_FROST, ristretto255_FROST } from '@noble/curves/ed25519.js';
import { ed448_FROST } from '@noble/curves/ed448.js';
import { p256_FROST } from '@noble/curves/nist.js';
import { schnorr_FROST, secp256k1_FROST } from '@noble/curves/secp256k1.js';
import { group, type Group } from '../curves/group.ts';
import { type FrostSchemeName, SCHEMES, type Scheme, type SchemeName } from '../curves/scheme.ts';
import { fail } from '../wire/errors.ts';

const FROST_OF: Readonly<Partial<Record<SchemeName, FROST>> & Record<FrostSchemeName, FROST>> = {
  'frost-ed25519': ed25519_FROST,
  'frost-secp256k1-tr': schnorr_FROST,
  'frost-secp256k1': secp256k1_FROST,
  'frost-p256': p256_FROST,
  'frost-ristretto255': ristretto255_FROST,
  'frost-ed448': ed448_FROST,
};

/** A scheme with its group and its FROST ciphersuite. */
export interface Suite {
  readonly scheme: Scheme;
  readonly group: Group;
  /** Call its functions as methods: `aggregate` uses `this`. */
  readonly frost: FROST;
}

/**
 * The ciphersuite of a scheme.
 * @throws E_SCHEME when the name is not one of a FROST scheme
 */
export function suite(name: SchemeName): Suite {
  const frost = Object.hasOwn(FROST_OF, name) ? FROST_OF[name] : undefined;
  if (!frost) return fail('E_SCHEME', 'the key is not for a FROST scheme', { field: 'scheme' });
  const scheme = SCHEMES[name];
  return { scheme, group: group(scheme.group), frost };
}
