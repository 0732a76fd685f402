/**
 * Vocabularies that cannot spell every byte: which states can be completed with whole tokens.
 *
 * Elsewhere liveness is a matter of bytes: a state is alive when some bytes complete it. Where every byte is a token that is the same
 * thing. WordPiece and Unigram vocabularies without byte fallback lack bytes, so a state can be alive in bytes and still have no
 * token: `{` without `}`. Here a state counts as alive only when a sequence of tokens that completes it was found, by a search
 * over states at token borders, nearest to complete first. What is found is written down once, for each state on the way, and
 * never changed: so a state that needs n tokens always has a successor that needs n - 1, masks and `accept` agree, and a budget
 * is kept as in budget.ts. A search that gives up (only where the grammar nests without end and the vocabulary cannot close it)
 * counts as dead, which narrows and never misleads.
 *
 * Price: masks come from a walk of the whole trie below the state, kept by state in a cache bounded in bytes.
 */
import type { Budget } from './budget.js';
import { Distances } from './distance.js';
import { DEAD } from './layout.js';
import type { Recognizer } from './recognizer.js';
import { afterToken } from './terminals.js';
import type { TokenTrie } from './trie.js';
import type { Vocabulary } from './vocabulary.js';

const FAR = Number.POSITIVE_INFINITY;
/** Trie edges that one search may walk, and states that it may meet, before it gives up (about half a second). */
const MOST_EDGES = 2_000_000;
const MOST_STATES = 1 << 14;
const MOST_CACHED_BYTES = 16 << 20;

/** Whether every byte that UTF-8 text can contain is a token by itself. */
export function spellsEveryByte(trie: TokenTrie): boolean {
  for (let b = 0; b < 0xf5; b++) {
    if (b === 0xc0 || b === 0xc1) continue;
    const child = trie.rootChild[b]!;
    if (child < 0 || trie.nodes[child * 4 + 2]! < 0) return false;
  }
  return true;
}

/** Tokens by the state they lead to. */
interface Successors {
  readonly states: readonly number[];
  readonly tokens: readonly Int32Array[];
}

export class Spelling {
  private readonly distances: Distances;
  private readonly known = new Map<number, number>();
  private readonly cache = new Map<number, Successors>();
  private cachedBytes = 0;
  private edges = 0;

  constructor(
    private readonly recognizer: Recognizer,
    private readonly trie: TokenTrie,
    private readonly budget: Budget,
    private readonly vocabulary: Vocabulary,
  ) {
    this.distances = new Distances(recognizer);
  }

  /** Tokens that complete a state (0 where it is complete), as many as the found way has; Infinity where none was found. */
  needed(state: number): number {
    const from = this.budget.plain(state);
    return this.known.get(from) ?? this.search(from);
  }

  /** Writes the tokens after which at most `left` more are needed. */
  fill(state: number, left: number, mask: Uint32Array): void {
    mask.fill(0);
    const { states, tokens } = this.successors(state);
    for (let i = 0; i < states.length; i++) {
      const n = this.needed(states[i]!);
      if (n === FAR || n > left) continue;
      const ids = tokens[i]!;
      for (let k = 0; k < ids.length; k++) mask[ids[k]! >> 5]! |= 1 << (ids[k]! & 31);
    }
  }

  /** Best first: by tokens so far and bytes still missing. */
  private search(start: number): number {
    const { recognizer, distances, known } = this;
    const parents = new Map<number, number>([[start, -1]]);
    const depths = new Map<number, number>([[start, 0]]);
    const open = new Heap();
    open.push(distances.of(start), start);
    this.edges = 0;
    for (let at = open.pop(); at >= 0; at = open.pop()) {
      const done = recognizer.accepts(at) ? 0 : known.get(at);
      if (done === FAR) continue;
      if (done !== undefined) {
        let n = done;
        for (let s = at; s >= 0; s = parents.get(s)!) known.set(s, n++);
        return n - 1;
      }
      if (this.edges > MOST_EDGES || parents.size > MOST_STATES) {
        known.set(start, FAR);
        return FAR;
      }
      const depth = depths.get(at)! + 1;
      for (const next of this.successors(at).states) {
        if (parents.has(next)) continue;
        parents.set(next, at);
        depths.set(next, depth);
        open.push(depth + distances.of(next), next);
      }
    }
    // Everything that can be reached was seen, and nothing of it can end.
    for (const s of parents.keys()) known.set(s, FAR);
    return FAR;
  }

