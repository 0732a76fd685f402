/**
 * Hash-consed terms and their constructors: what makes equal languages equal integers as far as cheap rules go. Layout in
 * docs/tables.md.
 */
import { TupleTable } from '../base/tuple-table.js';
import { MAX_CODE_POINT } from './edges.js';
import { LiteralTrie } from './literal-trie.js';
import { NameTries } from './name-trie.js';
import { PairCache } from './pair-cache.js';

export const NEVER = 0;
export const EMPTY = 1;

const K_NEVER = 0;
const K_EMPTY = 1;
export const K_SET = 2;
export const K_CAT = 3;
export const K_ALT = 4;
export const K_AND = 5;
export const K_NOT = 6;
export const K_REP = 7;
export const K_LITS = 8;
export const K_DFA = 9;
export const K_NAME = 10;

export const INF = -1;

export const F_NULLABLE = 1;
/** Contains and, not or dfa: emptiness needs a search. */
export const F_BOOLEAN = 2;
export const F_KNOWN_LIVE = 4;
export const F_KNOWN_DEAD = 8;
/** Finite by construction (literals and what is taken from them): JSON strings spell it in one way only. */
const F_LITERAL = 16;

/** Last field of a set of literals that are not {@link F_LITERAL}. */
const SPELLED = 1;

export interface DfaTable {
  readonly states: readonly { readonly accept: boolean; readonly edges: readonly number[] }[];
}

export class TermTable {
  readonly tuples = new TupleTable(512);
  /** Flags by term: NULLABLE and what is known of liveness. */
  flags: Uint8Array = new Uint8Array(1024);
  readonly dfas: DfaTable[] = [];
  private readonly dfaIds = new WeakMap<object, number>();
  private readonly scratch: number[] = [];
  /** The states of a pattern under the same conditions ask for the same pairs again and again. */
  private readonly intersections = new PairCache();
  private readonly unions = new PairCache();
  /** Finite sets of literals. */
  readonly literals = new LiteralTrie();
  /** Property-name tries whose nodes are terms that remember which name they spell. */
  readonly names = new NameTries();
  /** Any string. */
  readonly all: number;

  constructor() {
    this.make([K_NEVER], 0);
    this.make([K_EMPTY], F_NULLABLE);
    this.all = this.repeat(this.set([0, MAX_CODE_POINT]), 0, INF);
  }

  get bytes(): number {
    return (
      this.tuples.bytes +
      this.flags.byteLength +
      this.intersections.bytes +
      this.unions.bytes +
      this.literals.bytes +
      this.names.bytes
    );
  }

  /** Whether the empty string belongs. */
  nullable(t: number): boolean {
    return (this.flags[t]! & F_NULLABLE) !== 0;
  }

  /** Whether the term has no intersection, complement or automaton inside. */
  isPlain(t: number): boolean {
    return (this.flags[t]! & F_BOOLEAN) === 0;
  }

  /** Whether the term is a finite set of literals, or taken from one. */
  isLiteral(t: number): boolean {
    return (this.flags[t]! & F_LITERAL) !== 0;
  }

  /** One code point of the ranges [lo, hi, …] (sorted, disjoint). */
  set(ranges: ArrayLike<number>): number {
    if (ranges.length === 0) return NEVER;
    const tuple = this.scratch;
    tuple.length = 0;
    tuple.push(K_SET);
    for (let i = 0; i < ranges.length; i++) tuple.push(ranges[i]!);
    return this.make(tuple, 0);
  }

  /** A finite set of strings. */
  literalSet(texts: readonly string[]): number {
    return this.literalNode(this.literals.build(texts));
  }

  /** The term of a node of {@link literals}. */
  literalNode(node: number): number {
    if (node === this.literals.none) return NEVER;
    if (node === this.literals.end) return EMPTY;
    return this.make([K_LITS, node], F_LITERAL | (this.literals.accepts(node) ? F_NULLABLE : 0));
  }

