/**
 * One sequence being matched: the grammar's state after the tokens so far, and which tokens may come next.
 *
 * Invariants (the public contract): mask bit t is set exactly when accept(t) would return true; a live matcher never has an empty
 * mask; after rollback the mask is the one that was; nothing here throws for want of cache.
 */
import { OptionError, UnsatisfiableError } from '../base/errors.js';
import { checkNames } from '../base/options.js';
import { MAX_CHAIN } from './budget.js';
import { carryState } from './carry.js';
import {
  type Binding,
  bind,
  type CacheLimits,
  CompiledGrammar,
  checkLength,
  DEFAULT_CACHE_LIMITS,
} from './compiled.js';
import { absorbs } from './forced.js';
import { inTablesOf, type Position, startOf } from './history.js';
import { DEAD } from './layout.js';
import { addTerminals, afterToken } from './terminals.js';
import { Vocabulary } from './vocabulary.js';

export interface MatcherOptions {
  /** Most tokens before the end of sequence; the value is complete when they are spent. */
  readonly maxTokens?: number;
  /** Bytes of tables before the matcher moves to fresh ones (default 64 MiB a grammar, 96 MiB shared by a vocabulary's grammars). */
  readonly cacheLimits?: CacheLimits;
}

const MAX_FORCED = 1 << 16;
/** What a shortest value may take for it to be walked token by token, so that the error can say how many there are. */
const WALKED_BYTES = 1 << 14;
const WALKED_TOKENS = 1 << 12;
/** Accepts from one look at the size of the tables to the next; a power of two. */
const ACCEPTS_BETWEEN_CHECKS = 64;
/** Within so many tokens of the last move full tables are let grow, twofold, so many times. */
const FEW_TOKENS = 4096;
const MOST_RAISES = 2;

export class Matcher {
  private binding: Binding;
  private at: Position;
  private readonly size: number;
  private readonly maxTokens: number;
  private readonly limits: CacheLimits;
  /** What the tables may hold before the matcher moves: the limits, or twice what was carried over where that is more. */
  private mostBytes: number;
  private mostSharedBytes: number;
  private movedAt = 0;
  private raises = 0;

  constructor(
    readonly grammar: CompiledGrammar,
    readonly vocabulary: Vocabulary,
    private readonly options: MatcherOptions = {},
  ) {
    if (!(grammar instanceof CompiledGrammar))
      throw new OptionError('grammar', 'what compile(constraint) returns', typeof grammar);
    if (!(vocabulary instanceof Vocabulary))
      throw new OptionError('vocabulary', 'a Vocabulary (fromTokenizerJson, fromTokens)', typeof vocabulary);
    checkNames(options, ['maxTokens', 'cacheLimits']);
    const { maxTokens } = options;
    if (maxTokens !== undefined && !(Number.isInteger(maxTokens) && maxTokens >= 0))
      throw new OptionError('maxTokens', 'an integer from 0', String(maxTokens));
    this.size = vocabulary.size;
    this.maxTokens = maxTokens ?? Number.POSITIVE_INFINITY;
    this.limits = options.cacheLimits ?? DEFAULT_CACHE_LIMITS;
    if (maxTokens !== undefined) {
      const least = grammar.leastTokens(vocabulary);
      if (least > maxTokens && grammar.leastBytes > WALKED_BYTES) throw tooLong(`at least ${least}`, maxTokens);
      checkLength(grammar, vocabulary);
    }
    this.binding = bind(grammar, vocabulary, this.limits);
    this.mostBytes = this.limits.grammarBytes;
    this.mostSharedBytes = this.limits.lexemeBytes;
    const { spelling } = this.binding;
    if (spelling !== undefined || maxTokens !== undefined) {
      const { start } = this.binding.recognizer;
      const most = Math.min(Math.max(maxTokens ?? 0, WALKED_TOKENS), MAX_CHAIN);
      const needed = spelling?.needed(start) ?? this.binding.budget().tokens(start, most);
      if (needed === Number.POSITIVE_INFINITY && spelling !== undefined)
        throw new UnsatisfiableError(
          "no sequence of the vocabulary's tokens spells a value; use a vocabulary that has every byte as a token",
        );
      if (maxTokens !== undefined && needed === Number.POSITIVE_INFINITY) throw tooLong(`over ${most}`, maxTokens);
      if (maxTokens !== undefined && needed > maxTokens) throw tooLong(`${needed}`, maxTokens, needed);
    }
    this.at = startOf(this.binding);
  }

  /** Whether the text so far is complete. */
  get isAccepting(): boolean {
    return this.binding.recognizer.accepts(this.at.state);
  }

