/**
 * The tokens that a slice leaves out, as a trie.
 *
 * Where a lexeme keeps taking some characters, the tokens made of these are in its mask already (slices.ts), and a walk looks
 * for the others: 3% of a vocabulary inside a string, but two thirds of the nodes that a walk of the whole trie sees are where
 * only tokens of the slice begin. Here they are left out, once for all lexemes with the same characters. Made as far as walks come:
 * a lexeme that takes digits only never sees most of the trie.
 */
import { type CharSet, keyOf } from './char-set.js';
import { ASCII_GROUP, NON_ASCII_GROUPS, type TokenTrie } from './trie.js';

/** Tokens end at a node, all of them in the slice. */
export const IN_SLICE = -2;
/** Children not yet found. */
const UNSEEN = -1;

/** Nodes on the way to tokens outside of a slice: four Int32 a node, as in the trie of the vocabulary but for what is said here. */
export class OutsideTrie {
  /** First child (after {@link childrenOf}); number of children << 8 | byte; first token that ends here outside the slice, {@link IN_SLICE} or -1; node of the vocabulary's trie. */
  nodes: Int32Array = new Int32Array(4 * 64);
  /** Code points from the root by node; -1 where the path left the characters of the slice, and the vocabulary's trie goes on. */
  private depths = new Int16Array(64);
  private count = 1;
  /** Most code points of what is left out; lengths are told apart up to 255. */
  private readonly depth: number;

  constructor(
    private readonly trie: TokenTrie,
    private readonly chars: CharSet,
    depth: number,
    private readonly dead: CharSet,
  ) {
    this.depth = depth < 255 ? depth : Number.POSITIVE_INFINITY;
    this.nodes.set([UNSEEN, trie.nodes[1]!, -1, 0]);
  }

  get bytes(): number {
    return this.nodes.byteLength + this.depths.byteLength + 100;
  }

  /** Whether all characters on the path to a node are the slice's: only then its children are here. */
  within(node: number): boolean {
    return this.depths[node]! >= 0;
  }

  /** Finds the children of a node within the slice's characters, on first use. Returns the first of them; `nodes` may be a new array afterwards. */
  childrenOf(node: number): number {
    const known = this.nodes[node * 4]!;
    if (known !== UNSEEN) return known;
    const { nodes, deepest, completes, letters } = this.trie;
    const { groups, small, capital } = this.chars;
    const { dead } = this;
    const outside = ~groups;
    // Below a node of these alone every token is in the slice, or dead where it leaves it.
    const further = ~(groups | dead.groups);
    const furtherSmall = ~(small | dead.small);
    const furtherCapital = ~(capital | dead.capital);
    const from = this.nodes[node * 4 + 3]!;
    const depth = this.depths[node]!;
    const first = nodes[from * 4]!;
    const last = first + (nodes[from * 4 + 1]! >>> 8);
    const made = this.count;
    this.reserve(made + last - first);
    const { nodes: own, depths } = this;
    let count = made;
    for (let c = first; c < last; c++) {
      const record = nodes[c * 4 + 1]!;
      const b = record & 0xff;
      let at = depth + 1;
      if (b >= 0x61 && b <= 0x7a) {
        if ((dead.small >>> (b - 0x61)) & 1) continue;
        if (!((small >>> (b - 0x61)) & 1)) at = -1;
      } else if (b >= 0x41 && b <= 0x5a) {
        if ((dead.capital >>> (b - 0x41)) & 1) continue;
        if (!((capital >>> (b - 0x41)) & 1)) at = -1;
      } else if (b < 0x80) {
        if ((dead.groups >>> ASCII_GROUP[b]!) & 1) continue;
        if ((outside >>> ASCII_GROUP[b]!) & 1) at = -1;
      } else if (b >= 0xc0) {
        if ((groups & NON_ASCII_GROUPS) === 0) at = -1;
      } else at = completes[c] !== 0 && (outside >>> completes[c]!) & 1 ? -1 : depth;
      let token = nodes[c * 4 + 2]!;
      // A token that ends within a character is in no slice.
      if (token >= 0 && at >= 0 && at <= this.depth && (b < 0x80 || completes[c] !== 0)) token = IN_SLICE;
      const covered =
        at >= 0 &&
        token < 0 &&
        (nodes[c * 4 + 3]! & further) === 0 &&
        (letters[c * 2]! & furtherSmall) === 0 &&
        (letters[c * 2 + 1]! & furtherCapital) === 0 &&
        at + deepest[c]! <= this.depth;
      if (covered) continue;
      const i = count * 4;
      own[i] = UNSEEN;
      own[i + 1] = record;
      own[i + 2] = token;
      own[i + 3] = c;
      depths[count++] = at;
    }
    this.count = count;
    this.nodes[node * 4] = made;
    this.nodes[node * 4 + 1] = ((this.count - made) << 8) | (this.nodes[node * 4 + 1]! & 0xff);
    return made;
  }

  private reserve(count: number): void {
    if (count <= this.depths.length) return;
    const capacity = Math.max(count, this.depths.length * 2);
    const nodes = new Int32Array(capacity * 4);
    nodes.set(this.nodes);
    this.nodes = nodes;
    const depths = new Int16Array(capacity);
    depths.set(this.depths);
    this.depths = depths;
  }
}

/** {@link OutsideTrie}s by slice, those used last. */
export class OutsideTries {
  private readonly cache = new Map<string, OutsideTrie>();

  constructor(
    private readonly trie: TokenTrie,
    private readonly limitBytes = 8 << 20,
  ) {}

  get bytes(): number {
    let bytes = 0;
    for (const t of this.cache.values()) bytes += t.bytes;
    return bytes;
  }

  /** Of the tokens of more code points than `depth`, or with a character that is not among `chars` and not after such with one of `dead`. */
  get(chars: CharSet, depth: number, dead: CharSet): OutsideTrie {
    const k = depth >= this.trie.deepest[0]! ? 255 : depth;
    const key = `${k},${keyOf(chars)},${keyOf(dead)}`;
    const known = this.cache.get(key);
    if (known !== undefined) {
      this.cache.delete(key);
      this.cache.set(key, known);
      return known;
    }
    this.bound();
    const made = new OutsideTrie(this.trie, chars, k, dead);
    this.cache.set(key, made);
    return made;
  }

  private bound(): void {
    // They grow while they are used, so this is counted when one is added.
    let held = this.bytes;
    for (const [key, t] of this.cache) {
      if (held <= this.limitBytes) return;
      held -= t.bytes;
      this.cache.delete(key);
    }
  }
}
