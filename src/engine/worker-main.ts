/**
 * The worker thread: one service, driven by messages. Model, scheduler, matchers and sampler live here together.
 *
 * A thread that is ended while it is inside ONNX Runtime takes the process with it: the call returns into an environment that is gone, and the
 * native code throws where nobody catches. So when the process ends the thread is asked to park first: it says so and sleeps, outside.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { withRuntime } from '../runtime/load-fault.js';
import type { LoadProgress } from '../runtime/types.js';
import { type FromWorker, type ToWorker, toPlain, type WorkerStart } from './wire.js';

const port = parentPort;
if (port === null) throw new Error('worker-main.js runs in a worker thread only');
const send = (message: FromWorker): void => port.postMessage(message);
const start = workerData as WorkerStart;

/** Tells a process that ends that it need not wait. */
function tellParked(): void {
  const parked = new Int32Array(start.parked);
  Atomics.store(parked, 0, 1);
  Atomics.notify(parked, 0);
}
// A thread that ends by itself reads no more messages, and its end may not be known yet where the process ends.
process.once('exit', tellParked);

/** Without its port the thread ends by itself. Deno's ports know no close; there the thread ends at once, which nothing of it outlives. */
function leave(): void {
  if (typeof port?.close === 'function') port.close();
  else process.exit();
}

/** Comes between two steps, or between two sessions while the model loads. */
function park(): void {
  tellParked();
  // Until the thread is ended, which wakes nobody.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
const whileLoading = (message: ToWorker): void => {
  if (message.type === 'park') park();
  else if (message.type === 'close') closing = true;
};
let closing = false;
port.on('message', whileLoading);

try {
  const load = { ...start.load, onProgress: (event: LoadProgress) => send({ type: 'progress', event }) };
  const { openService } = await withRuntime(() => import('./open-service.js'));
  const service = await openService({ ...start, load });
  const running = new Map<number, AbortController>();
  const run = async (message: Extract<ToWorker, { type: 'run' }>): Promise<void> => {
    const { id, job, events } = message;
    const abort = new AbortController();
    running.set(id, abort);
    try {
      const outcome = await service.run(
        job,
        abort.signal,
        events ? (event) => send({ type: 'event', id, event }) : undefined,
      );
      send({ type: 'done', id, outcome });
    } catch (error) {
      send({ type: 'error', id, error: toPlain(error) });
    } finally {
      running.delete(id);
    }
  };
  port.off('message', whileLoading);
  port.on('message', (message: ToWorker) => {
    switch (message.type) {
      case 'run':
        void run(message);
        break;
      case 'abort':
        running.get(message.id)?.abort();
        break;
      case 'measure':
        service.measure(message.job).then(
          (measured) => send({ type: 'measured', id: message.id, measured }),
          (error: unknown) => send({ type: 'error', id: message.id, error: toPlain(error) }),
        );
        break;
      case 'metrics':
        void service.metrics().then((metrics) => send({ type: 'metrics', id: message.id, metrics }));
        break;
      case 'close':
        void service.close().finally(leave);
        break;
      case 'park':
        park();
        break;
    }
  });
  if (closing) void service.close().finally(leave);
  else send({ type: 'ready', info: service.info });
} catch (error) {
  send({ type: 'refused', error: toPlain(error) });
  leave();
}
