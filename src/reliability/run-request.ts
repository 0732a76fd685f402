/**
 * One request through its methods. The prompt is the same for all (the schema is shown to every method), and is in the prefix cache
 * before the first one starts, so no method pays for another's prefill; its time is measured once, apart.
 */
import { TokenloomError } from '../base/errors.js';
import { resolveSampling } from '../decoder/sampling.js';
import type { Job } from '../engine/job.js';
import type { Target } from '../engine/target.js';
import { type CompiledGrammar, Matcher } from '../fsm/index.js';
import { json } from '../grammar/constraint/index.js';
import { NO_OUTCOME } from './empty.js';
import type { Judge, Verdict } from './judge.js';
import { methodOf, methodsFor } from './methods.js';
import type { Repair } from './repair.js';
import { seedOf } from './seed.js';
import { type Answer, requestTarget, type Session } from './session.js';
import { packTimes } from './statistics.js';
import type { Steering } from './steered-model.js';
import type { AnswerLine, BenchRequest, Counts, MethodName, RequestLine, RunOptions, Spent } from './types.js';

/** Retries of method 2, and their temperature: at 0 they would all be the same. */
const RETRIES = 3;
const RETRY_TEMPERATURE = 0.7;
/** Tokens that the shortest value leaves free where the usual limit does not hold it. */
const ROOM = 64;
/** What method 7 may spend over the shortest value. */
const TIGHT = 2;
/** Method 8 wanders to the end of any budget: what it may spend over the shortest value. */
const NOISE_TOKENS = 96;

export interface Prepared {
  readonly request: BenchRequest;
  readonly target: Target;
  readonly grammar: CompiledGrammar;
  readonly shortest: number;
  /** Processor time of the first compilation. */
  readonly coldCpuMs: number;
  /** Tokens that the context leaves. */
  readonly room: number;
  readonly seed: number;
}

export interface Bench {
  readonly session: Session;
  readonly judge: Judge;
  readonly repair: Repair | undefined;
  readonly options: RunOptions;
}

/** Everything about one request. Errors of a method are in its line; only faults of this suite throw. */
export async function runRequest(bench: Bench, request: BenchRequest): Promise<(RequestLine | AnswerLine)[]> {
  const { line, prepared } = await prepareRequest(bench, request);
  if (prepared === undefined) return [line];
  const lines: (RequestLine | AnswerLine)[] = [line];
  let first: AnswerLine | undefined;
  for (const method of methodsFor(request, bench.options.methods)) {
    if (method === 'repair' && bench.repair === undefined) continue;
    const answer = await runMethod(bench, prepared, method, first);
    if (method === 'prompt') first = answer;
    lines.push(answer);
  }
  return lines;
}

/** Compiles, runs the prompt once, and finds out how short a value can be. */
export async function prepareRequest(
  { session, options }: Bench,
  request: BenchRequest,
): Promise<{ line: RequestLine; prepared?: Prepared }> {
  const base = {
    type: 'request',
    request,
    promptTokens: 0,
    prefillMs: 0,
    coldMs: 0,
    cachedMs: 0,
    shortest: 0,
  } as const;
  const seed = seedOf(options.seed, request.id);
  let target: Target;
  let cold: ReturnType<Session['prepare']>;
  let probe: Answer;
  try {
    target = requestTarget(request);
    cold = session.prepare(target);
    probe = await session.run(jobOf(request, target, { constrained: false, maxTokens: 1, seed }));
  } catch (error) {
    if (!(error instanceof TokenloomError)) throw error;
    return {
      line: { ...base, refused: { name: error.name, message: (error.message.split('\n')[0] ?? '').slice(0, 300) } },
    };
  }
  const cachedMs = session.prepare(target).ms;
  const shortest = new Matcher(cold.grammar, session.vocabulary).remaining;
  const { usage, timings } = probe.outcome.result;
  return {
    line: {
      ...base,
      promptTokens: usage.promptTokens,
      prefillMs: round(timings.firstTokenMs),
      coldMs: round(cold.ms),
      cachedMs: round(cachedMs),
      shortest,
    },
    prepared: {
      request,
      target,
      grammar: cold.grammar,
      shortest,
      coldCpuMs: cold.cpuMs,
      room: session.model.contextLength - usage.promptTokens,
      seed,
    },
  };
}

