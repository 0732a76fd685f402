/**
 * What a request asks of the sampler, resolved and checked.
 *
 * Order of application, always: repetition, frequency and presence penalties; logit bias; mask; temperature; top-k; top-p; min-p;
 * draw. Each step works on what the one before left, renormalised. Temperature 0 is the greatest logit of the allowed ones (the
 * lowest id among equals). Settings without effect are reported, never an error.
 */
import { OptionError } from '../base/errors.js';

export interface SamplingOptions {
  /** 0 (default): greedy. */
  readonly temperature?: number | undefined;
  /** Keep the k most likely; 0 (default): all. */
  readonly topK?: number | undefined;
  /** Keep the smallest set of most likely tokens whose mass reaches p; 1 (default): all. */
  readonly topP?: number | undefined;
  /** Keep tokens at least this share as likely as the most likely one; 0 (default): all. */
  readonly minP?: number | undefined;
  /** Over 1 divides positive and multiplies negative logits of tokens seen in prompt or output; 1 (default): off. */
  readonly repetitionPenalty?: number | undefined;
  /** Subtracted per occurrence in the output. */
  readonly frequencyPenalty?: number | undefined;
  /** Subtracted once where a token occurs in the output. */
  readonly presencePenalty?: number | undefined;
  /** Added to the logits of these ids. */
  readonly logitBias?: Readonly<Record<number, number>> | undefined;
  /** 32-bit seed; drawn by the caller where undefined. */
  readonly seed?: number | undefined;
}

export interface Sampling {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly repetitionPenalty: number;
  readonly frequencyPenalty: number;
  readonly presencePenalty: number;
  /** Ids and what is added, in order of id. */
  readonly bias: readonly (readonly [id: number, value: number])[];
  readonly seed: number;
}

/** Named starting points; explicit options win over them. */
export const PRESETS = {
  /** One right answer: greedy. */
  extraction: { temperature: 0 },
  /** Little variation, no unlikely tokens. */
  code: { temperature: 0.2, topP: 0.95 },
  /** Varied but sensible. */
  chat: { temperature: 0.7, topP: 0.95, minP: 0.05 },
} as const satisfies Record<string, SamplingOptions>;

export type Preset = keyof typeof PRESETS;

/** Checks and completes options; throws OptionError outside the documented ranges. */
export function resolveSampling(
  options: SamplingOptions,
  randomSeed: () => number,
): { sampling: Sampling; warnings: string[] } {
  const number = (
    name: keyof SamplingOptions,
    fallback: number,
    low: number,
    high: number,
    expected: string,
  ): number => {
    const value = options[name] ?? fallback;
    if (typeof value !== 'number' || !(value >= low && value <= high))
      throw new OptionError(name, expected, String(value));
    return value;
  };
  const temperature = number('temperature', 0, 0, 100, 'a number from 0 to 100');
  const topK = number('topK', 0, 0, Number.MAX_SAFE_INTEGER, 'an integer of at least 0');
  if (!Number.isInteger(topK)) throw new OptionError('topK', 'an integer of at least 0', String(topK));
  const topP = number('topP', 1, 0, 1, 'a number over 0 and up to 1');
  if (topP === 0) throw new OptionError('topP', 'a number over 0 and up to 1', '0');
  const minP = number('minP', 0, 0, 1, 'a number from 0 to 1');
  const repetitionPenalty = number('repetitionPenalty', 1, 1e-3, 1e3, 'a number from 0.001 to 1000');
  const frequencyPenalty = number('frequencyPenalty', 0, -100, 100, 'a number from -100 to 100');
  const presencePenalty = number('presencePenalty', 0, -100, 100, 'a number from -100 to 100');
  const bias: [number, number][] = [];
  for (const [key, value] of Object.entries(options.logitBias ?? {})) {
    const id = Number(key);
    if (!Number.isInteger(id) || id < 0) throw new OptionError('logitBias', 'token ids as keys', key);
    if (typeof value !== 'number' || Number.isNaN(value))
      throw new OptionError('logitBias', 'numbers as values', String(value));
    if (value !== 0) bias.push([id, value]);
  }
  bias.sort((a, b) => a[0] - b[0]);
  const warnings: string[] = [];
  if (temperature === 0) {
    const idle = [
      ...(topK > 0 ? ['topK'] : []),
      ...(topP < 1 ? ['topP'] : []),
      ...(minP > 0 ? ['minP'] : []),
      ...(options.seed === undefined ? [] : ['seed']),
    ];
    if (idle.length > 0) {
      warnings.push(`${idle.join(', ')}: no effect at temperature 0 (greedy); set a temperature above 0 to sample`);
    }
  } else if (topK === 1) warnings.push('temperature: no effect with topK 1, which always takes the most likely token');
  const seed = options.seed ?? (temperature > 0 ? randomSeed() : 0);
  if (!Number.isSafeInteger(seed)) throw new OptionError('seed', 'an integer', String(seed));
  return {
    sampling: {
      temperature,
      topK,
      topP,
      minP,
      repetitionPenalty,
      frequencyPenalty,
      presencePenalty,
      bias,
      seed: seed >>> 0,
    },
    warnings,
  };
}
