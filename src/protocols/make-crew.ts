/** SECRET: a crew runs every task of ECDSA, those with secrets in their arguments too. */
import type { AuxSecret } from '../ecdsa/make-aux.ts';
import type { CheckArgs, CheckName } from '../ecdsa/checks.ts';
import { type TaskArgs, type TaskName, type TaskResult, TASKS } from '../ecdsa/tasks.ts';
import { CeremonyError } from '../wire/errors.ts';
import { type Judge, type Outcome, outcomeOf } from './crew.ts';

/** Runs tasks of one kind, at the same time where there are threads; outcomes come in the order of the arguments. */
export interface Crew {
  run<K extends TaskName>(task: K, args: readonly TaskArgs<K>[]): Promise<Outcome<TaskResult<K>>[]>;
}

/** One task, here. @throws E_INTERNAL and whatever is no refusal */
export function perform<K extends TaskName>(task: K, args: TaskArgs<K>): Outcome<TaskResult<K>> {
  return outcomeOf(() => (TASKS[task] as (a: TaskArgs<K>) => TaskResult<K>)(args));
}

/** The crew of one: this thread. */
export const alone: Crew = { run: (task, args) => Promise.resolve(args.map((a) => perform(task, a))) };

/** What makers made. @throws whatever one of them refuses, as an error */
export async function make<K extends TaskName>(crew: Crew, task: K, args: readonly TaskArgs<K>[]): Promise<TaskResult<K>[]> {
  return (await crew.run(task, args)).map((o) => {
    if (!o.ok) throw new CeremonyError(o.code, o.text);
    return o.value;
  });
}

/** A participant as judge of what others send it: with its own factors, which make checks of what is meant for it faster. */
export function ownJudge(crew: Crew, leaf: number, own: AuxSecret): Judge {
  const ownArgs = <K extends CheckName>(args: CheckArgs<K>): TaskArgs<K> =>
    ('verifier' in args && args.verifier.leaf === leaf ? { ...args, own } : args) as TaskArgs<K>;
  return { own: leaf, crew: { check: (task, args) => crew.run(task, args.map(ownArgs)) as Promise<Outcome<void>[]> } };
}