/** `first`: the answer of method 1, which methods 2 and 3 begin with. */
export async function runMethod(
  bench: Bench,
  prepared: Prepared,
  method: MethodName,
  first?: AnswerLine,
  watch?: Watch,
): Promise<AnswerLine> {
  const { request, shortest, room, seed } = prepared;
  const maxTokens = tokenLimit(bench.options, prepared, method);
  const { id, source, group } = request;
  const base = { type: 'answer', id, source, group, method, maxTokens, seed } as const;
  if (methodOf(method).constrained && shortest > room) return { ...base, ...NO_OUTCOME, status: 'long' };
  try {
    switch (method) {
      case 'prompt':
        return {
          ...base,
          ...(await attempt(bench, prepared, { constrained: false, maxTokens, seed }, undefined, watch)),
        };
      case 'retry':
        return { ...base, ...(await withRetries(bench, prepared, maxTokens, first, watch)) };
      case 'repair':
        return { ...base, ...(await repaired(bench, prepared, maxTokens, first, watch)) };
      case 'json-mode':
        return {
          ...base,
          ...(await attempt(bench, prepared, { constrained: 'any', maxTokens, seed }, undefined, watch)),
        };
      case 'constrained':
        return { ...base, ...(await attempt(bench, prepared, { ...PLAIN, maxTokens, seed }, undefined, watch)) };
      case 'fast':
      case 'tight':
        return {
          ...base,
          ...(await attempt(bench, prepared, { constrained: true, maxTokens, seed }, undefined, watch)),
        };
      case 'adversarial':
        return {
          ...base,
          ...(await attempt(bench, prepared, { constrained: true, maxTokens, seed }, { kind: 'noise', seed }, watch)),
        };
    }
  } catch (error) {
    const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
    return { ...base, ...NO_OUTCOME, status: 'error', error: { name, message: message.slice(0, 500) } };
  }
}

/** Hears of each job before it runs and may change it (replay asks for a trace). */
export type Watch = (job: Job) => { readonly job: Job; readonly onEvent: Parameters<Session['run']>[2] };

interface Plan {
  /** By the request's constraint, by nothing, or by JSON of any shape. */
  readonly constrained: boolean | 'any';
  readonly maxTokens: number;
  readonly seed: number;
  readonly temperature?: number;
  readonly plain?: boolean;
}

const PLAIN = { constrained: true, plain: true } as const;

type Outcome = Omit<AnswerLine, 'type' | 'id' | 'source' | 'group' | 'method' | 'maxTokens' | 'seed'>;

async function attempt(
  { session, judge }: Bench,
  prepared: Prepared,
  plan: Plan,
  steering: Steering | undefined,
  watch: Watch | undefined,
): Promise<Outcome> {
  const { request, target } = prepared;
  const job = jobOf(request, target, plan);
  const watched = watch?.(job) ?? { job, onEvent: undefined };
  const answer = await session.run(watched.job, steering, watched.onEvent);
  const { result } = answer.outcome;
  const output = result.outputs[0]!;
  return {
    status: 'ok',
    text: output.text,
    finish: output.finishReason,
    ...verdictOn(judge, prepared, output.text),
    cut: output.finishReason === 'length',
    closed: output.finishReason === 'budget',
    deadEnds: answer.account.deadEnds,
    counts: countsOf(answer),
    ms: spentOf(answer),
    maskTimes: packTimes(answer.account.maskTimes),
  };
}

async function withRetries(
  bench: Bench,
  prepared: Prepared,
  maxTokens: number,
  first: AnswerLine | undefined,
  watch: Watch | undefined,
): Promise<Outcome> {
  const { seed } = prepared;
  let last = await firstAnswer(bench, prepared, maxTokens, first, watch);
  let best = last;
  for (let i = 1; i <= RETRIES && best.fits !== true; i++) {
    const plan = { constrained: false, maxTokens, seed: (seed + i) >>> 0, temperature: RETRY_TEMPERATURE };
    const next = await attempt(bench, prepared, plan, undefined, watch);
    last = {
      ...next,
      counts: added(last.counts, next.counts),
      // The first token that can be used comes with the attempt that is used.
      ms: { ...added(last.ms, next.ms), firstToken: last.ms.total + next.ms.firstToken },
    };
    if (next.fits === true || (best.json !== true && next.json !== false)) best = last;
  }
  // Where none fits, the first that is JSON is what a caller has in hand; all attempts are paid for.
  return { ...best, counts: last.counts, ms: { ...last.ms, firstToken: best.ms.firstToken } };
}

