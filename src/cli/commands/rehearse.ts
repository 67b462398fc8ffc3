/** `rehearse`: a whole ceremony with simulated participants on one machine. */
import { relative, resolve } from 'node:path';
import { type Draft, parseDraft } from '../../ceremony/draft.ts';
import { plainDraft, rehearsable } from '../../rehearsal/cast.ts';
import { type FaultName, FAULTS, faultsOf, isFault } from '../../rehearsal/faults.ts';
import { rehearse, type Result } from '../../rehearsal/rehearse.ts';
import { answered, inWords } from '../../rehearsal/story.ts';
import { type SchemeName, SCHEMES } from '../../curves/scheme.ts';
import { MAX_PLAN_FILE_BYTES } from '../../plan/plan-file.ts';
import { EXIT, type ExitCode, fail } from '../../wire/errors.ts';
import type { Context } from '../context.ts';
import { wrap } from '../output.ts';
import { templates } from '../templates.ts';

interface RehearseOptions {
  template?: string;
  scheme?: string;
  quorum?: string;
  fault?: string[];
  out?: string;
}

function schemeOf(text: string): SchemeName {
  if (Object.hasOwn(SCHEMES, text)) return text as SchemeName;
  return fail('E_SCHEME', `there is no scheme ${text}`, { field: 'scheme', remedy: `Known schemes: ${Object.keys(SCHEMES).join(', ')}` });
}

/** A template by its name, or any draft by its path. */
async function draftOf(ctx: Context, options: RehearseOptions): Promise<Draft> {
  const scheme = options.scheme === undefined ? undefined : schemeOf(options.scheme);
  if (options.template === undefined) return plainDraft(scheme ?? 'frost-ed25519', options.quorum ?? '2-of(alice, bob, carol)');
  if (options.quorum !== undefined) fail('E_USAGE', 'the template has a quorum of its own', { field: 'quorum', remedy: 'Give --template or --quorum, not both.' });
  const own = /[/\\]|\.ya?ml$/.test(options.template);
  const file = own ? resolve(options.template) : `${options.template}.yaml`;
  const known = templates();
  const bytes =
    (own ? ctx.disk.read(file, MAX_PLAN_FILE_BYTES) : known.get(options.template)) ??
    fail('E_USAGE', `there is no template ${options.template}`, { field: 'template', remedy: `Templates: ${[...known.keys()].join(', ')}; or the path of your own draft.` });
  return rehearsable(await parseDraft(bytes, file), scheme);
}

function chosenFaults(given: readonly string[], draft: Draft): FaultName[] {
  const known = faultsOf(draft.scheme);
  const remedy = `Faults: ${known.join(', ')}`;
  const faults = given.map((f) => (isFault(f) ? f : fail('E_USAGE', `there is no fault ${f}`, { field: 'fault', remedy })));
  const other = faults.find((f) => !known.includes(f));
  if (other !== undefined) fail('E_USAGE', `the fault ${other} is one of threshold ECDSA; this key is ${draft.scheme}`, { field: 'fault', remedy: `${remedy}; or give --scheme cggmp24-secp256k1.` });
  if (faults.includes('equivocation') && draft.participants.length < 3)
    fail('E_USAGE', 'equivocation needs three participants: one who signs twice and two who compare', { field: 'fault' });
  return [...new Set(faults)];
}

/** Folder name: date and time of the machine's own clock, safe on every file system. */
function folderName(now: Date): string {
  const two = (n: number): string => String(n).padStart(2, '0');
  const [date, time] = [[now.getFullYear(), now.getMonth() + 1, now.getDate()], [now.getHours(), now.getMinutes(), now.getSeconds()]];
  return `rehearsal-${(date as number[]).map(two).join('')}-${(time as number[]).map(two).join('')}`;
}

export async function rehearseCommand(ctx: Context, options: RehearseOptions): Promise<ExitCode> {
  const draft = await draftOf(ctx, options);
  const faults = chosenFaults(options.fault ?? [], draft);
  const now = ctx.now();
  const out = resolve(options.out ?? folderName(now));
  ctx.out.say(`Rehearsal of ${draft.quorum} in ${relative(process.cwd(), out)}/`);
  if (SCHEMES[draft.scheme].protocol === 'cggmp24')
    ctx.out.say(wrap('Threshold ECDSA: every participant makes primes of its own, which takes some seconds for each and now and then a minute.', 80));
  const entry = process.argv[1] ?? fail('E_INTERNAL', 'the file of this program is not known');
  const result = await rehearse({
    draft,
    faults,
    out,
    entry,
    now,
    say: (text) => {
      ctx.out.say(text);
    },
  });
  const exit = result.failure === undefined ? EXIT.ok : EXIT.internal;
  ctx.out.result(asObject(result, exit), summary(result));
  return exit;
}

