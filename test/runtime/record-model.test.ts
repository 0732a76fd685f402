/** The writer of the GPU record's model, at a sixteenth of its size. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { parameters, RECORD, writeRecordModel } from '../../bench/decode/record-model.js';
import { loadModel } from '../../src/runtime/load.js';
import { withFolder } from './models.js';

it('writes a model with external weights that loads and runs; at full size it has 1.2 B parameters', async () => {
  expect(parameters(RECORD)).toBeGreaterThan(1.2e9);
  expect(RECORD.vocab).toBe(128_256);
  await withFolder(async (folder) => {
    const shape = await writeRecordModel(folder, 'f32', 16);
    const graph = await stat(path.join(folder, 'onnx/model.onnx'));
    const data = await stat(path.join(folder, 'onnx/model.onnx_data'));
    expect(data.size).toBeGreaterThan(10 * graph.size);
    const { model, vocabulary, info } = await loadModel(folder, { device: 'cpu', kv: { blocks: 8 } });
    expect([info.form, model.vocabSize, vocabulary.size]).toEqual(['paged', shape.vocab, shape.vocab]);
    const handle = await model.submit([{ sequence: model.open().sequence, tokens: [300, 301], logits: 1 }]);
    expect((await handle.logits(0, 0)).every(Number.isFinite)).toBe(true);
    await model.dispose();
  });
}, 60_000);
