/**
 * How one output chooses its next token from logits: penalties and bias, the optimistic check before any mask, the mask, the draw, and what
 * is reported of it. All state is this output's own, so the choice never depends on what else is in the batch.
 */
import { ModelError } from '../base/errors.js';
import { createRandom, type Random } from '../base/random.js';
import { TokenHistory } from './history.js';
import type { TokenMatcher } from './matcher.js';
import type { Sampled, SampleSpec } from './model.js';
import type { DecodeRequest, TokenInfo } from './request.js';
import { logprobs } from './sampler.js';
import type { Sampling } from './sampling.js';
import type { Scratch } from './scratch.js';

/** A choice at one position, and what was learnt while making it. */
export interface Picked {
  readonly token: number;
  /** Whether the matcher has accepted it already. */
  readonly accepted: boolean;
  /** What it would have been without the token budget, which does not allow it. */
  readonly wanted?: number | undefined;
  readonly info?: Pick<TokenInfo, 'logprob' | 'top' | 'allowed' | 'maskMs' | 'deviceMs'> | undefined;
}

/** What choosing counts. */
export interface ChoiceCounts {
  sampled: number;
  optimistic: number;
  masks: number;
  maskMs: number;
}

/** After this many tries, optimistic checks go on only while at least a third succeed. */
const OPTIMISTIC_TRIES = 16;

export class TokenChooser {
  readonly sampling: Sampling;
  readonly #request: DecodeRequest;
  readonly #scratch: Scratch;
  readonly #counts: ChoiceCounts;
  readonly #random: Random;
  readonly #history: TokenHistory;
  /** Whether anything is reported of the distribution. */
  readonly #detail: boolean;
  #tries = 0;

  constructor(request: DecodeRequest, sampling: Sampling, scratch: Scratch, counts: ChoiceCounts) {
    this.sampling = sampling;
    this.#request = request;
    this.#scratch = scratch;
    this.#counts = counts;
    this.#random = createRandom(sampling.seed);
    this.#history = new TokenHistory(request.prompt, sampling);
    this.#detail = request.trace === true || request.logprobs !== undefined || request.score === true;
  }

  /** Whether logits are changed by what came before or by a bias. */
  get adjusts(): boolean {
    return this.#history.active;
  }

  /** Whether logits of the allowed tokens alone will do: nothing changes them and nothing is reported of the distribution. */
  get bare(): boolean {
    return !this.#history.active && !this.#detail;
  }

