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
import { TupleTable } from '../base/tuple-table.js';
import { TermDistances } from '../regular/distance.js';
import { edgeTarget } from '../regular/edges.js';
import type { Regex } from '../regular/regex.js';
import { NEVER, TermStore } from '../regular/terms.js';

export const DEAD = -1;

const T_AT = 0;
const T_CONT = 1;
const T_PART = 2;
const S_OPEN = 3;
const S_AT = 4;
const S_END = 5;
const S_CONT = 6;
const S_PART = 7;
const S_ESC = 8;
const S_HEX = 9;
const S_HEXU = 10;
const S_HI = 11;
const S_HI_ESC = 12;
const S_HI_HEX = 13;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const ACCEPT = 1;
const FINAL = 2;

const SLASH = 0x2f;

/** Code points that JSON writers spell `\\uXXXX`, always or where they write ASCII only. */
const WRITTEN_AS_HEX: readonly (readonly [number, number])[] = [
  [0x00, 0x07],
  [0x0b, 0x0b],
  [0x0e, 0x1f],
  [0x7f, 0x10ffff],
];

const SIMPLE_ESCAPES = [0x22, 0x5c, 0x2f, 0x08, 0x0c, 0x0a, 0x0d, 0x09];

/** Times a state is stepped before it gets a row of 256 successors. */
const ROW_AFTER = 12;
const UNKNOWN = -2;

export class LexemePool {
  /** Searches that the front ends bounded already; here nothing may throw. */
  readonly terms = new TermStore({ search: 50_000, onLimit: 'assume live' });
  private readonly textDistance = new TermDistances(this.terms, 'text');
  private readonly stringDistance = new TermDistances(this.terms, 'string');
  private readonly states = new TupleTable(256);
  private flags = new Uint8Array(512);
  private visits = new Uint8Array(512);
  private readonly rows: (Int32Array | undefined)[] = [];
  private readonly firsts: (Int32Array | undefined)[] = [];
  private extraBytes = 0;
  private readonly literalEdges = new Map<number, Int32Array>();
  private readonly tuple = [0, 0, 0, 0, 0];

  /** Bytes held, roughly. */
  get bytes(): number {
    return this.terms.bytes + this.states.bytes + this.flags.byteLength * 2 + this.extraBytes;
  }

  get size(): number {
    return this.states.count;
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
    return this.terms.isEmpty(term) ? DEAD : this.make2(T_AT, term);
  }

  stringOpen(term: number): number {
    return this.terms.isEmpty(term) ? DEAD : this.make2(S_OPEN, term);
  }

  /** State between the opening and the closing quote. */
  stringAt(term: number): number {
    return this.terms.isEmpty(term) ? DEAD : this.make2(S_AT, term);
  }

  // ---- reading ------------------------------------------------------------------------------------------------------

  /** Whether the lexeme may end here. */
  accepts(q: number): boolean {
    return (this.flags[q]! & ACCEPT) !== 0;
  }

  /** Whether the lexeme must end here. */
  isFinal(q: number): boolean {
    return (this.flags[q]! & FINAL) !== 0;
  }

  /** The term of a state at a code point boundary inside its lexeme, or at its end; -1 inside a character or an escape. */
  termOf(q: number): number {
    const o = this.states.offsets[q]!;
    const { data } = this.states;
    const k = data[o]!;
    return k === T_AT || k === S_AT || k === S_END || k === S_OPEN ? data[o + 1]! : -1;
  }

  /** Whether the state is string content between code points. */
  isStringContent(q: number): boolean {
    return this.states.data[this.states.offsets[q]!] === S_AT;
  }

  /** Whether the state is raw text between code points. */
  isTextContent(q: number): boolean {
    return this.states.data[this.states.offsets[q]!] === T_AT;
  }

