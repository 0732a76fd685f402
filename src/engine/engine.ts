/**
 * The engine: a loaded model that generates values. Options are checked (prepare.ts), the service runs the job, and its text becomes a checked value.
 */
import { ModelError } from '../base/errors.js';
import type { DecodeOutput, TokenInfo } from '../decoder/request.js';
import type { ModelInfo } from '../runtime/types.js';
import { ResultChecker } from './check.js';
import type { JobEvent, Outcome, Service, ServiceMetrics } from './job.js';
import { type Prepared, prepare } from './prepare.js';
import { GenerationStream } from './stream.js';
import type { Target } from './target.js';
import type {
  AnyTool,
  Choice,
  CloseOptions,
  GenerateOptions,
  Measure,
  Output,
  RequestOptions,
  Result,
  ResultFor,
  ToolChoice,
  Written,
} from './types.js';

export class Engine {
  readonly #service: Service;
  readonly #checker = new ResultChecker();
  readonly #running = new Set<Promise<unknown>>();
  #closed = false;
  #closing: Promise<void> | undefined;
  #freed: Promise<void> | undefined;

  constructor(service: Service) {
    this.#service = service;
  }

  /** What is loaded, where it runs, and what to know about it. */
  get info(): ModelInfo {
    return this.#service.info;
  }

  /**
   * Generates one value. `target`: a schema (JSON Schema, or of a schema library), a constraint (`json`, `gbnf`, `regex`, `choice`, `tags`), or
   * null for unconstrained text or for tools alone. An aborted request resolves with finishReason 'abort' and no value.
   * @throws OptionError, GrammarError, UnsupportedSchemaError, UnsatisfiableError, LimitError, ModelError, ValueError (rejections)
   */
  async generate<
    const S,
    const T extends readonly AnyTool[] | undefined = undefined,
    const C extends ToolChoice | undefined = undefined,
    A extends AbortSignal | undefined = undefined,
  >(target: S, options: RequestOptions<T, C, A>): Promise<ResultFor<S, T, C, A>> {
    const prepared = prepare(target, options, this.info.callForm);
    return this.#run<ResultFor<S, T, C, A>>(prepared, options, undefined);
  }

  /** The same as it happens: events, text, partial values, and the result. Errors reach the readers and `result`. */
  stream<
    const S,
    const T extends readonly AnyTool[] | undefined = undefined,
    const C extends ToolChoice | undefined = undefined,
    A extends AbortSignal | undefined = undefined,
  >(
    target: S,
    options: RequestOptions<T, C, A>,
  ): GenerationStream<Output<S, T, C>, Written<S, T, C>, ResultFor<S, T, C, A>> {
    let prepared: Prepared | undefined;
    let failure: unknown;
    try {
      prepared = prepare(target, options, this.info.callForm);
    } catch (error) {
      failure = error;
    }
    return new GenerationStream<Output<S, T, C>, Written<S, T, C>, ResultFor<S, T, C, A>>(
      prepared?.target.isJson ?? false,
      async (sink) => {
        if (prepared === undefined) throw failure;
        return this.#run<ResultFor<S, T, C, A>>(prepared, options, sink);
      },
      prepared?.job.score,
    );
  }

  /**
   * What a request would take, from the same arguments: compiles, renders and counts, and generates nothing. For histories that must fit: the error of a prompt
   * that is too long is `generate`'s LimitError.
   * @throws as `generate` does, but for ValueError (rejections)
   */
  async measure(
    target: unknown,
    options: GenerateOptions & {
      readonly tools?: readonly AnyTool[] | undefined;
      readonly toolChoice?: ToolChoice | undefined;
    },
  ): Promise<Measure> {
    const { job, warnings } = prepare(target, options, this.info.callForm);
    this.#checkOpen();
    const measured = await this.#tracked(this.#service.measure(job));
    return { ...measured, warnings: [...warnings, ...measured.warnings] };
  }

  /** Counters and times, as an object and in Prometheus' text format. */
  metrics(): Promise<ServiceMetrics> {
    return this.#service.metrics();
  }

  /**
   * Ends what runs (their promises reject with a ModelError) and frees the model; with `drain` what runs is finished first. New requests are refused either way. A
   * call without `drain` after one with it ends what is left.
   */
  close({ drain = false }: CloseOptions = {}): Promise<void> {
    this.#closed = true;
    if (drain) this.#closing ??= this.#drain();
    else this.#closing = this.#free();
    return this.#closing;
  }

  async #drain(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
    await this.#free();
  }

  /** Work that `close` with `drain` waits for. */
  async #tracked<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work);
    try {
      return await work;
    } finally {
      this.#running.delete(work);
    }
  }

  #free(): Promise<void> {
    this.#freed ??= this.#service.close();
    return this.#freed;
  }

  #checkOpen(): void {
    if (this.#closed) throw new ModelError('the engine', 'an open engine', 'a closed one');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** `R`: what the types of the arguments make of the result. */
  async #run<R>(
    prepared: Prepared,
    options: GenerateOptions,
    sink: ((event: JobEvent) => void) | undefined,
  ): Promise<R> {
    this.#checkOpen();
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
    const outcome: Outcome = await this.#tracked(this.#service.run(job, options.signal, onEvent));
    const { result } = outcome;
    warnings.push(...outcome.warnings);
    const start = performance.now();
    const order = result.outputs.map((_, i) => i);
    if (job.score === true) order.sort((a, b) => (result.outputs[b]?.score ?? 0) - (result.outputs[a]?.score ?? 0));
    const choices: Choice<unknown>[] = [];
    for (const i of order.slice(0, prepared.n)) {
      const output = result.outputs[i]!;
      const choice = await finishChoice(output, target, options.validate === false ? undefined : this.#checker, (w) =>
        warnings.push(w),
      );
      choices.push(keep ? { ...choice, tokens: kept[i] } : choice);
    }
    const first = choices[0]!;
    const whole: Result<unknown> = {
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
    return whole as R;
  }
}

async function finishChoice(
  output: DecodeOutput,
  target: Target,
  checker: ResultChecker | undefined,
  warn: (warning: string) => void,
): Promise<Choice<unknown>> {
  const { text, finishReason } = output;
  const cut = finishReason === 'abort' && target.constraint !== undefined;
  const value = cut ? undefined : await target.finish(text, checker, warn);
  return {
    value,
    text,
    finishReason,
    ...(output.reasoning === undefined ? {} : { reasoning: output.reasoning }),
    ...(output.score === undefined ? {} : { score: output.score }),
  };
}
