/**
 * The paged form on WebGPU against CPU. Runs where an adapter is (a GPU, or lavapipe through VK_ICD_FILENAMES and XDG_RUNTIME_DIR);
 * skipped elsewhere.
 */
import { describe, expect, it } from 'vitest';
import { OptionError } from '../../src/base/errors.js';
import { createRandom } from '../../src/base/random.js';
import type { SampleSpec } from '../../src/decoder/model.js';
import type { LlamaFolderOptions } from '../../src/runtime/onnx/llama-writer.js';
import { Noise } from '../../src/runtime/sampling/noise.js';
import { half, missing } from './adapter.js';
import { choose } from './choose.js';
import { all, difference, someTokens, withModel } from './models.js';

const kinds: Record<string, [Partial<LlamaFolderOptions>, number]> = {
  f32: [{}, 1e-3],
  ...(half
    ? {
        // The device's own attention is as far off from 32 tokens on, with and without blocks: 2.5% of the greatest logit.
        f16: [{ io: 'f16' }, 0.3],
        'f16, window': [{ io: 'f16', packedQkv: true, localWindow: 20 }, 0.05],
        'int4, f16 activations': [{ io: 'f16', weights: 'int4', sinks: 'learned' }, 0.4],
      }
    : {}),
  'plain export': [{ attention: 'plain' }, 1e-3],
  'f32 mixture': [{ experts: { count: 4, topK: 2 } }, 1e-3],
  'int4 mixture': [{ weights: 'int4', experts: { count: 4, topK: 2 } }, 0.6],
};