  /**
   * Terms that the character or escape in progress may lead to (the state's own term between characters). Calls `visit` until it
   * returns true; returns whether it did.
   */
  someTarget(q: number, visit: (term: number) => boolean): boolean {
    const { data, offsets } = this.states;
    const o = offsets[q]!;
    const x = data[o + 1]!;
    const y = data[o + 2]!;
    const z = data[o + 3]!;
    switch (data[o]) {
      case T_CONT:
      case S_CONT:
      case S_HEXU:
        return visit(y);
      case T_PART:
      case S_PART:
        return this.someBetween(x, z << (6 * y), ((z + 1) << (6 * y)) - 1, visit);
      case S_ESC:
        return this.someEscape(x, visit);
      case S_HEX:
        return this.someHex(x, z << (4 * y), ((z + 1) << (4 * y)) - 1, visit);
      case S_HI:
      case S_HI_ESC: {
        const lone = edgeTarget(this.terms.liveEdges(x), y, NEVER);
        if (lone !== NEVER && visit(lone)) return true;
        return this.someBetween(x, pairOf(y, 0xdc00), pairOf(y, 0xdfff), visit);
      }
      case S_HI_HEX: {
        const n = z;
        const prefix = data[o + 4]!;
        const lo = prefix << (4 * n);
        const hi = ((prefix + 1) << (4 * n)) - 1;
        return this.someHiHex(x, y, lo, hi, visit);
      }
      default:
        return visit(x);
    }
  }

  /** {@link someTarget} for every target, with the bytes that the character or escape in progress still takes at least. */
  eachTarget(q: number, visit: (term: number, bytes: number) => void): void {
    const { data, offsets } = this.states;
    const o = offsets[q]!;
    const kind = data[o]!;
    const left =
      kind === T_CONT || kind === S_CONT || kind === S_HEXU
        ? data[o + 1]!
        : kind === T_PART || kind === S_PART || kind === S_HEX
          ? data[o + 2]!
          : kind === S_HI_HEX
            ? data[o + 3]!
            : 0;
    if (kind === S_ESC) {
      const x = data[o + 1]!;
      this.someEscape(x, (t) => {
        visit(t, this.escapeBytes(x, t));
        return false;
      });
      return;
    }
    this.someTarget(q, (t) => {
      visit(t, left);
      return false;
    });
  }

  /** Bytes after a backslash that spell a code point leading from one term to another. */
  private escapeBytes(from: number, to: number): number {
    const edges = this.terms.liveEdges(from);
    for (const cp of SIMPLE_ESCAPES) if (edgeTarget(edges, cp, NEVER) === to) return 1;
    for (let i = 0; i < edges.length; i += 3) if (edges[i + 2] === to && edges[i]! <= 0xffff) return 5;
    return 11;
  }

  private someBetween(
    term: number,
    lo: number,
    hi: number,
    visit: (term: number) => boolean,
    edges = this.terms.liveEdges(term),
  ): boolean {
    for (let i = 0; i < edges.length; i += 3) {
      if (edges[i]! > hi) break;
      if (edges[i + 1]! >= lo && visit(edges[i + 2]!)) return true;
    }
    return false;
  }

  private someEscape(term: number, visit: (term: number) => boolean): boolean {
    const edges = this.terms.liveEdges(term);
    for (const cp of SIMPLE_ESCAPES) {
      if (cp === SLASH && this.terms.isLiteral(term)) continue;
      const t = edgeTarget(edges, cp, NEVER);
      if (t !== NEVER && visit(t)) return true;
    }
    return this.someHex(term, 0, 0xffff, visit);
  }

  /**
   * What `\\u` escapes may spell. Any code point in free text; in literals (names, enums) only what JSON writers escape so: then
   * the grammar leaves no choice of spelling, and keys and constants are forced.
   */
  private hexEdges(term: number): Int32Array {
    const edges = this.terms.liveEdges(term);
    if (!this.terms.isLiteral(term)) return edges;
    let cut = this.literalEdges.get(term);
    if (cut === undefined) {
      const out: number[] = [];
      for (let i = 0; i < edges.length; i += 3)
        for (const [from, to] of WRITTEN_AS_HEX) {
          const lo = Math.max(from, edges[i]!);
          const hi = Math.min(to, edges[i + 1]!);
          if (lo <= hi) out.push(lo, hi, edges[i + 2]!);
        }
      cut = Int32Array.from(out);
      this.literalEdges.set(term, cut);
      this.extraBytes += 100 + cut.byteLength;
    }
    return cut;
  }

  private someHex(term: number, lo: number, hi: number, visit: (term: number) => boolean): boolean {
    if (this.someBetween(term, lo, hi, visit, this.hexEdges(term))) return true;
    const a = Math.max(lo, 0xd800);
    const b = Math.min(hi, 0xdbff);
    return a <= b && this.someBetween(term, pairOf(a, 0xdc00), pairOf(b, 0xdfff), visit);
  }

