/** What was made of the last pairs of terms: a table of fixed size in which a new pair takes the place of an old one. */

/** Leaves the bits of a slot: 4,096 of them. */
const SHIFT = 20;
const SLOTS = 1 << (32 - SHIFT);

export class PairCache {
  /** a, b, result. Terms are not negative, and no pair is asked for with term 0. */
  private table: Int32Array | undefined;

  get bytes(): number {
    return this.table?.byteLength ?? 0;
  }

  /** What was made of a pair (a > 0), or -1. */
  get(a: number, b: number): number {
    const { table } = this;
    if (table === undefined) return -1;
    const at = slot(a, b);
    return table[at] === a && table[at + 1] === b ? table[at + 2]! : -1;
  }

  set(a: number, b: number, result: number): void {
    this.table ??= new Int32Array(SLOTS * 3);
    const at = slot(a, b);
    this.table[at] = a;
    this.table[at + 1] = b;
    this.table[at + 2] = result;
  }
}

function slot(a: number, b: number): number {
  return ((Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b)) >>> SHIFT) * 3;
}