  private successors(state: number): Successors {
    const cached = this.cache.get(state);
    if (cached !== undefined) return cached;
    const found = new Map<number, number[]>();
    const add = (next: number, token: number): void => {
      const plain = this.budget.plain(next);
      const list = found.get(plain);
      if (list === undefined) found.set(plain, [token]);
      else list.push(token);
    };
    if (this.recognizer.wantsToken(state)) this.scan(state, add);
    else this.walk(state, add);
    const made: Successors = {
      states: [...found.keys()],
      tokens: [...found.values()].map((list) => Int32Array.from(list)),
    };
    let bytes = 64;
    for (const list of made.tokens) bytes += 48 + list.byteLength;
    if (this.cachedBytes + bytes > MOST_CACHED_BYTES) {
      this.cache.clear();
      this.cachedBytes = 0;
    }
    this.cache.set(state, made);
    this.cachedBytes += bytes;
    return made;
  }

  /** Every token by itself: token terminals are not in the trie. */
  private scan(state: number, add: (next: number, token: number) => void): void {
    const { vocabulary } = this;
    this.edges += vocabulary.size;
    for (let t = 0; t < vocabulary.size; t++) {
      if (vocabulary.isEos(t)) continue;
      const next = afterToken(this.recognizer, vocabulary, state, t);
      if (next !== DEAD) add(next, t);
    }
  }

  private walk(start: number, add: (next: number, token: number) => void): void {
    const { recognizer } = this;
    const { nodes, same } = this.trie;
    const stack: number[] = [0, start];
    while (stack.length > 0) {
      const state = stack.pop()!;
      const node = stack.pop()!;
      const first = nodes[node * 4]!;
      const last = first + (nodes[node * 4 + 1]! >>> 8);
      const bits = recognizer.nextBytes(state);
      this.edges += last - first;
      for (let c = first; c < last; c++) {
        const byte = nodes[c * 4 + 1]! & 0xff;
        if (((bits[byte >> 5]! >>> (byte & 31)) & 1) === 0) continue;
        const next = recognizer.step(state, byte);
        if (next === DEAD) continue;
        for (let t = nodes[c * 4 + 2]!; t >= 0; t = same[t]!) add(next, t);
        if (nodes[c * 4 + 1]! >>> 8 !== 0) stack.push(c, next);
      }
    }
  }
}

/** A binary heap of (priority, value), least priority first; equal priorities in any order that repeats. */
class Heap {
  private readonly priorities: number[] = [];
  private readonly values: number[] = [];

  push(priority: number, value: number): void {
    const { priorities, values } = this;
    let i = values.length;
    values.push(value);
    priorities.push(priority);
    while (i > 0) {
      const up = (i - 1) >> 1;
      if (priorities[up]! <= priority) break;
      priorities[i] = priorities[up]!;
      values[i] = values[up]!;
      i = up;
    }
    priorities[i] = priority;
    values[i] = value;
  }

  /** The least value, or -1 where there is none. */
  pop(): number {
    const { priorities, values } = this;
    const top = values[0];
    if (top === undefined) return -1;
    const priority = priorities.pop()!;
    const value = values.pop()!;
    const n = values.length;
    if (n === 0) return top;
    let i = 0;
    for (;;) {
      let down = 2 * i + 1;
      if (down >= n) break;
      if (down + 1 < n && priorities[down + 1]! < priorities[down]!) down++;
      if (priorities[down]! >= priority) break;
      priorities[i] = priorities[down]!;
      values[i] = values[down]!;
      i = down;
    }
    priorities[i] = priority;
    values[i] = value;
    return top;
  }
}
