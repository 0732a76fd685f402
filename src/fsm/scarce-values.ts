/**
 * Which values an item of an array with unique items must leave to later ones.
 *
 * An item must not take the only value that a later position can have. The grammar lists the values of which there are few, by class; which
 * numbers of them can be gone where, is looked up (pool-graph.ts).
 */
import { PoolGraph } from '../base/pool-graph.js';
import type { ArrayExpr, ItemVariant } from '../grammar/ir.js';

const NONE = { classes: [], others: true };

export class ScarceValues {
  private readonly graph: PoolGraph;
  private readonly classes = new Map<string, number>();

  /** @param most Items that the array can have. */
  constructor(
    expr: ArrayExpr,
    most: number,
    private readonly values: readonly (readonly string[])[],
  ) {
    values.forEach((texts, k) => {
      for (const text of texts) this.classes.set(text, k);
    });
    const rows = [...expr.prefix, expr.rest].map((row) => row.map((v) => ({ counts: v.counts, ...(v.pool ?? NONE) })));
    const { minItems: min, counters } = expr;
    this.graph = new PoolGraph({ rows, min, max: most, counters, sizes: values.map((texts) => texts.length) });
  }

  /** The class of a value's canonical text, if it has one. */
  classOf(text: string): number | undefined {
    return this.classes.get(text);
  }

  /** Whether a reading of an item has a value that leaves enough for what comes after it; `filled` and `gone` are with the item and without its value. */
  isLive(reading: ItemVariant, filled: readonly number[], gone: readonly number[]): boolean {
    const { classes, others } = reading.pool ?? NONE;
    if (others && this.graph.isLive([...filled, ...gone])) return true;
    return classes.some((k) => gone[k]! < this.values[k]!.length && this.leaves(filled, gone, k));
  }

  /** Values that such an item must not have, as JSON texts. */
  neededLater(filled: readonly number[], gone: readonly number[]): readonly string[] {
    return this.values.flatMap((texts, k) => (gone[k]! < texts.length && !this.leaves(filled, gone, k) ? texts : []));
  }

  private leaves(filled: readonly number[], gone: readonly number[], k: number): boolean {
    return this.graph.isLive([...filled, ...gone.map((n, i) => (i === k ? n + 1 : n))]);
  }
}
