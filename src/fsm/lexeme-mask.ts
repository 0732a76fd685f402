/**
 * Masks of wide lexeme states (inside strings, patterns, numbers, free text), per vocabulary and independent of any grammar.
 *
 * Three parts: a slice (tokens of character groups that the lexeme keeps taking, slices.ts), the other tokens that stay inside
 * (found by a walk that skips what the slice covers), and the tokens that cross the end of the lexeme, merged by what remains of
 * them after the end into a residual trie. A grammar asks its parser only once per distinct remainder.
 *
 * Source of the idea: the token partition of XGrammar (Dong et al., 2024) and the slices of llguidance; here both are keyed by the
 * language of the lexeme, so every schema of a process shares them.
 */
import type { TermStore } from '../regular/terms.js';
import { DEAD } from './layout.js';
import type { LexemePool } from './lexeme.js';
import type { Slices } from './slices.js';
import { ASCII_GROUP, GROUP_NON_ASCII, GROUP_PARTIAL, LETTER_GROUPS, type TokenTrie } from './trie.js';
import type { Vocabulary } from './vocabulary.js';

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

export interface LexemeMask {
  readonly id: number;
  /** Dense part (a shared slice, or one of its own), or undefined where few tokens stay inside. */
  readonly base: Uint32Array | undefined;
  /** Further tokens that stay inside or end with the lexeme. */
  readonly extra: Int32Array;
  readonly residual: Residual;
  /** Tokens of the parts above that are not allowed after all. */
  readonly without: Int32Array;
}

export interface Run {
  /** Character groups such that every run of them, up to `depth` code points, keeps the lexeme alive. */
  readonly signature: number;
  readonly depth: number;
  /** Whether the lexeme comes back to the same state after each of them. */
  readonly loops: boolean;
  /** Whether runs of the same length all lead to the same state. */
  readonly together: boolean;
  /** Whether nothing may follow a run of full depth inside the lexeme. */
  readonly ends: boolean;
}

/** A string less finitely many literals. */
export interface LessLiterals {
  /** The state of the string without the exception. */
  readonly rest: number;
  /** The exceptions, as a node of the term store's literals. */
  readonly literals: number;
}

/** The characters after which a lexeme state is the same again. */
interface Loop {
  /** Character groups; those of letters are always in it. */
  readonly signature: number;
  /** Small letters and capitals, one bit each. */
  readonly small: number;
  readonly capital: number;
}

const NO_LOOP: Loop = { signature: 0, small: 0, capital: 0 };
const NO_RUN: Run = { signature: 0, depth: 0, loops: false, together: false, ends: false };
/** Slices with fewer groups than this are not worth a dense mask. */
const MIN_SLICE_TOKENS = 256;
const LONGEST_RUN = 255;
const MAX_SINGLE_BITS = 192;
/** Length bounds from here on are left out of the walk and made good token by token. */
const MIN_OPEN_BOUND = 20;
/** Possible bytes from which on a state is worth a mask of its own: digits. */
const WIDE_BYTES = 10;
const NONE = new Int32Array(0);

export class LexemeMasks {
  private readonly masks = new Map<number, LexemeMask>();
  private readonly runs = new Map<number, Run>();
  private readonly loops: (Loop | undefined)[] = [];
  private readonly targets = new Map<number, Int32Array>();
  private readonly wide: (boolean | undefined)[] = [];
  private heldBytes = 0;
  private nextResidual = 0;
  private rootResidual: Residual | undefined;
  private blanks: { readonly tokens: Int32Array; readonly rest: Residual } | undefined;
  private readonly inner = new Map<number, { readonly extra: Int32Array; readonly residual: Residual }>();
  /** Lexeme states in which the tokens that the walk met end. */
  private readonly ends = new Map<number, ReadonlySet<number>>();
  private readonly atNode = new Map<number, Residual>();
  private readonly splits = new Map<number, LessLiterals | undefined>();
  private readonly farthestKnown = new Map<number, number>();

  constructor(
    private readonly pool: LexemePool,
    private readonly trie: TokenTrie,
    private readonly slices: Slices,
    private readonly vocabulary: Vocabulary,
  ) {}

  get bytes(): number {
    return this.heldBytes + this.runs.size * 100 + this.targets.size * 180;
  }

