/**
 * FROST signing, the public side (RFC 9591). Messages:
 *
 *   nonce  hiding ‖ binding commitment: 64 bytes, 66 or 114 by group
 *   share  kind 1 | request hash 32 | signature share; or a refusal or abandonment in its place
 *
 * From stock there is no nonce round: the plan names one stocked commitment of every signer, and the share is the
 * signer's only message.
 */
import { group } from '../curves/group.ts';
import { SCHEMES } from '../curves/scheme.ts';
import { fromStock, type SignPlan } from '../plan/plan.ts';
import type { SignedIntent } from '../policy/intent.ts';
import { aggregate, verifyShare } from '../schnorr/aggregate.ts';
import { decodeCommitment } from '../schnorr/commitment.ts';
import { type SigningRequest, signingRequest } from '../schnorr/request.ts';
import { signingKey } from '../schnorr/signing-key.ts';
import { parseQuorum } from '../sharing/expression.ts';
import { decodeTree, leafPoints } from '../sharing/tree.ts';
import { ceremonyId, type Envelope } from '../wire/blob.ts';
import { concat, equalBytes, fromHex, Reader, toHex } from '../wire/bytes.ts';
import { canonicalBytes } from '../wire/canon.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import type { Certificate } from './epoch.ts';
import { attempt, CLOSING, closingOf, type Finding, formFindings, type Inbound, parseEnding } from './machine.ts';
import { type Signing, signing } from './signing.ts';

export const NONCE = 1;
export const SHARE = 2;

/** What plan, certificate and intent fix. Public. */
export interface SignContext extends Signing {
  readonly key: ReturnType<typeof signingKey>;
}

/**
 * Context of a signing plan: everything in it must agree with the certificate of the epoch and with the intent.
 * @throws E_CERTIFICATE, E_SCOPE, E_EPOCH, E_INTENT_HASH, E_QUORUM, E_QUORUM_SURPLUS, E_ROSTER_HASH, E_NONCE_BURNED
 */
export function signContext(plan: SignPlan, certificate: Certificate, intent: SignedIntent, message: Uint8Array): SignContext {
  const base = signing(plan, certificate, intent, message, toHex);
  const { epoch } = certificate;
  const g = group(SCHEMES[epoch.key.scheme].group);
  const quorum = parseQuorum(epoch.quorum);
  const tree = decodeTree(g, quorum, true, new Reader(fromHex(epoch.tree), 'E_CERTIFICATE'));
  const key = signingKey({
    scheme: epoch.key.scheme,
    quorum,
    leafPoints: leafPoints(tree),
    publicKey: fromHex(epoch.publicKey),
    signers: plan.participants.map((p) => p.name),
    chainCode: fromHex(epoch.chainCode),
    ...(intent.intent.path === undefined ? {} : { path: intent.intent.path }),
  });
  return { ...base, key };
}

/** The request that every signer answers, once all commitments are known. @throws as `signingRequest` */
export function requestOf(ctx: SignContext, messages: Inbound): SigningRequest {
  const nonces = messages.get(NONCE);
  const commitments = ctx.plan.participants.map((p) => ({
    id: p.leaf,
    commitment: p.stock ? fromHex(p.stock.commitment) : (nonces?.get(p.leaf)?.body ?? fail('E_MISSING', `no nonce commitment of ${p.name}`)),
  }));
  return signingRequest({
    key: ctx.key,
    keyId: fromHex(ctx.certificate.epoch.key.id),
    epochDigest: ctx.certificate.digest,
    commitments,
    message: ctx.message,
    intentHash: ctx.intent.hash,
  });
}

