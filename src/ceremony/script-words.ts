/** Words of the printed script that follow from its facts: the lead's first command, and what has ended when a participant is done. */
import type { ScriptFacts } from './script-steps.ts';

/** Whether the ceremony ends with words of a key. */
export function makesEpoch({ kind }: ScriptFacts): boolean {
  return kind !== 'sign' && kind !== 'presign';
}

/** The name of the ceremony folder. */
export function scriptFolder(facts: ScriptFacts): string {
  return facts.folder ?? (facts.kind === 'sign' ? facts.name : `${facts.name}-${facts.kind}`);
}

/** What is true on a laptop that has finished. @param leaves whether it only handed the key on */
export function finished({ kind }: ScriptFacts, leaves: boolean): string {
  if (leaves) return 'this laptop holds no share any more';
  return {
    dkg: 'the key is active on this laptop',
    refresh: 'the new share is active on this laptop, and the old one destroyed',
    reshare: 'the new share is active on this laptop; an old one is destroyed',
    import: 'the key is active on this laptop',
    sign: 'the signature is in the folder and verifies',
    presign: 'the presignatures are in stock on this laptop',
  }[kind];
}

/** The lead's first command, as it is typed. */
export function startCommand(facts: ScriptFacts): string {
  const { name, scheme, quorumText, participants, attended, options = [], routes, pinned } = facts;
  const signers = ['--signers', participants.map((p) => p.name).join(',')];
  const what = {
    dkg: ['dkg', '--name', name, '--scheme', scheme, '--quorum', quorumText, '--cards', 'cards'],
    refresh: ['refresh', '--key', name],
    reshare: ['reshare', '--key', name, '--quorum', quorumText, ...options, '--cards', 'cards'],
    import: ['import', '--name', name, ...options, '--quorum', quorumText, '--cards', 'cards', ...(participants.find((p) => p.name === facts.lead)?.brings ?? ['--share', 'FILE'])],
    sign: ['sign', '--intent', 'intent.json', ...signers],
    presign: ['presign', '--key', name, '--count', String(facts.count ?? 1), ...signers],
  }[facts.kind];
  return ['mpc-ceremony', ...what, ...(routes ? ['--routes', routes.join(',')] : []), ...(pinned ? ['--pin-program'] : []), '--out', scriptFolder(facts), ...(attended ? [] : ['--unattended'])].map(quoted).join(' ');
}

/** One word of a command as a POSIX shell reads it. */
function quoted(word: string): string {
  return /^[A-Za-z0-9_.,:=/-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** What a person does at the first stop before anything leaves the laptop: the code on the screen, and the words on the paper. */
export function firstPrompts(facts: ScriptFacts, who: string): ['COMPARE_WORDS' | 'APPROVE', string][] {
  if (!facts.attended) return [];
  return [
    ...(who === facts.lead
      ? []
      : [['COMPARE_WORDS', `The screen shows the sixteen words with two of them blank. ${facts.lead} reads those two aloud from the paper; ${who} types them.`] as ['COMPARE_WORDS', string]]),
    ...(facts.kind === 'sign' && facts.participants.some((p) => p.name === who)
      ? [['APPROVE', `${who} reads what is to be signed, on this screen and not on another, and approves or refuses it.`] as ['APPROVE', string]]
      : []),
  ];
}

/** What is copied onto paper at the end. */
export function wordsOfTheKey(who: string): string {
  return `${who} copies the sixteen words of the key from the screen onto the page "Words of the key". They are the same for everybody.`;
}
