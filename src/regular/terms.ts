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
import { LimitError } from '../base/errors.js';
import { TupleTable } from '../base/tuple-table.js';
import { edgeTarget, fillGaps, MAX_CODE_POINT, mapEdges, pushEdge, zipEdges } from './edges.js';
import { LiteralTrie } from './literal-trie.js';
import { NameTries } from './name-trie.js';
import type { Regex } from './regex.js';

export const NEVER = 0;
export const EMPTY = 1;

const K_NEVER = 0;
const K_EMPTY = 1;
const K_SET = 2;
const K_CAT = 3;
const K_ALT = 4;
const K_AND = 5;
const K_NOT = 6;
const K_REP = 7;
const K_LITS = 8;
const K_DFA = 9;
const K_NAME = 10;

const INF = -1;
const INFINITE = Number.POSITIVE_INFINITY;

const F_NULLABLE = 1;
/** Contains and, not or dfa: emptiness needs a search. */
const F_BOOLEAN = 2;
const F_KNOWN_LIVE = 4;
const F_KNOWN_DEAD = 8;
/** Finite by construction (literals and what is taken from them): JSON strings spell it in one way only. */
const F_LITERAL = 16;

interface DfaTable {
  readonly states: readonly { readonly accept: boolean; readonly edges: readonly number[] }[];
}

export interface TermLimits {
  /** Most terms that one emptiness or counting search may visit. */
  readonly search?: number;
  /** What a search that passes the limit does: throw LimitError (default), or take the term for live. */
  readonly onLimit?: 'throw' | 'assume live';
}

export class TermStore {
  private readonly tuples = new TupleTable(512);
  private flags = new Uint8Array(1024);
  private readonly edgeLists: (Int32Array | undefined)[] = [];
  private readonly byRegex = new WeakMap<Regex, number>();
  private readonly dfas: DfaTable[] = [];
  private readonly dfaIds = new WeakMap<object, number>();
  private readonly scratch: number[] = [];
  private readonly searchLimit: number;
  private readonly tolerant: boolean;
  private edgeBytes = 0;
  /** Finite sets of literals. */
  readonly literals = new LiteralTrie();
  /** Property-name tries whose nodes are terms that remember which name they spell. */
  readonly names = new NameTries();
  /** Any string. */
  readonly all: number;

  constructor(limits: TermLimits = {}) {
    this.searchLimit = limits.search ?? 20_000;
    this.tolerant = limits.onLimit === 'assume live';
    this.make([K_NEVER], 0);
    this.make([K_EMPTY], F_NULLABLE);
    this.all = this.repeat(this.set([0, MAX_CODE_POINT]), 0, INF);
  }

  /** Bytes held, roughly. */
  get bytes(): number {
    return this.tuples.bytes + this.flags.byteLength + this.edgeBytes + this.literals.bytes + this.names.bytes;
  }

  get size(): number {
    return this.tuples.count;
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
        return this.set(re.ranges);
      case 'lit':
        return this.literalSet([re.text]);
      case 'lits':
        return this.literalSet(re.texts);
      case 'cat': {
        let t = EMPTY;
        for (let i = re.items.length - 1; i >= 0; i--) t = this.cat(this.intern(re.items[i]!), t);
        return t;
      }
      case 'alt':
        return this.orAll(re.items.map((r) => this.intern(r)));
      case 'and': {
        let t = this.all;
        for (const item of re.items) t = this.and(t, this.intern(item));
        return t;
      }
      case 'not':
        return this.not(this.intern(re.item));
      case 'rep':
        return this.repeat(this.intern(re.item), re.min, Number.isFinite(re.max) ? re.max : INF);
      case 'dfa': {
        let id = this.dfaIds.get(re);
        if (id === undefined) {
          id = this.dfas.push(re) - 1;
          this.dfaIds.set(re, id);
        }
        return this.dfaState(id, re.start);
      }
    }
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

  /** The term of a node of {@link names}. */
  nameNode(node: number): number {
    return this.make([K_NAME, node], F_LITERAL | (this.names.nameAt(node) >= 0 ? F_NULLABLE : 0));
  }

  /** The node of a term made by {@link nameNode}, else -1. */
  asNameNode(t: number): number {
    const o = this.tuples.offsets[t]!;
    return this.tuples.data[o] === K_NAME ? this.tuples.data[o + 1]! : -1;
  }

  private dfaState(dfa: number, state: number): number {
    const s = this.dfas[dfa]!.states[state]!;
    return this.make([K_DFA, dfa, state], F_BOOLEAN | (s.accept ? F_NULLABLE : 0));
  }

