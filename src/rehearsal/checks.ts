/** Checks at the end: the homes agree, the signature is good in the eyes of others, the records verify. */
import { createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from '../wire/errors.ts';
import { expectGood, type Play } from './play.ts';
import { together } from './program.ts';
import { copyOf, MESSAGE } from './stage.ts';
import { ANYBODY, show, verdictOf } from './story.ts';

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

/** Verifies the signature with OpenSSL, where OpenSSL knows the kind of signature. @returns its hex */
export async function checkSignature(play: Play, ceremony: string): Promise<string> {
  const { key, scheme, signers } = play.stage.cast;
  const [lead] = signers as [string, ...string[]];
  const signature = readFileSync(join(play.stage.root, copyOf(lead, ceremony), 'signature.bin'));
  if (scheme !== 'frost-ed25519' && scheme !== 'frost-ed448') {
    play.story.check('signature by OpenSSL', 'not-checked', `OpenSSL knows no signatures of ${scheme}; every signer's own program has verified it`);
    return signature.toString('hex');
  }
  const exported = await play.program.run(lead, ['key', 'export', key, '--format', 'pem']);
  play.story.step(lead, 'key export', 'writes the public key as PEM', exported);
  expectGood(lead, 'key export', exported);
  const pem = exported.report['value'];
  if (typeof pem !== 'string') return fail('E_INTERNAL', 'key export gave no PEM');
  const good = verify(null, readFileSync(join(play.stage.root, MESSAGE)), createPublicKey(pem), signature);
  play.story.check('signature by OpenSSL', good ? 'ok' : 'wrong', good ? 'OpenSSL verifies the signature with the exported key' : 'OpenSSL does NOT verify the signature');
  return signature.toString('hex');
}

/** The transcripts of a finished ceremony verify, as anybody can check without a home. */
export async function checkTranscripts(play: Play, ceremony: string, reader: string): Promise<void> {
  const outcome = await play.program.run(ANYBODY, ['transcript', 'verify', copyOf(reader, ceremony)]);
  play.story.step(ANYBODY, 'transcript verify', `checks the record of ${ceremony}, without a home or a secret`, outcome);
  const verdict = outcome.report['verdict'];
  const good = outcome.exit === 0 && verdict === 'ok';
  play.story.check(`transcripts of ${ceremony}`, good ? 'ok' : 'wrong', good ? `the record of ${ceremony} verifies: ok` : `the record of ${ceremony}: ${typeof verdict === 'string' ? verdict : show(verdictOf(outcome))}`);
}
