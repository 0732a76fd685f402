/** How far a lexeme state is from where its lexeme may end, in bytes. */
import { TermDistances } from '../regular/distance.js';
import { edgeTarget } from '../regular/edges.js';
import { NEVER, type TermStore } from '../regular/terms.js';
import { type Escapes, pairOf, SIMPLE_ESCAPES, SLASH } from './escapes.js';
import {
  S_AT,
  S_CONT,
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

export class LexemeDistances {
  private readonly textDistance: TermDistances;
  private readonly stringDistance: TermDistances;

  constructor(
    private readonly terms: TermStore,
    private readonly states: LexemeStates,
    private readonly escapes: Escapes,
  ) {
    this.textDistance = new TermDistances(terms, 'text');
    this.stringDistance = new TermDistances(terms, 'string');
  }

  get bytes(): number {
    return this.textDistance.bytes + this.stringDistance.bytes;
  }

  /** Fewest bytes until the lexeme may end (0 where it may end here). */
  of(q: number): number {
    if (this.states.accepts(q)) return 0;
    const { data, offsets } = this.states.tuples;
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
        return y + this.nearest(x, leastOf(y, z), greatestOf(y, z), this.textDistance);
      case S_PART:
        return y + 1 + this.nearest(x, leastOf(y, z), greatestOf(y, z), this.stringDistance);
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
    this.escapes.someBetween(term, lo, hi, visit, edges);
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
    let best = this.nearest(term, lo, hi, this.stringDistance, this.escapes.hexEdges(term));
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
}
