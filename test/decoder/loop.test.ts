import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LimitError } from '../../src/base/errors.js';
import { createRandom } from '../../src/base/random.js';
import { DecodeLoop } from '../../src/decoder/loop.js';
import type { LoopOptions } from '../../src/decoder/loop-options.js';
import { FakeModel, type FakeOptions, hashLogits, TextsMatcher, testVocabulary } from './fakes.js';
import { alone, mixed, request, sampling, setup, steep, TEXTS, tokensOf, vocabulary } from './requests.js';

describe('one request', () => {
  it('gives a text of the language, and says why it ended', async () => {
    const r = await alone(request());
    expect(TEXTS).toContain(r.outputs[0]!.text);
    expect(r.outputs[0]!.finishReason).toBe('stop');
    expect(r.usage.forcedTokens + r.usage.sampledTokens).toBeGreaterThanOrEqual(r.usage.completionTokens);
  });
  it('a language of one text needs no pass', async () => {
    const { fake, loop } = setup();
    const r = await loop.run(request({ texts: ['{"x":1}'] }));
    expect(r.outputs[0]!.text).toBe('{"x":1}');
    expect(fake.steps).toBe(0);
  });
  it('forced tokens save passes', async () => {
    const forced = await alone(request({ draftTokens: 0 }));
    const asked = await alone(request({ draftTokens: 0, forcing: false }));
    expect(forced.usage.passes).toBeLessThan(asked.usage.passes);
    expect(asked.usage.forcedTokens).toBe(0);
  });
  it.each([
    { temperature: 0 },
    { temperature: 0.8, seed: 3 },
    { temperature: 1.5, topK: 5, seed: 4 },
    { temperature: 1, topP: 0.7, minP: 0.02, seed: 5 },
  ])('drafts change no token: %j', async (options) => {
    for (let seed = 0; seed < 20; seed++) {
      const s = sampling({ ...options, ...(options.temperature > 0 ? { seed } : {}) });
      const prompt = vocabulary.encode(`${'x'.repeat(seed)} John Smith "John Smith","age":42}`);
      const a = await alone(request({ prompt, sampling: s, draftTokens: 0 }));
      const b = await alone(request({ prompt, sampling: s, draftTokens: 8 }));
      expect(tokensOf(b)).toEqual(tokensOf(a));
    }
  });
  it('optimistic checks change no greedy token', async () => {
    for (let i = 0; i < 20; i++) {
      const prompt = vocabulary.encode(`prompt ${i}`);
      expect(tokensOf(await alone(request({ prompt, optimistic: true })))).toEqual(
        tokensOf(await alone(request({ prompt, optimistic: false }))),
      );
    }
  });
  it('a restricted head changes no token', async () => {
    for (let i = 0; i < 10; i++) {
      const r = request({
        prompt: vocabulary.encode(`prompt ${i}`),
        sampling: sampling({ temperature: 0.9, topK: 4, seed: i }),
      });
      const again = { ...r, matchers: [new TextsMatcher(TEXTS, vocabulary)] };
      expect(tokensOf(await alone(r, { restrictUpTo: 100 }))).toEqual(tokensOf(await alone(again)));
    }
  });
  it('a device that samples gives the same greedy tokens', async () => {
    for (let i = 0; i < 10; i++) {
      const prompt = vocabulary.encode(`John Smith ${i}`);
      expect(tokensOf(await alone(request({ prompt }), { samples: true }))).toEqual(
        tokensOf(await alone(request({ prompt }))),
      );
    }
  });
  it('a device that samples is independent of drafts at any temperature', async () => {
    for (let i = 0; i < 10; i++) {
      const base = { prompt: vocabulary.encode(`John Smith ${i}`), sampling: sampling({ temperature: 1, seed: i }) };
      expect(tokensOf(await alone(request({ ...base, draftTokens: 8 }), { samples: true }))).toEqual(
        tokensOf(await alone(request({ ...base, draftTokens: 0 }), { samples: true })),
      );
    }
  });
  it('drafts copy from the prompt where the model does', async () => {
    // A model that always wants the first text.
    const want = TEXTS[0]!;
    const follow = (tokens: readonly number[], out: Float32Array): void => {
      const text = Buffer.from(vocabulary.decode(tokens)).toString('latin1');
      const at = text.lastIndexOf('|');
      const rest = want.slice(text.length - at - 1);
      out.fill(-9);
      const next = vocabulary.encode(rest)[0] ?? vocabulary.eos[0]!;
      out[next] = 9;
    };
    const prompt = vocabulary.encode('see {"name":"John Smith" and 42|');
    const texts = [want, `${want.slice(0, 12)}xyzw","age":42}`, '{"name":"J"}', '{"name":"John Sm"}'];
    const drafted = await alone(request({ prompt, texts }), { logits: follow });
    const plain = await alone(request({ prompt, texts, draftTokens: 0 }), { logits: follow });
    expect(drafted.outputs[0]!.text).toBe(want);
    expect(tokensOf(drafted)).toEqual(tokensOf(plain));
    expect(drafted.usage.acceptedDrafts).toBeGreaterThan(0);
    expect(drafted.usage.passes).toBeLessThan(plain.usage.passes);
  });
  it("a draft model's cached prompts are shared within a tenant only", async () => {
    const draft = new FakeModel({ vocabSize: vocabulary.size + 5 });
    const salts: (string | undefined)[] = [];
    const open = draft.open.bind(draft);
    draft.open = (options) => {
      salts.push(options?.salt);
      return open(options);
    };
    const { loop } = setup({}, { draftModel: draft });
    await loop.run(request({ salt: 'one', draftTokens: 3 }));
    expect(salts).toEqual(['one']);
  });
  it('a draft model changes no token, and saves passes where it guesses well', async () => {
    const run = async (draft: FakeModel | undefined, s = sampling()) => {
      const { loop } = setup({}, { draftModel: draft });
      const rs = await Promise.all(
        [0, 1, 2].map((i) => loop.run(request({ prompt: vocabulary.encode(`p${i}`), sampling: s, maxTokens: 30 }))),
      );
      return { tokens: rs.map(tokensOf), passes: rs.reduce((n, r) => n + r.usage.passes, 0), failed: rs.length };
    };
    const size = vocabulary.size + 5;
    const plain = await run(undefined);
    const same = await run(new FakeModel({ vocabSize: size, maxStepTokens: 7 }));
    expect(same.tokens).toEqual(plain.tokens);
    expect(same.passes).toBeLessThan(plain.passes);
    const other = await run(new FakeModel({ vocabSize: size, logits: (t, out) => hashLogits([...t, 5], out) }));
    expect(other.tokens).toEqual(plain.tokens);
    const broken = await run(
      new FakeModel({ vocabSize: size, fault: (_, step) => (step > 2 ? new Error('broken draft model') : undefined) }),
    );
    expect(broken.tokens).toEqual(plain.tokens);
    const drawn = sampling({ temperature: 1.2, seed: 3 });
    const draft = new FakeModel({ vocabSize: size });
    expect((await run(draft, drawn)).tokens).toEqual((await run(undefined, drawn)).tokens);
    expect(draft.openSequences).toBe(0);
  });
  it('unconstrained text ends by length, by a stop string, by the end token', async () => {
    const cut = await alone(request({ texts: null, maxTokens: 5 }));
    expect(cut.outputs[0]).toMatchObject({ finishReason: 'length' });
    expect(cut.outputs[0]!.tokens).toHaveLength(5);
    const say = (text: string) => (tokens: readonly number[], out: Float32Array) => {
      out.fill(0);
      out[text.charCodeAt(tokens.length - 1) || vocabulary.eos[0]!] = 1;
    };
    const prompt = [65];
    const stopped = await alone(request({ texts: null, prompt, stop: ['END'] }), { logits: say('helloENDmore') });
    expect(stopped.outputs[0]).toMatchObject({ text: 'hello', finishReason: 'stop' });
    const ended = await alone(request({ texts: null, prompt }), { logits: say('hello EN') });
    expect(ended.outputs[0]).toMatchObject({ text: 'hello EN', finishReason: 'stop' });
  });
  it('events add up to the result', async () => {
    const events: { tokens: number; text: string }[] = [];
    const r = await alone(request({ onEvent: (e) => events.push({ tokens: e.tokens.length, text: e.text }) }));
    expect(events.map((e) => e.text).join('')).toBe(r.outputs[0]!.text);
  });
  it('a trace has counts, log probabilities and alternatives', async () => {
    const infos: unknown[] = [];
    await alone(request({ trace: true, forcing: false, onEvent: (e) => infos.push(...e.tokens) }));
    expect(infos[0]).toMatchObject({
      allowed: expect.any(Number),
      maskMs: expect.any(Number),
      logprob: { after: expect.any(Number) },
    });
    expect((infos[0] as { top: { after: unknown[] } }).top.after.length).toBeGreaterThan(0);
  });
  it('reasoning runs free until its marker, or its budget', async () => {
    const think = (tokens: readonly number[], out: Float32Array): void => {
      out.fill(0);
      const said = 'hmm</t>'.charCodeAt(tokens.length - 1);
      if (!Number.isNaN(said)) out[said] = 1;
    };
    const found = await alone(request({ prompt: [65], reasoning: { end: '</t>', budget: 50 } }), { logits: think });
    expect(found.outputs[0]!.reasoning).toBe('hmm');
    expect(TEXTS).toContain(found.outputs[0]!.text);
    const forced = await alone(request({ prompt: [65], reasoning: { end: '</t>', budget: 2 } }), { logits: think });
    expect(forced.outputs[0]!.reasoning).toBe('hm');
    expect(TEXTS).toContain(forced.outputs[0]!.text);
    expect(forced.usage.reasoningTokens).toBe(2);
  });
  it('what follows the marker in one token belongs to the value, also where the marker spans tokens', async () => {
    const words = testVocabulary(['</t', '>{"', '> hello']);
    const say = (second: number) => (tokens: readonly number[], out: Float32Array) => {
      out.fill(0);
      out[[0x41, 256, second][tokens.length - 1] ?? 0x21] = 1;
    };
    const run = (matcher: TextsMatcher | undefined, second: number) => {
      const loop = new DecodeLoop(new FakeModel({ vocabSize: words.size, logits: say(second) }), words);
      const part = { prompt: [65], matchers: [matcher], maxTokens: 5, stop: ['!!'], sampling: sampling() };
      return loop.run({ ...part, reasoning: { end: '</t>', budget: 50 }, forcing: false });
    };
    const value = (await run(new TextsMatcher(['{"x":1}'], words), 257)).outputs[0]!;
    expect(value).toMatchObject({ reasoning: 'A', text: '{"x":1}' });
    const text = (await run(undefined, 258)).outputs[0]!;
    expect(text).toMatchObject({ reasoning: 'A', text: 'hello', finishReason: 'stop' });
  });
});

