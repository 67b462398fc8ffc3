/**
 * Threshold ECDSA signing (CGGMP24, protocol notes A.12), the public side. The share is the closing message:
 *
 *   share  kind 1 | request hash 32 | σ 32; or a trace (presign.ts), a refusal, an abandonment in its place
 *
 * It spends a presignature: one of the stock, and then the share is a signer's only message, or the one that the three
 * rounds before it made (presign.ts), whose message was fixed before anybody knew its nonce point.
 */
import type { Group, Point } from '../curves/group.ts';
import { messageDigest } from '../ecdsa/digest.ts';
import type { Presignature } from '../ecdsa/outcome.ts';
import type { PresignPublic, Signature } from '../ecdsa/signature.ts';
import { checkPublic, checkShare, combine, compact, derEncode, verifyDigest } from '../ecdsa/signature.ts';
import { fromStock, type SignPlan } from '../plan/plan.ts';
import type { SignedIntent } from '../policy/intent.ts';
import { ceremonyId, type Envelope } from '../wire/blob.ts';
import { concat, equalBytes, fromHex, Reader, toHex } from '../wire/bytes.ts';
import { canonicalBytes } from '../wire/canon.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { digest } from '../wire/hash.ts';
import type { Judge } from './crew.ts';
import { auxiliaryOf, type Certificate } from './epoch.ts';
import { attempt, CLOSING, closingOf, type Finding, formFindings, type Inbound, parseEnding } from './machine.ts';
import { CLOSE, type Mismatch, type Presigning, presignFindings } from './presign.ts';
import { offerHash } from './presign-binding.ts';
import { type PresignatureRecord, presignatureId, presignatureRecord } from './presignature.ts';
import { certifiedQuorumKey } from './quorum-of.ts';
import { type Signing, signing } from './signing.ts';

/** What plan, certificate, intent and, from stock, the presignature fix. Public. */
export interface EcdsaContext extends Signing {
  readonly presigning: Presigning;
  /** 32 bytes: what ECDSA signs. */
  readonly digest: Uint8Array;
  /** The presignature that the plan names. */
  readonly record: PresignatureRecord | undefined;
}

/** The 32 bytes that are signed: the hash that the intent names, or a digest that was made elsewhere. @throws E_INTENT */
export function digestOf({ intent }: SignedIntent, message: Uint8Array): Uint8Array {
  if (intent.action === 'digest') return message;
  return messageDigest(intent.payload.hash ?? fail('E_INTENT', 'the intent names no hash', { field: 'payload.hash' }), message);
}

/**
 * Context of a signing plan: everything in it must agree with the certificate, the intent and the presignature.
 * @param record the presignature of the plan, if it names one
 * @throws as `signing`; E_QUORUM, E_QUORUM_SURPLUS, E_PATH; E_RAW_DIGEST; E_PRESIGN_USED when the presignature is of
 *   another key, epoch, quorum or path; E_SUM when its public parts do not add up
 */
export function ecdsaContext(plan: SignPlan, certificate: Certificate, intent: SignedIntent, message: Uint8Array, record: PresignatureRecord | undefined): EcdsaContext {
  const base = signing(plan, certificate, intent, message, (entry) => toHex(offerHash(entry)));
  const key = certifiedQuorumKey(certificate, plan.participants.map((p) => p.name), intent.intent.path);
  const stocked = fromStock(plan)
    ? new Map(plan.participants.map((p) => [p.leaf, { index: p.stock?.index ?? 0, bytes: certificate.confirms[p.leaf - 1]?.confirm.stock[p.stock?.index ?? 0] ?? fail('E_INTERNAL', 'no such offer') }]))
    : undefined;
  const presigning: Presigning = { session: base.session, epoch: certificate.digest, key, auxiliary: auxiliaryOf(certificate.epoch), count: 1, stocked };
  if (plan.presignature !== undefined) {
    if (intent.intent.action === 'digest')
      fail('E_RAW_DIGEST', 'a digest that was made elsewhere is never signed with a presignature: whoever knows its nonce point can choose the digest', {
        field: 'action',
        remedy: 'Sign the message itself, or sign without the stock: mpc-ceremony sign … --live.',
      });
    if (!record || toHex(presignatureId(record)) !== plan.presignature) fail('E_PRESIGN_USED', 'the presignature that the plan names is not here', { field: 'presignature' });
    if (
      record.epoch !== toHex(certificate.digest) ||
      record.path !== key.path ||
      record.signers.join() !== key.signers.map((s) => s.leaf.id).join() ||
      record.publicKey !== toHex(key.publicKeyBytes)
    )
      fail('E_PRESIGN_USED', 'the presignature was made for another epoch, other signers or another path', { field: 'presignature' });
    checkPublic(key.group, publicParts(key.group, record), key.publicKey);
  }
  return { ...base, presigning, digest: digestOf(intent, message), record };
}

