/**
 * Edge lists: how a term moves on each code point, as sorted disjoint triples [lo, hi, target, …]. Code points in no triple lead
 * nowhere (the empty language). Adjacent triples with equal targets are merged, so equal functions have equal lists.
 */

export const MAX_CODE_POINT = 0x10ffff;

/** Appends a triple, merging it into the last one where they touch and agree. */
export function pushEdge(out: number[], lo: number, hi: number, target: number): void {
  const n = out.length;
  if (n > 0 && out[n - 1] === target && out[n - 2] === lo - 1) out[n - 2] = hi;
  else out.push(lo, hi, target);
}

/** The list with every target mapped; targets mapped to `drop` vanish. */
export function mapEdges(edges: ArrayLike<number>, f: (target: number) => number, drop: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < edges.length; i += 3) {
    const t = f(edges[i + 2]!);
    if (t !== drop) pushEdge(out, edges[i]!, edges[i + 1]!, t);
  }
  return out;
}

/**
 * Pointwise combination of two lists; a gap counts as `gap` on either side, and results equal to `gap` vanish where both
 * sides may (the caller's `f(gap, gap)` must be `gap`).
 */
export function zipEdges(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  gap: number,
  f: (x: number, y: number) => number,
): number[] {
  const out: number[] = [];
  let i = 0;
  let j = 0;
  let at = 0;
  while (i < a.length || j < b.length) {
    const alo = i < a.length ? Math.max(a[i]!, at) : MAX_CODE_POINT + 1;
    const blo = j < b.length ? Math.max(b[j]!, at) : MAX_CODE_POINT + 1;
    const lo = Math.min(alo, blo);
    let hi: number;
    let x = gap;
    let y = gap;
    if (alo === blo) {
      hi = Math.min(a[i + 1]!, b[j + 1]!);
      x = a[i + 2]!;
      y = b[j + 2]!;
    } else if (alo < blo) {
      hi = Math.min(a[i + 1]!, blo - 1);
      x = a[i + 2]!;
    } else {
      hi = Math.min(b[j + 1]!, alo - 1);
      y = b[j + 2]!;
    }
    const t = f(x, y);
    if (t !== gap) pushEdge(out, lo, hi, t);
    at = hi + 1;
    if (i < a.length && a[i + 1]! <= hi) i += 3;
    if (j < b.length && b[j + 1]! <= hi) j += 3;
  }
  return out;
}

/** Fills the gaps of a list with a target, so that it covers every code point. */
export function fillGaps(edges: ArrayLike<number>, target: number): number[] {
  const out: number[] = [];
  let at = 0;
  for (let i = 0; i < edges.length; i += 3) {
    if (edges[i]! > at) pushEdge(out, at, edges[i]! - 1, target);
    pushEdge(out, edges[i]!, edges[i + 1]!, edges[i + 2]!);
    at = edges[i + 1]! + 1;
  }
  if (at <= MAX_CODE_POINT) pushEdge(out, at, MAX_CODE_POINT, target);
  return out;
}

/** Target on a code point, or `gap`. Binary search. */
export function edgeTarget(edges: ArrayLike<number>, cp: number, gap: number): number {
  let lo = 0;
  let hi = edges.length / 3 - 1;
  while (lo <= hi) {
    const mid = (lo + hi) >> 1;
    const i = mid * 3;
    if (cp < edges[i]!) hi = mid - 1;
    else if (cp > edges[i + 1]!) lo = mid + 1;
    else return edges[i + 2]!;
  }
  return gap;
}
