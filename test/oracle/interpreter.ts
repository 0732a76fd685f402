/**
 * The naive twin: an interpreter of the IR that shares nothing with `src/fsm`. Given a grammar and bytes it decides whether they
 * are a complete member and whether they are a live prefix (some completion exists), from the definitions in ir.ts.
 *
 * Recursive descent over byte positions with sets of ends; no automata over bytes, no stacks, no state carried from one prefix
 * to the next: each question reads the text from its start. Objects and arrays are walked by structure; whether one can still
 * be completed is answered by searching over the properties or items that could follow, with as many candidates per class as
 * the search could use up. Exact for small grammars; cost grows fast with bounds and alphabets.
 *
 * Words: `ends(e, i)` = all j with text[i..j) in L(e); `live(e, i)` = text[i..] is a prefix of some member of L(e).
 */
import type { ArrayExpr, Expr, ExprId, Grammar, ObjectExpr, Whitespace } from '../../src/grammar/ir.js';
import {
  afterCut,
  bytesOf,
  canonicalValue,
  charAt,
  contentsAfterCut,
  type JsonString,
  jsonStringAt,
  type Reading,
  textOf,
} from './json.js';
import { and, DECODABLE, nonEmpty, representatives, SCALARS, type Term, termOf, words } from './regex.js';

/** Tokens that begin at a byte position, for token terminals. A token without bytes of its own stands as one number >= 256. */
export type TokenMarks = ReadonlyMap<number, readonly { readonly id: number; readonly end: number }[]>;

export interface OracleOptions {
  /** Ids that a token terminal stands for. */
  readonly tokenIds?: (texts: readonly string[], ids: readonly number[], negate: boolean) => ReadonlySet<number>;
}

interface Found {
  readonly ends: ReadonlySet<number>;
  readonly live: boolean;
}
const NOWHERE: Found = { ends: new Set(), live: false };

interface ObjectState {
  /** Declared properties present, by index. */
  readonly declared: ReadonlySet<number>;
  /** Last declared index that was used. */
  readonly last: number;
  readonly dynamic: ReadonlySet<string>;
  readonly witnesses: ReadonlySet<number>;
}

interface ArrayState {
  readonly index: number;
  readonly counts: readonly number[];
  readonly used: readonly string[];
}

export class Interpreter {
  private readonly terms = new Map<Expr, Term>();
  private readonly classes = new Map<ObjectExpr, readonly Term[]>();
  private readonly feasibleObjects = new Map<ObjectExpr, Map<string, boolean>>();
  private readonly feasibleArrays = new Map<ArrayExpr, Map<string, boolean>>();
  private readonly valueLists = new Map<string, readonly string[]>();
  private alphabetCache: readonly number[][] | undefined;

  constructor(
    readonly grammar: Grammar,
    readonly options: OracleOptions = {},
  ) {}

  member(bytes: readonly number[], marks?: TokenMarks): boolean {
    return new Reader(this, bytes, marks).read(this.grammar.start, 0).ends.has(bytes.length);
  }

  /**
   * Literals (string leaves that are `lit` or `lits`, names of objects without dynamic keys) are spelled as JSON writers spell them.
   * Whether a derived language counts as a literal is the recognizer's choice, so there are two bounds: everything spelled freely, or
   * with `strictFrom` every escape that ends after that byte spelled as writers do. What lives strictly must be allowed, what does not live freely
   * must not.
   */
  live(bytes: readonly number[], marks?: TokenMarks, strictFrom = Number.POSITIVE_INFINITY): boolean {
    return new Reader(this, bytes, marks, strictFrom).read(this.grammar.start, 0).live;
  }

  expr(id: ExprId): Expr {
    const e = this.grammar.exprs[id];
    if (e === undefined) throw new Error(`oracle: no expression ${id}`);
    return e;
  }

  /** The regular language of a leaf, less what its encoding cannot spell. */
  term(e: Expr & { op: 'text' | 'string' }): Term {
    let t = this.terms.get(e);
    if (t === undefined) {
      t = and([termOf(e.re), e.op === 'text' ? SCALARS : DECODABLE]);
      this.terms.set(e, t);
    }
    return t;
  }

  keyClasses(o: ObjectExpr): readonly Term[] {
    let c = this.classes.get(o);
    if (c === undefined) {
      c = o.dynamic.map((d) => and([termOf(d.keys), DECODABLE]));
      this.classes.set(o, c);
    }
    return c;
  }