  /** Whether a state is worth a mask of its own: between characters, with many possible bytes. */
  isWide(q: number): boolean {
    let w = this.wide[q];
    if (w === undefined) {
      w = false;
      if (this.pool.isStringContent(q) || this.pool.isTextContent(q)) {
        const first = this.pool.firstBytes(q);
        let n = 0;
        for (let i = 0; i < 8; i++) n += popcount(first[i]!);
        w = n >= WIDE_BYTES;
      }
      this.wide[q] = w;
    }
    return w;
  }

  /** The parts of a string state that leaves finitely many literals out of a string without end; undefined for others. Cached. */
  splitLiterals(q: number): LessLiterals | undefined {
    if (this.splits.has(q)) return this.splits.get(q);
    const made = this.findSplit(q);
    this.splits.set(q, made);
    this.heldBytes += 60;
    return made;
  }

  private findSplit(q: number): LessLiterals | undefined {
    const { pool } = this;
    const split = pool.isStringContent(q) ? pool.terms.splitFinite(pool.termOf(q)) : undefined;
    if (split === undefined) return undefined;
    const rest = pool.stringAt(split.rest);
    if (rest === DEAD || !this.isWide(rest) || this.runOf(split.rest, true).depth < LONGEST_RUN) return undefined;
    return { rest, literals: split.literals };
  }

  /** The mask of a state; where it has `without`, less those tokens. */
  get(q: number): LexemeMask {
    const known = this.masks.get(q);
    if (known !== undefined) return known;
    const made = this.likeUnbounded(q) ?? this.build(q);
    this.masks.set(q, made);
    return made;
  }

  /**
   * Strings of bounded length: as long as much is left, their mask is that of the unbounded string, less the few tokens that are too
   * long. So a position costs those few and not a walk, and all lengths share one mask.
   */
  private likeUnbounded(q: number): LexemeMask | undefined {
    const { pool, trie } = this;
    if (!pool.isStringContent(q)) return undefined;
    const open = pool.terms.unbounded(pool.termOf(q), MIN_OPEN_BOUND);
    if (open === undefined) return undefined;
    const free = pool.stringAt(open.term);
    if (free < 0 || !this.isWide(free)) return undefined;
    const mask = this.get(free);
    const safe = open.bound - this.farthest(free);
    if (safe < MIN_OPEN_BOUND) return undefined;
    const without: number[] = [];
    if (safe < trie.deepest[0]!)
      for (const t of this.slices.longerThan(safe)) if (!this.sameFate(t, q, free)) without.push(t);
    if (without.length === 0 && mask.without.length === 0) return mask;
    return { ...mask, without: Int32Array.from([...mask.without, ...without]) };
  }

  /** Whether a token's way through the lexeme from two states ends alike (inside, or at the closing quote, or dead). */
  private sameFate(token: number, q: number, free: number): boolean {
    const { bytes, offsets } = this.vocabulary;
    let a = q;
    let b = free;
    for (let i = offsets[token]!; i < offsets[token + 1]!; i++) {
      b = this.pool.step(b, bytes[i]!);
      a = a < 0 ? a : this.pool.step(a, bytes[i]!);
      if (b < 0) return true;
      if (a < 0) return false;
      if (this.pool.isFinal(b)) return true;
    }
    return true;
  }