function publicParts(group: Group, record: PresignatureRecord): PresignPublic {
  const points = (list: readonly string[]): Map<number, Point> => new Map(list.map((text, i) => [record.signers[i] as number, group.decodePoint(fromHex(text))]));
  return { gamma: group.decodePoint(fromHex(record.gamma)), delta: points(record.delta), chi: points(record.chi) };
}

/** The presignature and the question that every signer answers. Public. */
export interface EcdsaRequest {
  /** 32 bytes. */
  readonly hash: Uint8Array;
  readonly record: PresignatureRecord;
  readonly parts: PresignPublic;
}

/** The request, once the presignature is there: from stock, or made in the rounds before. */
export function ecdsaRequest(ctx: EcdsaContext, made?: Presignature): EcdsaRequest {
  const { presigning, certificate, intent } = ctx;
  const record = ctx.record ?? presignatureRecord(presigning, 0, made ?? fail('E_INTERNAL', 'no presignature yet'));
  const { group, path, publicKeyBytes, signers } = presigning.key;
  return {
    hash: digest('ecdsa/request/v1', fromHex(certificate.epoch.key.id), certificate.digest, publicKeyBytes, path, signers.map((s) => s.leaf.id), presignatureId(record), ctx.digest, intent.hash),
    record,
    parts: publicParts(group, record),
  };
}

/** Body of a share message: 65 bytes. */
export function ecdsaShareBody(request: Uint8Array, share: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(CLOSING.close), request, share);
}

function parseShare(group: Group, body: Uint8Array): { request: Uint8Array; share: bigint } {
  const r = new Reader(body);
  r.u8('kind');
  const request = r.take(32, 'request');
  const share = group.decodeScalar(r.take(group.scalarBytes, 'share'));
  r.end();
  return { request, share };
}

/** The public outcome of signing. */
export interface EcdsaResult {
  /** DER, low s. */
  readonly signature: Uint8Array;
  readonly parts: Signature;
  readonly request: EcdsaRequest;
}

/**
 * Everything that follows publicly from a set of messages: faults with their culprits; then where the parts of a
 * presignature made on the way do not add up, or the signature once all shares are there and good.
 */
export async function ecdsaFindings(
  ctx: EcdsaContext,
  messages: Inbound,
  judge: Judge,
): Promise<{ findings: readonly Finding[]; mismatch?: Mismatch; request?: EcdsaRequest; result?: EcdsaResult }> {
  const { group } = ctx.presigning.key;
  const closings = [...(messages.get(CLOSE)?.values() ?? [])];
  const shares = closings.filter((e) => closingOf(e.body) === 'close');
  const malformed = shares.flatMap((e) => attempt(e, [e], () => parseShare(group, e.body)));
  let before: Envelope[] = [];
  let made: Presignature | undefined;
  if (ctx.record) {
    malformed.push(...formFindings(messages, (slot) => slot === CLOSE));
    for (const e of closings) if (closingOf(e.body) !== 'close') malformed.push(...attempt(e, [e], () => parseEnding(e.body)));
    if (malformed.length > 0) return { findings: malformed };
  } else {
    const rounds = await presignFindings(ctx.presigning, messages, judge, true);
    const findings = [...malformed, ...rounds.findings];
    const [early] = shares;
    // everybody has spoken, more than one without a trace: nobody is proven guilty
    if (findings.length === 0 && rounds.mismatch && early && closings.length === ctx.session.seats.length)
      findings.push({ code: 'E_VIEW', culprit: undefined, text: `${early.name} sent a share, though the parts of the presignature do not add up here: it has seen other sums`, evidence: [...messages.values()].flatMap((sent) => [...sent.values()]) });
    if (findings.length > 0 || !rounds.presigned) return { ...rounds, findings };
    made = rounds.presigned.presignatures[0];
    before = [...messages].filter(([slot]) => slot !== CLOSE).flatMap(([, sent]) => [...sent.values()]);
  }
  try {
    return judgeShares(ctx, ecdsaRequest(ctx, made), shares, before);
  } catch (e) {
    if (!(e instanceof CeremonyError) || e.code === 'E_INTERNAL') throw e;
    return { findings: [{ code: e.code, culprit: undefined, text: e.message, evidence: before }] };
  }
}