  // --- objects -----------------------------------------------------------------------------------------------------------

  /** The states and values after one more property named `key` (several where witness classes overlap others). */
  withKey(o: ObjectExpr, s: ObjectState, key: string): { value: ExprId; state: ObjectState }[] {
    const out: { value: ExprId; state: ObjectState }[] = [];
    o.properties.forEach((p, i) => {
      if (p.name !== key || s.declared.has(i) || (o.order === 'schema' && (i <= s.last || s.dynamic.size > 0))) return;
      out.push({ value: p.value, state: { ...s, declared: new Set([...s.declared, i]), last: i } });
    });
    if (out.length > 0 || o.properties.some((p) => p.name === key) || s.dynamic.has(key)) return out;
    const content = Array.from(key, (ch) => ch.codePointAt(0) ?? 0);
    this.keyClasses(o).forEach((c, i) => {
      const d = o.dynamic[i];
      if (d === undefined || !content.reduce((t, x) => t.d(x), c).nullable) return;
      const witnesses = d.witness === undefined ? s.witnesses : new Set([...s.witnesses, d.witness]);
      out.push({ value: d.value, state: { ...s, dynamic: new Set([...s.dynamic, key]), witnesses } });
    });
    return out;
  }

  /** May the object end here? */
  closed(o: ObjectExpr, s: ObjectState): boolean {
    const count = s.declared.size + s.dynamic.size;
    if (count < o.minProperties || count > o.maxProperties || s.witnesses.size < o.witnesses) return false;
    if (o.properties.some((p, i) => p.required && !s.declared.has(i))) return false;
    return o.implications.every((m) => !s.declared.has(m.if) || m.then.every((t) => s.declared.has(t)));
  }

  /** How many more properties any completion could need. */
  private wants(o: ObjectExpr): number {
    return o.properties.length + o.witnesses + Math.min(o.minProperties, 8) + 1;
  }

  /** Keys that could come next, of every class as many as could matter; with `cut`, those that a cut key can become. */
  private nextKeys(o: ObjectExpr, s: ObjectState, cut?: readonly Reading[]): string[] {
    const out = new Set<string>();
    for (const p of o.properties) {
      const points = Array.from(p.name, (ch) => ch.codePointAt(0) ?? 0);
      const fits = cut === undefined || cut.some((r) => couldBe(points, r));
      if (fits) out.add(p.name);
    }
    const n = this.wants(o) + s.dynamic.size;
    for (const c of this.keyClasses(o)) {
      for (const w of cut === undefined ? words(c, n) : contentsAfterCut(c, cut, n)) out.add(textOf(w));
    }
    return [...out];
  }

  /** Is there a way to go on from here to a complete object; with `more`, one that adds a property? */
  canClose(o: ObjectExpr, s: ObjectState, more: boolean, cut?: readonly Reading[]): boolean {
    if (!more && this.closed(o, s)) return true;
    if (s.declared.size + s.dynamic.size >= o.maxProperties) return false;
    const key = objectKey(s);
    let known = this.feasibleObjects.get(o);
    if (known === undefined) {
      known = new Map();
      this.feasibleObjects.set(o, known);
    }
    const hit = cut === undefined ? known.get(key) : undefined;
    if (hit !== undefined) return hit;
    // A property that brings nothing that is owed never helps to close; only a key already begun may be such.
    const enough = cut === undefined && !this.closed(o, s) && s.declared.size + s.dynamic.size >= o.minProperties;
    let found = false;
    for (const k of this.nextKeys(o, s, cut)) {
      for (const { state } of this.withKey(o, s, k)) {
        const idle = state.declared.size === s.declared.size && state.witnesses.size === s.witnesses.size;
        if (!(enough && idle) && this.canClose(o, state, false)) found = true;
      }
      if (found) break;
    }
    if (cut === undefined) known.set(key, found);
    return found;
  }

  // --- arrays ------------------------------------------------------------------------------------------------------------

  readings(a: ArrayExpr, index: number): readonly { readonly value: ExprId; readonly counts: number }[] {
    return index < a.maxItems ? (a.prefix[index] ?? (index >= a.prefix.length ? a.rest : [])) : [];
  }