  /** What a sampler on the device is asked for, but for row, position and mask; `ahead` as in {@link noiseSeed}. */
  spec(ahead: number): Omit<SampleSpec, 'row' | 'position' | 'mask'> {
    const { temperature, topK, topP, minP } = this.sampling;
    return {
      temperature,
      topK,
      topP,
      minP,
      seed: this.noiseSeed(ahead),
      ...(this.#history.active ? { edits: this.#history.edits() } : {}),
      ...(this.#detail ? { whole: true } : {}),
    };
  }

  /**
   * What is reported of a token that a device chose under `mask`: from what it returned, or from its logits where more is asked for.
   * undefined: nothing is.
   */
  async report(
    { token, logprob, before }: Sampled,
    mask: Uint32Array | undefined,
    maskMs: number,
    read: () => Promise<Float32Array>,
  ): Promise<Picked['info']> {
    const { trace, logprobs: top } = this.#request;
    if (!this.#detail) return mask === undefined ? undefined : { maskMs };
    if (trace !== true && (top ?? 0) === 0) return { logprob: { before: before ?? logprob, after: logprob }, maskMs };
    return this.#describe(this.#adjusted(await read(), undefined), mask, token, maskMs);
  }

  /** A token of the output, for penalties. */
  add(token: number): void {
    this.#history.add(token);
  }

  /** Chooses from a position's logits (those of `ids` alone, where given) and moves the matcher; undefined: unconstrained. */
  pick(raw: Float32Array, matcher: TokenMatcher | undefined, ids: Int32Array | undefined): Picked {
    const { sampler, mask } = this.#scratch;
    const { sampling } = this;
    const logits = this.#adjusted(raw, ids);
    if (matcher === undefined) {
      const token = sampler.choose(logits, undefined, sampling, this.#random);
      return { token, accepted: true, ...(this.#detail ? { info: this.#describe(logits, undefined, token, 0) } : {}) };
    }
    if (ids !== undefined) {
      const token = sampler.chooseAmong(ids, logits, sampling, this.#random);
      acceptChosen(matcher, token);
      return { token, accepted: true };
    }
    if (this.#optimistic()) {
      // Rejection sampling: a first draw from the whole distribution, then (if it is refused) one from the allowed part, has exactly
      // the distribution of the allowed part. The greedy choice, if allowed, is the greedy choice of the allowed.
      this.#tries++;
      const token = sampler.choose(logits, undefined, sampling, this.#random);
      if (matcher.accept(token)) {
        this.#counts.optimistic++;
        return { token, accepted: true };
      }
    }
    const maskMs = this.fillMask(matcher, mask);
    const free = matcher.unbudgeted?.(mask);
    if (free !== undefined) tellWanted(matcher, refusedBy(mask, this.#scratch.sampler.greedy(logits, free)));
    const token = sampler.choose(logits, mask, sampling, this.#random);
    const info = this.#detail ? this.#describe(logits, mask, token, maskMs) : { maskMs };
    acceptChosen(matcher, token);
    return { token, accepted: true, info };
  }

  /** Fills the mask of the matcher's state; returns the milliseconds it took. */
  fillMask(matcher: TokenMatcher, mask: Uint32Array): number {
    const start = performance.now();
    matcher.fillMask(mask);
    const ms = performance.now() - start;
    this.#counts.masks++;
    this.#counts.maskMs += ms;
    return ms;
  }

  /** Seed of the next sampled token's noise, `ahead` tokens on: depends on the place only, not on batches or drafts. */
  noiseSeed(ahead: number): number {
    let h = (this.sampling.seed ^ Math.imul(this.#counts.sampled + ahead + 1, 0x9e3779b9)) >>> 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return (h ^ (h >>> 16)) >>> 0;
  }

  #optimistic(): boolean {
    const { topK, topP, minP, temperature } = this.sampling;
    const plain = topK === 0 && topP === 1 && minP === 0;
    return (
      this.#request.optimistic !== false &&
      !this.#detail &&
      // One draw is from all tokens or from the allowed ones: where some positions only have the latter, all use it, so that the
      // output does not depend on which positions those are.
      (temperature === 0 || (plain && !this.#scratch.restricts)) &&
      (this.#tries < OPTIMISTIC_TRIES || this.#counts.optimistic * 3 >= this.#tries)
    );
  }

  #adjusted(raw: Float32Array, ids: Int32Array | undefined): Float32Array {
    if (!this.#history.active) return raw;
    const logits = this.#scratch.logits.subarray(0, raw.length);
    if (ids === undefined) this.#history.adjust(raw, logits);
    else this.#history.adjustAt(ids, raw, logits);
    return logits;
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
      ...(this.#request.trace === true ? { allowed } : {}),
      ...(mask === undefined ? {} : { maskMs }),
    };
  }
}

/** @throws ModelError where the constraint refuses what was chosen, which is a fault of sampler or mask */
export function acceptChosen(matcher: TokenMatcher, token: number): void {
  if (matcher.accept(token)) return;
  throw new ModelError('the sampled token', 'a token that the constraint allows', `token ${token}`);
}

/** The token where the mask lacks it. */
export function refusedBy(mask: Uint32Array, token: number): number | undefined {
  return ((mask[token >>> 5]! >>> (token & 31)) & 1) === 1 ? undefined : token;
}

/** Tells the matcher of a choice that its budget refuses. */
export function tellWanted(matcher: TokenMatcher, wanted: number | undefined): void {
  if (wanted !== undefined) matcher.accept(wanted);
}

function popcount(word: number): number {
  let v = word - ((word >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
