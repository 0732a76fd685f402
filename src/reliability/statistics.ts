/**
 * The figures' arithmetic: shares with Wilson's interval, ratios of sums with a bootstrap, quantiles of times.
 *
 * Shares near 100% are what this suite is about, and there the usual interval (p ± 1.96 standard errors) has no width: Wilson's score interval
 * (Wilson, 1927) keeps its coverage there. Ratios of sums have no simple formula: requests are resampled with replacement
 * (Efron's bootstrap, percentile interval), seeded. Times are kept in buckets of ratio 2^(1/8), so quantiles are right to 5%.
 */
import { createRandom } from '../base/random.js';

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface Share extends Interval {
  readonly count: number;
  readonly of: number;
  /** NaN where there is nothing to count. */
  readonly share: number;
}

const Z95 = 1.959964;

/** A share with its 95% interval after Wilson. */
export function share(count: number, of: number): Share {
  if (of === 0) return { count, of, share: Number.NaN, low: 0, high: 1 };
  const p = count / of;
  const z2 = Z95 * Z95;
  const middle = (p + z2 / (2 * of)) / (1 + z2 / of);
  const half = (Z95 * Math.sqrt((p * (1 - p)) / of + z2 / (4 * of * of))) / (1 + z2 / of);
  return {
    count,
    of,
    share: p,
    low: count === 0 ? 0 : Math.max(0, middle - half),
    high: count === of ? 1 : Math.min(1, middle + half),
  };
}

export interface Ratio extends Interval {
  readonly value: number;
  /** Pairs behind it. */
  readonly of: number;
}

/** The ratio of two sums over the same items, with a 95% bootstrap interval over the items. */
export function ratio(pairs: readonly (readonly [above: number, below: number])[], seed = 1): Ratio {
  const n = pairs.length;
  // Fewer resamples of many items: their interval is narrow, and 200 place its ends well enough.
  const draws = Math.min(1000, Math.max(200, Math.floor(2_000_000 / Math.max(1, n))));
  let above = 0;
  let below = 0;
  for (const [a, b] of pairs) {
    above += a;
    below += b;
  }
  if (n === 0 || below === 0) return { value: Number.NaN, low: Number.NaN, high: Number.NaN, of: n };
  const random = createRandom(seed);
  const found = new Float64Array(draws);
  for (let d = 0; d < draws; d++) {
    let a = 0;
    let b = 0;
    for (let i = 0; i < n; i++) {
      const pair = pairs[random.below(n)]!;
      a += pair[0];
      b += pair[1];
    }
    found[d] = b === 0 ? Number.NaN : a / b;
  }
  found.sort();
  return {
    value: above / below,
    low: found[Math.floor(draws * 0.025)]!,
    high: found[Math.ceil(draws * 0.975) - 1]!,
    of: n,
  };
}

/** The q-quantile of numbers, by the nearest rank; NaN of none. */
export function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))]!;
}

/** Times by bucket. */
export type TimeCounts = Map<number, number>;

const PER_DOUBLING = 8;
/** Bucket 0 ends at a tenth of a microsecond. */
const FIRST_MS = 1e-4;

export function addTime(times: TimeCounts, ms: number): void {
  const bucket = ms <= FIRST_MS ? 0 : Math.ceil(Math.log2(ms / FIRST_MS) * PER_DOUBLING);
  times.set(bucket, (times.get(bucket) ?? 0) + 1);
}

/** Pairs of bucket and count, in order of buckets, as one flat array. */
export function packTimes(times: TimeCounts): number[] {
  return [...times].sort((a, b) => a[0] - b[0]).flat();
}

export function mergeTimes(into: TimeCounts, packed: readonly number[]): void {
  for (let i = 0; i + 1 < packed.length; i += 2) {
    into.set(packed[i]!, (into.get(packed[i]!) ?? 0) + packed[i + 1]!);
  }
}

/** The q-quantile in milliseconds (the geometric middle of its bucket); NaN of none. */
export function timeQuantile(times: TimeCounts, q: number): number {
  let total = 0;
  for (const n of times.values()) total += n;
  if (total === 0) return Number.NaN;
  let left = Math.max(1, Math.ceil(q * total));
  for (const [bucket, n] of [...times].sort((a, b) => a[0] - b[0])) {
    left -= n;
    if (left <= 0) return bucketMs(bucket);
  }
  return Number.NaN;
}

/** A bucket's middle. */
function bucketMs(bucket: number): number {
  return bucket === 0 ? FIRST_MS / 2 : FIRST_MS * 2 ** ((bucket - 0.5) / PER_DOUBLING);
}