  private someHiHex(term: number, hi16: number, lo: number, hi: number, visit: (term: number) => boolean): boolean {
    const a = Math.max(lo, 0xdc00);
    const b = Math.min(hi, 0xdfff);
    if (a <= b && this.someBetween(term, pairOf(hi16, a), pairOf(hi16, b), visit)) return true;
    const lone = edgeTarget(this.terms.liveEdges(term), hi16, NEVER);
    if (lone === NEVER) return false;
    if (lo < 0xdc00 && this.someHex(lone, lo, Math.min(hi, 0xdbff), visit)) return true;
    return hi > 0xdfff && this.someHex(lone, Math.max(lo, 0xe000), hi, visit);
  }

  /** Fewest bytes until the lexeme may end (0 where it may end here). */
  distance(q: number): number {
    if (this.accepts(q)) return 0;
    const { data, offsets } = this.states;
    const o = offsets[q]!;
    const x = data[o + 1]!;
    const y = data[o + 2]!;
    const z = data[o + 3]!;
    switch (data[o]) {
      case T_AT:
        return this.textDistance.of(x);
      case S_OPEN:
        return 2 + this.stringDistance.of(x);
      case S_AT:
        return 1 + this.stringDistance.of(x);
      case T_CONT:
        return x + this.textDistance.of(y);
      case S_CONT:
      case S_HEXU:
        return x + 1 + this.stringDistance.of(y);
      case T_PART:
        return y + this.nearest(x, z << (6 * y), ((z + 1) << (6 * y)) - 1, this.textDistance);
      case S_PART:
        return y + 1 + this.nearest(x, z << (6 * y), ((z + 1) << (6 * y)) - 1, this.stringDistance);
      case S_ESC:
        return 1 + this.escapeDistance(x);
      case S_HEX:
        return 1 + y + this.hexDistance(x, z << (4 * y), ((z + 1) << (4 * y)) - 1);
      case S_HI:
        return 1 + Math.min(this.loneDistance(x, y), 6 + this.pairDistance(x, y, 0xdc00, 0xdfff));
      case S_HI_ESC: {
        const lone = edgeTarget(this.terms.liveEdges(x), y, NEVER);
        const alone = lone === NEVER ? Number.POSITIVE_INFINITY : this.escapeDistance(lone);
        return 1 + Math.min(alone, 5 + this.pairDistance(x, y, 0xdc00, 0xdfff));
      }
      case S_HI_HEX: {
        const prefix = data[o + 4]!;
        const lo = prefix << (4 * z);
        const hi = ((prefix + 1) << (4 * z)) - 1;
        const lone = edgeTarget(this.terms.liveEdges(x), y, NEVER);
        let best = this.pairDistance(x, y, Math.max(lo, 0xdc00), Math.min(hi, 0xdfff));
        if (lone !== NEVER) {
          best = Math.min(best, this.hexDistance(lone, lo, Math.min(hi, 0xdbff)));
          best = Math.min(best, this.hexDistance(lone, Math.max(lo, 0xe000), hi));
        }
        return 1 + z + best;
      }
      default:
        return Number.POSITIVE_INFINITY;
    }
  }

  /** Least distance among the targets of the code points lo to hi. */
  private nearest(
    term: number,
    lo: number,
    hi: number,
    distances: TermDistances,
    edges = this.terms.liveEdges(term),
  ): number {
    let best = Number.POSITIVE_INFINITY;
    const visit = (t: number): boolean => {
      best = Math.min(best, distances.of(t));
      return false;
    };
    this.someBetween(term, lo, hi, visit, edges);
    return best;
  }

  private pairDistance(term: number, hi16: number, lo: number, hi: number): number {
    return lo > hi
      ? Number.POSITIVE_INFINITY
      : this.nearest(term, pairOf(hi16, lo), pairOf(hi16, hi), this.stringDistance);
  }

  /** Content bytes after a high surrogate escape that stands alone. */
  private loneDistance(term: number, hi16: number): number {
    const lone = edgeTarget(this.terms.liveEdges(term), hi16, NEVER);
    return lone === NEVER ? Number.POSITIVE_INFINITY : this.stringDistance.of(lone);
  }

