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
import { Further } from './further.js';
import { CAPTURE, DEAD, DYN, ITEM, LEX } from './layout.js';
import type { MaskShare } from './mask-share.js';
import { Near } from './near.js';
import { valuesWithin } from './partial-value.js';
import { Reach } from './reach.js';
import type { Recognizer } from './recognizer.js';
import { Remembered } from './remembered.js';
import { firstByteOf, type Run } from './run.js';
import { walkTokens } from './token-walk.js';
import { childOf } from './trie.js';
import { Unlike } from './unlike.js';
import type { Vocabulary } from './vocabulary.js';
import { isBlank } from './whitespace.js';

const FAR = Number.POSITIVE_INFINITY;
/** Tokens after which a completion counts as endless. */
export const MAX_CHAIN = 1 << 16;
/** Bytes of a completion that are searched for objects and arrays, and how many such searches are remembered. */
const MAX_WRITTEN = 4096;
const KEPT = 256;
/** Tokens beyond all others that it may take to make an item another one than those that are there; where more are left, nobody asks. */
const DIFFERENCE = 128;

export class Budget {
  private readonly distances: Distances;
  private readonly remembered: Remembered;
  private readonly unlike: Unlike;
  private readonly needed: (number | undefined)[] = [];
  private readonly plains: (number | undefined)[] = [];
  private readonly tails: (number | undefined)[] = [];
  private readonly policies: (number | undefined)[] = [];
  private readonly written = new Map<number, readonly unknown[] | undefined>();
  /** Cheap and far too much, then dearer and close. */
  private readonly reachInBytes: Reach;
  private readonly reachInTokens: Reach;
  /** Most tokens needed after any allowed one, by plain state, where that was found out. */
  private readonly mosts: (number | undefined)[] = [];
  /** Tokens of plain states that are tried from the state itself, and by that state the most tokens needed after any of them. */
  private readonly further: Further;
  private readonly near: Near;
  private readonly mostsFurther: (number | undefined)[] = [];
  private readonly scratch: Uint32Array;
  /** Whether every byte is a token, so that bytes bound tokens. */
  private readonly everyByte: boolean;
  /** Whether distances are what the policy writes; where items must differ from those before they are less. */
  private readonly bytesBound: boolean;

  constructor(
    private readonly recognizer: Recognizer,
    private readonly share: MaskShare,
    private readonly vocabulary: Vocabulary,
  ) {
    this.distances = new Distances(recognizer);
    this.remembered = new Remembered(recognizer);
    this.unlike = new Unlike(recognizer);
    const { distances } = this;
    this.reachInBytes = new Reach(
      recognizer,
      share,
      (state) => distances.of(state),
      (state) => distances.of(state),
    );
    this.reachInTokens = new Reach(
      recognizer,
      share,
      (state) => this.tokens(this.plain(state)),
      (state) => this.tail(state),
    );
    this.further = new Further(
      recognizer,
      share,
      vocabulary,
      (state) => this.plain(state),
      (state) => this.write(state),
    );
    this.near = new Near(
      recognizer,
      share.trie,
      (state) => this.plain(state),
      (state) => this.tokens(state),
    );
    this.bytesBound = !this.remembered.itemsMustDiffer;
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

  /**
   * Tokens that the policy needs to complete a state (0 where it is complete); Infinity where the vocabulary cannot spell it, and where
   * they are more than `most`.
   */
  tokens(state: number, most = MAX_CHAIN): number {
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
          if (chain.length <= most) continue;
          if (most < MAX_CHAIN) return FAR;
          n = FAR;
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
      node = childOf(this.share.trie, node, byte);
      if (node < 0) break;
      at = recognizer.step(at, byte);
      if (nodes[node * 4 + 2]! >= 0) best = at;
    }
    return best;
  }

  /** The policy's next byte: the least one that lowers the distance; -1 where a token terminal does. */
  private policy(state: number): number {
    const known = this.policies[state];
    if (known !== undefined) return known;
    const byte = this.findPolicy(state);
    this.policies[state] = byte;
    return byte;
  }

  private findPolicy(state: number): number {
    const { recognizer, distances } = this;
    const now = distances.of(state);
    const bits = recognizer.nextBytes(state);
    let fallback = -1;
    let least = FAR;
    let loops = true;
    for (let w = 0; w < 8; w++) {
      for (let rest = bits[w]!; rest !== 0; rest &= rest - 1) {
        const byte = w * 32 + (31 - Math.clz32(rest & -rest));
        const next = recognizer.step(state, byte);
        if (next === DEAD) continue;
        const d = distances.of(next);
        if (d <= now - 1) return byte;
        // Where the distance is only an estimate (unique items) the nearest state is the way on, but one zero more is none.
        if (d >= least && !loops) continue;
        const loop = (isBlank(byte) && !recognizer.inLexeme(state, byte)) || this.isLoop(state, next);
        if (loop ? loops && d < least : loops || d < least) {
          least = d;
          fallback = byte;
          loops = loop;
        }
      }
    }
    return least < FAR && (least < now || !recognizer.wantsToken(state)) ? fallback : -1;
  }

