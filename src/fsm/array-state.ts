/**
 * What an array still allows and still needs: [index (clamped), counters (clamped)…, and where items are unique: used strings, used
 * whole numbers, other used texts, used objects and arrays, forgotten, and where values are scarce: how many of each class are gone], with
 * an exact liveness test for the counters.
 *
 * Without counters liveness is arithmetic. With counters (contains, minContains, maxContains) it is a search over the clamped
 * states, remembered. Unique scalars are kept out of the item's own lexeme (its term minus the values used), so that no item
 * can begin that could only end as a duplicate; unique objects and arrays are compared as values when they end (used-values.ts). What a later
 * item cannot do without counts as used (scarce-values.ts).
 */
import { TupleTable } from '../base/tuple-table.js';
import type { ArrayExpr, ItemVariant } from '../grammar/ir.js';
import type { Captures } from './captures.js';
import type { LexemePool } from './lexeme.js';
import { ScarceValues } from './scarce-values.js';
import { afterFraction, afterWhole, canonicalJson, plainForms, uniqueNumbers } from './unique.js';
import { UsedValues } from './used-values.js';

const OPEN = 1;
const LIVE = 2;
const LOST = 3;

/** Nodes of literals: strings; whole numbers; fractions and words (unique.ts). */
const USED_STRINGS = 0;
const USED_WHOLES = 1;
const USED_OTHERS = 2;
const USED_VALUES = 3;
const FORGOTTEN = 4;
/** Values gone by class, where some are scarce. */
const GONE = 5;

export class ArrayStates {
  private readonly tuples = new TupleTable(8);
  private readonly verdict: number[] = [];
  /** Objects and arrays so far, where items are unique. */
  private readonly values: UsedValues | undefined;
  private readonly scarce: ScarceValues | undefined;
  /** By state: the same with all values noted as used that its last item must not have. */
  private readonly guarded: (number | undefined)[] = [];
  private readonly clampIndex: number;
  private readonly most: number;
  /** Where the fields of unique items begin. */
  private readonly used: number;
  readonly start: number;

  constructor(
    readonly expr: ArrayExpr,
    private readonly pool: LexemePool,
    private readonly captures: Captures,
  ) {
    this.values = expr.unique ? new UsedValues(captures) : undefined;
    this.most = Math.min(expr.maxItems, expr.rest.length > 0 ? Number.POSITIVE_INFINITY : expr.prefix.length);
    this.clampIndex = this.most === Number.POSITIVE_INFINITY ? Math.max(expr.prefix.length, expr.minItems) : this.most;
    const first = new Array<number>(1 + expr.counters.length).fill(0);
    this.used = first.length;
    const { none } = pool.terms.literals;
    if (this.values !== undefined) first.push(none, none, none, this.values.none, 0);
    this.scarce = expr.scarce === undefined ? undefined : new ScarceValues(expr, this.most, expr.scarce);
    for (let k = 0; k < (expr.scarce?.length ?? 0); k++) first.push(0);
    this.start = this.tuples.intern(first, first.length);
  }

  get bytes(): number {
    return this.tuples.bytes + (this.values?.bytes ?? 0);
  }

  /** Distinct states met so far. */
  get size(): number {
    return this.tuples.count;
  }

  private field(a: number, i: number): number {
    return this.tuples.data[this.tuples.offsets[a]! + i]!;
  }

  private end(a: number): number {
    return this.tuples.offsets[a + 1]! - this.tuples.offsets[a]!;
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
    if (id < 0 || (this.expr.counters.length > 0 && !this.live(id))) return -1;
    return this.scarce === undefined || this.scarce.isLive(variant, this.filled(id), this.gone(id)) ? id : -1;
  }

  /** Whether a further item may come. */
  canContinue(a: number): boolean {
    for (const v of this.next(a)) if (this.after(a, v) >= 0) return true;
    return false;
  }

  /** Breadth-first search with an explicit queue for a state that may close. */
  private live(root: number): boolean {
    if (this.verdict[root] === LIVE) return true;
    if (this.verdict[root] === LOST) return false;
    const seen = [root];
    const parent: number[] = [-1];
    this.verdict[root] = OPEN;
    for (let i = 0; i < seen.length; i++) {
      const a = seen[i]!;
      if (this.canClose(a) || this.verdict[a] === LIVE) {
        for (const s of seen) if (this.verdict[s] === OPEN) this.verdict[s] = 0;
        for (let p = i; p >= 0; p = parent[p]!) this.verdict[seen[p]!] = LIVE;
        return true;
      }
      for (const v of this.next(a)) {
        const b = this.plain(a, v);
        if (b < 0 || this.verdict[b] === LOST || this.verdict[b] === OPEN) continue;
        if (this.verdict[b] !== LIVE) this.verdict[b] = OPEN;
        seen.push(b);
        parent.push(i);
      }
    }
    for (const s of seen) this.verdict[s] = LOST;
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
    for (let i = this.used, end = this.end(a); i < end; i++) t.push(this.field(a, i));
    return this.tuples.intern(t, t.length);
  }

  /** Items that must still come, at most. */
  stillNeeded(a: number): number {
    let n = Math.max(this.expr.minItems - this.field(a, 0), 0);
    this.expr.counters.forEach((c, i) => {
      n += Math.max(c.min - this.field(a, i + 1), 0);
    });
    return n;
  }

  // ---- unique items -------------------------------------------------------------------------------------------------

  /** Items and counters so far. */
  private filled(a: number): number[] {
    return Array.from({ length: this.used }, (_, i) => this.field(a, i));
  }

  /** How many values of each scarce class are gone. */
  private gone(a: number): number[] {
    const from = this.used + GONE;
    return Array.from({ length: this.end(a) - from }, (_, i) => this.field(a, from + i));
  }

