/** The trained dense model on a device against the CPU, type by type; `npx tsx bench/decode/agree.ts` does it over 1,000 steps. */
import { access } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { agree } from '../../bench/decode/agreement.js';
import { type Variant, writeVariant } from '../../bench/decode/variants.js';
import { loadModel } from '../../src/runtime/load.js';
import { missing } from './adapter.js';
import { withFolder } from './models.js';

const MODEL = fileURLToPath(new URL('../../models/embedded', import.meta.url));
const trained = await access(`${MODEL}/onnx/model.onnx`).then(
  () => true,
  () => false,
);
if (!trained) process.stderr.write('agreement of devices is not tested: the embedded model is not there\n');

describe.skipIf(missing !== undefined || !trained)('the embedded model on webgpu', () => {
  // f16 is left to the command: software adapters take minutes to compile its attention kernel for this model's head size.
  const variants: readonly Variant[] = ['f32', 'int8', 'int4'];
  it.each(variants)(
    '%s: the same greedy tokens as the CPU, logits within 1e-4 of the greatest',
    async (variant) => {
      await withFolder(async (folder) => {
        await writeVariant(MODEL, folder, variant);
        const kv = { blocks: 24 };
        const cpu = await loadModel(folder, { device: 'cpu', exact: true, kv });
        const gpu = await loadModel(folder, { device: 'webgpu', kv });
        try {
          expect(gpu.info.form).toBe('paged');
          const found = await agree(cpu, gpu, 24);
          expect(found.worst).toBeLessThan(1e-4);
          expect(found.prefix).toBe(24);
        } finally {
          await cpu.model.dispose();
          await gpu.model.dispose();
        }
      });
    },
    600_000,
  );
});
