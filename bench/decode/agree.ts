/**
 * `npx tsx bench/decode/agree.ts [--steps 1000] [--types f32,f16,int8,int4] [--device webgpu]`: does a device compute what the CPU computes? The
 * embedded dense model in each element type writes greedily on the CPU; the device is given the same tokens, and each step's logits are
 * compared. Up to the first difference that is also what the device would have written by itself. Exits 1 where a tolerance is passed.
 *
 * The CPU runs with `exact` (no rounding of activations to int8, which the device's kernels do not do either).
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadModel } from '../../src/runtime/load.js';
import type { LoadOptions } from '../../src/runtime/types.js';
import { agree } from './agreement.js';
import { type Variant, writeVariant } from './variants.js';

/** Greatest difference of a logit over the greatest logit of the step, and the least share of steps with the same greatest logit. */
const TOLERANCE: Readonly<Record<Variant, { readonly logits: number; readonly same: number }>> = {
  f32: { logits: 1e-3, same: 1 },
  // The provider sums products in half precision: 0.5% of the greatest in one product of 192 terms, where the CPU has 0.02%.
  f16: { logits: 0.3, same: 0.95 },
  int8: { logits: 1e-3, same: 0.999 },
  int4: { logits: 1e-3, same: 0.999 },
};

const MODEL = fileURLToPath(new URL('../../models/embedded', import.meta.url));

const args = process.argv.slice(2);
const given = (flag: string, fallback: string): string => {
  const at = args.indexOf(flag);
  return at < 0 ? fallback : (args[at + 1] ?? fallback);
};
const steps = Number(given('--steps', '1000'));
const device = given('--device', 'webgpu') as NonNullable<LoadOptions['device']>;
let failed = false;
for (const type of given('--types', 'f32,f16,int8,int4').split(',') as Variant[]) {
  const folder = await mkdtemp(path.join(tmpdir(), 'tokenloom-agree-'));
  try {
    await writeVariant(MODEL, folder, type);
    const kv = { blocks: Math.ceil((steps + 256) / 16) };
    const cpu = await loadModel(folder, { device: 'cpu', exact: true, kv });
    const other = await loadModel(folder, { device, kv });
    const found = await agree(cpu, other, steps);
    const limit = TOLERANCE[type];
    const good = found.worst <= limit.logits && found.same >= limit.same;
    if (!good) failed = true;
    console.log(
      `${type.padEnd(5)} ${other.info.device}, ${other.info.form}: ${found.steps} steps, logits apart by at most ${found.worst.toExponential(1)} of the greatest` +
        ` (mean ${found.mean.toExponential(1)}, tolerance ${limit.logits}), same greatest logit in ${(100 * found.same).toFixed(1)}%` +
        ` (at least ${100 * limit.same}%), equal text for ${found.prefix} tokens: ${good ? 'ok' : 'FAILED'}`,
    );
    await cpu.model.dispose();
    await other.model.dispose();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
process.exit(failed ? 1 : 0);
