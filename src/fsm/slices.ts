/**
 * Mask slices: the tokens made only of given character groups, up to a length in code points, as bitmasks shared by everything
 * that uses a vocabulary.
 *
 * A walk of the whole trie inside a JSON string costs milliseconds, and 95% of what it finds is always the same. A slice is that
 * 95%, computed once and copied from then on. Tokens lie by what groups they have (a few thousand different sets in 200,000 tokens),
 * so a slice costs what it holds or what it lacks, whichever is less. Bounded in bytes; the oldest go first.
 */
import { type CharSet, keyOf, splitsLetters } from './char-set.js';
import type { TokenTrie } from './trie.js';

/** Lists of tokens outside a signature that are kept. */
const MOST_OTHERS = 8;

export class Slices {
  private readonly cache = new Map<string, Uint32Array>();
  private readonly others = new Map<number, Int32Array>();
  /** Tokens by length, and where each length starts. */
  private readonly order: Int32Array;
  private readonly starts: Int32Array;
  /** Tokens with bytes by signature, then length; the signatures, and where the tokens of each start. */
  private readonly alike: Int32Array;
  private readonly signatures: Int32Array;
  private readonly classes: Int32Array;
  /** All tokens with bytes. */
  private readonly all: Uint32Array;
  /** The tokens with each small letter, then each capital. */
  private readonly letters: readonly Uint32Array[];
  /** Words of a mask. */
  readonly words: number;

  constructor(
    private readonly trie: TokenTrie,
    size: number,
    private readonly limitBytes = 16 << 20,
  ) {
    this.words = (size + 31) >> 5;
    const { tokenSignature, tokenLength } = trie;
    const starts = new Int32Array(257);
    for (let t = 0; t < size; t++) starts[tokenLength[t]! + 1]!++;
    for (let i = 0; i < 256; i++) starts[i + 1]! += starts[i]!;
    this.starts = starts.slice();
    this.order = new Int32Array(size);
    for (let t = 0; t < size; t++) this.order[starts[tokenLength[t]!]!++] = t;

    const spelled = this.order.subarray(this.starts[1]!);
    const classOf = new Map<number, number>();
    for (const t of spelled) if (!classOf.has(tokenSignature[t]!)) classOf.set(tokenSignature[t]!, classOf.size);
    this.signatures = Int32Array.from(classOf.keys());
    const classes = new Int32Array(classOf.size + 1);
    for (const t of spelled) classes[classOf.get(tokenSignature[t]!)! + 1]!++;
    for (let i = 0; i < classOf.size; i++) classes[i + 1]! += classes[i]!;
    this.classes = classes.slice();
    this.alike = new Int32Array(spelled.length);
    this.all = new Uint32Array(this.words);
    this.letters = tokensByLetter(trie, this.words);
    for (const t of spelled) {
      this.alike[classes[classOf.get(tokenSignature[t]!)!]!++] = t;
      this.all[t >> 5]! |= 1 << (t & 31);
    }
  }

  get bytes(): number {
    let bytes = (this.cache.size + 1) * this.words * 4 + this.order.byteLength + this.alike.byteLength;
    bytes += this.letters.length * this.words * 4;
    for (const list of this.others.values()) bytes += list.byteLength;
    return bytes;
  }

  /** Tokens of more code points than `length`; those of 255 and more count as longer than any. */
  longerThan(length: number): Int32Array {
    return this.order.subarray(this.starts[Math.min(254, length) + 1]!);
  }

  /** Tokens with some character outside the groups of `signature`. Cached for the last few. */
  outside(signature: number): Int32Array {
    let known = this.others.get(signature);
    if (known === undefined) {
      const { signatures, classes, alike } = this;
      const parts: Int32Array[] = [];
      let n = 0;
      for (let i = 0; i < signatures.length; i++) {
        if ((signatures[i]! & ~signature) === 0) continue;
        const part = alike.subarray(classes[i]!, classes[i + 1]!);
        parts.push(part);
        n += part.length;
      }
      known = new Int32Array(n);
      n = 0;
      for (const part of parts) {
        known.set(part, n);
        n += part.length;
      }
      if (this.others.size >= MOST_OTHERS) this.others.clear();
      this.others.set(signature, known);
    }
    return known;
  }

  /** How many tokens a slice has. */
  count(signature: number, depth: number): number {
    const { signatures } = this;
    let n = 0;
    for (let i = 0; i < signatures.length; i++)
      if ((signatures[i]! & ~signature) === 0) n += this.endOf(i, depth) - this.classes[i]!;
    return n;
  }

