/** Whether a device computes what the CPU computes, on the same tokens step by step. */
import { relativeDifference } from '../../src/runtime/probe.js';
import type { LoadedModel } from '../../src/runtime/types.js';

const TEXT = 'Extract the person: John Smith, 42 years old, writes to john@example.com and lives in Berlin.';

export interface Agreement {
  readonly steps: number;
  readonly worst: number;
  readonly mean: number;
  readonly same: number;
  /** Steps before the first difference of the greatest logit. */
  readonly prefix: number;
}

/** The CPU writes `steps` tokens greedily, the device is given the same ones; logits of each step are compared. */
export async function agree(cpu: LoadedModel, device: LoadedModel, steps: number): Promise<Agreement> {
  const prompt = cpu.tokenizer.encode(cpu.chat.render([{ role: 'user', content: TEXT }]));
  const [a, b] = [cpu.model.open().sequence, device.model.open().sequence];
  const total = Math.min(steps, cpu.model.contextLength - prompt.length - 1);
  let [worst, sum, same, prefix] = [0, 0, 0, total];
  let tokens: readonly number[] = prompt;
  for (let step = 0; step < total; step++) {
    const run = async (loaded: LoadedModel, sequence: number): Promise<Float32Array> => {
      const handle = await loaded.model.submit([{ sequence, tokens, logits: 1 }]);
      const logits = (await handle.logits(0, 0)).slice();
      handle.release();
      return logits;
    };
    const [x, y] = [await run(cpu, a), await run(device, b)];
    const difference = relativeDifference([x], [y]);
    worst = Math.max(worst, difference);
    sum += difference / total;
    const [mine, theirs] = [greatest(x, cpu.info.eos), greatest(y, cpu.info.eos)];
    if (mine === theirs) same++;
    else prefix = Math.min(prefix, step);
    tokens = [mine];
  }
  return { steps: total, worst, mean: sum, same: same / total, prefix };
}

/** The greatest logit but for ends: the text goes on. */
function greatest(logits: Float32Array, ends: readonly number[]): number {
  let best = -1;
  for (let i = 0; i < logits.length; i++) if (!ends.includes(i) && (best < 0 || logits[i]! > logits[best]!)) best = i;
  return best;
}
