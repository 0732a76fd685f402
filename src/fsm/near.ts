/**
 * How much a token can make necessary where the text of a key or item in progress decides.
 *
 * What any token can make necessary (reach.ts) is found as if each key and item came to differ from all others, which is so after most tokens.
 * After the few others the text decides: an item may have to become longer than what is needed, or the policy may want the same one later. Their
 * states are asked, in a walk of the token trie that stops where the text has come to differ from what it was remembered for, and at the
 * comma behind it (further.ts goes on there). Cached per state.
 */
import { CAPTURE, DEAD, DYN, ITEM } from './layout.js';
import type { Recognizer } from './recognizer.js';
import type { TokenTrie } from './trie.js';

const COMMA = 0x2c;

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

  /** Whether a plain state remembers the text of a key or item in progress. */
  remembers(state: number): boolean {
    const { configs, states, captures } = this.recognizer;
    for (let i = states.offsets[state]!, end = states.offsets[state + 1]!; i < end; i++) {
      const o = configs.offsets[states.data[i]!]!;
      const kind = configs.data[o]!;
      if (
        kind === CAPTURE ? captures.isKept(configs.data[o + 1]!) : isText(kind) && captures.isKept(configs.data[o + 2]!)
      )
        return true;
    }
    return false;
  }

  /** The most that is needed after any token before which, or in which, a plain state that {@link remembers} a text comes to need it. */
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
      const remembered = this.remembers(state);
      for (let c = first; c < last; c++) {
        const byte = nodes[c * 4 + 1]! & 0xff;
        if (((bits[byte >> 5]! >>> (byte & 31)) & 1) === 0) continue;
        const reached = recognizer.step(state, byte);
        if (reached === DEAD) continue;
        const next = this.plain(reached);
        if (!this.remembers(next)) {
          const differs = remembered && next !== reached;
          if (differs || (byte === COMMA && !recognizer.inLexeme(state, byte))) continue;
        }
        if (nodes[c * 4 + 2]! >= 0) most = Math.max(most, this.measure(next));
        if (nodes[c * 4 + 1]! >>> 8 !== 0) stack.push(c, next);
      }
    }
    return most;
  }
}

const isText = (kind: number): boolean => kind === DYN || kind === ITEM;