  /**
   * Walks the trie but for what is known without: tokens of the state's own run, which are in the base, and all tokens below a node
   * once a lexeme state is reached that takes every character there and stays as it is.
   */
  private build(q: number): LexemeMask {
    const { pool, trie, slices } = this;
    const { nodes, deepest, same, tokenSignature, tokenLength, order } = trie;
    const run = this.runOf(pool.termOf(q), pool.isStringContent(q));
    const base = run.signature === 0 ? undefined : slices.get(run.signature, run.depth);
    const outside = ~run.signature;
    // In a string nothing of the run can follow the lexeme either: its end is a quote.
    const cutOff = run.ends && pool.isStringContent(q);
    const extra: number[] = [];
    const crossing: number[] = [];
    const ends = new Set<number>([q]);
    let dense: Uint32Array | undefined;
    // Walk: node, lexeme state, code points so far inside the run (-1: the path left the run).
    const stack: number[] = [0, q, 0];
    while (stack.length > 0) {
      const inRun = stack.pop()!;
      const at = stack.pop()!;
      const node = stack.pop()!;
      const first = nodes[node * 4]!;
      const last = first + (nodes[node * 4 + 1]! >>> 8);
      for (let c = first; c < last; c++) {
        const record = nodes[c * 4 + 1]!;
        const next = pool.step(at, record & 0xff);
        if (next === DEAD) continue;
        let depth = inRun;
        if (depth >= 0) {
          const b = record & 0xff;
          if (b < 0x80) depth = ((run.signature >>> ASCII_GROUP[b]!) & 1) === 1 ? depth + 1 : -1;
          else if (b >= 0xc0) depth = ((run.signature >>> GROUP_NON_ASCII) & 1) === 1 ? depth + 1 : -1;
        }
        if (
          depth >= 0 &&
          (nodes[c * 4 + 3]! & outside) === 0 &&
          (depth + deepest[c]! <= run.depth || cutOff) &&
          pool.termOf(next) >= 0
        ) {
          if (nodes[c * 4 + 2]! >= 0) ends.add(next);
          continue;
        }
        if (record >>> 8 !== 0 && this.takesAll(next, c)) {
          ends.add(next);
          dense ??= base === undefined ? new Uint32Array(slices.words) : base.slice();
          for (let i = trie.from[c]!, end = trie.to[c]!; i < end; i++) dense[order[i]! >> 5]! |= 1 << (order[i]! & 31);
          continue;
        }
        if (nodes[c * 4 + 2]! >= 0) {
          ends.add(next);
          for (let t = nodes[c * 4 + 2]!; t >= 0; t = same[t]!)
            if ((tokenSignature[t]! & outside) !== 0 || tokenLength[t]! > run.depth) extra.push(t);
        }
        if (record >>> 8 === 0) continue;
        if (pool.accepts(next)) {
          crossing.push(c);
          if (pool.isFinal(next)) continue;
        }
        stack.push(c, next, depth);
      }
    }
    // Many single bits cost more than the copy: merge them into a dense mask of this state's own.
    if (dense !== undefined || extra.length > MAX_SINGLE_BITS) {
      dense ??= base === undefined ? new Uint32Array(slices.words) : base.slice();
      for (const t of extra) dense[t >> 5]! |= 1 << (t & 31);
      extra.length = 0;
      this.heldBytes += dense.byteLength;
    }
    this.heldBytes += 300 + extra.length * 4 + crossing.length * 24;
    this.ends.set(q, ends);
    return {
      id: this.masks.size,
      base: dense ?? base,
      extra: Int32Array.from(extra),
      residual: this.residual(crossing),
      without: NONE,
    };
  }

  /** Whether every token below a trie node keeps the lexeme in its state. */
  private takesAll(q: number, node: number): boolean {
    let loop = this.loops[q];
    if (loop === undefined) {
      loop = this.findLoop(q);
      this.loops[q] = loop;
      this.heldBytes += 48;
    }
    const { nodes, letters } = this.trie;
    return (
      loop.signature !== 0 &&
      (nodes[node * 4 + 3]! & ~loop.signature) === 0 &&
      (letters[node * 2]! & ~loop.small) === 0 &&
      (letters[node * 2 + 1]! & ~loop.capital) === 0
    );
  }

  /** The characters that lead from a state between characters back to it. */
  private findLoop(q: number): Loop {
    const { pool } = this;
    const string = pool.isStringContent(q);
    if (!string && (!pool.isTextContent(q) || pool.accepts(q))) return NO_LOOP;
    const term = pool.termOf(q);
    const targets = this.groupTargets(term, string);
    // Letters are told apart one by one, so their groups are left to them.
    let signature = LETTER_GROUPS;
    for (let g = 0; g <= GROUP_NON_ASCII; g++) if (targets[g] === term) signature |= 1 << g;
    let small = 0;
    let capital = 0;
    for (let i = 0; i < 26; i++) {
      if (pool.step(q, 0x61 + i) === q) small |= 1 << i;
      if (pool.step(q, 0x41 + i) === q) capital |= 1 << i;
    }
    if (signature === LETTER_GROUPS && small === 0 && capital === 0) return NO_LOOP;
    return { signature, small, capital };
  }

