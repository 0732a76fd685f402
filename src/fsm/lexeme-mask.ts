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
import { type CharSet, charsOf, isEmptySet, splitsLetters } from './char-set.js';
import { DEAD } from './layout.js';
import type { LexemePool } from './lexeme.js';
import { OutsideTries } from './outside-trie.js';
import { type Residual, Residuals } from './residual.js';
import { firstByteOf, LONGEST_RUN, MIN_SLICE_TOKENS, popcount, Runs } from './run.js';
import type { Slices } from './slices.js';
import type { TokenTrie } from './trie.js';
import type { Vocabulary } from './vocabulary.js';
import { type Zone, Zones } from './zone.js';

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

/** A string less finitely many literals. */
export interface LessLiterals {
  /** The state of the string without the exception. */
  readonly rest: number;
  /** The exceptions, as a node of the term store's literals. */
  readonly literals: number;
}

/** Tokens that a walk leaves out: those of these characters, up to so many. */
interface Cover {
  readonly chars: CharSet;
  /** Code points. */
  readonly depth: number;
  /** Whether longer tokens of these characters are dead. */
  readonly ends: boolean;
  /** Characters that no state after them lives on. */
  readonly dead: CharSet;
  /** The zone that they come from. */
  readonly zone: Zone | undefined;
}

const MAX_SINGLE_BITS = 192;
/** Length bounds from here on are left out of the walk and made good token by token. */
const MIN_OPEN_BOUND = 20;
/** Least room below which a state near its bound is walked. */
const LEAST_SAFE = 2;
/** So many sets of bounds are tried, the largest left out first. */
const MOST_OPENINGS = 4;
/** Possible bytes from which on a state is worth a mask of its own: digits. */
const WIDE_BYTES = 10;
/** Characters that lead away from literals that are left out: for as many to be all taken, 10 to the power of it literals are needed. */
const PAST_LITERALS = 6;
const NONE = new Int32Array(0);

export class LexemeMasks {
  readonly runs: Runs;
  private readonly zones: Zones;
  private readonly outside: OutsideTries;
  readonly residuals: Residuals;
  private readonly masks = new Map<number, LexemeMask>();
  private readonly wide: (boolean | undefined)[] = [];
  private heldBytes = 0;
  private readonly inner = new Map<number, { readonly extra: Int32Array; readonly residual: Residual }>();
  /** Lexeme states in which the tokens that the walk met end; where the mask of an open state serves, those too long for it. */
  private readonly ends = new Map<number, ReadonlySet<number>>();
  /** Open states whose masks serve others, by these. */
  private readonly opens = new Map<number, number>();
  private readonly splits = new Map<number, LessLiterals | undefined>();
  private readonly farthestKnown = new Map<number, number>();
  /** Dense parts that are counted: slices live on in masks when they have left their cache. */
  private readonly held = new WeakSet<Uint32Array>();

  constructor(
    private readonly pool: LexemePool,
    private readonly trie: TokenTrie,
    private readonly slices: Slices,
    private readonly vocabulary: Vocabulary,
  ) {
    this.runs = new Runs(pool, trie, slices);
    this.zones = new Zones(pool, trie);
    this.outside = new OutsideTries(trie);
    this.residuals = new Residuals(trie);
  }

