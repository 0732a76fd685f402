/**
 * `tokenloom`: structured output from local language models. Everything of `tokenloom/core`, and the engine.
 */
import { createEngine } from './engine/create.js';
import type { Engine } from './engine/engine.js';
import { hasNodeArrays } from './engine/realm.js';
import type { AnyTool, RequestOptions, ResultFor, ToolChoice } from './engine/types.js';

export { parsePartialJson } from './base/partial-json.js';
export * from './core.js';
export type { DecodeTimings, DecodeUsage, FinishReason, TokenInfo } from './decoder/request.js';
export { PRESETS, type Preset, type SamplingOptions } from './decoder/sampling.js';
export { createEngine } from './engine/create.js';
export { Engine } from './engine/engine.js';
export type { ItemOf, PartialValue } from './engine/partial-types.js';
export { GenerationStream } from './engine/stream.js';
export type {
  AbortableResult,
  Answer,
  AnthropicTool,
  AnyTool,
  Choice,
  CloseOptions,
  EngineOptions,
  FunctionTool,
  GenerateOptions,
  McpTool,
  Measure,
  Message,
  Output,
  RequestOptions,
  Result,
  ResultFor,
  SchedulerOptions,
  StreamEvent,
  Timings,
  Tool,
  ToolCall,
  ToolChoice,
  Usage,
  Written,
} from './engine/types.js';
export type { ChatMessage, Device, Dtype, LoadProgress, ModelInfo } from './runtime/types.js';

// The only module-level state: the embedded model's engine, made on first use. A failed attempt is forgotten.
let shared: Promise<Engine> | undefined;

/**
 * Generates with the embedded model, loaded on the first call into this thread: for scripts, which start sooner so. Where this thread cannot
 * hold it (a vm context, as under Jest) it gets one of its own. The arguments and the result are those of `Engine.generate`.
 */
export async function generate<
  const S,
  const T extends readonly AnyTool[] | undefined = undefined,
  const C extends ToolChoice | undefined = undefined,
  A extends AbortSignal | undefined = undefined,
>(target: S, options: RequestOptions<T, C, A>): Promise<ResultFor<S, T, C, A>> {
  shared ??= createEngine(hasNodeArrays() ? { worker: false } : {}).catch((error: unknown) => {
    shared = undefined;
    throw error;
  });
  const engine = await shared;
  return engine.generate<S, T, C, A>(target, options);
}
