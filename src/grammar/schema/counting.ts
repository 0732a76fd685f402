/**
 * Whether the items of an array can be pairwise different: what uniqueItems needs to know.
 *
 * Items of one kind are counted. Where positions differ (prefixItems, contains), values are told apart by which readings of which positions
 * admit them, and what can be filled is decided over the numbers of these (pool-graph.ts). Where a choice can go wrong, the classes go
 * into the grammar, so that no item takes what a later one cannot do without.
 */
import { PoolGraph, type PoolPlan, type PoolReading } from '../../base/pool-graph.js';
import type { Formula } from './formula.js';
import { Listing } from './listing.js';
import type { Normaliser } from './normalise.js';
import type { JsonValue } from './options.js';
import type { ArrayShape } from './shapes.js';
import type { Solver } from './solve.js';

/** Domains of scalar items up to this size bound the length of the array, */
const MANY = 4096;
/** and so do arrays and objects up to this number. */
const MANY_STRUCTURES = 512;
/** Values of positions with few values, at most. */
const MOST_VALUES = 512;
const INF = Number.POSITIVE_INFINITY;

/** What an array with unique items of several kinds does with values of which there are few. */
export interface Pool {
  /** The values that can be told apart, as canonical texts, by class: values that the same readings admit. */
  readonly classes: readonly (readonly string[])[];
  /** By position (the last row: of all later ones) and reading. */
  readonly rows: readonly (readonly PoolReading[])[];
}

interface Verdict {
  readonly fits: boolean;
  /** Only where a choice of values can leave a later item without any. */
  readonly pool: Pool | undefined;
}

const FITS: Verdict = { fits: true, pool: undefined };

export class Counting {
  private readonly listing: Listing;
  private readonly verdicts = new Map<ArrayShape, Verdict>();

  constructor(
    private readonly n: Normaliser,
    private readonly solver: Solver,
  ) {
    this.listing = new Listing(n, solver);
  }

  /** Whether an array with unique items can have as many items as it must; its other constraints are met. */
  fits(s: ArrayShape): boolean {
    return this.verdictOf(s).fits;
  }

  pool(s: ArrayShape): Pool | undefined {
    return this.verdictOf(s).pool;
  }

  /** How many items an array with unique items can have at most; Infinity where they are many. */
  most(s: ArrayShape): number {
    if (s.prefix.length > 0 || s.contains.length > 0) return INF;
    const count = this.count(s.rest, MANY);
    return count < MANY ? count : INF;
  }

  private verdictOf(s: ArrayShape): Verdict {
    const known = this.verdicts.get(s);
    if (known !== undefined) return known;
    const { answer, isFinal } = this.solver.settled(() => this.decide(s));
    if (isFinal) this.verdicts.set(s, answer);
    return answer;
  }

  private decide(s: ArrayShape): Verdict {
    if (s.min === 0 && s.contains.every((c) => c.min === 0)) return FITS;
    if (s.prefix.length > 0 || s.contains.length > 0) return this.mixed(s);
    return this.count(s.rest, s.min) >= s.min ? FITS : { fits: false, pool: undefined };
  }

  /** How many values the items of a formula can have, saturating at `limit`, which is also for those that are too many to list. */
  private count(f: Formula, limit: number): number {
    const { listing, solver } = this;
    const scalars = listing.countScalars(f, limit, true);
    const more = limit - scalars;
    if (more === 0) return limit;
    const { arrays, objects } = this.n.normal(f);
    if (more > 1) {
      const most = Math.min(more, MANY_STRUCTURES);
      const structures = arrays.length + objects.length === 0 ? 0 : listing.countStructures(f, most);
      return structures === most ? limit : scalars + structures;
    }
    const some = arrays.some((a) => solver.arrayProductive(a)) || objects.some((o) => solver.objectProductive(o));
    return some ? limit : scalars;
  }

  /** Positions that differ. */
  private mixed(s: ArrayShape): Verdict {
    const { solver, listing } = this;
    const positions = solver.positions(s);
    const needed = s.contains.reduce((sum, c) => sum + c.min, Math.max(s.min, positions + 1));
    const limit = Math.min(needed, MOST_VALUES);
    const readings = [...new Array(positions + 1).keys()].map((i) =>
      i >= s.max ? [] : solver.variants(s, i).map((v) => ({ ...v, texts: listing.list(v.value, limit, true) })),
    );
    const values = new Set(readings.flat().flatMap((r) => r.texts ?? []));
    if (readings.flat().every((r) => r.texts === undefined) || values.size > MOST_VALUES) return FITS;
    const { classes, admits } = this.classesOf([...values], readings.flat());
    const rows = readings.map((row) =>
      row.map((r) => ({ counts: r.counts, classes: admits.get(r)!, others: r.texts === undefined })),
    );
    const max = rows[positions]!.length === 0 ? Math.min(s.max, positions) : s.max;
    const plan: PoolPlan = { rows, min: s.min, max, counters: s.contains, sizes: classes.map((c) => c.length) };
    const graph = new PoolGraph(plan);
    if (!graph.isWhole) return FITS;
    return { fits: graph.canComplete, pool: graph.canFail ? { classes, rows } : undefined };
  }

  /** Groups values by the readings that admit them; the classes that a reading admits. */
  private classesOf<R extends { readonly value: Formula; readonly texts: readonly string[] | undefined }>(
    values: readonly string[],
    readings: readonly R[],
  ): { readonly classes: readonly (readonly string[])[]; readonly admits: ReadonlyMap<R, readonly number[]> } {
    const { n, solver } = this;
    const { formulas } = n.context;
    const lists = readings.map((r) => r.texts && new Set(r.texts));
    const bySignature = new Map<string, string[]>();
    for (const text of values) {
      const constant = formulas.const(JSON.parse(text) as JsonValue);
      const signature = readings
        .map((r, i) => ((lists[i]?.has(text) ?? solver.nonEmpty(n.and(constant, r.value))) ? 1 : 0))
        .join('');
      const known = bySignature.get(signature);
      if (known === undefined) bySignature.set(signature, [text]);
      else known.push(text);
    }
    const signatures = [...bySignature.keys()];
    const admits = new Map(readings.map((r, i) => [r, signatures.flatMap((s, k) => (s[i] === '1' ? [k] : []))]));
    return { classes: [...bySignature.values()], admits };
  }
}
