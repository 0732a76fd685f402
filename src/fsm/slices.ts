/**
 * Mask slices: the tokens made only of given character groups, up to a length in code points, as bitmasks shared by everything
 * that uses a vocabulary.
 *
 * A walk of the whole trie inside a JSON string costs milliseconds, and 95% of what it finds is always the same. A slice is that
 * 95%, computed once (a scan over the tokens' signatures) and copied from then on. Bounded in bytes; the oldest go first.
 */
import type { TokenTrie } from './trie.js';

/** Lists of tokens outside a signature that are kept. */
const MOST_OTHERS = 8;

export class Slices {
  private readonly cache = new Map<string, Uint32Array>();
  private readonly others = new Map<number, Int32Array>();
  /** Tokens by length, and where each length starts. */
  private readonly order: Int32Array;
  private readonly starts: Int32Array;
  /** Words of a mask. */
  readonly words: number;

  constructor(
    private readonly trie: TokenTrie,
    size: number,
    private readonly limitBytes = 16 << 20,
  ) {
    this.words = (size + 31) >> 5;
    const starts = new Int32Array(257);
    for (let t = 0; t < size; t++) starts[trie.tokenLength[t]! + 1]!++;
    for (let i = 0; i < 256; i++) starts[i + 1]! += starts[i]!;
    this.starts = starts.slice();
    this.order = new Int32Array(size);
    for (let t = 0; t < size; t++) this.order[starts[trie.tokenLength[t]!]!++] = t;
  }

  get bytes(): number {
    let bytes = this.cache.size * this.words * 4 + this.order.byteLength;
    for (const list of this.others.values()) bytes += list.byteLength;
    return bytes;
  }

  /** Tokens of more code points than `length`. */
  longerThan(length: number): Int32Array {
    return this.order.subarray(this.starts[Math.min(254, length) + 1]!);
  }

  /** Tokens with some character outside the groups of `signature`. Cached for the last few. */
  outside(signature: number): Int32Array {
    let known = this.others.get(signature);
    if (known === undefined) {
      const { tokenSignature } = this.trie;
      const { order } = this;
      known = order.subarray(this.starts[1]!).filter((t) => (tokenSignature[t]! & ~signature) !== 0);
      if (this.others.size >= MOST_OTHERS) this.others.clear();
      this.others.set(signature, known);
    }
    return known;
  }

  /** Tokens whose groups are within `signature` and whose length is at most `depth`. Not to be written to. */
  get(signature: number, depth: number): Uint32Array {
    const k = depth >= this.trie.deepest[0]! ? 255 : depth;
    const key = `${signature},${k}`;
    const known = this.cache.get(key);
    if (known !== undefined) return known;
    const made = this.make(signature, k);
    if ((this.cache.size + 1) * this.words * 4 > this.limitBytes) {
      const oldest = this.cache.keys().next().value;
      if (oldest !== undefined) this.cache.delete(oldest);
    }
    this.cache.set(key, made);
    return made;
  }

  private make(signature: number, k: number): Uint32Array {
    const { order, starts } = this;
    const { tokenSignature } = this.trie;
    const from = starts[1]!;
    const split = starts[Math.min(255, k) + 1]!;
    const total = order.length;
    const outside = ~signature;
    if (k < 255 && total - split < split - from) {
      // Nearer to the whole slice: copy it and clear the long ones.
      const mask = this.get(signature, 255).slice();
      for (let i = split; i < total; i++) {
        const t = order[i]!;
        mask[t >> 5]! &= ~(1 << (t & 31));
      }
      return mask;
    }
    const mask = new Uint32Array(this.words);
    for (let i = from; i < split; i++) {
      const t = order[i]!;
      if ((tokenSignature[t]! & outside) === 0) mask[t >> 5]! |= 1 << (t & 31);
    }
    return mask;
  }
}
