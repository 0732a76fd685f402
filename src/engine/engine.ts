/**
 * The engine: a loaded model that generates values. Options are checked here, the service runs the job, and its text becomes a checked value.
 */
import { LimitError, ModelError, OptionError } from '../base/errors.js';
import type { DecodeOutput, TokenInfo } from '../decoder/request.js';
import { PRESETS, resolveSampling, type SamplingOptions } from '../decoder/sampling.js';
import type { ModelInfo } from '../runtime/types.js';
import { ResultChecker } from './check.js';
import type { Job, JobEvent, Service, ServiceMetrics } from './job.js';
import { unknownOptions } from './known-options.js';
import { messagesOf } from './prompt.js';
import { GenerationStream } from './stream.js';
import { type Target, targetOf } from './target.js';
import type { Choice, GenerateOptions, Output, Result, Tool } from './types.js';

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

export class Engine {
  readonly #service: Service;
  readonly #checker = new ResultChecker();
  #closing: Promise<void> | undefined;

  constructor(service: Service) {
    this.#service = service;
  }

  /** What is loaded, where it runs, and what to know about it. */
  get info(): ModelInfo {
    return this.#service.info;
  }

  /**
   * Generates one value. `target`: a schema (JSON Schema, or of a schema library), a constraint (`json`, `gbnf`, `regex`, `choice`), or
   * null for unconstrained text or for tools alone. An aborted request resolves with finishReason 'abort' and no value.
   * @throws OptionError, GrammarError, UnsupportedSchemaError, UnsatisfiableError, LimitError, ModelError, ValueError (rejections)
   */
  async generate<const S, const T extends readonly Tool[] | undefined = undefined>(
    target: S,
    options: GenerateOptions & { readonly tools?: T },
  ): Promise<Result<Output<S, T>>> {
    const prepared = prepare(target, options);
    return this.#run<Output<S, T>>(prepared, options, undefined);
  }

  /** The same as it happens: events, text, partial values, and the result. Errors reach the readers and `result`. */
  stream<const S, const T extends readonly Tool[] | undefined = undefined>(
    target: S,
    options: GenerateOptions & { readonly tools?: T },
  ): GenerationStream<Output<S, T>> {
    let prepared: Prepared | undefined;
    let failure: unknown;
    try {
      prepared = prepare(target, options);
    } catch (error) {
      failure = error;
    }
    return new GenerationStream<Output<S, T>>(prepared?.target.isJson ?? false, async (sink) => {
      if (prepared === undefined) throw failure;
      return this.#run<Output<S, T>>(prepared, options, sink);
    });
  }

  /** Counters and times, as an object and in Prometheus' text format. */
  metrics(): Promise<ServiceMetrics> {
    return this.#service.metrics();
  }

