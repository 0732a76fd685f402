/** Where thinking ends while there is more in the pass that ended it, and where there is to be none. */
import { describe, expect, it } from 'vitest';
import { DecodeLoop } from '../../src/decoder/loop.js';
import type { DecodeRequest, DecodeResult, TokenInfo } from '../../src/decoder/request.js';
import { FakeModel, hashLogits } from './fakes.js';
import { request, sampling, vocabulary } from './requests.js';

/** A model that would write the same words again and again; where it may not, a hash of all before decides. */
function again(words: string) {
  const wanted = vocabulary.encode(words);
  return (tokens: readonly number[], out: Float32Array): void => {
    hashLogits(tokens, out);
    out[wanted[tokens.length % wanted.length]!]! += 100;
  };
}

async function run(words: string, part: Partial<DecodeRequest>, samples = false) {
  const fake = new FakeModel({ vocabSize: vocabulary.size, logits: again(words), samples });
  const seen: TokenInfo[] = [];
  const result: DecodeResult = await new DecodeLoop(fake, vocabulary).run(
    request({
      prompt: [...vocabulary.encode(words), ...vocabulary.encode(words)],
      onEvent: ({ tokens }) => seen.push(...tokens),
      ...part,
    }),
  );
  expect(fake.openSequences).toBe(0);
  return { result, tokens: seen.map((t) => t.token) };
}

describe.each([false, true])('a model that samples by itself: %s', (samples) => {
  it.each([
    ['its marker', 'some thoughts</t> and more ', 50],
    ['its marker, with text of the value behind it', 'some thoughts</t>{"name":"John ', 50],
    ['its budget', 'some thoughts and more ', 7],
  ])('guesses that reach beyond the thinking change no token: %s', async (_, words, budget) => {
    for (const options of [{}, { temperature: 1, seed: 3 }]) {
      const of = (draftTokens: number) =>
        run(words, { reasoning: { end: '</t>', budget }, sampling: sampling(options), draftTokens }, samples);
      const [plain, drafted] = [await of(0), await of(8)];
      expect(drafted.result.usage.acceptedDrafts).toBeGreaterThan(0);
      expect(drafted.tokens).toEqual(plain.tokens);
      expect(drafted.result.outputs).toEqual(plain.result.outputs);
    }
  });
});

it('a budget of 0 leaves no token of thinking', async () => {
  const { result } = await run('some thoughts', { reasoning: { end: '</t>', budget: 0 } });
  expect(result.outputs[0]!.reasoning).toBe('');
  expect(result.usage.reasoningTokens).toBe(0);
});
