/**
 * Where in the trie of tokens an object or array may begin as an item (after a comma and blanks, or as the first thing of a token), and where
 * one ends before a comma, or ended before the token.
 */
import type { TokenTrie } from './trie.js';
import type { Vocabulary } from './vocabulary.js';
import { isBlank } from './whitespace.js';

const COMMA = 0x2c;
const QUOTE = 0x22;
const OBJECT = 0x7b;
const ARRAY = 0x5b;
const OBJECT_END = 0x7d;
const ARRAY_END = 0x5d;

/** Bits of a node: such a beginning is its own byte or lies below it; the same, after a quote that ends the string at the token's start. */
export const STARTS = 1;
export const STARTS_AFTER_QUOTE = 2;
/** A comma behind an object or array is its own byte or lies below it; the same after a quote. */
export const ENDS = 4;
export const ENDS_AFTER_QUOTE = 8;
/** A comma with nothing but blanks before it in the token is its own byte or lies below it: what it follows ended before the token. */
export const GOES_ON = 16;

const KEY = Symbol('item starts');

/** The bits above, one byte per node of the trie. O(nodes), once for a vocabulary. */
export function itemStartsOf(vocabulary: Vocabulary, trie: TokenTrie): Uint8Array {
  return vocabulary.cache.get(KEY, () => findItemStarts(trie));
}

function findItemStarts(trie: TokenTrie): Uint8Array {
  const { nodes, count } = trie;
  const ready = new Uint8Array(count);
  const quoted = new Uint8Array(count);
  const ended = new Uint8Array(count);
  const starts = new Uint8Array(count);
  const parent = new Int32Array(count);
  const blanks = new Uint8Array(count);
  ready[0] = 1;
  blanks[0] = 1;
  // Parents come before their children.
  for (let n = 0; n < count; n++) {
    const first = nodes[n * 4]!;
    const last = first + (nodes[n * 4 + 1]! >>> 8);
    for (let c = first; c < last; c++) {
      const byte = nodes[c * 4 + 1]! & 0xff;
      parent[c] = n;
      quoted[c] = quoted[n]! | (byte === QUOTE ? 1 : 0);
      const blank = isBlank(byte);
      const opens = ready[n] === 1 && (byte === OBJECT || byte === ARRAY);
      // In an array that begins, its first item may begin.
      if (byte === COMMA || (ready[n] === 1 && blank) || (opens && byte === ARRAY)) ready[c] = 1;
      ended[c] = byte === OBJECT_END || byte === ARRAY_END || (blank && ended[n] === 1) ? 1 : 0;
      if (byte === COMMA && ended[n] === 1) starts[c] = ENDS | (quoted[c] === 1 ? ENDS_AFTER_QUOTE : 0);
      if (opens) starts[c] = STARTS | (quoted[c] === 1 ? STARTS_AFTER_QUOTE : 0);
      if (blanks[n] === 1 && blank) blanks[c] = 1;
      if (blanks[n] === 1 && byte === COMMA) starts[c]! |= GOES_ON;
    }
  }
  for (let n = count - 1; n > 0; n--) starts[parent[n]!]! |= starts[n]!;
  return starts;
}
