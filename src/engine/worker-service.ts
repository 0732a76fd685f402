/**
 * A service in a worker thread, seen from the engine. Steps of the model block their thread (ONNX Runtime's `run` is synchronous), so the
 * caller's event loop stays free only if they run elsewhere. What crosses is plain data: jobs one way, events and outcomes back.
 *
 * A worker that dies fails the requests that it had with a ModelError; the next request starts a new one. The thread keeps the process
 * alive only while a request runs.
 */
import { Worker } from 'node:worker_threads';
import { ModelError } from '../base/errors.js';
import type { LoadProgress, ModelInfo } from '../runtime/types.js';
import type { Job, JobEvent, Outcome, Service, ServiceMetrics } from './job.js';
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

export class WorkerService implements Service {
  readonly #start: WorkerStart;
  readonly #pending = new Map<number, Pending>();
  #info: ModelInfo;
  #live: Promise<Live>;
  #dead = false;
  #closed = false;
  #ids = 0;

  private constructor(start: WorkerStart, live: Live) {
    this.#start = start;
    this.#info = live.info;
    this.#live = Promise.resolve(live);
    this.#adopt(live);
  }

  /** Starts the thread and loads the model in it. Rejects as `loadModel` does, or with the signal's reason. */
  static async start(
    start: WorkerStart,
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
    try {
      return await this.#ask<Outcome>(
        worker,
        id,
        { type: 'run', id, job, events: onEvent !== undefined },
        onEvent,
        () => {
          if (signal?.aborted === true) abort();
          else signal?.addEventListener('abort', abort, { once: true });
        },
      );
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  async metrics(): Promise<ServiceMetrics> {
    const id = ++this.#ids;
    return this.#ask<ServiceMetrics>(await this.#worker(), id, { type: 'metrics', id }, undefined, () => {});
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#dead) return;
    const { worker } = await this.#live;
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
        // Something in the job that structured clone refuses.
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
    else pending.resolve((message.type === 'done' ? message.outcome : message.metrics) as never);
  }

  #settle(worker: Worker, id: number): void {
    this.#pending.delete(id);
    if (this.#pending.size === 0) worker.unref();
  }
}

function post(worker: Worker, message: ToWorker): void {
  worker.postMessage(message);
}

function gone(reason: string): ModelError {
  return new ModelError("the engine's worker thread", 'a running thread', reason);
}

function spawn(
  start: WorkerStart,
  onProgress: ((event: LoadProgress) => void) | undefined,
  signal: AbortSignal | undefined,
): Promise<Live> {
  const worker = new Worker(new URL('./worker-main.js', import.meta.url), { workerData: start });
  return new Promise<Live>((resolve, reject) => {
    const abort = (): void => {
      void worker.terminate();
      reject(signal?.reason);
    };
    if (signal?.aborted === true) {
      abort();
      return;
    }
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
      if (message.type === 'progress') onProgress?.(message.event);
      else if (message.type === 'ready') {
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
