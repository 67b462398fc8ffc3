/** Checks at the end: the homes agree, the signature is good in the eyes of others, the records verify. */
import { createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type SchemeName, SCHEMES } from '../curves/scheme.ts';
import { fail } from '../wire/errors.ts';
import { filesIn } from './courier.ts';
import { expectGood, type Play } from './play.ts';
import { type Outcome, together } from './program.ts';
import { ANYBODY, copyOf, MESSAGE } from './stage.ts';
import { type FaultRecord, show, verdictOf } from './story.ts';

/** Every holder's home shows the same active key, marked as a rehearsal's. @returns the public key, hex */
export async function checkKey(play: Play): Promise<string> {
  const { key, holders } = play.stage.cast;
  const shown = await together(holders, (who) => play.program.run(who, ['key', 'show', key]), (who, outcome) => {
    play.story.step(who, 'key show', 'shows the public key', outcome);
    expectGood(who, 'key show', outcome);
  });
  const publicKeys = new Set(shown.map((o) => String(o.report['publicKey'])));
  const [publicKey] = publicKeys as unknown as [string];
  play.story.check('same key', publicKeys.size === 1 ? 'ok' : 'wrong', publicKeys.size === 1 ? 'all homes hold the same key' : 'the homes hold different keys');
  const marked = shown.every((o) => o.report['mode'] === 'rehearsal');
  play.story.check('marked as rehearsal', marked ? 'ok' : 'wrong', marked ? 'the key is marked as a rehearsal’s: production homes refuse it' : 'the key is NOT marked as a rehearsal’s');
  return publicKey;
}

/** Whether a signing from stock took one message of each signer. */
export function checkOneMessage(play: Play, ceremony: string): void {
  const { root, cast } = play.stage;
  const [lead] = cast.signers as [string, ...string[]];
  const messages = filesIn(join(root, copyOf(lead, ceremony))).filter((path) => path.endsWith('.blob'));
  const good = messages.length === cast.signers.length && cast.signers.every((who) => messages.some((path) => path.endsWith(`/${who}.blob`)));
  play.story.check('one message a signer', good ? 'ok' : 'wrong', good ? 'from stock, each signer sent one message' : `from stock, the signers sent ${String(messages.length)} messages`);
}

/** How OpenSSL verifies signatures of a scheme; undefined where it does not know them. */
function opensslHash(scheme: SchemeName): { hash: string | null } | undefined {
  if (SCHEMES[scheme].protocol === 'cggmp24') return { hash: 'sha256' };
  return scheme === 'frost-ed25519' || scheme === 'frost-ed448' ? { hash: null } : undefined;
}

/** Verifies the signatures of finished signings with OpenSSL, where OpenSSL knows the kind of signature. @returns their hex */
export async function checkSignatures(play: Play, ceremonies: readonly string[]): Promise<string[]> {
  const { root, cast } = play.stage;
  const { key, scheme, signers } = cast;
  const [lead] = signers as [string, ...string[]];
  const signatures = ceremonies.map((ceremony) => readFileSync(join(root, copyOf(lead, ceremony), 'signature.bin')));
  const known = opensslHash(scheme);
  if (known) {
    const exported = await play.program.run(lead, ['key', 'export', key, '--format', 'pem']);
    play.story.step(lead, 'key export', 'writes the public key as PEM', exported);
    expectGood(lead, 'key export', exported);
    const pem = exported.report['value'];
    if (typeof pem !== 'string') return fail('E_INTERNAL', 'key export gave no PEM');
    const good = signatures.every((signature) => verify(known.hash, readFileSync(join(root, MESSAGE)), createPublicKey(pem), signature));
    const what = signatures.length === 1 ? 'the signature' : `the ${String(signatures.length)} signatures`;
    play.story.check('signature by OpenSSL', good ? 'ok' : 'wrong', good ? `OpenSSL verifies ${what} with the exported key` : `OpenSSL does NOT verify ${what}`);
  } else play.story.check('signature by OpenSSL', 'not-checked', `OpenSSL knows no signatures of ${scheme}; every signer's own program has verified it`);
  return signatures.map((signature) => signature.toString('hex'));
}

/** Runs `transcript verify` as somebody who was not there would. */
async function asOutsider(play: Play, path: string, doing: string): Promise<Outcome> {
  const outcome = await play.program.run(ANYBODY, ['transcript', 'verify', path]);
  play.story.step(ANYBODY, 'transcript verify', doing, outcome);
  return outcome;
}

/** One check of `transcript verify`, as far as a rehearsal reads it. */
interface RecordCheck {
  readonly culprit?: string;
  readonly code?: string;
}
const checksIn = (outcome: Outcome): readonly RecordCheck[] => (Array.isArray(outcome.report['checks']) ? (outcome.report['checks'] as RecordCheck[]) : []);

/** The record of a finished ceremony verifies. */
export async function checkRecord(play: Play, ceremony: string, reader: string): Promise<void> {
  const outcome = await asOutsider(play, copyOf(reader, ceremony), `the record of ${ceremony}, without a home or a secret`);
  const verdict = outcome.report['verdict'];
  const good = outcome.exit === 0 && verdict === 'ok';
  play.story.check(`record of ${ceremony}`, good ? 'ok' : 'wrong', good ? `the record of ${ceremony} verifies: ok` : `the record of ${ceremony}: ${typeof verdict === 'string' ? verdict : show(verdictOf(outcome))}`);
}

/** The evidence that a participant keeps proves to outsiders who is to blame, and the record of the attempt says the same. */
export async function checkBlame(play: Play, fault: FaultRecord, ceremony: string, keepers: readonly string[], claim: { code: string; culprit: string }): Promise<void> {
  for (const who of keepers) {
    const path = filesIn(join(play.stage.root, copyOf(who, ceremony))).find((p) => p.startsWith('evidence/') && p.endsWith(`-${claim.culprit}.json`));
    const outcome = path === undefined ? undefined : await asOutsider(play, `${copyOf(who, ceremony)}/${path}`, `the evidence of ${who}`);
    const proves = outcome?.exit === 0 && checksIn(outcome).some((c) => c.culprit === claim.culprit && c.code === claim.code);
    play.story.check(`evidence of ${who} in ${ceremony}`, proves ? 'ok' : 'wrong', `the evidence of ${who} in ${ceremony} ${proves ? 'proves' : 'does NOT prove'} to anybody that it was ${claim.culprit}`);
  }
  const [reader] = keepers as [string];
  const record = await asOutsider(play, copyOf(reader, ceremony), `the record of ${ceremony}`);
  const observed = { exit: record.exit ?? null, participant: checksIn(record).find((c) => c.culprit !== undefined)?.culprit };
  play.story.gate(fault, 'transcript verify', { exit: 21, participant: claim.culprit }, observed);
}