  /** Whether two states differ in remembered texts at most. */
  private isLoop(a: number, b: number): boolean {
    const { states, configs } = this.recognizer;
    let j = states.offsets[b]!;
    const n = states.offsets[b + 1]! - j;
    if (states.offsets[a + 1]! - states.offsets[a]! !== n) return false;
    for (let i = states.offsets[a]!; i < states.offsets[a + 1]!; i++, j++) {
      const x = configs.offsets[states.data[i]!]!;
      const y = configs.offsets[states.data[j]!]!;
      const kind = configs.data[x]!;
      if (kind !== configs.data[y]) return false;
      if (kind === CAPTURE) continue;
      if (configs.data[x + 1] !== configs.data[y + 1] || configs.data[x + 3] !== configs.data[y + 3]) return false;
    }
    return true;
  }

  /** Whether every allowed token certainly leaves at most `left` tokens to be written (cached per state). */
  isAmple(state: number, left: number): boolean {
    const plain = this.plain(state);
    const most = this.mosts[plain];
    if (most !== undefined) {
      if (left < most) return false;
    } else {
      if (!this.everyByte) return false;
      let reach = this.bytesBound ? this.reachInBytes.of(plain) : FAR;
      if (left < reach) reach = this.reachInTokens.of(plain);
      if (left < reach) return false;
      if (left < reach + DIFFERENCE && this.near.remembers(plain) && left < this.near.of(plain)) return false;
      if (!this.further.isBlurred(plain)) return true;
    }
    return left >= this.mostFurther(state, plain);
  }

  /** Most tokens needed after any token that asks for a further member. */
  private mostFurther(state: number, plain: number): number {
    let most = this.mostsFurther[state];
    if (most === undefined) {
      most = 0;
      this.further.each(state, plain, (t) => {
        most = Math.max(most!, this.tokensAfter(state, t));
      });
      this.mostsFurther[state] = most;
    }
    return most;
  }

  /** Tokens needed after a token by bytes; 0 where it is not allowed. */
  private tokensAfter(state: number, token: number): number {
    const { bytes, offsets } = this.vocabulary;
    const next = this.recognizer.stepAll(state, bytes, offsets[token]!, offsets[token + 1]!);
    return next === DEAD ? 0 : this.tokens(this.plain(next));
  }

  /** Most tokens that the policy needs from this state or from any that it comes through. */
  private tail(state: number): number {
    const chain: number[] = [];
    let at = state;
    let most: number | undefined;
    for (;;) {
      most = this.tails[at];
      if (most !== undefined) break;
      if (this.recognizer.accepts(at)) {
        most = 0;
        break;
      }
      const byte = this.policy(at);
      chain.push(at);
      at = byte < 0 ? this.recognizer.stepToken(at, () => true) : this.recognizer.step(at, byte);
      if (at === DEAD || chain.length > MAX_CHAIN) {
        most = FAR;
        break;
      }
    }
    for (let i = chain.length - 1; i >= 0; i--) {
      most = Math.max(most, this.tokens(chain[i]!));
      this.tails[chain[i]!] = most;
    }
    return most;
  }

  /**
   * The state that budgets ask about: without the texts of keys and of items that must be unique, unless the policy could want the same
   * one for itself. Otherwise every key that a token could spell would be a state of its own. The policy takes the same bytes from both.
   */
  plain(state: number): number {
    const known = this.plains[state];
    if (known !== undefined) return known;
    const made = this.makePlain(state);
    this.plains[state] = made;
    return made;
  }