  /** Whether the end of sequence was accepted. */
  get isFinished(): boolean {
    return this.at.finished;
  }

  /**
   * Tokens that a short completion takes from here, 0 where the text is complete: the least `maxTokens` that is not refused at the start.
   * Infinity where values are too long for a completion to be planned.
   */
  get remaining(): number {
    if (!this.isAccepting && this.grammar.leastTokens(this.vocabulary) > MAX_CHAIN) return Number.POSITIVE_INFINITY;
    return this.binding.budget().tokens(this.at.state);
  }

  /** Accepts since construction or reset, less those rolled back. */
  get accepted(): number {
    return this.at.count;
  }

  /**
   * Writes which tokens are allowed: bit t of word t >> 5. All of the mask is overwritten, spare bits with 0; all zeros once
   * finished. @throws RangeError where the mask has fewer than ceil(size / 32) words.
   */
  fillMask(mask: Uint32Array): void {
    if (mask.length * 32 < this.size)
      throw new RangeError(`mask has ${mask.length} words, needs ${Math.ceil(this.size / 32)}`);
    const { at, binding } = this;
    if (at.finished) {
      mask.fill(0);
      return;
    }
    const { recognizer } = binding;
    const left = this.maxTokens - at.spent - 1;
    if (binding.spelling !== undefined) binding.spelling.fill(at.state, left, mask);
    else if (left < 0) mask.fill(0);
    else {
      binding.masks.fill(binding.masks.of(at.state), mask);
      const wantsToken = recognizer.wantsToken(at.state);
      const byBytes = wantsToken ? mask.slice() : mask;
      if (left !== Number.POSITIVE_INFINITY && !binding.budget().isAmple(at.state, left))
        binding.budget().restrict(at.state, left, mask);
      if (wantsToken) {
        const { vocabulary } = this;
        const affords = (state: number): boolean => this.affords(state);
        addTerminals(recognizer, vocabulary, at.state, byBytes, mask, affords, (t) => this.allowed(t));
      }
    }
    if (recognizer.accepts(at.state)) for (const id of this.vocabulary.eos) mask[id >> 5]! |= 1 << (id & 31);
  }

  /** Takes a token; false, and nothing changes, where it is not allowed. */
  accept(token: number): boolean {
    const { at } = this;
    if (at.finished) return false;
    if (this.vocabulary.isEos(token)) {
      if (!this.isAccepting) return false;
      this.go(at.state, token, at.spent, true);
      return true;
    }
    const state = afterToken(this.binding.recognizer, this.vocabulary, at.state, token);
    if (state === DEAD || !this.affords(state)) return false;
    this.go(state, token, at.spent + 1, false);
    return true;
  }

  /**
   * Takes raw bytes, all or nothing; one accept for {@link rollback}. False also where a vocabulary that lacks bytes could not
   * complete what follows.
   */
  acceptBytes(bytes: Uint8Array): boolean {
    const { at } = this;
    if (at.finished) return false;
    const { recognizer, spelling } = this.binding;
    const state = recognizer.stepAll(at.state, bytes);
    if (state === DEAD || spelling?.needed(state) === Number.POSITIVE_INFINITY) return false;
    this.go(state, bytes.slice(), at.spent, false);
    return true;
  }

  private go(state: number, taken: number | Uint8Array, spent: number, finished: boolean): void {
    const { at } = this;
    this.at = { state, tables: this.binding.serial, before: at, taken, count: at.count + 1, spent, finished };
    if (this.at.count % ACCEPTS_BETWEEN_CHECKS === 0 && this.isFull()) this.relieve();
  }

  private isFull(): boolean {
    return this.binding.bytes > this.mostBytes || this.binding.sharedBytes > this.mostSharedBytes;
  }

  /** Tables that fill up within few tokens hold what is used again and again: they may grow to four times the limit, then the matcher moves. */
  private relieve(): void {
    if (this.at.count - this.movedAt < FEW_TOKENS && this.raises < MOST_RAISES) {
      this.raises++;
      this.mostBytes *= 2;
      this.mostSharedBytes *= 2;
    } else this.move();
  }

  /** Goes on in fresh tables with nothing but the state at hand. */
  private move(): void {
    const old = this.binding;
    this.binding = bind(this.grammar, this.vocabulary, this.limits);
    const state = carryState(old.recognizer, this.binding.recognizer, this.at.state);
    this.at = { ...this.at, state, tables: this.binding.serial };
    this.movedAt = this.at.count;
    this.raises = 0;
    this.mostBytes = Math.max(this.limits.grammarBytes, 2 * this.binding.bytes);
    this.mostSharedBytes = Math.max(this.limits.lexemeBytes, 2 * this.binding.sharedBytes);
  }

