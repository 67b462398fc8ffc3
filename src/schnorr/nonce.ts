/**
 * SECRET: signing nonces. A pair of nonces signs once; used for two requests it gives away the key share. Whoever
 * keeps nonces must record the request they are spent on, durably, before a share leaves.
 */
import type { SchemeName } from '../curves/scheme.ts';
import { concat, equalBytes } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import type { Random } from '../wire/random.ts';
import { suite } from './suite.ts';

/** Fresh nonces of one participant. */
export interface MadeNonces {
  /** Secret, 64 to 114 bytes, to be sealed at rest: hiding nonce, then binding nonce. */
  readonly nonces: Uint8Array;
  /** Public, 64 to 114 bytes: hiding point, then binding point. */
  readonly commitment: Uint8Array;
}

/** The two nonces as scalars in the suite's byte order; secret. */
export interface NoncePair {
  readonly hiding: Uint8Array<ArrayBuffer>;
  readonly binding: Uint8Array<ArrayBuffer>;
}

/**
 * Makes one pair of nonces, hedged with the share so that a weak random source alone does not lose the key
 * (RFC 9591 sections 4.1 and 5.1: H3 of 32 random bytes and the share, for each nonce).
 * @param share secret: the participant's own leaf share, before any tweak or recombination; the signers need not be known
 * @throws E_SCALAR when the share is not a canonical scalar, E_RNG when the random source repeats or gives another length
 */
export function makeNonces(scheme: SchemeName, share: Uint8Array, random: Random): MadeNonces {
  const { group, frost } = suite(scheme);
  group.decodeScalar(share);
  const drawn: Uint8Array[] = [];
  const rng = (length = 32) => {
    const bytes = random(length);
    if (bytes.length !== length) fail('E_RNG', 'the random source gave another number of bytes');
    const own = new Uint8Array(bytes);
    drawn.push(bytes, own);
    return own;
  };
  // the identifier is only echoed by noble; ids are assigned when a request is made
  const made = frost.commit({ identifier: frost.Identifier.fromNumber(1), signingShare: share }, rng);
  // equal nonces are a single nonce, open to the attack on concurrent sessions that the pair prevents
  if (equalBytes(made.nonces.hiding, made.nonces.binding)) fail('E_RNG', 'the random source repeats itself');
  const nonces = concat(made.nonces.hiding, made.nonces.binding);
  for (const copy of [made.nonces.hiding, made.nonces.binding, ...drawn]) copy.fill(0);
  return { nonces, commitment: concat(made.commitments.hiding, made.commitments.binding) };
}

/**
 * Splits sealed nonces into copies of the two scalars.
 * @throws E_STATE on another length or a scalar that is not canonical, E_NONCE_BURNED when they were wiped by a use
 */
export function decodeNonces(scheme: SchemeName, nonces: Uint8Array): NoncePair {
  const { group } = suite(scheme);
  if (nonces.length !== 2 * group.scalarBytes) fail('E_STATE', 'stored nonces have another length');
  const hiding = nonces.slice(0, group.scalarBytes);
  const binding = nonces.slice(group.scalarBytes);
  if (nonces.every((b) => b === 0)) fail('E_NONCE_BURNED', 'these nonces were used before');
  for (const nonce of [hiding, binding]) {
    let zero: boolean;
    try {
      zero = group.decodeScalar(nonce) === 0n;
    } catch {
      return fail('E_STATE', 'a stored nonce is not a scalar');
    }
    if (zero) fail('E_STATE', 'a stored nonce is zero');
  }
  return { hiding, binding };
}