  /** Ends what runs and frees the model. */
  close(): Promise<void> {
    this.#closing ??= this.#service.close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #run<V>(
    prepared: Prepared,
    options: GenerateOptions,
    sink: ((event: JobEvent) => void) | undefined,
  ): Promise<Result<V>> {
    if (this.#closing !== undefined) throw new ModelError('the engine', 'an open engine', 'a closed one');
    const { target, job } = prepared;
    const warnings = [...prepared.warnings];
    const kept: TokenInfo[][] = Array.from({ length: job.count }, () => []);
    const keep = job.logprobs !== undefined || job.trace === true;
    const onEvent =
      sink === undefined && !keep
        ? undefined
        : (event: JobEvent): void => {
            if (keep) kept[event.index]?.push(...event.tokens);
            sink?.(event);
          };
    const outcome = await this.#service.run(job, options.signal, onEvent);
    const { result } = outcome;
    warnings.push(...outcome.warnings);
    const start = performance.now();
    const order = result.outputs.map((_, i) => i);
    if (job.score === true) order.sort((a, b) => (result.outputs[b]?.score ?? 0) - (result.outputs[a]?.score ?? 0));
    const choices: Choice<V>[] = [];
    for (const i of order.slice(0, prepared.n)) {
      const output = result.outputs[i]!;
      const choice = await finishChoice<V>(
        output,
        target,
        options.validate === false ? undefined : this.#checker,
        (w) => warnings.push(w),
      );
      choices.push(keep ? { ...choice, tokens: kept[i] } : choice);
    }
    const first = choices[0]!;
    return {
      ...first,
      usage: result.usage,
      timings: {
        ...result.timings,
        compileMs: outcome.compileMs,
        promptMs: outcome.promptMs,
        validateMs: performance.now() - start,
      },
      warnings,
      ...(prepared.n > 1 ? { choices } : {}),
    };
  }
}

interface Prepared {
  readonly target: Target;
  readonly job: Job;
  readonly n: number;
  readonly warnings: readonly string[];
}

async function finishChoice<V>(
  output: DecodeOutput,
  target: Target,
  checker: ResultChecker | undefined,
  warn: (warning: string) => void,
): Promise<Choice<V>> {
  const { text, finishReason } = output;
  const cut = finishReason === 'abort' && target.constraint !== undefined;
  const value = cut ? undefined : await target.finish(text, checker, warn);
  return {
    value: value as V,
    text,
    finishReason,
    ...(output.reasoning === undefined ? {} : { reasoning: output.reasoning }),
    ...(output.score === undefined ? {} : { score: output.score }),
  };
}

function prepare(given: unknown, options: GenerateOptions & { readonly tools?: unknown }): Prepared {
  if (typeof options !== 'object' || options === null)
    throw new OptionError('options', "an object with 'prompt' or 'messages'", typeof options);
  const messages = messagesOf(options);
  const target = targetOf(given, options.tools, options.showSchema !== false);
  const preset = options.preset === undefined ? {} : PRESETS[options.preset];
  if (preset === undefined) throw new OptionError('preset', Object.keys(PRESETS).join(' | '), String(options.preset));
  const own = Object.fromEntries(SAMPLING_KEYS.filter((k) => options[k] !== undefined).map((k) => [k, options[k]]));
  const { sampling, warnings } = resolveSampling({ ...preset, ...own }, () => Math.floor(Math.random() * 2 ** 32));
  warnings.push(...unknownOptions(options));
  const n = count('n', options.n ?? 1);
  const bestOf = count('bestOf', options.bestOf ?? n);
  if (bestOf < n) throw new OptionError('bestOf', `at least n, which is ${n}`, String(bestOf));
  if (bestOf > 1 && sampling.temperature === 0) warnings.push('n, bestOf: at temperature 0 all outputs are the same');
  if (options.maxTokens !== undefined && !(Number.isInteger(options.maxTokens) && options.maxTokens > 0)) {
    throw new OptionError('maxTokens', 'an integer of at least 1', String(options.maxTokens));
  }
  if (
    options.logprobs !== undefined &&
    !(Number.isInteger(options.logprobs) && options.logprobs >= 0 && options.logprobs <= 100)
  ) {
    throw new OptionError('logprobs', 'an integer from 0 to 100', String(options.logprobs));
  }
  if (target.constraint !== undefined && (options.stop?.length ?? 0) > 0) {
    warnings.push('stop: no effect on constrained output, which ends where its constraint does');
  }
  const { speculation, reasoning } = options;
  const draftTokens =
    speculation === false ? 0 : typeof speculation === 'object' ? speculation.maxTokens : DEFAULT_DRAFTS;
  return {
    target,
    n,
    warnings,
    job: {
      messages,
      constraint: target.constraint,
      shown: target.shown,
      tools: target.tools,
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

function count(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 1) throw new OptionError(name, 'an integer of at least 1', String(value));
  if (value > MOST_CHOICES) throw new LimitError(name, value, MOST_CHOICES);
  return value;
}