  private makePlain(state: number): number {
    const { recognizer, remembered } = this;
    const { states, configs, captures } = recognizer;
    const ids = Array.from(states.data.subarray(states.offsets[state]!, states.offsets[state + 1]!));
    let forgotten = false;
    const captured = recognizer.captureOf(state);
    if (captured >= 0 && captures.isKept(captured)) {
      const unlike = ids.map((id) => this.unlike.item(id));
      // Where an item may have to become another one, the policy may go on with the texts inside it: all are kept.
      if (remembered.values(state, () => this.later(recognizer.stateOf(unlike.slice().sort((x, y) => x - y)))))
        return state;
      ids.splice(0, ids.length, ...unlike);
      forgotten = true;
    }
    for (let i = 0; i < ids.length; i++) {
      const o = configs.offsets[ids[i]!]!;
      const kind = configs.data[o]!;
      if (kind !== DYN && kind !== ITEM) continue;
      const capture = configs.data[o + 2]!;
      const stack = configs.data[o + 3]!;
      if (!captures.isKept(capture)) continue;
      if (kind === DYN ? remembered.key(capture, stack) : remembered.scalar(capture, stack)) continue;
      ids[i] = configs.intern([kind, configs.data[o + 1]!, captures.unlike, stack], 4);
      forgotten = true;
    }
    return forgotten ? recognizer.stateOf(ids.sort((x, y) => x - y)) : state;
  }

  /** The objects and arrays that the policy writes from a state on; undefined where it writes very much. */
  private later(state: number): readonly unknown[] | undefined {
    const { written } = this;
    if (written.has(state)) return written.get(state);
    const bytes = this.write(state);
    const values = bytes === undefined ? undefined : valuesWithin(Uint8Array.from(bytes));
    if (written.size >= KEPT) written.clear();
    written.set(state, values);
    return values;
  }

  /** What the policy writes from a state on; undefined where it writes very much, or tokens that are no bytes. */
  private write(state: number): readonly number[] | undefined {
    const bytes: number[] = [];
    let at = state;
    while (bytes.length < MAX_WRITTEN && !this.recognizer.accepts(at)) {
      const byte = this.policy(at);
      if (byte < 0) break;
      bytes.push(byte);
      at = this.recognizer.step(at, byte);
    }
    return this.recognizer.accepts(at) ? bytes : undefined;
  }

  /** Takes out of a state's mask the tokens by bytes after which more than `left` are needed. */
  restrict(state: number, left: number, mask: Uint32Array): void {
    const { same } = this.share.trie;
    const from = this.plain(state);
    const { scratch } = this;
    scratch.fill(0);
    const run = this.runAt(from);
    let most = run === undefined ? 0 : this.keepRun(from, run, left);
    walkTokens(
      this.recognizer,
      this.share.trie,
      from,
      run,
      (s) => this.plain(s),
      (first, next) => {
        const n = this.tokens(next);
        if (n > most) most = n;
        if (n > left) return;
        for (let t = first; t >= 0; t = same[t]!) scratch[t >> 5]! |= 1 << (t & 31);
      },
    );
    this.mosts[from] = most;
    this.further.each(state, from, (t) => {
      if (((mask[t >> 5]! >>> (t & 31)) & 1) === 0) return;
      if (this.tokensAfter(state, t) <= left) scratch[t >> 5]! |= 1 << (t & 31);
      else scratch[t >> 5]! &= ~(1 << (t & 31));
    });
    for (let w = 0; w < scratch.length; w++) mask[w]! &= scratch[w]!;
  }

  /** Characters that the state's only lexeme keeps taking, each as good as the other; undefined where there are few or none. */
  private runAt(state: number): Run | undefined {
    const { recognizer, share } = this;
    const { states, configs } = recognizer;
    if (states.offsets[state + 1]! - states.offsets[state]! !== 1) return undefined;
    const o = configs.offsets[states.data[states.offsets[state]!]!]!;
    const kind = configs.data[o]!;
    const q = configs.data[o + 1]!;
    if ((kind !== LEX && kind !== DYN) || !share.lexemes.isWide(q) || !recognizer.pool.isStringContent(q))
      return undefined;
    const run = share.lexemes.runs.of(recognizer.pool.termOf(q), true);
    return run.signature !== 0 && run.together ? run : undefined;
  }

  /** Keeps the affordable tokens that consist of a run's characters; returns the most tokens that any of them makes necessary. */
  private keepRun(from: number, run: Run, left: number): number {
    const { recognizer, share, scratch } = this;
    const { trie, slices } = share;
    const byte = firstByteOf(run.signature);
    let most = 0;
    let at = from;
    const longest = Math.min(run.depth, trie.deepest[0]!);
    for (let length = 1; length <= longest; length++) {
      const next = run.loops ? from : this.plain(recognizer.step(at, byte));
      const last = next === at || length === longest ? longest : length;
      const n = this.tokens(next);
      if (n > most) most = n;
      if (n <= left) {
        const upTo = slices.get(run.signature, last);
        const below = slices.get(run.signature, length - 1);
        for (let w = 0; w < scratch.length; w++) scratch[w]! |= upTo[w]! & ~below[w]!;
      }
      if (last === longest) break;
      at = next;
    }
    return most;
  }
}
