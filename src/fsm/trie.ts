/**
 * The vocabulary as a trie, laid out for guided walks.
 *
 * Trying every token against the automaton costs 100,000 walks per mask. In the trie a byte that the automaton refuses cuts off
 * every token below it. Children of a node are consecutive, so a walk can scan or search them; each subtree carries a
 * signature of the character groups below it and its greatest length in code points, so a walk can skip a subtree whose tokens
 * are known to be allowed (mask slices, see slices.ts).
 *
 * Layout (docs/tables.md): four Int32 per node: first child; number of children << 8 | byte that leads here; first token that ends here or -1;
 * signature of the subtree below. The root is 0, parents come before their children, and blocks of children lie in the order in which a
 * walk with a stack comes to them (last child first): a walk that waits for memory then reads ahead.
 */
import type { Vocabulary } from './vocabulary.js';

/** Character groups, the unit of signatures. Beyond ASCII: what `\s` matches, which `\S` and `.` leave out in part, and all other characters. */
export const GROUP_NON_ASCII = 27;
export const GROUP_NON_ASCII_SPACE = 28;
export const NON_ASCII_GROUPS = (1 << GROUP_NON_ASCII) | (1 << GROUP_NON_ASCII_SPACE);
/** Groups of letters, which `letters` tells apart. */
export const LETTER_GROUPS = 0b11110;
/** Bytes that are not whole characters at token borders, or not UTF-8 at all. */
export const GROUP_PARTIAL = 29;

const GROUP_CHARS: readonly string[] = [
  '0123456789',
  'abcdef',
  'ghijklmnopqrstuvwxyz',
  'ABCDEF',
  'GHIJKLMNOPQRSTUVWXYZ',
  ' ',
  '-',
  '_',
  '.',
  ',',
  ':',
  '/',
  '@',
  "'",
  '"',
  '\\',
  '()',
  '[]',
  '{}',
  '<>',
  '=+*%',
  '&#;!?$',
  '^~|`',
  '\t',
  '\n',
  '\r',
];

/** Group of each byte below 128. */
export const ASCII_GROUP: Uint8Array = (() => {
  const out = new Uint8Array(128).fill(26);
  GROUP_CHARS.forEach((chars, g) => {
    for (const c of chars) out[c.charCodeAt(0)] = g;
  });
  return out;
})();

/** White space and line terminators beyond ASCII (ECMA-262, `\s`), as ranges. */
export const NON_ASCII_SPACES: readonly number[] = [
  0xa0, 0xa0, 0x1680, 0x1680, 0x2000, 0x200a, 0x2028, 0x2029, 0x202f, 0x202f, 0x205f, 0x205f, 0x3000, 0x3000, 0xfeff,
  0xfeff,
];

/** Characters beyond ASCII that UTF-8 can spell, less {@link NON_ASCII_SPACES}, as ranges. */
export const OTHER_NON_ASCII: readonly number[] = (() => {
  const out: number[] = [];
  let at = 0x80;
  const gap = (lo: number, hi: number): void => {
    if (lo > at) out.push(at, lo - 1);
    at = hi + 1;
  };
  for (let i = 0; i < NON_ASCII_SPACES.length; i += 2) {
    if (at < 0xd800 && NON_ASCII_SPACES[i]! > 0xdfff) gap(0xd800, 0xdfff);
    gap(NON_ASCII_SPACES[i]!, NON_ASCII_SPACES[i + 1]!);
  }
  gap(0x110000, 0x110000);
  return out;
})();

export interface TokenTrie {
  /** Four Int32 per node. */
  readonly nodes: Int32Array;
  readonly count: number;
  /** Greatest number of code points below each node, saturating at 255. */
  readonly deepest: Uint8Array;
  /** Group of the character beyond ASCII that each node completes; 0 at other nodes. */
  readonly completes: Uint8Array;
  /** Next token with the same bytes, or -1. */
  readonly same: Int32Array;
  /** Groups of each token's characters; 0 where it has no bytes. */
  readonly tokenSignature: Int32Array;
  /** Code points of each token (PARTIAL ones count bytes), saturating at 255; 0 where it has no bytes. */
  readonly tokenLength: Uint8Array;
  /** Child of the root by byte, or -1. */
  readonly rootChild: Int32Array;
  /** Tokens in order of their bytes; those at and below node n are order[from[n] .. to[n]). */
  readonly order: Int32Array;
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** Letters below each node, two Int32 a node: bit i is the i-th small letter, then the i-th capital. */
  readonly letters: Int32Array;
}

const TRIE = Symbol('token trie');

export function trieOf(vocabulary: Vocabulary): TokenTrie {
  return vocabulary.cache.get(TRIE, () => buildTrie(vocabulary));
}

