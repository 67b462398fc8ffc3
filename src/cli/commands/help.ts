/** `help exit-codes`, `help errors`, `help actions`, `help protocols`. */
import { ACTIONS } from '../../ceremony/actions.ts';
import { ERRORS, EXIT, EXIT_TABLE, type ExitCode, fail } from '../../wire/errors.ts';
import type { Context } from '../context.ts';
import { wrap } from '../output.ts';
import { IMPLEMENTED, NOT_IMPLEMENTED } from '../protocols.ts';

const row = (left: string, width: number, text: string): string => wrap(text, 80 - width, '').split('\n').map((l, i) => (i === 0 ? left.padEnd(width) : ' '.repeat(width)) + l).join('\n');

/** Topics of `help` besides the commands themselves. */
export const HELP_TOPICS = ['exit-codes', 'errors', 'actions', 'protocols'] as const;

export async function helpTopic(ctx: Context, topic: string): Promise<ExitCode> {
  if (topic === 'exit-codes')
    ctx.out.result(
      { schema: 'mpc-ceremony/help/1', exitCodes: EXIT_TABLE.map(([code, meaning, advice]) => ({ code, meaning, advice })), exit: 0 },
      EXIT_TABLE.map(([code, meaning, advice]) => row(String(code), 5, `${meaning} → ${advice}`)),
    );
  else if (topic === 'errors')
    ctx.out.result(
      { schema: 'mpc-ceremony/help/1', errors: Object.entries(ERRORS).map(([code, [exit, text]]) => ({ code, exit, text })), exit: 0 },
      Object.entries(ERRORS).map(([code, [exit, text]]) => row(`${code}  ${String(exit)}`, 26, text)),
    );
  else if (topic === 'actions')
    ctx.out.result({ schema: 'mpc-ceremony/help/1', actions: ACTIONS, exit: 0 }, Object.entries(ACTIONS).map(([code, text]) => row(code, 16, text)));
  else if (topic === 'protocols')
    ctx.out.result(
      { schema: 'mpc-ceremony/help/1', implemented: IMPLEMENTED, notImplemented: NOT_IMPLEMENTED.map(([name, why]) => ({ name, why })), exit: 0 },
      [
        ...IMPLEMENTED.flatMap(({ name, ...facts }) => [name, ...Object.entries(facts).map(([what, text]) => row(`  ${what}`, 12, text)), '']),
        'Left out on purpose:',
        ...NOT_IMPLEMENTED.map(([name, why]) => row('  ', 2, `${name}: ${why}`)),
      ],
    );
  else fail('E_USAGE', `there is no help about ${topic}`, { remedy: `Topics: ${HELP_TOPICS.join(', ')}; or mpc-ceremony COMMAND --help.` });
  return Promise.resolve(EXIT.ok);
}
