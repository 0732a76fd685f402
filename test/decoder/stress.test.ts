import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.js';
import { DecodeLoop } from '../../src/decoder/loop.js';
import type { DecodeRequest } from '../../src/decoder/request.js';
import { resolveSampling } from '../../src/decoder/sampling.js';
import { FakeModel, hashLogits, TextsMatcher, testVocabulary } from './fakes.js';

const vocabulary = testVocabulary(['ab', 'abc', 'bc', '12', '"}']);
const TEXTS = ['abc12', 'abc', 'bcbc', 'xyz"}', 'x'];
const { sampling: greedy } = resolveSampling({}, () => 1);

function request(i: number, part: Partial<DecodeRequest> = {}): DecodeRequest {
  return {
    prompt: vocabulary.encode(`p${i}`),
    matchers: [new TextsMatcher(TEXTS, vocabulary)],
    maxTokens: 12,
    sampling: greedy,
    ...part,
  };
}

describe('many requests', () => {
  it('10,000 at once with random cancellations: all blocks come back, every finished value is valid', async () => {
    const fake = new FakeModel({ vocabSize: vocabulary.size, maxRows: 16, blocks: { size: 4, total: 64 } });
    const loop = new DecodeLoop(fake, vocabulary);
    const random = createRandom(8);
    let finished = 0;
    let aborted = 0;
    const start = performance.now();
    await Promise.all(
      Array.from({ length: 10_000 }, async (_, i) => {
        const controller = new AbortController();
        if (random.below(4) === 0) setTimeout(() => controller.abort(), random.below(4000));
        const r = await loop.run(request(i, { signal: controller.signal, priority: i % 3 }));
        const [output] = r.outputs;
        if (output?.finishReason === 'abort') aborted++;
        else {
          expect(TEXTS).toContain(output?.text);
          finished++;
        }
      }),
    );
    expect(finished + aborted).toBe(10_000);
    expect(finished).toBeGreaterThan(5000);
    expect(fake.openSequences).toBe(0);
    expect(fake.blocks?.free()).toBe(64);
    expect(loop.pending).toBe(0);
    // The queue's length must not cost each step: this takes seconds, not minutes.
    expect(performance.now() - start).toBeLessThan(60_000);
  });

  it('an abort at every step of a request leaves the others as they are', async () => {
    const alone = async (): Promise<string[]> => {
      const loop = new DecodeLoop(new FakeModel({ vocabSize: vocabulary.size }), vocabulary);
      const rs = await Promise.all([1, 2, 3].map((i) => loop.run(request(i, { forcing: false, draftTokens: 0 }))));
      return rs.map((r) => r.outputs[0]?.text ?? '');
    };
    const expected = await alone();
    for (let step = 1; step <= 10; step++) {
      const controller = new AbortController();
      const fake = new FakeModel({
        vocabSize: vocabulary.size,
        fault: (_, at) => {
          if (at === step) controller.abort();
          return undefined;
        },
      });
      const loop = new DecodeLoop(fake, vocabulary);
      const victim = loop.run(request(9, { signal: controller.signal, forcing: false, matchers: [undefined] }));
      const rs = await Promise.all([1, 2, 3].map((i) => loop.run(request(i, { forcing: false, draftTokens: 0 }))));
      await victim;
      expect(rs.map((r) => r.outputs[0]?.text)).toEqual(expected);
      expect(fake.openSequences).toBe(0);
    }
  });

  it('a pass that fails now and then is run again row by row', async () => {
    let n = 0;
    const fake = new FakeModel({
      vocabSize: vocabulary.size,
      fault: (rows) => (rows.length > 1 && ++n % 3 === 0 ? new Error('flaky') : undefined),
    });
    const loop = new DecodeLoop(fake, vocabulary);
    const rs = await Promise.all(Array.from({ length: 20 }, (_, i) => loop.run(request(i))));
    for (const r of rs) expect(TEXTS).toContain(r.outputs[0]?.text);
  });
});

describe('sampling is exact', () => {
  it('optimistic, masked and drafted sampling have the distribution of the allowed tokens, renormalised', async () => {
    const small = testVocabulary();
    const texts = ['a', 'b', 'c'];
    const logits = (tokens: readonly number[], out: Float32Array): void => {
      hashLogits(tokens, out);
      // Most of the mass is on tokens that are not allowed, so that first draws are refused about half of the time.
      for (let i = 0; i < out.length; i++) out[i] = -20;
      [1.2, 0.1, -0.7].forEach((v, i) => {
        out[97 + i] = v;
      });
      out[65] = 1.5;
    };
    const weights = [1.2, 0.1, -0.7].map((v) => Math.exp(v / 0.8));
    const total = weights.reduce((a, b) => a + b, 0);
    const n = 6000;
    for (const o of [{ optimistic: true }, { optimistic: false }, { optimistic: true, draftTokens: 0 }]) {
      const loop = new DecodeLoop(
        new FakeModel({ vocabSize: small.size, logits, maxRows: 64, maxStepTokens: 512 }),
        small,
      );
      const counts = [0, 0, 0];
      const rs = await Promise.all(
        Array.from({ length: n }, (_, seed) =>
          loop.run({
            prompt: [33],
            matchers: [new TextsMatcher(texts, small)],
            maxTokens: 3,
            sampling: resolveSampling({ temperature: 0.8, seed }, () => 1).sampling,
            ...o,
          }),
        ),
      );
      for (const r of rs) counts[texts.indexOf(r.outputs[0]?.text ?? '')]!++;
      let chi = 0;
      weights.forEach((w, i) => {
        const expected = (n * w) / total;
        chi += (counts[i]! - expected) ** 2 / expected;
      });
      // Two degrees of freedom: 20 has a chance of 5e-5.
      expect(chi, JSON.stringify({ o, counts })).toBeLessThan(20);
    }
  });
});
