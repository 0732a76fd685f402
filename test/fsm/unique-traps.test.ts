/**
 * Arrays with unique items whose values are few: an item must not begin as what could only end as a duplicate, and its mask says so. All
 * values are needed, so any wrong turn is a dead end.
 */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.js';
import { compile, json, Matcher, Vocabulary } from '../../src/core.js';

const tokens: (Uint8Array | null)[] = [...Array(256).keys()].map((b) => Uint8Array.of(b));
const WORDS = ['"a":1', '{"a":', '"}', '},', '},{"', '":', '1,', '[1,', ']],', '.0', '  ', '\n', ':"x'];
tokens.push(...WORDS.map((w) => new TextEncoder().encode(w)), null);
const EOS = tokens.length - 1;
const vocabulary = Vocabulary.fromTokens(tokens, { eos: [EOS] });

const few = { enum: [1, 2] };
const closed = (...names: string[]) => ({
  type: 'object',
  properties: Object.fromEntries(names.map((n) => [n, few])),
  required: names,
  additionalProperties: false,
});
const CASES: readonly (readonly [string, number, object])[] = [
  ['objects of two members', 4, closed('a', 'b')],
  ['objects of three members', 8, closed('a', 'b', 'c')],
  ['optional members', 9, { ...closed('a', 'b'), required: [] }],
  [
    'a string that takes an escape',
    6,
    {
      ...closed('a'),
      properties: { a: few, b: { type: 'string', pattern: '^[xy"]$' } },
      required: ['a', 'b'],
    },
  ],
  ['pairs', 4, { type: 'array', prefixItems: [few, few], items: false, minItems: 2 }],
  ['short arrays', 7, { type: 'array', items: few, maxItems: 2 }],
  ['one of several shapes', 6, { anyOf: [closed('a'), closed('b'), { type: 'boolean' }] }],
];

describe.each(['compact', 'bounded'] as const)('unique items, whitespace %s', (whitespace) => {
  it.each(CASES)('%s', (_, count, items) => {
    const grammar = compile(json({ type: 'array', uniqueItems: true, minItems: count, items }, { whitespace }));
    const mask = new Uint32Array(Math.ceil(tokens.length / 32));
    for (let seed = 1; seed <= 4; seed++) {
      const random = createRandom(seed);
      const matcher = new Matcher(grammar, vocabulary, { maxTokens: 600 });
      const bytes: number[] = [];
      while (!matcher.isFinished) {
        matcher.fillMask(mask);
        const allowed = tokens.map((_t, t) => t).filter((t) => (((mask[t >> 5] ?? 0) >>> (t & 31)) & 1) === 1);
        const text = Buffer.from(bytes).toString();
        expect([seed, text, allowed.length > 0]).toEqual([seed, text, true]);
        const token = allowed[random.below(allowed.length)] ?? EOS;
        expect([seed, text, token, matcher.accept(token)]).toEqual([seed, text, token, true]);
        bytes.push(...(tokens[token] ?? []));
      }
      const value = JSON.parse(Buffer.from(bytes).toString()) as unknown[];
      const keys = (v: unknown) =>
        Array.isArray(v) || typeof v !== 'object' ? JSON.stringify(v) : JSON.stringify(v, ['a', 'b', 'c']);
      expect(new Set(value.map(keys)).size).toBe(value.length);
      expect(value.length).toBeGreaterThanOrEqual(count);
    }
  });
});

it('spellings of a zero are one way to end as a duplicate', { timeout: 2000 }, () => {
  const items = { ...closed('k', 'v'), properties: { k: { enum: ['x', 'y'] }, v: { type: 'integer' } } };
  const schema = {
    type: 'array',
    uniqueItems: true,
    items: { ...closed('a'), properties: { a: { type: 'array', uniqueItems: true, items } } },
  };
  const matcher = new Matcher(compile(json(schema)), vocabulary);
  for (const byte of Buffer.from('[{"a":[{"k":"y","v":0},{"k":"')) expect(matcher.accept(byte)).toBe(true);
  const mask = new Uint32Array(Math.ceil(tokens.length / 32));
  matcher.fillMask(mask);
  expect([0x78, 0x79].map((b) => (mask[b >> 5]! >>> (b & 31)) & 1)).toEqual([1, 1]);
});
