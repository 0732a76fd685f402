/**
 * How much any one token from a state can make necessary, at most.
 *
 * Asking the state after each of 100,000 tokens costs milliseconds. Tokens that end inside a wide lexeme (string content) need
 * what the lexeme needs at its farthest and then what follows it; those that cross its end are few, and so are those of narrow
 * lexemes: their states are asked. Cached per state.
 */
import { isLexeme, othersOf } from './configs.js';
import { DEAD } from './layout.js';
import type { MaskShare } from './mask-share.js';
import type { Recognizer } from './recognizer.js';
import type { Residual } from './residual.js';
import { walkTokens } from './token-walk.js';

export class Reach {
  private readonly known: (number | undefined)[] = [];

  /**
   * @param measure What is needed after a state.
   * @param measureTail At least what is needed after a state or any state that comes after it on the way to the end.
   */
  constructor(
    private readonly recognizer: Recognizer,
    private readonly share: MaskShare,
    private readonly measure: (state: number) => number,
    private readonly measureTail: (state: number) => number,
  ) {}

  of(state: number): number {
    let far = this.known[state];
    if (far === undefined) {
      far = this.find(state);
      this.known[state] = far;
    }
    return far;
  }

  private find(state: number): number {
    const { recognizer, share } = this;
    const { configs } = recognizer;
    let far = 0;
    const wantsToken = recognizer.wantsToken(state);
    const narrow = othersOf(recognizer, state, (o) => {
      const kind = configs.data[o]!;
      const q = configs.data[o + 1]!;
      if (wantsToken || !isLexeme(kind) || !share.lexemes.isWide(q)) return false;
      const follow = recognizer.afterUnlike(kind, configs.data[o + 3]!);
      if (follow === DEAD) return false;
      far = Math.max(far, share.lexemes.farthest(q) + this.measureTail(follow));
      far = Math.max(far, this.crossing(share.lexemes.get(q).residual, follow));
      return true;
    });
    if (narrow === DEAD) return far;
    walkTokens(
      recognizer,
      share.trie,
      narrow,
      undefined,
      (s) => s,
      (_first, next) => {
        far = Math.max(far, this.measure(next));
      },
    );
    return far;
  }

  /** Tokens that end a lexeme and go on in a state. */
  private crossing(residual: Residual, state: number): number {
    const { recognizer, share } = this;
    const bits = recognizer.nextBytes(state);
    let far = 0;
    for (const edge of share.lexemes.residuals.childrenOf(residual)) {
      if (((bits[edge.byte >> 5]! >>> (edge.byte & 31)) & 1) === 0) continue;
      const next = recognizer.step(state, edge.byte);
      if (next === DEAD) continue;
      if (edge.tokens.length > 0) far = Math.max(far, this.measure(next));
      if (edge.to.nodes.length > 0) far = Math.max(far, this.crossing(edge.to, next));
    }
    return far;
  }
}
