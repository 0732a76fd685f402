/** Terms that the character or escape in progress of a lexeme state may lead to. */
import { edgeTarget } from '../regular/edges.js';
import { NEVER, type TermStore } from '../regular/terms.js';
import { type Escapes, pairOf } from './escapes.js';
import { S_CONT, S_ESC, S_HEX, S_HEXU, S_HI, S_HI_ESC, S_HI_HEX, S_PART, T_CONT, T_PART } from './lexeme-layout.js';
import type { LexemeStates } from './lexeme-states.js';
import { greatestOf, leastOf } from './utf8.js';

export class LexemeTargets {
  constructor(
    private readonly terms: TermStore,
    private readonly states: LexemeStates,
    private readonly escapes: Escapes,
  ) {}

  /**
   * Terms that the character or escape in progress may lead to (the state's own term between characters). Calls `visit` until it
   * returns true; returns whether it did.
   */
  some(q: number, visit: (term: number) => boolean): boolean {
    const { data, offsets } = this.states.tuples;
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
        return this.escapes.someBetween(x, leastOf(y, z), greatestOf(y, z), visit);
      case S_ESC:
        return this.escapes.someEscape(x, visit);
      case S_HEX:
        return this.escapes.someHex(x, z << (4 * y), ((z + 1) << (4 * y)) - 1, visit);
      case S_HI:
      case S_HI_ESC: {
        const lone = edgeTarget(this.terms.liveEdges(x), y, NEVER);
        if (lone !== NEVER && visit(lone)) return true;
        return this.escapes.someBetween(x, pairOf(y, 0xdc00), pairOf(y, 0xdfff), visit);
      }
      case S_HI_HEX: {
        const n = z;
        const prefix = data[o + 4]!;
        const lo = prefix << (4 * n);
        const hi = ((prefix + 1) << (4 * n)) - 1;
        return this.escapes.someHiHex(x, y, lo, hi, visit);
      }
      default:
        return visit(x);
    }
  }

  /** {@link some} for every target, with the bytes that the character or escape in progress still takes at least. */
  each(q: number, visit: (term: number, bytes: number) => void): void {
    const { data, offsets } = this.states.tuples;
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
      this.escapes.someEscape(x, (t) => {
        visit(t, this.escapes.escapeBytes(x, t));
        return false;
      });
      return;
    }
    this.some(q, (t) => {
      visit(t, left);
      return false;
    });
  }
}
