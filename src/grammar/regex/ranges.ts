/**
 * Sets of code points as flat inclusive ranges [lo, hi, lo, hi, …], sorted, disjoint, not touching. All functions are linear in
 * the number of ranges (but {@link normalize}, which sorts) and return new arrays.
 */
export type Ranges = readonly number[];

export const MAX_CODE_POINT = 0x10ffff;

/** Sorts and merges pairs in any order. */
export function normalize(pairs: readonly number[]): number[] {
  const order: [number, number][] = [];
  for (let i = 0; i < pairs.length; i += 2) order.push([pairs[i] as number, pairs[i + 1] as number]);
  order.sort((a, b) => a[0] - b[0]);
  const out: number[] = [];
  for (const [lo, hi] of order) {
    const n = out.length;
    if (n > 0 && lo <= (out[n - 1] as number) + 1) out[n - 1] = Math.max(out[n - 1] as number, hi);
    else out.push(lo, hi);
  }
  return out;
}

export function union(...sets: readonly Ranges[]): number[] {
  return normalize(sets.flat());
}

export function complement(set: Ranges): number[] {
  const out: number[] = [];
  let next = 0;
  for (let i = 0; i < set.length; i += 2) {
    const lo = set[i] as number;
    if (lo > next) out.push(next, lo - 1);
    next = (set[i + 1] as number) + 1;
  }
  if (next <= MAX_CODE_POINT) out.push(next, MAX_CODE_POINT);
  return out;
}

export function intersect(a: Ranges, b: Ranges): number[] {
  const out: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const lo = Math.max(a[i] as number, b[j] as number);
    const hi = Math.min(a[i + 1] as number, b[j + 1] as number);
    if (lo <= hi) out.push(lo, hi);
    if ((a[i + 1] as number) < (b[j + 1] as number)) i += 2;
    else j += 2;
  }
  return out;
}

export function subtract(a: Ranges, b: Ranges): number[] {
  return intersect(a, complement(b));
}

export function contains(set: Ranges, cp: number): boolean {
  let lo = 0;
  let hi = set.length / 2;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if ((set[2 * mid + 1] as number) < cp) lo = mid + 1;
    else hi = mid;
  }
  return 2 * lo < set.length && (set[2 * lo] as number) <= cp;
}
