/**
 * What `createEngine` is given, checked before anything is loaded. An option that nobody reads is an error here: a misspelled `model` would
 * load another one than was meant.
 */
import { OptionError } from '../base/errors.js';
import { checkNames } from '../base/options.js';
import type { KvOptions } from '../runtime/types.js';
import type { EngineOptions, SchedulerOptions } from './types.js';

type Check = readonly [expected: string, fits: (value: unknown) => boolean];

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const ELSEWHERE: Check = ['', () => true];
const FLAG: Check = ['true or false', (value) => typeof value === 'boolean'];
const TEXT: Check = [
  "'embedded', 'hf:org/name' or the path of a folder",
  (value) => typeof value === 'string' && value !== '',
];
const RECORD: Check = ['an object', isRecord];

const OPTIONS: Readonly<Record<keyof EngineOptions, Check>> = {
  model: TEXT,
  draftModel: TEXT,
  scheduler: RECORD,
  worker: FLAG,
  device: ELSEWHERE,
  dtype: ELSEWHERE,
  onProgress: ['a function', (value) => typeof value === 'function'],
  signal: ['an AbortSignal', (value) => isRecord(value) && typeof value.addEventListener === 'function'],
  kv: RECORD,
  threads: ['an integer of at least 1', (value) => Number.isInteger(value) && (value as number) >= 1],
  exact: FLAG,
};

const SCHEDULER: Readonly<Record<keyof SchedulerOptions, Check>> = {
  maxRows: ELSEWHERE,
  maxStepTokens: ELSEWHERE,
  prefillChunk: ELSEWHERE,
  maxSequences: ELSEWHERE,
  maxQueue: ELSEWHERE,
  agingSteps: ELSEWHERE,
  composition: ["'fcfs' or 'profile'", (value) => value === 'fcfs' || value === 'profile'],
  batch: ELSEWHERE,
  maxStepMs: ELSEWHERE,
};

const KV: Readonly<Record<keyof KvOptions, Check>> = {
  blocks: ELSEWHERE,
  bytes: ELSEWHERE,
  form: ELSEWHERE,
  prefixCache: FLAG,
  dtype: ELSEWHERE,
  invariant: FLAG,
  swap: RECORD,
};

/** @throws OptionError */
export function checkEngineOptions(options: unknown): void {
  if (!isRecord(options)) throw new OptionError('options', 'an object', options === null ? 'null' : typeof options);
  checkAll(options, OPTIONS, '');
  const { scheduler = {}, kv = {} } = options as EngineOptions;
  checkAll(scheduler, SCHEDULER, 'scheduler.');
  checkAll(kv, KV, 'kv.');
}

function checkAll(given: object, checks: Readonly<Record<string, Check>>, prefix: string): void {
  checkNames(given, Object.keys(checks), prefix);
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const [expected, fits] = checks[name] as Check;
    if (!fits(value)) throw new OptionError(prefix + name, expected, shown(value));
  }
}

const shown = (value: unknown): string =>
  typeof value === 'string' ? `'${value.slice(0, 80)}'` : isRecord(value) ? 'an object' : String(value);
