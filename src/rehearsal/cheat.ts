/**
 * The malicious participant of a rehearsal. It opens a rehearsal home of the stage with the rehearsal passphrase, makes
 * the dealing of that participant with one wrong sub-share, and signs, proves and records it as an honest one would be.
 * Secret: it handles a rehearsal home's secrets, and no other's.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { collect } from '../ceremony/collect.ts';
import { utc } from '../ceremony/engine.ts';
import type { Home } from '../ceremony/home.ts';
import { openIdentity } from '../ceremony/identity.ts';
import { CeremonyStore } from '../ceremony/store.ts';
import { COMMIT, DEAL, type DkgContext, dkgContext } from '../protocols/dkg.ts';
import { dealBody, parseDeal } from '../protocols/dkg-messages.ts';
import { makeDeal } from '../protocols/dkg-participant.ts';
import { boxMask } from '../sharing/box.ts';
import { decodePolynomials, type Polynomials, subShares } from '../sharing/deal.ts';
import { decodeDealing, encodeDealing } from '../sharing/dealing.ts';
import { proveDleq } from '../sharing/prove.ts';
import { multiply, multiplyBase, randomSealingScalar, secondBase } from '../sharing/sealing-group.ts';
import { sealingContext, sealingStatement, type SealedBoxes } from '../sharing/sealing-proof.ts';
import { acquireLock } from '../vault/lock.ts';
import { Secret } from '../vault/secret.ts';
import { makeBlob } from '../wire/blob.ts';
import { toHex } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import { copyOf, PASSPHRASE_FILE, type Stage } from './stage.ts';

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));

/** Boxes of which the victim's holds one more than its sub-share, with a valid proof: as `sealBoxes` makes them otherwise. */
function sealWrong(ctx: DkgContext, dealer: number, victim: string, treeHash: Uint8Array, poly: Polynomials): SealedBoxes {
  const { group, quorum, prekeys } = ctx;
  const { sid } = ctx.session;
  const e = randomSealingScalar(random);
  const E = multiplyBase(e);
  const E2 = multiply(e, secondBase());
  const shares = subShares(poly, quorum);
  const boxes = quorum.leaves.map((leaf, i) => {
    const P = prekeys[i] as Uint8Array;
    const K = multiply(e, P);
    const wrong = leaf.name === victim ? 1n : 0n;
    return group.encodeScalar(((shares[i] as bigint) + wrong + boxMask({ group, sid, dealer, leaf, E, P }, K)) % group.order);
  });
  return { E, E2, boxes, proof: proveDleq(sealingContext(sid, dealer, treeHash, boxes, prekeys), e, sealingStatement(E, E2), random) };
}

/**
 * Takes the place of one `next` of the dealer: afterwards its home holds the wrong dealing as sent.
 * @throws E_REHEARSAL for a home that was not made for rehearsals
 */
export async function dealWrongSubShare(request: { home: Home; stage: Stage; dealer: string; ceremony: string; victim: string }): Promise<void> {
  const { home, stage, dealer, ceremony, victim } = request;
  if (home.facts.mode !== 'rehearsal') fail('E_REHEARSAL', 'only a rehearsal home can be made to cheat', { file: home.root });
  const lock = await acquireLock(home.root);
  try {
    const folder = join(stage.root, copyOf(dealer, ceremony));
    const store = CeremonyStore.byPlace(home, folder, undefined);
    if (store?.plan.kind !== 'dkg') return fail('E_NOT_JOINED', `${dealer} has joined no key generation in ${folder}`, { participant: dealer });
    const passphrase = new Secret(new Uint8Array(readFileSync(join(stage.root, PASSPHRASE_FILE))).filter((b) => b !== 0x0a));
    const { signer, vault } = await openIdentity(home, passphrase, random);
    collect(store, folder);
    const messages = store.messages();
    const ctx = dkgContext(store.plan);
    const { group, quorum } = ctx;
    const { leaf } = store.seat;
    const secret = vault.get(store.secretPath(`for-${String(DEAL)}`)) ?? fail('E_STATE', 'the round secret is missing', { file: home.root });
    const scalars = 1 + quorum.gates.reduce((n, g) => n + g.threshold - 1, 0);
    const poly = decodePolynomials(group, quorum, 'dkg', secret.slice(-scalars * group.scalarBytes));
    const honest = parseDeal(makeDeal(ctx, leaf, secret, messages, random), ctx.session.seats.length);
    const { treeBytes, treeHash, possessionBytes } = decodeDealing({ kind: 'dkg', group, quorum }, honest.dealing);
    const body = dealBody({ ...honest, dealing: encodeDealing(treeBytes, possessionBytes, sealWrong(ctx, leaf, victim, treeHash, poly)) });
    const blob = makeBlob(store.session, store.seat, DEAL, store.head, body, signer);
    store.prepare(DEAL, blob);
    const inputs = Object.fromEntries([...(messages.get(COMMIT)?.values() ?? [])].map((e) => [e.name, toHex(e.hash)]));
    store.append({ at: utc(new Date()), kind: 'sent', slot: DEAL, message: 'deal', subject: { bytes: blob.length, sha256: toHex(sha256(blob)) }, inputs }, signer);
    vault.close();
  } finally {
    await lock.release();
  }
}
