/** What the suite sends, and what it writes down: one line of JSON for each request and method. Plain records. */
import type { ChatMessage } from '../runtime/types.js';

export interface BenchTool {
  readonly name: string;
  readonly description?: string;
  readonly parameters: unknown;
}

/** How the text of a grammar is judged without the engine. */
export type TextCheck =
  | { readonly kind: 'pattern'; readonly pattern: string }
  | { readonly kind: 'language'; readonly name: 'expression' | 'brackets' | 'list' | 'json' };

export interface BenchRequest {
  readonly id: string;
  /** Where it comes from: `extraction`, `extraction-seen`, `keywords`, `tools`, `grammars`, `maskbench`, `own`. */
  readonly source: string;
  /** A finer division: domain, keyword family, grammar, MaskBench source. */
  readonly group: string;
  readonly messages: readonly ChatMessage[];
  /** One of schema, tools and grammar. */
  readonly schema?: unknown;
  readonly tools?: readonly BenchTool[];
  readonly grammar?: string;
  /** Start rule of the grammar. */
  readonly root?: string;
  /** The right value, where it is known. */
  readonly expected?: unknown;
  readonly check?: TextCheck;
  /** Whether methods 1 to 4 get it too. */
  readonly compared?: boolean;
}

export const METHODS = [
  'prompt',
  'retry',
  'repair',
  'json-mode',
  'constrained',
  'fast',
  'tight',
  'adversarial',
] as const;
export type MethodName = (typeof METHODS)[number];

/** Milliseconds of one answer, all its attempts together. */
export interface Spent {
  /** From the request's arrival in the loop to its end. */
  readonly total: number;
  /** The same in processor time of the whole process. */
  readonly cpu: number;
  readonly firstToken: number;
  /** Inside the model. */
  readonly model: number;
  /** Filling masks. */
  readonly mask: number;
  /** The rest of the constraint: accepting tokens, forced tokens, rollback. */
  readonly matcher: number;
  /** Template and tokenizer. */
  readonly prompt: number;
  /** From the constraint to its automata, with what the engine remembers of it. */
  readonly compile: number;
  /** Repairing (method 3). */
  readonly repair: number;
}

export interface Counts {
  /** Requests to the model: over 1 after retries. */
  readonly attempts: number;
  readonly tokens: number;
  readonly passes: number;
  readonly forced: number;
  readonly sampled: number;
  readonly drafted: number;
  readonly acceptedDrafts: number;
  readonly optimistic: number;
  readonly masks: number;
}

/** What became of one request with one method. */
export interface AnswerLine {
  readonly type: 'answer';
  readonly id: string;
  readonly source: string;
  readonly group: string;
  readonly method: MethodName;
  /** `late`: no answer within the watchdog's time; `long`: the shortest value does not fit the context. */
  readonly status: 'ok' | 'error' | 'late' | 'long';
  readonly text: string;
  readonly finish: string;
  /** Parses as JSON; null where the answer is not meant to be JSON. */
  readonly json: boolean | null;
  /** Fits the schema or grammar; null where nobody can say (ajv cannot compile the schema). */
  readonly fits: boolean | null;
  /** Fits but for a format, where ajv's idea of it is narrower than the specification's. */
  readonly disputed?: string;
  /** Why it does not fit. */
  readonly why?: string;
  /** Leaves of the expected value, and how many of them are exactly right. */
  readonly fields?: number;
  readonly right?: number;
  /** Cut by the token limit before it was complete. */
  readonly cut: boolean;
  /** Complete, but closed by the budget before the model wanted to end. */
  readonly closed: boolean;
  /** Times a mask was empty. */
  readonly deadEnds: number;
  readonly error?: { readonly name: string; readonly message: string };
  readonly maxTokens: number;
  readonly seed: number;
  readonly counts: Counts;
  readonly ms: Spent;
  /** Times of single masks: pairs of bucket and count (statistics.ts). */
  readonly maskTimes: readonly number[];
}

/** What was learnt of a request before any method ran. */
export interface RequestLine {
  readonly type: 'request';
  readonly request: BenchRequest;
  /** The constraint is refused by name: no method runs. */
  readonly refused?: { readonly name: string; readonly message: string };
  readonly promptTokens: number;
  /** Milliseconds to the first token with nothing cached: prefill. */
  readonly prefillMs: number;
  /** From the constraint to the first mask: the first time, and again. */
  readonly coldMs: number;
  readonly cachedMs: number;
  /** Tokens of a shortest value. */
  readonly shortest: number;
}

/** The same final text, constrained and not: least processor time of several runs, prompt already in the cache. */
export interface SpeedLine {
  readonly type: 'speed';
  readonly id: string;
  readonly source: string;
  /** Tokens of the text as the tokenizer cuts it, which is what an unconstrained model writes. */
  readonly tokens: number;
  /** Prefill, and compiling the schema for the first time: processor time as the rest. */
  readonly prefillMs: number;
  readonly coldCompileMs: number;
  readonly constrainedMs: number;
  readonly constrainedPasses: number;
  /** The engine without a constraint, one token a pass. */
  readonly unconstrainedMs: number;
  /** The engine without a constraint, with its drafts from the text. */
  readonly lookupMs: number;
  /** The model alone, called in a loop. */
  readonly bareMs: number;
  readonly same: boolean;
}

/** Where and with what the run was made. Another run may go on in its file only where `set` and `model` are equal. */
export interface RunLine {
  readonly type: 'run';
  readonly version: string;
  readonly started: string;
  readonly options: RunOptions;
  readonly model: { readonly source: string; readonly fingerprint: string };
  /** Hash over all requests. */
  readonly set: string;
  readonly requests: number;
  readonly machine: {
    readonly processor: string;
    readonly cores: number;
    readonly node: string;
    readonly platform: string;
  };
  readonly workers: number;
}

export interface RunOptions {
  readonly model: string;
  readonly seed: number;
  readonly methods: readonly MethodName[];
  /** Most output tokens; raised to what the shortest value of a request needs. */
  readonly maxTokens: number;
  readonly speed: number;
}

export type Line = RunLine | RequestLine | AnswerLine | SpeedLine;
