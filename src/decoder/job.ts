/** A request and its rows while they are in the loop, and the account that is given at the end. */
import type { Metrics } from './metrics.js';
import type { StepModel } from './model.js';
import type { DecodeRequest, DecodeResult } from './request.js';
import type { Sequence, SequenceCounts } from './sequence.js';

export interface Job {
  readonly id: number;
  readonly request: DecodeRequest;
  /** Made when it is admitted (or ended before): what waits should weigh little. */
  sequences: readonly Sequence[];
  readonly arrived: number;
  readonly resolve: (result: DecodeResult) => void;
  readonly reject: (error: unknown) => void;
  unlisten: () => void;
  cached: number;
  started: number;
  first: number;
  passes: number;
  modelMs: number;
  /** The step at which it came. */
  readonly step: number;
  readonly priority: number;
  done: boolean;
}

/** The result of a job whose outputs have all ended; adds its counts to the metrics. */
export function finishJob(job: Job, now: number, metrics: Metrics): DecodeResult {
  const total: SequenceCounts = {
    forced: 0,
    sampled: 0,
    drafted: 0,
    acceptedDrafts: 0,
    optimistic: 0,
    reasoning: 0,
    masks: 0,
    maskMs: 0,
  };
  let completion = 0;
  for (const sequence of job.sequences) {
    completion += sequence.output.length;
    for (const key of Object.keys(total) as (keyof SequenceCounts)[]) total[key] += sequence.counts[key];
  }
  metrics.add(job.sequences.some((s) => s.finish === 'abort') ? 'aborted' : 'finished');
  metrics.add('outputTokens', completion);
  metrics.add('forcedTokens', total.forced);
  metrics.add('sampledTokens', total.sampled);
  metrics.add('draftedTokens', total.drafted);
  metrics.add('acceptedDrafts', total.acceptedDrafts);
  metrics.add('optimisticHits', total.optimistic);
  metrics.add('masks', total.masks);
  if (total.masks > 0) metrics.observe('maskMs', total.maskMs / total.masks);
  metrics.observe('totalMs', now - job.arrived);
  const started = job.started === 0 ? now : job.started;
  const seconds = (now - started) / 1000;
  return {
    outputs: job.sequences.map((s) => s.result()),
    usage: {
      promptTokens: job.request.prompt.length,
      cachedTokens: job.cached,
      completionTokens: completion,
      reasoningTokens: total.reasoning,
      forcedTokens: total.forced,
      sampledTokens: total.sampled,
      draftedTokens: total.drafted,
      acceptedDrafts: total.acceptedDrafts,
      optimisticTokens: total.optimistic,
      passes: job.passes,
    },
    timings: {
      queueMs: started - job.arrived,
      firstTokenMs: (job.first === 0 ? now : job.first) - job.arrived,
      totalMs: now - job.arrived,
      modelMs: job.modelMs,
      maskMs: total.maskMs,
      tokensPerSecond: seconds > 0 ? completion / seconds : 0,
    },
  };
}

/** What the model says of its KV memory, as gauges. */
export function memoryGauges(model: StepModel): Readonly<Record<string, number>> {
  const memory = model.memory?.();
  if (memory === undefined) return {};
  const { poolBytes, suspended, cache } = memory;
  const crossed = model.traffic?.();
  return {
    ...(crossed === undefined
      ? {}
      : { toDeviceBytes: crossed.toDevice, fromDeviceBytes: crossed.fromDevice, deviceRuns: crossed.runs }),
    poolBytes,
    suspendedBytes: suspended.memory + suspended.file,
    prefixLookups: cache.lookups,
    prefixHits: cache.hits,
    prefixSavedTokens: cache.savedTokens,
    prefixEvictions: cache.evictions,
  };
}
