/** `doctor`: is this machine fit? */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { examineMachine } from '../../ceremony/machine.ts';
import { programDigest } from '../../ceremony/program.ts';
import { EXIT, type ExitCode } from '../../wire/errors.ts';
import { fromHex } from '../../wire/bytes.ts';
import { formatWords, words } from '../../wire/words.ts';
import type { Context } from '../context.ts';
import { wrap } from '../output.ts';

const MARK = { ok: '✓ ok  ', warn: '! warn', bad: '✗ BAD ' } as const;

export async function doctor(ctx: Context): Promise<ExitCode> {
  const home = ctx.disk.exists(join(ctx.homeRoot, 'VERSION')) ? ctx.homeRoot : undefined;
  const dir = home ?? mkdtempSync(join(tmpdir(), 'mpc-ceremony-doctor-'));
  const findings = examineMachine(ctx.disk, dir, ctx.now());
  if (home === undefined) rmSync(dir, { recursive: true });
  const digest = programDigest();
  const list = words(fromHex(digest).slice(0, 16));
  const exit = findings.some((f) => f.state === 'bad') ? EXIT.environment : EXIT.ok;
  ctx.out.result({ schema: 'mpc-ceremony/doctor/1', fit: exit === EXIT.ok, program: digest, words: list, findings, exit }, [
    ...findings.map((f) => wrap(`${MARK[f.state]}  ${f.name.padEnd(10)}  ${f.text}${f.remedy === undefined ? '' : `. ${f.remedy}`}`, 80).replaceAll('\n', '\n        ')),
    'Words of this program; everybody who runs the same one sees the same:',
    ...formatWords(list),
    exit === EXIT.ok ? 'This machine is fit. Weigh the warnings.' : 'This machine is NOT fit.',
  ]);
  return Promise.resolve(exit);
}
