/**
 * What a step costs, as a function of what is in it; the scheduler chooses rows and chunks by it (turns.ts, schedule.ts).
 *
 *     ms ≈ short(tokens) + slope(rows) · columns + perExpert · distinct experts
 *
 * `short` is the time without a past, linear between measured points; it may bend either way and have steps. `slope` is what one more position of every
 * row adds; `columns` are the positions that attention computes for each row: between the mean and the longest, as padding was measured.
 * The table is measured once (cost-probe.ts). A formula with fewer numbers fitted to real traffic instead was tried for mixtures: there
 * tokens and distinct experts rise together, so the fit gave a base below zero and up to ten times the cost of an expert.
 *
 * Measured steps correct it afterwards: a factor for each point, one for the past, one for experts, and one for all, which takes up that a machine is busier than it
 * was. A correction is small and bounded, so one late step moves nothing; the factor for all moves fastest, since only ratios decide.
 */

/** Least share of a step that a choice must be expected to save. */
const WORTH = 0.05;
const MOST_WORTH = 0.3;
/** Share of an error that one step moves the factor for all, and the others; more while little has been seen. */
const DRIFT = 0.1;
const CORRECT = 0.03;
/** Steps that only the factor for all learns from: what is common to them is not the fault of one point. */
const SETTLE = 8;
/** Largest error that counts, and bounds of the factors. */
const OUTLIER = 0.5;
const MOST = 4;

export interface CostPoint {
  /** Rows of one token. */
  readonly tokens: number;
  /** Without a past. */
  readonly ms: number;
  /** What one more position of every row adds. */
  readonly positionMs: number;
}

export interface CostTable {
  /** By tokens, ascending; at least one. */
  readonly points: readonly CostPoint[];
  /** Share of attention's padding that is computed: 1: every row as long as the longest, 0: each its own length. */
  readonly padding: number;
  /** One row of several tokens without a past, by tokens, ascending; may be empty. */
  readonly chunks: readonly { readonly tokens: number; readonly ms: number }[];
  /** The most efficient chunk of a long prompt; undefined: none is better than the longest. */
  readonly chunk?: number | undefined;
  readonly expertMs: number;
  /** Distinct experts in the measured points. */
  readonly ownExperts: number;
  /** Relative spread of the measurements. */
  readonly noise: number;
}

/** See the module's header. */
export class StepCost {
  readonly table: CostTable;
  readonly #points: Float64Array;
  /** Steps that corrected each point. */
  readonly #visits: Float64Array;
  #past = 1;
  #expert = 1;
  #all = 1;
  #steps = 0;

  constructor(table: CostTable) {
    this.table = table;
    this.#points = new Float64Array(table.points.length).fill(1);
    this.#visits = new Float64Array(table.points.length);
  }

  /** Share of the time that a choice must be expected to save: what the measurements do not tell apart is not worth having. */
  get worth(): number {
    return Math.min(MOST_WORTH, Math.max(WORTH, this.table.noise));
  }

  /** Milliseconds of a step of decoding rows: `positions` over all rows, `longest` of one, new tokens included. */
  predict(rows: number, tokens: number, longest: number, positions: number, distinct = this.table.ownExperts): number {
    return this.#all * (this.#short(tokens) + this.#attention(rows, longest, positions) + this.#experts(distinct));
  }