/** Method 1's answer, known or made. */
async function firstAnswer(
  bench: Bench,
  prepared: Prepared,
  maxTokens: number,
  first: AnswerLine | undefined,
  watch: Watch | undefined,
): Promise<Outcome> {
  if (first !== undefined) return outcomeOf(first);
  return attempt(bench, prepared, { constrained: false, maxTokens, seed: prepared.seed }, undefined, watch);
}

async function repaired(
  bench: Bench,
  prepared: Prepared,
  maxTokens: number,
  first: AnswerLine | undefined,
  watch: Watch | undefined,
): Promise<Outcome> {
  const given = await firstAnswer(bench, prepared, maxTokens, first, watch);
  const start = performance.now();
  let { text } = given;
  try {
    text = bench.repair?.(text) ?? text;
  } catch {
    // Beyond repair: the text stays what it was.
  }
  const repair = performance.now() - start;
  const { status, finish, cut, closed, deadEnds, counts, ms, maskTimes } = given;
  return {
    status,
    text,
    finish,
    ...verdictOn(bench.judge, prepared, text),
    cut,
    closed,
    deadEnds,
    counts,
    ms: { ...ms, total: ms.total + repair, cpu: ms.cpu + repair, repair },
    maskTimes,
  };
}

/** A line without what belongs to its request and method. */
function outcomeOf(line: AnswerLine): Outcome {
  const { type: _t, id: _i, source: _s, group: _g, method: _m, maxTokens: _n, seed: _d, ...outcome } = line;
  return outcome;
}

function verdictOn(judge: Judge, { request, target, grammar }: Prepared, text: string): Verdict {
  const { constraint } = target;
  return constraint?.kind === 'json'
    ? judge.json(request, constraint.schema, text)
    : judge.grammar(request, grammar, text);
}

/** The limit of a method: the run's, raised for values that cannot be that short, and never beyond the context. */
export function tokenLimit(options: RunOptions, { shortest, room }: Prepared, method: MethodName): number {
  if (method === 'tight') return Math.min(room, shortest + TIGHT);
  if (method === 'adversarial') return Math.min(room, shortest + NOISE_TOKENS);
  return Math.max(1, Math.min(room, Math.max(options.maxTokens, shortest + ROOM)));
}

function jobOf(request: BenchRequest, target: Target, plan: Plan): Job {
  const { sampling } = resolveSampling({ temperature: plan.temperature ?? 0, seed: plan.seed }, () => plan.seed);
  const plain = plan.plain === true;
  return {
    messages: request.messages,
    constraint: plan.constrained === 'any' ? json(true) : plan.constrained ? target.constraint : undefined,
    shown: target.shown,
    tools: target.tools,
    maxTokens: plan.maxTokens,
    count: 1,
    sampling,
    forcing: !plain,
    optimistic: !plain,
    draftTokens: plain ? 0 : 8,
    // Prompts of other requests must not change what is cached for this one.
    tenant: request.id,
  };
}

function countsOf({ outcome, account }: Answer): Counts {
  const { usage } = outcome.result;
  return {
    attempts: 1,
    tokens: usage.completionTokens,
    passes: usage.passes,
    forced: usage.forcedTokens,
    sampled: usage.sampledTokens,
    drafted: usage.draftedTokens,
    acceptedDrafts: usage.acceptedDrafts,
    optimistic: usage.optimisticTokens,
    masks: account.masks,
  };
}

function spentOf({ outcome, account, cpuMs }: Answer): Spent {
  const { timings } = outcome.result;
  return {
    total: round(timings.totalMs),
    cpu: round(cpuMs),
    firstToken: round(timings.firstTokenMs),
    model: round(timings.modelMs),
    mask: round(account.maskMs),
    matcher: round(account.matcherMs),
    prompt: round(outcome.promptMs),
    compile: round(outcome.compileMs),
    repair: 0,
  };
}

/** The sum, field by field. */
function added<T extends { readonly [K in keyof T]: number }>(a: T, b: T): T {
  const out = { ...a };
  for (const key of Object.keys(a) as (keyof T)[]) out[key] = (a[key] + b[key]) as T[keyof T];
  return out;
}

/** Microseconds are enough. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
