/**
 * Whether decoding rows run in one step or take turns in several, so that each gets its next token: a round.
 *
 * The naive way runs all that are ready at once, since a wider step reads the weights once for more rows. But cost per row can rise with the width: keys and values of many
 * rows leave the caches, attention is padded to the longest row, a kernel has steps, and in a mixture rows of different experts pay for all of them. Where
 * it does, a round is cut into turns of which the sum is least: each row then has its token no later than a single step would have given it, on what
 * cost-model.ts knows. A round that saves less than the measurements can tell runs as one step.
 *
 * Rows are cut along their lengths, longest first, at the places that a dynamic program finds, O(n²) for n rows (n at most 64, above that in lots).
 * Mixtures have a second candidate, rows gathered by shared experts (experts.ts).
 *
 * A round has at most as many turns as a row may wait steps. Pure.
 */
import type { StepCost } from './cost-model.js';

/** A decoding row that is ready. */
export interface ReadyRow {
  readonly id: number;
  /** New tokens, drafts included. */
  readonly tokens: number;
  /** Positions when it has run. */
  readonly positions: number;
}

/** The experts that rows are expected to touch, by index into the rows of a round. */
export interface Company {
  /** Layers times experts: what looking at one row costs. */
  readonly width: number;
  /** Distinct experts over all layers. */
  distinct(rows: readonly number[]): number;
  /** The same of 1, 2, … rows of the common kind. */
  average(): Float32Array;
  /**
   * From the first of `left` on, the row that adds least, again and again, as long as `goesOn` says so of the rows gathered with that one and
   * their distinct experts.
   */
  gather(left: readonly number[], goesOn: (rows: readonly number[], distinct: number) => boolean): readonly number[];
}

export interface TurnLimits {
  /** Most turns of a round; goes before `stepMs`. */
  readonly turns: number;
  /** Most milliseconds of a step, where asked for. */
  readonly stepMs?: number | undefined;
  /** Cuts only a round that would take longer than `stepMs` as one step. */
  readonly onlyLate?: boolean | undefined;
}

/** Places that the dynamic program looks at. */
const PLACES = 64;
/** Chances looked at that a millisecond of a step is worth: each takes about nine nanoseconds, joins included, once in eight rounds (loop.ts). */
const LOOKS_PER_MS = 15_000;
/** Gathered turns that are looked at in pairs. */
const MOST_JOINED = 16;

/** Turns of rows, as ids; every row is in one. The rows come in order of arrival, and so do the turns, by their first row. */
export function cutRound(
  rows: readonly ReadyRow[],
  cost: StepCost,
  limits: TurnLimits,
  company?: Company,
): readonly (readonly number[])[] {
  const everyone = rows.map((_, i) => i);
  const whole = [everyone];
  if (rows.length < 2) return ids(whole, rows);
  const price = (turn: readonly number[], distinct = company?.distinct(turn)): number =>
    stepOf(rows, cost, distinct, turn);
  const total = (turns: readonly (readonly number[])[]): number => turns.reduce((ms, turn) => ms + price(turn), 0);
  const late = (turn: readonly number[]): boolean =>
    limits.stepMs !== undefined && turn.length > 1 && price(turn) > limits.stepMs;

  if (limits.onlyLate === true && !late(everyone)) return ids(whole, rows);
  const all = total(whole);
  const candidates = [byLength(rows, cost, limits, company?.average())];
  if (company !== undefined && looks(rows.length, company) < LOOKS_PER_MS * all) {
    candidates.push(byExperts(everyone, price, company, limits.stepMs));
  }
  let best: readonly (readonly number[])[] = whole;
  let least = late(everyone) ? Number.POSITIVE_INFINITY : (1 - cost.worth) * all;
  for (const turns of candidates) {
    const ms = total(turns);
    if (turns.length > Math.max(1, limits.turns) || ms >= least) continue;
    best = turns;
    least = ms;
  }
  return ids(best, rows);
}

/** Turns of at most `most` rows, in order; of as many fewer as it takes to keep `stepMs`, where costs are known. `average`: as of a {@link Company}. */
export function evenRound(
  rows: readonly ReadyRow[],
  most: number,
  { turns, stepMs }: TurnLimits,
  cost?: StepCost,
  average?: Float32Array,
): readonly (readonly number[])[] {
  const least = Math.max(1, Math.ceil(rows.length / Math.max(1, turns)));
  let width = Math.max(least, Math.min(Math.floor(most), rows.length));
  const cut = (): ReadyRow[][] => {
    const out: ReadyRow[][] = [];
    for (let i = 0; i < rows.length; i += width) out.push(rows.slice(i, i + width));
    return out;
  };
  let out = cut();
  if (stepMs !== undefined && cost !== undefined) {
    for (; width > least && out.some((turn) => stepOf(turn, cost, average?.[turn.length]) > stepMs); out = cut())
      width--;
  }
  return out.map((turn) => turn.map((r) => r.id));
}

