/** What the record of a signing is checked with, by protocol: the live check, and what a signature of it looks like. */
import { SCHEMES } from '../curves/scheme.ts';
import { derDecode } from '../ecdsa/signature.ts';
import type { SignPlan } from '../plan/plan.ts';
import type { SignedIntent } from '../policy/intent.ts';
import type { Checkers } from '../protocols/crew.ts';
import { ecdsaContext, ecdsaFindings, ecdsaSignatureFile, verifyEcdsa } from '../protocols/ecdsa-sign.ts';
import type { Certificate } from '../protocols/epoch.ts';
import { signatureFile, signContext, signFindings } from '../protocols/frost-sign.ts';
import type { Finding, Inbound } from '../protocols/machine.ts';
import type { Mismatch } from '../protocols/presign.ts';
import type { PresignatureRecord } from '../protocols/presignature.ts';
import type { Signing } from '../protocols/signing.ts';
import { verifySignature } from '../schnorr/verify-signature.ts';
import { CeremonyError } from '../wire/errors.ts';

/** A signature made again from the messages, and the files and entries that must agree with it. */
export interface Signed {
  /** The bytes of signature.bin. */
  readonly signature: Uint8Array;
  /** The bytes of signature.json. */
  readonly facts: Uint8Array;
  /** Hash of the request that every share answers, 32 bytes. */
  readonly request: Uint8Array;
}

/** What follows from the messages. */
export interface SigningVerdict {
  readonly findings: readonly Finding[];
  readonly mismatch?: Mismatch | undefined;
  readonly signed?: Signed | undefined;
}

/** One signing, whatever its protocol. Public. */
export interface SigningCheck extends Pick<Signing, 'plan' | 'certificate' | 'intent'> {
  /** The key that the signature verifies under, as verifiers take it. */
  readonly publicKey: Uint8Array;
  /** @param own as in `LiveCheck` */
  judge(messages: Inbound, own?: number): Promise<SigningVerdict>;
  /** Whether the bytes are a signature over the message under the key. */
  verifies(signature: Uint8Array): boolean;
}

function frostCheck(plan: SignPlan, certificate: Certificate, intent: SignedIntent, message: Uint8Array): SigningCheck {
  const ctx = signContext(plan, certificate, intent, message);
  const publicKey = ctx.key.outputKey;
  return {
    ...ctx,
    publicKey,
    judge: (messages) => {
      const { findings, result } = signFindings(ctx, messages);
      return Promise.resolve({ findings, signed: result && { signature: result.signature, facts: signatureFile(ctx, result.signature), request: result.request.hash } });
    },
    verifies: (signature) => verifySignature(plan.key.scheme, publicKey, message, signature),
  };
}

function ecdsaCheck(plan: SignPlan, certificate: Certificate, intent: SignedIntent, message: Uint8Array, presignature: PresignatureRecord | undefined, crew: Checkers): SigningCheck {
  const ctx = ecdsaContext(plan, certificate, intent, message, presignature);
  const { group, publicKeyBytes } = ctx.presigning.key;
  return {
    ...ctx,
    publicKey: publicKeyBytes,
    judge: async (messages, own) => {
      const { findings, mismatch, result } = await ecdsaFindings(ctx, messages, { crew, own });
      return { findings, mismatch, signed: result && { signature: result.signature, facts: ecdsaSignatureFile(ctx, result), request: result.request.hash } };
    },
    verifies(signature) {
      try {
        return verifyEcdsa(ctx, derDecode(group, signature));
      } catch (e) {
        if (e instanceof CeremonyError) return false;
        throw e;
      }
    },
  };
}

/**
 * The check of a signing plan.
 * @param presignature the one that the plan names, if it names one
 * @throws as `signContext` and `ecdsaContext`: plan, certificate, intent and presignature do not belong together
 */
export function signingCheck(plan: SignPlan, certificate: Certificate, intent: SignedIntent, message: Uint8Array, presignature: PresignatureRecord | undefined, crew: Checkers): SigningCheck {
  return SCHEMES[plan.key.scheme].protocol === 'frost' ? frostCheck(plan, certificate, intent, message) : ecdsaCheck(plan, certificate, intent, message, presignature, crew);
}
