import { describe, expect, it } from 'vitest';
import { DraftIndex, propose } from '../../src/decoder/draft.js';
import { TextsMatcher, testVocabulary } from './fakes.js';

const vocabulary = testVocabulary();
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const TEXTS = ['{"name":"Anna Bell","age":4}', '{"name":"Bob","age":4}'];

/** What is guessed after `output`, drafts as text. */
function guess(prompt: string, output: string, constrained = true): string {
  const index = new DraftIndex(utf8(prompt));
  index.push(utf8(output));
  const matcher = new TextsMatcher(TEXTS, vocabulary);
  for (const byte of utf8(output)) if (!matcher.accept(byte)) throw new Error(`not in the language: ${output}`);
  const before = new Uint32Array(9);
  matcher.fillMask(before);
  const draft = propose(index, vocabulary, constrained ? matcher : undefined, { guesses: 16, tokens: 64 });
  const after = new Uint32Array(9);
  matcher.fillMask(after);
  expect(after).toEqual(before);
  return String.fromCharCode(...draft.map((d) => d.token));
}

describe('propose', () => {
  it('copies a value from the prompt, closes it and goes on with what the grammar forces', () => {
    expect(guess('Ask Anna Bell, please.', '{"name":"Anna')).toBe(' Bell","age":4}');
  });
  it('guesses nothing where a value or a name begins: its name matches the schema, which knows no value', () => {
    const schema = '"name":"Anna Bell" and {"name":{"type":"string"}}';
    expect(guess(schema, '{"name":"')).toBe('');
    expect(guess(schema, '{')).toBe('');
    expect(guess(schema, '{"name":"A', true)).not.toBe('');
    // Free text has no such places.
    expect(guess(schema, '{"name":"', false)).not.toBe('');
  });
  it('guesses nothing that the matcher refuses', () => {
    expect(guess('Anne Marie, Anna Maria', '{"name":"Ann')).not.toMatch(/Mari/);
  });
});
