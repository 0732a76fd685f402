/**
 * From logits to one token: mask, temperature, top-k, top-p, min-p, draw (after penalties and bias, see history.ts).
 *
 * Hot path: one pass over the logits or over the mask's set bits; scratch is allocated once. Greedy is an argmax and sorts nothing.
 * Drawing without truncation is one pass of exponentials and one cumulative pass. Top-p sorts only tokens that can be in the
 * nucleus: those less likely than (1 - p) / n sum to less than 1 - p, so they are outside whatever the order. Top-k selects in
 * expected linear time.
 *
 * Ties are broken by the lowest id everywhere, so results do not depend on batch or device order.
 */
import { ModelError } from '../base/errors.js';
import type { Random } from '../base/random.js';
import type { Sampling } from './sampling.js';

/** The part of {@link Sampling} that shapes the distribution. */
export type Shape = Pick<Sampling, 'temperature' | 'topK' | 'topP' | 'minP'>;

export class Sampler {
  readonly #ids: Int32Array;
  readonly #values: Float64Array;

  /** `size`: the most candidates ever given (the vocabulary's size). */
  constructor(readonly size: number) {
    this.#ids = new Int32Array(size);
    this.#values = new Float64Array(size);
  }

  /**
   * Chooses among the first `size` logits, or those whose mask bit is set. Throws ModelError where a logit is not a number or
   * nothing is allowed.
   */
  choose(logits: Float32Array, mask: Uint32Array | undefined, shape: Shape, random: Random): number {
    if (shape.temperature === 0 || shape.topK === 1) return this.greedy(logits, mask);
    const n = this.#gather(logits, mask);
    return this.#draw(n, shape, random);
  }

  /** Chooses among `ids`, whose logits are in the same order. */
  chooseAmong(ids: Int32Array, logits: Float32Array, shape: Shape, random: Random): number {
    const n = Math.min(ids.length, logits.length);
    for (let i = 0; i < n; i++) {
      this.#ids[i] = ids[i]!;
      this.#values[i] = logits[i]!;
    }
    if (shape.temperature === 0 || shape.topK === 1) {
      let best = -1;
      for (let i = 0; i < n; i++) {
        const value = logits[i]!;
        if (Number.isNaN(value)) throw notANumber(ids[i]!);
        if (best < 0 || value > logits[best]!) best = i;
      }
      if (best < 0) throw nothingAllowed();
      return ids[best]!;
    }
    return this.#draw(n, shape, random);
  }

  /** The allowed token of the greatest logit. */
  greedy(logits: Float32Array, mask: Uint32Array | undefined): number {
    const size = Math.min(this.size, logits.length);
    if (mask === undefined) {
      const most = greatest(logits, 0, size);
      if (Number.isNaN(most)) throw notANumber(firstNaN(logits, 0));
      return logits.indexOf(most);
    }
    let best = -1;
    let most = Number.NEGATIVE_INFINITY;
    let first = -1;
    const words = Math.min(mask.length, (size + 31) >>> 5);
    for (let w = 0; w < words; w++) {
      let bits = mask[w]!;
      const from = w << 5;
      // Free text allows nearly everything: whole words are taken as such.
      if (bits === ALL && from + 32 <= size) {
        if (first < 0) first = from;
        const value = greatest(logits, from, from + 32);
        if (value > most) {
          most = value;
          best = logits.indexOf(value, from);
        } else if (!(value <= most)) throw notANumber(firstNaN(logits, from));
        continue;
      }
      while (bits !== 0) {
        const low = bits & -bits;
        const id = from + 31 - Math.clz32(low);
        bits ^= low;
        if (id >= size) break;
        if (first < 0) first = id;
        const value = logits[id]!;
        if (value > most) {
          most = value;
          best = id;
        } else if (!(value <= most)) throw notANumber(id);
      }
    }
    if (best >= 0) return best;
    if (first >= 0) return first;
    throw nothingAllowed();
  }

