/** One-time encryption keys: the owner's side. Secret. */
import { concat } from '../wire/bytes.ts';
import type { Random } from '../wire/random.ts';
import { prekeyChallenge, prekeyContext, type PrekeyId } from './prekey.ts';
import { sealingNonce } from './prove.ts';
import { addProduct, multiplyBase, randomSealingScalar } from './sealing-group.ts';

export interface NewPrekey {
  /** p: 32 bytes, secret; to be sealed at rest and destroyed by the rules of the epoch. */
  readonly secret: Uint8Array;
  /** P = p·B: 32 bytes, public. */
  readonly P: Uint8Array;
  /** Proof of possession: 64 bytes, public. */
  readonly pop: Uint8Array;
}

/** Draws a prekey and proves its possession. @throws E_RNG */
export function makePrekey(id: PrekeyId, random: Random): NewPrekey {
  const secret = randomSealingScalar(random);
  const P = multiplyBase(secret);
  const context = prekeyContext(id);
  const nonce = sealingNonce(context, secret, random);
  const R = multiplyBase(nonce);
  const z = addProduct(nonce, prekeyChallenge(context, P, R), secret);
  nonce.fill(0);
  return { secret, P, pop: concat(R, z) };
}
