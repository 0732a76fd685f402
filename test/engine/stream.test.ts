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
  it('gives items of an array once they are whole, and no more than there are', async () => {
    const schema = {
      type: 'array',
      items: {
        type: 'object',
        properties: { a: { type: 'string', maxLength: 6 }, n: { type: 'integer', maximum: 99 } },
      },
      minItems: 3,
      maxItems: 3,
    } as const;
    const s = shared.engine.stream(schema, { ...base, maxTokens: 200 });
    const seen: unknown[] = [];
    let early = 0;
    let ended = false;
    void s.result.then(() => {
      ended = true;
    });
    for await (const item of s.elementStream) {
      if (!ended) early++;
      seen.push(structuredClone(item));
    }
    expect(seen).toEqual((await s.result).value);
    expect(early).toBeGreaterThan(0);
    const none = shared.engine.stream({ type: 'string', maxLength: 5 }, base);
    for await (const item of none.elementStream) throw new Error(`an item of a text: ${String(item)}`);
  });
  it('a number alone is a partial value once the text has ended', async () => {
    const s = shared.engine.stream({ type: 'integer', minimum: 10, maximum: 99 }, base);
    const seen: unknown[] = [];
    const types: string[] = [];
    for await (const e of s) {
      types.push(e.type);
      if (e.type === 'partial') seen.push(e.value);
    }
    expect(seen).toEqual([(await s.result).value]);
    expect(types.at(-1)).toBe('done');
  });
  it('of the best of several gives the text of the best, once that is known', async () => {
    for (let seed = 0; seed < 6; seed++) {
      const s = shared.engine.stream(person, { ...base, temperature: 1.5, seed, bestOf: 4 });
      let text = '';
      for await (const piece of s.textStream) text += piece;
      let last: unknown;
      for await (const value of s.partialStream) last = value;
      const r = await s.result;
      expect(text).toBe(r.text);
      expect(last).toEqual(r.value);
    }
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