  withItem(a: ArrayExpr, s: ArrayState, counts: number, value: string | undefined): ArrayState | undefined {
    if (a.unique && value !== undefined && s.used.includes(value)) return undefined;
    const next = s.counts.map((c, i) => ((counts >> i) & 1 ? c + 1 : c));
    if (next.some((c, i) => c > (a.counters[i]?.max ?? 0))) return undefined;
    return {
      index: s.index + 1,
      counts: next,
      used: a.unique && value !== undefined ? [...s.used, value].sort() : s.used,
    };
  }

  closedArray(a: ArrayExpr, s: ArrayState): boolean {
    return s.index >= a.minItems && s.index <= a.maxItems && s.counts.every((c, i) => c >= (a.counters[i]?.min ?? 0));
  }

  private arrayWants(a: ArrayExpr): number {
    return Math.min(a.minItems, 8) + a.counters.reduce((n, c) => n + c.min, 0) + 1;
  }

  /** Is there a way to go on from here to a complete array; with `more`, one that adds an item? */
  canCloseArray(a: ArrayExpr, s: ArrayState, more: boolean): boolean {
    if (!more && this.closedArray(a, s)) return true;
    let known = this.feasibleArrays.get(a);
    if (known === undefined) {
      known = new Map();
      this.feasibleArrays.set(a, known);
    }
    const clamped = s.counts.map((c, i) =>
      Math.min(c, Math.max(a.counters[i]?.min ?? 0, (a.counters[i]?.max ?? 0) + 1)),
    );
    const bound = Math.max(a.prefix.length, Number.isFinite(a.maxItems) ? a.maxItems : a.minItems);
    const key = `${more}|${a.unique ? s.index : Math.min(s.index, bound)}|${clamped}|${s.used.join(' ')}`;
    const hit = known.get(key);
    if (hit !== undefined) return hit;
    // Past the prefix and the least length, only an item that serves a counter still short helps to close.
    const enough = !this.closedArray(a, s) && s.index >= Math.max(a.prefix.length, a.minItems);
    let found = false;
    for (const v of this.readings(a, s.index)) {
      const serves = s.counts.some((c, i) => (v.counts >> i) & 1 && c < (a.counters[i]?.min ?? 0));
      if (enough && !serves) continue;
      const n = s.used.length + this.arrayWants(a) + a.prefix.length;
      const values = a.unique ? this.values(v.value, [], n) : [undefined];
      for (const value of values) {
        const next = this.withItem(a, s, v.counts, value);
        if (next !== undefined && this.canCloseArray(a, next, false)) found = true;
        if (found) break;
      }
      if (found) break;
    }
    known.set(key, found);
    return found;
  }

  /** Up to `n` different JSON values (canonical) of expression `e` whose text begins with `start`. */
  values(e: ExprId, start: readonly number[], n: number, strictFrom = Number.POSITIVE_INFINITY): readonly string[] {
    const key = `${e}|${n}|${strictFrom}|${start.join('.')}`;
    const hit = this.valueLists.get(key);
    if (hit !== undefined) return hit;
    this.valueLists.set(key, []);
    const out = new Set<string>(
      this.leafValues(this.expr(e), start, n, strictFrom) ?? this.searchedValues(e, start, n, strictFrom),
    );
    this.valueLists.set(key, [...out]);
    return [...out];
  }

  /** Values of leaves and of choices among them, from their languages. */
  private leafValues(e: Expr, start: readonly number[], n: number, strictFrom: number): string[] | undefined {
    if (e.op === 'rule') return [...this.values(e.body, start, n, strictFrom)];
    if (e.op === 'alt') return e.items.flatMap((i) => [...this.values(i, start, n, strictFrom)]);
    if (e.op === 'string') {
      const s: JsonString =
        start.length === 0
          ? { kind: 'cut', readings: [{ content: [] }] }
          : jsonStringAt(start, 0, e.re.t === 'lit' || e.re.t === 'lits' ? 0 : strictFrom);
      if (s.kind === 'bad' || (s.kind === 'whole' && s.end < start.length)) return [];
      const term = this.term(e);
      const contents =
        s.kind === 'cut'
          ? contentsAfterCut(term, s.readings, n)
          : s.content.reduce((t, c) => t.d(c), term).nullable
            ? [s.content]
            : [];
      return contents.map((c) => JSON.stringify(textOf(c)));
    }
    if (e.op !== 'text') return undefined;
    let t = this.term(e);
    const out: string[] = [];
    for (let i = 0; i < start.length; ) {
      const c = charAt(start, i);
      if (c.kind === 'bad') return [];
      if (c.kind === 'cut') {
        for (const [lo, hi] of c.ranges) {
          for (const x of representatives(t, lo, hi)) {
            const head = [...start.slice(0, i), ...bytesOf(String.fromCodePoint(x))];
            for (const w of words(t.d(x), 4 * n)) out.push(canonicalValue([...head, ...bytesOf(textOf(w))]));
          }
        }
        return out;
      }
      t = t.d(c.code);
      i = c.end;
    }
    for (const w of words(t, 4 * n)) out.push(canonicalValue([...start, ...bytesOf(textOf(w))]));
    return out;
  }

