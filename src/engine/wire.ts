/**
 * Messages between the engine and its worker thread, and errors as data: structured clone keeps an Error's message and forgets its class, so
 * typed errors cross as their fields and are made anew on the other side.
 */
import {
  GrammarError,
  type GrammarIssue,
  LimitError,
  ModelError,
  OptionError,
  TokenloomError,
  UnsatisfiableError,
  UnsupportedSchemaError,
} from '../base/errors.js';
import type { LoadOptions, LoadProgress, ModelInfo } from '../runtime/types.js';
import type { Job, JobEvent, Measured, Outcome, ServiceMetrics } from './job.js';
import type { SchedulerOptions } from './types.js';

export interface WorkerStart {
  /** One number, 0: set to 1 and notified by the thread once it has parked or ends. */
  readonly parked: SharedArrayBuffer;
  readonly model: string;
  readonly draftModel?: string | undefined;
  readonly load: Omit<LoadOptions, 'onProgress' | 'signal'>;
  readonly scheduler: SchedulerOptions | undefined;
}

export type ToWorker =
  | { readonly type: 'run'; readonly id: number; readonly job: Job; readonly events: boolean }
  | { readonly type: 'abort'; readonly id: number }
  | { readonly type: 'measure'; readonly id: number; readonly job: Job }
  | { readonly type: 'metrics'; readonly id: number }
  | { readonly type: 'close' }
  /** The process ends: never enter ONNX Runtime again. */
  | { readonly type: 'park' };

export type FromWorker =
  | { readonly type: 'progress'; readonly event: LoadProgress }
  | { readonly type: 'ready'; readonly info: ModelInfo }
  | { readonly type: 'refused'; readonly error: PlainError }
  | { readonly type: 'event'; readonly id: number; readonly event: JobEvent }
  | { readonly type: 'done'; readonly id: number; readonly outcome: Outcome }
  | { readonly type: 'measured'; readonly id: number; readonly measured: Measured }
  | { readonly type: 'metrics'; readonly id: number; readonly metrics: ServiceMetrics }
  | { readonly type: 'error'; readonly id: number; readonly error: PlainError };

export interface PlainError {
  readonly code: string | undefined;
  readonly name: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** An error as plain data. */
export function toPlain(error: unknown): PlainError {
  if (!(error instanceof Error)) return { code: undefined, name: 'Error', message: String(error), fields: {} };
  const fields: Record<string, unknown> = {};
  if (error instanceof TokenloomError) {
    for (const [key, value] of Object.entries(error)) if (typeof value !== 'function') fields[key] = value;
  }
  return {
    code: error instanceof TokenloomError ? error.code : undefined,
    name: error.name,
    message: error.message,
    fields,
  };
}

/** The error that {@link toPlain} was given, of the same class where it is one of ours. */
export function fromPlain(plain: PlainError): Error {
  const error = made(plain);
  // It may say more than its fields: of which part of a constraint it speaks.
  error.message = plain.message;
  return error;
}

function made(plain: PlainError): Error {
  const f = plain.fields;
  const text = (key: string): string => String(f[key]);
  const maybe = (key: string): string | undefined => (typeof f[key] === 'string' ? (f[key] as string) : undefined);
  switch (plain.code) {
    case 'GRAMMAR':
      return new GrammarError(
        f.language as 'GBNF' | 'regex' | 'JSON',
        f.issues as readonly GrammarIssue[],
        text('source'),
      );
    case 'UNSUPPORTED_SCHEMA':
      return new UnsupportedSchemaError(text('pointer'), text('keyword'), text('reason'), maybe('hint'));
    case 'LIMIT':
      return new LimitError(text('what'), Number(f.given), Number(f.limit), maybe('pointer'), maybe('remedy'));
    case 'UNSATISFIABLE':
      return new UnsatisfiableError(text('reason'), maybe('pointer'));
    case 'MODEL':
      return new ModelError(text('input'), text('expected'), text('got'));
    case 'OPTION':
      return new OptionError(text('option'), text('expected'), text('got'));
    default: {
      const error = new Error(plain.message);
      error.name = plain.name;
      return error;
    }
  }
}
