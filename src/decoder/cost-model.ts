/**
 * What a pass of a mixture of experts costs: ms ≈ base + perToken · tokens + perExpert · distinct experts (over all layers). Measured once, when
 * the model is opened (cost-probe.ts); it decides step by step whether putting off rows for better company pays. Only ratios are asked of it, so a
 * machine that is busier or idler later changes nothing.
 *
 * Fitting it to the passes of real traffic instead was tried: there tokens and distinct experts rise together, so the fit gave a base
 * below zero and up to ten times the cost of an expert.
 */

/** Share of a pass that a reordering must be expected to save. */
const WORTH = 0.05;

/** A pass that was timed. */
export interface PassSample {
  readonly tokens: number;
  readonly distinct: number;
  readonly ms: number;
}

export class PassCost {
  readonly baseMs: number;
  readonly perTokenMs: number;
  readonly perExpertMs: number;

  constructor(baseMs: number, perTokenMs: number, perExpertMs: number) {
    this.baseMs = baseMs;
    this.perTokenMs = perTokenMs;
    this.perExpertMs = perExpertMs;
  }

  /**
   * From one row, many rows of one token (they choose the same experts), and many rows of different tokens. Undefined where these do not
   * tell rows and experts apart.
   */
  static of(one: PassSample, same: PassSample, different: PassSample): PassCost | undefined {
    const experts = different.distinct - same.distinct;
    if (same.tokens !== different.tokens || same.tokens <= one.tokens || experts < 1) return undefined;
    if (![one, same, different].every((s) => s.ms > 0 && Number.isFinite(s.ms))) return undefined;
    const perExpert = Math.max(0, (different.ms - same.ms) / experts);
    const rows = same.ms - one.ms - perExpert * (same.distinct - one.distinct);
    const perToken = Math.max(0, rows / (same.tokens - one.tokens));
    const base = Math.max(0, one.ms - perToken * one.tokens - perExpert * one.distinct);
    return new PassCost(base, perToken, perExpert);
  }

  predict(tokens: number, distinct: number): number {
    return this.baseMs + this.perTokenMs * tokens + this.perExpertMs * distinct;
  }

  /** Whether a pass of these tokens that touches `fewer` experts in place of `distinct` saves a share worth having. */
  pays(tokens: number, distinct: number, fewer: number): boolean {
    return this.perExpertMs * (distinct - fewer) > WORTH * this.predict(tokens, distinct);
  }
}

/** For models that were not measured: experts are taken for all that a pass costs. */
export const UNMEASURED = new PassCost(0, 0, 1);