  /** Values of anything, breadth-first over characters. */
  private searchedValues(e: ExprId, start: readonly number[], n: number, strictFrom: number): Set<string> {
    const out = new Set<string>();
    let level: number[][] = [[...start]];
    let steps = 0;
    while (level.length > 0 && out.size < n && steps < 300) {
      const next: number[][] = [];
      for (const t of level) {
        steps++;
        const r = new Reader(this, t, undefined, strictFrom).read(e, 0);
        if (!r.live) continue;
        if (r.ends.has(t.length)) out.add(canonicalValue(t));
        if (out.size >= n) break;
        for (const unit of unfinished(t, this.alphabet()) ?? this.alphabet()) next.push([...t, ...unit]);
      }
      level = next;
    }
    // Where the search is given up there is much to be found: as many values as were asked for.
    for (let k = 0; steps >= 300 && out.size < n; k++) out.add(`unnamed ${k}`);
    return out;
  }

  /** Byte strings of the characters that the grammar can tell apart, several of each class, and JSON's own. */
  alphabet(): readonly number[][] {
    if (this.alphabetCache !== undefined) return this.alphabetCache;
    const chars = new Set<number>(Array.from('{}[]":,0123456789abcdef-.\\u', (c) => c.charCodeAt(0)));
    for (const e of this.grammar.exprs) {
      const terms: Term[] =
        e.op === 'text' || e.op === 'string' ? [termOf(e.re)] : e.op === 'object' ? [...this.keyClasses(e)] : [];
      if (e.op === 'object') for (const p of e.properties) for (const b of p.name) chars.add(b.codePointAt(0) ?? 0);
      for (const t of terms) {
        const seen = new Set<string>();
        const visit = (x: Term): void => {
          if (seen.has(x.key) || seen.size > 200) return;
          seen.add(x.key);
          for (const c of representatives(x)) {
            for (let k = 0; k < 3; k++) if (c >= 0x20 && nonEmpty(x.d(c + k))) chars.add(c + k);
            visit(x.d(c));
          }
        };
        visit(t);
      }
    }
    this.alphabetCache = [...chars]
      .filter((c) => c <= 0x10ffff && (c < 0xd800 || c > 0xdfff))
      .sort((a, b) => a - b)
      .map((c) => bytesOf(String.fromCodePoint(c)));
    return this.alphabetCache;
  }
}

/** Where the text ends inside a UTF-8 character: what finishes a character of the alphabet, and some continuation bytes to try next. */
function unfinished(t: readonly number[], alphabet: readonly (readonly number[])[]): number[][] | undefined {
  for (let back = 1; back <= 3 && back <= t.length; back++) {
    const from = t.length - back;
    const b = t[from] ?? 0;
    if (b >= 0xc0 && charAt(t, from).kind === 'cut')
      return [
        ...alphabet
          .filter((c) => c.length > back && c.every((x, i) => i >= back || x === t[from + i]))
          .map((c) => c.slice(back)),
        ...[0x80, 0x81, 0x90, 0x9f, 0xa0, 0xa9, 0xbf].map((c) => [c]),
      ];
    if (b < 0x80) break;
  }
  return undefined;
}

/** Can a cut key still become this one? */
function couldBe(points: readonly number[], r: Reading): boolean {
  if (r.content.some((c, i) => points[i] !== c)) return false;
  if (r.next === undefined) {
    // A lone high surrogate stays alone unless the name has the pair, which then reads differently.
    return points.length >= r.content.length;
  }
  const c = points[r.content.length];
  return c !== undefined && r.next.some(([lo, hi]) => c >= lo && c <= hi);
}

const objectKey = (s: ObjectState): string =>
  `${[...s.declared].sort().join()}|${s.last}|${JSON.stringify([...s.dynamic].sort())}|${[...s.witnesses].sort().join()}`;