  cat(a: number, b: number): number {
    if (a === NEVER || b === NEVER) return NEVER;
    if (a === EMPTY) return b;
    if (b === EMPTY) return a;
    const { data, offsets } = this.tuples;
    const ao = offsets[a]!;
    if (data[ao] === K_CAT) return this.cat(data[ao + 1]!, this.cat(data[ao + 2]!, b));
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

  or(a: number, b: number): number {
    if (a === b || b === NEVER) return a;
    if (a === NEVER) return b;
    return this.orAll([a, b]);
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
  private literalNodeOf(t: number): number {
    if (t === EMPTY) return this.literals.end;
    const o = this.tuples.offsets[t]!;
    return this.tuples.data[o] === K_LITS ? this.tuples.data[o + 1]! : -1;
  }

  private intersectSets(a: number, b: number): number {
    if (a === NEVER || b === NEVER) return NEVER;
    const both = zipEdges(this.edges(a), this.edges(b), NEVER, (x, y) => (x !== NEVER && y !== NEVER ? EMPTY : NEVER));
    const out: number[] = [];
    for (let i = 0; i < both.length; i += 3) out.push(both[i]!, both[i + 1]!);
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

  // ---- reading ------------------------------------------------------------------------------------------------------

  /** Whether the term is a finite set of literals, or taken from one. */
  isLiteral(t: number): boolean {
    return (this.flags[t]! & F_LITERAL) !== 0;
  }

  /** Whether the empty string belongs. */
  nullable(t: number): boolean {
    return (this.flags[t]! & F_NULLABLE) !== 0;
  }

  /**
   * Derivatives of a term by every code point: sorted triples [lo, hi, target]. Targets may be empty languages where the
   * term is boolean; see {@link liveEdges}.
   */
  edges(t: number): Int32Array {
    const known = this.edgeLists[t];
    if (known !== undefined) return known;
    const list = Int32Array.from(this.derive(t));
    this.edgeLists[t] = list;
    this.edgeBytes += list.byteLength + 64;
    return list;
  }

  private derive(t: number): ArrayLike<number> {
    const { tuples } = this;
    const o = tuples.offsets[t]!;
    const end = tuples.offsets[t + 1]!;
    switch (tuples.data[o]) {
      case K_SET: {
        const out: number[] = [];
        for (let i = o + 1; i < end; i += 2) pushEdge(out, tuples.data[i]!, tuples.data[i + 1]!, EMPTY);
        return out;
      }
      case K_CAT: {
        const a = tuples.data[o + 1]!;
        const b = tuples.data[o + 2]!;
        const head = mapEdges(this.edges(a), (x) => this.cat(x, b), NEVER);
        if (!this.nullable(a)) return head;
        return zipEdges(head, this.edges(b), NEVER, (x, y) => this.or(x, y));
      }
      case K_ALT:
        return this.deriveAlt(Array.from(tuples.data.subarray(o + 1, end)));
      case K_AND: {
        const items = Array.from(tuples.data.subarray(o + 1, end));
        let list: ArrayLike<number> = this.edges(items[0]!);
        for (let i = 1; i < items.length; i++)
          list = zipEdges(list, this.edges(items[i]!), NEVER, (x, y) => this.and(x, y));
        return list;
      }
      case K_NOT: {
        const a = tuples.data[o + 1]!;
        return mapEdges(fillGaps(this.edges(a), NEVER), (x) => this.not(x), NEVER);
      }
      case K_REP: {
        const a = tuples.data[o + 1]!;
        const min = tuples.data[o + 2]!;
        const max = tuples.data[o + 3]!;
        const rest = this.repeat(a, Math.max(0, min - 1), max === INF ? INF : max - 1);
        return mapEdges(this.edges(a), (x) => this.cat(x, rest), NEVER);
      }
      case K_LITS: {
        const raw = this.literals.edges(tuples.data[o + 1]!);
        const out: number[] = [];
        for (let i = 0; i < raw.length; i += 2) pushEdge(out, raw[i]!, raw[i]!, this.literalNode(raw[i + 1]!));
        return out;
      }
      case K_NAME: {
        const raw = this.names.edges(tuples.data[o + 1]!);
        const out: number[] = [];
        for (let i = 0; i < raw.length; i += 2) pushEdge(out, raw[i]!, raw[i]!, this.nameNode(raw[i + 1]!));
        return out;
      }
      case K_DFA: {
        const dfa = tuples.data[o + 1]!;
        const { edges } = this.dfas[dfa]!.states[tuples.data[o + 2]!]!;
        const out: number[] = [];
        for (let i = 0; i < edges.length; i += 3)
          pushEdge(out, edges[i]!, edges[i + 1]!, this.dfaState(dfa, edges[i + 2]!));
        return out;
      }
      default:
        return [];
    }
  }

  /** Union of many edge lists by halves, so that each level costs the sum of their lengths. */
  private deriveAlt(items: readonly number[]): ArrayLike<number> {
    if (items.length === 1) return this.edges(items[0]!);
    if (items.length === 2)
      return zipEdges(this.edges(items[0]!), this.edges(items[1]!), NEVER, (x, y) => this.or(x, y));
    const mid = items.length >> 1;
    return zipEdges(this.deriveAlt(items.slice(0, mid)), this.deriveAlt(items.slice(mid)), NEVER, (x, y) =>
      this.or(x, y),
    );
  }

  /** {@link edges} without those that lead to an empty language. */
  liveEdges(t: number): Int32Array {
    const list = this.edges(t);
    if ((this.flags[t]! & F_BOOLEAN) === 0) return list;
    for (let i = 2; i < list.length; i += 3) {
      if (this.isEmpty(list[i]!)) {
        const live = Int32Array.from(mapEdges(list, (x) => (this.isEmpty(x) ? NEVER : x), NEVER));
        this.edgeLists[t] = live;
        return live;
      }
    }
    return list;
  }

  /**
   * Splits `x and not L` with L a finite set of literals: `rest` is x, `literals` the node of L (see {@link literals}). Undefined for
   * other terms.
   */
  splitFinite(t: number): { readonly rest: number; readonly literals: number } | undefined {
    const { data, offsets } = this.tuples;
    const o = offsets[t]!;
    const literalsOf = (u: number): number => {
      const uo = offsets[u]!;
      return data[uo] === K_NOT ? this.literalNodeOf(data[uo + 1]!) : -1;
    };
    if (data[o] === K_NOT) {
      const node = literalsOf(t);
      return node < 0 ? undefined : { rest: this.all, literals: node };
    }
    if (data[o] !== K_AND) return undefined;
    let node = -1;
    const others: number[] = [];
    for (let i = o + 1, end = offsets[t + 1]!; i < end; i++) {
      const found = node < 0 ? literalsOf(data[i]!) : -1;
      if (found >= 0) node = found;
      else others.push(data[i]!);
    }
    if (node < 0) return undefined;
    let rest = this.all;
    for (const u of others) rest = this.and(rest, u);
    return { rest, literals: node };
  }

  /**
   * The term without its upper bounds of `least` and more repetitions (those whose lower bound is met), and the smallest bound left
   * out: for that many code points both go on alike, but for liveness where the bound caps another language (`x and .{0,n}`).
   * Undefined where there is no such bound.
   */
  unbounded(t: number, least: number): { readonly term: number; readonly bound: number } | undefined {
    let bound = INFINITE;
    const { data, offsets } = this.tuples;
    const window = (u: number): boolean => {
      const o = offsets[u]!;
      return data[o] === K_REP && data[o + 2] === 0 && data[o + 3]! >= least && data[offsets[data[o + 1]!]!] === K_SET;
    };
    const open = (u: number, depth: number): number => {
      const o = offsets[u]!;
      if (depth > 64) return u;
      switch (data[o]) {
        case K_REP: {
          const max = data[o + 3]!;
          if (data[o + 2] !== 0 || max < least) return u;
          bound = Math.min(bound, max);
          return this.repeat(data[o + 1]!, 0, INF);
        }
        case K_CAT: {
          const head = open(data[o + 1]!, depth + 1);
          return head === data[o + 1] ? u : this.cat(head, data[o + 2]!);
        }
        case K_ALT: {
          const items = Array.from(data.subarray(o + 1, offsets[u + 1]!));
          return this.orAll(items.map((x) => open(x, depth + 1)));
        }
        case K_AND: {
          const items = Array.from(data.subarray(o + 1, offsets[u + 1]!));
          let all = this.all;
          for (const x of items) all = this.and(all, window(x) ? open(x, depth + 1) : x);
          return all;
        }
        default:
          return u;
      }
    };
    const term = open(t, 0);
    return term === t ? undefined : { term, bound };
  }

  /** Derivative by one code point. */
  step(t: number, cp: number): number {
    return edgeTarget(this.edges(t), cp, NEVER);
  }

  /** Whether no string belongs. @throws LimitError where the search visits too many terms. */
  isEmpty(t: number): boolean {
    const f = this.flags[t]!;
    if (t === NEVER) return true;
    if ((f & (F_NULLABLE | F_KNOWN_LIVE)) !== 0 || (f & F_BOOLEAN) === 0) return false;
    if ((f & F_KNOWN_DEAD) !== 0) return true;
    return this.searchLive(t);
  }

  /** Depth-first search for a nullable or known live term; every term on the way to it is live, else all visited are dead. */
  private searchLive(root: number): boolean {
    const parent = new Map<number, number>([[root, -1]]);
    const stack = [root];
    while (stack.length > 0) {
      const t = stack.pop()!;
      const list = this.edges(t);
      for (let i = 2; i < list.length; i += 3) {
        const u = list[i]!;
        const f = this.flags[u]!;
        if (u === NEVER || (f & F_KNOWN_DEAD) !== 0 || parent.has(u)) continue;
        if ((f & (F_NULLABLE | F_KNOWN_LIVE)) !== 0 || (f & F_BOOLEAN) === 0) {
          for (let p = t; p !== -1; p = parent.get(p)!) this.flags[p]! |= F_KNOWN_LIVE;
          return false;
        }
        parent.set(u, t);
        if (parent.size > this.searchLimit && this.tolerant) {
          for (const p of parent.keys()) this.flags[p]! |= F_KNOWN_LIVE;
          return false;
        }
        if (parent.size > this.searchLimit)
          throw new LimitError('states of a pattern searched for emptiness', parent.size, this.searchLimit);
        stack.push(u);
      }
    }
    for (const t of parent.keys()) this.flags[t]! |= F_KNOWN_DEAD;
    return true;
  }

  /** Whether a whole string belongs. */
  matches(t: number, text: string): boolean {
    let s = t;
    for (let i = 0; i < text.length && s !== NEVER; ) {
      const cp = text.codePointAt(i)!;
      s = this.step(s, cp);
      i += cp > 0xffff ? 2 : 1;
    }
    return this.nullable(s);
  }

  /** A shortest member (fewest code points), or undefined where the language is empty. */
  shortest(t: number): string | undefined {
    if (this.isEmpty(t)) return undefined;
    const seen = new Map<number, { from: number; cp: number }>([[t, { from: -1, cp: 0 }]]);
    let layer = [t];
    while (layer.length > 0) {
      const next: number[] = [];
      for (const s of layer) {
        if (this.nullable(s)) {
          const cps: number[] = [];
          for (let at = s; at !== t || cps.length === 0; ) {
            const e = seen.get(at)!;
            if (e.from === -1) break;
            cps.push(e.cp);
            at = e.from;
          }
          return cps
            .reverse()
            .map((c) => String.fromCodePoint(c))
            .join('');
        }
        const list = this.liveEdges(s);
        for (let i = 0; i < list.length; i += 3) {
          const u = list[i + 2]!;
          if (!seen.has(u)) {
            seen.set(u, { from: s, cp: pleasant(list[i]!, list[i + 1]!) });
            next.push(u);
          }
        }
      }
      layer = next;
    }
    return undefined;
  }

  /** Number of different members, at most `limit` (which also stands for infinitely many). */
  countUpTo(t: number, limit: number): number {
    const memo = new Map<number, number>();
    const open = new Set<number>();
    const visit = (s: number, depth: number): number => {
      if (this.isEmpty(s)) return 0;
      const known = memo.get(s);
      if (known !== undefined) return known;
      if (open.has(s) || depth > 2_000) return limit;
      if (memo.size > this.searchLimit)
        throw new LimitError('states of a pattern counted', memo.size, this.searchLimit);
      open.add(s);
      let n = this.nullable(s) ? 1 : 0;
      const list = this.liveEdges(s);
      for (let i = 0; i < list.length && n < limit; i += 3)
        n += (list[i + 1]! - list[i]! + 1) * visit(list[i + 2]!, depth + 1);
      open.delete(s);
      n = Math.min(n, limit);
      memo.set(s, n);
      return n;
    };
    return Math.min(limit, visit(t, 0));
  }
}

/** A readable code point of a range, for witnesses shown to people. */
function pleasant(lo: number, hi: number): number {
  for (const cp of [0x61, 0x41, 0x30, 0x20]) if (lo <= cp && cp <= hi) return cp;
  return lo;
}