  get bytes(): number {
    return this.heldBytes + this.runs.bytes + this.zones.bytes + this.outside.bytes + this.residuals.bytes;
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
    if (rest === DEAD || !this.isWide(rest)) return undefined;
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
   * Strings of bounded length or count: as long as much is left, their mask is that of the unbounded string, less the few tokens that
   * are too long. So a position costs those few and not a walk, and all lengths share one mask. Bounds that no token reaches are
   * opened first: what is left does not change from character to character, and its mask is then found in the same way.
   */
  private likeUnbounded(q: number): LexemeMask | undefined {
    const { pool, trie } = this;
    if (!pool.isStringContent(q)) return undefined;
    const term = pool.termOf(q);
    for (const from of [trie.deepest[0]! + MIN_OPEN_BOUND, MIN_OPEN_BOUND]) {
      let least = from;
      for (let tries = 0; tries < MOST_OPENINGS; tries++) {
        const open = pool.terms.unbounded(term, least);
        if (open === undefined) break;
        const made = this.opened(q, open.term, open.bound);
        if (made !== undefined) return made;
        least = open.bound + 1;
      }
    }
    return this.shortened(q);
  }

  /** The mask of a state by that of its term with all bounds from `bound` on left out; undefined where too little is left of `bound`. */
  private opened(q: number, term: number, bound: number): LexemeMask | undefined {
    const { pool } = this;
    const free = pool.stringAt(term);
    if (free < 0 || !this.isWide(free) || bound - pool.distance(free) < MIN_OPEN_BOUND) return undefined;
    const mask = this.get(free);
    const safe = bound - this.farthest(free);
    if (safe < MIN_OPEN_BOUND) return undefined;
    const without: number[] = [];
    const ends = this.servedBy(q, free);
    for (const t of this.slices.longerThan(safe)) this.compare(t, q, free, without, ends);
    this.heldBytes += 300 + without.length * 4 + ends.size * 20;
    if (without.length === 0) return mask;
    return { ...mask, without: Int32Array.from([...mask.without, ...without]) };
  }

  /**
   * The mask of a state near its bound, where only the tokens of its run are cut: those longer than the run are out, and the others of
   * the vocabulary are few. Undefined where the state is of another kind.
   */
  private shortened(q: number): LexemeMask | undefined {
    const { pool, slices, trie } = this;
    const run = this.runs.of(pool.termOf(q), true);
    if (!run.ends || run.signature === 0) return undefined;
    const term = pool.terms.unbounded(pool.termOf(q), LEAST_SAFE);
    const free = term === undefined ? DEAD : pool.stringAt(term.term);
    if (term === undefined || free < 0 || !this.isWide(free)) return undefined;
    const open = this.runs.of(term.term, true);
    if (run.signature !== open.signature || open.depth < LONGEST_RUN) return undefined;
    const safe = term.bound - this.farthest(free);
    if (safe < LEAST_SAFE) return undefined;
    const ends = this.servedBy(q, free);
    const mask = this.get(free);
    const base = slices.get(run.signature, run.depth).slice();
    const without: number[] = [...mask.without];
    for (const t of slices.outside(run.signature)) {
      if (mask.base !== undefined) base[t >> 5]! |= mask.base[t >> 5]! & (1 << (t & 31));
      if (trie.tokenLength[t]! > Math.min(safe, LONGEST_RUN - 1)) this.compare(t, q, free, without, ends);
    }
    this.heldBytes += 300 + base.byteLength + without.length * 4 + ends.size * 20;
    // Of the run's characters none but those in the base.
    const extra = mask.extra.filter((t) => (trie.tokenSignature[t]! & ~run.signature) !== 0);
    return { ...mask, base, extra, without: Int32Array.from(without) };
  }

  /** Notes that the mask of an open state serves another one. Returns the set for where tokens too long for it end. */
  private servedBy(q: number, free: number): Set<number> {
    const ends = new Set<number>();
    this.ends.set(q, ends);
    this.opens.set(q, free);
    return ends;
  }

  /** Whether a token's way through the lexeme from two states ends alike (inside, or at the closing quote, or dead): notes it, or its end. */
  private compare(token: number, q: number, free: number, without: number[], ends: Set<number>): void {
    const { bytes, offsets } = this.vocabulary;
    let a = q;
    let b = free;
    for (let i = offsets[token]!; i < offsets[token + 1]!; i++) {
      b = this.pool.step(b, bytes[i]!);
      a = a < 0 ? a : this.pool.step(a, bytes[i]!);
      if (b < 0) return;
      if (a < 0) {
        without.push(token);
        return;
      }
      if (this.pool.isFinal(b)) return;
    }
    ends.add(a);
  }

  /**
   * Walks the trie but for what is known without: tokens of the state's own run or zone, which are in the base, and all tokens below a node
   * once a lexeme state is reached that survives every character there.
   */
  private build(q: number): LexemeMask {
    const { pool, trie, slices } = this;
    const { same, order } = trie;
    const { chars, depth, ends: cutOff, dead, zone } = this.coverOf(q);
    const base = isEmptySet(chars) ? undefined : slices.ofChars(chars, depth);
    const lacking = this.outside.get(chars, cutOff ? LONGEST_RUN : depth, dead);
    const extra: number[] = [];
    const crossing: number[] = [];
    const ends = new Set<number>([q]);
    const used = new Set<Zone>();
    if (zone !== undefined) used.add(zone);
    let dense: Uint32Array | undefined;
    // Walk: node (~node in the trie of what the base lacks), lexeme state.
    const stack: number[] = [~0, q];
    while (stack.length > 0) {
      const at = stack.pop()!;
      const node = stack.pop()!;
      const first = node < 0 ? lacking.childrenOf(~node) : trie.nodes[node * 4]!;
      const nodes = node < 0 ? lacking.nodes : trie.nodes;
      const last = first + (nodes[(node < 0 ? ~node : node) * 4 + 1]! >>> 8);
      for (let child = first; child < last; child++) {
        const record = nodes[child * 4 + 1]!;
        const next = pool.step(at, record & 0xff);
        if (next === DEAD) continue;
        const c = node < 0 ? nodes[child * 4 + 3]! : child;
        const wide = record >>> 8 !== 0 && this.runs.takesAll(next, c);
        const around = wide || record >>> 8 === 0 ? undefined : this.zones.around(next, c);
        if (wide || around !== undefined) {
          ends.add(next);
          if (around !== undefined) used.add(around);
          dense ??= base === undefined ? new Uint32Array(slices.words) : base.slice();
          for (let i = trie.from[c]!, end = trie.to[c]!; i < end; i++) dense[order[i]! >> 5]! |= 1 << (order[i]! & 31);
          continue;
        }
        const token = nodes[child * 4 + 2]!;
        if (token !== -1) {
          ends.add(next);
          for (let t = token; t >= 0; t = same[t]!) extra.push(t);
        }
        if (record >>> 8 === 0) continue;
        if (pool.accepts(next)) {
          crossing.push(c);
          if (pool.isFinal(next)) continue;
        }
        stack.push(node < 0 && lacking.within(child) ? ~child : c, next);
      }
    }
    for (const z of used)
      for (const t of z.terms) ends.add(pool.isStringContent(q) ? pool.stringAt(t) : pool.textAt(t));
    // Many single bits cost more than the copy: merge them into a dense mask of this state's own.
    if (dense !== undefined || extra.length > MAX_SINGLE_BITS) {
      dense ??= base === undefined ? new Uint32Array(slices.words) : base.slice();
      for (const t of extra) dense[t >> 5]! |= 1 << (t & 31);
      extra.length = 0;
      this.hold(dense);
    } else if (base !== undefined) this.hold(base);
    this.heldBytes += 300 + extra.length * 4 + crossing.length * 24 + ends.size * 20;
    this.ends.set(q, ends);
    return {
      id: this.masks.size,
      base: dense ?? base,
      extra: Int32Array.from(extra),
      residual: this.residuals.of(crossing),
      without: NONE,
    };
  }

  /** Counts a dense part once. */
  private hold(dense: Uint32Array): void {
    if (this.held.has(dense)) return;
    this.held.add(dense);
    this.heldBytes += dense.byteLength;
  }

  /** Characters and length of the tokens that the walk may leave out: those of the state's run, or of its zone where these are more. */
  private coverOf(q: number): Cover {
    const { pool, slices } = this;
    const string = pool.isStringContent(q);
    const run = this.runs.of(pool.termOf(q), string);
    const zone = this.zones.of(q);
    // Where a run ends in a string nothing of it can follow the lexeme either: its end is a quote.
    const dead = this.zones.deadAt(run.loops ? pool.termOf(q) : pool.terms.all, string);
    const own = { chars: charsOf(run.signature), depth: run.depth, ends: run.ends && string, dead, zone: undefined };
    if (own.ends || isEmptySet(zone.chars)) return own;
    const least = Math.max(MIN_SLICE_TOKENS, run.signature === 0 ? 0 : slices.count(run.signature, run.depth) + 1);
    return this.sizeOf(zone) < least
      ? own
      : { chars: zone.chars, depth: zone.depth, ends: false, dead: zone.dead, zone };
  }

  private sizeOf({ chars, depth }: Zone): number {
    if (!splitsLetters(chars)) return this.slices.count(chars.groups, depth);
    let n = 0;
    for (const word of this.slices.ofChars(chars, depth)) n += popcount(word);
    return n;
  }

  /** Most bytes that the lexeme may need after a token that stays inside or ends with it. */
  farthest(q: number): number {
    const known = this.farthestKnown.get(q);
    if (known !== undefined) return known;
    this.get(q);
    let far = this.pool.distance(q);
    const free = this.opens.get(q);
    if (free !== undefined) far = Math.max(far, this.farthest(free));
    for (const end of this.ends.get(q) ?? []) far = Math.max(far, this.pool.distance(end));
    const { pool } = this;
    const stateOf = (term: number): number => (pool.isStringContent(q) ? pool.stringAt(term) : pool.textAt(term));
    const left = pool.terms.alwaysLeft(pool.termOf(q));
    // After any run that was skipped, no more is needed than by the alternative that is always there.
    if (left !== undefined) far = Math.max(far, pool.distance(stateOf(left)));
    const rest = pool.terms.splitFinite(pool.termOf(q))?.rest;
    // A run may come to a literal that is left out; some character leads away from it.
    if (rest !== undefined && stateOf(rest) >= 0) far = Math.max(far, this.farthest(stateOf(rest)) + PAST_LITERALS);
    // The states along the run, which the walk skipped.
    const { signature, depth } = this.runs.of(this.pool.termOf(q), this.pool.isStringContent(q));
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

  /** The part of a lexeme state's mask below a residual node: tokens that stay inside, and those that cross. Cached. */
  below(at: Residual, q: number): { readonly extra: Int32Array; readonly residual: Residual } {
    const key = at.id * 0x2000000 + q;
    const known = this.inner.get(key);
    if (known !== undefined) return known;
    const { pool } = this;
    const { nodes, same } = this.trie;
    const extra: number[] = [];
    const crossing = new Set<number>();
    // Where one node of the place lies below another, ways meet: each (node, state) is walked once, and each token found once.
    const several = at.nodes.length > 1;
    const met = new Set<number>();
    const taken = new Set<number>();
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
        if (several) {
          const way = c * 0x2000000 + next;
          if (met.has(way)) continue;
          met.add(way);
        }
        if (nodes[c * 4 + 2]! >= 0 && !(several && taken.has(c))) {
          if (several) taken.add(c);
          for (let t = nodes[c * 4 + 2]!; t >= 0; t = same[t]!) extra.push(t);
        }
        if (nodes[c * 4 + 1]! >>> 8 === 0) continue;
        if (pool.accepts(next)) {
          crossing.add(c);
          if (pool.isFinal(next)) continue;
        }
        stack.push(c, next);
      }
    }
    const made = { extra: Int32Array.from(extra), residual: this.residuals.of([...crossing]) };
    this.inner.set(key, made);
    this.heldBytes += 200 + extra.length * 4 + crossing.size * 8;
    return made;
  }
}
