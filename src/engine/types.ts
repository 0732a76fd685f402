/** What callers of the engine give and get. */
import type { DecodeTimings, DecodeUsage, FinishReason, TokenInfo } from '../decoder/request.js';
import type { Preset, SamplingOptions } from '../decoder/sampling.js';
import type { Constraint, Infer, InferInput } from '../grammar/constraint/index.js';
import type { LoadOptions, ModelSource } from '../runtime/types.js';
import type { PartialValue } from './partial-types.js';

export interface SchedulerOptions {
  /** Most rows of one step; default: what the model takes. */
  readonly maxRows?: number | undefined;
  /** Most tokens of one step; default: what the model takes. */
  readonly maxStepTokens?: number | undefined;
  /** Most prompt tokens of one row in one step (default 256). */
  readonly prefillChunk?: number | undefined;
  /** Most sequences that hold memory at once. */
  readonly maxSequences?: number | undefined;
  /** Most requests waiting before further ones are refused (default 100,000). */
  readonly maxQueue?: number | undefined;
  /** Steps of waiting that raise a request's priority by one (default 32). */
  readonly agingSteps?: number | undefined;
  /** Rows of a mixture of experts by shared experts ('profile', default), or first come first served. */
  readonly composition?: 'fcfs' | 'profile' | undefined;
  /**
   * Decoding rows of one step: as many as cost least a token by a measurement that is made once, in at most about 0.3 s, when four requests
   * first decode at once ('auto', default); all that are ready; or at most so many. Rows beyond take turns.
   */
  readonly batch?: 'auto' | 'all' | number | undefined;
  /**
   * Most milliseconds of one step, as far as the measurement can tell, which is then made with the first request: fewer rows, shorter chunks of
   * prompts.
   */
  readonly maxStepMs?: number | undefined;
}

export interface EngineOptions extends LoadOptions {
  /** 'embedded' (default), 'embedded-moe', a folder (its path or file URL), or 'hf:org/name'. */
  readonly model?: ModelSource | undefined;
  /** A smaller model of the same vocabulary that guesses tokens ahead; the output is the same. */
  readonly draftModel?: ModelSource | undefined;
  readonly scheduler?: SchedulerOptions | undefined;
  /**
   * Run model, scheduler, matchers and sampler together in a thread of their own, so that steps do not block the caller's event loop.
   * Default true on the CPU (docs/decoding.md has what it costs), but for a package that runs from its sources or inside a bundle,
   * where no thread can be started. The thread keeps no process alive, and a process may end at any time.
   */
  readonly worker?: boolean | undefined;
}

export interface CloseOptions {
  /** Finish the requests that wait and run before the model is freed (default false: they are ended). */
  readonly drain?: boolean | undefined;
}

/** A function that the model may call. `parameters` is whatever `json` takes. */
export interface Tool<N extends string = string, P = unknown> {
  readonly name: N;
  readonly description?: string | undefined;
  readonly parameters: P;
}

/** The same as chat APIs write it. */
export interface FunctionTool {
  readonly type: 'function';
  readonly function: {
    readonly name: string;
    readonly description?: string | undefined;
    readonly parameters?: unknown;
  };
}

/** The same as the Model Context Protocol writes it. */
export interface McpTool {
  readonly name: string;
  readonly description?: string | undefined;
  readonly inputSchema: unknown;
}

/** The same as Anthropic's API writes it. */
export interface AnthropicTool {
  readonly name: string;
  readonly description?: string | undefined;
  readonly input_schema: unknown;
}

/** The forms of tools that requests take. */
export type AnyTool = Tool | FunctionTool | McpTool | AnthropicTool;

/** The call of one tool, told apart by its name. */
export type ToolCall<T> = T extends { readonly function: infer F } ? CallOf<F, 'value'> : CallOf<T, 'value'>;

/** The call as the model writes it. */
type WrittenCall<T> = T extends { readonly function: infer F } ? CallOf<F, 'written'> : CallOf<T, 'written'>;

type CallOf<T, A extends As> = T extends { readonly name: infer N }
  ? {
      readonly name: N;
      readonly arguments: 'parameters' extends keyof T
        ? Read<NonNullable<T['parameters']>, A>
        : 'inputSchema' extends keyof T
          ? Read<T['inputSchema'], A>
          : 'input_schema' extends keyof T
            ? Read<T['input_schema'], A>
            : Record<string, never>;
    }
  : never;

