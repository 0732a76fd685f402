/**
 * What the decoder knows of a model: sequences with a KV cache behind them, and a step that runs new tokens of several
 * sequences at once. `src/runtime` implements it on ONNX Runtime (paged or contiguous, CPU or GPU); tests implement it with a
 * table of logits.
 *
 * Shapes: V = vocabulary rows of the logits (may exceed the tokenizer's size).
 */

/** One row of a step: the new tokens of one sequence. Rows of a step name different sequences. */
export interface StepRow {
  readonly sequence: number;
  /** New tokens, appended at the sequence's length; 1 when decoding, more for prefill chunks, forced tokens and drafts. */
  readonly tokens: readonly number[];
  /** How many of the last positions' logits are wanted: 0 (prefill that goes on), 1, or up to tokens.length (drafts). */
  readonly logits: number;
  /** If set, only the logits of these ids (ascending) need be right; the model may compute the head for them alone. */
  readonly allowed?: Int32Array;
}

/** How one position's token is to be chosen on the model's side (device samplers); the CPU path reads logits instead. */
export interface SampleSpec {
  readonly row: number;
  /** Which of the row's wanted positions, 0 to row.logits - 1. */
  readonly position: number;
  /** Allowed tokens as bits, as ascending ids, or all but these ids; none = all. */
  readonly mask?:
    | { readonly kind: 'bits'; readonly bits: Uint32Array }
    | { readonly kind: 'allow'; readonly ids: Int32Array }
    | { readonly kind: 'deny'; readonly ids: Int32Array };
  /** 0 = argmax. */
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  /** Seed of the noise for this position (Gumbel-max). */
  readonly seed: number;
  /** Penalties and logit bias, before anything else: a logit becomes (over 0 ? logit / divide : logit * divide) + add. Ids are distinct. */
  readonly edits?: { readonly ids: Int32Array; readonly divide: Float32Array; readonly add: Float32Array };
  /** Report {@link Sampled.before} as well. */
  readonly whole?: boolean;
}

export interface Sampled {
  readonly token: number;
  /** Under the softmax over the allowed tokens, temperature and filters left out. */
  readonly logprob: number;
  /** The same over all tokens, where it was asked for. */
  readonly before?: number;
}

/** Expert choices of a step: `ids[layer]` holds tokens * k expert numbers, row order. */
export interface ExpertTrace {
  readonly k: number;
  readonly experts: number;
  readonly ids: readonly Uint16Array[];
}

/**
 * A pass in flight or done. While it runs on a device the caller computes masks; then it samples or reads. Sampling twice from
 * one handle is allowed (optimistic sampling: first without a mask, then with it). Views live until `release`.
 */
export interface StepHandle {
  /** Logits of a wanted position: V numbers, or allowed.length numbers in order of `allowed` where `restricted(row)`. */
  logits(row: number, position: number): Promise<Float32Array>;
  restricted(row: number): boolean;
  /** Chooses tokens where the model samples on its side (`StepModel.samples`). */
  sample(specs: readonly SampleSpec[]): Promise<readonly Sampled[]>;
  experts(): Promise<ExpertTrace | undefined>;
  /** Milliseconds inside the model, once known. */
  readonly modelMs: number;
  release(): void;
}

export interface OpenOptions {
  /** Tokens whose cached blocks may be reused (prefix cache); none are run by opening. */
  readonly prompt?: readonly number[];
  /** Isolation of the prefix cache: only sequences of the same salt share blocks. */
  readonly salt?: string;
  /** Name of the adapter in use, part of the prefix key. */
  readonly adapter?: string;
}

export interface StepModel {
  readonly vocabSize: number;
  /** Positions that one sequence can hold. */
  readonly contextLength: number;
  /** Most rows, and most tokens over all rows, of one step. */
  readonly maxRows: number;
  readonly maxStepTokens: number;
  /** KV capacity in blocks, where paged; undefined where each sequence owns its memory. */
  readonly blocks?: { readonly size: number; readonly total: number /** Free or evictable. */; free(): number };
  /** A new sequence; `cached` = positions already present from the prefix cache (always < prompt.length). */
  open(options?: OpenOptions): { readonly sequence: number; readonly cached: number };
  /** Positions present. */
  length(sequence: number): number;
  /** Whether a step that adds these token counts to these sequences fits the KV memory now. */
  fits(rows: readonly { readonly sequence: number; readonly tokens: number }[]): boolean;
  /** Whether `StepHandle.sample` works (device samplers). Where false, read logits. */
  readonly samples: boolean;
  /** Milliseconds of a sampler run on an idle device; 0: not known yet. */
  samplerIdleMs?(): number;
  /** Bytes that crossed to the device and back since the model was opened, weights not counted; absent on CPU. */
  traffic?(): { readonly toDevice: number; readonly fromDevice: number; readonly runs: number };
  /** Up to how many allowed ids `StepRow.allowed` makes a step cheaper; it is never set for more. Absent or 0: never. */
  readonly restrictUpTo?: number;
  /**
   * Runs one step (on CPU it has run when this resolves; on a device it is submitted). Rejects with a typed error and leaves
   * every sequence as it was, or, where the device is lost (ModelError), every sequence of the step is lost.
   */
  submit(rows: readonly StepRow[]): Promise<StepHandle>;
  /** Moves a sequence's blocks out of the pool (swap) and back; no-ops where memory is per sequence. */
  suspend(sequence: number): void;
  resume(sequence: number): void;
  /** Drops the last positions: keeps `length` of them. */
  truncate(sequence: number, length: number): void;
  /** A second sequence with the same positions (copy-on-write where paged). */
  fork(sequence: number): number;
  /** Frees the sequence's memory; its full blocks stay reusable in the prefix cache while there is room. */
  close(sequence: number): void;
  /** What the KV memory holds, for metrics; absent where the model has nothing to say. */
  memory?(): {
    readonly poolBytes: number;
    /** Bytes moved out of the pool. */
    readonly suspended: { readonly memory: number; readonly file: number };
    /** The prefix cache: blocks asked for and found when sequences were opened, positions not run again, blocks dropped. */
    readonly cache: {
      readonly lookups: number;
      readonly hits: number;
      readonly savedTokens: number;
      readonly evictions: number;
    };
  };
  dispose(): Promise<void>;
}
