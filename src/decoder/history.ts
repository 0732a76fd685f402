/**
 * Which tokens a sequence has seen, for penalties, and the adjusted logits that follow from it. Only tokens that occur are
 * touched: the cost is that of one copy of the logits plus the distinct tokens seen.
 */
import type { Sampling } from './sampling.js';

export class TokenHistory {
  readonly #prompt: ReadonlySet<number>;
  readonly #counts = new Map<number, number>();
  readonly #sampling: Sampling;
  /** Whether {@link adjust} changes anything; where not, logits are used as they are. */
  readonly active: boolean;

  constructor(prompt: readonly number[], sampling: Sampling) {
    this.#sampling = sampling;
    this.active =
      sampling.repetitionPenalty !== 1 ||
      sampling.frequencyPenalty !== 0 ||
      sampling.presencePenalty !== 0 ||
      sampling.bias.length > 0;
    this.#prompt = new Set(sampling.repetitionPenalty === 1 ? [] : prompt);
  }

  add(token: number): void {
    if (this.active) this.#counts.set(token, (this.#counts.get(token) ?? 0) + 1);
  }

  /** Writes adjusted logits to `out` (as long as `logits`). */
  adjust(logits: Float32Array, out: Float32Array): void {
    out.set(logits);
    this.#each((id, change) => {
      if (id < out.length) out[id] = change(out[id]!);
    });
  }

  /** The same for logits of these ids only, in their order. */
  adjustAt(ids: Int32Array, logits: Float32Array, out: Float32Array): void {
    out.set(logits);
    this.#each((id, change) => {
      const at = indexOf(ids, id);
      if (at >= 0) out[at] = change(out[at]!);
    });
  }

  /** The same change as data, for a sampler on the device: (logit > 0 ? logit / divide : logit * divide) + add. Ids are distinct. */
  edits(): { readonly ids: Int32Array; readonly divide: Float32Array; readonly add: Float32Array } {
    const { repetitionPenalty: r, frequencyPenalty: f, presencePenalty: p, bias } = this.#sampling;
    const changes = new Map<number, { divide: number; add: number }>();
    const of = (id: number): { divide: number; add: number } => {
      const known = changes.get(id) ?? { divide: 1, add: 0 };
      changes.set(id, known);
      return known;
    };
    if (r !== 1) for (const id of [...this.#prompt, ...this.#counts.keys()]) of(id).divide = r;
    if (f !== 0 || p !== 0) for (const [id, count] of this.#counts) of(id).add -= f * count + p;
    for (const [id, value] of bias) of(id).add += value;
    return {
      ids: Int32Array.from(changes.keys()),
      divide: Float32Array.from(changes.values(), (c) => c.divide),
      add: Float32Array.from(changes.values(), (c) => c.add),
    };
  }

  #each(apply: (id: number, change: (logit: number) => number) => void): void {
    const { repetitionPenalty: r, frequencyPenalty: f, presencePenalty: p, bias } = this.#sampling;
    if (r !== 1) {
      const repeat = (logit: number): number => (logit > 0 ? logit / r : logit * r);
      for (const id of this.#prompt) if (!this.#counts.has(id)) apply(id, repeat);
      for (const id of this.#counts.keys()) apply(id, repeat);
    }
    if (f !== 0 || p !== 0) for (const [id, count] of this.#counts) apply(id, (logit) => logit - f * count - p);
    for (const [id, value] of bias) apply(id, (logit) => logit + value);
  }
}

/** Binary search in ascending ids. */
function indexOf(ids: Int32Array, id: number): number {
  let low = 0;
  let high = ids.length - 1;
  while (low <= high) {
    const mid = (low + high) >> 1;
    const at = ids[mid]!;
    if (at === id) return mid;
    if (at < id) low = mid + 1;
    else high = mid - 1;
  }
  return -1;
}
