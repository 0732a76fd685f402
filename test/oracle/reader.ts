/** One text read from its start: where each expression may end in it, and whether it may go on. */
import type { ArrayExpr, Expr, ExprId, Grammar, ObjectExpr, Whitespace } from '../../src/grammar/ir.js';
import { afterCut, canonicalValue, charAt, type JsonString, jsonStringAt, textOf } from './json.js';
import { nonEmpty, representatives, type Term } from './regex.js';
import { type ArrayState, arrayKey, type ObjectState, objectKey, type Structures } from './structures.js';

/** Tokens that begin at a byte position, for token terminals. A token without bytes of its own stands as one number >= 256. */
export type TokenMarks = ReadonlyMap<number, readonly { readonly id: number; readonly end: number }[]>;

export interface Found {
  readonly ends: ReadonlySet<number>;
  readonly live: boolean;
}
const NOWHERE: Found = { ends: new Set(), live: false };

export interface OracleOptions {
  /** Ids that a token terminal stands for. */
  readonly tokenIds?: (texts: readonly string[], ids: readonly number[], negate: boolean) => ReadonlySet<number>;
}

/** What the reader asks of the grammar. */
export interface Twin {
  readonly grammar: Grammar;
  readonly options: OracleOptions;
  readonly structures: Structures;
  expr(id: ExprId): Expr;
  /** The regular language of a leaf, less what its encoding cannot spell. */
  term(e: Expr & { op: 'text' | 'string' }): Term;
  /** Up to `n` different JSON values (canonical) of expression `e` whose text begins with `start`. */
  values(e: ExprId, start: readonly number[], n: number, strictFrom?: number): readonly string[];
}

/** One text, read from its start. */
export class Reader {
  private readonly known = new Map<string, Found | 'open'>();
  private readonly n: number;

  constructor(
    private readonly twin: Twin,
    private readonly text: readonly number[],
    private readonly marks?: TokenMarks,
    private readonly strictFrom = Number.POSITIVE_INFINITY,
  ) {
    this.n = text.length;
  }

  read(id: ExprId, i: number): Found {
    const key = `${id},${i}`;
    const hit = this.known.get(key);
    if (hit === 'open') throw new Error(`oracle: expression ${id} is left-recursive`);
    if (hit !== undefined) return hit;
    this.known.set(key, 'open');
    const found = this.fresh(this.twin.expr(id), i);
    this.known.set(key, found);
    return found;
  }

  private fresh(e: Expr, i: number): Found {
    switch (e.op) {
      case 'never':
        return NOWHERE;
      case 'empty':
        return { ends: new Set([i]), live: i === this.n };
      case 'text':
        return this.readText(this.twin.term(e), i);
      case 'string':
        return this.readString(this.twin.term(e), i, e.re.t === 'lit' || e.re.t === 'lits');
      case 'token':
        return this.readToken(e, i);
      case 'seq':
        return this.readSeq(e.items, i);
      case 'alt': {
        const all = e.items.map((item) => this.read(item, i));
        return { ends: new Set(all.flatMap((f) => [...f.ends])), live: all.some((f) => f.live) };
      }
      case 'repeat':
        return this.readRepeat(e, i);
      case 'rule':
        return this.read(e.body, i);
      case 'object':
        return this.readObject(e, i);
      case 'array':
        return this.readArray(e, i);
    }
  }

  private readText(term: Term, i: number): Found {
    const ends = new Set<number>();
    let t = term;
    let at = i;
    for (;;) {
      if (t.nullable) ends.add(at);
      if (at === this.n) return { ends, live: nonEmpty(t) };
      const c = charAt(this.text, at);
      if (c.kind === 'bad') return { ends, live: false };
      if (c.kind === 'cut') {
        const s = t;
        return { ends, live: c.ranges.some(([lo, hi]) => representatives(s, lo, hi).some((x) => nonEmpty(s.d(x)))) };
      }
      t = t.d(c.code);
      at = c.end;
      if (t.key === '0') return { ends, live: false };
    }
  }

