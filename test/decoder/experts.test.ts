import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StepCost, UNMEASURED } from '../../src/decoder/cost-model.js';
import { ExpertProfiles } from '../../src/decoder/experts.js';
import { TokenRouting } from '../../src/decoder/token-routing.js';

/** So much for a step, for each token in it, and for each distinct expert. */
const priced = (base: number, token: number, expertMs: number): StepCost =>
  new StepCost({
    points: [1, 2].map((tokens) => ({ tokens, ms: base + token * tokens, positionMs: 0 })),
    padding: 1,
    chunks: [],
    expertMs,
    ownExperts: 0,
    noise: 0,
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
    const cheap = priced(10, 1, 0.01);
    expect(profiles.composer(() => [99_999], cheap)?.(ids, 8)).toEqual(ids);
    const dear = priced(1, 0.1, 1);
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
