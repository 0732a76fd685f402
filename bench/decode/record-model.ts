/**
 * The model of the GPU record: a Llama of about 1.2 B parameters in int4 with a vocabulary of 128,256 tokens and random weights, made on the
 * machine that runs it (a minute or two, 6 GB of memory, 2 GB of disk). Speed depends on shapes alone, so no weights need be downloaded.
 */
import { type LlamaFolderOptions, writeLlamaFolder } from '../../src/runtime/onnx/llama-writer.js';

export const RECORD = {
  layers: 16,
  hidden: 2048,
  heads: 32,
  kvHeads: 8,
  inner: 8192,
  vocab: 128_256,
  contextLength: 4096,
  attention: 'gqa',
  weights: 'int4',
  external: true,
  ropeTheta: 500_000,
  seed: 1,
} as const satisfies LlamaFolderOptions;

/** Parameters of a dense shape, embedding and head counted once (they are equal in such models). */
export function parameters(
  shape: Pick<LlamaFolderOptions, 'layers' | 'hidden' | 'heads' | 'kvHeads' | 'inner' | 'vocab'>,
): number {
  const { layers, hidden, heads, kvHeads, inner, vocab = 512 } = shape;
  const head = hidden / heads;
  return vocab * hidden + layers * hidden * (2 * hidden + 2 * kvHeads * head + 3 * inner);
}

/** Writes it; `scale` divides all sizes for tests. */
export async function writeRecordModel(folder: string, io: 'f32' | 'f16', scale = 1): Promise<LlamaFolderOptions> {
  const shape: LlamaFolderOptions =
    scale === 1
      ? { ...RECORD, io }
      : {
          ...RECORD,
          io,
          layers: 2,
          hidden: 2048 / scale,
          heads: 32 / scale,
          kvHeads: 8 / Math.min(8, scale),
          inner: 8192 / scale,
          vocab: Math.ceil(RECORD.vocab / scale),
        };
  await writeLlamaFolder(folder, shape);
  return shape;
}