  /** The same strings as {@link literalNode}, in whatever way JSON strings may spell them. */
  spelledNode(node: number): number {
    if (node === this.literals.none) return NEVER;
    if (node === this.literals.end) return EMPTY;
    return this.make([K_LITS, node, SPELLED], this.literals.accepts(node) ? F_NULLABLE : 0);
  }

  /** The term of a node of {@link names}. */
  nameNode(node: number): number {
    return this.make([K_NAME, node], F_LITERAL | (this.names.nameAt(node) >= 0 ? F_NULLABLE : 0));
  }

  /** The node of a term made by {@link nameNode}, else -1. */
  asNameNode(t: number): number {
    const o = this.tuples.offsets[t]!;
    return this.tuples.data[o] === K_NAME ? this.tuples.data[o + 1]! : -1;
  }

  /** The number of a deterministic automaton, by object identity. */
  dfaOf(table: DfaTable): number {
    let id = this.dfaIds.get(table);
    if (id === undefined) {
      id = this.dfas.push(table) - 1;
      this.dfaIds.set(table, id);
    }
    return id;
  }

  /** The term of a state of a deterministic automaton. */
  dfaState(dfa: number, state: number): number {
    const s = this.dfas[dfa]!.states[state]!;
    return this.make([K_DFA, dfa, state], F_BOOLEAN | (s.accept ? F_NULLABLE : 0));
  }

  cat(a: number, b: number): number {
    if (a === NEVER || b === NEVER) return NEVER;
    if (a === EMPTY) return b;
    if (b === EMPTY) return a;
    const { data, offsets } = this.tuples;
    const ao = offsets[a]!;
    if (data[ao] === K_CAT) return this.append(a, b);
    const all = this.all;
    if (a === all) {
      if (b === all) return all;
      const bo = offsets[b]!;
      if (data[bo] === K_CAT && data[bo + 1] === all) return b;
    }
    const fa = this.flags[a]!;
    const fb = this.flags[b]!;
    return this.make([K_CAT, a, b], (fa & fb & F_NULLABLE) | ((fa | fb) & F_BOOLEAN));
  }

  /** A concatenation and what comes after it. Concatenations nest as deep as they are long, which recursion would not survive. */
  private append(a: number, b: number): number {
    const items: number[] = [];
    let last = a;
    for (;;) {
      const { data, offsets } = this.tuples;
      const o = offsets[last]!;
      if (data[o] !== K_CAT) break;
      items.push(data[o + 1]!);
      last = data[o + 2]!;
    }
    let t = this.cat(last, b);
    for (let i = items.length - 1; i >= 0; i--) t = this.cat(items[i]!, t);
    return t;
  }

  or(a: number, b: number): number {
    if (a === b || b === NEVER) return a;
    if (a === NEVER) return b;
    const known = this.unions.get(a, b);
    if (known >= 0) return known;
    const either = this.orAll([a, b]);
    this.unions.set(a, b, either);
    return either;
  }

  /** Union of any number of terms: flattened, sorted, sets and adjacent counted repeats merged. */
  orAll(terms: readonly number[]): number {
    const items: number[] = [];
    let nullable = 0;
    let boolean = 0;
    let hasEmpty = false;
    const sets: number[] = [];
    const add = (t: number): boolean => {
      if (t === NEVER) return true;
      if (t === this.all) return false;
      const o = this.tuples.offsets[t]!;
      const k = this.tuples.data[o]!;
      if (k === K_ALT) {
        for (let i = o + 1, end = this.tuples.offsets[t + 1]!; i < end; i++)
          if (!add(this.tuples.data[i]!)) return false;
        return true;
      }
      if (k === K_EMPTY) hasEmpty = true;
      else if (k === K_SET) sets.push(t);
      else items.push(t);
      nullable |= this.flags[t]! & F_NULLABLE;
      boolean |= this.flags[t]! & F_BOOLEAN;
      return true;
    };
    for (const t of terms) if (!add(t)) return this.all;
    if (sets.length > 0) items.push(sets.length === 1 ? sets[0]! : this.unionSets(sets));
    if (items.length > 1) this.mergeRepeats(items);
    if (hasEmpty && !items.some((t) => (this.flags[t]! & F_NULLABLE) !== 0)) items.push(EMPTY);
    if (items.length === 0) return NEVER;
    items.sort((x, y) => x - y);
    let n = 0;
    for (let i = 0; i < items.length; i++) if (i === 0 || items[i] !== items[i - 1]) items[n++] = items[i]!;
    items.length = n;
    if (n === 1) return items[0]!;
    for (const t of items) if (t === this.all) return t;
    let literal = F_LITERAL;
    for (const t of items) literal &= t === EMPTY ? F_LITERAL : this.flags[t]!;
    return this.make([K_ALT, ...items], nullable | boolean | literal);
  }

