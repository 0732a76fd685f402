import { describe, expect, it } from 'vitest';
import { DecodeLoop } from '../../src/decoder/loop.js';
import { resolveSampling } from '../../src/decoder/sampling.js';
import { compileGrammar, Matcher } from '../../src/fsm/index.js';
import { constraintGrammar, json } from '../../src/grammar/constraint/index.js';
import { SteeredModel } from '../../src/reliability/steered-model.js';
import { FakeModel, testVocabulary } from '../decoder/fakes.js';

const vocabulary = testVocabulary(['ab', 'abc', '12', '"}']);
const { sampling } = resolveSampling({}, () => 1);
const fake = () => new FakeModel({ vocabSize: vocabulary.size, contextLength: 512 });
const tags = compileGrammar(
  constraintGrammar(json({ type: 'array', items: { type: 'string', maxLength: 6 }, maxItems: 4 })).grammar,
);

describe('a steered model', () => {
  it('writes exactly the script, one token a pass, and as fast as drafts allow', async () => {
    const text = 'abc12abc12abc12abc12';
    const tokens = vocabulary.encode(text);
    for (const draftTokens of [0, 8]) {
      const inner = fake();
      const model = new SteeredModel(inner);
      model.steer({ kind: 'script', tokens, end: vocabulary.eos[0]! });
      const result = await new DecodeLoop(model, vocabulary).run({
        prompt: vocabulary.encode('xx'),
        matchers: [undefined],
        maxTokens: 64,
        sampling,
        draftTokens,
      });
      expect(result.outputs[0]).toMatchObject({ text, finishReason: 'stop', tokens });
      // One pass for each token and one for the end; the real model ran them all.
      if (draftTokens === 0) expect(inner.steps).toBe(tokens.length + 1);
      else expect(inner.steps).toBeLessThan(tokens.length);
      expect(inner.openSequences).toBe(0);
    }
  });
  it('is the model itself where it is not steered', async () => {
    const run = async (model: FakeModel | SteeredModel) =>
      (
        await new DecodeLoop(model, vocabulary).run({
          prompt: vocabulary.encode('xx'),
          matchers: [new Matcher(tags, vocabulary, { maxTokens: 40 })],
          maxTokens: 40,
          sampling,
        })
      ).outputs[0]?.text;
    expect(await run(new SteeredModel(fake()))).toBe(await run(fake()));
  });
  it('noise depends on seed and place alone: forcing, drafts and neighbours change nothing, and no pass is run', async () => {
    const inner = fake();
    const model = new SteeredModel(inner);
    const loop = new DecodeLoop(model, vocabulary);
    const run = async (seed: number, part: object) => {
      model.steer({ kind: 'noise', seed });
      const result = await loop.run({
        prompt: vocabulary.encode('some prompt'),
        matchers: [new Matcher(tags, vocabulary, { maxTokens: 60 })],
        maxTokens: 60,
        sampling,
        ...part,
      });
      return result.outputs[0]!.text;
    };
    const texts = new Set<string>();
    for (let seed = 0; seed < 12; seed++) {
      const text = await run(seed, {});
      expect(() => JSON.parse(text) as unknown).not.toThrow();
      expect(await run(seed, { draftTokens: 0, optimistic: false })).toBe(text);
      texts.add(text);
    }
    expect(texts.size).toBeGreaterThan(6);
    expect(inner.steps).toBe(0);
    model.steer(undefined);
  });
});
