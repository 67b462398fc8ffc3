/**
 * The crew of a machine: this thread and, where the work is worth their start, worker threads. SECRET: tasks carry secrets,
 * and a worker's memory holds copies of them until the process ends, as the memory of this thread does.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { TaskArgs, TaskName, TaskResult } from '../ecdsa/tasks.ts';
import type { Outcome } from '../protocols/crew.ts';
import { type Crew, perform } from '../protocols/make-crew.ts';
import { workerFile } from './program.ts';

/** Milliseconds of one core that a task takes about (bench/README.md); what is not listed takes few. */
const COST: Partial<Record<TaskName, number>> = {
  checkAuxOf: 600,
  checkModulus: 600,
  checkFactors: 20,
  checkOffer: 30,
  checkAffine: 30,
  checkTrace: 600,
  proveRingPedersen: 160,
  proveModulus: 370,
  proveFactors: 50,
  makeOffer: 60,
  makeAffine: 90,
  makeSum: 30,
  makeTrace: 5500,
};
/** Workers start when this much work, in milliseconds, could be taken from this thread: starting them takes 80. */
const WORTH_IT = 250;
const MAX_THREADS = 8;

/** What a worker is sent, and what it answers. */
export interface Assignment {
  readonly id: number;
  readonly task: TaskName;
  readonly args: readonly unknown[];
}
export interface Answer {
  readonly id: number;
  readonly outcomes: readonly Outcome<unknown>[];
}

class Threads implements Crew {
  readonly #size = Math.min(availableParallelism(), MAX_THREADS);
  #workers: Worker[] | undefined;
  #assignments = 0;

  async run<K extends TaskName>(task: K, args: readonly TaskArgs<K>[]): Promise<Outcome<TaskResult<K>>[]> {
    const hands = Math.min(this.#size, args.length);
    const saved = (COST[task] ?? 5) * (args.length - Math.ceil(args.length / hands));
    if (hands < 2 || (this.#workers === undefined && saved < WORTH_IT)) return args.map((a) => perform(task, a));
    const workers = this.#start().slice(0, hands - 1);
    // equal work: every hand takes each n-th task, this thread the first of them
    const shareOf = (hand: number): TaskArgs<K>[] => args.filter((_, i) => i % hands === hand);
    const theirs = workers.map((w, i) => assign(w, { id: (this.#assignments += 1), task, args: shareOf(i + 1) }) as Promise<Outcome<TaskResult<K>>[]>);
    const failed = Promise.all(theirs);
    // awaited below; a refusal that comes while this thread is busy must not count as unhandled
    failed.catch(() => undefined);
    const own = shareOf(0).map((a) => perform(task, a));
    const all = [own, ...(await failed)];
    return args.map((_, i) => (all[i % hands] as Outcome<TaskResult<K>>[])[Math.floor(i / hands)] as Outcome<TaskResult<K>>);
  }

  #start(): Worker[] {
    this.#workers ??= Array.from({ length: this.#size - 1 }, () => {
      const worker = new Worker(workerFile(), { stdin: false, argv: ['crew-worker'] });
      worker.unref();
      return worker;
    });
    return this.#workers;
  }
}

/** Sends an assignment to a worker, which may have others to do first. */
function assign(worker: Worker, assignment: Assignment): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      worker.off('message', onMessage);
      worker.off('error', onError);
      if (worker.listenerCount('message') === 0) worker.unref();
    };
    const onMessage = ({ id, outcomes }: Answer): void => {
      if (id !== assignment.id) return;
      done();
      resolve(outcomes);
    };
    const onError = (error: Error): void => {
      done();
      reject(error);
    };
    worker.ref();
    worker.on('message', onMessage);
    worker.on('error', onError);
    worker.postMessage(assignment);
  });
}

let made: Crew | undefined;

/** The crew of this process. */
export function crew(): Crew {
  return (made ??= new Threads());
}
