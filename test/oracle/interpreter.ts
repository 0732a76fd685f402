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
import type { Expr, ExprId, Grammar } from '../../src/grammar/ir.js';
import { bytesOf, canonicalValue, charAt, contentsAfterCut, type JsonString, jsonStringAt, textOf } from './json.js';
import { type OracleOptions, Reader, type TokenMarks, type Twin } from './reader.js';
import { and, DECODABLE, nonEmpty, representatives, SCALARS, type Term, termOf, words } from './regex.js';
import { Structures } from './structures.js';

export class Interpreter implements Twin {
  private readonly terms = new Map<Expr, Term>();
  readonly structures = new Structures((e, start, n) => this.values(e, start, n));
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
    const chars = new Set<number>(Array.from('{}[]":,0123456789abcdef-.\\unrt', (c) => c.charCodeAt(0)));
    for (const e of this.grammar.exprs) {
      const terms: Term[] =
        e.op === 'text' || e.op === 'string'
          ? [termOf(e.re)]
          : e.op === 'object'
            ? [...this.structures.keyClasses(e)]
            : [];
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
