/**
 * The transitions of lexeme automata: UTF-8 (RFC 3629) for raw text, UTF-8 or JSON escapes (RFC 8259, section 7) for strings.
 */
import { edgeTarget } from '../regular/edges.js';
import { NEVER, type TermStore } from '../regular/terms.js';
import { type Escapes, isAny, pairOf, SLASH } from './escapes.js';
import { DEAD } from './layout.js';
import {
  BACKSLASH,
  QUOTE,
  S_AT,
  S_CONT,
  S_END,
  S_ESC,
  S_HEX,
  S_HEXU,
  S_HI,
  S_HI_ESC,
  S_HI_HEX,
  S_OPEN,
  S_PART,
  T_AT,
  T_CONT,
  T_PART,
} from './lexeme-layout.js';
import type { LexemeStates } from './lexeme-states.js';
import { greatestOf, leastOf } from './utf8.js';

export class LexemeSteps {
  constructor(
    private readonly terms: TermStore,
    private readonly states: LexemeStates,
    private readonly escapes: Escapes,
  ) {}

  /** Successor of a state by a byte, or DEAD. */
  compute(q: number, b: number): number {
    const { data, offsets } = this.states.tuples;
    const o = offsets[q]!;
    const x = data[o + 1]!;
    const y = data[o + 2]!;
    const z = data[o + 3]!;
    switch (data[o]) {
      case T_AT:
        if (b < 0x80) return this.at(T_AT, edgeTarget(this.terms.liveEdges(x), b, NEVER));
        return this.lead(T_AT, x, b);
      case S_OPEN:
        return b === QUOTE ? this.states.make2(S_AT, x) : DEAD;
      case S_AT:
        return this.stringStep(x, b);
      case T_CONT:
      case S_CONT: {
        if ((b & 0xc0) !== 0x80) return DEAD;
        const string = data[o] === S_CONT;
        return x === 1 ? this.at(string ? S_AT : T_AT, y) : this.states.make3(string ? S_CONT : T_CONT, x - 1, y);
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
        return x === 1 ? this.at(S_AT, y) : this.states.make3(S_HEXU, x - 1, y);
      case S_HI: {
        if (b === BACKSLASH) return this.escapes.hiEscapes(x, y) ? this.states.make3(S_HI_ESC, x, y) : DEAD;
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
    if (b === QUOTE) return this.terms.nullable(term) ? this.states.make2(S_END, term) : DEAD;
    if (b === BACKSLASH) return this.escapes.someEscape(term, isAny) ? this.states.make2(S_ESC, term) : DEAD;
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
    const lo = leastOf(n, prefix);
    const hi = greatestOf(n, prefix);
    // Whether any continuation bytes may follow.
    const free = hi - lo === (1 << (6 * n)) - 1;
    const i = firstEdgeFrom(edges, lo);
    if (i >= edges.length || edges[i]! > hi) return DEAD;
    if (free && edges[i]! <= lo && edges[i + 1]! >= hi)
      return this.states.make3(mode === S_AT ? S_CONT : T_CONT, n, edges[i + 2]!);
    return this.states.make4(mode === S_AT ? S_PART : T_PART, term, n, prefix);
  }

  /** State after `\u` and 4 - n digits. */
  private hex(term: number, n: number, prefix: number): number {
    const edges = this.escapes.hexEdges(term);
    const lo = prefix << (4 * n);
    const hi = ((prefix + 1) << (4 * n)) - 1;
    const surrogates = lo <= 0xdbff && hi >= 0xd800;
    if (!surrogates) {
      if (n === 0) return this.at(S_AT, edgeTarget(edges, prefix, NEVER));
      const i = firstEdgeFrom(edges, lo);
      if (i >= edges.length || edges[i]! > hi) return DEAD;
      if (edges[i]! <= lo && edges[i + 1]! >= hi) return this.states.make3(S_HEXU, n, edges[i + 2]!);
      return this.states.make4(S_HEX, term, n, prefix);
    }
    if (n === 0) {
      const lone = edgeTarget(edges, prefix, NEVER);
      const live = (lone !== NEVER && this.terms.nullable(lone)) || this.escapes.hiEscapes(term, prefix);
      return live ? this.states.make3(S_HI, term, prefix) : DEAD;
    }
    return this.escapes.someHex(term, lo, hi, isAny) ? this.states.make4(S_HEX, term, n, prefix) : DEAD;
  }

  /** State after a high surrogate escape, `\u` and 4 - n digits. */
  private hiHex(term: number, hi16: number, n: number, prefix: number): number {
    if (n > 0) {
      const lo = prefix << (4 * n);
      const hi = ((prefix + 1) << (4 * n)) - 1;
      if (!this.escapes.someHiHex(term, hi16, lo, hi, isAny)) return DEAD;
      return this.states.make5(S_HI_HEX, term, hi16, n, prefix);
    }
    const edges = this.terms.liveEdges(term);
    if (prefix >= 0xdc00 && prefix <= 0xdfff) return this.at(S_AT, edgeTarget(edges, pairOf(hi16, prefix), NEVER));
    const lone = edgeTarget(edges, hi16, NEVER);
    return lone === NEVER ? DEAD : this.hex(lone, 0, prefix);
  }

  private at(mode: number, term: number): number {
    return term === NEVER ? DEAD : this.states.make2(mode, term);
  }
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
