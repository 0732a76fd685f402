/**
 * Tokens that spell keys: the declared names of an object, and the keys that a dynamic class leaves out.
 *
 * A state inside a key is new at every character of every name, so these masks are made all the time and hardly ever used
 * twice. Stepping the recognizer makes a state for each byte of each token that is tried; here the trie of names (or of excluded
 * keys) and the trie of tokens are walked together, which costs a search among a few children for each. Names of plain ASCII only, which
 * have one spelling; others are walked with the recognizer.
 */
import { DEAD } from './layout.js';
import type { LessLiterals, LexemeMasks } from './lexeme-mask.js';
import { ids, type MaskParts } from './mask-record.js';
import type { Recognizer } from './recognizer.js';
import type { Residual } from './residual.js';
import { childOf, type TokenTrie } from './trie.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** In place of a lexeme state: it is alive whatever is read. */
const UNASKED = -2;

export class NameMasks {
  private readonly spelled = new Map<number, Int32Array>();
  /** Allowed names among the first i of the range at hand; see {@link countAllowed}. */
  private allowedBefore = new Int32Array(64);
  /** Bytes held. */
  bytes = 0;

  constructor(
    private readonly recognizer: Recognizer,
    private readonly lexemes: LexemeMasks,
    private readonly trie: TokenTrie,
  ) {}

  /** The node of declared names that a lexeme state inside a name stands for, or -1 where only the recognizer can tell. */
  nodeOf(q: number): number {
    const { pool } = this.recognizer;
    if (!pool.isStringContent(q)) return -1;
    const { terms } = pool;
    const node = terms.asNameNode(pool.termOf(q));
    return node >= 0 && terms.names.isPlain(node) ? node : -1;
  }

  /**
   * Adds the tokens that spell on at a node of the declared names of objects, which are the edges of a stack. `ends` gets, by trie node of
   * the closing quote, the names after which tokens go on: [label, parent, name, …].
   */
  addNames(parts: MaskParts, node: number, stack: number, ends: Map<number, number[]>): void {
    const { recognizer, trie } = this;
    const { nodes, same } = trie;
    const { stacks } = recognizer;
    const { names } = recognizer.pool.terms;
    const from = stacks.offsets[stack]!;
    const to = stacks.offsets[stack + 1]!;
    const base = names.rangeStart(node);
    const before = this.countAllowed(node, stack);
    const visit = (n: number, at: number): void => {
      const c = names.nameAt(n) < 0 ? -1 : childOf(trie, at, QUOTE);
      if (c >= 0) {
        let some = false;
        for (let i = from; i < to; i += 2) {
          const label = stacks.data[i]!;
          const p = this.allowedAt(label, n);
          if (p < 0) continue;
          some = true;
          if (nodes[c * 4 + 1]! >>> 8 === 0) break;
          const list = ends.get(c);
          if (list === undefined) ends.set(c, [label, stacks.data[i + 1]!, p]);
          else list.push(label, stacks.data[i + 1]!, p);
        }
        if (some) for (let t = nodes[c * 4 + 2]!; t >= 0; t = same[t]!) parts.found.push(t);
      }
      const edges = names.edges(n);
      for (let i = 0; i < edges.length; i += 2) {
        const child = edges[i + 1]!;
        if (before[names.rangeEnd(child) - base]! === before[names.rangeStart(child) - base]!) continue;
        const next = childOf(trie, at, edges[i]!);
        if (next < 0) continue;
        for (let t = nodes[next * 4 + 2]!; t >= 0; t = same[t]!) parts.found.push(t);
        if (nodes[next * 4 + 1]! >>> 8 !== 0) visit(child, next);
      }
    };
    visit(node, 0);
  }

  /** For each i, how many of the first i names below a node some object of a stack allows. Valid until the next call. */
  private countAllowed(node: number, stack: number): Int32Array {
    const { recognizer } = this;
    const { stacks, labels } = recognizer;
    const { names } = recognizer.pool.terms;
    const base = names.rangeStart(node);
    const count = names.rangeEnd(node) - base;
    if (this.allowedBefore.length <= count) this.allowedBefore = new Int32Array(count * 2 + 2);
    const before = this.allowedBefore;
    before.fill(0, 0, count + 1);
    for (let e = stacks.offsets[stack]!, end = stacks.offsets[stack + 1]!; e < end; e += 2) {
      const l = labels.offsets[stacks.data[e]!]!;
      const states = recognizer.objectStates(labels.data[l + 1]!);
      const o = labels.data[l + 3]!;
      for (let i = 0; i < count; i++)
        if (before[i + 1] === 0 && states.allows(o, states.names.at(base + i))) before[i + 1] = 1;
    }
    for (let i = 0; i < count; i++) before[i + 1]! += before[i]!;
    return before;
  }

  /** The name that ends at a node of names, in the order of a frame's object, or -1 where the frame does not allow it. */
  private allowedAt(label: number, node: number): number {
    const { labels } = this.recognizer;
    const l = labels.offsets[label]!;
    const states = this.recognizer.objectStates(labels.data[l + 1]!);
    const p = states.names.ending(node);
    return p >= 0 && states.allows(labels.data[l + 3]!, p) ? p : -1;
  }