  /** Content bytes after the last digit of an escape whose value lies in lo to hi. */
  private hexDistance(term: number, lo: number, hi: number): number {
    if (lo > hi) return Number.POSITIVE_INFINITY;
    let best = this.nearest(term, lo, hi, this.stringDistance, this.hexEdges(term));
    const a = Math.max(lo, 0xd800);
    const b = Math.min(hi, 0xdbff);
    if (a <= b)
      best = Math.min(best, 6 + this.nearest(term, pairOf(a, 0xdc00), pairOf(b, 0xdfff), this.stringDistance));
    return best;
  }

  /** Bytes after a backslash: the rest of the escape and of the content. */
  private escapeDistance(term: number): number {
    let best = 5 + this.hexDistance(term, 0, 0xffff);
    for (const cp of SIMPLE_ESCAPES) {
      if (cp === SLASH && this.terms.isLiteral(term)) continue;
      const t = edgeTarget(this.terms.liveEdges(term), cp, NEVER);
      if (t !== NEVER) best = Math.min(best, 1 + this.stringDistance.of(t));
    }
    return best;
  }

  /** Successor by a byte, or DEAD. */
  step(q: number, byte: number): number {
    const row = this.rows[q];
    if (row !== undefined) {
      const t = row[byte]!;
      if (t !== UNKNOWN) return t;
      const u = this.compute(q, byte);
      row[byte] = u;
      return u;
    }
    if (++this.visits[q]! >= ROW_AFTER) {
      this.rows[q] = new Int32Array(256).fill(UNKNOWN);
      this.extraBytes += 1100;
    }
    return this.compute(q, byte);
  }

  private compute(q: number, b: number): number {
    const { data, offsets } = this.states;
    const o = offsets[q]!;
    const x = data[o + 1]!;
    const y = data[o + 2]!;
    const z = data[o + 3]!;
    switch (data[o]) {
      case T_AT:
        if (b < 0x80) return this.at(T_AT, edgeTarget(this.terms.liveEdges(x), b, NEVER));
        return this.lead(T_AT, x, b);
      case S_OPEN:
        return b === QUOTE ? this.make2(S_AT, x) : DEAD;
      case S_AT:
        return this.stringStep(x, b);
      case T_CONT:
      case S_CONT: {
        if ((b & 0xc0) !== 0x80) return DEAD;
        const string = data[o] === S_CONT;
        return x === 1 ? this.at(string ? S_AT : T_AT, y) : this.make3(string ? S_CONT : T_CONT, x - 1, y);
      }
      case T_PART:
      case S_PART: {
        if ((b & 0xc0) !== 0x80) return DEAD;
        const prefix = (z << 6) | (b & 0x3f);
        if (y === 2 && (prefix < 0x20 || (prefix >= 0x360 && prefix <= 0x37f))) return DEAD;
        if (y === 3 && (prefix < 0x10 || prefix > 0x10f)) return DEAD;
        return this.part(data[o] === S_PART ? S_AT : T_AT, x, y - 1, prefix);
      }
      case S_ESC:
        return this.escapeStep(x, b);
      case S_HEX: {
        const d = hexValue(b);
        return d < 0 ? DEAD : this.hex(x, y - 1, (z << 4) | d);
      }
      case S_HEXU:
        if (hexValue(b) < 0) return DEAD;
        return x === 1 ? this.at(S_AT, y) : this.make3(S_HEXU, x - 1, y);
      case S_HI: {
        if (b === BACKSLASH) return this.hiEscapes(x, y) ? this.make3(S_HI_ESC, x, y) : DEAD;
        const lone = edgeTarget(this.terms.liveEdges(x), y, NEVER);
        return lone === NEVER ? DEAD : this.stringStep(lone, b);
      }
      case S_HI_ESC: {
        if (b === 0x75) return this.hiHex(x, y, 4, 0);
        const lone = edgeTarget(this.terms.liveEdges(x), y, NEVER);
        return lone === NEVER ? DEAD : this.escapeStep(lone, b);
      }
      case S_HI_HEX: {
        const d = hexValue(b);
        return d < 0 ? DEAD : this.hiHex(x, y, z - 1, (data[o + 4]! << 4) | d);
      }
      default:
        return DEAD;
    }
  }

