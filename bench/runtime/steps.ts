/**
 * What one step of the runtime costs: forms of KV memory, batch sizes, past lengths, chunks, the head over few ids.
 *
 *     npx tsx bench/runtime/steps.ts [embedded | f32 | int8 | int4 | plain | mixture ...]
 *
 * Processor time of one-thread sessions (all threads of the process), since wall time says little on a shared machine. Each line
 * gives the least and the median of the repetitions. Forms are checked against each other before anything is timed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import type { StepModel } from '../../src/decoder/model.js';
import { loadModel } from '../../src/runtime/load.js';
import { type LlamaFolderOptions, writeLlamaFolder } from '../../src/runtime/onnx/llama-writer.js';
import type { KvOptions } from '../../src/runtime/types.js';
import { DENSE } from '../decode/common.js';

const WRITTEN: Record<string, Partial<LlamaFolderOptions>> = {
  f32: { weights: 'f32' },
  int8: {},
  int4: { weights: 'int4' },
  plain: { attention: 'plain' },
  mixture: { weights: 'int8', inner: 320, experts: { count: 16, topK: 2 } },
};

const FORMS: Record<string, KvOptions> = {
  paged: { form: 'paged', bytes: 2 ** 28 },
  'paged int8': { form: 'paged', bytes: 2 ** 28, dtype: 'int8' },
  contiguous: { form: 'contiguous', bytes: 2 ** 30 },
};

const tokens = (n: number, seed: number): number[] => Array.from({ length: n }, (_, i) => (i * 37 + seed * 11) % 4000);

function times(samples: number[]): string {
  const sorted = samples.sort((a, b) => a - b);
  return `${(sorted[0] ?? 0).toFixed(2)} / ${(sorted[sorted.length >> 1] ?? 0).toFixed(2)}`;
}

/** Processor milliseconds of `repeat` calls. */
async function measure(repeat: number, run: (i: number) => Promise<void>, undo: () => void): Promise<number[]> {
  const out: number[] = [];
  for (let i = 0; i < repeat + 3; i++) {
    const from = process.cpuUsage();
    await run(i);
    const { user, system } = process.cpuUsage(from);
    if (i >= 3) out.push((user + system) / 1000);
    undo();
  }
  return out;
}

async function stepTimes(model: StepModel, rows: number, count: number, past: number): Promise<string> {
  const open: number[] = [];
  for (let i = 0; i < rows; i++) {
    const { sequence } = model.open({ salt: `${rows} ${count} ${past} ${i}` });
    open.push(sequence);
    await model.submit([{ sequence, tokens: tokens(past, i), logits: 0 }]);
  }
  const samples = await measure(
    rows > 1 ? 15 : 40,
    async (r) => {
      const plan = open.map((sequence, i) => ({ sequence, tokens: tokens(count, i + r), logits: 1 }));
      (await model.submit(plan)).release();
    },
    () => {
      for (const s of open) model.truncate(s, past);
    },
  );
  for (const s of open) model.close(s);
  return times(samples);
}

async function lastLogits(model: StepModel): Promise<Float32Array> {
  const { sequence } = model.open();
  await model.submit([{ sequence, tokens: tokens(50, 1), logits: 0 }]);
  const handle = await model.submit([{ sequence, tokens: [7], logits: 1 }]);
  const out = (await handle.logits(0, 0)).slice();
  model.close(sequence);
  return out;
}

async function bench(name: string, source: string): Promise<void> {
  const models = new Map<string, StepModel>();
  for (const [form, kv] of Object.entries(FORMS)) {
    const loaded = await loadModel(source, { threads: 1, kv });
    if (loaded.info.warnings.length > 0) process.stderr.write(`${loaded.info.warnings.join('\n')}\n`);
    models.set(form, loaded.model);
  }
  let expected: Float32Array | undefined;
  for (const [form, model] of models) {
    const got = await lastLogits(model);
    expected ??= got;
    const peak = Math.max(...expected.map(Math.abs));
    const worst = Math.max(...got.map((x, i) => Math.abs(x - (expected?.[i] ?? 0)))) / peak;
    if (!(worst < (form.includes('int8') ? 0.15 : 0.05)))
      throw new Error(`${name}, ${form}: logits differ by ${worst}`);
  }
  console.log(
    `\n| ${name}: rows x tokens, past | ${[...models.keys()].join(' | ')} |\n|---|${'---|'.repeat(models.size)}`,
  );
  const cases: [number, number, number][] = [
    [1, 1, 100],
    [16, 1, 100],
    [1, 1, 300],
    [16, 1, 300],
    [1, 1, 1000],
    [16, 1, 1000],
    [1, 4, 300],
    [1, 8, 300],
    [16, 4, 300],
    [1, 300, 1],
  ];
  for (const [rows, count, past] of cases) {
    const cells: string[] = [];
    for (const model of models.values()) cells.push(await stepTimes(model, rows, count, past));
    console.log(`| ${rows} x ${count}, ${past} | ${cells.join(' | ')} |`);
  }
  for (const model of models.values()) await model.dispose();
}

const folder = await mkdtemp(path.join(tmpdir(), 'tokenloom-bench-'));
try {
  console.log(`${cpus()[0]?.model}, node ${process.version}; processor ms per step, least / median`);
  const asked = process.argv.slice(2);
  for (const name of asked.length > 0 ? asked : ['embedded', ...Object.keys(WRITTEN)]) {
    const shape = WRITTEN[name];
    if (shape !== undefined) await writeLlamaFolder(path.join(folder, name), { ...DENSE, ...shape });
    await bench(name, shape === undefined ? name : path.join(folder, name));
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
