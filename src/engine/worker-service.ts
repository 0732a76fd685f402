/**
 * A service in a worker thread, seen from the engine. Steps of the model block their thread (ONNX Runtime's `run` is synchronous), so the
 * caller's event loop stays free only if they run elsewhere. What crosses is plain data: jobs one way, events and outcomes back.
 *
 * A worker that dies fails the requests that it had with a ModelError; the next request starts a new one. The thread keeps the process
 * alive only while a request runs. When the process ends, for whatever reason but a signal, the thread is parked between two steps first:
 * ending it inside ONNX Runtime would abort the process (see worker-main.ts).
 */
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { AbortListeners } from '../base/abort-listeners.js';
import { ModelError, OptionError } from '../base/errors.js';
import { parseJson } from '../base/parse-json.js';
import { ownFile } from '../runtime/own-file.js';
import type { LoadProgress, ModelInfo } from '../runtime/types.js';
import { asked } from './asked.js';
import type { Job, JobEvent, Measured, Outcome, Service, ServiceMetrics } from './job.js';
import { type FromWorker, fromPlain, type ToWorker, type WorkerStart } from './wire.js';

interface Pending {
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
  readonly onEvent: ((event: JobEvent) => void) | undefined;
}

interface Live {
  readonly worker: Worker;
  readonly info: ModelInfo;
}

/** What a caller says of a worker; where it lies and how it parks is this module's. */
export type StartOptions = Omit<WorkerStart, 'parked'>;

const ENTRY = ownFile('./worker-main.js', import.meta.url);

/** Whether there is a file to start a thread from: not where the package runs from its sources or inside a bundle. */
export function canStart(): boolean {
  return ENTRY !== undefined && existsSync(ENTRY);
}

/** Said where the thread was not asked for and there is none, which a caller sees only in its event loop. */
export function noThreadNote(from: string | undefined = import.meta.url): readonly string[] {
  if (from?.endsWith('.ts')) return [];
  return [`worker: the model runs in the caller's thread, since a bundle has no file to start one from: ${EXTERNAL}`];
}

const EXTERNAL = "leave 'tokenloom' external, or say worker: false";

/** Milliseconds that an ending process waits for the step that runs. */
const PARK_MS = 10_000;

export class WorkerService implements Service {
  readonly #start: StartOptions;
  readonly #pending = new Map<number, Pending>();
  /** Metrics that are on their way. */
  readonly #reading = new Set<Promise<unknown>>();
  readonly #signals = new AbortListeners();
  #info: ModelInfo;
  #live: Promise<Live>;
  #dead = false;
  #closed = false;
  #ids = 0;

  private constructor(start: StartOptions, live: Live) {
    this.#start = start;
    this.#info = live.info;
    this.#live = Promise.resolve(live);
    this.#adopt(live);
  }

  /** Starts the thread and loads the model in it. Rejects as `loadModel` does, with the signal's reason, or with what `onProgress` throws. */
  static async start(
    start: StartOptions,
    onProgress: ((event: LoadProgress) => void) | undefined,
    signal: AbortSignal | undefined,
  ): Promise<WorkerService> {
    return new WorkerService(start, await spawn(start, onProgress, signal));
  }

  get info(): ModelInfo {
    return this.#info;
  }

  async run(
    job: Job,
    signal: AbortSignal | undefined,
    onEvent: ((event: JobEvent) => void) | undefined,
  ): Promise<Outcome> {
    const id = ++this.#ids;
    const worker = await this.#worker();
    const abort = (): void => post(worker, { type: 'abort', id });
    let unlisten = (): void => {};
    try {
      return await this.#ask<Outcome>(
        worker,
        id,
        { type: 'run', id, job: asData(job), events: onEvent !== undefined },
        onEvent,
        () => {
          unlisten = this.#signals.add(signal, abort);
        },
      );
    } catch (error) {
      throw asked(error, true);
    } finally {
      unlisten();
    }
  }

  async measure(job: Job): Promise<Measured> {
    const id = ++this.#ids;
    try {
      return await this.#ask<Measured>(
        await this.#worker(),
        id,
        { type: 'measure', id, job: asData(job) },
        undefined,
        () => {},
      );
    } catch (error) {
      throw asked(error, true);
    }
  }

  async metrics(): Promise<ServiceMetrics> {
    const asked = this.#metrics();
    this.#reading.add(asked);
    try {
      return await asked;
    } finally {
      this.#reading.delete(asked);
    }
  }

  async #metrics(): Promise<ServiceMetrics> {
    const id = ++this.#ids;
    return this.#ask<ServiceMetrics>(await this.#worker(), id, { type: 'metrics', id }, undefined, () => {});
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // Figures that were asked for before are given; requests are ended.
    await Promise.allSettled(this.#reading);
    if (this.#dead) return;
    let worker: Worker;
    try {
      worker = (await this.#live).worker;
    } catch {
      // It did not start again: there is nothing to end, and who asked for it has the error.
      return;
    }
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    worker.ref();
    post(worker, { type: 'close' });
    await ended;
  }

  #ask<T>(
    worker: Worker,
    id: number,
    message: ToWorker,
    onEvent: ((event: JobEvent) => void) | undefined,
    sent: () => void,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as (value: never) => void, reject, onEvent });
      worker.ref();
      try {
        post(worker, message);
        sent();
      } catch (error) {
        this.#settle(worker, id);
        reject(error);
      }
    });
  }

  async #worker(): Promise<Worker> {
    if (this.#closed) throw gone('it was closed');
    if (this.#dead) {
      this.#dead = false;
      this.#live = spawn(this.#start, undefined, undefined).then((live) => {
        this.#info = live.info;
        this.#adopt(live);
        return live;
      });
      this.#live.catch(() => {
        this.#dead = true;
      });
    }
    return (await this.#live).worker;
  }

  #adopt({ worker }: Live): void {
    worker.unref();
    worker.on('message', (message: FromWorker) => this.#receive(worker, message));
    let reason = 'it ended';
    worker.on('error', (error: Error) => {
      reason = error.message;
    });
    worker.on('exit', () => {
      this.#dead = true;
      for (const { reject } of this.#pending.values()) reject(gone(reason));
      this.#pending.clear();
    });
  }

  #receive(worker: Worker, message: FromWorker): void {
    if (message.type === 'progress' || message.type === 'ready' || message.type === 'refused') return;
    const pending = this.#pending.get(message.id);
    if (pending === undefined) return;
    if (message.type === 'event') {
      pending.onEvent?.(message.event);
      return;
    }
    this.#settle(worker, message.id);
    if (message.type === 'error') pending.reject(fromPlain(message.error));
    else pending.resolve(answerOf(message) as never);
  }

  #settle(worker: Worker, id: number): void {
    this.#pending.delete(id);
    // Who closes waits for the thread's end, also after its last request.
    if (this.#pending.size === 0 && !this.#closed) worker.unref();
  }
}