function asObject(r: Result, exit: ExitCode): Record<string, unknown> {
  return {
    schema: 'mpc-ceremony/rehearsal/1',
    mode: 'rehearsal',
    key: r.cast.key,
    scheme: r.cast.scheme,
    quorum: r.cast.quorum,
    participants: r.cast.holders,
    signers: r.cast.signers,
    publicKey: r.publicKey ?? null,
    signature: r.signatures[0] ?? null,
    signatures: r.signatures,
    attempts: r.attempts,
    presigning: r.uses?.presigning ?? null,
    signings: r.uses?.signings ?? [],
    milliseconds: r.story.milliseconds,
    steps: r.story.steps,
    faults: r.story.faults,
    checks: r.story.checks,
    folder: r.folder,
    ...(r.failure === undefined ? {} : { error: { code: 'E_INTERNAL', text: r.failure, file: r.folder, remedy: 'Keep the folder and report it; log.txt has every step.' } }),
    exit,
  };
}

/** What happened, where it lies, what to look at, what to do next. */
function summary(r: Result): string[] {
  const { cast, story } = r;
  const folder = relative(process.cwd(), r.folder) || '.';
  const key = r.attempts.at(-1);
  const seconds = (story.milliseconds / 1000).toFixed(1);
  const mark = { ok: '✓', wrong: '✗', 'not-checked': '–' } as const;
  const lines = [
    r.failure === undefined ? `✓ A whole ceremony in ${seconds} s: ${String(story.steps.length)} commands, ${String(cast.everybody.length)} laptops, one courier.` : `✗ This rehearsal is not as it should be.`,
  ];
  if (r.failure !== undefined) lines.push(wrap(r.failure, 80, '  '));
  if (r.publicKey !== undefined) lines.push(wrap(`The key ${cast.key} of ${cast.quorum} (${cast.scheme}) was made${r.attempts.length > 1 ? ` in attempt ${String(r.attempts.length)}` : ''}; it was never whole anywhere.`, 80, '  '));
  if (r.signatures.length > 0) lines.push(wrap(`${inWords(cast.signers)} signed${r.signatures.length > 1 ? ', from stock and without' : ''}: “${r.message.trim()}”`, 80, '  '));
  for (const f of story.faults) {
    lines.push(wrap(`${answered(f) ? '✓' : '✗'} fault ${f.fault}: ${FAULTS[f.fault]}`, 80, '  '));
    // several people often get the same answer
    for (const text of new Set(f.gates.map((g) => g.text)))
      lines.push(wrap(`${inWords(f.gates.filter((g) => g.text === text).map((g) => g.participant))}: ${text}`, 80, '      '));
  }
  for (const c of story.checks) lines.push(wrap(`${mark[c.verdict]} ${c.text}`, 80, '  '));
  lines.push(`Everything lies in ${folder}/ — begin with README.txt there.`, '  log.txt                    every step, with the command to type');
  if (key !== undefined) lines.push(`  ${`${cast.lead}/${key}/`.padEnd(26)} a ceremony folder, as it lies on the stick`);
  lines.push(`  ${'homes/'.padEnd(26)} what never leaves a laptop`);
  const untried = faultsOf(cast.scheme).find((f) => !story.faults.some((played) => played.fault === f));
  if (untried === undefined) lines.push('NEXT  rehearse your own plan:  mpc-ceremony rehearse --template MY-DRAFT.yaml');
  else if (cast.scheme === 'frost-ed25519') lines.push(`NEXT  see a gate refuse:       mpc-ceremony rehearse --fault ${untried}`);
  else lines.push('NEXT  see a gate refuse:', `        mpc-ceremony rehearse --scheme ${cast.scheme} --fault ${untried}`);
  lines.push('      begin a real ceremony:   mpc-ceremony init --name YOUR-NAME');
  return lines;
}
