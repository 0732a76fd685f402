/**
 * What an array still allows and still needs: [index (clamped), counters (clamped)…], with an exact liveness test.
 *
 * Without counters liveness is arithmetic. With counters (contains, minContains, maxContains) it is a search over the clamped
 * states, remembered; the search is bounded at compile time (see `checkArray`).
 */
import { TupleTable } from '../base/tuple-table.js';
import type { ArrayExpr, ItemVariant } from '../grammar/ir.js';

const OPEN = 1;
const LIVE = 2;
const LOST = 3;

export class ArrayStates {
  private readonly tuples = new TupleTable(8);
  private readonly verdict: number[] = [];
  private readonly closes: number[] = [];
  private readonly clampIndex: number;
  private readonly most: number;
  readonly start: number;

  constructor(readonly expr: ArrayExpr) {
    this.most = Math.min(expr.maxItems, expr.rest.length > 0 ? Number.POSITIVE_INFINITY : expr.prefix.length);
    this.clampIndex = this.most === Number.POSITIVE_INFINITY ? Math.max(expr.prefix.length, expr.minItems) : this.most;
    const first = new Array<number>(1 + expr.counters.length).fill(0);
    this.start = this.tuples.intern(first, first.length);
  }

  get bytes(): number {
    return this.tuples.bytes;
  }

  /** Distinct states met so far. */
  get size(): number {
    return this.tuples.count;
  }

  private field(a: number, i: number): number {
    return this.tuples.data[this.tuples.offsets[a]! + i]!;
  }

  canClose(a: number): boolean {
    if (this.field(a, 0) < this.expr.minItems) return false;
    const { counters } = this.expr;
    for (let i = 0; i < counters.length; i++) if (this.field(a, i + 1) < counters[i]!.min) return false;
    return true;
  }

  /** Readings of the next item; empty at the end. Those that lead to a lost state are the caller's to skip ({@link after}). */
  next(a: number): readonly ItemVariant[] {
    const i = this.field(a, 0);
    if (i >= this.most) return [];
    return i < this.expr.prefix.length ? this.expr.prefix[i]! : this.expr.rest;
  }

  /** State after an item read as `variant`, or -1 where the array could not be completed. */
  after(a: number, variant: ItemVariant): number {
    const id = this.plain(a, variant);
    return id >= 0 && (this.expr.counters.length === 0 || this.live(id)) ? id : -1;
  }

  /** Whether a further item may come. */
  canContinue(a: number): boolean {
    for (const v of this.next(a)) if (this.after(a, v) >= 0) return true;
    return false;
  }

  /** Depth-first search with an explicit stack for a state that may close. */
  private live(root: number): boolean {
    if (this.verdict[root] === LIVE) return true;
    if (this.verdict[root] === LOST) return false;
    const seen = [root];
    const parent: number[] = [-1];
    this.verdict[root] = OPEN;
    const fresh: number[] = [root];
    for (let i = 0; i < seen.length; i++) {
      const a = seen[i]!;
      if (this.canClose(a) || this.verdict[a] === LIVE) {
        for (let p = i; p >= 0; p = parent[p]!) this.verdict[seen[p]!] = LIVE;
        for (const f of fresh) if (this.verdict[f] === OPEN) this.verdict[f] = 0;
        return true;
      }
      for (const v of this.next(a)) {
        const b = this.plain(a, v);
        if (b < 0 || this.verdict[b] === LOST || this.verdict[b] === OPEN) continue;
        if (this.verdict[b] !== LIVE) {
          this.verdict[b] = OPEN;
          fresh.push(b);
        }
        seen.push(b);
        parent.push(i);
      }
    }
    for (const f of fresh) this.verdict[f] = LOST;
    return false;
  }

  private plain(a: number, variant: ItemVariant): number {
    const { counters } = this.expr;
    const t = [Math.min(this.field(a, 0) + 1, this.clampIndex)];
    for (let i = 0; i < counters.length; i++) {
      const c = counters[i]!;
      const v = this.field(a, i + 1) + ((variant.counts >>> i) & 1);
      if (v > c.max) return -1;
      t.push(c.max === Number.POSITIVE_INFINITY ? Math.min(v, c.min) : v);
    }
    return this.tuples.intern(t, t.length);
  }

  /** Least number of further items until the array may close; used for witnesses. Infinity never occurs for live states. */
  itemsToClose(a: number): number {
    const known = this.closes[a];
    if (known !== undefined) return known;
    let layer = [a];
    const seen = new Set(layer);
    for (let d = 0; layer.length > 0; d++) {
      const next: number[] = [];
      for (const s of layer) {
        if (this.canClose(s)) {
          this.closes[a] = d;
          return d;
        }
        for (const v of this.next(s)) {
          const b = this.after(s, v);
          if (b >= 0 && !seen.has(b)) {
            seen.add(b);
            next.push(b);
          }
        }
      }
      layer = next;
    }
    return Number.POSITIVE_INFINITY;
  }
}
