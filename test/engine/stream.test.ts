import { describe, expect, it } from 'vitest';
import { sharedEngine } from './models.js';
import { base, person, prompt } from './requests.js';

const shared = sharedEngine();

describe('stream', () => {
  it('events, text and partial values lead to the result', async () => {
    const s = shared.engine.stream(person, base);
    const types = new Set<string>();
    let text = '';
    let partial: unknown;
    let done: unknown;
    for await (const e of s) {
      types.add(e.type);
      if (e.type === 'text') text += e.text;
      if (e.type === 'partial') partial = e.value;
      if (e.type === 'done') done = e.result.value;
    }
    const r = await s.result;
    expect([...types].sort()).toEqual(['done', 'partial', 'text', 'token']);
    expect(text).toBe(r.text);
    expect(partial).toEqual(r.value);
    expect(done).toEqual(r.value);
  });
  it('textStream and partialStream can be read more than once, also later', async () => {
    const s = shared.engine.stream(person, base);
    await s.result;
    const read = async (): Promise<string> => {
      let out = '';
      for await (const t of s.textStream) out += t;
      return out;
    };
    expect(await read()).toBe((await s.result).text);
    expect(await read()).toBe((await s.result).text);
    let last: unknown;
    for await (const v of s.partialStream) last = v;
    expect(last).toEqual((await s.result).value);
  });
  it('errors reach the readers', async () => {
    const s = shared.engine.stream({ type: 'nonsense' }, base);
    await expect(async () => {
      for await (const _ of s);
    }).rejects.toThrow();
    await expect(s.result).rejects.toThrow();
  });
});

describe('abort', () => {
  it('resolves with what there is, and frees the memory', async () => {
    const controller = new AbortController();
    const s = shared.engine.stream(
      { type: 'string', minLength: 1500 },
      { prompt, maxTokens: 1800, signal: controller.signal },
    );
    let n = 0;
    for await (const e of s) {
      if (e.type === 'token' && ++n === 5) controller.abort();
    }
    const r = await s.result;
    expect(r.finishReason).toBe('abort');
    expect(r.value).toBeUndefined();
    expect(r.text.length).toBeGreaterThan(0);
    const { snapshot } = await shared.engine.metrics();
    expect((snapshot as { gauges: Record<string, number> }).gauges).toMatchObject({ running: 0, queued: 0 });
  });
  it('before the start', async () => {
    const r = await shared.engine.generate(person, { ...base, signal: AbortSignal.abort() });
    expect(r.finishReason).toBe('abort');
  });
});