  /** Most bytes that the lexeme may need after a token that stays inside or ends with it. */
  farthest(q: number): number {
    const known = this.farthestKnown.get(q);
    if (known !== undefined) return known;
    this.get(q);
    let far = this.pool.distance(q);
    for (const end of this.ends.get(q) ?? []) far = Math.max(far, this.pool.distance(end));
    const { pool } = this;
    const left = pool.terms.alwaysLeft(pool.termOf(q));
    if (left !== undefined) {
      // After any run that was skipped, no more is needed than by the alternative that is always there.
      const back = pool.isStringContent(q) ? pool.stringAt(left) : pool.textAt(left);
      far = Math.max(far, pool.distance(back));
    }
    // The states along the run, which the walk skipped.
    const { signature, depth } = this.runOf(this.pool.termOf(q), this.pool.isStringContent(q));
    const byte = firstByteOf(signature);
    let at = q;
    for (let i = 0; byte >= 0 && i < Math.min(depth, this.trie.deepest[0]!); i++) {
      const next = this.pool.step(at, byte);
      if (next === at || next < 0) break;
      far = Math.max(far, this.pool.distance(next));
      at = next;
    }
    this.farthestKnown.set(q, far);
    return far;
  }

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
    const children = [...byByte].map(([byte, e]) => ({ byte, tokens: e.tokens, to: this.residual(e.nodes) }));
    this.heldBytes += children.length * 120 + residual.nodes.length * 16;
    residual.children = children;
    return children;
  }

  private residual(at: readonly number[]): Residual {
    const { nodes } = this.trie;
    let fan = 0;
    for (const n of at) fan += nodes[n * 4 + 1]! >>> 8;
    return { id: this.nextResidual++, nodes: at, fan, children: at.length === 0 ? [] : undefined };
  }

  /** What lies below a trie node. */
  residualAt(node: number): Residual {
    let known = this.atNode.get(node);
    if (known === undefined) {
      known = this.residual([node]);
      this.atNode.set(node, known);
      this.heldBytes += 100;
    }
    return known;
  }

  /** The whole vocabulary. */
  get root(): Residual {
    this.rootResidual ??= this.residual([0]);
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
      const rest = this.residual(at);
      rest.children = this.childrenOf(rest).filter((e) => !isBlank(e.byte));
      this.blanks = { tokens: Int32Array.from(tokens), rest };
    }
    return this.blanks;
  }

  /** The part of a lexeme state's mask below a residual node: tokens that stay inside, and those that cross. Cached. */
  below(at: Residual, q: number): { readonly extra: Int32Array; readonly residual: Residual } {
    const key = at.id * 0x2000000 + q;
    const known = this.inner.get(key);
    if (known !== undefined) return known;
    const { pool } = this;
    const { nodes, same } = this.trie;
    const extra: number[] = [];
    const crossing: number[] = [];
    const stack: number[] = [];
    for (const n of at.nodes) stack.push(n, q);
    while (stack.length > 0) {
      const s = stack.pop()!;
      const node = stack.pop()!;
      const first = nodes[node * 4]!;
      const last = first + (nodes[node * 4 + 1]! >>> 8);
      for (let c = first; c < last; c++) {
        const next = pool.step(s, nodes[c * 4 + 1]! & 0xff);
        if (next === DEAD) continue;
        for (let t = nodes[c * 4 + 2]!; t >= 0; t = same[t]!) extra.push(t);
        if (nodes[c * 4 + 1]! >>> 8 === 0) continue;
        if (pool.accepts(next)) {
          crossing.push(c);
          if (pool.isFinal(next)) continue;
        }
        stack.push(c, next);
      }
    }
    const made = { extra: Int32Array.from(extra), residual: this.residual(crossing) };
    this.inner.set(key, made);
    this.heldBytes += 200 + extra.length * 4 + crossing.length * 8;
    return made;
  }

  // ---- runs ---------------------------------------------------------------------------------------------------------

  /** Groups that a term keeps taking, and for how many code points. */
  runOf(term: number, string: boolean): Run {
    const key = term * 2 + (string ? 1 : 0);
    const known = this.runs.get(key);
    if (known !== undefined) return known;
    let run = this.findRun(term, string);
    if (run.signature !== 0 && !this.paysOff(run)) run = NO_RUN;
    this.runs.set(key, run);
    return run;
  }

  private paysOff(run: Run): boolean {
    const mask = this.slices.get(run.signature, run.depth);
    let n = 0;
    for (let i = 0; i < mask.length && n < MIN_SLICE_TOKENS; i++) n += popcount(mask[i]!);
    return n >= MIN_SLICE_TOKENS;
  }

  private findRun(term: number, string: boolean): Run {
    const terms: TermStore = this.pool.terms;
    const split = terms.splitFinite(term);
    if (split !== undefined) {
      // An endless language minus a finite one is alive wherever the endless one is.
      const run = this.runOf(split.rest, string);
      if (run.depth === LONGEST_RUN) return { ...run, loops: false, together: false, ends: false };
    }
    const first = this.groupTargets(term, string);
    if (term !== terms.all && terms.alwaysLeft(term) !== undefined) {
      // A search for something further on: every text is as much alive as in a string without any rule.
      return { ...this.runOf(terms.all, string), loops: false, together: false };
    }
    let loop = 0;
    for (let g = 0; g <= GROUP_NON_ASCII; g++) if (first[g] === term) loop |= 1 << g;
    if (loop !== 0) return { signature: loop, depth: LONGEST_RUN, loops: true, together: true, ends: false };
    // The target that most groups share, then as long as they stay together.
    const votes = new Map<number, number>();
    for (let g = 0; g <= GROUP_NON_ASCII; g++) {
      const t = first[g]!;
      if (t >= 0) votes.set(t, (votes.get(t) ?? 0) | (1 << g));
    }
    let signature = 0;
    let target = -1;
    for (const [t, groups] of votes)
      if (popcount(groups) > popcount(signature)) {
        signature = groups;
        target = t;
      }
    if (target < 0) return NO_RUN;
    let depth = 1;
    while (depth < LONGEST_RUN) {
      const next = this.groupTargets(target, string);
      let shared = -1;
      for (let g = 0; g <= GROUP_NON_ASCII; g++) {
        if (((signature >>> g) & 1) === 0) continue;
        const t = next[g]!;
        if (t < 0 || (shared >= 0 && t !== shared)) {
          const ends = terms.liveEdges(target).length === 0;
          return { signature, depth, loops: false, together: true, ends };
        }
        shared = t;
      }
      if (shared === target) return { signature, depth: LONGEST_RUN, loops: false, together: true, ends: false };
      target = shared;
      depth++;
    }
    return { signature, depth: LONGEST_RUN, loops: false, together: true, ends: false };
  }

  /** Per group the live term that all its characters lead to, or -1. In strings, characters that must be escaped have none. */
  private groupTargets(term: number, string: boolean): Int32Array {
    const key = term * 2 + (string ? 1 : 0);
    const known = this.targets.get(key);
    if (known !== undefined) return known;
    const out = new Int32Array(GROUP_PARTIAL).fill(-2);
    const edges = this.pool.terms.liveEdges(term);
    let i = 0;
    for (let c = 0; c < 128; c++) {
      while (i < edges.length && edges[i + 1]! < c) i += 3;
      let t = i < edges.length && edges[i]! <= c ? edges[i + 2]! : -1;
      if (string && (c < 0x20 || c === 0x22 || c === 0x5c)) t = -1;
      const g = ASCII_GROUP[c]!;
      if (out[g] === -2) out[g] = t;
      else if (out[g] !== t) out[g] = -1;
    }
    // Beyond ASCII: one target for all characters that UTF-8 can spell.
    let at = 0x80;
    let shared = -2;
    for (; i < edges.length && shared !== -1; i += 3) {
      const lo = Math.max(edges[i]!, 0x80);
      if (edges[i + 1]! < lo) continue;
      if (lo > at && !(at >= 0xd800 && lo <= 0xe000)) shared = -1;
      else if (shared === -2) shared = edges[i + 2]!;
      else if (shared !== edges[i + 2]) shared = -1;
      at = edges[i + 1]! + 1;
    }
    out[GROUP_NON_ASCII] = shared >= 0 && at > 0x10ffff ? shared : -1;
    this.targets.set(key, out);
    return out;
  }
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

/** Some ASCII byte of a signature, or -1. */
export function firstByteOf(signature: number): number {
  for (let b = 0; b < 128; b++) if (((signature >>> ASCII_GROUP[b]!) & 1) === 1) return b;
  return -1;
}

export function popcount(x: number): number {
  let v = x - ((x >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
