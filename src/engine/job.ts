/** What crosses between the engine and the service that runs models: plain data, so that the service may live in another thread. */
import type { DecodeEvent, DecodeRequest, DecodeResult } from '../decoder/request.js';
import type { Constraint } from '../grammar/constraint/index.js';
import type { ChatMessage, ModelInfo } from '../runtime/types.js';
import type { PlainTool } from './call-format.js';

/** What goes to the decode loop as it is. */
type Passed = Pick<
  DecodeRequest,
  | 'sampling'
  | 'stop'
  | 'forcing'
  | 'optimistic'
  | 'draftTokens'
  | 'logprobs'
  | 'score'
  | 'trace'
  | 'reasoning'
  | 'priority'
>;

export interface Job extends Passed {
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
  readonly tenant?: string | undefined;
}

export interface Outcome {
  readonly result: DecodeResult;
  readonly warnings: readonly string[];
  readonly compileMs: number;
  readonly promptMs: number;
}

/** What a job would take. */
export interface Measured {
  readonly promptTokens: number;
  readonly maxTokens: number;
  readonly warnings: readonly string[];
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
  /** Makes a job ready, runs nothing. @throws as `run` */
  measure(job: Job): Promise<Measured>;
  metrics(): Promise<ServiceMetrics>;
  close(): Promise<void>;
}
