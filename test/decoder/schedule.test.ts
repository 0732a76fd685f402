import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StepCost } from '../../src/decoder/cost-model.js';
import { type Limits, planStep, type QueuedView, type SlotView } from '../../src/decoder/schedule.js';
import type { Company } from '../../src/decoder/turns.js';

const limits: Limits = { maxRows: 4, maxStepTokens: 64, prefillChunk: 16, maxSequences: 8, agingSteps: 4 };
const slot = (id: number, part: Partial<SlotView> = {}): SlotView => ({
  id,
  priority: 0,
  arrived: id,
  waited: 0,
  length: 10,
  pending: 1,
  drafts: 0,
  decoding: true,
  suspended: false,
  ...part,
});
const queued = (id: number, part: Partial<QueuedView> = {}): QueuedView => ({
  id,
  priority: 0,
  arrived: id,
  waited: 0,
  promptTokens: 10,
  ...part,
});

/** Beyond four rows each costs four times as much; prompts 0.1 ms a token. */
const convex = (part: object = {}): StepCost =>
  new StepCost({
    points: [
      { tokens: 1, ms: 1, positionMs: 0 },
      { tokens: 4, ms: 2, positionMs: 0 },
      { tokens: 8, ms: 8, positionMs: 0 },
    ],
    padding: 1,
    chunks: [{ tokens: 64, ms: 6.4 }],
    expertMs: 0,
    ownExperts: 0,
    noise: 0,
    ...part,
  });

