/**
 * Hash-consed regular terms over code points, with Brzozowski derivatives.
 *
 * The naive way to a regular language's automaton is Thompson's construction and subset construction: no intersection or
 * complement without a product, and {m,n} unrolled. Here a state is a term (an integer), its successors are its derivatives
 * (Brzozowski 1964; Owens, Reppy, Turon 2009), and the boolean operations and counted repeats are constructors, so
 * `pattern and format and length` costs what is walked of it and no more. Price: terms that are equal as languages
 * but not by the rules below are different states, which costs memory and never correctness.
 *
 * Invariants: ids are dense and permanent; NEVER is 0 and means the empty language syntactically; a term without `and`, `not`
 * or `dfa` inside is non-empty unless it is NEVER; for the others `isEmpty` searches and remembers.
 */
import { Derivatives } from './derivatives.js';
import { edgeTarget } from './edges.js';
import type { LiteralTrie } from './literal-trie.js';
import type { NameTries } from './name-trie.js';
import type { Regex } from './regex.js';
import { alwaysLeft, splitFinite, unbounded } from './term-forms.js';
import { type TermLimits, TermSearch } from './term-search.js';
import { type DfaTable, EMPTY, INF, NEVER, TermTable } from './term-table.js';

export type { TermLimits } from './term-search.js';
export { EMPTY, NEVER } from './term-table.js';

export class TermStore {
  private readonly table = new TermTable();
  private readonly derivatives = new Derivatives(this.table);
  private readonly search: TermSearch;
  private readonly byRegex = new WeakMap<Regex, number>();
  /** Finite sets of literals. */
  readonly literals: LiteralTrie = this.table.literals;
  /** Property-name tries whose nodes are terms that remember which name they spell. */
  readonly names: NameTries = this.table.names;
  /** Any string. */
  readonly all: number = this.table.all;

  constructor(limits: TermLimits = {}) {
    this.search = new TermSearch(this.table, this.derivatives, limits);
  }

  /** Bytes held, roughly. */
  get bytes(): number {
    return this.table.bytes + this.derivatives.bytes;
  }

  get size(): number {
    return this.table.tuples.count;
  }

  // ---- construction -------------------------------------------------------------------------------------------------

  /** The term of a regex value. Memoised by object identity. */
  intern(re: Regex): number {
    const known = this.byRegex.get(re);
    if (known !== undefined) return known;
    const t = this.build(re);
    this.byRegex.set(re, t);
    return t;
  }

  private build(re: Regex): number {
    switch (re.t) {
      case 'never':
        return NEVER;
      case 'empty':
        return EMPTY;
      case 'set':
        return this.table.set(re.ranges);
      case 'lit':
        return this.table.literalSet([re.text]);
      case 'lits':
        return this.table.literalSet(re.texts);
      case 'cat': {
        let t = EMPTY;
        for (let i = re.items.length - 1; i >= 0; i--) t = this.table.cat(this.intern(re.items[i]!), t);
        return t;
      }
      case 'alt':
        return this.table.orAll(re.items.map((r) => this.intern(r)));
      case 'and': {
        let t = this.table.all;
        for (const item of re.items) t = this.table.and(t, this.intern(item));
        return t;
      }
      case 'not':
        return this.table.not(this.intern(re.item));
      case 'rep':
        return this.table.repeat(this.intern(re.item), re.min, Number.isFinite(re.max) ? re.max : INF);
      case 'dfa': {
        return this.table.dfaState(this.table.dfaOf(re), re.start);
      }
    }
  }

  /** One code point of the ranges [lo, hi, …] (sorted, disjoint). */
  set(ranges: ArrayLike<number>): number {
    return this.table.set(ranges);
  }

  /** A finite set of strings. */
  literalSet(texts: readonly string[]): number {
    return this.table.literalSet(texts);
  }

  /** The term of a node of {@link literals}. */
  literalNode(node: number): number {
    return this.table.literalNode(node);
  }

