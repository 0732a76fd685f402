/**
 * Tokens that a mask must leave out because some item of an array with unique items could then only end as a duplicate.
 *
 * Masks are made from states without the texts of such items, where this does not show. A trap lies only where an item so far is how
 * a used one begins, or where an item begins, so the walk follows the used items and little else.
 */
import { ENDS, ENDS_AFTER_QUOTE, GOES_ON, itemStartsOf, STARTS, STARTS_AFTER_QUOTE } from './item-starts.js';
import { CAPTURE, DEAD, DYN, END, FRAME, ITEM, LEX, NAME } from './layout.js';
import type { Recognizer } from './recognizer.js';
import { SomeFrame } from './stack-search.js';
import type { TokenTrie } from './trie.js';
import type { Vocabulary } from './vocabulary.js';
import { isBlank } from './whitespace.js';

const QUOTE = 0x22;
const COLON = 0x3a;
/** Bytes of a key from which on it counts as long. */
const LONG_KEY = 64;

export class Traps {
  /** By stack: whether below it some array with unique items has objects or arrays already. */
  private readonly used: SomeFrame;

  constructor(
    private readonly recognizer: Recognizer,
    private readonly trie: TokenTrie,
    private readonly vocabulary: Vocabulary,
  ) {
    const { labels } = recognizer;
    this.used = new SomeFrame(recognizer, (l) => {
      if (labels.data[l] !== FRAME.array) return false;
      const states = recognizer.arrayStates(labels.data[l + 1]!);
      return states.expr.unique && (states.mustRemember || states.hasValues(labels.data[l + 3]!));
    });
  }

  /** Whether a token might lead into a trap. */
  possible(): boolean {
    return this.recognizer.hasUnique;
  }

  /** Whether some array with unique items that the state is in has objects or arrays already. */
  private anyUsed(state: number): boolean {
    const { states, configs } = this.recognizer;
    for (let i = states.offsets[state]!, end = states.offsets[state + 1]!; i < end; i++) {
      const o = configs.offsets[states.data[i]!]!;
      if (configs.data[o] !== END && this.used.of(configs.data[o + 3]!)) return true;
    }
    return false;
  }

  /** Takes out of a state's mask what leads into a trap; whether there was any. */
  remove(state: number, mask: Uint32Array): boolean {
    const { recognizer } = this;
    const { nodes } = this.trie;
    const starts = itemStartsOf(this.vocabulary, this.trie);
    // Where nothing is used yet, a token must end the item that could be all there is.
    const inString = this.isInString(state);
    const begins = inString ? STARTS_AFTER_QUOTE : STARTS;
    const ends = inString ? ENDS_AFTER_QUOTE : ENDS | GOES_ON;
    const used = this.anyUsed(state);
    const wanted = used ? begins | ends : ends;
    const members = mostMembersOf(this.vocabulary);
    let found = false;
    const stack: number[] = [0, used ? state : this.withoutLongKeys(state)];
    while (stack.length > 0) {
      const at = stack.pop()!;
      const node = stack.pop()!;
      const first = nodes[node * 4]!;
      const last = first + (nodes[node * 4 + 1]! >>> 8);
      const bits = recognizer.nextBytes(at);
      const near = recognizer.leadsToTraps(at, members);
      for (let c = first; c < last; c++) {
        if (!near && (starts[c]! & wanted) === 0) continue;
        const byte = nodes[c * 4 + 1]! & 0xff;
        if (((bits[byte >> 5]! >>> (byte & 31)) & 1) === 0) continue;
        const next = recognizer.step(at, byte);
        if (next === DEAD) found = this.clear(c, mask) || found;
        else if (nodes[c * 4 + 1]! >>> 8 !== 0) stack.push(c, next);
      }
    }
    return found;
  }

  /** The state without long keys in progress, which every token that ends one would note anew: they are no choice that could run out. */
  private withoutLongKeys(state: number): number {
    const { recognizer } = this;
    const { states, configs, captures } = recognizer;
    const from = states.offsets[state]!;
    const ids = Array.from(states.data.subarray(from, states.offsets[state + 1]!));
    let some = false;
    for (let i = 0; i < ids.length; i++) {
      const o = configs.offsets[ids[i]!]!;
      const capture = configs.data[o + 2]!;
      if (configs.data[o] !== DYN || !captures.isKept(capture) || captures.lengthOf(capture) < LONG_KEY) continue;
      ids[i] = configs.intern([DYN, configs.data[o + 1]!, captures.unlike, configs.data[o + 3]!], 4);
      some = true;
    }
    return some ? recognizer.stateOf(ids.sort((x, y) => x - y)) : state;
  }

  private isInString(state: number): boolean {
    const { states, configs, pool } = this.recognizer;
    for (let i = states.offsets[state]!, end = states.offsets[state + 1]!; i < end; i++) {
      const o = configs.offsets[states.data[i]!]!;
      const kind = configs.data[o]!;
      if (kind === CAPTURE) continue;
      const isLexeme = kind === LEX || kind === ITEM || kind === DYN || kind === NAME;
      if (!isLexeme || !pool.isStringContent(configs.data[o + 1]!)) return false;
    }
    return true;
  }

  /** Clears the tokens of a node and of all below it; whether one was set. */
  private clear(node: number, mask: Uint32Array): boolean {
    const { nodes, same } = this.trie;
    let found = false;
    const open = [node];
    for (let n = open.pop(); n !== undefined; n = open.pop()) {
      for (let t = nodes[n * 4 + 2]!; t >= 0; t = same[t]!) {
        if (((mask[t >> 5]! >>> (t & 31)) & 1) === 1) found = true;
        mask[t >> 5]! &= ~(1 << (t & 31));
      }
      const first = nodes[n * 4]!;
      for (let c = first; c < first + (nodes[n * 4 + 1]! >>> 8); c++) open.push(c);
    }
    return found;
  }
}

const MEMBERS = Symbol('most members');

/** Most members of objects that one token chooses: quotes with a colon behind them, and a name that it begins. At least 1. */
function mostMembersOf(vocabulary: Vocabulary): number {
  return vocabulary.cache.get(MEMBERS, () => {
    const { bytes, offsets, size } = vocabulary;
    let most = 0;
    for (let t = 0; t < size; t++) {
      let n = 0;
      let quoted = false;
      for (let i = offsets[t]!; i < offsets[t + 1]!; i++) {
        const byte = bytes[i]!;
        if (byte === COLON && quoted) n++;
        quoted = byte === QUOTE || (quoted && isBlank(byte));
      }
      most = Math.max(most, n);
    }
    return most + 1;
  });
}
