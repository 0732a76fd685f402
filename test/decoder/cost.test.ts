import { describe, expect, it } from 'vitest';
import { type CostTable, StepCost, UNMEASURED } from '../../src/decoder/cost-model.js';
import { measureStepCost } from '../../src/decoder/cost-probe.js';
import type { StepRow } from '../../src/decoder/model.js';
import { FakeModel, type FakeOptions } from './fakes.js';

const table = (part: Partial<CostTable> = {}): CostTable => ({
  points: [
    { tokens: 1, ms: 1, positionMs: 0.001 },
    { tokens: 4, ms: 2.5, positionMs: 0.004 },
    { tokens: 8, ms: 4.5, positionMs: 0.012 },
  ],
  padding: 1,
  chunks: [
    { tokens: 64, ms: 6.4 },
    { tokens: 256, ms: 28.8 },
  ],
  expertMs: 0,
  ownExperts: 0,
  noise: 0,
  ...part,
});

describe('StepCost', () => {
  it('is linear between points and beyond the last', () => {
    const cost = new StepCost(table());
    expect(cost.predict(1, 1, 0, 0)).toBeCloseTo(1);
    expect(cost.predict(2, 2, 0, 0)).toBeCloseTo(1.5);
    expect(cost.predict(8, 8, 0, 0)).toBeCloseTo(4.5);
    expect(cost.predict(12, 12, 0, 0)).toBeCloseTo(6.5);
    expect(cost.predict(4, 4, 100, 400)).toBeCloseTo(2.9);
    expect(cost.predict(6, 6, 100, 600)).toBeCloseTo(3.5 + 0.8);
  });
  it('padding: every row as long as the longest, or its own length', () => {
    const of = (padding: number): number => new StepCost(table({ padding })).predict(4, 4, 1000, 1300) - 2.5;
    expect(of(1)).toBeCloseTo(4);
    expect(of(0)).toBeCloseTo(1.3);
    expect(of(0.5)).toBeCloseTo(2.65);
  });
  it('a step beyond the last point is never cheaper than the last', () => {
    const cost = new StepCost(
      table({
        points: [
          { tokens: 1, ms: 2, positionMs: 0 },
          { tokens: 2, ms: 1, positionMs: 0 },
        ],
      }),
    );
    expect(cost.predict(20, 20, 0, 0)).toBeCloseTo(1);
  });
  it('one point: proportional', () => {
    const cost = new StepCost(table({ points: [{ tokens: 2, ms: 3, positionMs: 0.01 }] }));
    expect(cost.predict(4, 4, 10, 40)).toBeCloseTo(6 + 0.2);
  });
  it('chunks of a prompt, and how many tokens fit a time', () => {
    const cost = new StepCost(table());
    expect(cost.prefill(64)).toBeCloseTo(6.4);
    expect(cost.prefill(160)).toBeCloseTo(17.6);
    expect(cost.prefill(512)).toBeCloseTo(57.6);
    const tokens = cost.promptTokens(10, 256);
    expect(cost.prefill(tokens)).toBeLessThanOrEqual(10);
    expect(cost.prefill(tokens + 1)).toBeGreaterThan(10);
    expect(cost.promptTokens(1000, 256)).toBe(256);
    expect(cost.promptTokens(-1, 256)).toBe(0);
    expect(new StepCost(table({ chunks: [] })).prefill(8)).toBeCloseTo(4.5);
  });
  it('experts: more than those of the measured points', () => {
    const cost = new StepCost(table({ expertMs: 0.1, ownExperts: 4 }));
    expect(cost.predict(8, 8, 0, 0, 24)).toBeCloseTo(6.5);
    expect(cost.predict(8, 8, 0, 0, 2)).toBeCloseTo(4.5);
    expect(cost.predict(8, 8, 0, 0)).toBeCloseTo(4.5);
    expect(cost.pays(8, 24, 12)).toBe(true);
    expect(cost.pays(8, 24, 22)).toBe(false);
    expect(new StepCost(table()).pays(8, 24, 2)).toBe(false);
  });
  it('mixtures that were not measured take experts for all of the cost', () => {
    expect(UNMEASURED.pays(8, 40, 37)).toBe(true);
    expect(UNMEASURED.pays(8, 40, 39)).toBe(false);
  });
  it('learns that the machine is slower: ratios stay', () => {
    const cost = new StepCost(table());
    const before = cost.predict(8, 8, 0, 0) / cost.predict(4, 4, 0, 0);
    for (let i = 0; i < 200; i++) cost.learn(i % 2 ? 7.5 : 13.5, i % 2 ? 4 : 8, i % 2 ? 4 : 8, 0, 0);
    expect(cost.predict(8, 8, 0, 0)).toBeGreaterThan(12.5);
    expect(cost.predict(8, 8, 0, 0) / cost.predict(4, 4, 0, 0) / before).toBeCloseTo(1, 1);
  });
  it('learns that one width, or the past, was measured wrong, also from few steps', () => {
    const cost = new StepCost(table());
    // Width 8 costs 9 and not 4.5; it runs once in 50 steps.
    for (let i = 0; i < 1000; i++) cost.learn(i % 50 === 0 ? 9 : 2.5, i % 50 === 0 ? 8 : 4, i % 50 === 0 ? 8 : 4, 0, 0);
    expect(cost.predict(4, 4, 0, 0)).toBeCloseTo(2.5, 0);
    expect(cost.predict(8, 8, 0, 0)).toBeGreaterThan(7.5);
    const past = new StepCost(table());
    for (let i = 0; i < 3000; i++) {
      const length = i % 2 ? 2000 : 10;
      past.learn(2.5 + 2 * 0.004 * length, 4, 4, length, 4 * length);
    }
    expect(past.predict(4, 4, 2000, 8000)).toBeGreaterThan(16);
    expect(past.predict(4, 4, 10, 40)).toBeLessThan(3.2);
  });
  it('learns that experts were measured wrong', () => {
    const cost = new StepCost(table({ expertMs: 0.4, ownExperts: 4 }));
    for (let i = 0; i < 2000; i++) cost.learn(4.5 + (i % 2 ? 2 : 0.4), 8, 8, 0, 0, i % 2 ? 24 : 8);
    const added = cost.predict(8, 8, 0, 0, 24) - cost.predict(8, 8, 0, 0, 4);
    expect(added / cost.predict(8, 8, 0, 0, 4)).toBeLessThan(0.7);
  });
  it('a late step moves little, nonsense nothing', () => {
    const cost = new StepCost(table());
    for (let i = 0; i < 20; i++) cost.learn(2.5, 4, 4, 0, 0);
    cost.learn(1e6, 4, 4, 0, 0);
    expect(cost.predict(4, 4, 0, 0)).toBeLessThan(2.5 * 1.1);
    const now = cost.predict(4, 4, 0, 0);
    for (const ms of [0, -1, Number.NaN]) cost.learn(ms, 4, 4, 0, 0);
    expect(cost.predict(4, 4, 0, 0)).toBe(now);
  });
});

