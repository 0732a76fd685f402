/**
 * What a pass costs: ms ≈ base + perToken · tokens + perExpert · distinct experts, fitted to the passes as they run (recursive least
 * squares with forgetting, so that it follows the machine's load). It decides whether composing batches by shared experts pays: where a
 * distinct expert costs next to nothing, waiting for better company is waste.
 */

const FORGETTING = 0.995;
const ENOUGH = 24;
/** Share of a pass that its experts must cost before composition is worth its reordering. */
const WORTH = 0.03;

export class PassCost {
  /** Weights of (1, tokens, distinct). */
  #w = [0, 0, 0];
  /** Inverse correlation, row-major. */
  #p = [1e4, 0, 0, 0, 1e4, 0, 0, 0, 1e4];
  #count = 0;
  #meanMs = 0;
  #meanDistinct = 0;

  /** Takes one pass: its tokens, distinct experts over all layers, and milliseconds. */
  learn(tokens: number, distinct: number, ms: number): void {
    if (!(ms > 0) || !Number.isFinite(ms)) return;
    const x = [1, tokens, distinct];
    const p = this.#p;
    const px = [0, 1, 2].map((i) => p[3 * i]! * x[0]! + p[3 * i + 1]! * x[1]! + p[3 * i + 2]! * x[2]!);
    const denominator = FORGETTING + x[0]! * px[0]! + x[1]! * px[1]! + x[2]! * px[2]!;
    const error = ms - this.predict(tokens, distinct);
    this.#w = this.#w.map((w, i) => w + (px[i]! / denominator) * error);
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 3; j++) p[3 * i + j] = (p[3 * i + j]! - (px[i]! * px[j]!) / denominator) / FORGETTING;
    }
    this.#count++;
    const rate = Math.max(0.02, 1 / this.#count);
    this.#meanMs += rate * (ms - this.#meanMs);
    this.#meanDistinct += rate * (distinct - this.#meanDistinct);
  }

  predict(tokens: number, distinct: number): number {
    return this.#w[0]! + this.#w[1]! * tokens + this.#w[2]! * distinct;
  }

  /** Whether touching fewer experts saves a share of a pass worth having; true until enough passes are known. */
  get compositionPays(): boolean {
    return this.#count < ENOUGH || this.#w[2]! * this.#meanDistinct > WORTH * this.#meanMs;
  }

  /** Fitted milliseconds; zeros before the first pass. */
  get coefficients(): { readonly baseMs: number; readonly perTokenMs: number; readonly perExpertMs: number } {
    return { baseMs: this.#w[0]!, perTokenMs: this.#w[1]!, perExpertMs: this.#w[2]! };
  }
}