  private unionSets(sets: readonly number[]): number {
    const ranges: [number, number][] = [];
    for (const t of sets) {
      for (let i = this.tuples.offsets[t]! + 1, end = this.tuples.offsets[t + 1]!; i < end; i += 2)
        ranges.push([this.tuples.data[i]!, this.tuples.data[i + 1]!]);
    }
    ranges.sort((x, y) => x[0] - y[0]);
    const out: number[] = [];
    for (const [lo, hi] of ranges) {
      if (out.length > 0 && lo <= out[out.length - 1]! + 1) out[out.length - 1] = Math.max(out[out.length - 1]!, hi);
      else out.push(lo, hi);
    }
    return this.set(out);
  }

  /** r{a,b}x | r{c,d}x becomes one term where the bounds overlap or touch. Rewrites `items` in place. */
  private mergeRepeats(items: number[]): void {
    let heads: Map<string, { min: number; max: number; at: number; item: number; tail: number }[]> | undefined;
    for (let i = 0; i < items.length; i++) {
      const t = items[i]!;
      const { data, offsets } = this.tuples;
      const o = offsets[t]!;
      let rep = -1;
      let tail = EMPTY;
      if (data[o] === K_REP) rep = t;
      else if (data[o] === K_CAT && data[offsets[data[o + 1]!]!] === K_REP) {
        rep = data[o + 1]!;
        tail = data[o + 2]!;
      }
      if (rep < 0) continue;
      const ro = offsets[rep]!;
      const item = data[ro + 1]!;
      const min = data[ro + 2]!;
      const max = data[ro + 3] === INF ? Number.POSITIVE_INFINITY : data[ro + 3]!;
      heads ??= new Map();
      const key = `${item},${tail}`;
      const list = heads.get(key) ?? [];
      const near = list.find((e) => min <= e.max + 1 && e.min <= max + 1);
      if (near === undefined) {
        list.push({ min, max, at: i, item, tail });
        heads.set(key, list);
      } else {
        near.min = Math.min(near.min, min);
        near.max = Math.max(near.max, max);
        items[near.at] = this.cat(
          this.repeat(item, near.min, near.max === Number.POSITIVE_INFINITY ? INF : near.max),
          near.tail,
        );
        items[i] = items[near.at]!;
      }
    }
  }

  and(a: number, b: number): number {
    if (a === b) return a;
    if (a === NEVER || b === NEVER) return NEVER;
    if (a === this.all) return b;
    if (b === this.all) return a;
    if (a === EMPTY) return this.nullable(b) ? EMPTY : NEVER;
    if (b === EMPTY) return this.nullable(a) ? EMPTY : NEVER;
    const known = this.intersections.get(a, b);
    if (known >= 0) return known;
    const both = this.intersect(a, b);
    this.intersections.set(a, b, both);
    return both;
  }