  private stringStep(term: number, b: number): number {
    if (b === QUOTE) return this.terms.nullable(term) ? this.make2(S_END, term) : DEAD;
    if (b === BACKSLASH) return this.someEscape(term, isAny) ? this.make2(S_ESC, term) : DEAD;
    if (b < 0x20) return DEAD;
    if (b < 0x80) return this.at(S_AT, edgeTarget(this.terms.liveEdges(term), b, NEVER));
    return this.lead(S_AT, term, b);
  }

  private escapeStep(term: number, b: number): number {
    if (b === 0x75) return this.hex(term, 4, 0);
    const cp = simpleEscape(b);
    return cp < 0 || (cp === SLASH && this.terms.isLiteral(term))
      ? DEAD
      : this.at(S_AT, edgeTarget(this.terms.liveEdges(term), cp, NEVER));
  }

  private lead(mode: number, term: number, b: number): number {
    if (b >= 0xc2 && b <= 0xdf) return this.part(mode, term, 1, b & 0x1f);
    if (b >= 0xe0 && b <= 0xef) return this.part(mode, term, 2, b & 0x0f);
    if (b >= 0xf0 && b <= 0xf4) return this.part(mode, term, 3, b & 0x07);
    return DEAD;
  }

  /** State after a UTF-8 prefix with n continuation bytes to come. */
  private part(mode: number, term: number, n: number, prefix: number): number {
    const edges = this.terms.liveEdges(term);
    if (n === 0) return this.at(mode, edgeTarget(edges, prefix, NEVER));
    let lo = prefix << (6 * n);
    let hi = ((prefix + 1) << (6 * n)) - 1;
    let free = true;
    if (n === 2 && prefix === 0) {
      lo = 0x800;
      free = false;
    } else if (n === 2 && prefix === 0xd) {
      hi = 0xd7ff;
      free = false;
    } else if (n === 3 && prefix === 0) {
      lo = 0x10000;
      free = false;
    } else if (n === 3 && prefix === 4) {
      hi = 0x10ffff;
      free = false;
    }
    const i = firstEdgeFrom(edges, lo);
    if (i >= edges.length || edges[i]! > hi) return DEAD;
    if (free && edges[i]! <= lo && edges[i + 1]! >= hi)
      return this.make3(mode === S_AT ? S_CONT : T_CONT, n, edges[i + 2]!);
    return this.make4(mode === S_AT ? S_PART : T_PART, term, n, prefix);
  }

  /** State after `\u` and 4 - n digits. */
  private hex(term: number, n: number, prefix: number): number {
    const edges = this.hexEdges(term);
    const lo = prefix << (4 * n);
    const hi = ((prefix + 1) << (4 * n)) - 1;
    const surrogates = lo <= 0xdbff && hi >= 0xd800;
    if (!surrogates) {
      if (n === 0) return this.at(S_AT, edgeTarget(edges, prefix, NEVER));
      const i = firstEdgeFrom(edges, lo);
      if (i >= edges.length || edges[i]! > hi) return DEAD;
      if (edges[i]! <= lo && edges[i + 1]! >= hi) return this.make3(S_HEXU, n, edges[i + 2]!);
      return this.make4(S_HEX, term, n, prefix);
    }
    if (n === 0) {
      const lone = edgeTarget(edges, prefix, NEVER);
      const live = (lone !== NEVER && this.terms.nullable(lone)) || this.hiEscapes(term, prefix);
      return live ? this.make3(S_HI, term, prefix) : DEAD;
    }
    return this.someHex(term, lo, hi, isAny) ? this.make4(S_HEX, term, n, prefix) : DEAD;
  }

  /** Whether something may follow a high surrogate escape: its pair, or, where it may stand alone, anything but a low surrogate. */
  private hiEscapes(term: number, hi16: number): boolean {
    if (this.someBetween(term, pairOf(hi16, 0xdc00), pairOf(hi16, 0xdfff), isAny)) return true;
    const lone = edgeTarget(this.terms.liveEdges(term), hi16, NEVER);
    if (lone === NEVER) return false;
    return this.someBetween(lone, 0, 0xdbff, isAny) || this.someBetween(lone, 0xe000, 0x10ffff, isAny);
  }

