/** Small written models for tests, made once per process in a temporary folder. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { StepHandle, StepModel } from '../../src/decoder/model.js';
import { loadModel } from '../../src/runtime/load.js';
import { type LlamaFolderOptions, writeLlamaFolder } from '../../src/runtime/onnx/llama-writer.js';
import type { LoadedModel, LoadOptions } from '../../src/runtime/types.js';

export const BASE = {
  layers: 2,
  hidden: 64,
  heads: 4,
  kvHeads: 2,
  inner: 96,
  vocab: 384,
  contextLength: 192,
  attention: 'gqa',
  weights: 'f32',
  seed: 5,
} as const satisfies LlamaFolderOptions;

export async function withFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tokenloom-test-'));
  try {
    return await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes a model, loads it, runs `use` and disposes of everything. */
export async function withModel<T>(
  shape: Partial<LlamaFolderOptions>,
  options: LoadOptions,
  use: (loaded: LoadedModel) => Promise<T>,
): Promise<T> {
  return withFolder(async (folder) => {
    await writeLlamaFolder(folder, { ...BASE, ...shape });
    const loaded = await loadModel(folder, options);
    try {
      return await use(loaded);
    } finally {
      await loaded.model.dispose();
    }
  });
}

/** A sequence with these tokens run, and the logits of its last `n` positions. */
export async function prefill(
  model: StepModel,
  tokens: readonly number[],
  n = 1,
): Promise<{ sequence: number; logits: Float32Array[] }> {
  const { sequence, cached } = model.open({ prompt: tokens });
  const handle = await model.submit([{ sequence, tokens: tokens.slice(cached), logits: n }]);
  return { sequence, logits: await all(handle, 0, n) };
}

export async function all(handle: StepHandle, row: number, n: number): Promise<Float32Array[]> {
  const out: Float32Array[] = [];
  for (let p = 0; p < n; p++) out.push((await handle.logits(row, p)).slice());
  return out;
}

export function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let worst = a.length === b.length ? 0 : Number.POSITIVE_INFINITY;
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i]! - b[i]!));
  return Number.isNaN(worst) ? Number.POSITIVE_INFINITY : worst;
}

export function argmax(x: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < x.length; i++) if (x[i]! > x[best]!) best = i;
  return best;
}

/** Deterministic tokens. */
export function someTokens(n: number, seed = 1, vocab = 384): number[] {
  return Array.from({ length: n }, (_, i) => (i * 31 + seed * 97 + ((i * i) % 13)) % vocab);
}
