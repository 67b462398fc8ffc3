/** SECRET: a signer's trace in an error round (A.13). */
import { expand } from '../arith/expand.ts';
import { centred } from '../arith/integer.ts';
import { group } from '../curves/group.ts';
import { concat } from '../wire/bytes.ts';
import type { AuxSecret } from './make-aux.ts';
import { decodeMtaSecret } from './make-mta.ts';
import { ownPaillier } from './owner-keys.ts';
import { add, scale } from './paillier.ts';
import { proofContext } from './presign.ts';
import { proveAffGStar } from './prove-aff-g-star.ts';
import { proveDec } from './prove-dec.ts';
import { affineStatements, decStatement, type Traced } from './trace.ts';

export interface MakeTrace extends Traced {
  readonly own: AuxSecret;
  /** The secret of round 2. */
  readonly secret: Uint8Array;
  /** 32 fresh bytes, secret. */
  readonly seed: Uint8Array;
}

/** The trace of `prover`, the maker. @throws E_STATE */
export function makeTrace(args: MakeTrace): Uint8Array {
  const { curve, bind, which, prover, signers, own, seed } = args;
  const { gamma, w, affine } = decodeMtaSecret(curve, args.secret, signers.length - 1);
  const key = ownPaillier(own.p, own.q);
  const x = centred(which === 'gamma' ? gamma : w, group(curve).order);
  const random = expand(seed, 'make-trace/v1', curve, bind, which, prover);
  const statement = decStatement(args, key);
  const total = add(key, scale(key, statement.K, x), statement.D);
  const witness = { x, y: key.decrypt(total), rho: key.nonceOf(total) };
  const decryption = proveDec(proofContext(bind, `dec/${which}`, prover), statement, witness, random(32));
  const products = affineStatements(args, key).map(({ peer, statement: st }, at) => {
    const { beta, s, r } = (affine[at] as NonNullable<(typeof affine)[number]>)[which];
    return proveAffGStar(proofContext(bind, `aff-g-star/${which}`, prover, peer), st, { x, y: -beta, rho: s, rhoY: r }, random(32));
  });
  return concat(decryption, ...products);
}
