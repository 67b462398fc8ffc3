/** README.txt of a rehearsal folder. */
import { SCHEMES } from '../curves/scheme.ts';
import { SLOTS } from '../protocols/machine.ts';
import type { Result } from './rehearse.ts';
import { fold } from './story.ts';

/** Explains what lies where. */
export function readme({ cast, attempts, uses, failure }: Result): string {
  const key = attempts.at(-1) ?? `${cast.key}-dkg-1`;
  const rounds = SLOTS[`${SCHEMES[cast.scheme].protocol}/dkg`].length;
  const ended = [...attempts.slice(0, -1), ...(uses?.ended ?? [])];
  const rows: [string, string][] = [
    ['log.txt', 'every step with its time and its exact command'],
    ['homes/NAME/', `what lies on the laptop of NAME in a real ceremony and never leaves it: sealed keys, journal. Here: ${cast.everybody.join(', ')}`],
    ['passphrase.txt', 'the passphrase of all homes here. Real ones are typed, never written to a file beside the home'],
    ['cards/', 'the public cards that the lead had collected'],
    ['draft.yaml', 'what was asked for, in the form that plan check and dkg --plan read'],
    ['message.txt', 'the sentence that was signed'],
    ['NAME/', "that participant's own copies of the ceremony folders: what would lie on the stick"],
    [`  ${key}/`, `the key generation: PLAN.yaml, a message of each participant in round-1 to round-${String(rounds)}, transcript/ with the signed records and the certificate`],
    ...(uses?.presigning === undefined ? [] : [[`  ${uses.presigning}/`, 'the presigning: signatures prepared by the signers, each for one message that is not known yet'] as [string, string]]),
    ...(uses?.signings ?? []).map((s, i): [string, string] => [`  ${s}/`, `the signing${uses?.presigning === undefined ? '' : i === 0 ? ' from stock' : ' without a stock'}: intent.json, signature.bin, signature.json`]),
    ...ended.map((a): [string, string] => [`  ${a}/`, 'an attempt that a fault ended; evidence/ holds the proof of who is named']),
  ];
  return `${[
    'A rehearsal of mpc-ceremony',
    '===========================',
    '',
    ...fold('Nothing here is real: every card, plan, message, key and signature is marked as a rehearsal’s, and homes made for production refuse them. The whole folder can be deleted.', 78),
    ...(failure === undefined ? [] : ['', ...fold(`NOT AS IT SHOULD BE: ${failure}`, 78)]),
    '',
    ...rows.flatMap(([name, text]) => fold(text, 50).map((line, i) => `${i === 0 ? name.padEnd(28) : ' '.repeat(28)}${line}`)),
    '',
    'Things to try, from inside this folder:',
    '',
    `  mpc-ceremony status ${cast.lead}/${key} --home homes/${cast.lead}`,
    `  mpc-ceremony key show ${cast.key} --home homes/${cast.lead}`,
    `  mpc-ceremony transcript verify ${cast.lead}/${key}`,
    `  mpc-ceremony next ${cast.lead}/${key} --home homes/${cast.lead} \\`,
    '               --passphrase-file passphrase.txt',
    '      (running a step again is harmless: it writes the same files again)',
    '',
    ...fold('A production draft with "rehearsal: required" begins only after a rehearsal with the same names and quorum. To rely on this one:', 78),
    '',
    `  mpc-ceremony dkg --rehearsed ${cast.lead}/${key} …`,
  ].join('\n')}\n`;
}
