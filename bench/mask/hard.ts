/**
 * The hard cases as rows of their own: what makes engines slow or makes them fall over. Each row compiles one constraint, then feeds
 * one long text, token by token; `last/first` is the median of the last tenth over that of the first (1.0 is flat).
 */
import { Worker } from 'node:worker_threads';
import { compile, json, Matcher } from '../../src/core.js';
import { table } from '../conformance/report.js';
import { flexible, HARD, type HardCase, str, words } from './hard-cases.js';
import { Samples, Stopwatch, type Summary, us } from './stats.js';
import { type LoadedVocabulary, loadVocabulary, type VocabularyName } from './vocabulary.js';

export interface HardRow {
  readonly name: string;
  readonly vocabulary: string;
  readonly compileMs: number;
  readonly tokens: number;
  readonly mask: Summary;
  readonly lastOverFirst: number;
  readonly wrong?: string;
}

const median = (xs: readonly number[]): number => [...xs].sort((a, b) => a - b)[Math.floor(xs.length / 2)] ?? 0;

function runCase(c: HardCase, loaded: LoadedVocabulary): HardRow {
  const base = { name: c.name, vocabulary: loaded.name };
  const mask = new Uint32Array(Math.ceil(loaded.vocabulary.size / 32));
  const samples = new Samples();
  const watch = new Stopwatch();
  watch.start();
  let compileMs = 0;
  try {
    const grammar = compile(c.constraint());
    const matcher = new Matcher(grammar, loaded.vocabulary);
    matcher.fillMask(mask);
    compileMs = watch.stop() / 1000;
    const tokens = loaded.encode(c.text());
    let wrong: string | undefined;
    const until = performance.now() + 60_000;
    for (const [i, token] of tokens.entries()) {
      watch.start();
      matcher.fillMask(mask);
      const ok = matcher.accept(token);
      samples.push(watch.stop());
      if (!ok || (((mask[token >> 5] ?? 0) >>> (token & 31)) & 1) === 0) {
        wrong = `token ${i} of ${tokens.length} refused`;
        break;
      }
      if (performance.now() > until) {
        wrong = `given up after 60 s, token ${i} of ${tokens.length}`;
        break;
      }
    }
    if (wrong === undefined && !matcher.isAccepting) wrong = 'not accepting at the end';
    const times = [...samples.values()];
    const tenth = Math.max(1, Math.floor(times.length / 10));
    const lastOverFirst = median(times.slice(-tenth)) / Math.max(0.01, median(times.slice(0, tenth)));
    return {
      ...base,
      compileMs,
      tokens: tokens.length,
      mask: samples.summary(),
      lastOverFirst,
      ...(wrong === undefined ? {} : { wrong }),
    };
  } catch (error) {
    const wrong =
      error instanceof Error ? `${error.name}: ${(error.message.split('\n')[0] ?? '').slice(0, 120)}` : String(error);
    return {
      ...base,
      compileMs: watch.stop() / 1000,
      tokens: 0,
      mask: samples.summary(),
      lastOverFirst: 0,
      wrong,
    };
  }
}

/** A batch of 64 matchers at different places of one grammar, everything warm; microseconds. */
export interface BatchRow {
  readonly vocabulary: string;
  /** fillMask for all 64. */
  readonly masks: number;
  /** accept for all 64. */
  readonly accepts: number;
  /** One rollback of 1 and of 64 tokens, one fork of a matcher at 16 and at 4,096 tokens. */
  readonly rollback1: number;
  readonly rollback64: number;
  readonly fork16: number;
  readonly fork4096: number;
  /** A message to a worker thread and back that carries 64 masks in shared memory: what a thread would have to save. */
  readonly workerTrip: number;
}

const BATCH = 64;

