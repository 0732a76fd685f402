/** What a server does beside generating: asks what fits, floods, drains. In the caller's thread and in one of the engine's own. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { build } from '../cli/command.js';
import { type RandomModel, randomModel } from './models.js';
import { base, person, prompt } from './requests.js';

type Package = typeof import('../../src/index.js');
let built: Package;
let model: RandomModel;
beforeAll(async () => {
  await build();
  built = (await import('../../dist/index.js' as string)) as Package;
  model = await randomModel();
}, 180_000);
afterAll(() => model.remove());

describe.each([false, true])('worker: %s', (worker) => {
  let engine: Awaited<ReturnType<Package['createEngine']>>;
  const create = () => built.createEngine({ model: model.folder, worker });
  beforeAll(async () => {
    engine = await create();
  });
  afterAll(() => engine.close());

  describe('measure', () => {
    it('tells what generate takes, without a pass', async () => {
      const tools = [{ name: 'f', parameters: z.object({ a: z.int() }) }];
      for (const [target, options] of [
        [person, base],
        [null, { prompt: 'hello', maxTokens: 5 }],
        [null, { messages: [{ role: 'user', content: 'x'.repeat(200) }], maxTokens: 60, tools }],
        [null, { prompt: 'hello', maxTokens: 60, tools, toolChoice: 'auto' }],
        [person, { ...base, showSchema: false, system: 'Be short.' }],
      ] as const) {
        const measured = await engine.measure(target, options);
        const { usage } = await engine.generate(target, options);
        expect(measured).toEqual({ promptTokens: usage.promptTokens, maxTokens: options.maxTokens, warnings: [] });
      }
      const counters = (await engine.metrics()).snapshot as { counters: { requests: number } };
      expect(counters.counters.requests).toBe(5);
    });
    it('tells what the context leaves, and warns as generate does', async () => {
      const { contextLength } = engine.info;
      const { promptTokens, maxTokens, warnings } = await engine.measure(null, {
        prompt,
        maxTokens: contextLength,
        temprature: 1,
      } as never);
      expect(maxTokens).toBe(contextLength - promptTokens);
      expect(warnings.join()).toMatch(/temprature.*maxTokens: the context leaves room/);
    });
    it('refuses what generate refuses', async () => {
      await expect(engine.measure(person, { prompt: 'x'.repeat(99_999) })).rejects.toThrow(built.LimitError);
      await expect(engine.measure(person, { prompt, maxTokens: 3 })).rejects.toThrow(built.UnsatisfiableError);
      await expect(engine.measure({ type: 'nonsense' }, base)).rejects.toThrow(built.UnsupportedSchemaError);
      await expect(engine.measure(undefined, base)).rejects.toThrow(built.OptionError);
    });
    it("stacks of errors lead to the call, at once and after a wait for one's turn", async () => {
      const calls = Array.from({ length: 60 }, () => engine.measure(person, { prompt, maxTokens: 3 }));
      calls.push(engine.generate(person, { prompt, maxTokens: 3 }) as never);
      for (const end of await Promise.allSettled(calls)) {
        expect(end.status === 'rejected' && (end.reason as Error).stack).toContain('lifecycle.test');
      }
    });
  });

  it('aborts of requests that wait to be made ready leave nothing behind', async () => {
    const abort = new AbortController();
    const all = Array.from({ length: 150 }, (_, i) =>
      engine.generate({ type: 'string', minLength: 100 }, { prompt: `${i}`, maxTokens: 200, signal: abort.signal }),
    );
    await new Promise((resolve) => setTimeout(resolve, 5));
    abort.abort();
    for (const { finishReason, value } of await Promise.all(all)) {
      expect(finishReason).toBe('abort');
      expect(value).toBeUndefined();
    }
    expect((await engine.metrics()).snapshot).toMatchObject({ gauges: { queued: 0, running: 0 } });
  });

  describe('close with drain', () => {
    it('finishes what waits and runs, refuses what comes', async () => {
      const own = await create();
      const all = Array.from({ length: 60 }, (_, i) => own.generate(person, { prompt: `${i}`, maxTokens: 80 }));
      const stream = own.stream(person, base);
      // So many that some wait for their turn.
      const measured = Array.from({ length: 400 }, (_, i) => own.measure(person, { ...base, prompt: `${i}` }));
      const closing = own.close({ drain: true });
      await expect(own.generate(person, base)).rejects.toThrow(built.ModelError);
      await expect(own.measure(person, base)).rejects.toThrow(built.ModelError);
      await closing;
      // They have ended before the engine has.
      for (const r of await Promise.all(all)) expect(r.value.age).toBeGreaterThanOrEqual(0);
      for (const m of await Promise.all(measured)) expect(m.maxTokens).toBe(base.maxTokens);
      expect((await stream.result).finishReason).not.toBe('abort');
      await own.close();
    });
    it('ends what is left where it is called again without', async () => {
      const own = await create();
      const all = Array.from({ length: 20 }, (_, i) =>
        own.generate({ type: 'string', minLength: 500 }, { prompt: `${i}`, maxTokens: 700 }),
      );
      const settled = Promise.allSettled(all);
      const draining = own.close({ drain: true });
      await new Promise((resolve) => setTimeout(resolve, 20));
      await own.close();
      await draining;
      const ends = await settled;
      expect(ends.some((e) => e.status === 'rejected' && e.reason instanceof built.ModelError)).toBe(true);
    });
    it('has nothing to wait for in an idle engine', async () => {
      const own = await create();
      await own.close({ drain: true });
      await own.close({ drain: true });
    });
  });
});
