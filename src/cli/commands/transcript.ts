/** `transcript verify`, `transcript show`: need no home, no passphrase and no secret. */
import type { Checkers } from '../../protocols/crew.ts';
import { resolve } from 'node:path';
import { chainLines, MAX_CHAIN_BYTES } from '../../transcript/chain.ts';
import type { EntryPayload } from '../../transcript/entry-fields.ts';
import { NO_ENTRY, readUnproven } from '../../transcript/entry.ts';
import { placeOf } from '../../transcript/merge.ts';
import { type Check, Report, type Verdict, worst } from '../../transcript/report.ts';
import { type NamedPath, readRecord } from '../../transport/record.ts';
import { EXIT, type ExitCode, fail } from '../../wire/errors.ts';
import { type Context, realPath } from '../context.ts';
import { wrap } from '../output.ts';

const SIGN: Readonly<Record<Verdict, string>> = { ok: '✓', wrong: '✗', 'cannot-tell': '?' };
const EXIT_OF: Readonly<Record<Verdict, ExitCode>> = { ok: EXIT.ok, wrong: EXIT.wrong, 'cannot-tell': EXIT.cannotTell };
const VERDICT_LINE: Readonly<Record<Verdict, string>> = {
  ok: 'ok: everything that belongs to this record is here, and it holds.',
  wrong: 'wrong: see the lines above. Keep everything as it is.',
  'cannot-tell': 'cannot tell: supply what is missing above, and verify again.',
};
const WIDTH = 80;
const NAME = 15;

/** Text under its name, in columns. File names on a stick can hold anything; the terminal gets what can be printed. */
function hang(head: string, text: string, indent: number): string {
  const lines = wrap(text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?'), WIDTH - indent).split('\n');
  const pad = ' '.repeat(indent);
  return lines.map((line, i) => (i === 0 ? `${head.padEnd(indent - 1)} ` : pad) + line).join('\n');
}

function checkLine({ name, verdict, culprit, place, text }: Check): string {
  const where = [...(culprit === undefined ? [] : [`culprit: ${culprit}`]), ...(place === undefined || verdict === 'ok' ? [] : [`at ${place}`])].join('; ');
  return hang(`${SIGN[verdict]} ${name}`, `${text}${where === '' ? '' : ` [${where}]`}`, NAME + 3);
}

/** The proofs of ECDSA are checked by all cores. */
const threads: Checkers = { check: async (task, args) => (await import('../../ceremony/crew.ts')).crew().run(task, args) };

export async function transcriptVerify(ctx: Context, args: readonly string[]): Promise<ExitCode> {
  const { folders, evidence, unreadable } = readRecord(ctx.disk, args.map((shown): NamedPath => ({ shown, real: realPath(shown) })));
  const files = new Report();
  for (const { file, reason, text } of unreadable) {
    if (reason === 'missing') files.cannotTell('file', text, { code: 'E_MISSING', place: file });
    else files.wrong('file', text, { code: 'E_TOO_LARGE', place: file });
  }
  const { verifyEvidence, verifyRecord } = await import('../../transcript/verify.ts');
  const found = evidence.length > 0 ? await verifyEvidence(evidence, folders.flat(), threads) : await verifyRecord(folders, threads);
  const checks = [...files.checks, ...found.checks];
  const verdict = worst([files.verdict, found.verdict]);
  const { plan } = found;
  ctx.out.result(
    {
      schema: 'mpc-ceremony/transcript-verify/1',
      verdict,
      checks,
      ...(plan ? { ceremony: plan.name, kind: plan.kind, attempt: plan.attempt, mode: plan.mode, participants: plan.participants.map((p) => p.name) } : {}),
      exit: EXIT_OF[verdict],
    },
    [...checks.map(checkLine), `${SIGN[verdict]} ${VERDICT_LINE[verdict]}`],
  );
  return EXIT_OF[verdict];
}

const short = (hash: string | undefined): string => (hash ?? '').slice(0, 16);

/** What an entry says beyond its kind, in words. */
function facts(p: EntryPayload): string {
  const parts: (string | undefined)[] = [
    p.message,
    p.code,
    p.participant && `by ${p.participant}`,
    p.reason,
    p.allow === undefined ? undefined : p.allow ? 'allowed' : 'refused',
    p.compared && `words ${p.compared}`,
    p.plan && `plan ${short(p.plan)}`,
    p.program && `program ${short(p.program)} on ${p.platform ?? ''} ${p.node ?? ''}`,
    p.subject && `${String(p.subject.bytes)} bytes ${short(p.subject.sha256)}`,
    p.intent && `intent ${short(p.intent)}`,
    p.request && `request ${short(p.request)}`,
    p.epoch && `epoch ${short(p.epoch)}`,
    p.evidence && `evidence ${short(p.evidence)}`,
    p.inputs && `after messages of ${Object.keys(p.inputs).join(', ')}`,
    p.seen && `saw ${Object.entries(p.seen).map(([name, { seq }]) => placeOf(name, seq)).join(', ')}`,
  ];
  return parts.filter((s) => s !== undefined && s !== '').join(', ');
}

export async function transcriptShow(ctx: Context, argument: string): Promise<ExitCode> {
  const file = resolve(argument);
  const bytes = ctx.disk.read(realPath(file), MAX_CHAIN_BYTES) ?? fail('E_MISSING', `there is no transcript ${file}`, { file });
  const entries: (EntryPayload & { readonly hash: string })[] = [];
  const lines: string[] = [];
  let prev = NO_ENTRY;
  for (const line of chainLines(bytes)) {
    const { payload, hash } = readUnproven(line);
    if (payload.seq !== entries.length + 1 || payload.prev !== prev) fail('E_CHAIN', `line ${String(entries.length + 1)} does not continue the entry before it`, { file });
    if (entries.length === 0) lines.push(`Transcript of ${payload.author} in ceremony ${payload.ceremony}`);
    const [day = '', time = ''] = payload.at.split('T');
    if (day !== entries.at(-1)?.at.slice(0, day.length)) lines.push(`${day} (UTC)`);
    prev = hash;
    entries.push({ ...payload, hash });
    lines.push(hang(`${String(payload.seq).padStart(5)}  ${time.replace('Z', '')}  ${payload.kind}`, facts(payload), 30));
  }
  lines.push(`Head ${prev}`, 'Signatures were not checked here; mpc-ceremony transcript verify does that.');
  ctx.out.result({ schema: 'mpc-ceremony/transcript-show/1', author: entries[0]?.author, ceremony: entries[0]?.ceremony, entries, head: prev, exit: 0 }, lines);
  return EXIT.ok;
}
