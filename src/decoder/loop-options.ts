/** What can be asked of the decode loop, and the check that it can be kept. */
import { OptionError } from '../base/errors.js';
import type { StepCost } from './cost-model.js';
import type { StepModel } from './model.js';

export interface RoundOptions {
  /**
   * Decoding rows of a step: what costs least a token, once that is measured ('auto', default), all, or at most so many (turns.ts). In all cases
   * fewer where `maxStepMs` asks for it.
   */
  readonly batch?: 'auto' | 'all' | number | undefined;
  /** Most milliseconds of a step, as far as measurements can tell. */
  readonly maxStepMs?: number | undefined;
  /** What steps cost, or how to find out (cost-probe.ts), which happens once, when it first matters. */
  readonly cost?: StepCost | (() => Promise<StepCost | undefined>) | undefined;
}

export interface LoopOptions extends RoundOptions {
  /** Most prompt tokens of one row in one step (default 256). */
  readonly prefillChunk?: number | undefined;
  /** Most sequences that hold KV memory at once (default: a quarter more than the rows of a step). */
  readonly maxSequences?: number | undefined;
  /** Most requests waiting; further ones are refused with LimitError (default 100,000). */
  readonly maxQueue?: number | undefined;
  /** Steps of waiting that raise a request's priority by one (default 32). */
  readonly agingSteps?: number | undefined;
  /** Most rows of a step, at most the model's (default: the model's). */
  readonly maxRows?: number | undefined;
  /** Most tokens of a step, at most the model's (default: the model's). */
  readonly maxStepTokens?: number | undefined;
  /** How rows that share a step are chosen where a mixture of experts reports its routing (default 'profile'). */
  readonly composition?: 'fcfs' | 'profile' | undefined;
  /** A smaller model of the same vocabulary that guesses ahead. */
  readonly draftModel?: StepModel | undefined;
}

/** Bounds of which less than one leaves nothing to run. */
const COUNTS = ['maxRows', 'maxStepTokens', 'prefillChunk', 'maxSequences', 'maxQueue', 'agingSteps'] as const;

/** @throws OptionError for bounds that nothing can keep */
export function checkBounds(options: Omit<LoopOptions, 'cost' | 'draftModel'>): void {
  const { batch, maxStepMs } = options;
  if (typeof batch === 'number' ? !(batch >= 1) : batch !== undefined && batch !== 'auto' && batch !== 'all') {
    throw new OptionError('scheduler.batch', "'auto', 'all' or a number of rows", String(batch));
  }
  if (maxStepMs !== undefined && !(typeof maxStepMs === 'number' && maxStepMs > 0)) {
    throw new OptionError('scheduler.maxStepMs', 'more than 0 milliseconds', String(maxStepMs));
  }
  for (const name of COUNTS) {
    const value: unknown = options[name];
    if (value === undefined || value === Number.POSITIVE_INFINITY) continue;
    if (Number.isInteger(value) && (value as number) >= 1) continue;
    throw new OptionError(`scheduler.${name}`, 'an integer of at least 1', String(value));
  }
}