  /**
   * Tokens of the whole vocabulary that a string less finitely many literals (state q) refuses and the string itself (`without.rest`) allows: those
   * that finish one of the literals, whatever follows it, and those after which nothing but such an end would be left.
   */
  spelledFrom(without: LessLiterals, q: number): Int32Array {
    const out: number[] = [];
    const plain = this.spellPlain(without.literals, 0, this.isEndless(without) ? UNASKED : q, out);
    return plain ? ids(out) : this.spelledBelow(this.lexemes.residuals.root, without, q);
  }

  /** Whether the string can go on for ever whatever was read, so that no way on ends with the literals. */
  private isEndless(without: LessLiterals): boolean {
    const { pool } = this.recognizer;
    return pool.termOf(without.rest) === pool.terms.all;
  }

  /** Walks plain characters, and escapes where tokens have them; false where it met others. `q`: the lexeme state, or UNASKED. */
  private spellPlain(literals: number, at: number, q: number, out: number[]): boolean {
    const { trie } = this;
    const { pool } = this.recognizer;
    const sets = pool.terms.literals;
    const escaped = childOf(trie, at, BACKSLASH);
    if (escaped >= 0) {
      const literal = this.literalState(literals);
      const next = literal === DEAD ? DEAD : pool.step(literal, BACKSLASH);
      if (next !== DEAD) this.spellFrom(escaped, next, q === UNASKED ? UNASKED : pool.step(q, BACKSLASH), out);
    }
    if (sets.accepts(literals)) {
      const c = childOf(trie, at, QUOTE);
      if (c >= 0) this.collect(c, out);
    }
    for (let i = 0, n = sets.fan(literals); i < n; i++) {
      const cp = sets.edgeAt(literals, i);
      if (cp < 0x20 || cp > 0x7e || cp === QUOTE || cp === BACKSLASH) return false;
      const c = childOf(trie, at, cp);
      if (c < 0) continue;
      const next = q === UNASKED ? UNASKED : pool.step(q, cp);
      if (next === DEAD) this.collect(c, out);
      else if (trie.nodes[c * 4 + 1]! >>> 8 !== 0 && !this.spellPlain(sets.childAt(literals, i), c, next, out))
        return false;
    }
    return true;
  }

  /** {@link spell} below a trie node whose bytes led to a state of the literals. */
  private spellFrom(node: number, literal: number, q: number, out: number[]): void {
    const { pool } = this.recognizer;
    const { nodes } = this.trie;
    if (q === DEAD) {
      this.collect(node, out);
      return;
    }
    const first = nodes[node * 4]!;
    for (let c = first, last = first + (nodes[node * 4 + 1]! >>> 8); c < last; c++) {
      const byte = nodes[c * 4 + 1]! & 0xff;
      const next = pool.step(literal, byte);
      if (next === DEAD) continue;
      if (pool.isFinal(next)) this.collect(c, out);
      else this.spellFrom(c, next, q === UNASKED ? UNASKED : pool.step(q, byte), out);
    }
  }

  /** The state in a string that spells on at a node of literals, in whatever way; DEAD where nothing is left to spell. */
  private literalState(literals: number): number {
    const { pool } = this.recognizer;
    return pool.stringAt(pool.terms.spelledNode(literals));
  }

  /** Tokens at and below a trie node. */
  private collect(node: number, out: number[]): void {
    const { nodes, same } = this.trie;
    for (let t = nodes[node * 4 + 2]!; t >= 0; t = same[t]!) out.push(t);
    const first = nodes[node * 4]!;
    const last = first + (nodes[node * 4 + 1]! >>> 8);
    for (let c = first; c < last; c++) this.collect(c, out);
  }

  /** {@link spelledFrom} for the tokens below a residual node, whatever the characters. Cached. */
  spelledBelow(at: Residual, without: LessLiterals, q: number): Int32Array {
    const key = at.id * 0x2000000 + q;
    const known = this.spelled.get(key);
    if (known !== undefined) return known;
    const literal = this.literalState(without.literals);
    const out: number[] = [];
    if (literal !== DEAD) this.spell(at, literal, this.isEndless(without) ? UNASKED : q, out);
    const tokens = ids(out);
    this.spelled.set(key, tokens);
    this.bytes += 60 + tokens.length * 4;
    return tokens;
  }

  private spell(residual: Residual, literal: number, q: number, out: number[]): void {
    const { pool } = this.recognizer;
    const bits = pool.firstBytes(literal);
    for (const edge of this.lexemes.residuals.childrenOf(residual)) {
      if (((bits[edge.byte >> 5]! >>> (edge.byte & 31)) & 1) === 0) continue;
      const next = pool.step(literal, edge.byte);
      if (next === DEAD) continue;
      const real = q === UNASKED ? UNASKED : pool.step(q, edge.byte);
      if (pool.isFinal(next) || real === DEAD) {
        for (const t of edge.tokens) out.push(t);
        for (const n of edge.to.nodes) this.collectBelow(n, out);
      } else if (edge.to.fan > 0) this.spell(edge.to, next, real, out);
    }
  }

  /** Tokens below a trie node. */
  private collectBelow(node: number, out: number[]): void {
    const { nodes } = this.trie;
    const first = nodes[node * 4]!;
    const last = first + (nodes[node * 4 + 1]! >>> 8);
    for (let c = first; c < last; c++) this.collect(c, out);
  }
}
