/** What every receiver of dealings does, whatever the kind of ceremony. Secret. */
import { makeComplaint } from '../sharing/make-complaint.ts';
import { ownShare, receiveShares } from '../sharing/open.ts';
import { fail } from '../wire/errors.ts';
import type { Random } from '../wire/random.ts';
import { complaintBody } from './dkg-messages.ts';
import { type Dealt, type KeyingContext, roundOf } from './keying.ts';
import { echo, type Inbound } from './machine.ts';

/** The outcome of opening one's boxes: a share (secret), or the complaint that must go out in place of the confirmation. */
export type Opening = { readonly ok: true; readonly share: Uint8Array } | { readonly ok: false; readonly complaint: Uint8Array; readonly dealer: number };

/**
 * Opens this participant's boxes, after every public check has passed.
 * @param prekeySecret 32 bytes, secret
 * @param before in a refresh the encoded share of the base, secret: what was dealt is added to it
 * @throws E_DEGENERATE when the share is zero
 */
export function openShares(ctx: KeyingContext, leafId: number, dealt: Dealt, messages: Inbound, prekeySecret: Uint8Array, before: Uint8Array | undefined, random: Random): Opening {
  const leaf = ctx.quorum.leaves[leafId - 1] ?? fail('E_INTERNAL', 'no such leaf');
  const P = ctx.prekeys[leafId - 1] as Uint8Array;
  const received = receiveShares({ leaf, round: dealt.verdict, prekey: { secret: prekeySecret, P } });
  if (received.ok) return { ok: true, share: ownShare(ctx.group, before ? [received.share, before] : [received.share]) };
  const dealer = received.bad[0] as number;
  const dealing = dealt.verdict.dealings.get(dealer) ?? fail('E_INTERNAL', 'no such dealing');
  const complaint = makeComplaint({ sid: ctx.session.sid, dealer, dealing, leaf, P }, prekeySecret, random);
  return { ok: false, dealer, complaint: complaintBody({ echo: echo(roundOf(messages, ctx.deal)), dealer, complaint }) };
}