describe('planStep', () => {
  it('decoding rows first, prompts in chunks beside them', () => {
    const plan = planStep({
      slots: [slot(1, { decoding: false, pending: 100 }), slot(2), slot(3, { drafts: 3 })],
      queue: [],
      limits,
    });
    expect(plan.rows).toEqual([
      { id: 2, tokens: 1, drafts: 0 },
      { id: 3, tokens: 1, drafts: 3 },
      { id: 1, tokens: 16, drafts: 0 },
    ]);
  });
  it('priority, then arrival; waiting raises priority', () => {
    const slots = [slot(1), slot(2, { priority: 1 }), slot(3, { waited: 8 }), slot(4), slot(5)];
    expect(planStep({ slots, queue: [], limits }).rows.map((r) => r.id)).toEqual([3, 2, 1, 4]);
  });
  it('drafts give way to tokens that must run', () => {
    const plan = planStep({
      slots: [slot(1, { drafts: 8 }), slot(2, { drafts: 8 })],
      queue: [],
      limits: { ...limits, maxStepTokens: 4 },
    });
    expect(plan.rows).toEqual([{ id: 1, tokens: 1, drafts: 3 }]);
  });
  it('admits while there are rows and blocks', () => {
    const queue = [queued(1), queued(2), queued(3)];
    const blocks = { size: 4, free: 7 };
    expect(planStep({ slots: [], queue, limits: { ...limits, blocks } }).admit).toEqual([1, 2]);
    expect(planStep({ slots: [slot(9)], queue, limits: { ...limits, maxSequences: 2 } }).admit).toEqual([1]);
    expect(planStep({ slots: [slot(9, { suspended: true, pending: 1 })], queue, limits }).admit).toEqual([]);
  });
  it('preempts the least urgent when the first row does not fit', () => {
    const blocks = { size: 4, free: 0 };
    const plan = planStep({
      slots: [slot(1, { length: 12 }), slot(2, { length: 8, priority: 1 }), slot(3, { length: 8 })],
      queue: [],
      limits: { ...limits, blocks },
    });
    expect(plan.rows[0]!.id).toBe(2);
    expect(plan.preempt[0]).toBe(3);
  });
  it('one that fits not even alone is stuck', () => {
    const plan = planStep({
      slots: [slot(1, { length: 40, suspended: true })],
      queue: [],
      limits: { ...limits, blocks: { size: 4, free: 3 } },
    });
    expect(plan).toMatchObject({ rows: [], stuck: [1] });
  });
  it('a preference orders equally urgent rows that compete for the last places', () => {
    const slots = [slot(1), slot(2), slot(3), slot(4), slot(5, { waited: 4 }), slot(6)];
    const plan = planStep({ slots, queue: [], limits: { ...limits, maxRows: 2 }, prefer: (ids) => [...ids].reverse() });
    expect(plan.rows.map((r) => r.id)).toEqual([5, 6]);
    const even = planStep({
      slots: slots.filter((s) => s.id !== 5),
      queue: [],
      limits: { ...limits, maxRows: 2 },
      prefer: (ids) => [...ids].reverse(),
    });
    expect(even.rows.map((r) => r.id)).toEqual([6, 4]);
  });
  it('a preference hears of the rows that are sure of their place', () => {
    const slots = [slot(1), slot(2), slot(3), slot(4, { waited: 4 }), slot(5, { priority: 1 }), slot(6)];
    const asked: unknown[] = [];
    const plan = planStep({
      slots,
      queue: [],
      limits: { ...limits, maxRows: 4 },
      prefer: (ids, rows, sure) => {
        asked.push([ids, rows, sure]);
        return [...ids].reverse();
      },
    });
    expect(asked).toEqual([[[1, 2, 3, 6], 2, [4, 5]]]);
    expect(plan.rows.map((r) => r.id)).toEqual([4, 5, 6, 3]);
  });
  const wide = { ...limits, maxRows: 16 };
  const ids = (rows: readonly { readonly id: number }[]): number[] => rows.map((r) => r.id);
  it('rows take turns where that costs less; each runs once in a round, a newcomer waits for the next', () => {
    const slots = [1, 2, 3, 4, 5, 6, 7, 8].map((id) => slot(id));
    const first = planStep({ slots, queue: [], limits: wide, cost: convex() });
    expect(ids(first.rows)).toEqual([1, 2, 3, 4]);
    expect(first.turns).toEqual([[5, 6, 7, 8]]);
    const later = [...slots.filter((s) => s.id !== 6), slot(9)];
    const second = planStep({ slots: later, queue: [], limits: wide, cost: convex(), turns: first.turns });
    expect(ids(second.rows)).toEqual([5, 7, 8]);
    expect(second.turns).toEqual([]);
  });
  it('a round of which nobody is left is over', () => {
    const plan = planStep({ slots: [slot(3)], queue: [], limits: wide, cost: convex(), turns: [[1, 2], [4]] });
    expect(ids(plan.rows)).toEqual([3]);
  });
  it('all, or so many, whatever they cost', () => {
    const slots = [1, 2, 3, 4, 5, 6, 7, 8].map((id) => slot(id));
    const all = planStep({ slots, queue: [], limits: { ...wide, batch: 'all' }, cost: convex() });
    expect(all.rows).toHaveLength(8);
    const three = planStep({ slots, queue: [], limits: { ...wide, batch: 3 } });
    expect(ids(three.rows)).toEqual([1, 2, 3]);
    expect(three.turns).toEqual([
      [4, 5, 6],
      [7, 8],
    ]);
    // At most as many turns as a row may wait steps.
    const one = planStep({ slots, queue: [], limits: { ...wide, agingSteps: 2, batch: 1 } });
    expect(one.turns).toHaveLength(1);
  });
  it('prompts run beside the first turn alone, in chunks as measured', () => {
    const slots = [1, 2, 3, 4, 5, 6, 7, 8].map((id) => slot(id));
    const prompt = slot(9, { decoding: false, pending: 100 });
    const first = planStep({ slots: [...slots, prompt], queue: [], limits: wide, cost: convex({ chunk: 8 }) });
    expect(ids(first.rows)).toEqual([1, 2, 3, 4, 9]);
    expect(first.rows.at(-1)!.tokens).toBe(8);
    const second = planStep({ slots: [...slots, prompt], queue: [], limits: wide, cost: convex(), turns: first.turns });
    expect(ids(second.rows)).toEqual([5, 6, 7, 8]);
  });
  it('rows whose turn comes later take no tokens from prompts beside the first', () => {
    const slots = [1, 2, 3, 4].map((id) => slot(id, { drafts: 3 }));
    const prompt = slot(9, { decoding: false, pending: 100 });
    const given = { slots: [...slots, prompt], queue: [], cost: convex() };
    const beside = planStep({ ...given, limits: { ...wide, maxStepTokens: 16, batch: 2 } });
    expect(beside.rows.map((r) => [r.id, r.tokens + r.drafts])).toEqual([
      [1, 4],
      [2, 4],
      [9, 8],
    ]);
    const apart = planStep({ ...given, limits: { ...wide, maxStepTokens: 16, stepMs: 0.1 } });
    expect(apart.rows.map((r) => [r.id, r.tokens])).toEqual([[9, 16]]);
    expect(apart.turns.flat()).toEqual([1, 2, 3, 4]);
  });
  it('a mixture whose experts are not known yet runs whole', () => {
    const slots = [1, 2, 3, 4, 5, 6, 7, 8].map((id) => slot(id));
    const plan = planStep({ slots, queue: [], limits: wide, cost: convex({ expertMs: 1 }), company: () => undefined });
    expect(plan.rows).toHaveLength(8);
  });
  it('a bound on time: fewer rows, shorter chunks, and prompts by themselves where nothing is left', () => {
    const cost = convex();
    const slots = [1, 2, 3, 4].map((id) => slot(id));
    const prompt = slot(9, { decoding: false, pending: 200 });
    const given = { ...limits, maxStepTokens: 1000, prefillChunk: 256 };
    const roomy = planStep({ slots: [...slots, prompt], queue: [], limits: { ...given, maxRows: 8, stepMs: 6 }, cost });
    expect(ids(roomy.rows)).toEqual([1, 2, 3, 4, 9]);
    expect(cost.prefill(roomy.rows[4]!.tokens)).toBeLessThanOrEqual(4);
    expect(roomy.rows[4]!.tokens).toBeGreaterThan(30);
    const tight = planStep({ slots: [...slots, prompt], queue: [], limits: { ...given, maxRows: 8, stepMs: 2 }, cost });
    expect(ids(tight.rows)).toEqual([9]);
    expect(tight.rows[0]!.tokens).toBe(16);
    expect(tight.turns).toEqual([[1, 2, 3, 4]]);
    const after = planStep({
      slots: [...slots, prompt],
      queue: [],
      limits: { ...given, maxRows: 8, stepMs: 2 },
      cost,
      turns: tight.turns,
    });
    expect(ids(after.rows)).toEqual([1, 2, 3, 4]);
  });
  it('all rows, or so many, in a bounded time: no more turns than the bound asks for', () => {
    const slots = [1, 2, 3, 4, 5, 6, 7, 8].map((id) => slot(id));
    const given = { slots, queue: [], cost: convex() };
    // Two turns of four would cost half, but were not asked for.
    expect(planStep({ ...given, limits: { ...wide, batch: 'all', stepMs: 100 } }).rows).toHaveLength(8);
    expect(planStep({ ...given, limits: { ...wide, batch: 'all', stepMs: 3 } }).rows).toHaveLength(4);
    expect(planStep({ ...given, limits: { ...wide, batch: 6, stepMs: 100 } }).rows).toHaveLength(6);
    expect(planStep({ ...given, limits: { ...wide, batch: 6, stepMs: 2.1 } }).rows).toHaveLength(4);
    expect(planStep({ ...given, limits: { ...wide, batch: 6, stepMs: 0.1 } }).rows).toHaveLength(2);
  });
  it('a bound on time counts the experts of a mixture; unknown ones cut no round that keeps it', () => {
    const slots = [1, 2, 3, 4, 5, 6, 7, 8].map((id) => slot(id));
    const cost = convex({ expertMs: 1 });
    // Ten experts for each row.
    const company = (ids: readonly number[]): Company => ({
      width: 100,
      distinct: (rows) => 10 * rows.length,
      average: () => Float32Array.from({ length: ids.length + 1 }, (_, n) => 10 * n),
      gather: (left) => left.slice(0, 1),
    });
    const given = { queue: [], cost, company };
    expect(planStep({ ...given, slots, limits: { ...wide, batch: 6, stepMs: 35 } }).rows).toHaveLength(3);
    // 21.3 ms for two rows leave 8.7 for a prompt.
    const prompt = slot(9, { decoding: false, pending: 500 });
    const beside = planStep({
      ...given,
      slots: [...slots.slice(0, 2), prompt],
      limits: { ...wide, prefillChunk: 256, maxStepTokens: 1000, stepMs: 30 },
    });
    expect(ids(beside.rows)).toEqual([1, 2, 9]);
    expect(cost.prefill(beside.rows[2]!.tokens)).toBeLessThanOrEqual(8.7);
    const unknown = { slots, queue: [], cost, company: () => undefined };
    expect(planStep({ ...unknown, limits: { ...wide, stepMs: 100 } }).rows).toHaveLength(8);
    expect(planStep({ ...unknown, limits: { ...wide, stepMs: 3 } }).rows).toHaveLength(4);
  });
  it('prompts alone in a time that nothing fits leave no turns', () => {
    const prompt = slot(9, { decoding: false, pending: 200 });
    for (const batch of ['auto', 'all', 2] as const) {
      const plan = planStep({ slots: [prompt], queue: [], limits: { ...wide, batch, stepMs: 0.1 }, cost: convex() });
      expect(ids(plan.rows)).toEqual([9]);
      expect(plan.turns).toEqual([]);
    }
  });
  it('turns push nobody out: a round has its memory when it begins', () => {
    // Each row needs a block; six fit.
    const slots = [1, 2, 3, 4, 5, 6, 7, 8].map((id) => slot(id, { length: 8 }));
    const blocks = { size: 4, free: 6 };
    const first = planStep({ slots, queue: [queued(20)], limits: { ...wide, blocks }, cost: convex() });
    expect(first.preempt).toEqual([]);
    expect([...ids(first.rows), ...first.turns.flat()]).toHaveLength(6);
    expect(first.admit).toEqual([]);
  });
  it('plans are within their limits, pure, and never idle while something can run (property)', () => {
    const arbSlot = fc.record({
      priority: fc.nat(2),
      waited: fc.nat(9),
      length: fc.nat(50),
      pending: fc.integer({ min: 1, max: 40 }),
      drafts: fc.nat(5),
      decoding: fc.boolean(),
      suspended: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(arbSlot, { maxLength: 10 }),
        fc.array(fc.record({ promptTokens: fc.integer({ min: 1, max: 60 }) }), { maxLength: 5 }),
        fc.nat(40),
        fc.option(fc.constantFrom<Partial<Limits>>({}, { batch: 'all' }, { batch: 2 }, { stepMs: 2 })),
        (specs, waiting, free, part) => {
          const slots = specs.map((s, i) => slot(i + 1, s));
          const queue = waiting.map((w, i) => queued(100 + i, w));
          const given = { ...limits, maxRows: part === null ? 4 : 9, blocks: { size: 4, free }, ...part };
          const input = { slots, queue, limits: given, cost: part === null ? undefined : convex() };
          const plan = planStep(input);
          expect(planStep(input)).toEqual(plan);
          expect(plan.rows.length).toBeLessThanOrEqual(given.maxRows);
          const round = [...plan.rows.map((r) => r.id), ...plan.turns.flat()];
          expect(new Set(round).size).toBe(round.length);
          expect(plan.turns.length).toBeLessThanOrEqual(given.agingSteps);
          expect(plan.rows.reduce((n, r) => n + r.tokens + r.drafts, 0)).toBeLessThanOrEqual(limits.maxStepTokens);
          const byId = new Map(slots.map((s) => [s.id, s]));
          for (const r of plan.rows) {
            const s = byId.get(r.id)!;
            expect(r.tokens).toBeGreaterThan(0);
            expect(r.tokens).toBeLessThanOrEqual(s.pending);
            expect(r.drafts === 0 || (r.tokens === s.pending && r.drafts <= s.drafts)).toBe(true);
            expect(plan.preempt).not.toContain(r.id);
          }
          if (slots.length > 0) expect(plan.rows.length + plan.stuck.length).toBeGreaterThan(0);
          else if (queue.length > 0) expect(plan.admit.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 500 },
    );
  });
});