/** The value, or the JSON before transforms of a schema library. */
type As = 'value' | 'written';
type Read<S, A extends As> = A extends 'value' ? Infer<S> : InferInput<S>;

/**
 * 'required' (default): the output is the call of one tool, or fits the schema where one is given; 'auto': text and as many calls as the model wants;
 * 'none': as without tools; or a call of the tool with this name.
 */
export type ToolChoice = 'required' | 'auto' | 'none' | { readonly name: string };

/** The value of a request whose tools are the model's choice: what it says, and its calls. */
export interface Answer<T> {
  readonly text: string;
  readonly calls: readonly ToolCall<T>[];
}

/** The value's type for a schema or constraint `S`, tools `T` and their choice `C`. */
export type Output<S, T, C = undefined> = T extends readonly AnyTool[]
  ? C extends 'auto'
    ? Answer<T[number]>
    : C extends 'none'
      ? Plain<S>
      : C extends { readonly name: infer N }
        ? Named<ToolCall<T[number]>, N>
        : T extends readonly []
          ? Plain<S>
          : (S extends null | undefined ? never : ValueOf<S>) | ToolCall<T[number]>
  : Plain<S>;

/** The JSON that the model writes for them, of which a stream shows the beginnings; never where the output is none. */
export type Written<S, T, C = undefined> = T extends readonly AnyTool[]
  ? C extends 'auto'
    ? never
    : C extends 'none'
      ? JsonOf<S>
      : C extends { readonly name: infer N }
        ? Named<WrittenCall<T[number]>, N>
        : JsonOf<S> | (T extends readonly [] ? never : WrittenCall<T[number]>)
  : JsonOf<S>;

type JsonOf<S> = S extends null | undefined
  ? never
  : S extends { readonly kind: Constraint['kind'] }
    ? S extends { readonly kind: 'json'; readonly '~input'?: infer I }
      ? I
      : never
    : InferInput<S>;

type Plain<S> = S extends null | undefined ? string : ValueOf<S>;

/** The calls with this name, also of tools whose names are not known before they run. */
type Named<K, N> = K extends { readonly name: infer M; readonly arguments: infer A }
  ? M extends N
    ? K
    : N extends M
      ? { readonly name: N; readonly arguments: A }
      : never
  : never;

type ValueOf<S> = S extends { readonly kind: Constraint['kind']; readonly '~type'?: infer V } ? V : Infer<S>;

/** A message as chat APIs have it; what a chat template reads beyond these comes to it unchanged. */
export interface Message {
  readonly role: string;
  /** Text, or parts that are text; none where the message has tool calls. */
  readonly content?: string | null | readonly { readonly type: string; readonly text?: string }[] | undefined;
  /** Of an assistant: `{name, arguments}`, or wrapped as `{type: 'function', function: {name, arguments}}`, arguments as JSON text or as an object. */
  readonly tool_calls?: readonly unknown[] | undefined;
  readonly [extra: string]: unknown;
}

