/**
 * Finite sets of strings as minimal acyclic automata with hash-consed nodes (Daciuk et al., 2000): equal sets are equal nodes,
 * whatever order they were built in. Used for enums, and for the growing sets of keys and values that must not occur again.
 *
 * A node is the tuple [accept, code point, child, code point, child, …], code points ascending.
 */
import { PairMap, TupleTable } from '../base/tuple-table.js';

/** Sets of so many strings are remembered by their strings; smaller ones are made as fast, larger ones hardly come twice. */
const FEW = 4;
const MANY = 256;

export class LiteralTrie {
  private readonly nodes = new TupleTable(64);
  private readonly unions = new PairMap(16);
  /** By their sorted strings: the shapes of one object ask for the same names again and again. */
  private readonly built = new Map<string, number>();
  private keyBytes = 0;
  /** The empty set. */
  readonly none: number;
  /** The set of the empty string alone. */
  readonly end: number;

  constructor() {
    this.none = this.nodes.intern([0], 1);
    this.end = this.nodes.intern([1], 1);
  }

  get bytes(): number {
    return this.nodes.bytes + this.keyBytes;
  }

  accepts(node: number): boolean {
    return this.nodes.data[this.nodes.offsets[node]!] === 1;
  }

  /** Number of edges of a node. */
  fan(node: number): number {
    return (this.nodes.offsets[node + 1]! - this.nodes.offsets[node]!) >> 1;
  }

  /** Code point and child of a node's edge, counted from 0. */
  edgeAt(node: number, i: number): number {
    return this.nodes.data[this.nodes.offsets[node]! + 1 + 2 * i]!;
  }

  childAt(node: number, i: number): number {
    return this.nodes.data[this.nodes.offsets[node]! + 2 + 2 * i]!;
  }

  /** [code point, child, …] of a node, a view that is valid until the next insertion. */
  edges(node: number): Int32Array {
    return this.nodes.data.slice(this.nodes.offsets[node]! + 1, this.nodes.offsets[node + 1]!);
  }

  /** Child by code point, or `none`. */
  child(node: number, cp: number): number {
    const { data, offsets } = this.nodes;
    let lo = offsets[node]! + 1;
    let hi = offsets[node + 1]!;
    while (lo < hi) {
      const mid = lo + (((hi - lo) >> 2) << 1);
      const c = data[mid]!;
      if (c === cp) return data[mid + 1]!;
      if (c < cp) lo = mid + 2;
      else hi = mid;
    }
    return this.none;
  }

  /** The set of the given strings. O(total length) after sorting. */
  build(texts: readonly string[]): number {
    if (texts.length === 0) return this.none;
    if (texts.length < FEW || texts.length > MANY) return this.make(texts);
    const key = JSON.stringify([...texts].sort());
    let node = this.built.get(key);
    if (node === undefined) {
      node = this.make(texts);
      this.built.set(key, node);
      this.keyBytes += key.length + 60;
    }
    return node;
  }

  private make(texts: readonly string[]): number {
    const words = texts.map(codePoints);
    if (words.length > 1) words.sort(compareWords);
    const open: number[][] = [[0]];
    let depth = 0;
    let last: readonly number[] = [];
    const close = (to: number): void => {
      while (depth > to) {
        const tuple = open[depth]!;
        const id = this.nodes.intern(tuple, tuple.length);
        depth--;
        open[depth]!.push(last[depth]!, id);
      }
    };
    for (const w of words) {
      let common = 0;
      while (common < w.length && common < last.length && w[common] === last[common]) common++;
      close(common);
      last = w;
      while (depth < w.length) open[++depth] = [0];
      open[depth]![0] = 1;
    }
    close(0);
    return this.nodes.intern(open[0]!, open[0]!.length);
  }

  /** All strings of a set. */
  words(node: number): string[] {
    const out: string[] = [];
    const open: [number, string][] = [[node, '']];
    while (open.length > 0) {
      const [at, text] = open.pop()!;
      if (this.accepts(at)) out.push(text);
      const edges = this.edges(at);
      for (let i = 0; i < edges.length; i += 2) open.push([edges[i + 1]!, text + String.fromCodePoint(edges[i]!)]);
    }
    return out;
  }

  /** The set with one more string. O(length times fan-out). */
  insert(node: number, text: string): number {
    const word = codePoints(text);
    const path: number[] = [node];
    for (const cp of word) path.push(this.child(path[path.length - 1]!, cp));
    let below = this.withAccept(path[word.length]!);
    for (let i = word.length - 1; i >= 0; i--) below = this.withChild(path[i]!, word[i]!, below);
    return below;
  }

  /** The union of two sets. Recursion as deep as the longest common path; remembered per pair of nodes. */
  union(a: number, b: number): number {
    if (a === b || b === this.none) return a;
    if (a === this.none) return b;
    const known = this.unions.get(a, b);
    if (known >= 0) return known;
    const x = this.edges(a);
    const y = this.edges(b);
    const tuple: number[] = [this.accepts(a) || this.accepts(b) ? 1 : 0];
    let i = 0;
    let j = 0;
    while (i < x.length || j < y.length) {
      if (j >= y.length || (i < x.length && x[i]! < y[j]!)) {
        tuple.push(x[i]!, x[i + 1]!);
        i += 2;
      } else if (i >= x.length || y[j]! < x[i]!) {
        tuple.push(y[j]!, y[j + 1]!);
        j += 2;
      } else {
        tuple.push(x[i]!, this.union(x[i + 1]!, y[j + 1]!));
        i += 2;
        j += 2;
      }
    }
    const made = this.nodes.intern(tuple, tuple.length);
    this.unions.set(a, b, made);
    return made;
  }

  private withAccept(node: number): number {
    const tuple = [1, ...this.edges(node)];
    return this.nodes.intern(tuple, tuple.length);
  }

  private withChild(node: number, cp: number, child: number): number {
    const edges = this.edges(node);
    const tuple: number[] = [this.accepts(node) ? 1 : 0];
    let placed = false;
    for (let i = 0; i < edges.length; i += 2) {
      const c = edges[i]!;
      if (!placed && c >= cp) {
        tuple.push(cp, child);
        placed = true;
        if (c === cp) continue;
      }
      tuple.push(c, edges[i + 1]!);
    }
    if (!placed) tuple.push(cp, child);
    return this.nodes.intern(tuple, tuple.length);
  }
}

function codePoints(text: string): number[] {
  const out: number[] = [];
  for (let i = 0; i < text.length; ) {
    const cp = text.codePointAt(i)!;
    out.push(cp);
    i += cp > 0xffff ? 2 : 1;
  }
  return out;
}

function compareWords(a: readonly number[], b: readonly number[]): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}
