/** Sixteen requests at once against sixteen after each other, through the engine; the bare graph's gain beside it. */
import { createEngine } from '../../src/engine/create.js';
import { loadModel } from '../../src/runtime/load.js';
import type { LlamaFolderOptions } from '../../src/runtime/onnx/llama-writer.js';
import { best, DENSE, type Line, withFolder } from './common.js';

const ROWS = 16;
const TOKENS = 48;

async function engineGain(folder: string): Promise<{ gain: number; wall: number }> {
  const engine = await createEngine({ model: folder, device: 'cpu', worker: false, threads: 1 });
  // Prompts are in the prefix cache when the clock starts: what is compared is decoding. Two blocks and a bit.
  const request = (i: number) =>
    engine.generate(null, {
      prompt: `${String(i).padStart(2, '0')} words words words words words`,
      maxTokens: TOKENS,
      logitBias: { [engine.info.eos[0] ?? 0]: -1000 },
    });
  const run = (i: number) => request(i);
  for (let i = 0; i < ROWS; i++) await run(i);
  const single = await best(3, async () => {
    for (let i = 0; i < ROWS; i++) await run(i);
  });
  const batched = await best(3, async () => {
    await Promise.all(Array.from({ length: ROWS }, (_, i) => run(i)));
  });
  await engine.close();
  return { gain: single.cpuMs / batched.cpuMs, wall: single.wallMs / batched.wallMs };
}

/** The same token counts without scheduler, sampler or text: steps of the model alone. */
async function bareGain(folder: string): Promise<number> {
  const { model } = await loadModel(folder, { device: 'cpu', threads: 1, kv: { prefixCache: false } });
  const prompt = Array.from({ length: 60 }, (_, i) => 300 + i);
  const run = async (rows: number): Promise<void> => {
    const open = Array.from({ length: rows }, () => model.open().sequence);
    for (const sequence of open) (await model.submit([{ sequence, tokens: prompt, logits: 0 }])).release();
    for (let t = 0; t < TOKENS; t++) {
      const handle = await model.submit(open.map((sequence) => ({ sequence, tokens: [400 + t], logits: 1 })));
      for (let i = 0; i < rows; i++) await handle.logits(i, 0);
      handle.release();
    }
    for (const sequence of open) model.close(sequence);
  };
  await run(1);
  const single = await best(3, async () => {
    for (let i = 0; i < ROWS; i++) await run(1);
  });
  const batched = await best(3, () => run(ROWS));
  await model.dispose();
  return single.cpuMs / batched.cpuMs;
}

export async function batchPart(quick: boolean): Promise<Line[]> {
  const lines: Line[] = [];
  const kinds: [string, LlamaFolderOptions['weights'], number][] = quick
    ? [['int8', 'int8', 2.5]]
    : [
        ['int8', 'int8', 2.5],
        ['f32', 'f32', 3.5],
      ];
  for (const [name, weights, target] of kinds) {
    await withFolder({ ...DENSE, weights }, async (folder) => {
      const bare = await bareGain(folder);
      const { gain, wall } = await engineGain(folder);
      lines.push(
        {
          part: 'batch',
          name: `${name}: 16 at once against 16 in turn, engine`,
          value: gain,
          unit: 'x',
          target: `>= ${target}`,
          met: gain >= target,
          note: `wall ${wall.toFixed(2)}x`,
        },
        { part: 'batch', name: `${name}: the same, bare graph`, value: bare, unit: 'x' },
        {
          part: 'batch',
          name: `${name}: share of the bare graph's gain`,
          value: gain / bare,
          unit: '',
          target: '>= 0.9',
          met: gain / bare >= 0.9,
        },
      );
    });
  }
  return lines;
}
