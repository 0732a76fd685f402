/**
 * The trie of tokens from where lexemes end: places that several trie nodes share, by what remains of their tokens. A grammar asks its
 * parser once per such place and not per token.
 */
import type { TokenTrie } from './trie.js';
import { isBlank } from './whitespace.js';

/** Tokens that cross the end of a lexeme, by the bytes after it. */
export interface Residual {
  readonly id: number;
  /** Trie nodes reached with this remainder. */
  readonly nodes: readonly number[];
  /** Children of these nodes, all in all: how much lies below. */
  readonly fan: number;
  /** By first byte of what comes next; filled on first use. */
  children: readonly ResidualEdge[] | undefined;
}

export interface ResidualEdge {
  readonly byte: number;
  readonly to: Residual;
  /** Tokens that end after this byte. */
  readonly tokens: readonly number[];
}

export class Residuals {
  private next = 0;
  private rootResidual: Residual | undefined;
  private blanks: { readonly tokens: Int32Array; readonly rest: Residual } | undefined;
  private readonly atNode = new Map<number, Residual>();
  /** Bytes held. */
  bytes = 0;

  constructor(private readonly trie: TokenTrie) {}

  /** Edges of a residual node, merged over its trie nodes. */
  childrenOf(residual: Residual): readonly ResidualEdge[] {
    if (residual.children !== undefined) return residual.children;
    const { nodes, same } = this.trie;
    const byByte = new Map<number, { nodes: number[]; tokens: number[] }>();
    for (const node of residual.nodes) {
      const first = nodes[node * 4]!;
      const last = first + (nodes[node * 4 + 1]! >>> 8);
      for (let c = first; c < last; c++) {
        const record = nodes[c * 4 + 1]!;
        let entry = byByte.get(record & 0xff);
        if (entry === undefined) {
          entry = { nodes: [], tokens: [] };
          byByte.set(record & 0xff, entry);
        }
        for (let t = nodes[c * 4 + 2]!; t >= 0; t = same[t]!) entry.tokens.push(t);
        if (record >>> 8 !== 0) entry.nodes.push(c);
      }
    }
    const children = [...byByte].map(([byte, e]) => ({ byte, tokens: e.tokens, to: this.of(e.nodes) }));
    this.bytes += children.length * 120 + residual.nodes.length * 16;
    residual.children = children;
    return children;
  }

  /** The place of some trie nodes together. */
  of(at: readonly number[]): Residual {
    const { nodes } = this.trie;
    let fan = 0;
    for (const n of at) fan += nodes[n * 4 + 1]! >>> 8;
    return { id: this.next++, nodes: at, fan, children: at.length === 0 ? [] : undefined };
  }

  /** What lies below a trie node. */
  at(node: number): Residual {
    let known = this.atNode.get(node);
    if (known === undefined) {
      known = this.of([node]);
      this.atNode.set(node, known);
      this.bytes += 100;
    }
    return known;
  }

  /** The whole vocabulary. */
  get root(): Residual {
    this.rootResidual ??= this.of([0]);
    return this.rootResidual;
  }

  /**
   * The whole vocabulary as seen from a state that any blank (space, tab, newline, carriage return) leads back to: `tokens` are those
   * of blanks alone, and the others are merged by what follows their leading blanks.
   */
  get afterBlanks(): { readonly tokens: Int32Array; readonly rest: Residual } {
    if (this.blanks === undefined) {
      const { nodes, same } = this.trie;
      const tokens: number[] = [];
      const at = [0];
      for (let i = 0; i < at.length; i++) {
        const first = nodes[at[i]! * 4]!;
        const last = first + (nodes[at[i]! * 4 + 1]! >>> 8);
        for (let c = first; c < last; c++) {
          if (!isBlank(nodes[c * 4 + 1]! & 0xff)) continue;
          for (let t = nodes[c * 4 + 2]!; t >= 0; t = same[t]!) tokens.push(t);
          at.push(c);
        }
      }
      const rest = this.of(at);
      rest.children = this.childrenOf(rest).filter((e) => !isBlank(e.byte));
      this.blanks = { tokens: Int32Array.from(tokens), rest };
    }
    return this.blanks;
  }
}
