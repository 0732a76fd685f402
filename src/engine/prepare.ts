/** From the options of a request to the job that is run: everything about them is checked here, before anything is done. */
import type { CallForm } from '../base/call-form.js';
import { LimitError, OptionError } from '../base/errors.js';
import { checkNesting } from '../base/nesting.js';
import { brief } from '../base/options.js';
import { PRESETS, resolveSampling, type SamplingOptions } from '../decoder/sampling.js';
import type { Job } from './job.js';
import { unknownOptions } from './known-options.js';
import { messagesOf } from './messages.js';
import { type Target, targetOf } from './target.js';
import type { GenerateOptions } from './types.js';

const MOST_CHOICES = 64;
const DEFAULT_DRAFTS = 8;
const DEFAULT_THINKING = 1024;
const SAMPLING_KEYS = [
  'temperature',
  'topK',
  'topP',
  'minP',
  'repetitionPenalty',
  'frequencyPenalty',
  'presencePenalty',
  'logitBias',
  'seed',
] as const satisfies readonly (keyof SamplingOptions)[];

const FLAGS = ['showSchema', 'forcing', 'optimistic', 'validate', 'trace', 'parseSpecials'] as const;

export interface Prepared {
  readonly target: Target;
  readonly job: Job;
  readonly n: number;
  readonly warnings: readonly string[];
}

/** `form`: see `targetOf`. @throws OptionError, and LimitError for more outputs than there may be or values that nest too deep; also what `targetOf` throws */
export function prepare(
  given: unknown,
  options: GenerateOptions & { readonly tools?: unknown; readonly toolChoice?: unknown },
  form?: CallForm,
): Prepared {
  if (typeof options !== 'object' || options === null)
    throw new OptionError('options', "an object with 'prompt' or 'messages'", typeof options);
  checkRest(options);
  const messages = messagesOf(options);
  checkNesting(messages, 'messages');
  checkNesting(options.templateVariables, 'templateVariables');
  const target = targetOf(given, options, form);
  const preset = options.preset === undefined ? {} : PRESETS[options.preset];
  if (preset === undefined) throw new OptionError('preset', Object.keys(PRESETS).join(' | '), String(options.preset));
  const own = Object.fromEntries(SAMPLING_KEYS.filter((k) => options[k] !== undefined).map((k) => [k, options[k]]));
  const { sampling, warnings } = resolveSampling({ ...preset, ...own }, () => Math.floor(Math.random() * 2 ** 32));
  warnings.push(...unknownOptions(options));
  const n = count('n', options.n ?? 1);
  const bestOf = count('bestOf', options.bestOf ?? n);
  if (bestOf < n) throw new OptionError('bestOf', `at least n, which is ${n}`, String(bestOf));
  if (bestOf > 1 && sampling.temperature === 0) warnings.push('n, bestOf: at temperature 0 all outputs are the same');
  if (target.constraint !== undefined && (options.stop?.length ?? 0) > 0) {
    warnings.push('stop: no effect on constrained output, which ends where its constraint does');
  }
  const { speculation, reasoning } = options;
  const draftTokens =
    speculation === false
      ? 0
      : typeof speculation === 'object' && speculation !== null
        ? speculation.maxTokens
        : DEFAULT_DRAFTS;
  return {
    target,
    n,
    warnings,
    job: {
      messages,
      constraint: target.constraint,
      shown: target.shown,
      tools: target.tools,
      freeCalls: target.freeCalls,
      variables: options.templateVariables,
      parseSpecials: options.parseSpecials,
      maxTokens: options.maxTokens,
      count: bestOf,
      sampling,
      stop: target.constraint === undefined ? options.stop : undefined,
      forcing: options.forcing,
      optimistic: options.optimistic,
      draftTokens,
      logprobs: options.logprobs,
      score: bestOf > n,
      trace: options.trace,
      reasoning:
        reasoning === undefined ? undefined : { end: reasoning.end, budget: reasoning.budget ?? DEFAULT_THINKING },
      priority: options.priority,
      tenant: options.tenant,
    },
  };
}

/** What nothing else looks at before the job runs. @throws OptionError */
function checkRest(options: GenerateOptions): void {
  for (const name of FLAGS) {
    const value: unknown = options[name];
    if (value !== undefined && typeof value !== 'boolean') throw new OptionError(name, 'true or false', shown(value));
  }
  const { maxTokens, logprobs, stop, reasoning, speculation, priority, tenant, signal } = options;
  const { system, templateVariables, logitBias } = options;
  const check = (name: string, value: unknown, fits: boolean, expected: string): void => {
    if (value !== undefined && !fits) throw new OptionError(name, expected, shown(value));
  };
  check('maxTokens', maxTokens, isWhole(maxTokens, 1), 'an integer of at least 1');
  check('logprobs', logprobs, isWhole(logprobs, 0, 100), 'an integer from 0 to 100');
  check('stop', stop, Array.isArray(stop) && stop.every((s) => typeof s === 'string'), 'an array of texts');
  check('reasoning', reasoning, typeof reasoning === 'object' && reasoning !== null, 'an object {end, budget?}');
  if (reasoning !== undefined) {
    const { end, budget } = reasoning;
    check('reasoning.end', end ?? 'none', typeof end === 'string' && end !== '', 'the marker that ends the thinking');
    const endless = budget === Number.POSITIVE_INFINITY;
    check('reasoning.budget', budget, endless || isWhole(budget, 0), 'an integer of at least 0');
  }
  if (typeof speculation === 'object' && speculation !== null) {
    const most: unknown = speculation.maxTokens;
    check('speculation.maxTokens', most ?? 'none', isWhole(most, 0), 'an integer of at least 0');
  } else check('speculation', speculation, typeof speculation === 'boolean', 'a boolean or an object {maxTokens}');
  check('priority', priority, typeof priority === 'number' && !Number.isNaN(priority), 'a number');
  check('system', system, typeof system === 'string', 'text');
  check('templateVariables', templateVariables, isRecord(templateVariables), 'an object');
  check('logitBias', logitBias, isRecord(logitBias), 'an object from token ids to numbers');
  check('tenant', tenant, typeof tenant === 'string', 'text');
  check('signal', signal, typeof signal?.addEventListener === 'function', 'an AbortSignal');
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isWhole(value: unknown, least: number, most = Number.POSITIVE_INFINITY): boolean {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}

function shown(value: unknown): string {
  return typeof value === 'object' ? brief(value) : String(value);
}

function count(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 1) throw new OptionError(name, 'an integer of at least 1', String(value));
  if (value > MOST_CHOICES) throw new LimitError(name, value, MOST_CHOICES);
  return value;
}