async function batch(loaded: LoadedVocabulary): Promise<BatchRow> {
  const grammar = compile(
    json({ type: 'object', properties: { a: str, b: { type: 'integer' } }, required: ['a', 'b'] }, flexible),
  );
  const text = JSON.stringify({ a: words(6), b: 42 });
  const bytes = new TextEncoder().encode(text);
  const matchers = Array.from({ length: BATCH }, (_, i) => {
    const m = new Matcher(grammar, loaded.vocabulary);
    m.acceptBytes(bytes.subarray(0, (i * 7) % bytes.length));
    return m;
  });
  const masks = matchers.map(() => new Uint32Array(Math.ceil(loaded.vocabulary.size / 32)));
  const next = matchers.map((_, i) => bytes.subarray((i * 7) % bytes.length, ((i * 7) % bytes.length) + 1));
  const time = (rounds: number, work: () => void): number => {
    const samples = new Samples();
    const watch = new Stopwatch();
    for (let round = 0; round < rounds; round++) {
      watch.start();
      work();
      samples.push(watch.stop());
    }
    return samples.summary().p50;
  };
  const fill = time(100, () => {
    for (let i = 0; i < BATCH; i++) matchers[i]?.fillMask(masks[i] ?? new Uint32Array());
  });
  let taken = true;
  const both = time(100, () => {
    for (let i = 0; i < BATCH; i++) taken = matchers[i]?.acceptBytes(next[i] ?? bytes) === true && taken;
    for (let i = 0; i < BATCH; i++) matchers[i]?.rollback(1);
  });
  if (!taken) throw new Error('bench: a byte of the text is refused');
  const long = new Matcher(compile(json({ type: 'string' }, flexible)), loaded.vocabulary);
  const letter = loaded.encode('a')[0] ?? 0;
  long.acceptBytes(Uint8Array.of(0x22));
  const at = (count: number): Matcher => {
    while (long.accepted < count) if (!long.accept(letter)) throw new Error('bench: a letter is refused');
    return long;
  };
  const forks = (m: Matcher): number =>
    time(100, () => {
      for (let i = 0; i < 100; i++) m.fork();
    }) / 100;
  const fork16 = forks(at(16));
  const fork4096 = forks(at(4096));
  const back = (n: number): number => {
    const watch = new Stopwatch();
    const samples = new Samples();
    for (let round = 0; round < 50; round++) {
      const copies = Array.from({ length: 100 }, () => long.fork());
      watch.start();
      for (const c of copies) c.rollback(n);
      samples.push(watch.stop() / 100);
    }
    return samples.summary().p50;
  };
  return {
    vocabulary: loaded.name,
    masks: fill,
    accepts: both,
    rollback1: back(1),
    rollback64: back(64),
    fork16,
    fork4096,
    workerTrip: await workerTrip(),
  };
}

/** Median time of a message to a worker and back. */
async function workerTrip(): Promise<number> {
  const worker = new Worker(
    'require("node:worker_threads").parentPort.on("message", (m) => require("node:worker_threads").parentPort.postMessage(m))',
    { eval: true },
  );
  const samples = new Samples();
  for (let i = 0; i < 200; i++) {
    const from = performance.now();
    const back = new Promise((done) => worker.once('message', done));
    worker.postMessage(i);
    await back;
    if (i >= 50) samples.push((performance.now() - from) * 1000);
  }
  await worker.terminate();
  return samples.summary().p50;
}

export async function runHardCases(
  names: readonly VocabularyName[],
): Promise<{ rows: HardRow[]; batchOf64: BatchRow[] }> {
  const rows: HardRow[] = [];
  const batchOf64: BatchRow[] = [];
  for (const name of names) {
    const loaded = loadVocabulary(name);
    const out: string[][] = [
      [`hard cases, ${name} (us a token)`, 'compile ms', 'tokens', 'avg', 'p50', 'p99', 'max', 'last/first', ''],
    ];
    for (const c of HARD) {
      const r = runCase(c, loaded);
      rows.push(r);
      const { mask } = r;
      out.push([
        c.name,
        r.compileMs.toFixed(1),
        String(r.tokens),
        ...[mask.avg, mask.p50, mask.p99, mask.max].map(us),
        r.lastOverFirst.toFixed(2),
        r.wrong ?? '',
      ]);
    }
    const b = await batch(loaded);
    batchOf64.push(b);
    console.log(
      `\n${table(out)}\n  a batch of 64: masks ${us(b.masks)} us, accepts with rollbacks ${us(b.accepts)} us; a message to a worker and back ${us(b.workerTrip)} us\n  rollback of 1 / 64 tokens ${us(b.rollback1)} / ${us(b.rollback64)} us; fork at 16 / 4,096 tokens ${us(b.fork16)} / ${us(b.fork4096)} us`,
    );
  }
  return { rows, batchOf64 };
}
