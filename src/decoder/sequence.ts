/**
 * One output of one request while it runs: its tokens, its matcher, its text, and what the last pass means for them.
 *
 * The invariant that everything hangs on: `tokens` is prompt and committed output; the model holds a prefix of it (plus drafts
 * during a pass); the matcher has accepted exactly the committed output. What is committed but not yet in the model is `pending` and
 * runs with the next pass, so forced tokens cost no pass of their own.
 *
 * Drafts are verified by sampling: at each position the token is chosen as if there were no drafts, with the same random numbers, and
 * the walk goes on only while the choice equals the guess. So the output does not depend on the guesses.
 */
import { ModelError } from '../base/errors.js';
import { createRandom, type Random } from '../base/random.js';
import type { Vocabulary } from '../fsm/vocabulary.js';
import { DraftIndex, type DraftOptions, type DraftToken, propose } from './draft.js';
import { TokenHistory } from './history.js';
import type { TokenMatcher } from './matcher.js';
import type { DecodeOutput, DecodeRequest, FinishReason, TokenInfo } from './request.js';
import { logprobs, type Sampler } from './sampler.js';
import type { Sampling } from './sampling.js';
import { StopScanner, TextStream } from './text.js';

/** Scratch that all sequences of a loop share: each use ends before the next begins. */
export interface Scratch {
  readonly vocabulary: Vocabulary;
  readonly sampler: Sampler;
  /** Words for one mask. */
  readonly mask: Uint32Array;
  /** Room for one row of logits. */
  readonly logits: Float32Array;
  /** Whether the model may give the logits of few allowed tokens only. */
  readonly restricts: boolean;
}

/** Counts of one sequence; sums of the same feed the metrics. */
export interface SequenceCounts {
  forced: number;
  sampled: number;
  drafted: number;
  acceptedDrafts: number;
  optimistic: number;
  reasoning: number;
  masks: number;
  maskMs: number;
}

/** A choice at one position, and what was learnt while making it. */
export interface Picked {
  readonly token: number;
  /** Whether the matcher has accepted it already. */
  readonly accepted: boolean;
  readonly info?: Pick<TokenInfo, 'logprob' | 'top' | 'allowed' | 'maskMs'>;
}

const DEFAULT_DRAFTS = 8;
/** Most tokens of a draft, forced ones included: a wider pass costs more than it can save. */
const MOST_DRAFT_TOKENS = 32;
/** After this many tries, optimistic checks go on only while at least a third succeed. */
const OPTIMISTIC_TRIES = 16;

export class Sequence {
  readonly tokens: number[];
  readonly output: number[] = [];
  /** The model's number of it; -1 before it is opened. */
  sequence = -1;
  suspended = false;
  finish: FinishReason | undefined;
  /** Guesses that go with the next pass. */
  draft: readonly DraftToken[] = [];
  readonly counts: SequenceCounts = {
    forced: 0,
    sampled: 0,
    drafted: 0,
    acceptedDrafts: 0,
    optimistic: 0,
    reasoning: 0,
    masks: 0,
    maskMs: 0,
  };
  readonly matcher: TokenMatcher | undefined;
  readonly sampling: Sampling;
  readonly #request: DecodeRequest;
  readonly #scratch: Scratch;
  readonly #random: Random;
  readonly #history: TokenHistory;
  readonly #index: DraftIndex | undefined;
  readonly #text = new TextStream();
  readonly #stop: StopScanner;
  readonly #marker: StopScanner | undefined;
  readonly #thoughts = new TextStream();
  readonly #limit: number;
  #thinking: boolean;
  #reasoning = '';
  #value = '';
  #events: TokenInfo[] = [];
  #fresh = '';
  #tries = 0;
  #score = 0;