/** The bytes of signature.json: the signature with everything that tells what it is. */
export function signatureFile({ plan, session, intent, key }: SignContext, signature: Uint8Array): Uint8Array {
  return canonicalBytes({
    schema: 'mpc-ceremony/signature/1',
    key: plan.key.name,
    keyId: plan.key.id,
    epoch: plan.key.epoch,
    scheme: plan.key.scheme,
    path: key.path,
    publicKey: toHex(key.outputKey),
    signature: toHex(signature),
    intent: toHex(intent.hash),
    message: { sha256: intent.intent.payload.sha256, size: intent.intent.payload.size },
    signers: plan.participants.map((p) => p.name),
    ceremony: ceremonyId(session.sid),
  });
}

/** Body of a share message. */
export function shareBody(request: Uint8Array, share: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(CLOSING.close), request, share);
}

function parseShare(ctx: SignContext, body: Uint8Array): { request: Uint8Array; share: Uint8Array } {
  const r = new Reader(body);
  r.u8('kind');
  const request = r.take(32, 'request');
  const share = r.take(group(SCHEMES[ctx.plan.key.scheme].group).scalarBytes, 'share');
  r.end();
  return { request, share };
}

/** The public outcome of signing. */
export interface SignResult {
  readonly signature: Uint8Array;
  readonly request: SigningRequest;
}

/**
 * Everything that follows publicly from a set of messages: faults with their culprits, and the signature once all
 * shares are there and good.
 */
export function signFindings(ctx: SignContext, messages: Inbound): { findings: readonly Finding[]; result?: SignResult } {
  const stock = fromStock(ctx.plan);
  const nonces = messages.get(NONCE) ?? new Map<number, Envelope>();
  const closings = messages.get(SHARE) ?? new Map<number, Envelope>();
  const findings: Finding[] = formFindings(messages, (slot) => slot === SHARE || (slot === NONCE && !stock));
  const blame = (e: Envelope, evidence: readonly Envelope[], check: () => void): void => {
    findings.push(...attempt(e, evidence, check));
  };
  if (!stock) for (const e of nonces.values()) blame(e, [e], () => decodeCommitment(ctx.plan.key.scheme, e.body));
  for (const e of closings.values()) {
    const kind = closingOf(e.body);
    if (kind === 'close') blame(e, [e], () => parseShare(ctx, e.body));
    else if (kind === 'complaint') findings.push({ code: 'E_FORMAT', culprit: e.leaf, text: `${e.name}: signing knows no complaint`, evidence: [e] });
    else blame(e, [e], () => parseEnding(e.body));
  }
  if (findings.length > 0) return { findings };
  if (!stock && nonces.size < ctx.session.seats.length) return { findings };
  const all = [...nonces.values()];
  let request: SigningRequest;
  try {
    request = requestOf(ctx, messages);
  } catch (e) {
    if (!(e instanceof CeremonyError) || e.code === 'E_INTERNAL') throw e;
    return { findings: [{ code: e.code, culprit: undefined, text: e.message, evidence: all }] };
  }
  const shares = [...closings.values()].filter((e) => closingOf(e.body) === 'close');
  for (const e of shares) {
    const { request: answered, share } = parseShare(ctx, e.body);
    if (!equalBytes(answered, request.hash))
      findings.push(
        // from stock the plan alone gives the request, and the sender signed this plan: no other view excuses it
        stock
          ? { code: 'E_REQUEST', culprit: e.leaf, text: `${e.name} answered another request than the one of this plan`, evidence: [e] }
          : { code: 'E_VIEW', culprit: undefined, text: `${e.name} answered another request than the one that follows from the messages held here`, evidence: [...all, e] },
      );
    else if (!verifyShare(request, e.leaf, share))
      findings.push({ code: 'E_SHARE', culprit: e.leaf, text: `the signature share of ${e.name} does not verify`, evidence: [...all, e] });
  }
  if (findings.length > 0 || shares.length < ctx.session.seats.length) return { findings };
  const sum = aggregate(request, new Map(shares.map((e) => [e.leaf, parseShare(ctx, e.body).share])));
  if (sum.kind === 'cheaters') fail('E_INTERNAL', 'shares that verify one by one do not add up');
  return { findings, result: { signature: sum.signature, request } };
}