/** Radix partition of the tokens, last child first. O(total bytes). */
function buildTrie(vocabulary: Vocabulary): TokenTrie {
  const { size, bytes, offsets } = vocabulary;
  let ids = new Int32Array(size);
  let n = 0;
  for (let id = 0; id < size; id++) if (offsets[id + 1]! > offsets[id]!) ids[n++] = id;
  ids = ids.subarray(0, n);
  const same = new Int32Array(size).fill(-1);
  let capacity = Math.max(1024, n * 3);
  let nodes = new Int32Array(capacity * 4);
  let lo = new Int32Array(capacity);
  let hi = new Int32Array(capacity);
  let parent = new Int32Array(capacity);
  let depth = new Int32Array(capacity);
  let count = 1;
  nodes[2] = -1;
  hi[0] = n;
  parent[0] = -1;
  const counts = new Int32Array(257);
  let sorted = new Int32Array(64);
  const open = [0];
  while (open.length > 0) {
    const node = open.pop()!;
    const d = depth[node]!;
    let from = lo[node]!;
    const to = hi[node]!;
    // Tokens that end here come first; chain them in order of id.
    let ends = from;
    for (let i = from; i < to; i++) {
      const id = ids[i]!;
      if (offsets[id]! + d === offsets[id + 1]!) {
        ids[i] = ids[ends]!;
        ids[ends++] = id;
      }
    }
    if (ends - from > 1) ids.subarray(from, ends).sort();
    nodes[node * 4 + 2] = -1;
    for (let i = ends - 1; i >= from; i--) {
      const id = ids[i]!;
      same[id] = nodes[node * 4 + 2]!;
      nodes[node * 4 + 2] = id;
    }
    from = ends;
    const m = to - from;
    nodes[node * 4] = count;
    if (m === 0) continue;
    if (count + Math.min(m, 256) > capacity) {
      capacity *= 2;
      nodes = grow(nodes, capacity * 4);
      lo = grow(lo, capacity);
      hi = grow(hi, capacity);
      parent = grow(parent, capacity);
      depth = grow(depth, capacity);
    }
    if (m > 24) {
      counts.fill(0);
      for (let i = from; i < to; i++) counts[bytes[offsets[ids[i]!]! + d]! + 1]!++;
      for (let b = 0; b < 256; b++) counts[b + 1]! += counts[b]!;
      if (sorted.length < m) sorted = new Int32Array(m * 2);
      for (let i = from; i < to; i++) {
        const id = ids[i]!;
        sorted[counts[bytes[offsets[id]! + d]!]!++] = id;
      }
      ids.set(sorted.subarray(0, m), from);
    } else {
      for (let i = from + 1; i < to; i++) {
        const id = ids[i]!;
        const b = bytes[offsets[id]! + d]!;
        let j = i - 1;
        while (j >= from && bytes[offsets[ids[j]!]! + d]! > b) {
          ids[j + 1] = ids[j]!;
          j--;
        }
        ids[j + 1] = id;
      }
    }
    let i = from;
    while (i < to) {
      const b = bytes[offsets[ids[i]!]! + d]!;
      let j = i + 1;
      while (j < to && bytes[offsets[ids[j]!]! + d] === b) j++;
      nodes[count * 4 + 1] = b;
      lo[count] = i;
      hi[count] = j;
      parent[count] = node;
      depth[count] = d + 1;
      open.push(count);
      count++;
      i = j;
    }
    nodes[node * 4 + 1]! |= (count - nodes[node * 4]!) << 8;
  }
  nodes = nodes.slice(0, count * 4);
  const deepest = new Uint8Array(count);
  const tokenSignature = new Int32Array(size);
  const tokenLength = new Uint8Array(size);
  const completes = new Uint8Array(count);
  sign(nodes, count, parent, deepest, completes, same, tokenSignature, tokenLength);
  const rootChild = new Int32Array(256).fill(-1);
  const first = nodes[0]!;
  for (let c = first, end = first + (nodes[1]! >>> 8); c < end; c++) rootChild[nodes[c * 4 + 1]! & 0xff] = c;
  const letters = lettersBelow(nodes, count, parent);
  return {
    nodes,
    count,
    deepest,
    completes,
    same,
    tokenSignature,
    tokenLength,
    rootChild,
    order: ids,
    from: lo.slice(0, count),
    to: hi.slice(0, count),
    letters,
  };
}

