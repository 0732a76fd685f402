/** The whole engine on a WebGPU adapter against the CPU: skipped where there is none (test/runtime/adapter.ts). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ModelError } from '../../src/base/errors.js';
import type { MetricsSnapshot } from '../../src/decoder/metrics.js';
import type { Engine } from '../../src/engine/engine.js';
import type { GenerateOptions } from '../../src/engine/types.js';
import { choice, regex } from '../../src/grammar/constraint/index.js';
import { missing } from '../runtime/adapter.js';
import { type RandomModel, randomModel } from './models.js';

const person = {
  type: 'object',
  properties: {
    name: { type: 'string', maxLength: 12 },
    tags: { type: 'array', items: { enum: ['x', 'yy'] }, maxItems: 3 },
  },
  required: ['name', 'tags'],
} as const;
const requests: readonly [unknown, GenerateOptions][] = [
  [person, { prompt: 'Extract: John Smith, 42', maxTokens: 40 }],
  [null, { prompt: 'Tell me', maxTokens: 20 }],
  [
    { type: 'array', items: { type: 'integer' }, minItems: 2, maxItems: 5 },
    { prompt: 'Numbers', maxTokens: 30 },
  ],
  [regex('[a-f]{8}(-[0-9]{4}){2}'), { prompt: 'An id', maxTokens: 30 }],
  [choice(['red', 'green', 'blue']), { prompt: 'A colour', maxTokens: 10 }],
  [
    person,
    { prompt: 'Extract: John Smith, 42, once more', maxTokens: 40, repetitionPenalty: 1.3, frequencyPenalty: 0.2 },
  ],
  [
    { type: 'string', maxLength: 20 },
    { prompt: 'Biased', maxTokens: 30, logitBias: { 70: 6, 71: -4 } },
  ],
];

describe.skipIf(missing !== undefined)('engine on webgpu', () => {
  let model: RandomModel;
  let gpu: Engine;
  let cpu: Engine;
  beforeAll(async () => {
    model = await randomModel();
    const kv = { bytes: 2 ** 22 };
    // The measurement of step costs fetches logits once; what requests fetch is looked at here.
    const scheduler = { batch: 'all' } as const;
    [gpu, cpu] = [await model.engine({ device: 'webgpu', kv, scheduler }), await model.engine({ device: 'cpu', kv })];
  }, 120_000);
  afterAll(async () => {
    await gpu.close();
    await cpu.close();
    await model.remove();
  });
  const metrics = async (engine: Engine): Promise<MetricsSnapshot> =>
    (await engine.metrics()).snapshot as MetricsSnapshot;
  const batch = async (engine: Engine, options: Partial<GenerateOptions> = {}) => {
    const results = await Promise.all(requests.map(([target, own]) => engine.generate(target, { ...own, ...options })));
    return results.map((r) => ({ text: r.text, finish: r.finishReason, tokens: r.tokens }));
  };

  it('greedy batches equal the CPU, penalties and biases included; no logits come back', async () => {
    expect(gpu.info).toMatchObject({ device: 'webgpu', form: 'paged' });
    const before = await metrics(gpu);
    expect(await batch(gpu)).toEqual(await batch(cpu));
    const { counters, gauges } = await metrics(gpu);
    const bytes = gauges.fromDeviceBytes! - before.gauges.fromDeviceBytes!;
    // A row of logits has 2,048 bytes; a choice is two numbers.
    expect(bytes).toBeLessThanOrEqual(16 * (counters.sampledTokens + counters.draftedTokens));
    expect(counters.overlappedSteps).toBe(counters.steps);
    expect(counters.lateMasks).toBeLessThanOrEqual(counters.steps);
  }, 120_000);

  it('draws the same tokens whether or not they are traced, alone or in a batch, with or without guesses', async () => {
    const options = { temperature: 0.9, topK: 40, topP: 0.9, minP: 0.01, seed: 7 };
    const together = await batch(gpu, options);
    const traced = await batch(gpu, { ...options, trace: true, speculation: false });
    expect(traced.map((r) => r.text)).toEqual(together.map((r) => r.text));
    const [target, own] = requests[0]!;
    expect((await gpu.generate(target, { ...own, ...options })).text).toBe(together[0]!.text);
    const sampled = traced[0]!.tokens!.find((t) => !t.forced)!;
    expect(sampled.allowed).toBeGreaterThan(0);
    expect(sampled.deviceMs).toBeGreaterThanOrEqual(0);
    expect(sampled.top?.after.length).toBeGreaterThan(0);
  }, 120_000);

  it('reports log probabilities of the choice without reading logits, and outputs that share a prompt', async () => {
    const [target, own] = requests[0]!;
    const read = async (engine: Engine) => {
      const from = (await metrics(engine)).gauges.fromDeviceBytes ?? 0;
      const r = await engine.generate(target, { ...own, logprobs: 0 });
      const bytes = ((await metrics(engine)).gauges.fromDeviceBytes ?? 0) - from;
      return { bytes, of: r.tokens!.filter((t) => !t.forced).map((t) => [t.logprob!.before, t.logprob!.after]) };
    };
    const [a, b] = [await read(gpu), await read(cpu)];
    expect(a.of.length).toBe(b.of.length);
    for (const [i, x] of a.of.flat().entries()) expect(x).toBeCloseTo(b.of.flat()[i]!, 3);
    expect(a.bytes).toBeLessThan(24 * 40 * 9);
    const many = await gpu.generate(target, { ...own, n: 2, bestOf: 3, temperature: 1, seed: 3 });
    expect(many.choices).toHaveLength(2);
    for (const c of many.choices!) expect(c.value).toMatchObject({ tags: expect.any(Array) });
  }, 120_000);
});

describe('devices that are not there', () => {
  it.each(['cuda', 'directml', 'coreml'] as const)(
    '%s: the error names what is missing and what serves instead',
    async (device) => {
      const model = await randomModel();
      try {
        const error: unknown = await model.engine({ device }).then(
          (e) => e.close(),
          (e: unknown) => e,
        );
        // A machine that has the device runs the model.
        if (error === undefined) return;
        expect(error).toBeInstanceOf(ModelError);
        expect(String(error)).toMatch(new RegExp(`for device '${device}' \\(without it use device 'webgpu'\\)`));
      } finally {
        await model.remove();
      }
    },
  );
});
