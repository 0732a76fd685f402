/**
 * How much a token can make necessary after which an item in progress could still become one that is there, or one that is still to come.
 *
 * What any token can make necessary (reach.ts) is found without the texts of items, since after most tokens an item differs from all others.
 * After the few others the text decides: the item may have to become longer than what is needed. Their states are asked, in a walk of the
 * token trie that stops where the item has come to differ. Cached per state.
 */
import { DEAD } from './layout.js';
import type { Recognizer } from './recognizer.js';
import type { TokenTrie } from './trie.js';

export class Near {
  private readonly known: (number | undefined)[] = [];

  /**
   * @param plain A state without the texts that the policy cannot want.
   * @param measure What is needed after a plain state.
   */
  constructor(
    private readonly recognizer: Recognizer,
    private readonly trie: TokenTrie,
    private readonly plain: (state: number) => number,
    private readonly measure: (state: number) => number,
  ) {}

  /** Whether a plain state remembers an object or array item in progress. */
  remembers(state: number): boolean {
    const capture = this.recognizer.captureOf(state);
    return capture >= 0 && this.recognizer.captures.isKept(capture);
  }

  /** The most that is needed after any token that leaves a plain state as one that {@link remembers}. */
  of(state: number): number {
    let most = this.known[state];
    if (most === undefined) {
      most = this.find(state);
      this.known[state] = most;
    }
    return most;
  }

  private find(start: number): number {
    const { recognizer } = this;
    const { nodes } = this.trie;
    const stack: number[] = [0, start];
    let most = 0;
    while (stack.length > 0) {
      const state = stack.pop()!;
      const node = stack.pop()!;
      const first = nodes[node * 4]!;
      const last = first + (nodes[node * 4 + 1]! >>> 8);
      const bits = recognizer.nextBytes(state);
      for (let c = first; c < last; c++) {
        const byte = nodes[c * 4 + 1]! & 0xff;
        if (((bits[byte >> 5]! >>> (byte & 31)) & 1) === 0) continue;
        const reached = recognizer.step(state, byte);
        if (reached === DEAD) continue;
        const next = this.plain(reached);
        if (!this.remembers(next)) continue;
        if (nodes[c * 4 + 2]! >= 0) most = Math.max(most, this.measure(next));
        if (nodes[c * 4 + 1]! >>> 8 !== 0) stack.push(c, next);
      }
    }
    return most;
  }
}
