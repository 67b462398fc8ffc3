/**
 * Whose epoch a backup is of. Backup and certificate in one file vouch for each other alone: whoever makes up both makes up
 * an epoch. What a home restores becomes the epoch that it believes in, so its certificate is one that the home or its
 * operator had before, or a person compares its words.
 */
import type { Certificate } from '../protocols/epoch.ts';
import { equalBytes } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { formatWords, words } from '../wire/words.ts';
import type { Home } from './home.ts';
import { epochCertificate } from './key-store.ts';
import type { Port } from './port.ts';
import { blankTwo } from './word-quiz.ts';

/** How an epoch became known: by a certificate that was there before, by its words, or not at all. */
export const EPOCH_COMPARED = ['certificate', 'typed', 'not-compared'] as const;
export type EpochCompared = (typeof EPOCH_COMPARED)[number];

/**
 * Makes sure of the epoch of a backup.
 * @param certificate the one inside the backup, or beside it
 * @param given a certificate that the operator trusts and that was found to be of this epoch
 * @param unattended no words are compared, and that is recorded
 * @throws E_FORK when the home has another certificate of that epoch; E_PERSON when nobody, or only a script, compares the
 *   words; E_WORDS when they are others
 */
export async function compareEpoch(home: Home, certificate: Certificate, given: Certificate | undefined, unattended: boolean, port: Port): Promise<EpochCompared> {
  const { epoch, digest } = certificate;
  if (given && equalBytes(given.digest, digest)) return 'certificate';
  const own = epochCertificate(home, epoch.key.name, epoch.number);
  if (own && !equalBytes(own.digest, digest)) fail('E_FORK', `this home has another certificate of epoch ${String(epoch.number)} of ${epoch.key.name}`, { remedy: 'Compare the words of the epoch with the other holders. One of the two was made by somebody else.' });
  if (own) return 'certificate';
  if (unattended) return 'not-compared';
  const quiz = blankTwo(words(digest.slice(0, 16)));
  const remedy = 'Run the command at a terminal, or give the certificate of the epoch with --certificate FILE; with --unattended nothing is compared, and that is recorded.';
  const { answer, source } = await port.ask('recover-words', [
    `COMPARE_WORDS  This home does not know epoch ${String(epoch.number)} of ${epoch.key.name}. Compare its words with those that were written down when it was made, or with another holder (mpc-ceremony key show ${epoch.key.name}).`,
    ...formatWords(quiz.shown),
    `Type words ${quiz.positions.join(' and ')} as they stand there, with a space between:`,
  ]);
  if (source === 'scripted') fail('E_PERSON', 'a person must compare the words of the epoch', { field: 'recover-words', remedy });
  if (!quiz.matches(answer))
    fail('E_WORDS', `the words are not those of epoch ${String(epoch.number)} in this backup; nothing was restored`, { remedy: 'Read all sixteen again, slowly. If they still differ, somebody else made this backup.' });
  return 'typed';
}
