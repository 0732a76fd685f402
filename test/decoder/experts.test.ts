import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.js';
import { PassCost } from '../../src/decoder/cost-model.js';
import { ExpertProfiles } from '../../src/decoder/experts.js';

describe('PassCost', () => {
  const feed = (perExpert: number): PassCost => {
    const cost = new PassCost();
    const random = createRandom(3);
    for (let i = 0; i < 400; i++) {
      const tokens = 1 + random.below(16);
      const distinct = 4 + random.below(60);
      cost.learn(tokens, distinct, 2 + 0.3 * tokens + perExpert * distinct + (random.float() - 0.5) * 0.2);
    }
    return cost;
  };
  it('recovers what passes cost', () => {
    const { baseMs, perTokenMs, perExpertMs } = feed(0.1).coefficients;
    expect(baseMs).toBeCloseTo(2, 0);
    expect(perTokenMs).toBeCloseTo(0.3, 1);
    expect(perExpertMs).toBeCloseTo(0.1, 1);
  });
  it('composition pays where experts cost, not where they do not, and by default until known', () => {
    expect(feed(0.1).compositionPays).toBe(true);
    expect(feed(0).compositionPays).toBe(false);
    expect(new PassCost().compositionPays).toBe(true);
  });
  it('ignores times that are none', () => {
    const cost = new PassCost();
    cost.learn(1, 1, Number.NaN);
    cost.learn(1, 1, 0);
    expect(cost.coefficients).toEqual({ baseMs: 0, perTokenMs: 0, perExpertMs: 0 });
  });
});

describe('ExpertProfiles', () => {
  it('a prefix of the composed order shares experts; nobody is left out', () => {
    const profiles = new ExpertProfiles();
    // Four domains of eight sequences; each domain has two experts of its own in each of two layers.
    const ids = Array.from({ length: 32 }, (_, i) => i);
    for (let round = 0; round < 10; round++) {
      const chosen = ids.flatMap((id) => [2 * (id % 4), 2 * (id % 4) + 1]);
      profiles.learn(
        ids.map((id) => ({ id, tokens: 1 })),
        { k: 2, experts: 8, ids: [Uint16Array.from(chosen), Uint16Array.from(chosen)] },
      );
    }
    const order = profiles.composer()?.(ids, 8) ?? [];
    expect([...order].sort((a, b) => a - b)).toEqual(ids);
    expect(new Set(order.slice(0, 8).map((id) => id % 4)).size).toBe(1);
    expect(profiles.lastStep).toEqual({ distinct: 16, rows: 128 });
    expect(profiles.load()[0]).toEqual(Array.from({ length: 8 }, () => 80));
    expect(profiles.gauges().expertImbalance).toBeCloseTo(1);
    profiles.forget(0);
    expect(profiles.profile(0)).toBeUndefined();
    expect(profiles.composer()?.([0, 1, 5], 2)).toHaveLength(3);
  });
});