  private readString(term: Term, i: number, literal: boolean): Found {
    if (i === this.n) return { ends: new Set(), live: nonEmpty(term) };
    const s = this.stringAt(i, literal);
    if (s.kind === 'bad') return NOWHERE;
    if (s.kind === 'cut') return { ends: new Set(), live: afterCut(term, s.readings).length > 0 };
    const fits = s.content.reduce((t, c) => t.d(c), term).nullable;
    return fits ? { ends: new Set([s.end]), live: s.end === this.n } : NOWHERE;
  }

  private readToken(e: Expr & { op: 'token' }, i: number): Found {
    const ids = this.twin.options.tokenIds?.(e.texts, e.ids, e.negate) ?? new Set(e.ids);
    if (i === this.n) return { ends: new Set(), live: ids.size > 0 };
    const ends = new Set<number>();
    for (const m of this.marks?.get(i) ?? []) if (ids.has(m.id)) ends.add(m.end);
    return { ends, live: ends.has(this.n) };
  }

  private readSeq(items: readonly ExprId[], i: number): Found {
    let at = new Set([i]);
    let live = false;
    for (const item of items) {
      const next = new Set<number>();
      for (const j of at) {
        const f = this.read(item, j);
        live ||= f.live;
        for (const k of f.ends) next.add(k);
      }
      at = next;
    }
    return { ends: at, live: live || at.has(this.n) };
  }

