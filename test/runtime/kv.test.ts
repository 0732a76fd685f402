/** The block pool: forks, cutting, prefix reuse, eviction, moving out and back, full pools. */
import { open, readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { LimitError, OptionError } from '../../src/base/errors.js';
import { createRandom } from '../../src/base/random.js';
import type { StepModel } from '../../src/decoder/model.js';
import { BlockPool, blockKey, rootKey } from '../../src/runtime/kv/blocks.js';
import { SwapStore } from '../../src/runtime/kv/swap.js';
import type { PagedModel } from '../../src/runtime/paged.js';
import { all, difference, prefill, someTokens, withFolder, withModel } from './models.js';

const paged = (model: StepModel): PagedModel => model as PagedModel;

describe('block pool', () => {
  it('keeps every block free, cached or referenced over random use', () => {
    const random = createRandom(9);
    const pool = new BlockPool(12);
    const held: number[] = [];
    for (let i = 0; i < 4000; i++) {
      const what = random.below(5);
      if (what === 0) {
        const b = pool.allocate();
        if (b === undefined) expect(pool.available()).toBe(0);
        else held.push(b);
      } else if (what === 1 && held.length > 0) pool.release(held.splice(random.below(held.length), 1)[0]!);
      else if (what === 2 && held.length > 0) {
        const b = held[random.below(held.length)]!;
        pool.retain(b);
        held.push(b);
      } else if (what === 3 && held.length > 0) {
        pool.publish(held[random.below(held.length)]!, `key ${random.below(30)}`);
      } else if (what === 4) {
        const b = pool.take(`key ${random.below(30)}`);
        if (b !== undefined) held.push(b);
      }
      expect(pool.available()).toBe(12 - new Set(held).size);
    }
    for (const b of held) pool.release(b);
    expect(pool.available()).toBe(12);
    pool.clear();
    expect(pool.unused()).toBe(12);
  });

  it('evicts the least recently used block first', () => {
    const pool = new BlockPool(3);
    const [a, b, c] = [pool.allocate()!, pool.allocate()!, pool.allocate()!];
    pool.publish(a, 'a');
    pool.publish(b, 'b');
    pool.publish(c, 'c');
    for (const x of [a, b, c]) pool.release(x);
    pool.release(pool.take('a')!);
    expect(pool.allocate()).toBe(b);
    expect(pool.take('b')).toBeUndefined();
    expect(pool.take('a')).toBe(a);
    expect(pool.counters().evictions).toBe(1);
  });

  it('keys depend on parent, tokens, salt and adapter', () => {
    const keys = new Set([
      blockKey(rootKey('', ''), [1, 2], 0, 2),
      blockKey(rootKey('x', ''), [1, 2], 0, 2),
      blockKey(rootKey('', 'x'), [1, 2], 0, 2),
      blockKey(rootKey('', ''), [2, 1], 0, 2),
      blockKey(blockKey(rootKey('', ''), [1, 2], 0, 2), [1, 2], 0, 2),
    ]);
    expect(keys.size).toBe(5);
  });
});

describe('prefix cache', () => {
  it('takes over full blocks of a closed sequence and gives the same logits', async () => {
    await withModel({}, { kv: { bytes: 2 ** 22 } }, async ({ model }) => {
      const tokens = someTokens(50);
      const first = await prefill(model, tokens);
      model.close(first.sequence);
      const { sequence, cached } = model.open({ prompt: tokens });
      expect(cached).toBe(48);
      const handle = await model.submit([{ sequence, tokens: tokens.slice(48), logits: 1 }]);
      expect(difference((await all(handle, 0, 1))[0]!, first.logits[0]!)).toBeLessThan(1e-4);
      expect(paged(model).memory().cache).toMatchObject({ hits: 3, savedTokens: 48 });
      expect(model.open({ prompt: tokens.slice(0, 32) }).cached).toBe(16);
      expect(model.open({ prompt: [...tokens.slice(0, 20), 1, ...tokens.slice(21)] }).cached).toBe(16);
    });
  });

  it('shares blocks with sequences that are still open', async () => {
    await withModel({}, { kv: { blocks: 12 } }, async ({ model }) => {
      const tokens = someTokens(65);
      await prefill(model, tokens);
      expect(model.blocks?.free()).toBe(7);
      await prefill(model, tokens);
      expect(model.blocks?.free()).toBe(6);
    });
  });

  it('is not seen across salts and adapters', async () => {
    await withModel({}, { kv: { bytes: 2 ** 22 } }, async ({ model }) => {
      const tokens = someTokens(40);
      const { sequence } = model.open({ salt: 'tenant a', adapter: 'x' });
      await model.submit([{ sequence, tokens, logits: 0 }]);
      model.close(sequence);
      expect(model.open({ prompt: tokens }).cached).toBe(0);
      expect(model.open({ prompt: tokens, salt: 'tenant b', adapter: 'x' }).cached).toBe(0);
      expect(model.open({ prompt: tokens, salt: 'tenant a' }).cached).toBe(0);
      expect(model.open({ prompt: tokens, salt: 'tenant a', adapter: 'x' }).cached).toBe(32);
    });
  });

  it('can be turned off', async () => {
    await withModel({}, { kv: { bytes: 2 ** 22, prefixCache: false } }, async ({ model }) => {
      const { sequence } = await prefill(model, someTokens(40));
      model.close(sequence);
      expect(model.open({ prompt: someTokens(40) }).cached).toBe(0);
    });
  });
});

describe('full pools', () => {
  it('refuse a step, change nothing, and go on once there is room', async () => {
    await withModel({}, { kv: { blocks: 6 } }, async ({ model, info }) => {
      expect(info.warnings.some((w) => w.includes('KV pool holds 96'))).toBe(true);
      expect(model.contextLength).toBe(96);
      const a = await prefill(model, someTokens(60));
      const b = model.open().sequence;
      const step = [
        { sequence: a.sequence, tokens: [1], logits: 1 },
        { sequence: b, tokens: someTokens(40, 2), logits: 1 },
      ];
      expect(model.fits(step.map((r) => ({ sequence: r.sequence, tokens: r.tokens.length })))).toBe(false);
      await expect(model.submit(step)).rejects.toThrow(LimitError);
      expect(model.length(a.sequence)).toBe(60);
      expect(model.length(b)).toBe(0);
      expect(model.blocks?.free()).toBe(2);
      model.suspend(a.sequence);
      expect(model.blocks?.free()).toBe(6);
      await model.submit(step.slice(1));
      await expect(model.submit(step.slice(0, 1))).rejects.toThrow(LimitError);
      model.close(b);
      const handle = await model.submit(step.slice(0, 1));
      const logits = (await handle.logits(0, 0)).slice();
      expect(model.length(a.sequence)).toBe(61);
      model.close(a.sequence);
      const whole = await prefill(model, [...someTokens(60), 1]);
      expect(difference(whole.logits[0]!, logits)).toBeLessThan(1e-4);
    });
  });

  it('report bad plans as typed errors', async () => {
    await withModel({}, { kv: { bytes: 2 ** 22 } }, async ({ model }) => {
      const { sequence } = model.open();
      const row = { sequence, tokens: [1], logits: 1 };
      await expect(model.submit([{ ...row, sequence: 99 }])).rejects.toThrow(OptionError);
      await expect(model.submit([row, row])).rejects.toThrow(OptionError);
      await expect(model.submit([{ ...row, tokens: [] }])).rejects.toThrow(OptionError);
      await expect(model.submit([{ ...row, tokens: [384] }])).rejects.toThrow(OptionError);
      await expect(model.submit([{ ...row, logits: 2 }])).rejects.toThrow(OptionError);
      await expect(model.submit([{ ...row, tokens: someTokens(193) }])).rejects.toThrow(LimitError);
      await expect((await model.submit([row])).sample([])).rejects.toThrow(OptionError);
    });
  });
});

/** Random use of a paged model beside a contiguous one: the same logits, and no block lost. */
it.each(['gqa', 'plain'] as const)(
  '%s: random opens, steps, forks, cuts, swaps equal the contiguous twin',
  async (attention) => {
    const shape = { attention, layers: 1, vocab: 300 } as const;
    // Room for some suspended sequences only, so that others are computed again.
    const swap = { memory: 20_000, file: 40_000 };
    await withModel(shape, { kv: { blocks: 40, swap } }, (ours) =>
      withModel(shape, { kv: { form: 'contiguous' } }, async (twin) => {
        const random = createRandom(31);
        let live: { a: number; b: number; tokens: number[] }[] = [];
        const [p, q] = [ours.model, twin.model];
        const shared = someTokens(40, 8, 300);
        for (let i = 0; i < 220; i++) {
          const what = random.below(10);
          const s = live[random.below(live.length)];
          if (what < 2 && live.length < 6) {
            const prompt = [...shared.slice(0, random.below(40)), 1 + random.below(200)];
            const [a, b] = [p.open({ prompt }), q.open()];
            if (a.cached > 0) await q.submit([{ sequence: b.sequence, tokens: prompt.slice(0, a.cached), logits: 0 }]);
            live.push({ a: a.sequence, b: b.sequence, tokens: prompt.slice(0, a.cached) });
          } else if (what === 2 && s !== undefined && live.length < 6) {
            live.push({ a: p.fork(s.a), b: q.fork(s.b), tokens: [...s.tokens] });
          } else if (what === 3 && s !== undefined) {
            const keep = random.below(s.tokens.length + 1);
            p.truncate(s.a, keep);
            q.truncate(s.b, keep);
            s.tokens.length = keep;
          } else if (what === 4 && s !== undefined) {
            p.close(s.a);
            q.close(s.b);
            live = live.filter((x) => x !== s);
          } else if (what === 5 && s !== undefined) p.suspend(s.a);
          else if (what > 5 && live.length > 0) {
            const rows = live
              .filter(() => random.below(3) > 0)
              .map((x) => {
                const n = 1 + (random.below(3) === 0 ? random.below(24) : random.below(3));
                const known = x.tokens.length < 40 && x.tokens.every((t, j) => t === shared[j]);
                const tokens = Array.from(
                  { length: n },
                  (_, j) => (known ? shared[x.tokens.length + j] : undefined) ?? random.below(300),
                );
                return { x, tokens, logits: Math.min(n, 2) };
              })
              .filter((r) => r.x.tokens.length + r.tokens.length <= 150);
            const plan = (side: 'a' | 'b') =>
              rows.map((r) => ({ sequence: r.x[side], tokens: r.tokens, logits: r.logits }));
            if (!p.fits(plan('a').map((r) => ({ sequence: r.sequence, tokens: r.tokens.length })))) continue;
            const [x, y] = [await p.submit(plan('a')), await q.submit(plan('b'))];
            for (const [r, row] of rows.entries()) {
              const [u, v] = [await all(x, r, row.logits), await all(y, r, row.logits)];
              u.forEach((l, k) => {
                expect(difference(l, v[k]!)).toBeLessThan(1e-4);
              });
              row.x.tokens.push(...row.tokens);
            }
          }
          for (const x of live) expect(p.length(x.a)).toBe(x.tokens.length);
        }
        for (const x of live) p.close(x.a);
        expect(p.blocks?.free()).toBe(40);
        expect(paged(p).memory().suspended).toEqual({ memory: 0, file: 0 });
        expect(paged(p).memory().cache.hits).toBeGreaterThan(0);
      }),
    );
  },
);

describe.each(['gqa', 'plain'] as const)('int8 pool: %s', (attention) => {
  it('is close to f32 in a quarter of the memory, and moves without loss', async () => {
    const tokens = someTokens(70);
    const run = (dtype: 'f32' | 'int8') =>
      withModel({ attention, headDim: 32 }, { kv: { blocks: 24, dtype, form: 'paged' } }, async ({ model }) => {
        const bytes = paged(model).memory().poolBytes;
        const a = await prefill(model, tokens.slice(0, 37));
        const b = model.fork(a.sequence);
        model.suspend(a.sequence);
        const other = await prefill(model, someTokens(40, 9));
        model.close(other.sequence);
        const rows = (s: number) => [{ sequence: s, tokens: tokens.slice(37, 60), logits: 3 }];
        const x = await all(await model.submit(rows(a.sequence)), 0, 3);
        const y = await all(await model.submit(rows(b)), 0, 3);
        y.forEach((l, i) => {
          expect(difference(l, x[i]!)).toBeLessThan(1e-5);
        });
        return { bytes, x };
      });
    const [f32, int8] = [await run('f32'), await run('int8')];
    expect(int8.bytes / f32.bytes).toBeCloseTo((32 + 4) / (4 * 32), 5);
    int8.x.forEach((l, i) => {
      const peak = Math.max(...(f32.x[i] ?? []).map(Math.abs));
      expect(difference(l, f32.x[i]!) / peak).toBeLessThan(0.03);
      expect(difference(l, f32.x[i]!)).toBeGreaterThan(0);
    });
  });
});

describe('swap', () => {
  const size = 2 * 2 * 16 * 2 * 16 * 4;
  it('goes to a file past the memory limit and comes back the same; what has no room is computed again', async () => {
    const kv = { blocks: 20, swap: { memory: 3 * size, file: 4 * size } };
    await withModel({}, { kv }, async ({ model }) => {
      const a = await prefill(model, someTokens(100));
      const b = await prefill(model, someTokens(30, 2));
      const c = await prefill(model, someTokens(20, 3));
      const expected = await all(await model.submit([{ sequence: a.sequence, tokens: [5], logits: 1 }]), 0, 1);
      model.truncate(a.sequence, 100);
      model.suspend(a.sequence);
      expect(paged(model).memory().suspended).toEqual({ memory: 3 * size, file: 4 * size });
      model.suspend(b.sequence);
      expect(paged(model).memory().suspended).toEqual({ memory: 3 * size, file: 4 * size });
      expect(model.blocks?.free()).toBe(18);
      expect(model.length(b.sequence)).toBe(30);
      // Evict what the prefix cache still holds of it.
      const filler = await prefill(model, someTokens(191, 7));
      model.close(filler.sequence);
      paged(model).clearCache();
      model.resume(a.sequence);
      expect(paged(model).memory().suspended).toEqual({ memory: 0, file: 0 });
      const got = await all(await model.submit([{ sequence: a.sequence, tokens: [5], logits: 1 }]), 0, 1);
      expect(difference(got[0]!, expected[0]!)).toBeLessThan(1e-5);
      const rows = [
        { sequence: c.sequence, tokens: [1], logits: 1 },
        { sequence: b.sequence, tokens: [5, 6], logits: 2 },
      ];
      const handle = await model.submit(rows);
      const whole = await prefill(model, [...someTokens(30, 2), 5, 6], 2);
      for (const p of [0, 1]) expect(difference(await handle.logits(1, p), whole.logits[p]!)).toBeLessThan(1e-4);
      expect(model.length(b.sequence)).toBe(32);
      model.suspend(c.sequence);
      model.truncate(c.sequence, 3);
      model.resume(c.sequence);
      expect(model.length(c.sequence)).toBe(3);
      model.suspend(c.sequence);
      model.close(c.sequence);
      expect(paged(model).memory().suspended).toEqual({ memory: 0, file: 0 });
    });
  });

  it('finds damage in the file and leaves the other sequences alone', () =>
    withFolder(async (folder) => {
      const swap = new SwapStore({ memory: 0, file: 1000 }, folder);
      const scales = new Float32Array(2);
      const [x, y] = [1, 2].map((v) => swap.put({ data: new Int8Array(92).fill(v), scales }));
      const [sub = ''] = await readdir(folder);
      const file = await open(path.join(folder, sub, 'blocks'), 'r+');
      await file.write(Buffer.of(9), 0, 1, 10);
      await file.close();
      expect(() => swap.get(x!)).toThrow(/swap file: expected the block that was written/);
      expect(swap.get(y!).data[91]).toBe(2);
      expect(swap.hasRoom(8, 100)).toBe(true);
      expect(swap.hasRoom(9, 100)).toBe(false);
      swap.dispose();
      expect(await readdir(folder)).toEqual([]);
    }));
});
