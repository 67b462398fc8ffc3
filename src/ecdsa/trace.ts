/**
 * The error round: where the parts of a presigning do not add up, every signer proves that its own part of the sum is
 * what its ciphertexts hold, and that the ciphertexts it made for others hold what they should (A.13). Whose proof fails
 * is the cheat; somebody's must, for otherwise the parts would add up. Nobody learns anything about x from it, but the
 * presignature and all of its randomness are dead. Public.
 *
 * On the wire: Π-dec, then Π-aff-g* for each peer by ascending leaf.
 */
import { group, type Point } from '../curves/group.ts';
import { Reader } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { AFF_G_STAR_BYTES, type AffGStarStatement, checkAffGStar } from './aff-g-star.ts';
import { checkDec, DEC_BYTES, type DecStatement } from './dec.ts';
import { type Affine, affineOf, gammaSum, parseMta } from './mta.ts';
import { offeredK } from './offer.ts';
import { add, checkCiphertext, type PaillierKey, subtract } from './paillier.ts';
import { type CurveName, type Entry, entryOf, othersOf, partyKeys, type PartyAux, proofContext, type Which } from './presign.ts';
import { parseSum } from './sum.ts';

/** Bytes of a signer's trace. @param peers how many signers there are besides */
export function traceBytes(_curve: CurveName, peers: number): number {
  return DEC_BYTES + peers * AFF_G_STAR_BYTES;
}

/** What a trace is about; everything public. */
export interface Traced {
  readonly curve: CurveName;
  /** The context of the error round, 32 bytes. */
  readonly bind: Uint8Array;
  /** Which product does not add up. */
  readonly which: Which;
  /** All signers. */
  readonly signers: readonly PartyAux[];
  /** Whose trace it is. */
  readonly prover: number;
  /** The entries of all signers, as they were accepted. */
  readonly offers: readonly Entry[];
  readonly mtas: readonly Entry[];
  readonly sums: readonly Entry[];
  /** W of the prover, encoded. Needed for `chi`. */
  readonly point: Uint8Array;
}

/** What a signer made for a peer and what that peer made for it. */
interface Exchange {
  readonly peer: PartyAux;
  readonly given: Affine;
  readonly received: Affine;
}

function exchanges({ curve, which, signers, prover, mtas }: Traced): Exchange[] {
  const leaves = signers.map((s) => s.leaf);
  return othersOf(leaves, prover).map((leaf) => ({
    peer: signers.find((s) => s.leaf === leaf) as PartyAux,
    given: affineOf(curve, entryOf(mtas, prover), leaves, prover, leaf, which),
    received: affineOf(curve, entryOf(mtas, leaf), leaves, leaf, prover, which),
  }));
}

/** The point of the factor x: Γ of the prover or its W. */
function factorPoint({ curve, which, mtas, prover, point }: Traced): Point {
  return which === 'gamma' ? parseMta(entryOf(mtas, prover), curve, mtas.length - 1).gamma : group(curve).decodePoint(point);
}

/** That D and F for each peer hold x·k - β and -β; in the order of the peers. @param key the prover's */
export function affineStatements(traced: Traced, key: PaillierKey): { peer: number; statement: AffGStarStatement }[] {
  const { curve, offers } = traced;
  const X = factorPoint(traced);
  return exchanges(traced).map(({ peer, given }) => ({
    peer: peer.leaf,
    statement: {
      group: group(curve),
      receiver: partyKeys(peer).paillier,
      own: key,
      C: offeredK(entryOf(offers, peer.leaf)),
      D: given.D,
      Y: given.F,
      X,
    },
  }));
}

/**
 * That the prover's part is what x·K and all that was received, less what was given, decrypt to.
 * @param key the prover's
 * @throws E_RANGE when what was given or received is no ciphertext
 */
export function decStatement(traced: Traced, key: PaillierKey): DecStatement {
  const { curve, which, prover, offers, mtas, sums } = traced;
  const g = group(curve);
  const { delta, S } = parseSum(entryOf(sums, prover), curve);
  return {
    group: g,
    key,
    signers: mtas.length,
    K: offeredK(entryOf(offers, prover)),
    X: factorPoint(traced),
    D: exchanges(traced).reduce((sum, { given, received }) => subtract(key, add(key, sum, received.D), given.F), 1n),
    S: which === 'gamma' ? g.multiplyPublic(g.base, delta) : S,
    H: which === 'gamma' ? g.base : g.decodePoint(gammaSum(curve, mtas)),
  };
}

/**
 * Checks the trace of one signer. It passes where only what a peer gave to this signer is no ciphertext: then that
 * peer's own trace fails.
 * @throws E_FORMAT, E_POINT, E_SCALAR, E_RANGE or E_PROOF; all of them blame the prover
 */
export function checkTrace(args: Traced & { readonly trace: Uint8Array }): void {
  const { curve, bind, which, prover, signers, trace } = args;
  if (trace.length !== traceBytes(curve, signers.length - 1)) fail('E_FORMAT', 'a trace has another length', { field: 'trace' });
  const key = partyKeys(signers.find((s) => s.leaf === prover) ?? fail('E_INTERNAL', 'not a signer')).paillier;
  const reader = new Reader(trace);
  const decryption = reader.take(DEC_BYTES, 'a proof');
  for (const { peer, statement } of affineStatements(args, key))
    checkAffGStar(proofContext(bind, `aff-g-star/${which}`, prover, peer), statement, reader.take(AFF_G_STAR_BYTES, 'a proof'));
  const foreign = exchanges(args).some(({ received }) => !isCiphertext(key, received.D));
  if (!foreign) checkDec(proofContext(bind, `dec/${which}`, prover), decStatement(args, key), decryption);
}

function isCiphertext(key: PaillierKey, c: bigint): boolean {
  try {
    checkCiphertext(key, c, 'D');
    return true;
  } catch {
    return false;
  }
}
