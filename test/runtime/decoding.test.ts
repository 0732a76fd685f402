/** Decoding with a KV cache equals decoding without one, whatever the export, the experts, the weights and the form. */
import { describe, expect, it } from 'vitest';
import type { StepModel } from '../../src/decoder/model.js';
import { ContiguousModel } from '../../src/runtime/contiguous.js';
import { readFolder } from '../../src/runtime/folder.js';
import { decoderNames } from '../../src/runtime/io.js';
import { type LlamaFolderOptions, writeLlamaFolder } from '../../src/runtime/onnx/llama-writer.js';
import { Session } from '../../src/runtime/session.js';
import { all, argmax, BASE, difference, prefill, someTokens, withFolder, withModel } from './models.js';

const moe = { experts: { count: 4, topK: 2 }, routerOutputs: true } as const;
const kinds: Record<string, Partial<LlamaFolderOptions>> = {
  'gqa dense': {},
  'gqa packed, window, softcap': { packedQkv: true, localWindow: 20, softcap: 15 },
  'gqa learned sinks, softcap': { sinks: 'learned', softcap: 10 },
  'gqa smooth softmax': { sinks: 'smooth', packedQkv: true },
  'gqa one head per KV head': { heads: 2, kvHeads: 2, headDim: 32 },
  'gqa mixture': moe,
  'plain dense': { attention: 'plain', tied: true },
  'plain norms of heads': { attention: 'plain', qkNorm: true },
  'plain mixture': { attention: 'plain', ...moe },
};

/** Logits of each position of `tokens`, each computed from scratch. */
async function withoutCache(model: StepModel, tokens: readonly number[]): Promise<Float32Array[]> {
  const out: Float32Array[] = [];
  for (let n = 1; n <= tokens.length; n++) {
    const { sequence } = model.open();
    const handle = await model.submit([{ sequence, tokens: tokens.slice(0, n), logits: 1 }]);
    out.push(...(await all(handle, 0, 1)));
    model.close(sequence);
  }
  return out;
}

describe.each(Object.entries(kinds))('%s', (_, shape) => {
  it.each(['paged', 'contiguous'] as const)(
    '%s: chunks, single tokens and ragged rows equal no cache',
    async (form) => {
      const tokens = someTokens(44);
      const expected = await withModel(shape, { kv: { form: 'contiguous' } }, ({ model }) =>
        withoutCache(model, tokens),
      );
      await withModel(shape, { kv: { form, bytes: 2 ** 22 } }, async ({ model, info }) => {
        expect(info.form).toBe(form);
        expect(info.warnings.filter((w) => !w.includes('KV pool'))).toEqual([]);
        const cuts = [
          [17, 1, 1, 5, 1, 19],
          [1, 1, 30, 1, 1, 1, 1, 8],
          [3, 16, 16, 9],
        ];
        const open = cuts.map(() => model.open().sequence);
        const at = cuts.map(() => 0);
        for (let step = 0; step < 8; step++) {
          const rows = cuts.flatMap((c, i) => {
            const n = c[step] ?? 0;
            return n === 0
              ? []
              : [{ sequence: open[i]!, tokens: tokens.slice(at[i], at[i]! + n), logits: Math.min(n, 3), i }];
          });
          const handle = await model.submit(rows);
          for (const [r, row] of rows.entries()) {
            at[row.i]! += row.tokens.length;
            const got = await all(handle, r, row.logits);
            got.forEach((logits, p) => {
              expect(difference(logits, expected[at[row.i]! - row.logits + p]!)).toBeLessThan(1e-4);
            });
          }
          handle.release();
        }
        expect(open.map((s) => model.length(s))).toEqual([44, 44, 44]);
      });
    },
  );

  it.each(['paged', 'contiguous'] as const)('%s: greedy tokens equal no cache', async (form) => {
    await withModel(shape, { kv: { form, bytes: 2 ** 22 } }, async ({ model }) => {
      const tokens = someTokens(9, 4);
      let { sequence, logits } = await prefill(model, tokens);
      for (let i = 0; i < 24; i++) {
        const token = argmax(logits[0]!);
        tokens.push(token);
        const handle = await model.submit([{ sequence, tokens: [token], logits: 1 }]);
        logits = await all(handle, 0, 1);
        const fresh = model.open().sequence;
        const whole = await model.submit([{ sequence: fresh, tokens, logits: 1 }]);
        expect(argmax((await all(whole, 0, 1))[0]!)).toBe(argmax(logits[0]!));
        model.close(fresh);
      }
      model.close(sequence);
      sequence = 0;
    });
  });
});

