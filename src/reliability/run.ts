/** A run from its settings to its report: the set of requests, the file, the processes, the figures. */
import { mkdirSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import path from 'node:path';
import { OptionError } from '../base/errors.js';
import { Journal } from './journal.js';
import { runPool, type Task } from './pool.js';
import { writeReport } from './report/index.js';
import { requestSet, setHash } from './requests/index.js';
import { fingerprint, Session } from './session.js';
import { type Summary, summarise } from './summary.js';
import { type BenchRequest, METHODS, type MethodName, type RunLine } from './types.js';

export interface BenchOptions {
  readonly model: string;
  /** Folder of run.jsonl and the report. */
  readonly out: string;
  readonly count: number;
  readonly seed: number;
  readonly requests?: string | undefined;
  readonly maskbench?: string | undefined;
  readonly maskbenchLimit: number;
  readonly methods?: readonly MethodName[] | undefined;
  readonly compared: number;
  readonly maxTokens: number;
  /** Extraction requests whose speed is compared. */
  readonly speed: number;
  /** Processes; default: one for each core, or one alone where the model is large. */
  readonly workers?: number | undefined;
  readonly watchdogMs: number;
  readonly fresh: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: BenchProgress) => void;
}

export interface BenchProgress {
  readonly phase: 'model' | 'requests' | 'speed' | 'report';
  readonly done: number;
  readonly total: number;
  /** Of those done, in this process and not in one before. */
  readonly fresh: number;
  readonly seconds: number;
  /** Answers of constrained methods that failed, so far in this process. */
  readonly failures: number;
}

export type BenchResult =
  | {
      readonly kind: 'done';
      readonly summary: Summary;
      readonly files: readonly string[];
      readonly resumed: boolean;
      readonly repairs: boolean;
    }
  | { readonly kind: 'interrupted'; readonly done: number; readonly total: number };

/** Models above this size keep the cores busy by themselves. */
const LARGE_MODEL = 64 << 20;

/** @throws OptionError, ModelError, and what reading files throws */
export async function runBench(options: BenchOptions): Promise<BenchResult> {
  const requests = requestSet(options);
  options.onProgress({ phase: 'model', done: 0, total: requests.length, fresh: 0, seconds: 0, failures: 0 });
  const { run, workers } = await describe(options, requests);
  const journal = Journal.open(path.join(options.out, 'run.jsonl'), run, options.fresh);
  const resumed = journal.done.size > 0;
  const waiting = requests
    .filter((r) => !journal.done.has(r.id))
    .map((request): Task => ({ type: 'request', request }));
  let done = requests.length - waiting.length;
  let fresh = 0;
  let failures = 0;
  const began = performance.now();
  const report = (phase: BenchProgress['phase'], total: number): void =>
    options.onProgress({ phase, done, total, fresh, seconds: (performance.now() - began) / 1000, failures });
  const pool = {
    start: { options: run.options, threads: workers > 1 ? 1 : undefined },
    workers,
    watchdogMs: options.watchdogMs,
    signal: options.signal,
  };
  const { repairs } = await runPool(waiting, {
    ...pool,
    onLines: (lines) => {
      journal.append(lines);
      done++;
      fresh++;
      for (const l of lines) if (l.type === 'answer' && isFailure(l.method, l.status, l.fits)) failures++;
      report('requests', requests.length);
    },
  });
  if (options.signal.aborted) return { kind: 'interrupted', done, total: requests.length };
  // Alone on the machine, as far as this run goes: one process.
  const timed = speedRequests(requests, options.speed).filter((r) => !journal.speedDone.has(r.id));
  done = 0;
  fresh = 0;
  await runPool(
    timed.map((request): Task => ({ type: 'speed', request })),
    {
      ...pool,
      workers: 1,
      onLines: (lines) => {
        journal.append(lines);
        done++;
        fresh++;
        report('speed', timed.length);
      },
    },
  );
  if (options.signal.aborted) return { kind: 'interrupted', done: requests.length, total: requests.length };
  report('report', requests.length);
  const summary = await summarise(journal.file);
  return { kind: 'done', summary, files: writeReport(options.out, summary), resumed, repairs };
}

/** Reads a run's file anew and writes its report. */
export async function reportRun(out: string): Promise<{ summary: Summary; files: readonly string[] }> {
  const summary = await summarise(path.join(out, 'run.jsonl'));
  return { summary, files: writeReport(out, summary) };
}

async function describe(
  options: BenchOptions,
  requests: readonly BenchRequest[],
): Promise<{ run: RunLine; workers: number }> {
  const ids = new Set(requests.map((r) => r.id));
  if (ids.size !== requests.length) throw new OptionError('requests', 'requests with different ids', 'an id twice');
  mkdirSync(options.out, { recursive: true });
  // Loaded once here, so that what is wrong with the model is said before processes start.
  const session = await Session.open(options.model, {});
  const { folder } = session.loaded.info;
  await session.close();
  const large = folder !== undefined && (await sizeOf(folder)) > LARGE_MODEL;
  const workers = options.workers ?? (large ? 1 : Math.min(8, availableParallelism()));
  return {
    workers,
    run: {
      type: 'run',
      version: version(),
      started: new Date().toISOString(),
      options: {
        model: options.model,
        seed: options.seed,
        methods: options.methods ?? METHODS,
        maxTokens: options.maxTokens,
        speed: options.speed,
      },
      model: { source: options.model, fingerprint: await fingerprint(folder) },
      set: setHash(requests),
      requests: requests.length,
      machine: {
        processor: cpus()[0]?.model ?? 'unknown',
        cores: availableParallelism(),
        node: process.versions.node,
        platform: `${process.platform} ${process.arch}`,
      },
      workers,
    },
  };
}

/** Extraction records with a schema, held out ones first. */
function speedRequests(requests: readonly BenchRequest[], most: number): BenchRequest[] {
  const usable = requests.filter(
    (r) => r.schema !== undefined && (r.source.startsWith('extraction') || r.source === 'own'),
  );
  return usable.slice(0, most);
}

function isFailure(method: MethodName, status: string, fits: boolean | null): boolean {
  const constrained = METHODS.indexOf(method) >= METHODS.indexOf('constrained');
  return status === 'error' || status === 'late' || (constrained && fits === false);
}

async function sizeOf(folder: string): Promise<number> {
  const { readdir, stat } = await import('node:fs/promises');
  let size = 0;
  for (const name of await readdir(folder, { recursive: true })) {
    const at = await stat(path.join(folder, name));
    if (at.isFile() && /\.(onnx|onnx_data|data)$/.test(name)) size += at.size;
  }
  return size;
}

function version(): string {
  const read: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof read === 'object' && read !== null && 'version' in read ? String(read.version) : 'unknown';
}