  #gather(logits: Float32Array, mask: Uint32Array | undefined): number {
    const ids = this.#ids;
    const values = this.#values;
    const size = Math.min(this.size, logits.length);
    if (mask === undefined) {
      for (let id = 0; id < size; id++) {
        ids[id] = id;
        values[id] = logits[id]!;
      }
      return size;
    }
    let n = 0;
    const words = Math.min(mask.length, (size + 31) >>> 5);
    for (let w = 0; w < words; w++) {
      let bits = mask[w]!;
      while (bits !== 0) {
        const low = bits & -bits;
        const id = (w << 5) + 31 - Math.clz32(low);
        bits ^= low;
        if (id >= size) break;
        ids[n] = id;
        values[n++] = logits[id]!;
      }
    }
    return n;
  }

  /** Draws among the first n candidates; destroys the scratch. */
  #draw(count: number, shape: Shape, random: Random): number {
    const ids = this.#ids;
    const values = this.#values;
    let n = count;
    let max = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < n; i++) {
      const value = values[i]!;
      if (value > max) max = value;
      else if (!(value <= max)) throw notANumber(ids[i]!);
    }
    if (n === 0) throw nothingAllowed();
    if (n === 1) return ids[0]!;
    if (max === Number.NEGATIVE_INFINITY) return ids[random.below(n)]!;
    if (max === Number.POSITIVE_INFINITY) {
      for (let i = 0; i < n; i++) if (values[i] === max) return ids[i]!;
    }
    if (shape.topK > 0 && shape.topK < n) {
      this.#select(n, shape.topK);
      n = shape.topK;
    }
    const scale = heatOf(shape.temperature);
    let total = 0;
    for (let i = 0; i < n; i++) {
      const weight = Math.exp((values[i]! - max) * scale);
      values[i] = weight;
      total += weight;
    }
    if (shape.topP < 1) {
      const floor = ((1 - shape.topP) * total) / n;
      n = this.#keep(n, floor);
      this.#sort(n);
      const target = shape.topP * total;
      let mass = 0;
      let kept = 0;
      while (kept < n && mass < target) mass += values[kept++]!;
      n = Math.max(1, kept);
      total = mass;
    }
    if (shape.minP > 0) {
      // The greatest weight is exp(0) = 1 whatever was cut before.
      n = this.#keep(n, shape.minP);
      total = 0;
      for (let i = 0; i < n; i++) total += values[i]!;
    }
    let left = random.float() * total;
    for (let i = 0; i < n; i++) {
      left -= values[i]!;
      if (left < 0) return ids[i]!;
    }
    // Rounding only: the last candidate of positive weight.
    for (let i = n - 1; i > 0; i--) if (values[i]! > 0) return ids[i]!;
    return ids[0]!;
  }

  /** Keeps candidates of at least this value, in order; returns how many. */
  #keep(n: number, floor: number): number {
    const ids = this.#ids;
    const values = this.#values;
    let kept = 0;
    for (let i = 0; i < n; i++) {
      if (values[i]! < floor) continue;
      ids[kept] = ids[i]!;
      values[kept++] = values[i]!;
    }
    return kept;
  }

  #before(i: number, value: number, id: number): boolean {
    const v = this.#values[i]!;
    return v > value || (v === value && this.#ids[i]! < id);
  }

  #swap(a: number, b: number): void {
    const id = this.#ids[a]!;
    const value = this.#values[a]!;
    this.#ids[a] = this.#ids[b]!;
    this.#values[a] = this.#values[b]!;
    this.#ids[b] = id;
    this.#values[b] = value;
  }

  /** Quickselect: moves the k first (by value, then id) of n to the front, in no order. */
  #select(n: number, k: number): void {
    let low = 0;
    let high = n - 1;
    while (low < high) {
      const mid = (low + high) >> 1;
      const value = this.#values[mid]!;
      const id = this.#ids[mid]!;
      this.#swap(mid, high);
      let store = low;
      for (let i = low; i < high; i++) if (this.#before(i, value, id)) this.#swap(i, store++);
      this.#swap(store, high);
      if (store === k - 1 || store === k) return;
      if (store < k) low = store + 1;
      else high = store - 1;
    }
  }

  /** Sorts the first n by value, then id: heap sort, since scratch is two parallel arrays. */
  #sort(n: number): void {
    for (let i = (n >> 1) - 1; i >= 0; i--) this.#sift(i, n);
    for (let end = n - 1; end > 0; end--) {
      this.#swap(0, end);
      this.#sift(0, end);
    }
  }

  /** Sifts the last-ranked entry up: the heap's root is the one that comes last. */
  #sift(start: number, end: number): void {
    let at = start;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= end) return;
      if (child + 1 < end && this.#before(child, this.#values[child + 1]!, this.#ids[child + 1]!)) child++;
      if (this.#before(child, this.#values[at]!, this.#ids[at]!)) return;
      this.#swap(at, child);
      at = child;
    }
  }
}

