/**
 * `npm run bench:decode -- --device webgpu [--model folder] [--batches 1,8,32,64] [--tokens 64]`: decoding on a device against the CPU, by batch,
 * with and without a constraint, and where the time of a step goes. `--make-model folder [--io f16]` writes the model of the record first.
 *
 * Correctness comes first: for each batch the device's constrained outputs are compared with the CPU's (greedy), and the share that is
 * equal is printed: all of them in f32; with random weights near-ties part quantised and half-precision runs after some tokens.
 *
 * Shares of a step: `model` is submission plus the wait for the device less what the sampler takes on an idle device; `transfer` is that
 * (masks up, sampler, tokens down); `mask` is making masks, which overlaps with the device's work (so it costs a step only where the device is
 * done first); `JS` is the rest: scheduling, matchers, text.
 */
import { DecodeLoop } from '../../src/decoder/loop.js';
import type { MetricsSnapshot } from '../../src/decoder/metrics.js';
import type { DecodeRequest } from '../../src/decoder/request.js';
import { compileGrammar, Matcher } from '../../src/fsm/index.js';
import { constraintGrammar, json } from '../../src/grammar/constraint/index.js';
import { loadModel } from '../../src/runtime/load.js';
import type { LoadedModel } from '../../src/runtime/types.js';
import type { Line } from './common.js';

export interface DeviceBench {
  readonly device: 'webgpu' | 'cuda' | 'directml' | 'coreml' | 'cpu';
  readonly model: string;
  readonly batches: readonly number[];
  /** Output tokens of a request. */
  readonly tokens: number;
}

const PROMPT = 32;
const REPEATS = 3;

