import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.js';
import {
  addTime,
  mergeTimes,
  packTimes,
  quantile,
  ratio,
  share,
  type TimeCounts,
  timeQuantile,
} from '../../src/reliability/statistics.js';

describe("shares with Wilson's interval", () => {
  it('agrees with published values', () => {
    // Newcombe (1998), method 3: 81 of 263 and 0 of 20, 95%.
    const a = share(81, 263);
    expect(a.low).toBeCloseTo(0.2553, 4);
    expect(a.high).toBeCloseTo(0.3662, 4);
    const b = share(0, 20);
    expect(b.low).toBe(0);
    expect(b.high).toBeCloseTo(0.1611, 4);
  });
  it('has width where all succeed, and ends at 1', () => {
    const all = share(10_000, 10_000);
    expect(all.high).toBe(1);
    expect(all.low).toBeGreaterThan(0.9995);
    expect(all.low).toBeLessThan(1);
  });
  it('holds the share, and is the mirror of its complement', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.double({ min: 0, max: 1, noNaN: true }), (of, p) => {
        const n = Math.round(p * of);
        const a = share(n, of);
        const b = share(of - n, of);
        expect(a.low).toBeLessThanOrEqual(a.share);
        expect(a.high).toBeGreaterThanOrEqual(a.share);
        expect(a.low).toBeCloseTo(1 - b.high, 10);
      }),
    );
  });
  it('says nothing of nothing', () => {
    expect(share(0, 0).share).toBeNaN();
  });
});

describe('ratios of sums', () => {
  it('is the ratio, with an interval that holds it and narrows with more pairs', () => {
    const random = createRandom(3);
    const pairs = Array.from({ length: 400 }, () => {
      const below = 1 + random.float();
      return [below * (1.8 + 0.4 * random.float()), below] as const;
    });
    const all = ratio(pairs);
    const some = ratio(pairs.slice(0, 25));
    expect(all.value).toBeCloseTo(2, 1);
    expect(all.low).toBeLessThan(all.value);
    expect(all.high).toBeGreaterThan(all.value);
    expect(all.high - all.low).toBeLessThan(some.high - some.low);
    expect(ratio(pairs)).toEqual(all);
  });
  it('covers the truth about 95 times in 100', () => {
    const random = createRandom(11);
    let covered = 0;
    for (let trial = 0; trial < 200; trial++) {
      const pairs = Array.from({ length: 60 }, () => [random.float() + random.float(), 1] as const);
      const { low, high } = ratio(pairs, trial);
      if (low <= 1 && 1 <= high) covered++;
    }
    // 200 trials at 0.93: under 170 has a chance below one in 10^4.
    expect(covered).toBeGreaterThan(170);
  });
});

describe('times in buckets', () => {
  it('keeps quantiles to 5%, also merged', () => {
    const random = createRandom(5);
    const values = Array.from({ length: 5000 }, () => Math.exp(random.float() * 12 - 6));
    const a: TimeCounts = new Map();
    const b: TimeCounts = new Map();
    values.forEach((v, i) => {
      addTime(i % 2 === 0 ? a : b, v);
    });
    mergeTimes(a, packTimes(b));
    for (const q of [0.01, 0.5, 0.9, 0.99, 0.999]) {
      const exact = quantile(values, q);
      expect(Math.abs(timeQuantile(a, q) / exact - 1)).toBeLessThan(0.05);
    }
    expect(timeQuantile(new Map(), 0.5)).toBeNaN();
  });
});
