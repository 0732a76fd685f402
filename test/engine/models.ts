/** Engines on small models with seeded random weights: no files in the repository, the same logits every time. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { createEngine } from '../../src/engine/create.js';
import type { Engine } from '../../src/engine/engine.js';
import type { EngineOptions } from '../../src/engine/types.js';
import { writeLlamaFolder } from '../../src/runtime/onnx/llama-writer.js';

export interface RandomModel {
  readonly folder: string;
  engine(options?: EngineOptions): Promise<Engine>;
  remove(): Promise<void>;
}

export async function randomModel(
  options: { contextLength?: number; seed?: number; experts?: boolean } = {},
): Promise<RandomModel> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tokenloom-test-'));
  await writeLlamaFolder(folder, {
    layers: 1,
    hidden: 32,
    heads: 2,
    kvHeads: 1,
    inner: 64,
    vocab: 512,
    contextLength: options.contextLength ?? 2048,
    attention: 'gqa',
    weights: 'f32',
    seed: options.seed ?? 1,
    ...(options.experts === true ? { experts: { count: 4, topK: 2 } } : {}),
  });
  return {
    folder,
    engine: (o = {}) => createEngine({ model: folder, ...o }),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** An engine on a random model for all tests of a file or a `describe`, made before and closed after them. */
export function sharedEngine(): { readonly engine: Engine; readonly model: RandomModel } {
  const shared = {} as { engine: Engine; model: RandomModel };
  beforeAll(async () => {
    shared.model = await randomModel();
    shared.engine = await shared.model.engine();
  });
  afterAll(async () => {
    await shared.engine.close();
    await shared.model.remove();
  });
  return shared;
}