describe('many requests', () => {
  it.each([
    ['plenty of memory', {}],
    ['few rows', { maxRows: 2 }],
    ['few tokens a step', { maxStepTokens: 7 }],
    ['a small pool of blocks', { blocks: { size: 4, total: 40 } }],
    ['a tiny pool of blocks', { blocks: { size: 4, total: 34 }, maxRows: 3 }],
  ])('each gives what it gives alone: %s', async (_, options) => {
    const expected = [];
    for (const r of mixed(24)) expected.push(tokensOf(await alone(r)));
    const { fake, loop } = setup(options, { prefillChunk: 11 });
    const results = await Promise.all(mixed(24).map((r) => loop.run(r)));
    expect(results.map(tokensOf)).toEqual(expected);
    expect(fake.openSequences).toBe(0);
    expect(loop.pending).toBe(0);
  });

  it('outputs of one request differ by their seeds and equal single runs', async () => {
    const many = await alone(request({ n: 4, sampling: sampling({ temperature: 2, seed: 10 }) }));
    for (let i = 0; i < 4; i++) {
      const one = await alone(request({ sampling: sampling({ temperature: 2, seed: 10 + i }) }));
      expect(many.outputs[i]!.tokens).toEqual(one.outputs[0]!.tokens);
    }
  });

  it('long prompts ride beside decoding rows', async () => {
    const { fake, loop } = setup({ maxStepTokens: 64 }, { prefillChunk: 16 });
    const short = loop.run(request({ draftTokens: 0, forcing: false }));
    const long = loop.run(request({ prompt: vocabulary.encode('y'.repeat(200)) }));
    await Promise.all([short, long]);
    expect(Math.max(...fake.planned.map((rows) => Math.max(...rows.map((r) => r.tokens.length))))).toBeLessThanOrEqual(
      16,
    );
    expect(fake.planned.some((rows) => rows.length === 2 && rows.some((r) => r.tokens.length === 16))).toBe(true);
  });

  it('random cancellations leave nothing behind, the others finish', async () => {
    const { fake, loop } = setup({ blocks: { size: 4, total: 60 }, maxRows: 4 });
    const random = createRandom(5);
    const results = await Promise.all(
      mixed(200).map((r) => {
        const controller = new AbortController();
        const abort = random.below(3) === 0;
        if (abort) setTimeout(() => controller.abort(), random.below(40));
        return loop.run({ ...r, signal: controller.signal });
      }),
    );
    for (const r of results) {
      for (const o of r.outputs)
        if (o.finishReason === 'stop' && o.text.startsWith('{')) expect(TEXTS).toContain(o.text);
    }
    expect(results.some((r) => r.outputs[0]!.finishReason === 'stop')).toBe(true);
    expect(fake.openSequences).toBe(0);
    expect(fake.blocks!.free()).toBe(60);
  });

  it('an aborted signal ends a request before it starts', async () => {
    const { fake, loop } = setup();
    const r = await loop.run(request({ signal: AbortSignal.abort() }));
    expect(r.outputs[0]!.finishReason).toBe('abort');
    expect(fake.steps).toBe(0);
  });

  it('a fault of one row fails that request only', async () => {
    const bad = vocabulary.encode('BAD');
    const { fake, loop } = setup({
      fault: (rows) => (rows.some((r) => r.tokens.join().startsWith(bad.join())) ? new Error('broken row') : undefined),
    });
    const [a, b, c] = await Promise.allSettled([
      loop.run(request()),
      loop.run(request({ prompt: bad })),
      loop.run(request({ maxTokens: 30 })),
    ]);
    expect([a.status, b.status, c.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(fake.openSequences).toBe(0);
  });

  it.each([
    ['a mask that is made before the pass', 'fillMask', 6],
    ['a fork that guesses are tried on', 'fork', 0],
  ] as const)('a constraint that breaks fails its request only: %s', async (_, method, restrictUpTo) => {
    const { fake, loop } = setup({ restrictUpTo });
    const broken = request({ n: 2, prompt: vocabulary.encode('see {"name":"John","age":7}|') });
    for (const matcher of broken.matchers) {
      Object.assign(matcher!, {
        [method]: () => {
          throw new Error('broken constraint');
        },
      });
    }
    const others = mixed(6);
    const [failed, ...rest] = await Promise.allSettled([broken, ...others].map((r) => loop.run(r)));
    expect(failed).toMatchObject({ status: 'rejected', reason: { message: 'broken constraint' } });
    expect(rest.map((r) => r.status)).toEqual(others.map(() => 'fulfilled'));
    expect(fake.openSequences).toBe(0);
  });

  it('a pass that several outputs of a request share counts once', async () => {
    const { fake, loop } = setup();
    const { usage, timings } = await loop.run(request({ n: 4, sampling: sampling({ temperature: 1, seed: 2 }) }));
    expect([usage.passes, timings.modelMs]).toEqual([fake.steps, fake.steps]);
  });

  it('a sequence that cannot be closed fails its request alone, and leaves nobody waiting', async () => {
    const { fake, loop } = setup();
    const close = fake.close.bind(fake);
    let closed = 0;
    fake.close = (sequence) => {
      close(sequence);
      if (closed++ === 0) throw new Error('lost');
    };
    const results = await Promise.allSettled([1, 2, 3].map(() => loop.run(request())));
    expect(results.map((r) => r.status).sort()).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(fake.openSequences).toBe(0);
    const later = [loop.run(request()), loop.run(request({ n: 3 }))].map((r) => expect(r).rejects.toThrow('closed'));
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    closed = 0;
    loop.close();
    await Promise.all(later);
    expect(fake.openSequences).toBe(0);
  });

  it('one that cannot fit alone is a LimitError, the others go on', async () => {
    const { loop } = setup({ blocks: { size: 4, total: 10 } });
    const [big, small] = await Promise.allSettled([
      loop.run(request({ prompt: vocabulary.encode('z'.repeat(60)) })),
      loop.run(request({ prompt: [65], texts: ['{"x":1}', '{"y":1}'] })),
    ]);
    expect(big).toMatchObject({ status: 'rejected', reason: expect.any(LimitError) });
    expect(small.status).toBe('fulfilled');
  });

  it('refuses what is over the queue limit, the context, or after closing', async () => {
    const { loop } = setup({ contextLength: 32 }, { maxQueue: 1 });
    const first = loop.run(request({ texts: ['a', 'b'], prompt: [65] }));
    await expect(loop.run(request({ prompt: [65] }))).rejects.toThrow(LimitError);
    await first;
    await expect(loop.run(request({ prompt: vocabulary.encode('q'.repeat(32)) }))).rejects.toThrow(LimitError);
    loop.close();
    await expect(loop.run(request())).rejects.toThrow();
  });

  it('metrics count what happened', async () => {
    const { loop } = setup();
    await Promise.all(mixed(6).map((r) => loop.run(r)));
    const { counters, times } = loop.metrics.snapshot();
    expect(counters.requests).toBe(6);
    expect(counters.finished).toBe(6);
    expect(counters.steps).toBeGreaterThan(0);
    expect(times.totalMs.count).toBe(6);
    const text = loop.metrics.prometheus();
    expect(text).toMatch(/^tokenloom_requests_total 6$/m);
    expect(text).toMatch(/tokenloom_total_seconds_bucket\{le="\+Inf"\} 6/);
  });

  it('mixtures of experts: rows that share experts share steps, nobody waits too long', async () => {
    const options: Partial<FakeOptions> = { maxRows: 2, experts: { count: 4, k: 1, pick: (t) => [t % 4] } };
    const run = async (composition: 'fcfs' | 'profile') => {
      const { loop } = setup(options, { composition, agingSteps: 8 });
      const rs = await Promise.all(
        Array.from({ length: 12 }, (_, i) =>
          loop.run(request({ prompt: vocabulary.encode(`p${i}`), texts: null, maxTokens: 12 })),
        ),
      );
      return { tokens: rs.map(tokensOf), gauges: loop.metrics.snapshot().gauges };
    };
    const a = await run('fcfs');
    const b = await run('profile');
    expect(b.tokens).toEqual(a.tokens);
    expect(b.gauges.distinctExpertsPerStep).toBeGreaterThan(0);
  });

  it('any mix of requests ends (property)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            prompt: fc.integer({ min: 1, max: 60 }),
            max: fc.integer({ min: 1, max: 50 }),
            free: fc.boolean(),
            n: fc.integer({ min: 1, max: 2 }),
          }),
          { maxLength: 12 },
        ),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 30, max: 60 }),
        fc.constantFrom<LoopOptions>(
          {},
          { batch: 1 },
          { batch: 2 },
          { cost: steep() },
          { cost: steep(), maxStepMs: 3 },
        ),
        async (specs, maxRows, total, options) => {
          const { fake, loop } = setup({ maxRows, blocks: { size: 4, total } }, { prefillChunk: 9, ...options });
          await Promise.all(
            specs.map((s) =>
              loop.run(
                request({
                  prompt: vocabulary.encode('w'.repeat(s.prompt)),
                  texts: s.free ? null : TEXTS,
                  maxTokens: s.max,
                  n: s.n,
                }),
              ),
            ),
          );
          expect(fake.openSequences).toBe(0);
        },
      ),
      { numRuns: 100, seed: 3 },
    );
  });
});