  constructor(request: DecodeRequest, index: number, scratch: Scratch, contextLength: number) {
    this.#request = request;
    this.#scratch = scratch;
    this.matcher = request.matchers[index];
    this.sampling = { ...request.sampling, seed: (request.sampling.seed + index) >>> 0 };
    this.tokens = [...request.prompt];
    this.#random = createRandom(this.sampling.seed);
    this.#history = new TokenHistory(request.prompt, this.sampling);
    this.#stop = new StopScanner(this.matcher === undefined ? (request.stop ?? []) : []);
    this.#thinking = request.reasoning !== undefined;
    this.#marker = request.reasoning === undefined ? undefined : new StopScanner([request.reasoning.end]);
    this.#limit = Math.min(request.maxTokens, contextLength - request.prompt.length);
    this.#index =
      (request.draftTokens ?? DEFAULT_DRAFTS) > 0
        ? new DraftIndex(scratch.vocabulary.decode(request.prompt))
        : undefined;
  }

  /** Before the first pass: tokens that the grammar forces join the prompt. May finish the sequence. */
  begin(): void {
    if (!this.#thinking && this.finish === undefined) this.#force();
  }

  get thinking(): boolean {
    return this.#thinking;
  }

  /** Text of the value so far. */
  get text(): string {
    return this.#value;
  }

  /** How much may go with the next pass as a draft, at most `limit` guesses; undefined: none. */
  draftRoom(limit: number): DraftOptions | undefined {
    const room = this.#limit - this.output.length - 1;
    const guesses = Math.min(limit, this.#request.draftTokens ?? DEFAULT_DRAFTS, room);
    if (this.#history.active || guesses < 1) return undefined;
    return { guesses, tokens: Math.min(room, MOST_DRAFT_TOKENS) };
  }

  /** Guesses from the text for the next pass, at most `limit`. */
  prepareDraft(limit: number): void {
    const room = this.draftRoom(limit);
    this.draft =
      this.#index === undefined || room === undefined
        ? []
        : propose(this.#index, this.#scratch.vocabulary, this.#thinking ? undefined : this.matcher, room);
  }

  /**
   * Takes the outcome of a pass: picks tokens position by position (0 is after all pending tokens, i after i drafts) as far as the
   * drafts hold. Returns how many drafts the model may keep.
   */
  async advance(pick: (position: number) => Promise<Picked> | Picked): Promise<number> {
    const draft = this.draft;
    let kept = 0;
    let tries = 0;
    for (;;) {
      const picked = await pick(kept);
      const guess = draft[kept];
      let good = guess !== undefined && guess.token === picked.token;
      if (guess !== undefined) tries++;
      if (!picked.accepted) this.#accept(picked.token);
      this.counts.sampled++;
      this.#commit(picked.token, false, good, picked.info);
      if (good) kept++;
      if (this.finish !== undefined) break;
      for (const token of this.#thinking ? [] : this.#force()) {
        good = good && draft[kept]?.token === token;
        if (good) kept++;
      }
      if (this.finish !== undefined || !good) break;
    }
    if (draft.length > 0) {
      this.counts.drafted += tries;
      this.counts.acceptedDrafts += kept;
      this.#index?.report(draft.length, kept);
      this.draft = [];
    }
    return kept;
  }

  /** Chooses the next token from a position's logits (CPU samplers), and moves the matcher. */
  pick(raw: Float32Array, ids?: Int32Array): Picked {
    const { sampler, mask } = this.#scratch;
    const { sampling, matcher } = this;
    let logits = raw;
    if (this.#history.active) {
      logits = this.#scratch.logits.subarray(0, raw.length);
      if (ids === undefined) this.#history.adjust(raw, logits);
      else this.#history.adjustAt(ids, raw, logits);
    }
    const detail = this.#request.trace === true || this.#request.logprobs !== undefined || this.#request.score === true;
    if (matcher === undefined || this.#thinking) {
      const token = sampler.choose(logits, undefined, sampling, this.#random);
      return { token, accepted: true, ...(detail ? { info: this.#describe(logits, undefined, token, 0) } : {}) };
    }
    if (ids !== undefined) {
      const token = sampler.chooseAmong(ids, logits, sampling, this.#random);
      this.#accept(token);
      return { token, accepted: true };
    }
    const plain = sampling.topK === 0 && sampling.topP === 1 && sampling.minP === 0;
    const optimistic =
      this.#request.optimistic !== false &&
      !detail &&
      // One draw is from all tokens or from the allowed ones: where some positions only have the latter, all use it, so that the
      // output does not depend on which positions those are.
      (sampling.temperature === 0 || (plain && !this.#scratch.restricts)) &&
      (this.#tries < OPTIMISTIC_TRIES || this.counts.optimistic * 3 >= this.#tries);
    if (optimistic) {
      // Rejection sampling: a first draw from the whole distribution, then (if it is refused) one from the allowed part, has exactly
      // the distribution of the allowed part. The greedy choice, if allowed, is the greedy choice of the allowed.
      this.#tries++;
      const token = sampler.choose(logits, undefined, sampling, this.#random);
      if (matcher.accept(token)) {
        this.counts.optimistic++;
        return { token, accepted: true };
      }
    }
    const maskMs = this.fillMask(mask);
    const token = sampler.choose(logits, mask, sampling, this.#random);
    const info = detail ? this.#describe(logits, mask, token, maskMs) : undefined;
    this.#accept(token);
    return { token, accepted: true, ...(info === undefined ? {} : { info }) };
  }

  /** Fills the mask of the matcher's state; returns the milliseconds it took. */
  fillMask(mask: Uint32Array): number {
    const start = performance.now();
    this.matcher?.fillMask(mask);
    const ms = performance.now() - start;
    this.counts.masks++;
    this.counts.maskMs += ms;
    return ms;
  }

  /** Whether a sampler on the device can choose: no penalties (they need the sign of logits), no report on the distribution. */
  get deviceSampling(): boolean {
    const { trace, logprobs: top, score } = this.#request;
    return !this.#history.active && trace !== true && top === undefined && score !== true;
  }

  /** Seed of the next sampled token's noise, `ahead` tokens on: depends on the place only, not on batches or drafts. */
  noiseSeed(ahead: number): number {
    let h = (this.sampling.seed ^ Math.imul(this.counts.sampled + ahead + 1, 0x9e3779b9)) >>> 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return (h ^ (h >>> 16)) >>> 0;
  }

  /** Ends the sequence from outside. */
  stop(reason: FinishReason): void {
    this.#end(reason);
  }

  /** What became certain since the last call. */
  drain(): { readonly tokens: readonly TokenInfo[]; readonly text: string } {
    const out = { tokens: this.#events, text: this.#fresh };
    this.#events = [];
    this.#fresh = '';
    return out;
  }

  result(): DecodeOutput {
    return {
      tokens: this.output,
      text: this.#value,
      ...(this.#request.reasoning === undefined ? {} : { reasoning: this.#reasoning }),
      finishReason: this.finish ?? 'abort',
      ...(this.#request.score === true
        ? { score: this.counts.sampled === 0 ? 0 : this.#score / this.counts.sampled }
        : {}),
    };
  }

  #accept(token: number): void {
    if (this.matcher === undefined || this.#thinking) return;
    if (!this.matcher.accept(token)) {
      throw new ModelError('the sampled token', 'a token that the constraint allows', `token ${token}`);
    }
  }

  /** Appends a token that the matcher has accepted. */
  #commit(token: number, forced: boolean, drafted: boolean, info?: Picked['info']): void {
    const { vocabulary } = this.#scratch;
    const thinking = this.#thinking;
    this.#events.push({ token, forced, drafted, reasoning: thinking, ...info });
    if (forced) this.counts.forced++;
    if (info?.logprob !== undefined) this.#score += info.logprob.after;
    if (vocabulary.isEos(token)) {
      if (thinking) this.#endThinking();
      else this.#end(this.#budgetBound() ? 'budget' : 'stop');
      return;
    }
    this.tokens.push(token);
    this.#history.add(token);
    const bytes = vocabulary.tokenBytes(token);
    this.#index?.push(bytes);
    if (thinking) {
      this.#think(token, bytes);
      return;
    }
    this.output.push(token);
    const found = this.#stop.push(this.#text.push(bytes));
    this.#append(found.text);
    if (found.stopped) this.finish = 'stop';
    else if (this.matcher?.isFinished === true) this.#end('stop');
    else if (this.output.length >= this.#limit && this.matcher?.isAccepting !== true) this.#end('length');
  }

  /** Commits what the grammar forces, the end included; returns the tokens. */
  #force(): readonly number[] {
    const matcher = this.matcher;
    if (matcher === undefined || this.#request.forcing === false) return [];
    const forced: number[] = [];
    for (const token of matcher.forcedTokens()) {
      if (!matcher.accept(token)) break;
      forced.push(token);
      this.#commit(token, true, false);
      if (this.finish !== undefined) return forced;
    }
    if (matcher.isAccepting && this.#onlyEnd()) {
      const end = this.#scratch.vocabulary.eos[0]!;
      if (matcher.accept(end)) this.#end(this.#budgetBound() ? 'budget' : 'stop');
    }
    return forced;
  }

  /** Whether the mask allows end tokens only. */
  #onlyEnd(): boolean {
    const { mask, vocabulary } = this.#scratch;
    this.fillMask(mask);
    for (const id of vocabulary.eos) mask[id >>> 5]! &= ~(1 << (id & 31));
    return mask.every((word) => word === 0);
  }

  #budgetBound(): boolean {
    return this.matcher?.budgetBound ?? (this.matcher !== undefined && this.output.length >= this.#request.maxTokens);
  }

  #think(token: number, bytes: Uint8Array): void {
    this.counts.reasoning++;
    const reasoning = this.#request.reasoning!;
    const special = this.#scratch.vocabulary.specials.get(reasoning.end);
    if (token === special) {
      this.#endThinking(false);
      return;
    }
    const text = this.#thoughts.push(bytes);
    const found = this.#marker!.push(text);
    this.#reasoning += found.text;
    if (found.stopped) {
      this.#thinking = false;
      this.#afterMarker(text, reasoning.end);
    } else if (this.counts.reasoning >= reasoning.budget) this.#endThinking();
  }

  /** Text that came in one token with the marker belongs to the value where the grammar takes it; gaps are dropped. */
  #afterMarker(text: string, marker: string): void {
    const at = text.indexOf(marker);
    const rest = at < 0 ? '' : text.slice(at + marker.length).trimStart();
    if (rest !== '' && this.matcher?.acceptBytes(new TextEncoder().encode(rest)) === true) this.#append(rest);
    if (this.finish === undefined) this.#force();
  }

  /** Leaves the thinking; writes the marker where the model did not. */
  #endThinking(write = true): void {
    const { vocabulary } = this.#scratch;
    this.#reasoning += this.#marker?.flush() ?? '';
    if (write) {
      const end = this.#request.reasoning!.end;
      const special = vocabulary.specials.get(end);
      const marker = special === undefined ? vocabulary.encode(end) : [special];
      for (const token of marker) {
        this.tokens.push(token);
        this.#index?.push(vocabulary.tokenBytes(token));
        this.#events.push({ token, forced: true, drafted: false, reasoning: true });
        this.counts.forced++;
      }
    }
    this.#thinking = false;
    this.#force();
  }

  #append(text: string): void {
    this.#value += text;
    this.#fresh += text;
  }

  #end(reason: FinishReason): void {
    if (this.finish !== undefined) return;
    this.finish = reason;
    this.#append(this.#stop.push(this.#text.flush()).text);
    this.#append(this.#stop.flush());
  }

  #describe(
    logits: Float32Array,
    mask: Uint32Array | undefined,
    token: number,
    maskMs: number,
  ): NonNullable<Picked['info']> {
    const size = this.#scratch.sampler.size;
    const top = this.#request.logprobs ?? (this.#request.trace === true ? 5 : 0);
    const before = logprobs(logits, size, undefined, token, top);
    const after = mask === undefined ? before : logprobs(logits, size, mask, token, top);
    let allowed = size;
    if (mask !== undefined) {
      allowed = 0;
      for (const word of mask) allowed += popcount(word);
    }
    return {
      logprob: { before: before.logprob, after: after.logprob },
      ...(top > 0 ? { top: { before: before.top, after: after.top } } : {}),
      ...(this.#request.trace === true ? { allowed, maskMs } : {}),
    };
  }
}

function popcount(word: number): number {
  let v = word - ((word >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