/** The most that differences of logits are multiplied by: as good as greedy, and finite in single precision too. */
const MOST_HEAT = 1e30;

/** What logits are multiplied by at a temperature over 0. */
export function heatOf(temperature: number): number {
  return Math.min(1 / temperature, MOST_HEAT);
}

export interface TokenLogprob {
  readonly token: number;
  readonly logprob: number;
}

/**
 * Log probability of `token` under a softmax over the first `size` logits (those allowed by `mask`, where given), and the `top`
 * most likely ones.
 */
export function logprobs(
  logits: Float32Array,
  size: number,
  mask: Uint32Array | undefined,
  token: number,
  top: number,
): { readonly logprob: number; readonly top: readonly TokenLogprob[] } {
  const n = Math.min(size, logits.length);
  const allowed = (id: number): boolean => mask === undefined || ((mask[id >>> 5]! >>> (id & 31)) & 1) === 1;
  let max = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < n; id++) if (allowed(id) && logits[id]! > max) max = logits[id]!;
  // Of infinite logits (a bias may make them) those that are equal share, the others have nothing.
  const below = (logit: number): number => (logit === max ? 0 : logit - max);
  let total = 0;
  const best: { token: number; logit: number }[] = [];
  for (let id = 0; id < n; id++) {
    if (!allowed(id)) continue;
    const logit = logits[id]!;
    total += Math.exp(below(logit));
    if (top === 0) continue;
    if (best.length === top && logit <= best[top - 1]!.logit) continue;
    let at = best.length;
    while (at > 0 && best[at - 1]!.logit < logit) at--;
    best.splice(at, 0, { token: id, logit });
    if (best.length > top) best.pop();
  }
  const norm = Math.log(total);
  return {
    logprob: allowed(token) && token < n ? below(logits[token]!) - norm : Number.NEGATIVE_INFINITY,
    top: best.map((b) => ({ token: b.token, logprob: below(b.logit) - norm })),
  };
}

const ALL = 0xffffffff;

/** The greatest of values[from, to), NaN if one is. Four maxima at once: each comparison would wait for the one before (16 us before, 7 after, at 4,096). */
function greatest(values: Float32Array, from: number, to: number): number {
  let [a, b, c, d] = [LEAST, LEAST, LEAST, LEAST];
  let i = from;
  for (; i + 4 <= to; i += 4) {
    a = Math.max(a, values[i]!);
    b = Math.max(b, values[i + 1]!);
    c = Math.max(c, values[i + 2]!);
    d = Math.max(d, values[i + 3]!);
  }
  for (; i < to; i++) a = Math.max(a, values[i]!);
  return Math.max(a, b, c, d);
}

const LEAST = Number.NEGATIVE_INFINITY;

function firstNaN(values: Float32Array, from: number): number {
  let id = from;
  while (!Number.isNaN(values[id])) id++;
  return id;
}

function notANumber(id: number): ModelError {
  return new ModelError(`the model's logit of token ${id}`, 'a number', 'NaN');
}

function nothingAllowed(): ModelError {
  return new ModelError(
    "the model's logits",
    'a logit for some allowed token',
    'none: all allowed ids lie beyond them',
  );
}
