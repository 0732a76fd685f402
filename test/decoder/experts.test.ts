import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PassCost, UNMEASURED } from '../../src/decoder/cost-model.js';
import { measurePassCost } from '../../src/decoder/cost-probe.js';
import { ExpertProfiles } from '../../src/decoder/experts.js';
import { TokenRouting } from '../../src/decoder/token-routing.js';
import { FakeModel } from './fakes.js';

describe('PassCost', () => {
  it('tells rows from experts', () => {
    const truth = new PassCost(2, 0.3, 0.1);
    const sample = (tokens: number, distinct: number) => ({ tokens, distinct, ms: truth.predict(tokens, distinct) });
    const cost = PassCost.of(sample(1, 4), sample(8, 4), sample(8, 20))!;
    expect(cost.baseMs).toBeCloseTo(2);
    expect(cost.perTokenMs).toBeCloseTo(0.3);
    expect(cost.perExpertMs).toBeCloseTo(0.1);
    expect(cost.pays(8, 20, 12)).toBe(true);
    expect(cost.pays(8, 20, 18)).toBe(false);
  });
  it('experts that cost nothing never pay', () => {
    const cost = PassCost.of(
      { tokens: 1, distinct: 2, ms: 1 },
      { tokens: 8, distinct: 2, ms: 3 },
      { tokens: 8, distinct: 9, ms: 2.9 },
    )!;
    expect(cost.perExpertMs).toBe(0);
    expect(cost.pays(8, 9, 2)).toBe(false);
  });
  it('one that was not measured takes experts for all of the cost', () => {
    expect(UNMEASURED.pays(8, 40, 37)).toBe(true);
    expect(UNMEASURED.pays(8, 40, 39)).toBe(false);
  });
  it('says nothing where rows and experts cannot be told apart', () => {
    const one = { tokens: 1, distinct: 2, ms: 1 };
    const wide = { tokens: 8, distinct: 2, ms: 3 };
    expect(PassCost.of(one, wide, wide)).toBeUndefined();
    expect(PassCost.of(wide, wide, { ...wide, distinct: 9 })).toBeUndefined();
    expect(PassCost.of(one, wide, { ...wide, distinct: 9, ms: Number.NaN })).toBeUndefined();
  });
});

describe('measurePassCost', () => {
  const experts = { count: 32, k: 2, pick: (token: number) => [token % 32, (token + 1) % 32] };
  /** A model whose passes move a clock by what they cost; every pass of `noise` is 10 ms late. */
  const timed = (scale: number, options: { experts?: typeof experts; maxRows?: number; noise?: number } = {}) => {
    let clock = 0;
    const model = new FakeModel({ vocabSize: 300, ...options });
    const submit = model.submit.bind(model);
    const truth = new PassCost(2 * scale, 0.3 * scale, 0.1 * scale);
    model.submit = async (rows) => {
      const handle = await submit(rows);
      const distinct = new Set(rows.flatMap((r) => r.tokens.flatMap((t) => experts.pick(t)))).size;
      clock += truth.predict(rows.length, distinct) + (model.steps % (options.noise ?? Infinity) === 0 ? 10 : 0);
      return handle;
    };
    return { model, now: () => clock };
  };
  it('finds what passes cost, late ones left out, and leaves nothing open', async () => {
    const { model, now } = timed(1, { experts, noise: 4 });
    const cost = await measurePassCost(model, now);
    expect(cost?.baseMs).toBeCloseTo(2);
    expect(cost?.perTokenMs).toBeCloseTo(0.3);
    expect(cost?.perExpertMs).toBeCloseTo(0.1);
    expect(model.openSequences).toBe(0);
  });
  it('keeps its time', async () => {
    for (const scale of [1, 3, 5, 8, 30, 1000]) {
      const { model, now } = timed(scale, { experts });
      const cost = await measurePassCost(model, now);
      // What does not fit is given up after a round, or after the very first pass.
      expect(now()).toBeLessThanOrEqual(scale < 30 ? 200 : 2.5 * scale);
      if (scale <= 5) expect(cost?.perExpertMs).toBeCloseTo(0.1 * scale);
      if (scale >= 8) expect(cost).toBeUndefined();
      expect(model.openSequences).toBe(0);
    }
  });
  it('models without experts and steps of one row are not measured', async () => {
    const dense = timed(1);
    expect(await measurePassCost(dense.model, dense.now)).toBeUndefined();
    expect(dense.model.steps).toBe(1);
    const narrow = timed(1, { experts, maxRows: 1 });
    expect(await measurePassCost(narrow.model, narrow.now)).toBeUndefined();
    expect(narrow.model.steps).toBe(0);
  });
  it('a pass that fails closes what was opened', async () => {
    const model = new FakeModel({ vocabSize: 300, experts, fault: () => new Error('broken') });
    await expect(measurePassCost(model)).rejects.toThrow('broken');
    expect(model.openSequences).toBe(0);
  });
});

describe('TokenRouting', () => {
  it('remembers the last visit and how often it repeats', () => {
    const routing = new TokenRouting(1, 2);
    expect(routing.find(7)).toBe(-1);
    for (let i = 0; i < 20; i++) routing.learn(7, [Uint16Array.of(0, 0, 3, 5)], 2);
    const at = routing.find(7);
    expect([...routing.choices.subarray(at, at + 2)]).toEqual([3, 5]);
    expect(routing.trust(0)).toBeCloseTo(1);
    for (let i = 0; i < 20; i++) routing.learn(7, [Uint16Array.of(i % 2 ? 3 : 4, 9)], 0);
    expect(routing.trust(0)).toBeGreaterThan(0.6);
    expect(routing.trust(0)).toBeLessThan(0.8);
  });
  it('a token that falls on the entry of another takes it over', () => {
    const routing = new TokenRouting(4, 8);
    routing.learn(1, Array(4).fill(Uint16Array.of(0, 1, 2, 3, 4, 5, 6, 7)), 0);
    routing.learn(1 + 2 ** 15, Array(4).fill(Uint16Array.of(8, 9, 10, 11, 12, 13, 14, 15)), 0);
    expect(routing.find(1)).toBe(-1);
    expect(routing.choices[routing.find(1 + 2 ** 15)]).toBe(8);
    expect(routing.choices.byteLength).toBeLessThanOrEqual(2 ** 22);
  });
});