function lettersBelow(nodes: Int32Array, count: number, parent: Int32Array): Int32Array {
  const out = new Int32Array(count * 2);
  for (let node = count - 1; node > 0; node--) {
    const b = nodes[node * 4 + 1]! & 0xff;
    const p = parent[node]! * 2;
    out[p]! |= out[node * 2]!;
    out[p + 1]! |= out[node * 2 + 1]!;
    if (b >= 0x61 && b <= 0x7a) out[p]! |= 1 << (b - 0x61);
    else if (b >= 0x41 && b <= 0x5a) out[p + 1]! |= 1 << (b - 0x41);
  }
  return out;
}

/** Child of a trie node by byte, or -1. */
export function childOf(trie: TokenTrie, node: number, byte: number): number {
  if (node === 0) return trie.rootChild[byte]!;
  const { nodes } = trie;
  let lo = nodes[node * 4]!;
  let hi = lo + (nodes[node * 4 + 1]! >>> 8);
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    const b = nodes[mid * 4 + 1]! & 0xff;
    if (b === byte) return mid;
    if (b < byte) lo = mid + 1;
    else hi = mid;
  }
  return -1;
}

/** Fills signatures and lengths: forward along paths for tokens, backward for subtrees. */
function sign(
  nodes: Int32Array,
  count: number,
  parent: Int32Array,
  deepest: Uint8Array,
  completes: Uint8Array,
  same: Int32Array,
  tokenSignature: Int32Array,
  tokenLength: Uint8Array,
): void {
  const pathSignature = new Int32Array(count);
  const pathLength = new Uint8Array(count);
  // Continuation bytes still due, and what the next one may be where the lead byte restricts it (0: any).
  const due = new Uint8Array(count);
  const lead = new Uint8Array(count);
  // Code point so far.
  const prefix = new Int32Array(count);
  const partial = 1 << GROUP_PARTIAL;
  for (let node = 1; node < count; node++) {
    const p = parent[node]!;
    const b = nodes[node * 4 + 1]! & 0xff;
    let signature = pathSignature[p]!;
    let length = pathLength[p]!;
    if (due[p]! > 0) {
      const l = lead[p]!;
      const ok =
        (b & 0xc0) === 0x80 &&
        !(l === 0xe0 && b < 0xa0) &&
        !(l === 0xed && b > 0x9f) &&
        !(l === 0xf0 && b < 0x90) &&
        !(l === 0xf4 && b > 0x8f);
      if (ok) {
        due[node] = due[p]! - 1;
        prefix[node] = (prefix[p]! << 6) | (b & 0x3f);
        if (due[node] === 0) {
          completes[node] = isNonAsciiSpace(prefix[node]!) ? GROUP_NON_ASCII_SPACE : GROUP_NON_ASCII;
          signature |= 1 << completes[node]!;
        }
      } else signature |= partial;
    } else {
      length = Math.min(255, length + 1);
      if (b < 0x80) signature |= 1 << ASCII_GROUP[b]!;
      else if (b >= 0xc2 && b <= 0xf4) {
        due[node] = b >= 0xf0 ? 3 : b >= 0xe0 ? 2 : 1;
        lead[node] = b;
        prefix[node] = b & (0x3f >> due[node]!);
      } else signature |= partial;
    }
    pathSignature[node] = signature;
    pathLength[node] = length;
    const own = due[node]! > 0 ? signature | partial : signature;
    for (let t = nodes[node * 4 + 2]!; t >= 0; t = same[t]!) {
      tokenSignature[t] = own;
      tokenLength[t] = length;
    }
  }
  const below = new Int32Array(count);
  const deep = new Uint8Array(count);
  for (let node = count - 1; node > 0; node--) {
    const p = parent[node]!;
    const ends = nodes[node * 4 + 2]! >= 0;
    // What the step into this node adds to the path, and what lies below it.
    let add = pathSignature[node]! & ~pathSignature[p]!;
    const b = nodes[node * 4 + 1]! & 0xff;
    if (due[p]! === 0 && b < 0x80) add |= 1 << ASCII_GROUP[b]!;
    if (completes[node] !== 0) add |= 1 << completes[node]!;
    if ((pathSignature[node]! & partial) !== 0) add |= partial;
    if (ends && due[node]! > 0) add |= partial;
    nodes[node * 4 + 3] = below[node]!;
    deepest[node] = deep[node]!;
    below[p]! |= below[node]! | add;
    deep[p] = Math.max(deep[p]!, Math.min(255, deep[node]! + (due[p]! === 0 ? 1 : 0)));
  }
  nodes[3] = below[0]!;
  deepest[0] = deep[0]!;
}

function isNonAsciiSpace(cp: number): boolean {
  for (let i = 0; i < NON_ASCII_SPACES.length; i += 2)
    if (cp >= NON_ASCII_SPACES[i]! && cp <= NON_ASCII_SPACES[i + 1]!) return true;
  return false;
}

function grow(a: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  const out = new Int32Array(length);
  out.set(a);
  return out;
}
