/** A worker of the crew: runs the tasks that it is sent, and answers with their outcomes. SECRET. */
import { parentPort } from 'node:worker_threads';
import type { TaskArgs, TaskName } from '../ecdsa/tasks.ts';
import { perform } from '../protocols/make-crew.ts';
import type { Answer, Assignment } from './crew.ts';

parentPort?.on('message', ({ id, task, args }: Assignment) => {
  parentPort?.postMessage({ id, outcomes: args.map((a) => perform(task, a as TaskArgs<TaskName>)) } satisfies Answer);
});
