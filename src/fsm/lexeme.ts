/**
 * Lexeme automata: regular terms over code points, run over bytes.
 *
 * A leaf of the grammar is a term (src/regular). Here it becomes a deterministic byte automaton whose states are made when first
 * reached: UTF-8 (RFC 3629) for raw text, UTF-8 or JSON escapes (RFC 8259, section 7) for the content of JSON strings. Between
 * code points a state is just its term; inside a multi-byte character or an escape it is the term plus the prefix read. When
 * all code points below a prefix lead to one term, the prefix is dropped ("n more bytes, then t"), so the usual string content has a
 * handful of states that every grammar shares.
 *
 * Invariant: every state that `step` returns is live: some continuation is accepted. Ids are permanent while the pool lives;
 * the pool belongs to a vocabulary and its owner replaces it when `bytes` passes the limit.
 */
import type { Regex } from '../regular/regex.js';
import { TermStore } from '../regular/terms.js';
import { Escapes, isAny } from './escapes.js';
import { DEAD } from './layout.js';
import { LexemeDistances } from './lexeme-distance.js';
import { BACKSLASH, QUOTE, S_AT, S_END, S_OPEN, T_AT } from './lexeme-layout.js';
import { LexemeStates } from './lexeme-states.js';
import { LexemeSteps } from './lexeme-step.js';
import { LexemeTargets } from './lexeme-targets.js';

/** Times a state is stepped before it gets a row of 256 successors. */
const ROW_AFTER = 12;
const UNKNOWN = -2;

export class LexemePool {
  /** Searches that the front ends bounded already; here nothing may throw. */
  readonly terms = new TermStore({ search: 50_000, onLimit: 'assume live' });
  private readonly states = new LexemeStates(this.terms);
  private readonly escapes = new Escapes(this.terms);
  private readonly steps = new LexemeSteps(this.terms, this.states, this.escapes);
  private readonly targets = new LexemeTargets(this.terms, this.states, this.escapes);
  private readonly distances = new LexemeDistances(this.terms, this.states, this.escapes);
  private visits = new Uint8Array(512);
  private readonly rows: (Int32Array | undefined)[] = [];
  private readonly firsts: (Int32Array | undefined)[] = [];
  private extraBytes = 0;

  /** Bytes held, roughly. */
  get bytes(): number {
    const made = this.terms.bytes + this.states.bytes + this.escapes.bytes + this.distances.bytes;
    return made + this.visits.byteLength + this.extraBytes;
  }

  get size(): number {
    return this.states.tuples.count;
  }

  // ---- starts -------------------------------------------------------------------------------------------------------

  /** Start state of raw text in `re`; DEAD where the language is empty. */
  text(re: Regex): number {
    return this.textAt(this.terms.intern(re));
  }

  /** Start state (before the opening quote) of a JSON string with content in `re`; DEAD where the language is empty. */
  string(re: Regex): number {
    return this.stringOpen(this.terms.intern(re));
  }

  textAt(term: number): number {
    return this.terms.isEmpty(term) ? DEAD : this.states.make2(T_AT, term);
  }

  stringOpen(term: number): number {
    return this.terms.isEmpty(term) ? DEAD : this.states.make2(S_OPEN, term);
  }

  /** State between the opening and the closing quote. */
  stringAt(term: number): number {
    return this.terms.isEmpty(term) ? DEAD : this.states.make2(S_AT, term);
  }

  /** The same state of another pool; `term` carries its term over. */
  carry(from: LexemePool, q: number, term: (t: number) => number): number {
    return this.states.carry(from.states, q, term);
  }

  // ---- reading ------------------------------------------------------------------------------------------------------

  /** Whether the lexeme may end here. */
  accepts(q: number): boolean {
    return this.states.accepts(q);
  }

  /** Whether the lexeme must end here. */
  isFinal(q: number): boolean {
    return this.states.isFinal(q);
  }

  /** The term of a state at a code point boundary inside its lexeme, or at its end; -1 inside a character or an escape. */
  termOf(q: number): number {
    const o = this.states.tuples.offsets[q]!;
    const { data } = this.states.tuples;
    const k = data[o]!;
    return k === T_AT || k === S_AT || k === S_END || k === S_OPEN ? data[o + 1]! : -1;
  }