  /** Tokens whose groups are within `signature` and whose length is at most `depth`. Not to be written to. */
  get(signature: number, depth: number): Uint32Array {
    const k = depth >= this.trie.deepest[0]! ? 255 : depth;
    return this.cached(`${signature},${k}`, () => this.make(signature, k));
  }

  /** As {@link get}, of characters where some letters of a group may be missing. */
  ofChars(chars: CharSet, depth: number): Uint32Array {
    const { groups, small, capital } = chars;
    if (!splitsLetters(chars)) return this.get(groups, depth);
    const k = depth >= this.trie.deepest[0]! ? 255 : depth;
    return this.cached(`${k},${keyOf(chars)}`, () => {
      const mask = this.get(groups, k).slice();
      for (let i = 0; i < 26; i++) {
        if (!((small >>> i) & 1)) takeAway(mask, this.letters[i]!);
        if (!((capital >>> i) & 1)) takeAway(mask, this.letters[26 + i]!);
      }
      return mask;
    });
  }

  private cached(key: string, make: () => Uint32Array): Uint32Array {
    const known = this.cache.get(key);
    if (known !== undefined) return known;
    const made = make();
    if ((this.cache.size + 1) * this.words * 4 > this.limitBytes) {
      const oldest = this.cache.keys().next().value;
      if (oldest !== undefined) this.cache.delete(oldest);
    }
    this.cache.set(key, made);
    return made;
  }

  private make(signature: number, k: number): Uint32Array {
    const { signatures, classes, alike } = this;
    if (this.count(signature, k) * 2 < alike.length) {
      const mask = new Uint32Array(this.words);
      for (let i = 0; i < signatures.length; i++)
        if ((signatures[i]! & ~signature) === 0)
          for (let j = classes[i]!, end = this.endOf(i, k); j < end; j++)
            mask[alike[j]! >> 5]! |= 1 << (alike[j]! & 31);
      return mask;
    }
    const mask = this.all.slice();
    for (let i = 0; i < signatures.length; i++) {
      const from = (signatures[i]! & ~signature) === 0 ? this.endOf(i, k) : classes[i]!;
      for (let j = from, end = classes[i + 1]!; j < end; j++) mask[alike[j]! >> 5]! &= ~(1 << (alike[j]! & 31));
    }
    return mask;
  }

  /** Where the tokens of a class that are longer than `k` begin. */
  private endOf(i: number, k: number): number {
    const { alike } = this;
    const { tokenLength } = this.trie;
    let lo = this.classes[i]!;
    let hi = this.classes[i + 1]!;
    if (k >= 255) return hi;
    while (lo < hi) {
      const mid = (lo + hi) >> 1;
      if (tokenLength[alike[mid]!]! <= k) lo = mid + 1;
      else hi = mid;
    }
    return lo;
  }
}

function takeAway(mask: Uint32Array, less: Uint32Array): void {
  for (let i = 0; i < mask.length; i++) mask[i]! &= ~less[i]!;
}

/** The tokens with each letter: 26 masks for small ones, 26 for capitals. */
function tokensByLetter(trie: TokenTrie, words: number): readonly Uint32Array[] {
  const { nodes, count, same } = trie;
  const out = Array.from({ length: 52 }, () => new Uint32Array(words));
  const small = new Int32Array(count);
  const capital = new Int32Array(count);
  for (let node = 0; node < count; node++) {
    for (let t = nodes[node * 4 + 2]!; t >= 0; t = same[t]!) {
      for (let rest = small[node]!; rest !== 0; rest &= rest - 1)
        out[31 - Math.clz32(rest & -rest)]![t >> 5]! |= 1 << (t & 31);
      for (let rest = capital[node]!; rest !== 0; rest &= rest - 1)
        out[57 - Math.clz32(rest & -rest)]![t >> 5]! |= 1 << (t & 31);
    }
    const first = nodes[node * 4]!;
    for (let c = first, end = first + (nodes[node * 4 + 1]! >>> 8); c < end; c++) {
      const b = nodes[c * 4 + 1]! & 0xff;
      small[c] = b >= 0x61 && b <= 0x7a ? small[node]! | (1 << (b - 0x61)) : small[node]!;
      capital[c] = b >= 0x41 && b <= 0x5a ? capital[node]! | (1 << (b - 0x41)) : capital[node]!;
    }
  }
  return out;
}