interface Measured {
  readonly tokensPerSecond: number;
  readonly stepMs: number;
  readonly outputs: readonly (readonly number[])[];
  /** Milliseconds per step. */
  readonly share: { readonly model: number; readonly transfer: number; readonly mask: number; readonly js: number };
  readonly late: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** Lines of one device, one batch after the other. */
export async function devicePart(options: DeviceBench): Promise<Line[]> {
  const lines: Line[] = [];
  const add = (name: string, value: number, unit: string, more: Partial<Line> = {}): void => {
    lines.push({ part: 'device', name, value, unit, ...more });
  };
  const positions = Math.max(...options.batches) * (PROMPT + options.tokens + 16);
  const load = (device: DeviceBench['device']) =>
    loadModel(options.model, {
      device,
      kv: { blocks: Math.ceil(positions / 16) + 2 * Math.max(...options.batches), prefixCache: false },
    });
  const results = new Map<string, Measured>();
  for (const device of new Set([options.device, 'cpu'] as const)) {
    const loaded = await load(device);
    for (const warning of loaded.info.warnings) console.log(`  ${device}: ${warning}`);
    for (const batch of options.batches) {
      for (const constrained of [false, true]) {
        results.set(`${device} ${batch} ${constrained}`, await measure(loaded, batch, options.tokens, constrained));
      }
    }
    await loaded.model.dispose();
  }
  for (const batch of options.batches) {
    const of = (device: string, constrained: boolean): Measured => results.get(`${device} ${batch} ${constrained}`)!;
    const [free, bound] = [of(options.device, false), of(options.device, true)];
    const cpu = of('cpu', true);
    const same = bound.outputs.filter((o, i) => o.join() === cpu.outputs[i]?.join()).length / batch;
    const name = `${options.device}, batch ${batch}`;
    const target = batch === 1 ? 0.02 : batch === 64 ? 0.05 : undefined;
    const cost = bound.stepMs / free.stepMs - 1;
    add(`${name}: constrained`, bound.tokensPerSecond, 'tokens/s', {
      note: `unconstrained ${free.tokensPerSecond.toFixed(1)}`,
    });
    add(`${name}: against the CPU`, bound.tokensPerSecond / cpu.tokensPerSecond, 'x', {
      note: `CPU ${cpu.tokensPerSecond.toFixed(1)} tokens/s, equal outputs ${(100 * same).toFixed(0)}%`,
    });
    add(`${name}: what the constraint adds to a step`, cost, '', {
      ...(target === undefined ? {} : { target: `<= ${target}`, met: cost <= target }),
      note: `step ${bound.stepMs.toFixed(2)} ms, without ${free.stepMs.toFixed(2)}`,
    });
    const { model, transfer, mask, js } = bound.share;
    const percent = (x: number): string => `${((100 * x) / bound.stepMs).toFixed(1)}%`;
    add(`${name}: share of the model`, model / bound.stepMs, '', {
      note: `transfer and sampler ${percent(transfer)}, masks (overlapped) ${percent(mask)}, JS ${percent(js)}`,
    });
    add(`${name}: bytes up per step`, bound.bytesUp, 'B', {
      note: `down ${bound.bytesDown.toFixed(0)} B; device waited for masks in ${(100 * bound.late).toFixed(1)}% of steps`,
    });
  }
  return lines;
}

const SCHEMA = {
  type: 'object',
  properties: {
    title: { type: 'string', maxLength: 2000 },
    tags: { type: 'array', items: { type: 'string', pattern: '^[a-z]{3,12}$' } },
  },
  required: ['title', 'tags'],
};

/** Steps of one token each: no guesses, no forced tokens, so that both kinds of run take as many. */
async function measure(loaded: LoadedModel, batch: number, tokens: number, constrained: boolean): Promise<Measured> {
  const { model, vocabulary } = loaded;
  const grammar = compileGrammar(constraintGrammar(json(SCHEMA)).grammar);
  const request = (i: number): DecodeRequest => ({
    prompt: Array.from({ length: PROMPT }, (_, j) => 263 + ((i * 31 + j * 7) % 200)),
    matchers: [constrained ? new Matcher(grammar, vocabulary) : undefined],
    maxTokens: tokens,
    sampling: {
      temperature: 0,
      topK: 0,
      topP: 1,
      minP: 0,
      repetitionPenalty: 1,
      frequencyPenalty: 0,
      presencePenalty: 0,
      // An end before the time would make batches uneven.
      bias: vocabulary.eos.map((id) => [id, -1000] as const),
      seed: 0,
    },
    forcing: false,
    optimistic: false,
    draftTokens: 0,
  });
  let best: Measured | undefined;
  for (let repeat = 0; repeat <= REPEATS; repeat++) {
    const loop = new DecodeLoop(model, vocabulary, { prefillChunk: PROMPT });
    const before = loop.metrics.snapshot();
    const start = performance.now();
    const results = await Promise.all(Array.from({ length: batch }, (_, i) => loop.run(request(i))));
    const ms = performance.now() - start;
    const after = loop.metrics.snapshot();
    const out = summary(
      results.map((r) => r.outputs[0]?.tokens ?? []),
      ms,
      before,
      after,
      results[0]?.timings.modelMs ?? 0,
      model.samplerIdleMs?.() ?? 0,
    );
    // The first run compiles kernels and fills mask tables.
    if (repeat > 0 && (best === undefined || out.stepMs < best.stepMs)) best = out;
  }
  return best!;
}

function summary(
  outputs: readonly (readonly number[])[],
  ms: number,
  before: MetricsSnapshot,
  after: MetricsSnapshot,
  submitMs: number,
  idleMs: number,
): Measured {
  const { steps, overlappedSteps, lateMasks } = after.counters;
  const per = (total: number): number => total / steps;
  const gauge = (name: string): number => ((after.gauges[name] ?? 0) - (before.gauges[name] ?? 0)) / steps;
  const onDevice = overlappedSteps > 0;
  const wait = per(after.times.deviceMs.sum);
  const transfer = onDevice ? Math.min(wait, idleMs) : 0;
  const mask = onDevice ? per(after.times.overlapMs.sum) : per(after.times.maskMs.sum);
  const model = per(submitMs) + Math.max(0, wait - transfer);
  const step = per(ms);
  return {
    tokensPerSecond: (1000 * outputs.reduce((n, o) => n + o.length, 0)) / ms,
    stepMs: step,
    outputs,
    share: { model, transfer, mask, js: Math.max(0, step - model - transfer - mask) },
    late: onDevice ? lateMasks / overlappedSteps : 0,
    bytesUp: gauge('toDeviceBytes'),
    bytesDown: gauge('fromDeviceBytes'),
  };
}