function answerOf(message: Extract<FromWorker, { type: 'done' | 'measured' | 'metrics' }>): unknown {
  if (message.type === 'done') return message.outcome;
  return message.type === 'measured' ? message.measured : message.metrics;
}

/** The job without what cannot cross: schemas may hold functions and the like, of which nobody reads anything. */
function asData(job: Job): Job {
  try {
    return structuredClone(job);
  } catch {
    const { constraint, shown, tools } = job;
    try {
      return structuredClone({
        ...job,
        constraint: asJson(constraint),
        shown: asJson(shown),
        tools: asJson(tools),
      });
    } catch (error) {
      const why = error instanceof Error ? error.message.split('\n')[0]! : String(error);
      throw new OptionError('options', 'plain data in messages, variables and schema', why);
    }
  }
}

function asJson<T>(value: T): T {
  return value === undefined ? value : (parseJson(JSON.stringify(value)) as T);
}

function post(worker: Worker, message: ToWorker): void {
  worker.postMessage(message);
}

function gone(reason: string): ModelError {
  return new ModelError("the engine's worker thread", 'a running thread', reason);
}

/** Parks the thread when the process ends before it does. */
function parkAtExit(worker: Worker, parked: Int32Array): void {
  const park = (): void => {
    post(worker, { type: 'park' });
    Atomics.wait(parked, 0, 0, PARK_MS);
  };
  // One listener an engine is meant, and no leak however many engines there are; 0 stands for no limit.
  const room = (more: number): void => {
    const most = process.getMaxListeners();
    if (most > 0) process.setMaxListeners(Math.max(1, most + more));
  };
  room(1);
  process.on('exit', park);
  worker.once('exit', () => {
    process.off('exit', park);
    room(-1);
  });
}

/** @throws OptionError where Node's permission model forbids threads */
function threadAt(entry: string, workerData: WorkerStart): Worker {
  try {
    // Flags of the process are for its own program: with some (`--input-type`) no file can be started.
    return new Worker(pathToFileURL(entry), { workerData, execArgv: [] });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_ACCESS_DENIED')) throw error;
    const remedy = 'a process that may start threads (start Node with --allow-worker, or say worker: false)';
    throw new OptionError('worker', remedy, error.message);
  }
}

async function spawn(
  start: StartOptions,
  onProgress: ((event: LoadProgress) => void) | undefined,
  signal: AbortSignal | undefined,
): Promise<Live> {
  signal?.throwIfAborted();
  if (ENTRY === undefined || !existsSync(ENTRY))
    throw new OptionError(
      'worker',
      `a file to start the thread from (${EXTERNAL})`,
      `nothing at ${ENTRY ?? 'a place of its own'}`,
    );
  const parked = new SharedArrayBuffer(4);
  const worker = threadAt(ENTRY, { ...start, parked });
  parkAtExit(worker, new Int32Array(parked));
  return new Promise<Live>((resolve, reject) => {
    const giveUp = (reason: unknown): void => {
      // Not terminated: it may be inside ONNX Runtime. It ends once the model is loaded.
      settle();
      worker.once('error', () => {});
      worker.unref();
      post(worker, { type: 'close' });
      reject(reason);
    };
    const abort = (): void => giveUp(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    const settle = (): void => {
      signal?.removeEventListener('abort', abort);
      worker.off('message', receive);
      worker.off('error', fail);
      worker.off('exit', end);
    };
    const fail = (error: Error): void => {
      settle();
      reject(gone(error.message));
    };
    const end = (): void => fail(new Error('it ended while loading'));
    const receive = (message: FromWorker): void => {
      if (message.type === 'progress') {
        try {
          onProgress?.(message.event);
        } catch (error) {
          giveUp(error);
        }
      } else if (message.type === 'ready') {
        settle();
        resolve({ worker, info: message.info });
      } else if (message.type === 'refused') {
        settle();
        worker.once('error', () => {});
        reject(fromPlain(message.error));
      }
    };
    worker.on('message', receive);
    worker.on('error', fail);
    worker.on('exit', end);
  });
}