const arrayKey = (s: ArrayState): string => `${s.index}|${s.counts}|${s.used.join(' ')}`;

/** One text, read from its start. */
class Reader {
  private readonly known = new Map<string, Found | 'open'>();
  private readonly n: number;

  constructor(
    private readonly twin: Interpreter,
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
    if (i === this.n) return { ends: new Set(), live: this.twin.canClose(o, empty, false) };
    if (this.text[i] !== 0x7b) return NOWHERE;
    const ends = new Set<number>();
    let live = false;
    const seen = new Set<string>();
    const property = (j: number, s: ObjectState): void => {
      const sign = `${j}|${objectKey(s)}`;
      if (seen.has(sign)) return;
      seen.add(sign);
      if (j === this.n) {
        live ||= this.twin.canClose(o, s, true);
        return;
      }
      const key = this.stringAt(j, o.dynamic.length === 0);
      if (key.kind === 'cut') live ||= this.twin.canClose(o, s, true, key.readings);
      if (key.kind !== 'whole') return;
      for (const { value, state } of this.twin.withKey(o, s, textOf(key.content))) {
        if (!this.twin.canClose(o, state, false)) continue;
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
      if (this.text[t] === 0x7d && this.twin.closed(o, s)) ends.add(t + 1);
      if (this.text[t] === 0x2c && this.twin.canClose(o, s, true)) for (const u of this.blanks(t + 1)) property(u, s);
    };
    for (const j of this.blanks(i + 1)) {
      if (j === this.n) live ||= this.twin.canClose(o, empty, false);
      else if (this.text[j] === 0x7d) {
        if (this.twin.closed(o, empty)) ends.add(j + 1);
      } else property(j, empty);
    }
    return { ends, live: live || ends.has(this.n) };
  }

  private readArray(a: ArrayExpr, i: number): Found {
    const empty: ArrayState = { index: 0, counts: a.counters.map(() => 0), used: [] };
    if (i === this.n) return { ends: new Set(), live: this.twin.canCloseArray(a, empty, false) };
    if (this.text[i] !== 0x5b) return NOWHERE;
    const ends = new Set<number>();
    let live = false;
    const seen = new Set<string>();
    const item = (j: number, s: ArrayState): void => {
      const sign = `${j}|${arrayKey(s)}`;
      if (seen.has(sign)) return;
      seen.add(sign);
      if (j === this.n) {
        live ||= this.twin.canCloseArray(a, s, true);
        return;
      }
      for (const v of this.twin.readings(a, s.index)) {
        const f = this.read(v.value, j);
        if (f.live && !live) live = this.itemLive(a, s, v, j);
        for (const r of f.ends) {
          const next = this.twin.withItem(a, s, v.counts, a.unique ? canonicalValue(this.text.slice(j, r)) : undefined);
          if (next === undefined || !this.twin.canCloseArray(a, next, false)) continue;
          for (const t of this.blanks(r)) {
            if (t === this.n) live = true;
            if (this.text[t] === 0x5d && this.twin.closedArray(a, next)) ends.add(t + 1);
            if (this.text[t] === 0x2c && this.twin.canCloseArray(a, next, true))
              for (const u of this.blanks(t + 1)) item(u, next);
          }
        }
      }
    };
    for (const j of this.blanks(i + 1)) {
      if (j === this.n) live ||= this.twin.canCloseArray(a, empty, false);
      else {
        // Both: an item of raw text may itself begin with a bracket.
        if (this.text[j] === 0x5d && this.twin.closedArray(a, empty)) ends.add(j + 1);
        item(j, empty);
      }
    }
    return { ends, live: live || ends.has(this.n) };
  }

  /** The text ends inside an item: can the item be finished so that the array can be? */
  private itemLive(a: ArrayExpr, s: ArrayState, v: { value: ExprId; counts: number }, j: number): boolean {
    if (!a.unique) {
      const next = this.twin.withItem(a, s, v.counts, undefined);
      return next !== undefined && this.twin.canCloseArray(a, next, false);
    }
    const n = s.used.length + Math.min(a.minItems, 8) + a.counters.reduce((k, c) => k + c.min, 0) + 2;
    return this.twin.values(v.value, this.text.slice(j), n, this.strictFrom - j).some((value) => {
      const next = this.twin.withItem(a, s, v.counts, value);
      return next !== undefined && this.twin.canCloseArray(a, next, false);
    });
  }
}
