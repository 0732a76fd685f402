/**
 * Which counts of members an object with implications can still reach. Of its declared properties, what implies one that was passed over (in
 * order 'schema') cannot come any more, and properties that imply one another come together.
 */
import { hasClosedSet, ringsOf } from '../base/closed-sets.js';
import type { ObjectExpr } from '../grammar/ir.js';

/** What a state of the object has: which properties, how many members and what is owed besides. */
export interface Members {
  readonly has: (p: number) => boolean;
  readonly count: number;
  /** Witnesses owed. */
  readonly owed: number;
  /** Dynamic keys that may still come. */
  readonly dynamic: number;
}

export class MemberCounts {
  private readonly rings: readonly (readonly number[])[];
  private readonly least: Int32Array;
  private leastOf = -1;

  /** `implied`: transitive implications by index, without the index itself. */
  constructor(
    private readonly expr: ObjectExpr,
    private readonly implied: readonly (readonly number[])[],
    private readonly required: Uint8Array,
  ) {
    this.rings = ringsOf(implied);
    this.least = new Int32Array(implied.length);
  }

  /** Whether an allowed count can be reached from state `o` by way of the declared property p next, or a dynamic key (-1). */
  canReach(o: number, p: number, { has, count, owed, dynamic }: Members): boolean {
    const { minProperties, maxProperties, order } = this.expr;
    const next = count + 1;
    if (next >= minProperties) return true;
    const least = order === 'any' ? undefined : this.leastUnseen(o, has);
    const open: number[] = [];
    for (let q = least === undefined ? 0 : p + 1; q < this.implied.length; q++)
      if (q !== p && !has(q) && (least === undefined || least[q]! >= p)) open.push(q);
    if (next + open.length + dynamic < minProperties) return false;
    if (this.rings.length === 0 || maxProperties === Number.POSITIVE_INFINITY) return true;
    const needed = this.needed((q) => q === p || has(q));
    const min = minProperties - next - dynamic;
    return hasClosedSet(this.implied, this.rings, open, needed, min, maxProperties - next - owed);
  }

  /** Of each property the first one that it implies and that is not there yet. */
  private leastUnseen(o: number, has: (p: number) => boolean): Int32Array {
    if (this.leastOf !== o) {
      this.leastOf = o;
      for (const [p, all] of this.implied.entries()) {
        this.least[p] = this.implied.length;
        for (const q of all) if (q < this.least[p]! && !has(q)) this.least[p] = q;
      }
    }
    return this.least;
  }

  private needed(has: (p: number) => boolean): ReadonlySet<number> {
    const needed = new Set<number>();
    for (const [q, all] of this.implied.entries()) {
      if (!has(q) && this.required[q] === 1) needed.add(q);
      if (has(q)) for (const t of all) if (!has(t)) needed.add(t);
    }
    return needed;
  }
}

/** All that each property implies, further implications included. */
export function closureOf(expr: ObjectExpr): readonly (readonly number[])[] {
  const direct = expr.properties.map(() => new Set<number>());
  for (const i of expr.implications) for (const t of i.then) direct[i.if]!.add(t);
  return direct.map((_, p) => {
    const reached = new Set<number>();
    const open = [...direct[p]!];
    while (open.length > 0) {
      const q = open.pop()!;
      if (q === p || reached.has(q)) continue;
      reached.add(q);
      open.push(...direct[q]!);
    }
    return [...reached];
  });
}