  /**
   * The state with all values noted as used that an item must not have which ends in state a: those used, and those without which a later
   * one could not be had. Cached.
   */
  private guard(a: number): number {
    if (this.scarce === undefined) return a;
    const known = this.guarded[a];
    if (known !== undefined) return known;
    let made = a;
    for (const text of this.scarce.neededLater(this.filled(a), this.gone(a))) {
      if (!/^[[{]/.test(text)) made = this.noteScalar(made, text);
      else {
        let capture = this.captures.empty;
        for (const byte of new TextEncoder().encode(text)) capture = this.captures.append(capture, byte);
        const values = this.values!.add(this.field(made, this.used + USED_VALUES), capture, 0);
        made = this.with(made, USED_VALUES, values);
      }
    }
    this.guarded[a] = made;
    return made;
  }

  /** A string item's term less the strings used. */
  stringTerm(a: number, term: number): number {
    const { terms } = this.pool;
    return terms.and(term, terms.not(terms.literalNode(this.usedStrings(a))));
  }

  /** A raw item's term (numbers, true, false, null) less the values used; numbers in plain notation, so that equal ones are known. */
  textTerm(a: number, term: number): number {
    const { terms } = this.pool;
    return terms.and(terms.and(term, terms.intern(uniqueNumbers)), terms.not(this.usedTexts(a)));
  }

  /** The used strings, a node of literals. */
  usedStrings(a: number): number {
    return this.field(this.guard(a), this.used + USED_STRINGS);
  }

  /** The used texts in every plain spelling, a term. It reads sets of literals, so that a step costs the same however many there are. */
  usedTexts(a: number): number {
    const { terms } = this.pool;
    const g = this.guard(a);
    const wholes = terms.literalNode(this.field(g, this.used + USED_WHOLES));
    const others = terms.literalNode(this.field(g, this.used + USED_OTHERS));
    return terms.or(terms.cat(wholes, terms.intern(afterWhole)), terms.cat(others, terms.intern(afterFraction)));
  }

  /** Whether an item was not remembered: then which may follow is unknown. */
  hasForgotten(a: number): boolean {
    return this.expr.unique && this.field(a, this.used + FORGOTTEN) === 1;
  }

  /** Whether it must be known which items there were, all of them: what may follow hangs on each. */
  get mustRemember(): boolean {
    return this.scarce !== undefined;
  }

  /** The objects and arrays that the item which ends in state a must not be. */
  private usedValues(a: number): number {
    return this.field(this.guard(a), this.used + USED_VALUES);
  }

  /** Whether there is some object or array that the item must not be. */
  hasValues(a: number): boolean {
    return this.usedValues(a) !== this.values!.none;
  }

  /** How many objects and arrays the item must not be. */
  valueCount(a: number): number {
    return this.values!.sizeOf(this.usedValues(a));
  }

  /** Whether an object or array item whose text begins at byte `start` of a capture could end as one that was used. */
  couldRepeat(a: number, capture: number, start: number): boolean {
    return this.values!.couldBecome(this.usedValues(a), capture, start);
  }

  /** State after an item that was not remembered. */
  forget(a: number): number {
    return this.with(a, FORGOTTEN, 1);
  }

  /** State after a scalar item (its JSON text); its term made sure that it is new. */
  useScalar(a: number, text: string): number {
    const after = this.noteScalar(a, text);
    return this.scarce === undefined ? after : this.countGone(after, text);
  }

  private noteScalar(a: number, text: string): number {
    if (text.startsWith('"')) return this.note(a, USED_STRINGS, [JSON.parse(text) as string]);
    const { whole, forms } = plainForms(text);
    return this.note(a, whole ? USED_WHOLES : USED_OTHERS, forms);
  }

  private note(a: number, field: number, texts: readonly string[]): number {
    const { literals } = this.pool.terms;
    return this.with(
      a,
      field,
      texts.reduce((node, text) => literals.insert(node, text), this.field(a, this.used + field)),
    );
  }

  /** The state with one value more of its class gone, where it has one. */
  private countGone(a: number, text: string): number {
    const k = this.scarce?.classOf(canonicalJson(JSON.parse(text)));
    return k === undefined ? a : this.with(a, GONE + k, this.field(a, this.used + GONE + k) + 1);
  }

  /** State after an object or array item whose text begins at byte `start` of a capture, or -1 where it was there before. */
  useValue(a: number, capture: number, start: number): number {
    const before = this.usedValues(a);
    const after = this.values!.add(before, capture, start);
    if (after === before) return -1;
    if (this.scarce === undefined) return this.with(a, USED_VALUES, after);
    const used = this.values!.add(this.field(a, this.used + USED_VALUES), capture, start);
    return this.countGone(this.with(a, USED_VALUES, used), this.captures.text(capture, start)!);
  }

  /** The same state of other tables of this array; sets of literals are carried over by the caller's means. */
  carry(from: ArrayStates, a: number, literals: (node: number) => number): number {
    const t = Array.from(from.tuples.data.subarray(from.tuples.offsets[a]!, from.tuples.offsets[a + 1]!));
    if (this.expr.unique) {
      for (const field of [USED_STRINGS, USED_WHOLES, USED_OTHERS])
        t[this.used + field] = literals(t[this.used + field]!);
      t[this.used + USED_VALUES] = this.values!.carry(from.values!, t[this.used + USED_VALUES]!);
    }
    return this.tuples.intern(t, t.length);
  }

  private with(a: number, field: number, value: number): number {
    const t = Array.from(this.tuples.data.subarray(this.tuples.offsets[a]!, this.tuples.offsets[a + 1]!));
    t[this.used + field] = value;
    return this.tuples.intern(t, t.length);
  }
}
