/**
 * Checks that every form of model makes on a step plan before it touches anything.
 */

import { LimitError, OptionError } from '../base/errors.js';
import type { StepRow } from '../decoder/model.js';

/** The context of the model, or the whole pool where that is smaller. */
const MORE_ROOM = 'shorten the prompt or the output, or give the pool more (kv.bytes, kv.blocks)';

export interface RowLimits {
  readonly maxRows: number;
  readonly maxStepTokens: number;
  readonly contextLength: number;
  readonly vocabSize: number;
}

/** Throws OptionError or LimitError for a plan that the model cannot run; `lengthOf` gives a sequence's length or undefined. */
export function checkRows(
  rows: readonly StepRow[],
  limits: RowLimits,
  lengthOf: (sequence: number) => number | undefined,
): void {
  if (rows.length > limits.maxRows) throw new LimitError('rows of a step', rows.length, limits.maxRows);
  const seen = new Set<number>();
  let total = 0;
  for (const row of rows) {
    const length = lengthOf(row.sequence);
    if (length === undefined) throw new OptionError('sequence', 'an open sequence', String(row.sequence));
    if (seen.has(row.sequence)) throw new OptionError('rows', 'one row per sequence', `sequence ${row.sequence} twice`);
    seen.add(row.sequence);
    const n = row.tokens.length;
    if (n === 0) throw new OptionError('tokens', 'at least one token per row', 'none');
    if (!(row.logits >= 0 && row.logits <= n)) throw new OptionError('logits', `0 to ${n}`, String(row.logits));
    if (length + n > limits.contextLength) {
      throw new LimitError('tokens of a sequence', length + n, limits.contextLength, undefined, MORE_ROOM);
    }
    for (const t of row.tokens) {
      if (!(Number.isInteger(t) && t >= 0 && t < limits.vocabSize)) {
        throw new OptionError('tokens', `ids from 0 to ${limits.vocabSize - 1}`, String(t));
      }
    }
    total += n;
  }
  if (total > limits.maxStepTokens) throw new LimitError('tokens of a step', total, limits.maxStepTokens);
}

/** Indices of the k greatest of n scores at `offset`, greatest first, written to `out` at `to`; ties go to the lower index. */
export function topIndices(
  scores: Float32Array,
  offset: number,
  n: number,
  k: number,
  out: Uint16Array,
  to: number,
): void {
  for (let j = 0; j < k; j++) {
    let best = -1;
    for (let e = 0; e < n; e++) {
      let taken = false;
      for (let i = 0; i < j; i++) if (out[to + i] === e) taken = true;
      if (!taken && (best < 0 || scores[offset + e]! > scores[offset + best]!)) best = e;
    }
    out[to + j] = best;
  }
}
