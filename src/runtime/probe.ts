/**
 * The check of a rewritten graph against the original: the same ragged steps through both, logits compared.
 *
 * The steps cover what the rewrite changes: prefill without a past, chunks with a past, single tokens, rows of different length
 * in one step, positions across block borders.
 */
import { createRandom } from '../base/random.js';
import type { StepModel } from '../decoder/model.js';

/** Token counts per step and sequence. */
const STEPS: readonly (readonly number[])[] = [
  [19, 5, 1],
  [1, 1, 1],
  [3, 1, 14],
  [1, 12, 2],
];

/** Logits of the probe in a fixed order: last position of each row, and all positions of short rows. */
export async function runProbe(model: StepModel, vocabSize: number): Promise<Float32Array[]> {
  const random = createRandom(20_261_121);
  const open = STEPS[0]!.map(() => model.open({ salt: 'tokenloom probe' }).sequence);
  const out: Float32Array[] = [];
  try {
    for (const counts of STEPS) {
      const rows = counts.map((n, i) => ({
        sequence: open[i]!,
        tokens: Array.from({ length: n }, () => random.below(vocabSize)),
        logits: n <= 3 ? n : 1,
      }));
      const handle = await model.submit(rows);
      for (const [i, r] of rows.entries()) {
        for (let p = 0; p < r.logits; p++) out.push((await handle.logits(i, p)).slice());
      }
      handle.release();
    }
  } finally {
    for (const s of open) model.close(s);
  }
  return out;
}

/** Greatest difference over greatest magnitude; Infinity where shapes differ or a number is not finite. */
export function relativeDifference(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let [worst, peak] = [0, 1e-6];
  for (const [i, x] of a.entries()) {
    const y = b[i]!;
    if (x.length !== y.length) return Number.POSITIVE_INFINITY;
    for (let j = 0; j < x.length; j++) {
      const d = Math.abs(x[j]! - y[j]!);
      if (!(d < Number.POSITIVE_INFINITY)) return Number.POSITIVE_INFINITY;
      worst = Math.max(worst, d);
      peak = Math.max(peak, Math.abs(x[j]!));
    }
  }
  return worst / peak;
}

/**
 * Relative difference between the head computed for some ids in JavaScript and by the graph. Leaves the model as it was, but for
 * its limit on allowed ids.
 */
export async function checkRestricted(
  model: StepModel & { restrict(upTo: number): void },
  vocabSize: number,
): Promise<number> {
  const n = Math.min(64, vocabSize);
  const allowed = Int32Array.from({ length: n }, (_, i) => Math.floor((i * vocabSize) / n));
  const tokens = [1 % vocabSize];
  const { sequence } = model.open({ salt: 'tokenloom probe' });
  try {
    const whole = await model.submit([{ sequence, tokens, logits: 1 }]);
    const all = await whole.logits(0, 0);
    const expected = Float32Array.from(allowed, (id) => all[id] ?? Number.NaN);
    model.truncate(sequence, 0);
    model.restrict(n);
    const few = await model.submit([{ sequence, tokens, logits: 1, allowed }]);
    return relativeDifference([expected], [await few.logits(0, 0)]);
  } finally {
    model.close(sequence);
  }
}