/** A model whose steps move a clock by what they cost; every `late`th step is 10 ms late. */
function timed(
  price: (rows: readonly StepRow[], lengths: readonly number[]) => number,
  options: Partial<FakeOptions> & { late?: number } = {},
) {
  let clock = 0;
  const model = new FakeModel({ vocabSize: 300, maxRows: 64, maxStepTokens: 4096, contextLength: 1024, ...options });
  const submit = model.submit.bind(model);
  model.submit = async (rows) => {
    const lengths = rows.map((r) => model.length(r.sequence));
    const handle = await submit(rows);
    clock += price(rows, lengths) + (model.steps % (options.late ?? Number.POSITIVE_INFINITY) === 0 ? 10 : 0);
    return handle;
  };
  return { model, now: () => clock };
}

describe('measureStepCost', () => {
  const tokensOf = (rows: readonly StepRow[]): number => rows.reduce((n, r) => n + r.tokens.length, 0);
  /** 0.5 ms, 0.1 a token, 0.4 µs a row and position of the longest. */
  const dense = (rows: readonly StepRow[], lengths: readonly number[]): number =>
    0.5 + 0.1 * tokensOf(rows) + 0.0004 * rows.length * Math.max(...lengths);

  it('finds what rows, their past, padding and chunks cost, late steps left out, and leaves nothing open', async () => {
    const { model, now } = timed(dense, { late: 9 });
    const cost = await measureStepCost(model, { now });
    expect(cost!.table.points.map((p) => p.tokens)).toEqual([1, 2, 4, 8, 16, 32]);
    for (const { tokens, ms, positionMs } of cost!.table.points) {
      expect(ms).toBeCloseTo(0.5 + 0.1 * tokens);
      expect(positionMs).toBeCloseTo(0.0004 * tokens);
    }
    expect(cost!.table.padding).toBeCloseTo(1);
    expect(cost!.table.noise).toBeCloseTo(0);
    expect(cost!.table.chunks[0]!.ms).toBeGreaterThan(6.8);
    expect(model.openSequences).toBe(0);
  });
  it('tells that attention is not padded', async () => {
    const ragged = (rows: readonly StepRow[], lengths: readonly number[]): number =>
      0.5 + 0.1 * tokensOf(rows) + 0.0004 * lengths.reduce((a, b) => a + b, 0);
    const { model, now } = timed(ragged);
    expect((await measureStepCost(model, { now }))?.table.padding).toBeCloseTo(0);
  });
  it('takes a shorter chunk where long ones cost more', async () => {
    const square = (rows: readonly StepRow[]): number =>
      0.5 + rows.reduce((ms, r) => ms + 0.05 * r.tokens.length + 0.0003 * r.tokens.length ** 2, 0);
    const steep = timed(square);
    expect((await measureStepCost(steep.model, { now: steep.now }))?.table.chunk).toBe(64);
    const flat = timed(dense);
    expect((await measureStepCost(flat.model, { now: flat.now }))?.table.chunk).toBeUndefined();
  });
  it('finds what experts cost', async () => {
    const experts = { count: 32, k: 2, pick: (token: number) => [token % 32, (token + 1) % 32] };
    const mixture = (rows: readonly StepRow[], lengths: readonly number[]): number =>
      dense(rows, lengths) + 0.2 * new Set(rows.flatMap((r) => r.tokens.flatMap((t) => experts.pick(t)))).size;
    const { model, now } = timed(mixture, { experts });
    const cost = await measureStepCost(model, { now });
    expect(cost!.table.expertMs).toBeCloseTo(0.2);
    expect(cost!.table.ownExperts).toBe(2);
    expect(cost!.table.points[0]!.ms).toBeCloseTo(1);
  });
  it('a short chunk of a mixture pays for its experts too', async () => {
    const experts = { count: 32, k: 2, pick: (token: number) => [token % 32, (token + 1) % 32] };
    const price = (expertMs: number) => (rows: readonly StepRow[]) =>
      0.5 +
      rows.reduce((ms, r) => ms + 0.1 * r.tokens.length + 0.0001 * r.tokens.length ** 2, 0) +
      expertMs * new Set(rows.flatMap((r) => r.tokens.flatMap((t) => experts.pick(t)))).size;
    // By chunks of one token 64 are 7% cheaper than 256; with 32 experts a chunk they are dearer.
    for (const [expertMs, chunk] of [
      [0.001, 64],
      [0.2, undefined],
    ] as const) {
      const { model, now } = timed(price(expertMs), { experts });
      const cost = await measureStepCost(model, { now });
      expect(cost!.table.chunk).toBe(chunk);
      expect(cost!.prefill(64)).toBeCloseTo(0.5 + 6.4 + 0.41 + 32 * expertMs, 1);
    }
  });
  it('shows how far its measurements lie apart', async () => {
    let i = 0;
    const { model, now } = timed((rows, lengths) => dense(rows, lengths) * (1 + 0.2 * (i++ % 3)));
    expect((await measureStepCost(model, { now }))!.table.noise).toBeGreaterThan(0.1);
  });
  it('keeps its time: what does not fit is left out', async () => {
    for (const scale of [1, 3, 10, 30, 100, 1000]) {
      const { model, now } = timed((rows, lengths) => scale * dense(rows, lengths));
      const cost = await measureStepCost(model, { now });
      // At most the two steps that find out.
      expect(now()).toBeLessThanOrEqual(Math.max(300 * 1.1, 2 * 0.6 * scale));
      expect(model.openSequences).toBe(0);
      if (scale <= 10) expect(cost!.table.points.length).toBeGreaterThanOrEqual(3);
      if (scale >= 1000) expect(cost).toBeUndefined();
      for (const p of cost?.table.points ?? []) expect(p.ms).toBeCloseTo(scale * (0.5 + 0.1 * p.tokens));
    }
  });
  it('steps of one row, and memory without room, tell nothing', async () => {
    const narrow = timed(dense, { maxRows: 1 });
    expect(await measureStepCost(narrow.model, { now: narrow.now })).toBeUndefined();
    const full = timed(dense, { blocks: { size: 16, total: 1 } });
    expect(await measureStepCost(full.model, { now: full.now })).toBeUndefined();
    expect(full.model.openSequences).toBe(0);
  });
  it('little memory: fewer widths', async () => {
    const { model, now } = timed(dense, { blocks: { size: 16, total: 12 } });
    const cost = await measureStepCost(model, { now });
    expect(cost!.table.points.map((p) => p.tokens)).toEqual([1, 2, 4, 8]);
    expect(cost!.table.points.every((p) => p.positionMs === 0)).toBe(true);
    expect(model.openSequences).toBe(0);
  });
  it('a clock that stands still, is too coarse, goes back or tells nothing: not known', async () => {
    for (const tick of [() => 0, () => Number.NaN, (ms: number) => -ms, (ms: number) => Math.floor(ms / 5) * 5]) {
      const { model, now } = timed(dense, { maxRows: 16 });
      expect(await measureStepCost(model, { now: () => tick(now()) })).toBeUndefined();
      expect(model.openSequences).toBe(0);
    }
  });
  it('widths too short for the clock are left out', async () => {
    // Ticks of 2 ms: rows of 1 to 8 take less.
    const { model, now } = timed(dense);
    const cost = await measureStepCost(model, { now: () => Math.floor(now() / 2) * 2 });
    for (const p of cost?.table.points ?? []) expect(p.ms).toBeGreaterThan(0);
  });
  it('a step that fails closes what was opened', async () => {
    const { model, now } = timed(dense, { fault: () => new Error('broken') });
    await expect(measureStepCost(model, { now })).rejects.toThrow('broken');
    expect(model.openSequences).toBe(0);
  });
});