  /** The bytes that the grammar leaves no choice about, from here. */
  forcedBytes(): Uint8Array {
    return Uint8Array.from(this.forcedRun().bytes);
  }

  /**
   * Canonical tokens of the forced bytes (as many as the budget affords), less trailing ones that a longer token could absorb together with what may
   * follow; where no byte may come, the only token that a token terminal asks for.
   */
  forcedTokens(): number[] {
    const { bytes, state } = this.forcedRun();
    if (bytes.length === 0) return this.forcedTerminal();
    const run = Uint8Array.from(bytes);
    const tokens = this.vocabulary.encode(run);
    const ends: number[] = [];
    let end = 0;
    for (const t of tokens) {
      end += this.vocabulary.tokenBytes(t).length;
      ends.push(end);
    }
    let keep = tokens.length;
    if (end < run.length) return [];
    for (let i = 0; i < tokens.length; i++) {
      const from = i === 0 ? 0 : ends[i - 1]!;
      if (absorbs(this.binding.recognizer, this.vocabulary, run, from, state)) {
        keep = i;
        break;
      }
    }
    return tokens.slice(0, Math.min(keep, this.affordable(tokens, keep)));
  }

  private forcedTerminal(): number[] {
    const { recognizer, terminals } = this.binding;
    const { state, finished } = this.at;
    if (finished || terminals === undefined || !recognizer.wantsToken(state) || recognizer.accepts(state)) return [];
    const allowed = terminals.filter((token) => !this.vocabulary.isEos(token) && this.allowed(token));
    if (allowed.length !== 1) return [];
    for (let byte = 0; byte < 256; byte++) if (recognizer.step(state, byte) !== DEAD) return [];
    return allowed;
  }

  /** How many of the first `keep` tokens can be accepted one after another. */
  private affordable(tokens: readonly number[], keep: number): number {
    if (this.maxTokens === Number.POSITIVE_INFINITY && this.binding.spelling === undefined) return keep;
    let n = 0;
    while (n < keep && this.accept(tokens[n]!)) n++;
    this.rollback(n);
    return n;
  }

  private forcedRun(): { readonly bytes: readonly number[]; readonly state: number } {
    const { recognizer } = this.binding;
    const bytes: number[] = [];
    let { state } = this.at;
    if (!this.at.finished)
      while (bytes.length < MAX_FORCED) {
        const b = recognizer.forcedByte(state);
        if (b < 0) break;
        bytes.push(b);
        state = recognizer.step(state, b);
      }
    return { bytes, state };
  }

  /** Undoes the last n successful accepts. @throws RangeError beyond the start. */
  rollback(n: number): void {
    if (!(Number.isInteger(n) && n >= 0 && n <= this.at.count))
      throw new RangeError(`cannot roll back ${n} of ${this.at.count} accepts`);
    let p = this.at;
    for (let i = 0; i < n; i++) p = p.before!;
    this.at = inTablesOf(this.binding, this.vocabulary, p);
  }

  /** A second matcher at the same position, independent from now on. */
  fork(): Matcher {
    const copy = new Matcher(this.grammar, this.vocabulary, this.options);
    copy.adopt(this);
    return copy;
  }

  private adopt(other: Matcher): void {
    this.binding = other.binding;
    this.at = other.at;
    this.mostBytes = other.mostBytes;
    this.mostSharedBytes = other.mostSharedBytes;
  }

  /** Back to the start. */
  reset(): void {
    let p = this.at;
    while (p.before !== undefined) p = p.before;
    this.at = inTablesOf(this.binding, this.vocabulary, p);
  }

  /** Whether, one token from here, this state can still be completed within the budget. */
  private affords(state: number): boolean {
    const left = this.maxTokens - this.at.spent - 1;
    const { spelling } = this.binding;
    if (spelling !== undefined) {
      spelling.enter(this.at.state);
      const n = spelling.needed(state);
      return n !== Number.POSITIVE_INFINITY && n <= left;
    }
    if (left === Number.POSITIVE_INFINITY) return true;
    if (left < 0) return false;
    const budget = this.binding.budget();
    return budget.tokens(budget.plain(state)) <= left;
  }

  private allowed(token: number): boolean {
    const state = afterToken(this.binding.recognizer, this.vocabulary, this.at.state, token);
    return state !== DEAD && this.affords(state);
  }
}

function tooLong(takes: string, budget: number, needed?: number): UnsatisfiableError {
  const remedy = needed === undefined ? 'let the value be shorter' : `raise maxTokens to at least ${needed}`;
  return new UnsatisfiableError(`a short value takes ${takes} tokens and the budget is ${budget}; ${remedy}`);
}
