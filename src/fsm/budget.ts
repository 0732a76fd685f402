/**
 * Ending within a budget: how many tokens a state needs to be completed, and masks that never let it become too many.
 *
 * From every state a fixed policy writes the rest of the text byte by byte (each byte lowers the distance, distance.ts); cut by
 * longest match it becomes tokens. The policy depends on the state only, so after the first of these tokens the rest is exactly
 * the others: a state that needs n tokens always allows one after which n - 1 are needed. So a value that fits at the start is
 * complete when the budget ends, whatever the model prefers before.
 *
 * While the budget is larger than anything one token could make necessary (`reach`, in bytes, which bound tokens), the usual cached
 * masks serve. Below that each allowed token's state is asked.
 */
import { Distances } from './distance.js';
import { CAPTURE, DEAD, DYN, END, ITEM, LEX } from './layout.js';
import type { MaskShare } from './mask.js';
import type { Recognizer } from './recognizer.js';
import type { Vocabulary } from './vocabulary.js';

const FAR = Number.POSITIVE_INFINITY;
/** Tokens after which a completion counts as endless. */
const MAX_CHAIN = 1 << 16;

export class Budget {
  private readonly distances: Distances;
  private readonly needed: (number | undefined)[] = [];
  private readonly plains: (number | undefined)[] = [];
  private readonly reaches: (number | undefined)[] = [];
  /** Most tokens needed after any allowed one, by plain state, where that was found out. */
  private readonly mosts: (number | undefined)[] = [];
  private readonly scratch: Uint32Array;
  /** Whether every byte is a token, so that bytes bound tokens. */
  private readonly everyByte: boolean;

  constructor(
    private readonly recognizer: Recognizer,
    private readonly share: MaskShare,
    vocabulary: Vocabulary,
  ) {
    this.distances = new Distances(recognizer);
    this.scratch = new Uint32Array(Math.ceil(vocabulary.size / 32));
    let singles = 0;
    for (let b = 0; b < 256; b++) {
      const c = share.trie.rootChild[b]!;
      if (c >= 0 && share.trie.nodes[c * 4 + 2]! >= 0) singles++;
    }
    this.everyByte = singles >= 128 && vocabulary.size > 0 && this.asciiIsSingle();
  }

  private asciiIsSingle(): boolean {
    const { rootChild, nodes } = this.share.trie;
    for (let b = 0x20; b < 0x7f; b++) if (rootChild[b]! < 0 || nodes[rootChild[b]! * 4 + 2]! < 0) return false;
    return true;
  }

  /** Tokens that the policy needs to complete a state (0 where it is complete); Infinity where the vocabulary cannot spell it. */
  tokens(state: number): number {
    const known = this.needed[state];
    if (known !== undefined) return known;
    const chain: number[] = [];
    let at = state;
    let n: number | undefined;
    while (n === undefined) {
      n = this.needed[at];
      if (n !== undefined) break;
      if (this.recognizer.accepts(at)) n = 0;
      else {
        const next = this.afterBestToken(at);
        if (next === DEAD) n = FAR;
        else {
          chain.push(at);
          at = next;
          if (chain.length > MAX_CHAIN) n = FAR;
          continue;
        }
      }
      this.needed[at] = n;
    }
    for (let i = chain.length - 1; i >= 0; i--) this.needed[chain[i]!] = ++n;
    return this.needed[state]!;
  }

  /** State after the longest token that spells the policy's bytes, or DEAD. */
  private afterBestToken(state: number): number {
    const { recognizer } = this;
    const { nodes } = this.share.trie;
    let node = 0;
    let at = state;
    let best = DEAD;
    while (!recognizer.accepts(at)) {
      const byte = this.policy(at);
      if (byte < 0) {
        if (at === state && recognizer.wantsToken(at)) return recognizer.stepToken(at, () => true);
        break;
      }
      node = this.child(node, byte);
      if (node < 0) break;
      at = recognizer.step(at, byte);
      if (nodes[node * 4 + 2]! >= 0) best = at;
    }
    return best;
  }

