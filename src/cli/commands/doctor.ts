/** `doctor`: is this machine fit? */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { usesOpenssl } from '../../arith/modexp.ts';
import { preparedPrimes } from '../../ceremony/primes.ts';
import { lockReason, openHome } from '../../ceremony/home.ts';
import { activeEpoch, keyNames, pendingEpochs } from '../../ceremony/key-store.ts';
import { examineMachine, type MachineFinding, programWords } from '../../ceremony/machine.ts';
import { programDigest, programFile } from '../../ceremony/program.ts';
import { resultOf } from '../../ceremony/result.ts';
import { CeremonyStore } from '../../ceremony/store.ts';
import { EXIT, type ExitCode } from '../../wire/errors.ts';
import { formatWords } from '../../wire/words.ts';
import { type Context, realPath } from '../context.ts';
import { fold } from '../output.ts';
import { VERSION } from '../version.ts';

const MARK = { ok: '✓ ok  ', warn: '! warn', bad: '✗ BAD ' } as const;

/** What support may see. Built from an allow-list of public facts: nothing is copied and redacted. */
function bundle(ctx: Context, home: string | undefined, program: string, findings: readonly MachineFinding[]): Record<string, unknown> {
  const facts = { schema: 'mpc-ceremony/bundle/1', version: VERSION, program, node: process.version, platform: process.platform, findings };
  if (home === undefined) return facts;
  const opened = openHome(ctx.disk, home);
  return {
    ...facts,
    mode: opened.facts.mode,
    locked: lockReason(opened) !== undefined,
    keys: keyNames(opened).map((name) => ({ epoch: activeEpoch(opened, name)?.epoch.number ?? null, scheme: activeEpoch(opened, name)?.epoch.key.scheme ?? null, pending: pendingEpochs(opened, name) })),
    ceremonies: CeremonyStore.all(opened).map((s) => ({ kind: s.plan.kind, attempt: s.plan.attempt, result: resultOf(s, ctx.now()), code: s.ending?.code ?? null, entries: s.journal.map((e) => ({ kind: e.payload.kind, code: e.payload.code ?? null })) })),
  };
}

export async function doctor(ctx: Context, options: { bundle?: string }): Promise<ExitCode> {
  const home = ctx.disk.exists(join(ctx.homeRoot, 'VERSION')) ? ctx.homeRoot : undefined;
  const dir = home ?? mkdtempSync(join(tmpdir(), 'mpc-ceremony-doctor-'));
  const findings = examineMachine(ctx.disk, dir, ctx.now(), { openssl: usesOpenssl(), primes: home === undefined ? undefined : preparedPrimes(openHome(ctx.disk, home)).length });
  if (home === undefined) rmSync(dir, { recursive: true });
  const digest = programDigest();
  const list = programWords(digest);
  const file = programFile();
  const exit = findings.some((f) => f.state === 'bad') ? EXIT.environment : EXIT.ok;
  if (options.bundle !== undefined) {
    const file = realPath(options.bundle);
    ctx.disk.write(file, new TextEncoder().encode(`${JSON.stringify(bundle(ctx, home, digest, findings), null, 1)}\n`), { mode: 0o644 });
    ctx.out.say(`✓ ${file}: public facts only; read it before you send it.`);
  }
  ctx.out.result({ schema: 'mpc-ceremony/doctor/1', fit: exit === EXIT.ok, program: digest, ...(file === undefined ? {} : { file }), words: list, findings, exit }, [
    ...findings.flatMap((f) => fold(`${MARK[f.state]}  ${f.name.padEnd(10)}  ${f.text}${f.remedy === undefined ? '' : `. ${f.remedy}`}`)),
    'Words of this program; everybody who runs the same one sees the same:',
    ...formatWords(list),
    exit === EXIT.ok ? 'This machine is fit. Weigh the warnings.' : 'This machine is NOT fit.',
  ]);
  return Promise.resolve(exit);
}