  /** The same strings as {@link literalNode}, in whatever way JSON strings may spell them. */
  spelledNode(node: number): number {
    return this.table.spelledNode(node);
  }

  /** The term of a node of {@link names}. */
  nameNode(node: number): number {
    return this.table.nameNode(node);
  }

  /** The node of a term made by {@link nameNode}, else -1. */
  asNameNode(t: number): number {
    return this.table.asNameNode(t);
  }

  cat(a: number, b: number): number {
    return this.table.cat(a, b);
  }

  or(a: number, b: number): number {
    return this.table.or(a, b);
  }

  /** Union of any number of terms. */
  orAll(terms: readonly number[]): number {
    return this.table.orAll(terms);
  }

  and(a: number, b: number): number {
    return this.table.and(a, b);
  }

  not(a: number): number {
    return this.table.not(a);
  }

  /** a{min,max}; max -1 is unbounded. */
  repeat(a: number, min: number, max: number): number {
    return this.table.repeat(a, min, max);
  }

  // ---- reading ------------------------------------------------------------------------------------------------------

  /** Whether the term is a finite set of literals, or taken from one. */
  isLiteral(t: number): boolean {
    return this.table.isLiteral(t);
  }

  /** Whether the term has no intersection, complement or automaton inside. */
  isPlain(t: number): boolean {
    return this.table.isPlain(t);
  }

  /** Whether the empty string belongs. */
  nullable(t: number): boolean {
    return this.table.nullable(t);
  }

  /**
   * Derivatives by every code point: sorted triples [lo, hi, target]. Targets may be empty languages where the term is
   * boolean; see {@link liveEdges}.
   */
  edges(t: number): Int32Array {
    return this.derivatives.of(t);
  }

  /** {@link edges} without those that lead to an empty language. */
  liveEdges(t: number): Int32Array {
    return this.search.liveEdges(t);
  }

  /** Derivative by one code point. */
  step(t: number, cp: number): number {
    return edgeTarget(this.derivatives.of(t), cp, NEVER);
  }

  /** Whether no string belongs. @throws LimitError where the search visits too many terms. */
  isEmpty(t: number): boolean {
    return this.search.isEmpty(t);
  }

  /** Whether a whole string belongs. */
  matches(t: number, text: string): boolean {
    return this.search.matches(t, text);
  }

  /** A shortest member (fewest code points), or undefined where the language is empty. */
  shortest(t: number): string | undefined {
    return this.search.shortest(t);
  }

  /** Number of different members, at most `limit` (which also stands for infinitely many). */
  countUpTo(t: number, limit: number): number {
    return this.search.countUpTo(t, limit);
  }

  /** All members, where they are fewer than `limit`. */
  listUpTo(t: number, limit: number): readonly string[] | undefined {
    return this.search.listUpTo(t, limit);
  }

  /** Kind and fields of a term, as in docs/tables.md. */
  parts(t: number): { readonly kind: number; readonly fields: readonly number[] } {
    const { data, offsets } = this.table.tuples;
    const from = offsets[t]!;
    return { kind: data[from]!, fields: Array.from(data.subarray(from + 1, offsets[t + 1]!)) };
  }

  /** The automaton of a number (a field of its terms), and the term of one of its states. */
  automaton(id: number): DfaTable {
    return this.table.dfas[id]!;
  }

  automatonState(automaton: DfaTable, state: number): number {
    return this.table.dfaState(this.table.dfaOf(automaton), state);
  }

  /** Splits `x and not L` with L a finite set of literals; see term-forms.ts. */
  splitFinite(t: number): { readonly rest: number; readonly literals: number } | undefined {
    return splitFinite(this.table, t);
  }

  /** An alternative `.*X` of the term, which every text leads back to; see term-forms.ts. */
  alwaysLeft(t: number): number | undefined {
    return alwaysLeft(this.table, t);
  }

  /** The term without upper bounds of `least` and more repetitions; see term-forms.ts. */
  unbounded(t: number, least: number): { readonly term: number; readonly bound: number } | undefined {
    return unbounded(this.table, t, least);
  }
}
