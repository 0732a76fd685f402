/** A walk over the token trie and the recognizer together. Hot: one step per trie edge that the state allows. */
import { DEAD } from './layout.js';
import type { Recognizer } from './recognizer.js';
import type { Run } from './run.js';
import { ASCII_GROUP, NON_ASCII_GROUPS, type TokenTrie } from './trie.js';

/**
 * Visits the first token of each trie node that a state allows, with the state after it.
 *
 * @param run Characters whose tokens the caller knows already: subtrees of them alone are left out, as long as the path is of them too.
 * @param plain Applied to each state that is reached.
 */
export function walkTokens(
  recognizer: Recognizer,
  trie: TokenTrie,
  start: number,
  run: Run | undefined,
  plain: (state: number) => number,
  visit: (first: number, state: number) => void,
): void {
  const { nodes, deepest, completes } = trie;
  const signature = run === undefined ? 0 : run.signature;
  const outside = ~signature;
  const longest = run === undefined ? 0 : run.depth;
  // Node, state, characters of the run so far (-1: the path left the run).
  const stack: number[] = [0, start, run === undefined ? -1 : 0];
  while (stack.length > 0) {
    const inRun = stack.pop()!;
    const state = stack.pop()!;
    const node = stack.pop()!;
    const first = nodes[node * 4]!;
    const last = first + (nodes[node * 4 + 1]! >>> 8);
    const bits = recognizer.nextBytes(state);
    for (let c = first; c < last; c++) {
      const record = nodes[c * 4 + 1]!;
      const byte = record & 0xff;
      if (((bits[byte >> 5]! >>> (byte & 31)) & 1) === 0) continue;
      let depth = inRun;
      // Characters beyond ASCII count at their first byte, and tell their group at their last.
      if (depth >= 0) {
        if (byte < 0x80) depth = ((signature >>> ASCII_GROUP[byte]!) & 1) === 1 ? depth + 1 : -1;
        else if (byte >= 0xc0) depth = (signature & NON_ASCII_GROUPS) !== 0 ? depth + 1 : -1;
        else if (completes[c] !== 0 && ((signature >>> completes[c]!) & 1) === 0) depth = -1;
      }
      // Below, only tokens of the run: skipped. So is the node's own, unless it may stop inside a character.
      const known = depth >= 0 && (nodes[c * 4 + 3]! & outside) === 0 && depth + deepest[c]! <= longest;
      if (known && (byte < 0x80 || nodes[c * 4 + 2]! < 0)) continue;
      const reached = recognizer.step(state, byte);
      if (reached === DEAD) continue;
      const next = plain(reached);
      if (nodes[c * 4 + 2]! >= 0) visit(nodes[c * 4 + 2]!, next);
      if (!known && record >>> 8 !== 0) stack.push(c, next, depth);
    }
  }
}
