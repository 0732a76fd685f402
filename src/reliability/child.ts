/**
 * A child process of a run: loads the model, then answers one request at a time. Processes and not threads, because a request that hangs or
 * crashes must cost itself alone: the parent ends the process, writes down what happened, and starts another.
 */
import { targetOf } from '../engine/target.js';
import { json } from '../grammar/constraint/index.js';
import { Judge } from './judge.js';
import { loadRepair } from './repair.js';
import { type Bench, prepareRequest, runRequest, tokenLimit } from './run-request.js';
import { Session } from './session.js';
import { measureSpeed } from './speed.js';
import type { BenchRequest, Line, RunOptions } from './types.js';

export interface ChildStart {
  readonly options: RunOptions;
  readonly threads: number | undefined;
}

export type ToChild =
  | { readonly type: 'start'; readonly start: ChildStart }
  | { readonly type: 'request' | 'speed'; readonly request: BenchRequest };

export type FromChild =
  | { readonly type: 'ready'; readonly repairs: boolean }
  | { readonly type: 'lines'; readonly lines: readonly Line[] }
  | { readonly type: 'failed'; readonly message: string };

const send = (message: FromChild): void => {
  process.send?.(message);
};
// The parent decides when to end: an interrupt goes to the whole group.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit(0));
let bench: Bench | undefined;

process.on('message', (message: ToChild) => {
  void handle(message).catch((error: unknown) => {
    send({ type: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  });
});

async function handle(message: ToChild): Promise<void> {
  if (message.type === 'start') {
    const { options, threads } = message.start;
    const session = await Session.open(options.model, threads === undefined ? {} : { threads });
    // What a vocabulary makes once belongs to no schema: method 4 needs it, and the first request must not pay for it.
    session.prepare(targetOf(json(true), { showSchema: false }));
    bench = { session, judge: new Judge(), repair: await loadRepair(), options };
    send({ type: 'ready', repairs: bench.repair !== undefined });
    return;
  }
  if (bench === undefined) throw new TypeError('a request before the start');
  const lines =
    message.type === 'request' ? await runRequest(bench, message.request) : await speedOf(bench, message.request);
  send({ type: 'lines', lines });
}

async function speedOf(bench: Bench, request: BenchRequest): Promise<Line[]> {
  const { prepared } = await prepareRequest(bench, request);
  if (prepared === undefined) return [];
  return [await measureSpeed(bench.session, prepared, tokenLimit(bench.options, prepared, 'fast'))];
}
