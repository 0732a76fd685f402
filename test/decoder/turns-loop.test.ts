import { describe, expect, it } from 'vitest';
import { OptionError } from '../../src/base/errors.js';
import { StepCost } from '../../src/decoder/cost-model.js';
import { measureStepCost } from '../../src/decoder/cost-probe.js';
import type { LoopOptions } from '../../src/decoder/loop-options.js';
import { alone, mixed, request, setup, tokensOf, vocabulary } from './requests.js';

describe('rows take turns', () => {
  /** Four rows cost 1 ms, each further one as much again. */
  const convex = (): StepCost =>
    new StepCost({
      points: [
        { tokens: 1, ms: 1, positionMs: 0.001 },
        { tokens: 4, ms: 1.2, positionMs: 0.004 },
        { tokens: 16, ms: 16, positionMs: 0.1 },
      ],
      padding: 1,
      chunks: [{ tokens: 64, ms: 6 }],
      chunk: 64,
      expertMs: 0,
      ownExperts: 0,
      noise: 0,
    });
  // Steps here take no time to speak of, and what is learnt from them would be nonsense.
  const fixed = (): StepCost => {
    const cost = convex();
    cost.learn = () => 1;
    return cost;
  };

  it('same tokens as alone whatever the size of steps', async () => {
    const wanted = [];
    for (const r of mixed(24)) wanted.push(tokensOf(await alone(r)));
    const ways: LoopOptions[] = [
      { batch: 'all' },
      { batch: 1 },
      { batch: 3 },
      { cost: fixed() },
      { cost: fixed(), maxStepMs: 2 },
      { cost: async () => fixed(), prefillChunk: 5 },
    ];
    for (const options of ways) {
      const { fake, loop } = setup({ maxRows: 24 }, options);
      const got = await Promise.all(mixed(24).map((r) => loop.run(r)));
      expect(got.map(tokensOf)).toEqual(wanted);
      expect(fake.openSequences).toBe(0);
      const { counters } = loop.metrics.snapshot();
      expect(counters.cutRounds > 0).toBe(options.batch !== 'all');
    }
  });
  it('no row waits longer for its next token than a round has turns', async () => {
    const { fake, loop } = setup({ maxRows: 16 }, { batch: 2, agingSteps: 8 });
    const last = new Map<number, number>();
    let longest = 0;
    await Promise.all(
      Array.from({ length: 16 }, (_, i) =>
        loop.run(
          request({
            prompt: vocabulary.encode(`p${i}`),
            texts: null,
            maxTokens: 20,
            draftTokens: 0,
            onEvent: () => {
              longest = Math.max(longest, fake.steps - (last.get(i) ?? fake.steps));
              last.set(i, fake.steps);
            },
          }),
        ),
      ),
    );
    expect(longest).toBeGreaterThan(4);
    expect(longest).toBeLessThanOrEqual(8);
  });
  it('costs are measured once, when four rows decode at once, and metrics tell', async () => {
    let measured = 0;
    const cost = async () => {
      measured++;
      return convex();
    };
    const { loop } = setup({ maxRows: 16 }, { cost });
    const free = (i: number) => request({ prompt: vocabulary.encode(`p${i}`), texts: null, maxTokens: 12 });
    await Promise.all([0, 1, 2].map((i) => loop.run(free(i))));
    expect(measured).toBe(0);
    await Promise.all(Array.from({ length: 12 }, (_, i) => loop.run(free(i))));
    await Promise.all(Array.from({ length: 12 }, (_, i) => loop.run(free(i))));
    expect(measured).toBe(1);
    const { counters, times, gauges } = loop.metrics.snapshot();
    expect(counters.cutRounds).toBeGreaterThan(0);
    expect(counters.rounds).toBeGreaterThan(counters.cutRounds);
    expect(times.predictedMs.count).toBe(times.measuredMs.count);
    expect(times.predictedMs.count).toBeGreaterThan(0);
    expect(times.probeMs.count).toBe(1);
    expect(gauges.costFactor).toBeGreaterThan(0);
    expect(gauges.costMs4).toBeGreaterThan(0);
  });
  it('off, fixed, or not to be had: not measured, or gone on without', async () => {
    let measured = 0;
    const cost = async () => {
      measured++;
      throw new Error('broken');
    };
    for (const [options, times] of [
      [{ batch: 'all' }, 0],
      [{ batch: 4 }, 0],
      [{}, 1],
    ] as const) {
      measured = 0;
      const { loop } = setup({ maxRows: 16 }, { cost, ...options });
      const out = await Promise.all(mixed(12).map((r) => loop.run(r)));
      expect(out).toHaveLength(12);
      expect(measured).toBe(times);
    }
  });
  it('aborted or closed while costs are measured: ends, and leaves nothing open', async () => {
    for (const end of ['abort', 'close'] as const) {
      const abort = new AbortController();
      const stop = (): void => (end === 'abort' ? abort.abort() : made.loop.close());
      const cost = async (): Promise<StepCost | undefined> => {
        const measuring = measureStepCost(made.fake);
        stop();
        return measuring;
      };
      const made = setup({ maxRows: 16 }, { cost });
      const out = await Promise.allSettled(
        Array.from({ length: 8 }, (_, i) =>
          made.loop.run(
            request({ prompt: vocabulary.encode(`p${i}`), texts: null, maxTokens: 30, signal: abort.signal }),
          ),
        ),
      );
      await made.loop.idle();
      expect(made.loop.metrics.snapshot().times.probeMs.count).toBe(1);
      for (const r of out) {
        if (end === 'close') expect(r.status).toBe('rejected');
        else expect(r.status === 'fulfilled' && r.value.outputs[0]!.finishReason).toBe('abort');
      }
      expect(made.fake.openSequences).toBe(0);
      expect(made.loop.pending).toBe(0);
    }
  });
  it('measured in a pool that is nearly full, by steps that fail, or with one row: the same tokens', async () => {
    const wanted = [];
    for (const r of mixed(10)) wanted.push(tokensOf(await alone(r)));
    const busy = { size: 4, total: 40 };
    for (const [model, fails] of [
      [{ maxRows: 12, blocks: busy }, false],
      [{ maxRows: 12, blocks: busy }, true],
      [{ maxRows: 1 }, false],
      [{ maxRows: 4, maxStepTokens: 5 }, false],
    ] as const) {
      let probing = false;
      const cost = async (): Promise<StepCost | undefined> => {
        probing = true;
        return measureStepCost(made.fake).finally(() => {
          probing = false;
        });
      };
      const fault = () => (probing && fails ? new Error('broken') : undefined);
      const made = setup({ ...model, fault }, { cost, maxStepMs: 1, maxSequences: 12 });
      const got = await Promise.all(mixed(10).map((r) => made.loop.run(r)));
      expect(got.map(tokensOf)).toEqual(wanted);
      expect(made.fake.openSequences).toBe(0);
    }
  });
  it('options that cannot be are refused', () => {
    for (const batch of [0, -1, Number.NaN, 'some' as 'all']) expect(() => setup({}, { batch })).toThrow(OptionError);
    for (const maxStepMs of [0, -1, Number.NaN]) expect(() => setup({}, { maxStepMs })).toThrow(OptionError);
  });
  it('a round runs whole once in a while', async () => {
    const { fake, loop } = setup({ maxRows: 16, contextLength: 2048 }, { cost: fixed() });
    await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        loop.run(request({ prompt: vocabulary.encode(`p${i}`), texts: null, maxTokens: 200, draftTokens: 0 })),
      ),
    );
    const { counters } = loop.metrics.snapshot();
    const whole = fake.planned.filter((rows) => rows.length > 4 && rows.every((r) => r.tokens.length === 1)).length;
    expect(whole).toBeGreaterThan(0);
    expect(whole).toBeLessThanOrEqual(Math.ceil(counters.cutRounds / 64));
  });
});