describe.each(['int8', 'int4'] as const)('%s weights', (weights) => {
  it.each(['gqa', 'plain'] as const)('%s: paged equals contiguous', async (attention) => {
    const shape = { attention, weights, ...moe, layers: 1 };
    const tokens = someTokens(40, 2);
    const a = await withModel(shape, { kv: { form: 'contiguous' } }, async ({ model }) => {
      const { sequence, logits } = await prefill(model, tokens.slice(0, 30), 3);
      const handle = await model.submit([{ sequence, tokens: tokens.slice(30), logits: 3 }]);
      return [...logits, ...(await all(handle, 0, 3))];
    });
    await withModel(shape, { kv: { form: 'paged', bytes: 2 ** 22 } }, async ({ model }) => {
      const { sequence, logits } = await prefill(model, tokens.slice(0, 30), 3);
      const handle = await model.submit([{ sequence, tokens: tokens.slice(30), logits: 3 }]);
      const b = [...logits, ...(await all(handle, 0, 3))];
      b.forEach((x, i) => {
        expect(difference(x, a[i]!)).toBeLessThan(0.05);
      });
    });
  });
});

describe('what a step returns', () => {
  it('names the experts of each token, in row order, the same in both forms', async () => {
    const run = (form: 'paged' | 'contiguous', shape: Partial<LlamaFolderOptions>) =>
      withModel({ ...shape, ...moe }, { kv: { form, bytes: 2 ** 22 } }, async ({ model }) => {
        const [a, b] = [model.open().sequence, model.open().sequence];
        await model.submit([{ sequence: a, tokens: someTokens(5), logits: 0 }]);
        const handle = await model.submit([
          { sequence: b, tokens: someTokens(20, 3), logits: 0 },
          { sequence: a, tokens: [7, 8], logits: 1 },
        ]);
        const trace = await handle.experts();
        expect(trace?.k).toBe(2);
        expect(trace?.experts).toBe(4);
        return trace?.ids.map((i) => [...i]);
      });
    const gqa = await run('contiguous', {});
    expect(gqa?.[0]?.length).toBe(44);
    expect(await run('paged', {})).toEqual(gqa);
    expect(await run('paged', { attention: 'plain' })).toEqual(gqa);
  });

  it.each([
    ['f32', 'gqa'],
    ['f32', 'plain'],
    ['int8', 'gqa'],
    ['int4', 'gqa'],
  ] as const)('computes the head for allowed ids alone: %s %s', async (weights, attention) => {
    await withModel(
      { weights, attention, tied: attention === 'plain' },
      { kv: { bytes: 2 ** 22 } },
      async ({ model }) => {
        const { sequence, logits } = await prefill(model, someTokens(12));
        const [whole] = logits;
        const allowed = Int32Array.of(0, 5, 17, 200, 383);
        model.truncate(sequence, 11);
        (model as StepModel & { restrict(n: number): void }).restrict(8);
        const handle = await model.submit([{ sequence, tokens: someTokens(12).slice(11), logits: 1, allowed }]);
        expect(handle.restricted(0)).toBe(true);
        const few = await handle.logits(0, 0);
        expect(few.length).toBe(5);
        expect(
          difference(
            few,
            Array.from(allowed, (t) => whole?.[t] ?? Number.NaN),
          ),
        ).toBeLessThan(1e-4);
      },
    );
  });

  it('keeps restricted and whole rows of one step apart', async () => {
    await withModel({}, { kv: { bytes: 2 ** 22 } }, async ({ model }) => {
      (model as StepModel & { restrict(n: number): void }).restrict(8);
      const tokens = someTokens(6);
      const { logits } = await prefill(model, tokens, 2);
      const ids = [model.open().sequence, model.open().sequence, model.open().sequence];
      const allowed = Int32Array.of(3, 300);
      const handle = await model.submit([
        { sequence: ids[0]!, tokens, logits: 1 },
        { sequence: ids[1]!, tokens, logits: 2, allowed },
        { sequence: ids[2]!, tokens, logits: 2 },
      ]);
      expect([0, 1, 2].map((r) => handle.restricted(r))).toEqual([false, true, false]);
      expect(difference(await handle.logits(0, 0), logits[1]!)).toBeLessThan(1e-4);
      expect(difference(await handle.logits(2, 0), logits[0]!)).toBeLessThan(1e-4);
      const row = await handle.logits(1, 0);
      expect(difference(row, [logits[0]![3]!, logits[0]![300]!])).toBeLessThan(1e-4);
    });
  });
});

