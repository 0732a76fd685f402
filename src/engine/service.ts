/**
 * Runs jobs on a loaded model in this thread: prompt, grammar, matchers, decode loop. The engine uses it directly, or through a worker
 * thread that holds one.
 */

import { OptionError } from '../base/errors.js';
import { releaseAll } from '../base/release.js';
import { decodeUtf8 } from '../base/utf8.js';
import { DecodeLoop } from '../decoder/loop.js';
import type { LoopOptions } from '../decoder/loop-options.js';
import type { TokenMatcher } from '../decoder/matcher.js';
import type { StepModel } from '../decoder/model.js';
import { markerTokens } from '../decoder/reasoning.js';
import type { DecodeRequest, ReasoningOptions, TokenInfo } from '../decoder/request.js';
import { type CompiledGrammar, compileGrammar, type Vocabulary } from '../fsm/index.js';
import { type Constraint, constraintGrammar } from '../grammar/constraint/index.js';
import type { LoadedModel, ModelInfo } from '../runtime/types.js';
import { neverBegun } from './aborted.js';
import { asked } from './asked.js';
import { BudgetMatcher } from './budget.js';
import type { Job, JobEvent, Measured, Outcome, Service, ServiceMetrics } from './job.js';
import { buildPrompt } from './prompt.js';
import type { SchedulerOptions } from './types.js';

const MOST_COMPILED = 256;
const MOST_COMPILED_CHARS = 32 << 20;
const DEFAULT_MAX_TOKENS = 4096;

export interface Compiled {
  readonly grammar: CompiledGrammar;
  readonly warnings: readonly string[];
}

export class LocalService implements Service {
  readonly info: ModelInfo;
  readonly #loaded: LoadedModel;
  readonly #loop: DecodeLoop;
  readonly #compiled = new Map<string, Compiled>();
  readonly #observe: ((matcher: TokenMatcher) => TokenMatcher) | undefined;
  #chars = 0;
  #closed = false;

  /** `observe` wraps each matcher before it is used: for measuring what the constraint costs. */
  constructor(
    loaded: LoadedModel,
    scheduler: SchedulerOptions & Pick<LoopOptions, 'cost'> = {},
    draftModel?: StepModel,
    observe?: (matcher: TokenMatcher) => TokenMatcher,
  ) {
    this.#loaded = loaded;
    this.#observe = observe;
    this.info = loaded.info;
    // A mixture of experts has a choice of rows only where more sequences are ready than a step takes.
    const maxSequences =
      scheduler.maxSequences ?? (loaded.info.experts === undefined ? undefined : loaded.model.maxRows * 4);
    this.#loop = new DecodeLoop(loaded.model, loaded.vocabulary, { ...scheduler, maxSequences, draftModel });
  }