  private readRepeat(e: Expr & { op: 'repeat' }, i: number): Found {
    const ends = new Set<number>();
    let live = false;
    const seen = new Set<string>();
    const todo: [number, number][] = [[i, 0]];
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      const [j, count] = next;
      const sign = `${j},${count}`;
      if (seen.has(sign)) continue;
      seen.add(sign);
      if (count >= e.min) ends.add(j);
      if (j === this.n) live = true;
      if (count >= e.max) continue;
      const f = this.read(e.item, j);
      live ||= f.live;
      const clamp = Number.isFinite(e.max) ? count + 1 : Math.min(count + 1, e.min);
      for (const k of f.ends) todo.push([k, clamp]);
    }
    return { ends, live };
  }

  /**
   * The JSON string at i. Literals are spelled as writers do; for the strict bound so is everything that is not finished before
   * it, since it is the recognizer's choice which readings of such a string are literals.
   */
  private stringAt(i: number, literal: boolean): JsonString {
    if (literal) return jsonStringAt(this.text, i, 0);
    const free = jsonStringAt(this.text, i);
    if (!Number.isFinite(this.strictFrom) || (free.kind === 'whole' && free.end <= this.strictFrom)) return free;
    return jsonStringAt(this.text, i, 0);
  }

  /** Where a run of whitespace from i may end; the text ending inside one is one of these ends. */
  private blanks(i: number): number[] {
    const out = [i];
    const kind: Whitespace = this.twin.grammar.whitespace;
    const isIn = (j: number, set: string): boolean => {
      const b = this.text[j];
      return b !== undefined && b < 0x80 && set.includes(String.fromCharCode(b));
    };
    if (kind === 'flexible') for (let j = i; isIn(j, ' \t\n\r'); j++) out.push(j + 1);
    if (kind === 'bounded') {
      if (isIn(i, ' ')) out.push(i + 1);
      if (isIn(i, '\n')) {
        out.push(i + 1);
        for (let j = i + 1; j < i + 65 && isIn(j, ' \t'); j++) out.push(j + 1);
      }
    }
    return out;
  }

  private readObject(o: ObjectExpr, i: number): Found {
    const empty: ObjectState = { declared: new Set(), last: -1, dynamic: new Set(), witnesses: new Set() };
    if (i === this.n) return { ends: new Set(), live: this.twin.structures.canClose(o, empty, false) };
    if (this.text[i] !== 0x7b) return NOWHERE;
    const ends = new Set<number>();
    let live = false;
    const seen = new Set<string>();
    const property = (j: number, s: ObjectState): void => {
      const sign = `${j}|${objectKey(s)}`;
      if (seen.has(sign)) return;
      seen.add(sign);
      if (j === this.n) {
        live ||= this.twin.structures.canClose(o, s, true);
        return;
      }
      const key = this.stringAt(j, o.dynamic.length === 0);
      if (key.kind === 'cut') live ||= this.twin.structures.canClose(o, s, true, key.readings);
      if (key.kind !== 'whole') return;
      for (const { value, state } of this.twin.structures.withKey(o, s, textOf(key.content))) {
        if (!this.twin.structures.canClose(o, state, false)) continue;
        for (const p of this.blanks(key.end)) {
          if (p === this.n) live = true;
          if (this.text[p] !== 0x3a) continue;
          for (const q of this.blanks(p + 1)) {
            if (q === this.n) live = true;
            const v = this.read(value, q);
            live ||= v.live;
            for (const r of v.ends) for (const t of this.blanks(r)) after(t, state);
          }
        }
      }
    };
    const after = (t: number, s: ObjectState): void => {
      if (t === this.n) live = true;
      if (this.text[t] === 0x7d && this.twin.structures.closed(o, s)) ends.add(t + 1);
      if (this.text[t] === 0x2c && this.twin.structures.canClose(o, s, true))
        for (const u of this.blanks(t + 1)) property(u, s);
    };
    for (const j of this.blanks(i + 1)) {
      if (j === this.n) live ||= this.twin.structures.canClose(o, empty, false);
      else if (this.text[j] === 0x7d) {
        if (this.twin.structures.closed(o, empty)) ends.add(j + 1);
      } else property(j, empty);
    }
    return { ends, live: live || ends.has(this.n) };
  }

  private readArray(a: ArrayExpr, i: number): Found {
    const empty: ArrayState = { index: 0, counts: a.counters.map(() => 0), used: [] };
    if (i === this.n) return { ends: new Set(), live: this.twin.structures.canCloseArray(a, empty, false) };
    if (this.text[i] !== 0x5b) return NOWHERE;
    const ends = new Set<number>();
    let live = false;
    const seen = new Set<string>();
    const item = (j: number, s: ArrayState): void => {
      const sign = `${j}|${arrayKey(s)}`;
      if (seen.has(sign)) return;
      seen.add(sign);
      if (j === this.n) {
        live ||= this.twin.structures.canCloseArray(a, s, true);
        return;
      }
      for (const v of this.twin.structures.readings(a, s.index)) {
        const f = this.read(v.value, j);
        if (f.live && !live) live = this.itemLive(a, s, v, j);
        for (const r of f.ends) {
          const next = this.twin.structures.withItem(
            a,
            s,
            v.counts,
            a.unique ? canonicalValue(this.text.slice(j, r)) : undefined,
          );
          if (next === undefined || !this.twin.structures.canCloseArray(a, next, false)) continue;
          for (const t of this.blanks(r)) {
            if (t === this.n) live = true;
            if (this.text[t] === 0x5d && this.twin.structures.closedArray(a, next)) ends.add(t + 1);
            if (this.text[t] === 0x2c && this.twin.structures.canCloseArray(a, next, true))
              for (const u of this.blanks(t + 1)) item(u, next);
          }
        }
      }
    };
    for (const j of this.blanks(i + 1)) {
      if (j === this.n) live ||= this.twin.structures.canCloseArray(a, empty, false);
      else {
        // Both: an item of raw text may itself begin with a bracket.
        if (this.text[j] === 0x5d && this.twin.structures.closedArray(a, empty)) ends.add(j + 1);
        item(j, empty);
      }
    }
    return { ends, live: live || ends.has(this.n) };
  }

  /** The text ends inside an item: can the item be finished so that the array can be? */
  private itemLive(a: ArrayExpr, s: ArrayState, v: { value: ExprId; counts: number }, j: number): boolean {
    if (!a.unique) {
      const next = this.twin.structures.withItem(a, s, v.counts, undefined);
      return next !== undefined && this.twin.structures.canCloseArray(a, next, false);
    }
    const n = s.used.length + Math.min(a.minItems, 8) + a.counters.reduce((k, c) => k + c.min, 0) + 2;
    return this.twin.values(v.value, this.text.slice(j), n, this.strictFrom - j).some((value) => {
      const next = this.twin.structures.withItem(a, s, v.counts, value);
      return next !== undefined && this.twin.structures.canCloseArray(a, next, false);
    });
  }
}
