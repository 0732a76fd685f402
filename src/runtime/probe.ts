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
 * Up to how many allowed ids computing the head in JavaScript is worth it: measures the head's share of a one-token step against
 * the cost per id. Checks that both give the same numbers; returns the threshold (0: never) and their relative difference.
 */
export async function measureRestricted(
  model: StepModel & { restrict(upTo: number): void },
  vocabSize: number,
): Promise<{ readonly upTo: number; readonly difference: number }> {
  const ids = Int32Array.from({ length: Math.min(64, vocabSize) }, (_, i) => Math.floor((i * vocabSize) / 64));
  const { sequence } = model.open({ salt: 'tokenloom probe' });
  const tokens = [1 % vocabSize];
  try {
    model.restrict(ids.length);
    const once = async (
      allowed: Int32Array | undefined,
      logits: number,
    ): Promise<{ ms: number; row?: Float32Array }> => {
      const handle = await model.submit([{ sequence, tokens, logits, ...(allowed === undefined ? {} : { allowed }) }]);
      const row = logits === 0 ? undefined : (await handle.logits(0, 0)).slice();
      model.truncate(sequence, 0);
      return { ms: handle.modelMs, ...(row === undefined ? {} : { row }) };
    };
    const times: [number[], number[], number[]] = [[], [], []];
    let difference = 0;
    for (let i = 0; i < 7; i++) {
      const full = await once(undefined, 1);
      const none = await once(undefined, 0);
      const few = await once(ids, 1);
      times[0].push(full.ms);
      times[1].push(none.ms);
      times[2].push(few.ms);
      if (i === 0 && full.row !== undefined && few.row !== undefined) {
        const same = Float32Array.from(ids, (id) => full.row?.[id] ?? Number.NaN);
        difference = relativeDifference([same], [few.row]);
      }
    }
    const [full, none, few] = times.map((t) => t.sort((a, b) => a - b)[3] ?? 0) as [number, number, number];
    const perId = Math.max(1e-5, (few - none) / ids.length);
    // In a batch the whole head costs less per row than alone: ask for a clear gain.
    const upTo = Math.max(0, Math.min(1024, Math.floor((0.3 * (full - none)) / perId)));
    return { upTo, difference };
  } finally {
    model.close(sequence);
  }
}