  async run(
    job: Job,
    signal: AbortSignal | undefined,
    onEvent: ((event: JobEvent) => void) | undefined,
  ): Promise<Outcome> {
    const arrived = performance.now();
    const prepared = await this.#ready(job, signal);
    if (prepared === undefined) return neverBegun(job, performance.now() - arrived);
    const { vocabulary } = this.#loaded;
    const { request, warnings, compileMs, promptMs } = prepared.made;
    const shown = ({ token, reasoning }: TokenInfo): Uint8Array =>
      job.constraint === undefined || reasoning ? vocabulary.tokenBytes(token) : vocabulary.shownBytes(token);
    const result = await this.#loop.run({
      ...request,
      signal,
      waitedMs: prepared.waitedMs,
      onEvent:
        onEvent === undefined
          ? undefined
          : (event) => onEvent({ ...event, texts: event.tokens.map((t) => decodeUtf8(shown(t))) }),
    });
    return { result, warnings, compileMs, promptMs };
  }

  async measure(job: Job): Promise<Measured> {
    const prepared = await this.#ready(job, undefined);
    const { request, warnings } = prepared!.made;
    return { promptTokens: request.prompt.length, maxTokens: request.maxTokens, warnings };
  }

  /** A job made ready when its turn came; undefined where its signal fired before. */
  async #ready(job: Job, signal: AbortSignal | undefined) {
    try {
      return await this.#loop.prepare(() => this.#prepare(job), { priority: job.priority, signal });
    } catch (error) {
      throw asked(error);
    }
  }

  /** From a job to what the loop runs. @throws as `generate` does */
  #prepare(job: Job): { readonly request: DecodeRequest } & Omit<Outcome, 'result'> {
    const { model, vocabulary, chat, tokenizer } = this.#loaded;
    const start = performance.now();
    const outside = job.sampling.bias.find(([id]) => id >= vocabulary.size);
    if (outside !== undefined)
      throw new OptionError('logitBias', `token ids below ${vocabulary.size}`, String(outside[0]));
    const compiled = job.constraint === undefined ? undefined : this.compile(job.constraint);
    const compiledAt = performance.now();
    const reserve = Math.min(job.maxTokens ?? DEFAULT_MAX_TOKENS, model.contextLength >> 2);
    const prompt = buildPrompt(
      {
        messages: job.messages,
        schema: job.shown,
        tools: job.tools,
        freeCalls: job.freeCalls,
        atOnce: job.constraint !== undefined && job.reasoning === undefined,
        variables: job.variables,
        parseSpecials: job.parseSpecials,
        reserve,
      },
      chat,
      tokenizer,
      model.contextLength,
    );
    const promptMs = performance.now() - compiledAt;
    const room = model.contextLength - prompt.tokens.length;
    const thinking = thinkingIn(room, job, vocabulary);
    const maxTokens = Math.min(job.maxTokens ?? DEFAULT_MAX_TOKENS, Math.max(1, room - thinking.tokens));
    const { reasoning } = thinking;
    const warnings = [...(compiled?.warnings ?? []), ...prompt.warnings];
    if (job.maxTokens !== undefined && maxTokens < job.maxTokens) {
      warnings.push(`maxTokens: the context leaves room for ${maxTokens} tokens, not ${job.maxTokens}`);
    }
    if (job.reasoning !== undefined && reasoning === undefined) {
      warnings.push('reasoning: left out, since the context leaves no room for it');
    } else if (reasoning !== undefined && reasoning.budget < (job.reasoning?.budget ?? 0)) {
      warnings.push(`reasoning.budget: the context leaves room for ${reasoning.budget} tokens`);
    }
    const begin = performance.now();
    const matchers = Array.from({ length: job.count }, () => {
      if (compiled === undefined) return undefined;
      const matcher = BudgetMatcher.create(compiled.grammar, vocabulary, maxTokens);
      return this.#observe === undefined ? matcher : this.#observe(matcher);
    });
    const { sampling, stop, forcing, optimistic, draftTokens, logprobs, score, trace, priority } = job;
    return {
      request: {
        prompt: prompt.tokens,
        matchers,
        maxTokens,
        sampling,
        stop,
        forcing,
        optimistic,
        draftTokens,
        logprobs,
        score,
        trace,
        reasoning,
        priority,
        salt: job.tenant,
      },
      warnings,
      compileMs: compiledAt - start + (performance.now() - begin),
      promptMs,
    };
  }

  async metrics(): Promise<ServiceMetrics> {
    return { snapshot: this.#loop.metrics.snapshot(), prometheus: this.#loop.metrics.prometheus() };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#loop.close();
    await this.#loop.idle();
    await releaseAll(
      () => this.#loop.dispose(),
      () => this.#loaded.model.dispose(),
    );
  }

  /** A constraint as this service runs it; remembered by what it is made from. @throws as `generate` does */
  compile(constraint: Constraint): Compiled {
    const full = spaced(constraint, this.info.whitespace);
    const key = keyOf(full);
    const known = this.#compiled.get(key);
    if (known !== undefined) {
      this.#compiled.delete(key);
      this.#compiled.set(key, known);
      return known;
    }
    const { grammar, diagnostics } = constraintGrammar(full, {}, this.#loaded.vocabulary.controls);
    const made: Compiled = {
      grammar: compileGrammar(grammar),
      warnings: diagnostics
        .filter((d) => d.severity !== 'info')
        .map((d) => `schema at '#${d.pointer}', keyword '${d.keyword}': ${d.message}`),
    };
    this.#compiled.set(key, made);
    this.#chars += key.length;
    for (const [old] of this.#compiled) {
      if ((this.#compiled.size <= MOST_COMPILED && this.#chars <= MOST_COMPILED_CHARS) || old === key) break;
      this.#compiled.delete(old);
      this.#chars -= old.length;
    }
    return made;
  }
}

/** The thinking that the context has room for, if any, and its most tokens with the marker: a quarter of the room, if it takes that, is the value's. */
function thinkingIn(
  room: number,
  { reasoning, maxTokens = DEFAULT_MAX_TOKENS }: Job,
  vocabulary: Vocabulary,
): { readonly reasoning: ReasoningOptions | undefined; readonly tokens: number } {
  const none = { reasoning: undefined, tokens: 0 };
  if (reasoning === undefined) return none;
  const { end } = reasoning;
  const marker = markerTokens(end, vocabulary).length;
  const most = room - Math.max(1, Math.min(maxTokens, room >> 2)) - marker;
  if (most < 1) return none;
  const budget = Math.min(reasoning.budget, most);
  return { reasoning: { ...reasoning, budget }, tokens: budget + marker };
}

/** With the model's own whitespace where the constraint asks for none. */
function spaced<C extends Constraint>(constraint: C, whitespace: ModelInfo['whitespace']): C {
  if (whitespace === undefined) return constraint;
  if (constraint.kind === 'json') return { ...constraint, options: { whitespace, ...constraint.options } };
  if (constraint.kind === 'calls') {
    const tools = constraint.tools.map((tool) => ({ ...tool, content: spaced(tool.content, whitespace) }));
    return { ...constraint, tools };
  }
  if (constraint.kind !== 'tags') return constraint;
  return { ...constraint, tags: constraint.tags.map((tag) => ({ ...tag, content: spaced(tag.content, whitespace) })) };
}

function keyOf(constraint: Constraint): string {
  try {
    return JSON.stringify(constraint);
  } catch (cause) {
    throw new OptionError(
      'schema',
      'a schema that JSON can hold',
      cause instanceof Error ? cause.message.split('\n')[0]! : 'another',
    );
  }
}