export interface GenerateOptions extends SamplingOptions {
  /** The user's message; or give `messages`. */
  readonly prompt?: string | undefined;
  readonly messages?: readonly Message[] | undefined;
  /** Instructions put before `prompt` or `messages`. */
  readonly system?: string | undefined;
  /** Most output tokens; a constrained value is complete within them. Default: what the context leaves, at most 4,096. */
  readonly maxTokens?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** 'extraction' (greedy), 'code' or 'chat'; explicit settings win. */
  readonly preset?: Preset | undefined;
  /** Outputs to return (default 1): `choices` of the result. */
  readonly n?: number | undefined;
  /** Outputs to generate, of which the `n` likeliest are returned; a stream has their text once the best is known. */
  readonly bestOf?: number | undefined;
  /** Report log probabilities of the output's tokens with this many alternatives. */
  readonly logprobs?: number | undefined;
  /** Texts that end unconstrained output. */
  readonly stop?: readonly string[] | undefined;
  /** Let the model think before the constraint begins: the marker that ends it, and the most tokens it may take (default 1,024). */
  readonly reasoning?: { readonly end: string; readonly budget?: number | undefined } | undefined;
  /** With `toolChoice: 'auto'`: whether there may be several calls (default true). */
  readonly parallelToolCalls?: boolean | undefined;
  /** Show the schema to the model (default true). */
  readonly showSchema?: boolean | undefined;
  /** Guess tokens ahead and verify them in one pass (default true); the output is the same. */
  readonly speculation?: boolean | { readonly maxTokens: number } | undefined;
  /** Append tokens that the grammar forces without asking the model (default true). */
  readonly forcing?: boolean | undefined;
  /** Try the model's own choice before computing a mask (default true); the distribution is the same. */
  readonly optimistic?: boolean | undefined;
  /** Check the value once more against its schema before it is returned (default true). */
  readonly validate?: boolean | undefined;
  /** Report what was allowed at each token. */
  readonly trace?: boolean | undefined;
  /** Greater runs first (default 0). */
  readonly priority?: number | undefined;
  /** Requests of different tenants never share cached prompts; one without a tenant ('' is none) shares with its like only. */
  readonly tenant?: string | undefined;
  /**
   * Read control tokens spelled out in messages, schema and tools as such (default false: they are text, so that a user's message
   * cannot end its turn and begin another).
   */
  readonly parseSpecials?: boolean | undefined;
  /** Variables of the chat template; control tokens in them are read as such. */
  readonly templateVariables?: Readonly<Record<string, unknown>> | undefined;
}

/** Options as their types are read: tools, their choice, and whether there is a signal. */
export type RequestOptions<T, C, A> = GenerateOptions & {
  readonly tools?: T;
  readonly toolChoice?: C;
  readonly signal?: A;
};

/** What a request would take. */
export interface Measure {
  /** Tokens of the whole prompt: template, messages, schema and tools. */
  readonly promptTokens: number;
  /** Most tokens that the output may have: `maxTokens`, or less where the context leaves no more. */
  readonly maxTokens: number;
  /** As the result would have them, but for those of the value. */
  readonly warnings: readonly string[];
}

export interface Usage extends DecodeUsage {}

export interface Timings extends DecodeTimings {
  /** From the constraint to its automata; near 0 where it was compiled before. */
  readonly compileMs: number;
  /** Template and tokenizer. */
  readonly promptMs: number;
  /** The final check of the value. */
  readonly validateMs: number;
}

/** `F` narrows how it ended. */
export interface Choice<T, F extends FinishReason = FinishReason> {
  /** Undefined after an abort that came before the value was complete. */
  readonly value: T;
  readonly text: string;
  readonly finishReason: F;
  readonly reasoning?: string | undefined;
  /** Mean log probability of the sampled tokens, with `bestOf`. */
  readonly score?: number | undefined;
  /** With `logprobs` or `trace`. */
  readonly tokens?: readonly TokenInfo[] | undefined;
}

/** `F` narrows how it ended, `C` is the type of its choices. */
export interface Result<T, F extends FinishReason = FinishReason, C = Choice<T>> extends Choice<T, F> {
  readonly usage: Usage;
  readonly timings: Timings;
  readonly warnings: readonly string[];
  /** All outputs, the first one included, where `n` is over 1. */
  readonly choices?: readonly C[] | undefined;
}

type Finished = Exclude<FinishReason, 'abort'>;
type MaybeAborted<T> = Choice<T, Finished> | Choice<undefined, 'abort'>;

/** The result of a request with a signal: `finishReason` tells whether there is a value. */
export type AbortableResult<T> = Result<T, Finished, MaybeAborted<T>> | Result<undefined, 'abort', MaybeAborted<T>>;

/** The result for the type `A` of a request's signal; text without a constraint is there after an abort too. */
export type ResultFor<S, T, C, A> = [A] extends [undefined]
  ? Result<Output<S, T, C>>
  : [S, T] extends [null, undefined]
    ? Result<Output<S, T, C>>
    : AbortableResult<Output<S, T, C>>;

/** `J` is the type of the JSON, before transforms of a schema library. */
export type StreamEvent<T, J = unknown, R = Result<T>> =
  | ({ readonly type: 'token'; readonly index: number; readonly text: string } & TokenInfo)
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'partial'; readonly value: PartialValue<J> }
  | { readonly type: 'done'; readonly result: R };
