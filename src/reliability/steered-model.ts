/**
 * A model whose logits can be replaced, for what a real model does not do on request:
 *
 *     noise    seeded random logits, the worst that a model can say (method 8); no pass is run
 *     script   the real pass, and then the next token of a given text is the likeliest: the time of unconstrained decoding of
 *              exactly that text, sampler and loop included
 *
 * `steer` applies to the sequences that are opened from then on. Noise depends on seed and position alone, so that drafts and their verification
 * see the same logits. Logits are always read on the host, also where the device samples.
 */

import { OptionError } from '../base/errors.js';
import { createRandom } from '../base/random.js';
import type { ExpertTrace, OpenOptions, Sampled, StepHandle, StepModel, StepRow } from '../decoder/model.js';

export type Steering =
  | { readonly kind: 'noise'; readonly seed: number }
  /** The tokens to write; after them `end`. */
  | { readonly kind: 'script'; readonly tokens: readonly number[]; readonly end: number };

interface Noise {
  readonly seed: number;
  length: number;
}

interface Script {
  readonly tokens: readonly number[];
  readonly end: number;
  /** Length of the prompt. */
  readonly from: number;
}

/** Above every score that a model gives. */
const CERTAIN = 1e30;
/** Numbers of noise sequences are negative: the model's own are not. */
const FIRST_NOISE = -2;

export class SteeredModel implements StepModel {
  readonly samples = false;
  readonly #inner: StepModel;
  readonly #noise = new Map<number, Noise>();
  readonly #scripts = new Map<number, Script>();
  #steering: Steering | undefined;
  #next = FIRST_NOISE;

  constructor(inner: StepModel) {
    this.#inner = inner;
  }

  /** What sequences opened from now on are; undefined: the model as it is. */
  steer(steering: Steering | undefined): void {
    this.#steering = steering;
  }

  get vocabSize(): number {
    return this.#inner.vocabSize;
  }

  get contextLength(): number {
    return this.#inner.contextLength;
  }

  get maxRows(): number {
    return this.#inner.maxRows;
  }

  get maxStepTokens(): number {
    return this.#inner.maxStepTokens;
  }

  get blocks(): NonNullable<StepModel['blocks']> {
    const { blocks } = this.#inner;
    return blocks ?? { size: this.contextLength, total: 1 << 20, free: () => 1 << 20 };
  }

  get restrictUpTo(): number {
    return this.#inner.samples ? 0 : (this.#inner.restrictUpTo ?? 0);
  }

  open(options: OpenOptions = {}): { sequence: number; cached: number } {
    const steering = this.#steering;
    const prompt = options.prompt?.length ?? 0;
    if (steering?.kind === 'noise') {
      const sequence = this.#next--;
      const cached = Math.max(0, prompt - 1);
      this.#noise.set(sequence, { seed: steering.seed, length: cached });
      return { sequence, cached };
    }
    const opened = this.#inner.open(options);
    if (steering?.kind === 'script')
      this.#scripts.set(opened.sequence, { tokens: steering.tokens, end: steering.end, from: prompt });
    return opened;
  }

  length(sequence: number): number {
    return this.#noise.get(sequence)?.length ?? this.#inner.length(sequence);
  }

  fits(rows: readonly { readonly sequence: number; readonly tokens: number }[]): boolean {
    return this.#inner.fits(rows.filter((r) => !this.#noise.has(r.sequence)));
  }

  async submit(rows: readonly StepRow[]): Promise<StepHandle> {
    const real: StepRow[] = [];
    const place: number[] = [];
    /** Positions before each row, to know what a wanted position is followed by. */
    const before = rows.map((r) => this.length(r.sequence));
    for (const row of rows) {
      place.push(this.#noise.has(row.sequence) ? -1 : real.length);
      if (!this.#noise.has(row.sequence)) real.push(row);
    }
    const handle = real.length === 0 ? undefined : await this.#inner.submit(real);
    for (const row of rows) {
      const noise = this.#noise.get(row.sequence);
      if (noise !== undefined) noise.length += row.tokens.length;
    }
    const steered = rows.map((r) => ({
      noise: this.#noise.get(r.sequence)?.seed,
      script: this.#scripts.get(r.sequence),
    }));
    return {
      modelMs: handle?.modelMs ?? 0,
      logits: async (row, position) => {
        const of = rows[row];
        const by = steered[row];
        if (of === undefined || by === undefined) throw new OptionError('row', 'a row of the step', String(row));
        const length = before[row]! + of.tokens.length - of.logits + position + 1;
        if (by.noise !== undefined) return noiseLogits(by.noise, length, this.vocabSize);
        const logits = await handle!.logits(place[row]!, position);
        if (by.script !== undefined) logits[by.script.tokens[length - by.script.from] ?? by.script.end] = CERTAIN;
        return logits;
      },
      restricted: (row) => place[row] !== -1 && (handle?.restricted(place[row]!) ?? false),
      sample: (): Promise<readonly Sampled[]> =>
        Promise.reject(new OptionError('sample', 'a model that samples', 'one that returns logits')),
      experts: async (): Promise<ExpertTrace | undefined> =>
        real.length === rows.length ? handle?.experts() : undefined,
      release: () => handle?.release(),
    };
  }

  suspend(sequence: number): void {
    if (!this.#noise.has(sequence)) this.#inner.suspend(sequence);
  }

  resume(sequence: number): void {
    if (!this.#noise.has(sequence)) this.#inner.resume(sequence);
  }

  truncate(sequence: number, length: number): void {
    const noise = this.#noise.get(sequence);
    if (noise === undefined) this.#inner.truncate(sequence, length);
    else noise.length = length;
  }

  fork(sequence: number): number {
    const noise = this.#noise.get(sequence);
    if (noise === undefined) {
      const copy = this.#inner.fork(sequence);
      const script = this.#scripts.get(sequence);
      if (script !== undefined) this.#scripts.set(copy, script);
      return copy;
    }
    const copy = this.#next--;
    this.#noise.set(copy, { ...noise });
    return copy;
  }

  close(sequence: number): void {
    this.#scripts.delete(sequence);
    if (!this.#noise.delete(sequence)) this.#inner.close(sequence);
  }

  memory(): NonNullable<ReturnType<NonNullable<StepModel['memory']>>> {
    return (
      this.#inner.memory?.() ?? {
        poolBytes: 0,
        suspended: { memory: 0, file: 0 },
        cache: { lookups: 0, hits: 0, savedTokens: 0, evictions: 0 },
      }
    );
  }

  async dispose(): Promise<void> {
    await this.#inner.dispose();
  }
}

function noiseLogits(seed: number, length: number, size: number): Float32Array {
  const random = createRandom((Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(length, 0x85ebca6b)) >>> 0);
  const out = new Float32Array(size);
  for (let i = 0; i < size; i++) out[i] = random.float() * 16 - 8;
  return out;
}