  /** The policy's next byte: the least one that lowers the distance; -1 where a token terminal does. */
  private policy(state: number): number {
    const { recognizer, distances } = this;
    const now = distances.of(state);
    const bits = recognizer.nextBytes(state);
    let fallback = -1;
    let least = FAR;
    for (let w = 0; w < 8; w++) {
      for (let rest = bits[w]!; rest !== 0; rest &= rest - 1) {
        const byte = w * 32 + (31 - Math.clz32(rest & -rest));
        const next = recognizer.step(state, byte);
        if (next === DEAD) continue;
        const d = distances.of(next);
        if (d <= now - 1) return byte;
        if (d < least) {
          least = d;
          fallback = byte;
        }
      }
    }
    // Where the distance is only an estimate (unique items) the nearest state is the way on.
    return least < FAR && (least < now || !recognizer.wantsToken(state)) ? fallback : -1;
  }

  private child(node: number, byte: number): number {
    const { nodes, rootChild } = this.share.trie;
    if (node === 0) return rootChild[byte]!;
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

  /** Whether every allowed token certainly leaves at most `left` tokens to be written (cached per state). */
  isAmple(state: number, left: number): boolean {
    const plain = this.plain(state);
    const most = this.mosts[plain];
    return most === undefined ? this.everyByte && left >= this.reach(plain) : left >= most;
  }

  /** Bytes that any one token from here can make necessary, at most. */
  private reach(state: number): number {
    const known = this.reaches[state];
    if (known !== undefined) return known;
    const { recognizer, share, distances } = this;
    const { configs, states } = recognizer;
    let far = 0;
    const narrow: number[] = [];
    let captured = -1;
    const from = states.offsets[state]!;
    const to = states.offsets[state + 1]!;
    for (let i = from; i < to; i++) {
      const config = states.data[i]!;
      const o = configs.offsets[config]!;
      const kind = configs.data[o]!;
      const q = configs.data[o + 1]!;
      const stack = configs.data[o + 3]!;
      if (kind === END) continue;
      if (kind === CAPTURE) {
        captured = config;
        continue;
      }
      if (recognizer.wantsToken(state) || (kind !== LEX && kind !== DYN && kind !== ITEM) || !share.lexemes.isWide(q)) {
        narrow.push(config);
        continue;
      }
      const here = distances.of(recognizer.stateOf([config]));
      const mask = share.lexemes.get(q);
      far = Math.max(far, here - recognizer.pool.distance(q) + share.lexemes.farthest(q));
      const follow = recognizer.afterLexeme(kind, stack);
      if (follow !== DEAD) far = Math.max(far, this.residualReach(mask.residual, follow, 0));
    }
    if (narrow.length > 0 && captured >= 0) {
      narrow.push(captured);
      narrow.sort((a, b) => a - b);
    }
    if (narrow.length > 0)
      far = Math.max(far, this.walkReach(narrow.length === to - from ? state : recognizer.stateOf(narrow)));
    this.reaches[state] = far;
    return far;
  }

  private residualReach(
    residual: Parameters<MaskShare['lexemes']['childrenOf']>[0],
    state: number,
    depth: number,
  ): number {
    const { recognizer, share, distances } = this;
    const bits = recognizer.nextBytes(state);
    let far = depth === 0 ? distances.of(state) : 0;
    for (const edge of share.lexemes.childrenOf(residual)) {
      if (((bits[edge.byte >> 5]! >>> (edge.byte & 31)) & 1) === 0) continue;
      const next = recognizer.step(state, edge.byte);
      if (next === DEAD) continue;
      if (edge.tokens.length > 0) far = Math.max(far, distances.of(next));
      if (edge.to.nodes.length > 0) far = Math.max(far, this.residualReach(edge.to, next, depth + 1));
    }
    return far;
  }

  private walkReach(state: number): number {
    let far = 0;
    this.walk(state, 0, (_first, next) => {
      far = Math.max(far, this.distances.of(next));
    });
    return far;
  }

  /**
   * The state that budgets ask about: dynamic keys without their text, unless the policy could want the same key for itself. Otherwise
   * every key that a token could spell would be a state of its own. The policy takes the same bytes from both.
   */
  plain(state: number): number {
    const known = this.plains[state];
    if (known !== undefined) return known;
    const made = this.makePlain(state);
    this.plains[state] = made;
    return made;
  }

  private makePlain(state: number): number {
    const { recognizer } = this;
    const { states, configs, captures } = recognizer;
    let ids: number[] | undefined;
    const from = states.offsets[state]!;
    const to = states.offsets[state + 1]!;
    for (let i = from; i < to; i++) {
      const o = configs.offsets[states.data[i]!]!;
      const capture = configs.data[o + 2]!;
      if (configs.data[o] !== DYN || capture === captures.apart || capture === captures.none) continue;
      if (recognizer.keyMatters(capture, configs.data[o + 3]!)) continue;
      ids ??= Array.from(states.data.subarray(from, to));
      ids[i - from] = configs.intern([DYN, configs.data[o + 1]!, captures.apart, configs.data[o + 3]!], 4);
    }
    if (ids === undefined) return state;
    return recognizer.stateOf(ids.sort((a, b) => a - b));
  }

  /** Takes out of a state's mask the tokens by bytes after which more than `left` are needed. */
  restrict(state: number, left: number, mask: Uint32Array): void {
    const { same } = this.share.trie;
    const from = this.plain(state);
    const { scratch } = this;
    scratch.fill(0);
    const skip = this.loopSignature(from);
    let most = 0;
    if (skip !== 0) {
      most = this.tokens(from);
      if (most <= left) scratch.set(this.share.slices.get(skip, 255));
    }
    this.walk(from, skip, (first, next) => {
      const n = this.tokens(next);
      if (n > most) most = n;
      if (n > left) return;
      for (let t = first; t >= 0; t = same[t]!) scratch[t >> 5]! |= 1 << (t & 31);
    });
    this.mosts[from] = most;
    for (let w = 0; w < scratch.length; w++) mask[w]! &= scratch[w]!;
  }

  /** Groups after which the state is the same again, where it is one wide lexeme and nothing else; else 0. */
  private loopSignature(state: number): number {
    const { recognizer, share } = this;
    const { states, configs } = recognizer;
    if (states.offsets[state + 1]! - states.offsets[state]! !== 1) return 0;
    const o = configs.offsets[states.data[states.offsets[state]!]!]!;
    const kind = configs.data[o]!;
    const q = configs.data[o + 1]!;
    if ((kind !== LEX && kind !== DYN) || !share.lexemes.isWide(q)) return 0;
    const run = share.lexemes.runOf(recognizer.pool.termOf(q), recognizer.pool.isStringContent(q));
    return run.loops ? run.signature : 0;
  }

  /**
   * Visits the first token of each trie node that the state allows, with the state after it; `skip`: groups whose subtrees are left
   * out once the state is back at the start.
   */
  private walk(start: number, skip: number, visit: (first: number, state: number) => void): void {
    const { recognizer } = this;
    const { nodes } = this.share.trie;
    const outside = ~skip;
    const stack: number[] = [0, start];
    while (stack.length > 0) {
      const state = stack.pop()!;
      const node = stack.pop()!;
      const first = nodes[node * 4]!;
      const last = first + (nodes[node * 4 + 1]! >>> 8);
      const bits = recognizer.nextBytes(state);
      for (let c = first; c < last; c++) {
        const byte = nodes[c * 4 + 1]! & 0xff;
        if (((bits[byte >> 5]! >>> (byte & 31)) & 1) === 0) continue;
        const reached = recognizer.step(state, byte);
        if (reached === DEAD) continue;
        const next = this.plain(reached);
        if (nodes[c * 4 + 2]! >= 0) visit(nodes[c * 4 + 2]!, next);
        // Below a character that came back to the start, what is made of such characters is in the slice.
        if (next === start && skip !== 0 && (nodes[c * 4 + 3]! & outside) === 0) continue;
        if (nodes[c * 4 + 1]! >>> 8 !== 0) stack.push(c, next);
      }
    }
  }
}
