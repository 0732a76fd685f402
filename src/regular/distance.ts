/**
 * Fewest bytes to a member of a term, as raw UTF-8 or as the content of a JSON string.
 *
 * Dijkstra's algorithm over derivatives, from the term asked for to the nearest nullable one; every term on the shortest path
 * learns its own distance, so following the path costs nothing more.
 */
import type { TermStore } from './terms.js';

export type Spelling = 'text' | 'string';

export class TermDistances {
  private readonly known = new Map<number, number>();

  constructor(
    private readonly terms: TermStore,
    private readonly spelling: Spelling,
  ) {}

  get bytes(): number {
    return this.known.size * 40;
  }

  /** Fewest bytes; Infinity where no member can be spelled. */
  of(term: number): number {
    const hit = this.known.get(term);
    if (hit !== undefined) return hit;
    const { terms } = this;
    // Buckets by distance: costs are at most 12 bytes a code point.
    const best = new Map<number, number>([[term, 0]]);
    const from = new Map<number, number>();
    const buckets: number[][] = [[term]];
    for (let d = 0; d < buckets.length; d++) {
      const bucket = buckets[d];
      if (bucket === undefined) continue;
      for (let i = 0; i < bucket.length; i++) {
        const t = bucket[i]!;
        if (t < 0) return this.settle(-1 - t, d, term, best, from);
        if (best.get(t) !== d) continue;
        const rest = terms.nullable(t) ? 0 : this.known.get(t);
        if (rest === 0) return this.settle(t, d, term, best, from);
        if (rest !== undefined) {
          // Its own distance is known: it closes the path when that much has been walked.
          if (rest !== Number.POSITIVE_INFINITY) put(buckets, d + rest, -1 - t);
          continue;
        }
        const edges = terms.liveEdges(t);
        for (let e = 0; e < edges.length; e += 3) {
          const cost = spelledBytes(this.spelling, edges[e]!, edges[e + 1]!);
          if (cost === Number.POSITIVE_INFINITY) continue;
          const u = edges[e + 2]!;
          const old = best.get(u);
          if (old === undefined || old > d + cost) {
            best.set(u, d + cost);
            from.set(u, t);
            put(buckets, d + cost, u);
          }
        }
      }
    }
    this.known.set(term, Number.POSITIVE_INFINITY);
    return Number.POSITIVE_INFINITY;
  }

  /** The path from `term` to `last` is shortest, `total` bytes in all: notes the distance of every term on it. */
  private settle(
    last: number,
    total: number,
    term: number,
    best: ReadonlyMap<number, number>,
    from: ReadonlyMap<number, number>,
  ): number {
    for (let at: number | undefined = last; at !== undefined; at = from.get(at))
      this.known.set(at, total - best.get(at)!);
    return this.known.get(term)!;
  }
}

function put(buckets: number[][], d: number, t: number): void {
  const bucket = buckets[d];
  if (bucket === undefined) {
    while (buckets.length < d) buckets.push([]);
    buckets[d] = [t];
  } else bucket.push(t);
}

/** Fewest bytes of a code point in [lo, hi]. */
export function spelledBytes(spelling: Spelling, lo: number, hi: number): number {
  if (spelling === 'text') {
    const cp = lo >= 0xd800 && lo <= 0xdfff ? 0xe000 : lo;
    if (cp > hi) return Number.POSITIVE_INFINITY;
    return cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
  }
  for (let cp = Math.max(lo, 0x20); cp <= Math.min(hi, 0x7f); cp++) if (cp !== 0x22 && cp !== 0x5c) return 1;
  if (hi >= 0x80 && lo <= 0x7ff) return 2;
  for (const cp of [0x22, 0x5c, 0x08, 0x09, 0x0a, 0x0c, 0x0d]) if (lo <= cp && cp <= hi) return 2;
  if ((hi >= 0x800 && lo <= 0xd7ff) || (hi >= 0xe000 && lo <= 0xffff)) return 3;
  if (hi >= 0x10000) return 4;
  return 6;
}
