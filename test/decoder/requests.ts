/** Requests over a small vocabulary, for tests of the loop. */
import { expect } from 'vitest';
import { StepCost } from '../../src/decoder/cost-model.js';
import { DecodeLoop } from '../../src/decoder/loop.js';
import type { LoopOptions } from '../../src/decoder/loop-options.js';
import type { DecodeRequest, DecodeResult } from '../../src/decoder/request.js';
import { resolveSampling, type SamplingOptions } from '../../src/decoder/sampling.js';
import { FakeModel, type FakeOptions, TextsMatcher, testVocabulary } from './fakes.js';

export const WORDS = ['{"', 'name', '":', '","', 'age', 'John', ' Smith', 'the ', 'and ', '"}', '":"'];
export const vocabulary = testVocabulary(WORDS);
export const TEXTS = ['{"name":"John Smith","age":42}', '{"name":"John","age":7}', '{"name":"Ann","age":1}', '{"x":1}'];

/** Costs under which rows take turns by two. */
export function steep(): StepCost {
  const points = [1, 2, 3, 8].map((tokens) => ({ tokens, ms: tokens < 3 ? 1 : 10 * tokens, positionMs: 0.01 }));
  return new StepCost({ points, padding: 1, chunks: [], expertMs: 0, ownExperts: 0, noise: 0 });
}

export function sampling(options: SamplingOptions = {}) {
  return resolveSampling(options, () => 1).sampling;
}

export function request(
  part: Partial<DecodeRequest> & { texts?: readonly string[] | null; n?: number } = {},
): DecodeRequest {
  const { texts = TEXTS, n = 1, ...rest } = part;
  return {
    prompt: vocabulary.encode('Extract: John Smith, 42'),
    matchers: Array.from({ length: n }, () => (texts === null ? undefined : new TextsMatcher(texts, vocabulary))),
    maxTokens: 40,
    sampling: sampling(),
    ...rest,
  };
}

export function setup(model: Partial<FakeOptions> = {}, options: LoopOptions = {}) {
  const fake = new FakeModel({ vocabSize: vocabulary.size + 5, ...model });
  return { fake, loop: new DecodeLoop(fake, vocabulary, options) };
}

export async function alone(r: DecodeRequest, model: Partial<FakeOptions> = {}): Promise<DecodeResult> {
  const { fake, loop } = setup(model);
  const out = await loop.run(r);
  expect(fake.openSequences).toBe(0);
  return out;
}

export const tokensOf = (r: DecodeResult): readonly (readonly number[])[] => r.outputs.map((o) => o.tokens);

/** Requests of all kinds, of different lengths and priorities. */
export const mixed = (count: number): DecodeRequest[] =>
  Array.from({ length: count }, (_, i) =>
    request({
      prompt: vocabulary.encode(`request ${i} ${'John Smith '.repeat(i % 7)}`),
      texts: i % 5 === 4 ? null : TEXTS.slice(i % 3),
      maxTokens: 8 + (i % 9) * 4,
      sampling: sampling(i % 2 === 0 ? {} : { temperature: 0.5 + (i % 4) / 4, topK: i % 3, seed: i }),
      priority: i % 3,
      n: i % 6 === 5 ? 3 : 1,
    }),
  );