  /** Whether the state is string content between code points. */
  isStringContent(q: number): boolean {
    return this.states.tuples.data[this.states.tuples.offsets[q]!] === S_AT;
  }

  /** Whether the state is raw text between code points. */
  isTextContent(q: number): boolean {
    return this.states.tuples.data[this.states.tuples.offsets[q]!] === T_AT;
  }

  /** Whether the lexeme is as it was after every character that it may take, and so has no end of ends. */
  isAnyText(q: number): boolean {
    const term = this.termOf(q);
    if (term < 0) return false;
    const edges = this.terms.liveEdges(term);
    for (let i = 2; i < edges.length; i += 3) if (edges[i] !== term) return false;
    return edges.length > 0;
  }

  /**
   * Terms that the character or escape in progress may lead to (the state's own term between characters). Calls `visit` until it
   * returns true; returns whether it did.
   */
  someTarget(q: number, visit: (term: number) => boolean): boolean {
    return this.targets.some(q, visit);
  }

  /** {@link someTarget} for every target, with the bytes that the character or escape in progress still takes at least. */
  eachTarget(q: number, visit: (term: number, bytes: number) => void): void {
    this.targets.each(q, visit);
  }

  /** Fewest bytes until the lexeme may end (0 where it may end here). */
  distance(q: number): number {
    return this.distances.of(q);
  }

  /** Successor by a byte, or DEAD. */
  step(q: number, byte: number): number {
    const row = this.rows[q];
    if (row !== undefined) {
      const t = row[byte]!;
      if (t !== UNKNOWN) return t;
      const u = this.steps.compute(q, byte);
      row[byte] = u;
      return u;
    }
    if (q >= this.visits.length) {
      const visits = new Uint8Array(Math.max(q + 1, this.visits.length * 2));
      visits.set(this.visits);
      this.visits = visits;
    }
    if (++this.visits[q]! >= ROW_AFTER) {
      this.rows[q] = new Int32Array(256).fill(UNKNOWN);
      this.extraBytes += 1100;
    }
    return this.steps.compute(q, byte);
  }

  /**
   * Bytes on which a state between code points may go on, as eight 32-bit words; a superset elsewhere (all bytes that the kind of
   * state can take).
   */
  firstBytes(q: number): Int32Array {
    const known = this.firsts[q];
    if (known !== undefined) return known;
    const out = new Int32Array(8);
    const { data, offsets } = this.states.tuples;
    const o = offsets[q]!;
    const x = data[o + 1]!;
    const k = data[o]!;
    if (k === T_AT || k === S_AT) {
      const edges = this.terms.liveEdges(x);
      for (let i = 0; i < edges.length; i += 3) addFirstBytes(out, edges[i]!, edges[i + 1]!);
      if (k === S_AT) {
        out[0] = 0;
        out[1]! &= ~(1 << (QUOTE & 31));
        out[2]! &= ~(1 << (BACKSLASH & 31));
        if (this.terms.nullable(x)) setBit(out, QUOTE);
        if (this.escapes.someEscape(x, isAny)) setBit(out, BACKSLASH);
      }
    } else if (k === S_OPEN) setBit(out, QUOTE);
    else for (let b = 0; b < 256; b++) if (this.step(q, b) !== DEAD) setBit(out, b);
    this.firsts[q] = out;
    this.extraBytes += 80;
    return out;
  }
}

function setBit(out: Int32Array, b: number): void {
  out[b >> 5]! |= 1 << (b & 31);
}

/** First UTF-8 bytes of a code point range (surrogates have none). */
function addFirstBytes(out: Int32Array, lo: number, hi: number): void {
  for (let b = lo; b <= Math.min(hi, 0x7f); b++) setBit(out, b);
  const bands: [number, number, (cp: number) => number][] = [
    [0x80, 0x7ff, (cp) => 0xc0 | (cp >> 6)],
    [0x800, 0xd7ff, (cp) => 0xe0 | (cp >> 12)],
    [0xe000, 0xffff, (cp) => 0xe0 | (cp >> 12)],
    [0x10000, 0x10ffff, (cp) => 0xf0 | (cp >> 18)],
  ];
  for (const [from, to, lead] of bands) {
    const a = Math.max(lo, from);
    const z = Math.min(hi, to);
    if (a > z) continue;
    for (let b = lead(a); b <= lead(z); b++) setBit(out, b);
  }
}