describe('unset accuracy of 8-bit products', () => {
  it.each(['paged', 'contiguous'] as const)('%s: is set for speed, and kept on demand', async (form) => {
    const shape = { weights: 'int8', accuracyLevel: 0, layers: 1 } as const;
    const run = (options: { exact?: boolean }, level: 0 | 4) =>
      withModel({ ...shape, accuracyLevel: level }, { kv: { form, bytes: 2 ** 22 }, ...options }, async ({ model }) =>
        (await prefill(model, someTokens(20), 1)).logits.at(0),
      );
    const [fast, exact, four] = [await run({}, 0), await run({ exact: true }, 0), await run({}, 4)];
    expect(difference(fast!, four!)).toBeLessThan(1e-4);
    expect(difference(exact!, four!)).toBeGreaterThan(1e-3);
    expect(difference(exact!, four!)).toBeLessThan(0.3);
  });
});

it('runs norms of heads inside GroupQueryAttention, which the CPU kernel lacks, as plain exports do', async () => {
  const run = (attention: 'gqa' | 'plain') =>
    withModel({ attention, qkNorm: true }, { kv: { bytes: 2 ** 22 } }, async ({ model, info }) => {
      expect(info.warnings.some((w) => w.includes('unchecked'))).toBe(attention === 'gqa');
      const { sequence, logits } = await prefill(model, someTokens(30), 2);
      return [...logits, ...(await all(await model.submit([{ sequence, tokens: [4, 5], logits: 2 }]), 0, 2))];
    });
  const [a, b] = [await run('gqa'), await run('plain')];
  a.forEach((x, i) => {
    expect(difference(x, b[i]!)).toBeLessThan(1e-4);
  });
});

it('contiguous: long rows run in chunks, with the same logits and experts', async () => {
  await withFolder(async (folder) => {
    await writeLlamaFolder(folder, { ...BASE, ...moe });
    const { graph } = await readFolder(folder);
    const run = async (chunk: number) => {
      const session = await Session.create({ path: graph });
      const [ins, outs] = [session.inputs.map((i) => i.name), session.outputs.map((o) => o.name)];
      const options = { contextLength: 192, vocabSize: 384, kvBytes: 2 ** 24, topK: 2, chunk };
      const model = new ContiguousModel(session, decoderNames(graph, ins, outs), options);
      const handle = await model.submit([{ sequence: model.open().sequence, tokens: someTokens(50), logits: 9 }]);
      const out = { logits: await all(handle, 0, 9), experts: (await handle.experts())?.ids.map((i) => [...i]) };
      await model.dispose();
      return out;
    };
    const [whole, cut] = [await run(100), await run(7)];
    expect(cut.experts).toEqual(whole.experts);
    cut.logits.forEach((x, i) => {
      expect(difference(x, whole.logits[i]!)).toBeLessThan(1e-4);
    });
  });
});
