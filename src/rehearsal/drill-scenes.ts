/** What drills are made of: a signing, a refresh, a reshare, each as steps. */
import type { Carry, Deed, DrillCast, DrillStep, Expect, Word } from './drill-script.ts';

/** It went on, or waits for others. */
export const GOES_ON: Expect = { exit: [0, 10] };
export const WELL: Expect = { exit: [0] };
export const MESSAGE_FILE = 'message.txt';

/** One command of one or more people. */
export function command(who: string | readonly string[], does: string, words: readonly Word[], expect: Expect = WELL, more: { readonly begins?: string; readonly carry?: Carry; readonly power?: number; readonly notices?: string } = {}): DrillStep {
  const { notices, ...rest } = more;
  return { who: typeof who === 'string' ? [who] : who, does, act: { kind: 'command', words, expect, ...rest }, ...(notices === undefined ? {} : { notices }) };
}

/** Something that happens to laptops or files. */
export function happens(who: string, does: string, deeds: readonly Deed[], ...injects: readonly string[]): DrillStep {
  return { who: [who], does, act: { kind: 'deeds', deeds, ...(injects.length === 0 ? {} : { injects }) } };
}

export function sameKey(cast: DrillCast, who: readonly string[], epoch: number): DrillStep {
  return { who, does: 'the key is the same, in the new epoch', act: { kind: 'same-key', key: cast.key, epoch } };
}

export function untilDone(people: readonly string[], ceremony: string): DrillStep {
  return { who: people, does: 'the stick goes round until everybody is done', act: { kind: 'rounds', ceremony } };
}

/** Everybody else joins. */
export function joins(people: readonly string[], others: readonly string[], ceremony: string): DrillStep {
  return command(others, 'reads the plan, compares its words, takes part', ['join', { folder: ceremony }], GOES_ON, { carry: { ceremony, people } });
}

/** The lead of a signing says what is to be signed, and begins. */
export function signBegins(cast: DrillCast, ceremony: string, lead: string, signers: readonly string[], does = 'begins a signing'): DrillStep[] {
  const intent: Word = { own: `${ceremony}-intent.json` };
  return [
    command(lead, 'says what is to be signed', ['intent', 'create', '--key', cast.key, '--action', 'message', '--file', { common: MESSAGE_FILE }, ...(cast.ecdsa ? ['--hash', 'sha256'] : []), '--out', intent]),
    command(lead, does, ['sign', '--intent', intent, '--signers', signers.join(','), ...(cast.ecdsa ? ['--live'] : []), '--out', { folder: ceremony }], WELL, { begins: ceremony }),
  ];
}

/** A whole signing. */
export function signing(cast: DrillCast, ceremony: string, signers: readonly string[], does?: string): DrillStep[] {
  const [lead, ...others] = signers as [string, ...string[]];
  return [...signBegins(cast, ceremony, lead, signers, does), joins(signers, others, ceremony), untilDone(signers, ceremony)];
}

/** A refresh is begun and joined by everybody in `people`; the first one leads. */
export function refreshBegins(cast: DrillCast, ceremony: string, people: readonly string[]): DrillStep[] {
  const [lead, ...others] = people as [string, ...string[]];
  return [
    command(lead, 'begins a refresh', ['refresh', '--key', cast.key, '--out', { folder: ceremony }], WELL, { begins: ceremony }),
    joins(people, others, ceremony),
  ];
}

/** A new laptop for a new participant, or for the return of one. */
export function newHome(name: string): DrillStep[] {
  return [
    command(name, 'makes a new home, on a laptop of its own', ['init', '--name', name, '--rehearsal']),
    happens('courier', `brings the card of ${name} to the others`, [{ deed: 'card', of: name }]),
  ];
}

/** A reshare that puts somebody new in the place of somebody who is gone. */
export function replacement(cast: DrillCast, ceremony: string, gone: string, people: readonly string[]): DrillStep[] {
  const [lead, ...others] = people as [string, ...string[]];
  return [
    command(lead, `begins a reshare: ${cast.newcomer} in place of ${gone}`, ['reshare', '--key', cast.key, '--replace', `${gone}=${cast.newcomer}`, '--cards', { cards: true }, '--out', { folder: ceremony }], GOES_ON, { begins: ceremony }),
    joins(people, others, ceremony),
    untilDone(people, ceremony),
  ];
}