/** Milliseconds of a step of these rows, or of those of them whose indices `turn` has. */
export function stepOf(rows: readonly ReadyRow[], cost: StepCost, distinct?: number, turn?: readonly number[]): number {
  let [tokens, longest, positions] = [0, 0, 0];
  const count = turn === undefined ? rows.length : turn.length;
  for (let i = 0; i < count; i++) {
    const row = rows[turn === undefined ? i : turn[i]!]!;
    tokens += row.tokens;
    positions += row.positions;
    if (row.positions > longest) longest = row.positions;
  }
  return cost.predict(count, tokens, longest, positions, distinct);
}

/** The cut of rows, sorted by length, into stretches that cost least together. */
function byLength(
  rows: readonly ReadyRow[],
  cost: StepCost,
  limits: TurnLimits,
  distinct: Float32Array | undefined,
): readonly (readonly number[])[] {
  const order = rows.map((_, i) => i).sort((a, b) => rows[b]!.positions - rows[a]!.positions || a - b);
  const n = order.length;
  const lot = Math.max(1, Math.ceil(n / PLACES), Math.ceil(n / Math.max(1, limits.turns)));
  const places = Math.ceil(n / lot);
  const end = (place: number): number => Math.min(n, place * lot);
  // Sums up to each place.
  const tokens = new Float64Array(n + 1);
  const positions = new Float64Array(n + 1);
  for (let i = 0; i < n; i++) {
    tokens[i + 1] = tokens[i]! + rows[order[i]!]!.tokens;
    positions[i + 1] = positions[i]! + rows[order[i]!]!.positions;
  }
  const least = new Float64Array(places + 1).fill(Number.POSITIVE_INFINITY);
  const cutAt = new Int32Array(places + 1);
  least[0] = 0;
  for (let to = 1; to <= places; to++) {
    for (let from = to - 1; from >= 0; from--) {
      const [a, b] = [end(from), end(to)];
      const ms = cost.predict(
        b - a,
        tokens[b]! - tokens[a]!,
        rows[order[a]!]!.positions,
        positions[b]! - positions[a]!,
        distinct?.[b - a],
      );
      if (limits.stepMs !== undefined && ms > limits.stepMs && to - from > 1) break;
      if (least[from]! + ms < least[to]!) {
        least[to] = least[from]! + ms;
        cutAt[to] = from;
      }
    }
  }
  const turns: number[][] = [];
  for (let to = places; to > 0; to = cutAt[to]!) {
    turns.push(order.slice(end(cutAt[to]!), end(to)).sort((a, b) => a - b));
  }
  return turns.sort((a, b) => a[0]! - b[0]!);
}

/** Rows gathered while each one more makes the turn cheaper per row; then turns joined as long as that is cheaper. */
function byExperts(
  everyone: readonly number[],
  price: (turn: readonly number[], distinct?: number) => number,
  company: Company,
  stepMs = Number.POSITIVE_INFINITY,
): readonly (readonly number[])[] {
  let turns: { rows: readonly number[]; ms: number }[] = [];
  let left = everyone;
  while (left.length > 0) {
    let mean = Number.POSITIVE_INFINITY;
    const rows = company.gather(left, (turn, distinct) => {
      const ms = price(turn, distinct);
      const next = ms / turn.length;
      if (turn.length > 1 && (next > mean || ms > stepMs)) return false;
      mean = next;
      return true;
    });
    turns.push({ rows, ms: price(rows) });
    const gone = new Set(rows);
    left = left.filter((i) => !gone.has(i));
  }
  for (; turns.length > 1 && turns.length <= MOST_JOINED; ) {
    let best: { a: number; b: number; rows: readonly number[]; ms: number; saved: number } | undefined;
    for (let a = 0; a < turns.length; a++) {
      for (let b = a + 1; b < turns.length; b++) {
        const rows = [...turns[a]!.rows, ...turns[b]!.rows];
        const ms = price(rows);
        const saved = turns[a]!.ms + turns[b]!.ms - ms;
        if (saved > (best?.saved ?? 0) && ms <= stepMs) best = { a, b, rows, ms, saved };
      }
    }
    if (best === undefined) break;
    const { a, b, rows, ms } = best;
    turns = [...turns.filter((_, i) => i !== a && i !== b), { rows, ms }];
  }
  return turns.map(({ rows }) => [...rows].sort((a, b) => a - b)).sort((a, b) => a[0]! - b[0]!);
}

/** Chances that gathering and joining look at, at most about. */
function looks(rows: number, company: Company): number {
  return (rows * rows * company.width) / 2;
}

function ids(turns: readonly (readonly number[])[], rows: readonly ReadyRow[]): readonly (readonly number[])[] {
  return turns.map((turn) => turn.map((i) => rows[i]!.id));
}
