/**
 * Share health of a key in a home: making this participant's own proof, and taking those of others
 * (mission row OPS-11). Nothing here signs with a share or spends a nonce of a stock.
 */
import { SCHEMES } from '../curves/scheme.ts';
import { auxiliaryOf, type Certificate } from '../protocols/epoch.ts';
import { makeShareProof } from '../protocols/share-proof-participant.ts';
import { CLOCK_SKEW_MS, parseShareProof, type ShareProof, shareOf, shareProofName, verifyShareProof } from '../protocols/share-proof.ts';
import type { Vault } from '../vault/vault.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import type { Random } from '../wire/random.ts';
import { careOf, provenOf, recordCare } from './care.ts';
import type { Home } from './home.ts';
import type { Identity } from './identity.ts';
import { epochPrimesPath, loadShare, requireKey } from './key-store.ts';
import { storedPrimes } from './primes.ts';
import { utc } from './times.ts';

const RECOVER = 'Sign nothing with this home. Recover it from its backup, or ask for a reshare without this participant.';

/**
 * Compares the sealed primes of an ECDSA key with the moduli of this participant in the epoch; nothing for other schemes.
 * @param leaf of this participant
 * @throws E_STATE naming the file, when they are missing, damaged, or those of other moduli
 */
function checkPrimes(vault: Vault, { epoch }: Certificate, leaf: number): void {
  if (SCHEMES[epoch.key.scheme].protocol !== 'cggmp24') return;
  const file = epochPrimesPath(epoch.key.name, epoch.number);
  const facts = { file, remedy: RECOVER };
  const primes = withRemedy(() => storedPrimes(vault, file)) ?? fail('E_STATE', `the primes of ${epoch.key.name} are missing from this home`, facts);
  const published = auxiliaryOf(epoch).find((a) => a.leaf === leaf) ?? fail('E_CERTIFICATE', 'the epoch lacks the moduli of this participant');
  if (primes.p * primes.q !== published.n || primes.pHat * primes.qHat !== published.nHat) fail('E_STATE', `the primes in this home are not those of ${epoch.key.name} in epoch ${String(epoch.number)}`, facts);
}

function withRemedy<T>(work: () => T): T {
  try {
    return work();
  } catch (e) {
    throw e instanceof CeremonyError ? e.with({ remedy: RECOVER }) : e;
  }
}

/** A proof as this home makes it. Public. */
export interface OwnProof {
  readonly proof: ShareProof;
  readonly bytes: Uint8Array;
  /** Name of its file. */
  readonly name: string;
}

/**
 * Makes this participant's proof for the active epoch of a key, and checks it as others will. Writes nothing.
 * @param challenge 32 bytes in lowercase hex that somebody else chose
 * @throws E_UNKNOWN_KEY, E_KEY_PENDING, E_NOT_PARTICIPANT; E_SHARE_BAD when the share is another one; E_STATE naming the
 * file when share or primes are missing or damaged; E_RNG
 */
export function proveShare(home: Home, { vault, signer }: Identity, key: string, now: Date, random: Random, challenge?: string): OwnProof {
  const certificate = requireKey(home, key);
  const owner = home.facts.name;
  const { leaf } = shareOf(certificate, owner);
  const share = withRemedy(() => loadShare(vault, certificate));
  let bytes: Uint8Array;
  try {
    checkPrimes(vault, certificate, leaf);
    bytes = makeShareProof(certificate, { owner, at: utc(now), challenge }, share, signer, random);
  } finally {
    share.fill(0);
  }
  const name = shareProofName(certificate.epoch, owner);
  const proof = parseShareProof(bytes, name);
  verifyShareProof(proof, certificate, { file: name, now, challenge });
  return { proof, bytes, name };
}

/** Records a proof that was made in this home and has been written. */
export function recordOwnProof(home: Home, { owner, epoch, at, key }: ShareProof): void {
  recordCare(home, key.name, { kind: 'proof', epoch, participant: owner, at, seen: 'here' });
}

/**
 * Whether a file that would be overwritten is an earlier proof of the same owner for the same key, so that nothing of
 * anybody else's is lost.
 */
export function isEarlierProof(bytes: Uint8Array, { owner, key }: ShareProof): boolean {
  try {
    const there = parseShareProof(bytes, '');
    return there.owner === owner && there.key.id === key.id;
  } catch (e) {
    if (e instanceof CeremonyError) return false;
    throw e;
  }
}

/**
 * Checks a proof of somebody and records it. One that is older than what is recorded of its owner, in this epoch, is
 * checked alone.
 * @param challenge 32 bytes in lowercase hex that it must answer
 * @returns the proof, and when its owner was last proven now (UTC to the second)
 * @throws as `parseShareProof` and `verifyShareProof`
 */
export function takeProof(home: Home, key: string, bytes: Uint8Array, file: string, now: Date, challenge?: string): { readonly proof: ShareProof; readonly last: string } {
  const certificate = requireKey(home, key);
  const proof = parseShareProof(bytes, file);
  verifyShareProof(proof, certificate, { file, now, challenge });
  const { owner, epoch, at } = proof;
  const before = provenOf(careOf(home, key), epoch, owner);
  // what was recorded under a clock that was far ahead does not stand for ever
  const stands = before !== undefined && Date.parse(before.at) <= now.getTime() + CLOCK_SKEW_MS;
  const newer = !stands || Date.parse(at) > Date.parse(before.at) || (at === before.at && before.seen === 'dated');
  if (newer) recordCare(home, key, { kind: 'proof', epoch, participant: owner, at, seen: challenge === undefined ? 'dated' : 'challenge' });
  return { proof, last: newer ? at : before.at };
}