  /** Milliseconds of a chunk of one prompt. */
  prefill(tokens: number): number {
    const { chunks } = this.table;
    const last = chunks[chunks.length - 1];
    if (last === undefined) return this.#all * this.#short(tokens);
    let [x, ms] = [1, this.#short(1)];
    for (const c of chunks) {
      if (tokens <= c.tokens) return this.#all * (ms + ((c.ms - ms) * (tokens - x)) / Math.max(1, c.tokens - x));
      [x, ms] = [c.tokens, c.ms];
    }
    return (this.#all * last.ms * tokens) / last.tokens;
  }

  /** Most prompt tokens, up to `most`, that take at most so long. */
  promptTokens(ms: number, most: number): number {
    let [low, high] = [0, most];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.prefill(middle) <= ms) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Whether a step of these tokens that touches `fewer` experts in place of `distinct` saves a share worth having. */
  pays(tokens: number, distinct: number, fewer: number): boolean {
    const saved = this.#all * (this.#experts(distinct) - this.#experts(fewer));
    return saved > WORTH * this.predict(tokens, tokens, 0, 0, distinct);
  }

  /** Takes up what a step of decoding rows took; returns what was predicted. */
  learn(
    ms: number,
    rows: number,
    tokens: number,
    longest: number,
    positions: number,
    distinct = this.table.ownExperts,
  ): number {
    const past = this.#attention(rows, longest, positions);
    const predicted = this.predict(rows, tokens, longest, positions, distinct);
    if (!(ms > 0) || !(predicted > 0)) return predicted;
    const error = Math.max(-OUTLIER, Math.min(OUTLIER, ms / predicted - 1));
    const share = this.#all / predicted;
    if (this.#steps >= SETTLE) {
      this.#past = bounded(this.#past * (1 + CORRECT * error * share * past));
      this.#expert = bounded(this.#expert * (1 + CORRECT * error * share * this.#experts(distinct)));
      const at = this.#at(tokens);
      const way = Math.min(1, this.#between(at, tokens));
      this.#correct(at, 1 - way, error, share);
      this.#correct(at + 1, way, error, share);
    }
    // No bounds: a machine may become any number of times slower than it was.
    this.#all *= 1 + Math.max(DRIFT, 1 / (2 + this.#steps)) * error;
    this.#steps++;
    return predicted;
  }

  /** For the metrics. */
  gauges(): Readonly<Record<string, number>> {
    const { points, chunk, expertMs, noise } = this.table;
    const out: Record<string, number> = { costNoise: noise, costPastFactor: this.#past, costFactor: this.#all };
    if (expertMs > 0) out.costExpertMs = this.#expert * expertMs;
    if (chunk !== undefined) out.costChunk = chunk;
    for (const [i, p] of points.entries()) out[`costMs${p.tokens}`] = p.ms * this.#points[i]!;
    return out;
  }

  /** Moves a point that had this part in a step; `share`: of one of its milliseconds in the step. */
  #correct(i: number, part: number, error: number, share: number): void {
    const point = this.table.points[i];
    if (point === undefined || part <= 0) return;
    // Widths that hardly ever run learn from few steps.
    const rate = Math.max(CORRECT, 1 / (2 + this.#visits[i]!));
    this.#visits[i]! += part;
    const factor = this.#points[i]!;
    this.#points[i] = bounded(factor * (1 + rate * error * Math.min(1, share * part * factor * point.ms)));
  }

  /** The point at or before this many tokens, so that another one follows it where there are two. */
  #at(x: number): number {
    const { points } = this.table;
    let at = 0;
    while (at + 2 < points.length && points[at + 1]!.tokens <= x) at++;
    return at;
  }

  /** How far on the way from point `at` to the next; over 1 beyond the last. */
  #between(at: number, x: number): number {
    const a = this.table.points[at]!;
    const b = this.table.points[at + 1];
    return b === undefined ? 0 : Math.max(0, (x - a.tokens) / (b.tokens - a.tokens));
  }

  #short(tokens: number): number {
    const { points } = this.table;
    const at = this.#at(tokens);
    const [a, b] = [points[at]!, points[at + 1]];
    const start = a.ms * this.#points[at]!;
    if (b === undefined) return (start * tokens) / a.tokens;
    const end = b.ms * this.#points[at + 1]!;
    const way = this.#between(at, tokens);
    // Past the last point a step never becomes cheaper.
    return way <= 1 ? start + (end - start) * way : end + Math.max(0, end - start) * (way - 1);
  }

  #attention(rows: number, longest: number, positions: number): number {
    if (rows === 0) return 0;
    const { points, padding } = this.table;
    const at = this.#at(rows);
    const [a, b] = [points[at]!, points[at + 1]];
    const slope =
      b === undefined
        ? (a.positionMs * rows) / a.tokens
        : a.positionMs + (b.positionMs - a.positionMs) * this.#between(at, rows);
    const columns = padding * longest + ((1 - padding) * positions) / rows;
    return this.#past * Math.max(0, slope) * columns;
  }

  #experts(distinct: number): number {
    return this.#expert * this.table.expertMs * Math.max(0, distinct - this.table.ownExperts);
  }
}

function bounded(factor: number): number {
  return Math.max(1 / MOST, Math.min(MOST, factor));
}

/** For mixtures that were not measured: experts are taken for all that a step costs. */
export const UNMEASURED: Pick<StepCost, 'pays'> = new StepCost({
  points: [{ tokens: 1, ms: 0, positionMs: 0 }],
  padding: 1,
  chunks: [],
  expertMs: 1,
  ownExperts: 0,
  noise: 0,
});
