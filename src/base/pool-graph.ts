/**
 * Whether positions that must hold pairwise different values can still all be filled.
 *
 * Where positions share few values, an early one may take what a later one cannot do without: of [one of a and b, a] only b may come first.
 * The naive way tries all ways of filling them. But values that the same readings admit can stand for each other, so a state is how many
 * positions are filled, the counters, and how many values of each class are gone. These states are few: all are looked at once,
 * forward from the start and then backward from those that may be the last.
 */
import { TupleTable } from './tuple-table.js';

/** One way to fill a position: from which classes of values, and whether there is always a value of no class. */
export interface PoolReading {
  /** Bit set of the counters that it advances. */
  readonly counts: number;
  readonly classes: readonly number[];
  readonly others: boolean;
}

export interface PoolPlan {
  /** Readings by position; the last row is that of all later ones. */
  readonly rows: readonly (readonly PoolReading[])[];
  readonly min: number;
  readonly max: number;
  readonly counters: readonly { readonly min: number; readonly max: number }[];
  /** Number of values by class. */
  readonly sizes: readonly number[];
}

/** States after which nothing is claimed. */
const MOST_STATES = 8192;
const INF = Number.POSITIVE_INFINITY;

export class PoolGraph {
  /** [positions filled (clamped), counters (clamped)…, values gone by class…]. */
  private readonly states = new TupleTable(64);
  private readonly live: boolean[] = [];
  /** Whether all states were looked at. */
  readonly isWhole: boolean;

  constructor(private readonly plan: PoolPlan) {
    const { states } = this;
    const size = 1 + plan.counters.length + plan.sizes.length;
    states.intern(new Array<number>(size).fill(0), size);
    const before: number[][] = [[]];
    for (let s = 0; s < states.count && states.count <= MOST_STATES; s++) {
      this.eachNext(s, (t) => {
        before[t] ??= [];
        before[t].push(s);
      });
    }
    this.isWhole = states.count <= MOST_STATES;
    if (!this.isWhole) return;
    const open: number[] = [];
    for (let s = 0; s < states.count; s++) {
      this.live.push(this.mayClose(s));
      if (this.live[s]) open.push(s);
    }
    for (let s = open.pop(); s !== undefined; s = open.pop()) {
      for (const b of before[s]!) {
        if (this.live[b]) continue;
        this.live[b] = true;
        open.push(b);
      }
    }
  }

  /** Whether all positions can be filled at all. */
  get canComplete(): boolean {
    return !this.isWhole || this.live[0]!;
  }

  /** Whether some choice of values leaves a later position without any. */
  get canFail(): boolean {
    return this.live.includes(false);
  }

  /** Whether a state, its counters and index clamped, can be completed; true where that is not known. */
  isLive(state: readonly number[]): boolean {
    return this.live[this.states.intern(state, state.length)] !== false;
  }

  private field(s: number, i: number): number {
    return this.states.data[this.states.offsets[s]! + i]!;
  }

  private mayClose(s: number): boolean {
    const { counters, min } = this.plan;
    return this.field(s, 0) >= min && counters.every((c, i) => this.field(s, 1 + i) >= c.min);
  }

  private eachNext(s: number, visit: (t: number) => void): void {
    const { rows, min, max, counters, sizes } = this.plan;
    const { states } = this;
    const filled = this.field(s, 0);
    if (filled >= max) return;
    const last = rows.length - 1;
    const t = Array.from(states.data.subarray(states.offsets[s]!, states.offsets[s + 1]!));
    t[0] = Math.min(filled + 1, max === INF ? Math.max(last, min) : max);
    const gone = 1 + counters.length;
    for (const reading of rows[Math.min(filled, last)]!) {
      let fits = true;
      for (let i = 0; i < counters.length; i++) {
        const c = counters[i]!;
        const n = this.field(s, 1 + i) + ((reading.counts >>> i) & 1);
        fits &&= n <= c.max;
        t[1 + i] = c.max === INF ? Math.min(n, c.min) : n;
      }
      if (!fits) continue;
      if (reading.others) visit(states.intern(t, t.length));
      for (const k of reading.classes) {
        if (t[gone + k]! >= sizes[k]!) continue;
        t[gone + k]!++;
        visit(states.intern(t, t.length));
        t[gone + k]!--;
      }
    }
  }
}
