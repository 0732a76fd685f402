/**
 * Rows of one batch have nothing in common: lengths, constraints, sampling, seeds, stop rules, budgets, reasoning, reports. Each must come out
 * as it does alone, whatever the batch, the memory and the guesses.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeLoop } from '../../src/decoder/loop.js';
import type { DecodeRequest, DecodeResult, TokenInfo } from '../../src/decoder/request.js';
import { resolveSampling, type SamplingOptions } from '../../src/decoder/sampling.js';
import { FakeModel, TextsMatcher, testVocabulary } from './fakes.js';

const vocabulary = testVocabulary(['{"', 'name', '":', '","', 'John', ' Smith', 'the ', '"}', '</t', '>{"', 'END']);
const TEXTS = ['{"name":"John Smith","age":42}', '{"name":"John","age":7}', '{"name":"Ann"}', '{"x":1}', 'John Smith'];

interface Spec {
  readonly prompt: number;
  readonly texts: number;
  readonly maxTokens: number;
  readonly sampling: SamplingOptions;
  readonly n: number;
  readonly stop: boolean;
  readonly think: number;
  readonly report: number;
  readonly draftTokens: number;
  readonly forcing: boolean;
  readonly optimistic: boolean;
  readonly priority: number;
}

const draws: fc.Arbitrary<SamplingOptions> = fc.oneof(
  fc.constant({}),
  fc.record({
    temperature: fc.double({ min: 0.2, max: 3, noNaN: true }),
    topK: fc.constantFrom(0, 1, 5, 40),
    topP: fc.constantFrom(1, 0.9, 0.5),
    minP: fc.constantFrom(0, 0.02, 0.2),
    seed: fc.nat(1000),
    repetitionPenalty: fc.constantFrom(1, 1, 1.3, 0.8),
    frequencyPenalty: fc.constantFrom(0, 0, 0.7),
    presencePenalty: fc.constantFrom(0, 0, -0.4),
    logitBias: fc.constantFrom({}, {}, { 65: 3, 300: 9 }),
  }),
  fc.record({ repetitionPenalty: fc.constantFrom(1.1, 2), logitBias: fc.constantFrom({}, { 66: 4 }) }),
);

const specs: fc.Arbitrary<Spec> = fc.record({
  prompt: fc.integer({ min: 1, max: 70 }),
  texts: fc.integer({ min: 0, max: TEXTS.length }),
  maxTokens: fc.integer({ min: 1, max: 40 }),
  sampling: draws,
  n: fc.constantFrom(1, 1, 1, 3),
  stop: fc.boolean(),
  think: fc.constantFrom(0, 0, 1, 9),
  report: fc.integer({ min: 0, max: 6 }),
  draftTokens: fc.constantFrom(0, 3, 8),
  forcing: fc.boolean(),
  optimistic: fc.boolean(),
  priority: fc.integer({ min: 0, max: 3 }),
});

/** Everything that a caller sees of its request, times left out. */
interface Seen {
  readonly outputs: DecodeResult['outputs'];
  readonly tokens: readonly (readonly Omit<TokenInfo, 'maskMs' | 'drafted'>[])[];
}

async function run(loop: DecodeLoop, s: Spec, i: number): Promise<Seen> {
  const tokens: Omit<TokenInfo, 'maskMs' | 'drafted'>[][] = Array.from({ length: s.n }, () => []);
  const request: DecodeRequest = {
    prompt: vocabulary.encode(`${i} John Smith {"name":"${'x'.repeat(s.prompt)}`),
    matchers: Array.from({ length: s.n }, () =>
      s.texts === 0 ? undefined : new TextsMatcher(TEXTS.slice(0, s.texts), vocabulary),
    ),
    maxTokens: s.maxTokens,
    sampling: resolveSampling(s.sampling, () => 1).sampling,
    ...(s.stop ? { stop: ['END', 'q', '~'] } : {}),
    ...(s.think > 0 ? { reasoning: { end: '</t>', budget: s.think } } : {}),
    ...(s.report === 1 ? { logprobs: 3 } : s.report === 2 ? { score: true } : s.report === 3 ? { trace: true } : {}),
    draftTokens: s.draftTokens,
    forcing: s.forcing,
    optimistic: s.optimistic,
    priority: s.priority,
    onEvent: (event) => {
      for (const { maskMs: _time, drafted: _way, ...info } of event.tokens) tokens[event.index]!.push(info);
    },
  };
  const { outputs } = await loop.run(request);
  return { outputs, tokens };
}

const models = fc.record({
  maxRows: fc.constantFrom(1, 2, 5, 16),
  maxStepTokens: fc.constantFrom(7, 40, 256),
  blocks: fc.constantFrom(undefined, { size: 4, total: 64 }, { size: 16, total: 20 }),
  restrictUpTo: fc.constantFrom(0, 0, 6),
});

describe('ragged batches', () => {
  it('each row comes out as it does alone (property)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(specs, { minLength: 2, maxLength: 12 }),
        models,
        fc.constantFrom(3, 11, 256),
        async (rows, model, prefillChunk) => {
          const { restrictUpTo, blocks, ...rest } = model;
          const size = { vocabSize: vocabulary.size + 3, restrictUpTo };
          const expected: Seen[] = [];
          for (const [i, s] of rows.entries()) {
            expected.push(await run(new DecodeLoop(new FakeModel(size), vocabulary), s, i));
          }
          const fake = new FakeModel({ ...size, ...rest, ...(blocks === undefined ? {} : { blocks }) });
          const loop = new DecodeLoop(fake, vocabulary, { prefillChunk });
          const got = await Promise.all(rows.map((s, i) => run(loop, s, i)));
          expect(got).toEqual(expected);
          expect(fake.openSequences).toBe(0);
        },
      ),
      { numRuns: 60, seed: 11 },
    );
  });

  it('guesses, forced tokens and optimistic checks change no token and no report (property)', async () => {
    await fc.assert(
      fc.asyncProperty(specs, fc.constantFrom(0, 6), async (s, restrictUpTo) => {
        const alone = (part: Partial<Spec>) =>
          run(
            new DecodeLoop(new FakeModel({ vocabSize: vocabulary.size, restrictUpTo }), vocabulary),
            { ...s, ...part },
            0,
          );
        const slow = await alone({ draftTokens: 0 });
        expect(await alone({ draftTokens: 8 })).toEqual(slow);
        expect(await alone({ draftTokens: 2 })).toEqual(slow);
        // Rejection sampling takes two draws where one under the mask takes one: the same tokens for greedy only.
        if ((s.sampling.temperature ?? 0) > 0) return;
        const tokens = (seen: Seen) => seen.outputs.map((o) => o.tokens);
        expect(tokens(await alone({ optimistic: !s.optimistic }))).toEqual(tokens(slow));
      }),
      { numRuns: 100, seed: 12 },
    );
  });
});
