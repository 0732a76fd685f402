/** The worker thread: one service, driven by messages. Model, scheduler, matchers and sampler live here together. */
import { parentPort, workerData } from 'node:worker_threads';
import type { LoadProgress } from '../runtime/types.js';
import { openService } from './open-service.js';
import { type FromWorker, type ToWorker, toPlain, type WorkerStart } from './wire.js';

const port = parentPort;
if (port === null) throw new Error('worker-main.js runs in a worker thread only');
const send = (message: FromWorker): void => port.postMessage(message);
const start = workerData as WorkerStart;

try {
  const load = { ...start.load, onProgress: (event: LoadProgress) => send({ type: 'progress', event }) };
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
  port.on('message', (message: ToWorker) => {
    switch (message.type) {
      case 'run':
        void run(message);
        break;
      case 'abort':
        running.get(message.id)?.abort();
        break;
      case 'metrics':
        void service.metrics().then((metrics) => send({ type: 'metrics', id: message.id, metrics }));
        break;
      case 'close':
        // Without a listener on the port the thread ends by itself.
        void service.close().finally(() => port.close());
        break;
    }
  });
  send({ type: 'ready', info: service.info });
} catch (error) {
  send({ type: 'refused', error: toPlain(error) });
  port.close();
}
