/** maxTokens and what must not come again: a token that ends a key or an item and asks for the next one may leave only a longer one. */
import { expect, it } from 'vitest';
import { compile, json, Matcher, UnsatisfiableError, Vocabulary } from '../../src/core.js';

const LONG = 'b'.repeat(30);
const tokensWith = (...words: string[]): (Uint8Array | null)[] => [
  ...Array.from({ length: 256 }, (_, b) => Uint8Array.of(b)),
  ...words.map((text) => Buffer.from(text)),
  null,
];
const TOKENS = tokensWith('",', '":1,', '],', '],[', '","', '":1,"a":1,');
const bit = (mask: Uint32Array, id: number): boolean => ((mask[id >> 5]! >>> (id & 31)) & 1) === 1;

/** Tokens after a text of which the mask and `accept` say different things, at any budget. */
function differences(schema: object, text: string, tokens = TOKENS): readonly string[] {
  const vocabulary = Vocabulary.fromTokens(tokens, { eos: [tokens.length - 1] });
  const mask = new Uint32Array(Math.ceil(tokens.length / 32));
  const wrong: string[] = [];
  for (let maxTokens = 8; maxTokens < 40; maxTokens++) {
    // Compiled anew: what one budget finds out would help the next.
    const compiled = compile(json(schema, { whitespace: 'compact' }));
    let matcher: Matcher;
    try {
      matcher = new Matcher(compiled, vocabulary, { maxTokens });
    } catch (error) {
      if (error instanceof UnsatisfiableError) continue;
      throw error;
    }
    for (const byte of Buffer.from(text)) matcher.accept(byte);
    matcher.fillMask(mask);
    for (let id = 0; id < tokens.length - 1; id++) {
      const accepted = matcher.accept(id);
      if (accepted) matcher.rollback(1);
      if (accepted !== bit(mask, id)) wrong.push(`${maxTokens}: token ${id}`);
    }
  }
  return wrong;
}

const few = { type: 'array', items: { enum: [LONG] }, maxItems: 1 };

it.each([
  ['keys', { type: 'object', propertyNames: { enum: ['a', LONG] }, additionalProperties: { const: 1 } }, '{"a'],
  ['keys that the token begins', { type: 'object', propertyNames: { enum: ['a', LONG] } }, '{"'],
  ['strings', { type: 'array', uniqueItems: true, items: { enum: ['a', LONG] } }, '["a'],
  ['arrays', { type: 'array', uniqueItems: true, items: few }, '[['],
])('unique %s: mask bit <=> accept within a budget', (_, schema, text) => {
  expect(differences(schema, text)).toEqual([]);
});

it('an item that must become another one does so within a budget, whatever is unique inside it', () => {
  const items = { type: 'array', items: { enum: [0, 1, 123456789] }, minItems: 1, uniqueItems: true };
  const schema = { type: 'array', uniqueItems: true, minItems: 1, maxItems: 3, items };
  const vocabulary = Vocabulary.fromTokens(TOKENS, { eos: [TOKENS.length - 1] });
  const matcher = new Matcher(compile(json(schema, { whitespace: 'compact' })), vocabulary, { maxTokens: 20 });
  for (const byte of Buffer.from('[[1,0],[1')) expect(matcher.accept(byte)).toBe(true);
  // [1,0] is there, and what may come after it takes more than is left.
  expect(matcher.accept(0x2c)).toBe(false);
  expect(matcher.accept(0x5d)).toBe(true);
});

const ints = { type: 'array', uniqueItems: true, minItems: 1, items: { type: 'integer', minimum: 0, maximum: 120 } };
const numbers = { type: 'array', uniqueItems: true, minItems: 3, items: { type: 'integer', minimum: 0, maximum: 120 } };
it.each([
  // What is needed after a token is found without the text of the item, which could still become one that is there.
  ['numbers', { type: 'array', uniqueItems: true, items: ints }, '[[30],[3],['],
  // The same of scalars that are needed later.
  ['scalars', { type: 'array', uniqueItems: true, minItems: 2, maxItems: 2, items: numbers }, '[[1'],
  // Items of an item whose text is forgotten must still differ from one another.
  ['nested', { type: 'array', uniqueItems: true, items: { ...ints, minItems: 2, items: few } }, '['],
])('unique items that could become one that is there, %s', (_, schema, text) => {
  expect(differences(schema, text, tokensWith('],', '],[', '1],['))).toEqual([]);
});

it('unique arrays end within a budget over a vocabulary without every byte', () => {
  // Of two items, the last token writes the second: so the first must be another one.
  const tokens = [...TOKENS.slice(0, 128), Buffer.from('],[0]]'), null];
  const vocabulary = Vocabulary.fromTokens(tokens, { eos: [tokens.length - 1] });
  const items = { type: 'array', items: { enum: [0, 1] }, maxItems: 1 };
  const schema = { type: 'array', uniqueItems: true, minItems: 2, items };
  const matcher = new Matcher(compile(json(schema, { whitespace: 'compact' })), vocabulary, { maxTokens: 5 });
  for (const byte of Buffer.from('[[')) expect(matcher.accept(byte)).toBe(true);
  const mask = new Uint32Array(Math.ceil(tokens.length / 32));
  matcher.fillMask(mask);
  expect([bit(mask, 0x30), bit(mask, 0x31)]).toEqual([false, true]);
  expect([matcher.accept(0x30), matcher.accept(0x31)]).toEqual([false, true]);
  for (const token of [128, 129]) {
    matcher.fillMask(mask);
    expect(bit(mask, token)).toBe(true);
    expect(matcher.accept(token)).toBe(true);
  }
});