/** The shares that came, each against the public parts of the presignature. @throws E_DEGENERATE with negligible probability */
function judgeShares(ctx: EcdsaContext, request: EcdsaRequest, shares: readonly Envelope[], before: readonly Envelope[]): { findings: readonly Finding[]; request: EcdsaRequest; result?: EcdsaResult } {
  const { group, publicKey } = ctx.presigning.key;
  const findings = shares.flatMap((e): Finding[] => {
    const { request: answered, share } = parseShare(group, e.body);
    if (!equalBytes(answered, request.hash))
      return [
        // from stock the plan alone gives the request, and the sender signed this plan: no other view excuses it
        ctx.record
          ? { code: 'E_REQUEST', culprit: e.leaf, text: `${e.name} answered another request than the one of this plan`, evidence: [e] }
          : { code: 'E_VIEW', culprit: undefined, text: `${e.name} answered another request than the one that follows from the messages held here`, evidence: [...before, e] },
      ];
    if (checkShare(group, request.parts, ctx.digest, e.leaf, share)) return [];
    return [{ code: 'E_SHARE', culprit: e.leaf, text: `the signature share of ${e.name} does not verify`, evidence: [...before, e] }];
  });
  if (findings.length > 0 || shares.length < ctx.session.seats.length) return { findings, request };
  const parts = combine(group, request.parts, publicKey, ctx.digest, new Map(shares.map((e) => [e.leaf, parseShare(group, e.body).share])));
  return { findings, request, result: { signature: derEncode(parts.r, parts.s), parts, request } };
}

/** Whether a DER signature verifies over the message of this context. */
export function verifyEcdsa(ctx: EcdsaContext, signature: { r: bigint; s: bigint }): boolean {
  return verifyDigest(ctx.presigning.key.group, ctx.presigning.key.publicKey, ctx.digest, signature);
}

/** The bytes of signature.json. */
export function ecdsaSignatureFile({ plan, session, intent, presigning, digest: signed }: EcdsaContext, { signature, parts }: EcdsaResult): Uint8Array {
  const hex = (n: bigint): string => n.toString(16).padStart(64, '0');
  return canonicalBytes({
    schema: 'mpc-ceremony/signature/1',
    key: plan.key.name,
    keyId: plan.key.id,
    epoch: plan.key.epoch,
    scheme: plan.key.scheme,
    path: presigning.key.path,
    publicKey: toHex(presigning.key.publicKeyBytes),
    signature: toHex(signature),
    r: hex(parts.r),
    s: hex(parts.s),
    recoveryId: parts.recoveryId,
    compact: toHex(compact(parts.r, parts.s)),
    digest: toHex(signed),
    hash: intent.intent.action === 'digest' ? 'none' : (intent.intent.payload.hash ?? 'none'),
    intent: toHex(intent.hash),
    message: { sha256: intent.intent.payload.sha256, size: intent.intent.payload.size },
    signers: plan.participants.map((p) => p.name),
    ceremony: ceremonyId(session.sid),
  });
}

