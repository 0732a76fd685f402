/**
 * Measures what a pass of a mixture costs, when the model is opened: a few passes of one row, of rows of one token (which choose the same experts),
 * and of rows of different tokens, by turns, so that a busy spell of the machine falls on all of them; the fastest of each counts. Bounded in
 * time: a model whose passes are too slow for three of each is not measured, and its experts are taken for all of the cost.
 */
import { PassCost, type PassSample } from './cost-model.js';
import type { StepModel } from './model.js';

/** Rows of the wide passes. */
const ROWS = 8;
const ROUNDS = 6;
/** Rounds without which the fastest pass says little. The first is warm-up and does not count. */
const LEAST_ROUNDS = 3;
const BUDGET_MS = 200;

/** Undefined where nothing can be learnt: no experts, one row a step, no time. `now` in milliseconds. */
export async function measurePassCost(
  model: StepModel,
  now: () => number = () => performance.now(),
  budgetMs = BUDGET_MS,
): Promise<PassCost | undefined> {
  const rows = Math.min(ROWS, model.maxRows, model.maxStepTokens);
  if (rows < 2) return undefined;
  const start = now();
  const token = (i: number): number => Math.floor(((i + 0.5) * model.vocabSize) / rows);
  const kinds: readonly (readonly number[])[] = [
    [token(0)],
    Array.from({ length: rows }, () => token(0)),
    Array.from({ length: rows }, (_, i) => token(i)),
  ];
  const best: (PassSample | undefined)[] = kinds.map(() => undefined);
  const sequences = Array.from({ length: rows }, () => model.open().sequence);
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const began = now();
      for (const [kind, tokens] of kinds.entries()) {
        const sample = await timedPass(model, sequences, tokens, now);
        // The first pass of all, of one row, tells whether twice eight rows, three times, are out of reach.
        if (sample === undefined || now() - start > budgetMs * (round === 0 && kind === 0 ? 1 / 4 : 1))
          return undefined;
        const known = best[kind];
        if (round > 0 && (known === undefined || sample.ms < known.ms)) best[kind] = sample;
      }
      // What a round took tells whether another one, or the fewest that count, fits the budget.
      const ended = now();
      const wanted = Math.max(1, LEAST_ROUNDS - 1 - round);
      if (ended - start + wanted * (ended - began) > budgetMs) {
        if (round + 1 < LEAST_ROUNDS) return undefined;
        break;
      }
    }
  } finally {
    for (const sequence of sequences) model.close(sequence);
  }
  const [one, same, different] = best;
  return one && same && different ? PassCost.of(one, same, different) : undefined;
}

async function timedPass(
  model: StepModel,
  sequences: readonly number[],
  tokens: readonly number[],
  now: () => number,
): Promise<PassSample | undefined> {
  const used = sequences.slice(0, tokens.length);
  const began = now();
  const handle = await model.submit(used.map((sequence, i) => ({ sequence, tokens: [tokens[i]!], logits: 1 })));
  try {
    // On a device the pass has ended when something of it can be read.
    await handle.logits(0, 0);
    const ms = now() - began;
    const trace = await handle.experts();
    if (trace === undefined) return undefined;
    const distinct = trace.ids.reduce((n, ids) => n + new Set(ids).size, 0);
    return { tokens: tokens.length, distinct, ms };
  } finally {
    handle.release();
    for (const sequence of used) model.truncate(sequence, 0);
  }
}