describe.skipIf(missing !== undefined)('webgpu', () => {
  it.each(Object.entries(kinds))(
    '%s: ragged steps, forks, cuts, suspended sequences equal CPU',
    async (_, [shape, limit]) => {
      /** One script, run on each device. */
      const run = (device: 'cpu' | 'webgpu'): Promise<Float32Array[]> =>
        withModel(shape, { device, kv: { blocks: 40 } }, async ({ model, info }) => {
          // Caches of half precision are paged on devices only.
          const form = device === 'cpu' && shape.io === 'f16' ? 'contiguous' : 'paged';
          expect([info.device, info.form]).toEqual([device, form]);
          expect(info.warnings.some((w) => w.includes('experts run'))).toBe(
            device === 'webgpu' && shape.experts !== undefined,
          );
          // Windows and sinks are refused before anything is tried.
          expect(info.warnings.filter((w) => w.includes('PagedAttention'))).toEqual([]);
          const out: Float32Array[] = [];
          const step = async (plan: [sequence: number, tokens: number[]][]): Promise<void> => {
            const rows = plan.map(([sequence, tokens]) => ({ sequence, tokens, logits: Math.min(2, tokens.length) }));
            const handle = await model.submit(rows);
            for (const [i, r] of rows.entries()) out.push(...(await all(handle, i, r.logits)));
            handle.release();
          };
          const prompt = someTokens(40);
          const [a, b] = [model.open({ prompt }).sequence, model.open().sequence];
          await step([
            [a, prompt],
            [b, someTokens(5, 2)],
          ]);
          await step([
            [a, [7]],
            [b, [8, 9, 10]],
          ]);
          const c = model.fork(a);
          await step([
            [a, [1]],
            [c, [2, 3]],
          ]);
          model.truncate(c, 30);
          model.suspend(b);
          model.resume(b);
          await step([
            [c, [4]],
            [b, [5]],
          ]);
          model.close(a);
          const again = model.open({ prompt });
          expect(again.cached).toBe(info.form === 'paged' ? 32 : 0);
          await step([[again.sequence, prompt.slice(again.cached)]]);
          return out;
        });
      const [gpu, cpu] = [await run('webgpu'), await run('cpu')];
      expect(gpu.length).toBe(cpu.length);
      gpu.forEach((x, i) => {
        expect(difference(x, cpu[i]!)).toBeLessThan(limit);
      });
    },
    // A software adapter takes minutes to compile the attention kernel of half precision, the first time.
    600_000,
  );

  it('chooses the tokens that the host would choose', async () => {
    await withModel({}, { device: 'webgpu', kv: { blocks: 40 } }, async ({ model, vocabulary }) => {
      expect(model.samples).toBe(true);
      const [a, b] = [model.open().sequence, model.open().sequence];
      const handle = await model.submit([
        { sequence: a, tokens: someTokens(7), logits: 3 },
        { sequence: b, tokens: someTokens(12, 5), logits: 1 },
      ]);
      const random = createRandom(3);
      const noise = new Noise(384);
      const rounds = [
        ['plain', () => ({})],
        ['top-k', () => ({ topK: 1 + random.below(30) })],
        ['top-p', () => ({ topP: 0.1 + 0.8 * random.float() })],
        ['min-p', () => ({ minP: 0.02 + 0.3 * random.float() })],
        ['all filters', () => ({ topK: 2 + random.below(60), topP: 0.5 + 0.4 * random.float(), minP: 0.01 })],
      ] as const;
      for (const [name, filters] of rounds) {
        for (const kind of ['none', 'allow', 'deny', 'bits', 'mixed'] as const) {
          const specs: SampleSpec[] = [];
          for (let i = 0; i < 12; i++) {
            const ids = Int32Array.from({ length: 384 }, (_, t) => t).filter(
              () => random.below(i % 3 === 0 ? 60 : 3) === 0,
            );
            const bits = new Uint32Array(12);
            for (const t of ids) bits[t >>> 5]! |= 1 << (t & 31);
            const masks = {
              none: undefined,
              allow: { kind: 'allow', ids },
              deny: { kind: 'deny', ids },
              bits: { kind: 'bits', bits },
            } as const;
            const mask =
              ids.length === 0
                ? undefined
                : masks[kind === 'mixed' ? (['allow', 'deny', 'bits', 'none'] as const)[i % 4]! : kind];
            const edited = i % 4 === 3 && {
              ids: Int32Array.of(5, 9, 77),
              divide: Float32Array.of(1, 1.5, 2),
              add: Float32Array.of(3, -8, 0),
            };
            const row = random.below(2);
            specs.push({
              row,
              position: row === 0 ? random.below(3) : 0,
              ...(mask === undefined ? {} : { mask }),
              temperature: name === 'plain' ? [0, 0.7, 1.5][i % 3]! : [0.7, 1.5, 3, 0][i % 4]!,
              topK: 0,
              topP: 1,
              minP: 0,
              ...filters(),
              seed: random.next(),
              ...(edited === false ? {} : { edits: edited }),
              ...(i % 2 === 0 ? { whole: true } : {}),
            });
          }
          const got = await handle.sample(specs);
          for (const [i, spec] of specs.entries()) {
            const logits = await handle.logits(spec.row, spec.position);
            const expected = choose(logits, spec, vocabulary.size, noise);
            expect([name, kind, i, got[i]?.token]).toEqual([name, kind, i, expected.token]);
            expect(Math.abs((got[i]?.logprob ?? 0) - expected.logprob)).toBeLessThan(1e-3);
            if (spec.whole === true) expect(Math.abs((got[i]?.before ?? 0) - expected.before!)).toBeLessThan(1e-3);
          }
        }
      }
      const plain: SampleSpec = { row: 0, position: 0, temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 };
      await expect(handle.sample([{ ...plain, mask: { kind: 'allow', ids: new Int32Array(0) } }])).rejects.toThrow(
        OptionError,
      );
      handle.release();
      await expect(handle.logits(0, 0)).rejects.toThrow(OptionError);
    });
  }, 240_000);

  it('a pool that the device cannot hold is an error that says what to do, or the contiguous form with that reason', async () => {
    const kv = { bytes: 2 ** 36 };
    const open = (form: 'auto' | 'paged') =>
      withModel({ layers: 1 }, { device: 'webgpu', kv: { ...kv, form } }, async ({ info }) => info);
    await expect(open('paged')).rejects.toThrow(/KV pool.*lower kv\.bytes/s);
    const info = await open('auto');
    expect(info.form).toBe('contiguous');
    expect(info.warnings.join()).toMatch(/lower kv\.bytes/);
  }, 120_000);

  it('runs the contiguous form', async () => {
    await withModel(
      { attention: 'plain', layers: 1 },
      { device: 'webgpu', kv: { form: 'contiguous' } },
      async ({ model, info }) => {
        expect([info.device, info.form]).toEqual(['webgpu', 'contiguous']);
        const { sequence } = model.open();
        const handle = await model.submit([{ sequence, tokens: someTokens(4), logits: 1 }]);
        expect((await handle.logits(0, 0)).length).toBe(384);
      },
    );
  }, 120_000);
});

it.skipIf(missing === undefined)('without an adapter the error says so', async () => {
  await expect(withModel({}, { device: 'webgpu' }, async () => undefined)).rejects.toThrow(/for device 'webgpu'/);
});
