/** What crosses between the engine and the service that runs models: plain data, so that the service may live in another thread. */
import type { DecodeEvent, DecodeResult, ReasoningOptions } from '../decoder/request.js';
import type { Sampling } from '../decoder/sampling.js';
import type { Constraint } from '../grammar/constraint/index.js';
import type { ChatMessage, ModelInfo } from '../runtime/types.js';
import type { PlainTool } from './prompt.js';

export interface Job {
  readonly messages: readonly ChatMessage[];
  readonly constraint?: Constraint | undefined;
  /** Schema to show in the prompt. */
  readonly shown?: unknown;
  readonly tools?: readonly PlainTool[] | undefined;
  /** Whether calls of the tools are the model's choice, behind text. */
  readonly freeCalls?: boolean | undefined;
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
  readonly parseSpecials?: boolean | undefined;
  readonly maxTokens?: number | undefined;
  readonly count: number;
  readonly sampling: Sampling;
  readonly stop?: readonly string[] | undefined;
  readonly forcing?: boolean | undefined;
  readonly optimistic?: boolean | undefined;
  readonly draftTokens?: number | undefined;
  readonly logprobs?: number | undefined;
  readonly score?: boolean | undefined;
  readonly trace?: boolean | undefined;
  readonly reasoning?: ReasoningOptions | undefined;
  readonly priority?: number | undefined;
  readonly tenant?: string | undefined;
}

export interface Outcome {
  readonly result: DecodeResult;
  readonly warnings: readonly string[];
  readonly compileMs: number;
  readonly promptMs: number;
}

/** Token texts come along, since only the service has the vocabulary. */
export interface JobEvent extends DecodeEvent {
  readonly texts: readonly string[];
}

export interface ServiceMetrics {
  readonly snapshot: unknown;
  readonly prometheus: string;
}

export interface Service {
  readonly info: ModelInfo;
  run(job: Job, signal: AbortSignal | undefined, onEvent: ((event: JobEvent) => void) | undefined): Promise<Outcome>;
  metrics(): Promise<ServiceMetrics>;
  close(): Promise<void>;
}
