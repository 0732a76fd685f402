/** Derivatives of terms by every code point at once (Brzozowski 1964; Owens, Reppy, Turon 2009), as edge lists (edges.ts). */
import { fillGaps, mapEdges, pushEdge, zipEdges } from './edges.js';
import {
  EMPTY,
  INF,
  K_ALT,
  K_AND,
  K_CAT,
  K_DFA,
  K_LITS,
  K_NAME,
  K_NOT,
  K_REP,
  K_SET,
  NEVER,
  type TermTable,
} from './term-table.js';

export class Derivatives {
  private readonly lists: (Int32Array | undefined)[] = [];
  /** Bytes held. */
  bytes = 0;

  constructor(private readonly table: TermTable) {}

  /**
   * Derivatives of a term by every code point: sorted triples [lo, hi, target]. Targets may be empty languages where the
   * term is boolean; see term-search.ts.
   */
  of(t: number): Int32Array {
    const known = this.lists[t];
    if (known !== undefined) return known;
    // What may be skipped asks for what comes after it; concatenations nest as deep as they are long, which recursion would not survive.
    const tails: number[] = [];
    for (let at = this.skippable(t); at >= 0 && this.lists[at] === undefined; at = this.skippable(at)) tails.push(at);
    for (let i = tails.length - 1; i >= 0; i--) this.keep(tails[i]!);
    return this.keep(t);
  }

  private keep(t: number): Int32Array {
    const list = Int32Array.from(this.derive(t));
    this.lists[t] = list;
    this.bytes += list.byteLength + 64;
    return list;
  }

  /** The tail of a concatenation whose head may be empty, or -1. */
  private skippable(t: number): number {
    const { data, offsets } = this.table.tuples;
    const o = offsets[t]!;
    return data[o] === K_CAT && this.table.nullable(data[o + 1]!) ? data[o + 2]! : -1;
  }

  private derive(t: number): ArrayLike<number> {
    const { tuples } = this.table;
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
        const head = mapEdges(this.of(a), (x) => this.table.cat(x, b), NEVER);
        if (!this.table.nullable(a)) return head;
        return zipEdges(head, this.of(b), NEVER, (x, y) => this.table.or(x, y));
      }
      case K_ALT:
        return this.deriveAlt(Array.from(tuples.data.subarray(o + 1, end)));
      case K_AND: {
        const items = Array.from(tuples.data.subarray(o + 1, end));
        let list: ArrayLike<number> = this.of(items[0]!);
        for (let i = 1; i < items.length; i++)
          list = zipEdges(list, this.of(items[i]!), NEVER, (x, y) => this.table.and(x, y));
        return list;
      }
      case K_NOT: {
        const a = tuples.data[o + 1]!;
        return mapEdges(fillGaps(this.of(a), NEVER), (x) => this.table.not(x), NEVER);
      }
      case K_REP: {
        const a = tuples.data[o + 1]!;
        const min = tuples.data[o + 2]!;
        const max = tuples.data[o + 3]!;
        const rest = this.table.repeat(a, Math.max(0, min - 1), max === INF ? INF : max - 1);
        return mapEdges(this.of(a), (x) => this.table.cat(x, rest), NEVER);
      }
      case K_LITS: {
        const raw = this.table.literals.edges(tuples.data[o + 1]!);
        const out: number[] = [];
        const literal = this.table.isLiteral(t);
        for (let i = 0; i < raw.length; i += 2) {
          const next = raw[i + 1]!;
          pushEdge(out, raw[i]!, raw[i]!, literal ? this.table.literalNode(next) : this.table.spelledNode(next));
        }
        return out;
      }
      case K_NAME: {
        const raw = this.table.names.edges(tuples.data[o + 1]!);
        const out: number[] = [];
        for (let i = 0; i < raw.length; i += 2) pushEdge(out, raw[i]!, raw[i]!, this.table.nameNode(raw[i + 1]!));
        return out;
      }
      case K_DFA: {
        const dfa = tuples.data[o + 1]!;
        const { edges } = this.table.dfas[dfa]!.states[tuples.data[o + 2]!]!;
        const out: number[] = [];
        for (let i = 0; i < edges.length; i += 3)
          pushEdge(out, edges[i]!, edges[i + 1]!, this.table.dfaState(dfa, edges[i + 2]!));
        return out;
      }
      default:
        return [];
    }
  }

  /** Union of many edge lists by halves, so that each level costs the sum of their lengths. */
  private deriveAlt(items: readonly number[]): ArrayLike<number> {
    if (items.length === 1) return this.of(items[0]!);
    if (items.length === 2)
      return zipEdges(this.of(items[0]!), this.of(items[1]!), NEVER, (x, y) => this.table.or(x, y));
    const mid = items.length >> 1;
    return zipEdges(this.deriveAlt(items.slice(0, mid)), this.deriveAlt(items.slice(mid)), NEVER, (x, y) =>
      this.table.or(x, y),
    );
  }

  /** Remembers a list in place of the one known; it must mean the same. */
  replace(t: number, list: Int32Array): void {
    this.bytes += list.byteLength - (this.lists[t]?.byteLength ?? 0);
    this.lists[t] = list;
  }
}
