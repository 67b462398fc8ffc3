/** A step of a drill as it is printed: what is typed in the room, and what must be seen. */
import { type Deed, type DrillStep, type Expect, FINDER, THIEF, type Word } from './drill-script.ts';
import { inWords } from './story.ts';

/** A word as a person in the room types it. */
function inTheRoom(word: Word): string {
  if (typeof word === 'string') return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`;
  if ('folder' in word) return word.folder;
  if ('own' in word) return word.own;
  if ('common' in word) return word.common.split('/').slice(-1).join('');
  if ('cards' in word) return 'CARDS';
  if ('safe' in word) return `SAFE/${word.safe}`;
  return 'age1…';
}

/** What is typed for a deed, where something is. Folders are those of the person whose stick or laptop it is. */
function deedInTheRoom(deed: Deed): string | undefined {
  switch (deed.deed) {
    case 'copy-home':
      return 'cp -a ~/.mpc-ceremony COPY';
    case 'card':
      return `cp ~/.mpc-ceremony/identity/${deed.of}.card CARDS/`;
    case 'backup-key':
      return `age-keygen -o SAFE/${deed.of}.identity`;
    case 'exchange':
      return `cp ${deed.by.slice(deed.by.indexOf('/') + 1)} ${deed.ceremony}/${deed.path}`;
    case 'flip':
      return `printf '\\377' | dd of=${deed.ceremony}/${deed.path} bs=1 seek=100 conv=notrunc`;
    case 'edit':
      return `sed -i 's/^${deed.line}.*/${deed.line}${deed.text}/' ${deed.ceremony}/${deed.path}`;
    case 'new-folder':
      return `mkdir ${deed.ceremony}`;
    default:
      return undefined;
  }
}

/** The command of a step, without the flags that only a rehearsal needs; undefined where nothing is typed. */
export function shown({ who, act }: DrillStep): string | undefined {
  switch (act.kind) {
    case 'command':
      return `mpc-ceremony ${act.words.map(inTheRoom).join(' ')}${who.some((w) => w === THIEF || w === FINDER) ? ' --home COPY' : ''}`;
    case 'rounds':
      return `mpc-ceremony next ${act.ceremony}`;
    case 'same-key':
      return `mpc-ceremony key show ${act.key}`;
    case 'deeds': {
      const typed = [...new Set(act.deeds.map(deedInTheRoom).filter((t) => t !== undefined))];
      return typed.length === 0 ? undefined : typed.join('; ');
    }
    default:
      return undefined;
  }
}

function expected({ exit, code, next, names, file, says, has }: Expect): string {
  if (exit.length === 0) return 'the power is gone';
  return [
    `exit ${exit.join(' or ')}`,
    code?.slice(2),
    next?.join(' or '),
    names === undefined ? undefined : next?.includes('BRING_IN') === true ? `waits for ${names}` : `names ${names}`,
    file,
    says === undefined ? undefined : `the text says ${says}`,
    ...Object.entries(has ?? {}).map(([k, v]) => `${k}: ${String(v)}`),
  ]
    .filter((s) => s !== undefined)
    .join(', ');
}

/** What must be seen in a step, in a clause. */
export function seenOf({ act }: DrillStep): string {
  switch (act.kind) {
    case 'command':
      return expected(act.expect);
    case 'rounds':
      return 'everybody: DONE';
    case 'same-key':
      return `the public key of before; epoch ${String(act.epoch)}`;
    case 'unsigned':
      return `no signature.bin in the copies of ${inWords(act.copies)}`;
    case 'scan':
      return 'messages, plan, cards and records only';
    case 'deeds':
      return '';
  }
}
