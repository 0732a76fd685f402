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

export interface StepResult {
  /**
   * Per row: `logits` rows of V numbers, or of allowed.length numbers (order of `allowed`) when `restricted` says so. Views are
   * valid until the next step.
   */
  readonly rows: readonly { readonly logits: readonly Float32Array[]; readonly restricted: boolean }[];
  /** Per MoE layer and token of the step (row order): the chosen experts, where the model reports them. */
  readonly experts?: readonly Uint8Array[];
  /** Milliseconds inside the model. */
  readonly modelMs: number;
}

export interface OpenOptions {
  /** Tokens whose cached blocks may be reused (prefix cache); none are run by opening. */
  readonly prompt?: readonly number[];
  /** Isolation of the prefix cache: only sequences of the same salt share blocks. */
  readonly salt?: string;
}

export interface StepModel {
  readonly vocabSize: number;
  /** Positions that one sequence can hold. */
  readonly contextLength: number;
  /** Most rows, and most tokens over all rows, of one step. */
  readonly maxRows: number;
  readonly maxStepTokens: number;
  /** KV capacity in blocks, where paged; undefined where each sequence owns its memory. */
  readonly blocks?: { readonly size: number; readonly total: number; free(): number };
  /** A new sequence; `cached` = positions already present from the prefix cache (always < prompt.length). */
  open(options?: OpenOptions): { readonly sequence: number; readonly cached: number };
  /** Positions present. */
  length(sequence: number): number;
  /** Whether a step that adds these token counts to these sequences fits the KV memory now. */
  fits(rows: readonly { readonly sequence: number; readonly tokens: number }[]): boolean;
  /** Runs one step. Rejects with a typed error and leaves every sequence as it was. */
  step(rows: readonly StepRow[]): Promise<StepResult>;
  /** Drops the last positions: keeps `length` of them. */
  truncate(sequence: number, length: number): void;
  /** A second sequence with the same positions (copy-on-write where paged). */
  fork(sequence: number): number;
  /** Frees the sequence's memory; its full blocks stay reusable in the prefix cache while there is room. */
  close(sequence: number): void;
  dispose(): Promise<void>;
}
