/**
 * Sorting the files of a record. A file is recognised by its content, so that a renamed one still counts; where the
 * content cannot be recognised (because it is damaged, or has no form of its own) by the place where it lies.
 */
import { blobHint } from '../wire/blob.ts';

/** A file as it was read: a path for people, and all its bytes. */
export interface RecordFile {
  /** Path with `/`; its last two parts tell the place in the ceremony folder. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** The files of one ceremony, by what they are. Several copies of each are welcome. */
export interface RecordFiles {
  readonly plans: readonly RecordFile[];
  readonly chains: readonly RecordFile[];
  readonly blobs: readonly RecordFile[];
  readonly certificates: readonly RecordFile[];
  readonly presignatures: readonly RecordFile[];
  readonly intents: readonly RecordFile[];
  readonly messages: readonly RecordFile[];
  readonly signatures: readonly RecordFile[];
  readonly signatureFacts: readonly RecordFile[];
  readonly evidence: readonly RecordFile[];
  readonly notes: readonly RecordFile[];
  readonly cards: readonly RecordFile[];
  /** Signed statements of destruction. */
  readonly statements: readonly RecordFile[];
}

type Sort = keyof RecordFiles;

const BY_NAME: Readonly<Record<string, Sort>> = {
  'PLAN.yaml': 'plans',
  'intent.json': 'intents',
  'message.bin': 'messages',
  'signature.bin': 'signatures',
  'signature.json': 'signatureFacts',
  'certificate.json': 'certificates',
  'rehearsal.json': 'certificates',
  'presignature.json': 'presignatures',
};
const BY_ENDING: readonly (readonly [string, Sort])[] = [
  ['.jsonl', 'chains'],
  ['.blob', 'blobs'],
  ['.card', 'cards'],
];
// canonical JSON: every kind of file begins with its first field
const BY_START: readonly (readonly [string, Sort])[] = [
  ['{"payload":', 'chains'],
  ['{"confirms":', 'certificates'],
  ['{"chi":', 'presignatures'],
  ['{"intent":{', 'intents'],
  ['{"code":"E_', 'evidence'],
  ['{"ed25519":', 'cards'],
  ['{"custody":', 'cards'],
  ['{"ceremony":', 'signatureFacts'],
  ['{"at":', 'statements'],
];

/** What a file is; undefined for files that are no part of a record. */
export function sortOf({ file, bytes }: RecordFile): Sort | undefined {
  const [name = '', folder = ''] = file.split('/').reverse();
  const named = BY_NAME[name];
  if (named) return named;
  if (folder === 'destroyed' && name.endsWith('.json')) return 'statements';
  if (folder === 'evidence') return name.endsWith('.json') ? 'evidence' : 'notes';
  const start = Buffer.from(bytes.subarray(0, 64)).toString('latin1');
  const known = BY_START.find(([text]) => start.startsWith(text)) ?? BY_ENDING.find(([ending]) => name.endsWith(ending));
  if (known) return known[1];
  if (/\.ya?ml$/.test(name) && /^schema: mpc-ceremony\/plan\/\d+$/m.test(Buffer.from(bytes.subarray(0, 1024)).toString('latin1'))) return 'plans';
  return blobHint(bytes) === undefined ? undefined : 'blobs';
}

/** Sorts files; those that are no part of a record are left out. */
export function sortFiles(files: readonly RecordFile[]): RecordFiles {
  const sorted: Record<Sort, RecordFile[]> = {
    plans: [], chains: [], blobs: [], certificates: [], presignatures: [], intents: [], messages: [], signatures: [], signatureFacts: [], evidence: [], notes: [], cards: [], statements: [],
  };
  for (const file of files) {
    const sort = sortOf(file);
    if (sort) sorted[sort].push(file);
  }
  return sorted;
}
