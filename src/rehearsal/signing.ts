/** Using the new key: a signature on a sentence, and where the scheme has presignatures, one from stock and one without. */
import { SCHEMES } from '../curves/scheme.ts';
import { begin, goThrough, joinAll } from './ceremony.ts';
import { checkOneMessage } from './checks.ts';
import type { FaultName } from './faults.ts';
import { act, expectGood, type Play } from './play.ts';
import type { Outcome } from './program.ts';
import { copyOf, MESSAGE } from './stage.ts';
import { playWrongShare } from './wrong-share.ts';

/** Presignatures made: one for the signing from stock, one for its further attempt where a fault spends the first. */
const PRESIGNATURES = 2;

/** Folders of what the key was used for. */
export interface Uses {
  readonly presigning?: string;
  /** Attempts that a fault ended. */
  readonly ended: readonly string[];
  /** Signings that gave a signature. */
  readonly signings: readonly string[];
}

/** Uses the key by an exact minimal quorum. */
export async function useKey(play: Play, faults: readonly FaultName[]): Promise<Uses> {
  const { key, scheme } = play.stage.cast;
  const signing = (n: number): string => `${key}-sign-${String(n)}`;
  const crash = faults.filter((f) => f === 'crash');
  if (SCHEMES[scheme].protocol === 'frost') {
    play.story.chapter('Signing');
    await sign(play, signing(1), crash);
    return { ended: [], signings: [signing(1)] };
  }
  const presigning = await presign(play, crash);
  play.story.chapter('Signing from stock: one message of each signer');
  const ended: string[] = [];
  if (faults.includes('wrong-share')) {
    expectGood(play.stage.cast.lead, 'sign', await beginSigning(play, signing(1)));
    await playWrongShare(play, signing(1), () => beginAgain(play, signing(1), signing(2)));
    expectGood(play.stage.cast.lead, 'sign', await beginAgain(play, signing(1), signing(2)));
    ended.push(signing(1));
    await finish(play, signing(2), crash);
  } else await sign(play, signing(1), crash);
  const fromStock = signing(1 + ended.length);
  checkOneMessage(play, fromStock);
  const live = signing(2 + ended.length);
  play.story.chapter('Signing without a stock');
  await sign(play, live, crash, ['--live']);
  return { presigning, ended, signings: [fromStock, live] };
}

async function presign(play: Play, faults: readonly FaultName[]): Promise<string> {
  const { key, signers } = play.stage.cast;
  const [lead] = signers as [string, ...string[]];
  const ceremony = `${key}-presign-1`;
  play.story.chapter('Presigning');
  const args = ['--key', key, '--count', String(PRESIGNATURES), '--signers', signers.join(',')];
  expectGood(lead, 'presign', await begin(play, { ceremony, lead, command: 'presign', args, doing: `makes the plan of ${String(PRESIGNATURES)} presignatures` }));
  await finish(play, ceremony, faults);
  return ceremony;
}

async function sign(play: Play, ceremony: string, faults: readonly FaultName[], options: readonly string[] = []): Promise<void> {
  expectGood(play.stage.cast.signers[0] as string, 'sign', await beginSigning(play, ceremony, options));
  await finish(play, ceremony, faults);
}

/** The lead of a signing states what is to be signed, and begins. */
async function beginSigning(play: Play, ceremony: string, options: readonly string[] = []): Promise<Outcome> {
  const { key, scheme, signers } = play.stage.cast;
  const [lead] = signers as [string, ...string[]];
  const intent = `${lead}/${ceremony}-intent.json`;
  const hash = SCHEMES[scheme].protocol === 'cggmp24' ? ['--hash', 'sha256'] : [];
  await act(play, lead, 'intent create', ['intent', 'create', '--key', key, '--action', 'message', '--file', MESSAGE, ...hash, '--out', intent], `states what is to be signed: ${MESSAGE}`);
  return begin(play, { ceremony, lead, command: 'sign', args: ['--intent', intent, '--signers', signers.join(','), ...options], doing: 'makes the plan of the signing' });
}

/** A further attempt at a signing. */
function beginAgain(play: Play, before: string, ceremony: string): Promise<Outcome> {
  const [lead] = play.stage.cast.signers as [string, ...string[]];
  return begin(play, { ceremony, lead, command: 'sign', args: ['--again', copyOf(lead, before)], doing: 'begins again' });
}

/** The other signers join, and everybody goes through to the end. */
async function finish(play: Play, ceremony: string, faults: readonly FaultName[]): Promise<void> {
  const held = { ceremony, people: play.stage.cast.signers, witnesses: [], faults };
  await joinAll(play, held);
  await goThrough(play, held);
}