  private intersect(a: number, b: number): number {
    const items = new Set<number>();
    const { data, offsets } = this.tuples;
    for (const t of [a, b]) {
      const o = offsets[t]!;
      if (data[o] === K_AND) for (let i = o + 1; i < offsets[t + 1]!; i++) items.add(data[i]!);
      else items.add(t);
    }
    let sets: number[] | undefined;
    let excluded = -1;
    for (const t of items) {
      const o = offsets[t]!;
      if (data[o] === K_NOT && items.has(data[o + 1]!)) return NEVER;
      if (data[o] === K_NOT) {
        // not L and not M is not (L or M): one set of literals to step through.
        const node = this.literalNodeOf(data[o + 1]!);
        if (node >= 0) {
          items.delete(t);
          excluded = excluded < 0 ? node : this.literals.union(excluded, node);
        }
      }
      if (data[o] === K_SET) {
        sets ??= [];
        sets.push(t);
      }
    }
    if (sets !== undefined && sets.length > 1) {
      for (const t of sets) items.delete(t);
      const merged = sets.reduce((x, y) => this.intersectSets(x, y));
      if (merged === NEVER) return NEVER;
      items.add(merged);
    }
    if (excluded >= 0) items.add(this.not(this.literalNode(excluded)));
    const list = [...items].sort((x, y) => x - y);
    if (list.length === 1) return list[0]!;
    let nullable = F_NULLABLE;
    let literal = 0;
    for (const t of list) {
      nullable &= this.flags[t]!;
      literal |= this.flags[t]! & F_LITERAL;
    }
    return this.make([K_AND, ...list], nullable | literal | F_BOOLEAN);
  }

  /** The node of a term that is a set of literals, or -1. */
  literalNodeOf(t: number): number {
    if (t === EMPTY) return this.literals.end;
    const o = this.tuples.offsets[t]!;
    return this.tuples.data[o] === K_LITS ? this.tuples.data[o + 1]! : -1;
  }

  private intersectSets(a: number, b: number): number {
    if (a === NEVER || b === NEVER) return NEVER;
    const { data, offsets } = this.tuples;
    const out: number[] = [];
    let i = offsets[a]! + 1;
    let j = offsets[b]! + 1;
    while (i < offsets[a + 1]! && j < offsets[b + 1]!) {
      const lo = Math.max(data[i]!, data[j]!);
      const hi = Math.min(data[i + 1]!, data[j + 1]!);
      if (lo <= hi) out.push(lo, hi);
      if (data[i + 1]! < data[j + 1]!) i += 2;
      else j += 2;
    }
    return this.set(out);
  }

  not(a: number): number {
    if (a === NEVER) return this.all;
    if (a === this.all) return NEVER;
    const o = this.tuples.offsets[a]!;
    if (this.tuples.data[o] === K_NOT) return this.tuples.data[o + 1]!;
    return this.make([K_NOT, a], F_BOOLEAN | (this.flags[a]! & F_NULLABLE ? 0 : F_NULLABLE));
  }

  /** a{min,max}; max -1 is unbounded. */
  repeat(a: number, min: number, max: number): number {
    if (max === 0 || a === EMPTY) return EMPTY;
    if (a === NEVER) return min === 0 ? EMPTY : NEVER;
    if (min === 1 && max === 1) return a;
    const { data, offsets } = this.tuples;
    const o = offsets[a]!;
    if (data[o] === K_REP && data[o + 2] === 0 && data[o + 3] === INF) return a;
    const inner = this.flags[a]!;
    const low = inner & F_NULLABLE ? 0 : min;
    if (low === 0 && max === 1) return this.or(EMPTY, a);
    const nullable = low === 0 ? F_NULLABLE : 0;
    return this.make([K_REP, a, low, max], nullable | (inner & F_BOOLEAN));
  }

  private make(tuple: readonly number[], flags: number): number {
    const before = this.tuples.count;
    const id = this.tuples.intern(tuple, tuple.length);
    if (id === before) {
      if (id >= this.flags.length) {
        const grown = new Uint8Array(this.flags.length * 2);
        grown.set(this.flags);
        this.flags = grown;
      }
      this.flags[id] = flags;
    }
    return id;
  }
}
