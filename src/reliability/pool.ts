/**
 * Requests over child processes: each child gets the next request when it has answered the last one. What a request answers depends on the request
 * alone (its seed, its own prefix cache), so the number of children changes only the time.
 *
 * A child that gives no answer in time, or dies, is replaced; its request gets lines that say so.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ModelError } from '../base/errors.js';
import type { ChildStart, FromChild, ToChild } from './child.js';
import { NO_OUTCOME } from './empty.js';
import { methodsFor } from './methods.js';
import type { AnswerLine, BenchRequest, Line } from './types.js';

export interface Task {
  readonly type: 'request' | 'speed';
  readonly request: BenchRequest;
}

export interface PoolOptions {
  readonly start: ChildStart;
  readonly workers: number;
  /** After this long without an answer a child is ended. */
  readonly watchdogMs: number;
  /** After this long a child that has not loaded the model is given up, and the run with it (default 10 minutes). */
  readonly loadMs?: number;
  readonly signal: AbortSignal;
  readonly onLines: (lines: readonly Line[], task: Task) => void;
}

/** Runs all tasks; resolves when they are done or the signal has fired. @throws ModelError where a child cannot load the model */
export async function runPool(tasks: readonly Task[], options: PoolOptions): Promise<{ readonly repairs: boolean }> {
  const shared: Shared = { tasks, at: 0, repairs: true };
  const n = Math.min(options.workers, tasks.length);
  // What ends one worker ends all: the caller has its error, and nobody would hear of what the others find.
  const broken = new AbortController();
  const signal = AbortSignal.any([options.signal, broken.signal]);
  const works = Array.from({ length: n }, () => work(shared, { ...options, signal }));
  try {
    await Promise.all(works);
  } finally {
    broken.abort();
    await Promise.allSettled(works);
  }
  return { repairs: shared.repairs };
}

interface Shared {
  readonly tasks: readonly Task[];
  at: number;
  repairs: boolean;
}

async function work(shared: Shared, options: PoolOptions): Promise<void> {
  let child = await startChild(options, shared);
  try {
    while (child !== undefined && !options.signal.aborted) {
      const task = shared.tasks[shared.at++];
      if (task === undefined) return;
      const answer = await ask(child, task, options);
      if (answer.kind === 'stopped') return;
      if (answer.kind === 'lines') {
        options.onLines(answer.lines, task);
        continue;
      }
      options.onLines(task.type === 'request' ? lostLines(task.request, answer, options) : [], task);
      if (answer.gone) child = await startChild(options, shared);
    }
  } finally {
    child?.kill('SIGKILL');
  }
}

type Answered =
  | { readonly kind: 'lines'; readonly lines: readonly Line[] }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'lost'; readonly late: boolean; readonly gone: boolean; readonly why: string };

function ask(child: ChildProcess, task: Task, { watchdogMs, signal }: PoolOptions): Promise<Answered> {
  return new Promise((resolve) => {
    const settle = (answer: Answered): void => {
      clearTimeout(timer);
      child.off('message', receive);
      child.off('exit', exit);
      signal.removeEventListener('abort', stop);
      resolve(answer);
    };
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      settle({ kind: 'lost', late: true, gone: true, why: `no answer in ${watchdogMs / 1000} s` });
    }, watchdogMs);
    const receive = (message: FromChild): void => {
      if (message.type === 'lines') settle({ kind: 'lines', lines: message.lines });
      else if (message.type === 'failed') settle({ kind: 'lost', late: false, gone: false, why: message.message });
    };
    const exit = (code: number | null, by: string | null): void =>
      settle({ kind: 'lost', late: false, gone: true, why: `the process ended (${by ?? `code ${code}`})` });
    const stop = (): void => settle({ kind: 'stopped' });
    child.on('message', receive);
    child.once('exit', exit);
    signal.addEventListener('abort', stop, { once: true });
    const message: ToChild = { type: task.type, request: task.request };
    child.send(message);
  });
}

const LOAD_MS = 600_000;

/** Resolves when the model is loaded; to nothing where the signal fires first. @throws ModelError where it does not load, or not in time */
function startChild(
  { start, signal, loadMs = LOAD_MS }: PoolOptions,
  shared: Shared,
): Promise<ChildProcess | undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  const own = import.meta.url.endsWith('.ts') ? './child.ts' : './child.js';
  const child = fork(fileURLToPath(new URL(own, import.meta.url)), [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      child.removeAllListeners('exit');
      child.removeAllListeners('message');
    };
    const fail = (why: string): void => {
      settle();
      child.kill('SIGKILL');
      reject(new ModelError(start.options.model, 'a model that loads', why));
    };
    const stop = (): void => {
      settle();
      child.kill('SIGKILL');
      resolve(undefined);
    };
    const timer = setTimeout(() => fail(`not loaded after ${loadMs / 1000} s`), loadMs);
    signal.addEventListener('abort', stop, { once: true });
    child.on('error', (error) => fail(error.message));
    child.once('exit', (code) => fail(`the process ended with code ${code}`));
    child.once('message', (message: FromChild) => {
      if (message.type !== 'ready') {
        fail(message.type === 'failed' ? (message.message.split('\n')[0] ?? '') : message.type);
        return;
      }
      shared.repairs &&= message.repairs;
      settle();
      resolve(child);
    });
    const message: ToChild = { type: 'start', start };
    child.send(message);
  });
}

/** Lines of a request whose child was lost: every method that it would have had failed. */
function lostLines(request: BenchRequest, lost: Extract<Answered, { kind: 'lost' }>, { start }: PoolOptions): Line[] {
  const { id, source, group } = request;
  const none = { promptTokens: 0, prefillMs: 0, coldMs: 0, cachedMs: 0, shortest: 0 };
  return [
    { type: 'request', request, ...none },
    ...methodsFor(request, start.options.methods).map(
      (method): AnswerLine => ({
        type: 'answer',
        id,
        source,
        group,
        method,
        ...NO_OUTCOME,
        status: lost.late ? 'late' : 'error',
        error: { name: lost.late ? 'Timeout' : 'Error', message: lost.why.slice(0, 500) },
        maxTokens: 0,
        seed: 0,
      }),
    ),
  ];
}
