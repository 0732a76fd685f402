/**
 * Fewest bytes to a member of a term, as raw UTF-8 or as the content of a JSON string.
 *
 * The naive way is Dijkstra's algorithm over derivatives, of which a term may have exponentially many (`.*a.{30}b`). Where it has no intersections
 * and complements, the fewest bytes are sums and minima over its parts, and only its literals are searched. Through the others we search with
 * such a bound as guide (A*; Hart, Nilsson, Raphael 1968): an intersection takes at least as much as each of its parts. Every term on the
 * shortest path learns its own distance, so following the path costs nothing more.
 */
import { LimitError } from '../base/errors.js';
import { K_ALT, K_AND, K_CAT, K_DFA, K_LITS, K_NAME, K_NOT, K_REP, K_SET } from './term-table.js';
import { EMPTY, type TermStore } from './terms.js';

export type Spelling = 'text' | 'string';

const FAR = Number.POSITIVE_INFINITY;
/** Most terms that one guided search may visit. */
const MOST_VISITED = 20_000;
/** Most terms made for each that it may visit: what follows a term is asked for emptiness, which looks far ahead where many patterns meet. */
const MADE_EACH = 16;

export class TermDistances {
  private readonly known = new Map<number, number>();
  private readonly bounds = new Map<number, number>();

  constructor(
    private readonly terms: TermStore,
    private readonly spelling: Spelling,
    private readonly mostVisited = MOST_VISITED,
  ) {}

  get bytes(): number {
    return (this.known.size + this.bounds.size) * 40;
  }

  /** Fewest bytes; Infinity where no member can be spelled. @throws LimitError where the search visits too many terms. */
  of(term: number): number {
    return this.known.get(term) ?? (this.terms.isPlain(term) ? this.bound(term) : this.search(term));
  }

  // ---- bounds -------------------------------------------------------------------------------------------------------

  /** No more bytes than the nearest member takes; exactly as many where the term is plain. */
  private bound(term: number): number {
    const hit = this.bounds.get(term);
    if (hit !== undefined) return hit;
    // Concatenations nest as deep as they are long, which recursion would not survive.
    const chain: number[] = [];
    let at = term;
    let parts = this.terms.parts(at);
    while (parts.kind === K_CAT && !this.bounds.has(at)) {
      chain.push(at);
      at = parts.fields[1]!;
      parts = this.terms.parts(at);
    }
    let d = this.bounds.get(at) ?? this.boundOf(at, parts.kind, parts.fields);
    this.bounds.set(at, d);
    for (let i = chain.length - 1; i >= 0; i--) {
      d += this.bound(this.terms.parts(chain[i]!).fields[0]!);
      this.bounds.set(chain[i]!, d);
    }
    return d;
  }

  private boundOf(term: number, kind: number, fields: readonly number[]): number {
    switch (kind) {
      case K_SET: {
        let least = FAR;
        for (let i = 0; i < fields.length; i += 2)
          least = Math.min(least, spelledBytes(this.spelling, fields[i]!, fields[i + 1]!));
        return least;
      }
      case K_ALT:
        return fields.reduce((least, t) => Math.min(least, this.bound(t)), FAR);
      case K_AND:
        return fields.reduce((most, t) => Math.max(most, this.bound(t)), 0);
      case K_NOT:
        return this.terms.nullable(term) ? 0 : 1;
      case K_REP:
        return fields[1] === 0 ? 0 : fields[1]! * this.bound(fields[0]!);
      case K_LITS:
      case K_NAME:
      case K_DFA:
        // Finite automata, small enough to be searched without a guide.
        return this.known.get(term) ?? this.search(term, false);
      default:
        return term === EMPTY ? 0 : FAR;
    }
  }

  // ---- search -------------------------------------------------------------------------------------------------------

  private search(term: number, guided = true): number {
    const { terms } = this;
    const made = terms.size;
    const best = new Map<number, number>([[term, 0]]);
    const from = new Map<number, number>();
    /** By least sum of distance and bound: [term, distance, …]; -1 - term where its own distance is known, which closes a path. */
    const buckets: number[][] = [[term, 0]];
    for (let f = 0; f < buckets.length; f++) {
      const bucket = buckets[f];
      if (bucket === undefined) continue;
      for (let i = 0; i < bucket.length; i += 2) {
        const t = bucket[i]!;
        const d = bucket[i + 1]!;
        if (t < 0) return this.settle(-1 - t, f, term, best, from);
        if (best.get(t) !== d) continue;
        const plain = guided && terms.isPlain(t);
        const rest = terms.nullable(t) ? 0 : (this.known.get(t) ?? (plain ? this.bound(t) : undefined));
        if (rest !== undefined) {
          if (rest !== FAR) put(buckets, d + rest, -1 - t, 0);
          continue;
        }
        const edges = terms.liveEdges(t);
        for (let e = 0; e < edges.length; e += 3) {
          const cost = spelledBytes(this.spelling, edges[e]!, edges[e + 1]!);
          if (cost === FAR) continue;
          const u = edges[e + 2]!;
          const old = best.get(u);
          if (old !== undefined && old <= d + cost) continue;
          const bound = guided ? this.bound(u) : 0;
          if (bound === FAR) continue;
          best.set(u, d + cost);
          from.set(u, t);
          put(buckets, Math.max(f, d + cost + bound), u, d + cost);
        }
        // Automata have their own limits.
        const worked = Math.max(best.size, Math.ceil((terms.size - made) / MADE_EACH));
        if (guided && worked > this.mostVisited)
          throw new LimitError('terms searched for the shortest text of a pattern', worked, this.mostVisited);
      }
    }
    this.known.set(term, FAR);
    return FAR;
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

function put(buckets: number[][], f: number, t: number, d: number): void {
  const bucket = buckets[f];
  if (bucket === undefined) {
    while (buckets.length < f) buckets.push([]);
    buckets[f] = [t, d];
  } else bucket.push(t, d);
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
