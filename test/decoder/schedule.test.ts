import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Limits, planStep, type QueuedView, type SlotView } from '../../src/decoder/schedule.js';

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
        (specs, waiting, free) => {
          const slots = specs.map((s, i) => slot(i + 1, s));
          const queue = waiting.map((w, i) => queued(100 + i, w));
          const given = { ...limits, blocks: { size: 4, free } };
          const plan = planStep({ slots, queue, limits: given });
          expect(planStep({ slots, queue, limits: given })).toEqual(plan);
          expect(plan.rows.length).toBeLessThanOrEqual(limits.maxRows);
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