describe('ExpertProfiles', () => {
  /** Each token goes to the experts 2d and 2d + 1 of eight, in both layers, where d = token mod 4. */
  const trace = (tokens: readonly number[]) => {
    const ids = Uint16Array.from(tokens.flatMap((t) => [2 * (t % 4), 2 * (t % 4) + 1]));
    return { k: 2, experts: 8, ids: [ids, ids] };
  };
  const ids = Array.from({ length: 32 }, (_, i) => i);
  /** Four domains of eight sequences, told by their profiles. */
  const four = (): ExpertProfiles => {
    const profiles = new ExpertProfiles();
    for (let round = 0; round < 10; round++) {
      // Token ids are new each time: nothing but the sequence tells.
      const tokens = ids.map((id) => 100 * (1 + 32 * round + id) + (id % 4));
      profiles.learn(
        ids.map((id, i) => ({ id, tokens: [tokens[i]!] })),
        trace(tokens),
      );
    }
    return profiles;
  };
  const domains = (order: readonly number[], rows: number): number =>
    new Set(order.slice(0, rows).map((id) => id % 4)).size;

  it('a prefix of the composed order shares experts; nobody is left out', () => {
    const profiles = four();
    const order = profiles.composer(() => [99_999], UNMEASURED)?.(ids, 8) ?? [];
    expect([...order].sort((a, b) => a - b)).toEqual(ids);
    expect(domains(order, 8)).toBe(1);
    expect(order[0]).toBe(0);
    expect(profiles.lastStep).toEqual({ distinct: 16, rows: 128 });
    expect(profiles.load()[0]).toEqual(Array.from({ length: 8 }, () => 80));
    expect(profiles.gauges().expertImbalance).toBeCloseTo(1);
    profiles.forget(0);
    expect(profiles.profile(0)).toBeUndefined();
    expect(profiles.composer(() => [99_999], UNMEASURED)?.([0, 1, 5], 2)).toHaveLength(3);
  });
  it('joins those that have a place already', () => {
    const order = four().composer(() => [99_999], UNMEASURED)?.(ids.slice(4), 4, [3]) ?? [];
    expect(order).toHaveLength(28);
    expect(order.slice(0, 4).every((id) => id % 4 === 3)).toBe(true);
  });
  it('tokens tell more than profiles where they have proved to', () => {
    const profiles = four();
    // Token 1 of domain 1 runs in all sequences: it goes to its own experts.
    for (let i = 0; i < 30; i++) {
      profiles.learn([{ id: undefined, tokens: [1, 2] }], trace([1, 2]));
    }
    const order = profiles.composer((id) => [id < 8 ? 1 : 2], UNMEASURED)?.(ids, 8) ?? [];
    expect([...order.slice(0, 8)].sort((a, b) => a - b)).toEqual(ids.slice(0, 8));
    expect(profiles.profile(100)).toBeUndefined();
  });
  it('rows of many tokens are not put off for being wide', () => {
    const profiles = four();
    const order = profiles.composer((id) => Array(id === 8 ? 6 : 1).fill(99_999), UNMEASURED)?.([0, 1, 5, 8], 2) ?? [];
    expect(order.slice(0, 2)).toEqual([0, 8]);
  });
  it('keeps the order where too little is saved', () => {
    const profiles = four();
    const cheap = new PassCost(10, 1, 0.01);
    expect(profiles.composer(() => [99_999], cheap)?.(ids, 8)).toEqual(ids);
    const dear = new PassCost(1, 0.1, 1);
    expect(domains(profiles.composer(() => [99_999], dear)?.(ids, 8) ?? [], 8)).toBe(1);
  });
  it('a cached prompt makes a profile of what its tokens did elsewhere', () => {
    const profiles = four();
    profiles.learn([{ id: undefined, tokens: [5, 9, 13] }], trace([5, 9, 13]));
    profiles.seed(77, [5, 9, 13, 70_000]);
    const profile = profiles.profile(77)!;
    expect(profile[2]).toBeCloseTo(1);
    expect(profile[0]).toBe(0);
    profiles.seed(78, [70_000]);
    expect(profiles.profile(78)).toBeUndefined();
  });
  it('orders are permutations that keep the first, whatever is known (property)', () => {
    const token = fc.integer({ min: 0, max: 40 });
    fc.assert(
      fc.property(
        fc.array(fc.array(token, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 6 }),
        fc.nat(3),
        (waiting, rows, sure) => {
          const profiles = new ExpertProfiles();
          profiles.learn([{ id: 0, tokens: waiting[0]! }], trace(waiting[0]!));
          const all = waiting.map((_, i) => i);
          const fixed = all.slice(0, Math.min(sure, rows, all.length));
          const open = all.slice(fixed.length);
          const order = profiles.composer((id) => waiting[id]!, UNMEASURED)!(open, rows - fixed.length, fixed);
          expect([...order].sort((a, b) => a - b)).toEqual(open);
          if (fixed.length === 0) expect(order[0]).toBe(open[0]);
        },
      ),
    );
  });
});
