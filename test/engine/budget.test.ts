import { describe, expect, it } from 'vitest';
import { compile, json, Vocabulary } from '../../src/core.js';
import { DecodeLoop } from '../../src/decoder/loop.js';
import type { DecodeRequest } from '../../src/decoder/request.js';
import { BudgetMatcher } from '../../src/engine/budget.js';
import { FakeModel, testVocabulary } from '../decoder/fakes.js';
import { sampling } from '../decoder/requests.js';

const tokens: (Uint8Array | null)[] = [...Array(256).keys()].map((b) => Uint8Array.of(b));
tokens.push(null);
const vocabulary = Vocabulary.fromTokens(tokens, { eos: [256] });
const grammar = compile(json({ type: 'string' }, { whitespace: 'compact' }));
const bytes = (text: string): number[] => [...new TextEncoder().encode(text)];

it('a value that ends by itself is not bound by its budget', () => {
  const m = BudgetMatcher.create(grammar, vocabulary, 10);
  const mask = new Uint32Array(9);
  for (const t of [...bytes('"abc"'), 256]) {
    m.fillMask(mask);
    expect(m.accept(t)).toBe(true);
  }
  expect([m.isFinished, m.budgetBound]).toEqual([true, false]);
});

it('one that had to be closed is, once a choice was refused: not by its mask, and not by what was tried on a fork', () => {
  const m = BudgetMatcher.create(grammar, vocabulary, 5);
  const mask = new Uint32Array(9);
  const roomy = BudgetMatcher.create(grammar, vocabulary, 20);
  roomy.fillMask(mask);
  expect(roomy.unbudgeted(mask)).toBeUndefined();
  for (const t of bytes('"abc')) expect(m.accept(t)).toBe(true);
  m.fillMask(mask);
  const free = m.unbudgeted(mask)!;
  expect([mask, free].map((words) => (words[0x64 >>> 5]! >>> (0x64 & 31)) & 1)).toEqual([0, 1]);
  expect(m.fork().accept(0x64)).toBe(false);
  expect(m.budgetBound).toBe(false);
  expect(m.accept(0x64)).toBe(false);
  expect(m.budgetBound).toBe(true);
  expect(m.accept(0x22)).toBe(true);
  expect(m.accept(256)).toBe(true);
});

it('a refusal that the grammar makes anyway binds nothing; rollback keeps both in step', () => {
  const m = BudgetMatcher.create(grammar, vocabulary, 6);
  expect(m.accept(0x41)).toBe(false);
  for (const t of bytes('"ab')) m.accept(t);
  m.rollback(2);
  for (const t of bytes('x"')) expect(m.accept(t)).toBe(true);
  expect(m.budgetBound).toBe(false);
});

describe('how an output ended does not depend on the way to its tokens', () => {
  const words = testVocabulary(['hello', ' hello', 'lo', '12', '"']);
  /** A model that wants one text and then the end; where it may not, the end. */
  const follow = (want: string) => (tokens: readonly number[], out: Float32Array) => {
    const text = Buffer.from(words.decode(tokens)).toString('latin1');
    const said = text.slice(text.lastIndexOf('|') + 1);
    out.fill(-9);
    out[words.eos[0]!] = 1;
    if (want.startsWith(said) && said.length < want.length) out[words.encode(want.slice(said.length))[0]!] = 9;
  };
  const run = async (want: string, maxTokens: number, part: Partial<DecodeRequest>, samples: boolean, few: number) => {
    const schema = { type: want.startsWith('"') ? 'string' : 'integer' };
    const matcher = BudgetMatcher.create(compile(json(schema, { whitespace: 'compact' })), words, maxTokens);
    const model = new FakeModel({ vocabSize: words.size, logits: follow(want), samples, restrictUpTo: few });
    const prompt = words.encode(`${want} and more|`);
    const request = { prompt, matchers: [matcher], maxTokens, sampling: sampling(), ...part };
    const [output] = (await new DecodeLoop(model, words).run(request)).outputs;
    return [output!.text, output!.finishReason];
  };
  it.each(['"hello hello hello"', '121212'])('%s', async (want) => {
    const needed = words.encode(want).length;
    for (let maxTokens = 2; maxTokens < needed + 4; maxTokens++) {
      const usual = await run(want, maxTokens, {}, false, 0);
      expect(usual[1]).toBe(maxTokens < needed ? 'budget' : 'stop');
      if (maxTokens >= needed) expect(usual[0]).toBe(want);
      for (const samples of [false, true])
        for (const few of samples ? [0] : [0, 6])
          for (const part of [{}, { draftTokens: 0 }, { optimistic: false }, { forcing: false }, { logprobs: 1 }])
            expect(await run(want, maxTokens, part, samples, few)).toEqual(usual);
    }
  });
});
