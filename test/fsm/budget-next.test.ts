/**
 * maxTokens and what must not come again: a token that ends a key or an item and asks for the next one may leave only a longer one.
 *
 * Known gap: masks ask about states that have forgotten the text in progress (budget.ts, `plain`), and what the policy needs is counted as if
 * no further member had to come (remembered.ts). Then a token that ends with a comma is in the mask though `accept` refuses it, which
 * knows the text. Values still end within the budget.
 */
import { expect, it } from 'vitest';
import { compile, json, Matcher, Vocabulary } from '../../src/core.js';

const LONG = 'b'.repeat(30);
const TOKENS = [
  ...Array.from({ length: 256 }, (_, b) => Uint8Array.of(b)),
  ...['",', '":1,', '],', '],[', '","', '":1,"a":1,'].map((text) => Buffer.from(text)),
  null,
];

it.fails.each([
  ['keys', { type: 'object', propertyNames: { enum: ['a', LONG] }, additionalProperties: { const: 1 } }, '{"a'],
  ['strings', { type: 'array', uniqueItems: true, items: { enum: ['a', LONG] } }, '["a'],
  [
    'arrays',
    { type: 'array', uniqueItems: true, items: { type: 'array', items: { enum: [LONG] }, maxItems: 1 } },
    '[[',
  ],
])('unique %s: mask bit <=> accept within a budget', (_, schema, text) => {
  const vocabulary = Vocabulary.fromTokens(TOKENS, { eos: [TOKENS.length - 1] });
  const compiled = compile(json(schema, { whitespace: 'compact' }));
  const mask = new Uint32Array(Math.ceil(TOKENS.length / 32));
  const wrong: string[] = [];
  for (let maxTokens = 8; maxTokens < 40; maxTokens++) {
    const matcher = new Matcher(compiled, vocabulary, { maxTokens });
    for (const byte of Buffer.from(text)) matcher.accept(byte);
    matcher.fillMask(mask);
    for (let id = 0; id < TOKENS.length - 1; id++) {
      const accepted = matcher.accept(id);
      if (accepted) matcher.rollback(1);
      if (accepted !== (((mask[id >> 5]! >>> (id & 31)) & 1) === 1)) wrong.push(`${maxTokens}: token ${id}`);
    }
  }
  expect(wrong).toEqual([]);
});

/**
 * Known gap: where bytes are missing, spelling.ts counts from states that have forgotten the items in progress, which holds for the policy
 * and not for what its search writes: the token that would end the array makes a duplicate, and the mask is empty.
 */
it.fails('unique arrays end within a budget over a vocabulary without every byte', () => {
  const tokens = [...TOKENS.slice(0, 128), Buffer.from('],[0]]'), null];
  const vocabulary = Vocabulary.fromTokens(tokens, { eos: [tokens.length - 1] });
  const items = { type: 'array', items: { enum: [0, 1] }, maxItems: 1 };
  const schema = { type: 'array', uniqueItems: true, minItems: 2, items };
  const matcher = new Matcher(compile(json(schema, { whitespace: 'compact' })), vocabulary, { maxTokens: 5 });
  for (const byte of Buffer.from('[[0')) expect(matcher.accept(byte)).toBe(true);
  const mask = new Uint32Array(Math.ceil(tokens.length / 32));
  matcher.fillMask(mask);
  expect(mask.some((word) => word !== 0)).toBe(true);
});
