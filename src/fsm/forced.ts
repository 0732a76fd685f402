/** Which trailing part of forced bytes a longer token could swallow together with what follows. */
import { DEAD } from './layout.js';
import type { Recognizer } from './recognizer.js';
import { trieOf } from './trie.js';
import type { Vocabulary } from './vocabulary.js';

/**
 * Whether some token spells bytes[from..] and then at least one more byte that the grammar allows after `state` (the state at the
 * end of the bytes).
 */
export function absorbs(
  recognizer: Recognizer,
  vocabulary: Vocabulary,
  bytes: Uint8Array,
  from: number,
  state: number,
): boolean {
  const { nodes } = trieOf(vocabulary);
  let node = 0;
  for (let i = from; i < bytes.length; i++) {
    const first = nodes[node * 4]!;
    const last = first + (nodes[node * 4 + 1]! >>> 8);
    let child = -1;
    for (let c = first; c < last; c++)
      if ((nodes[c * 4 + 1]! & 0xff) === bytes[i]) {
        child = c;
        break;
      }
    if (child < 0) return false;
    node = child;
  }
  const open: number[] = [node, state];
  while (open.length > 0) {
    const s = open.pop()!;
    const n = open.pop()!;
    const first = nodes[n * 4]!;
    const last = first + (nodes[n * 4 + 1]! >>> 8);
    for (let c = first; c < last; c++) {
      const next = recognizer.step(s, nodes[c * 4 + 1]! & 0xff);
      if (next === DEAD) continue;
      if (nodes[c * 4 + 2]! >= 0) return true;
      open.push(c, next);
    }
  }
  return false;
}