  /** State after a high surrogate escape, `\u` and 4 - n digits. */
  private hiHex(term: number, hi16: number, n: number, prefix: number): number {
    if (n > 0) {
      const lo = prefix << (4 * n);
      const hi = ((prefix + 1) << (4 * n)) - 1;
      if (!this.someHiHex(term, hi16, lo, hi, isAny)) return DEAD;
      const t = this.tuple;
      t[0] = S_HI_HEX;
      t[1] = term;
      t[2] = hi16;
      t[3] = n;
      t[4] = prefix;
      return this.intern(5);
    }
    const edges = this.terms.liveEdges(term);
    if (prefix >= 0xdc00 && prefix <= 0xdfff) return this.at(S_AT, edgeTarget(edges, pairOf(hi16, prefix), NEVER));
    const lone = edgeTarget(edges, hi16, NEVER);
    return lone === NEVER ? DEAD : this.hex(lone, 0, prefix);
  }

  private at(mode: number, term: number): number {
    return term === NEVER ? DEAD : this.make2(mode, term);
  }

  /**
   * Bytes on which a state between code points may go on, as eight 32-bit words; a superset elsewhere (all bytes that the kind of
   * state can take).
   */
  firstBytes(q: number): Int32Array {
    const known = this.firsts[q];
    if (known !== undefined) return known;
    const out = new Int32Array(8);
    const { data, offsets } = this.states;
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
        if (this.someEscape(x, isAny)) setBit(out, BACKSLASH);
      }
    } else if (k === S_OPEN) setBit(out, QUOTE);
    else for (let b = 0; b < 256; b++) if (this.step(q, b) !== DEAD) setBit(out, b);
    this.firsts[q] = out;
    this.extraBytes += 80;
    return out;
  }

  private make2(kind: number, x: number): number {
    this.tuple[0] = kind;
    this.tuple[1] = x;
    return this.intern(2);
  }

  private make3(kind: number, x: number, y: number): number {
    this.tuple[0] = kind;
    this.tuple[1] = x;
    this.tuple[2] = y;
    return this.intern(3);
  }

  private make4(kind: number, x: number, y: number, z: number): number {
    this.tuple[0] = kind;
    this.tuple[1] = x;
    this.tuple[2] = y;
    this.tuple[3] = z;
    return this.intern(4);
  }

  private intern(len: number): number {
    const before = this.states.count;
    const id = this.states.intern(this.tuple, len);
    if (id === before) {
      if (id >= this.flags.length) {
        const flags = new Uint8Array(this.flags.length * 2);
        flags.set(this.flags);
        this.flags = flags;
        const visits = new Uint8Array(flags.length);
        visits.set(this.visits);
        this.visits = visits;
      }
      const kind = this.tuple[0]!;
      if (kind === S_END) this.flags[id] = ACCEPT | FINAL;
      else if (kind === T_AT) {
        const term = this.tuple[1]!;
        if (this.terms.nullable(term))
          this.flags[id] = this.terms.liveEdges(term).length === 0 ? ACCEPT | FINAL : ACCEPT;
      }
    }
    return id;
  }
}

function isAny(): boolean {
  return true;
}

function pairOf(hi: number, lo: number): number {
  return 0x10000 + ((hi - 0xd800) << 10) + (lo - 0xdc00);
}

function hexValue(b: number): number {
  if (b >= 0x30 && b <= 0x39) return b - 0x30;
  const c = b | 0x20;
  return c >= 0x61 && c <= 0x66 ? c - 0x57 : -1;
}

function simpleEscape(b: number): number {
  switch (b) {
    case 0x22:
    case 0x5c:
    case 0x2f:
      return b;
    case 0x62:
      return 0x08;
    case 0x66:
      return 0x0c;
    case 0x6e:
      return 0x0a;
    case 0x72:
      return 0x0d;
    case 0x74:
      return 0x09;
    default:
      return -1;
  }
}

/** Offset of the first triple whose end is at or after `cp`. */
function firstEdgeFrom(edges: Int32Array, cp: number): number {
  let lo = 0;
  let hi = edges.length / 3;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (edges[mid * 3 + 1]! < cp) lo = mid + 1;
    else hi = mid;
  }
  return lo * 3;
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
