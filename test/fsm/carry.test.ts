/** A matcher that moves to fresh tables again and again must not be told from one that stays. */
import { describe, expect, test } from 'vitest';
import { compile, gbnf, json, Matcher, Vocabulary } from '../../src/core.js';

const tokens: (Uint8Array | null)[] = Array.from({ length: 256 }, (_, b) => Uint8Array.of(b));
for (const text of [
  '","',
  '":',
  '":"',
  '"}',
  '{"',
  '},{"',
  'ab',
  'key',
  '12',
  '1,',
  'é',
  '],[',
  ' "',
  '\\u00',
  'name":',
  'id"',
])
  tokens.push(new TextEncoder().encode(text));
tokens.push(null);
const eos = tokens.length - 1;
const vocabulary = (): Vocabulary => Vocabulary.fromTokens(tokens, { eos: [eos] });

const str = { type: 'string' } as const;
const count = 90;
const range = Array.from({ length: count }, (_, i) => i);
const cases: readonly { name: string; schema: object; value: unknown }[] = [
  {
    name: 'many keys',
    schema: { type: 'object', properties: { name: str, id: { type: 'integer' } }, additionalProperties: str },
    value: Object.fromEntries([...range.map((i) => [`key é${i}`, `v${i}`]), ['id', 3], ['name', 'x']]),
  },
  {
    name: 'unique scalars',
    schema: { type: 'array', uniqueItems: true, items: { type: ['string', 'integer'] } },
    value: range.map((i) => (i % 2 === 0 ? i : `s${i}`)),
  },
  {
    name: 'unique objects',
    schema: { type: 'array', uniqueItems: true, items: { type: 'object', properties: { a: { type: 'integer' } } } },
    value: range.slice(0, 30).map((i) => ({ a: i, b: [i] })),
  },
  {
    name: 'patterns, nesting and counters',
    schema: {
      type: 'array',
      items: { type: 'array', items: { type: 'string', pattern: '^[a-z]{2,30}[0-9]+(-x)?$' }, maxItems: 50 },
      contains: { type: 'array', minItems: 2 },
      minContains: 2,
    },
    value: range.slice(0, 20).map((i) => [`ab${i}`, `key${i}-x`]),
  },
];

describe('moving to fresh tables', () => {
  test.each(cases)('$name', ({ schema, value }) => {
    const options = { whitespace: 'flexible', propertyOrder: 'any' } as const;
    const stays = new Matcher(compile(json(schema, options)), vocabulary());
    const small = { lexemeBytes: 1, grammarBytes: 1 };
    const moves = new Matcher(compile(json(schema, options)), vocabulary(), { cacheLimits: small });
    const ids = stays.vocabulary.encode(JSON.stringify(value));
    const mask = new Uint32Array(Math.ceil(tokens.length / 32));
    const other = mask.slice();
    const masks: Uint32Array[] = [];
    const forks: Matcher[] = [];
    let tables = 0;
    let before: unknown;
    for (const [i, id] of ids.entries()) {
      stays.fillMask(mask);
      moves.fillMask(other);
      expect(other, `token ${i}`).toEqual(mask);
      masks.push(mask.slice());
      if (i % 97 === 0) forks.push(moves.fork());
      expect(stays.accept(id)).toBe(true);
      expect(moves.accept(id)).toBe(true);
      const now = (moves as unknown as { binding: unknown }).binding;
      if (now !== before) tables++;
      before = now;
    }
    expect(tables).toBeGreaterThan(1);
    expect(moves.isAccepting).toBe(true);
    // Far back, one by one, and forward again.
    for (const steps of [1, 70, 130]) {
      if (steps > moves.accepted) break;
      const at = moves.accepted - steps;
      moves.rollback(steps);
      moves.fillMask(other);
      expect(other, `after rollback to ${at}`).toEqual(masks[at]);
      for (let i = at; i < ids.length; i++) expect(moves.accept(ids[i] ?? -1)).toBe(true);
    }
    for (const [k, fork] of forks.entries()) {
      fork.fillMask(other);
      expect(other, `fork ${k}`).toEqual(masks[k * 97]);
    }
    moves.reset();
    moves.fillMask(other);
    expect(other).toEqual(masks[0]);
  });

  test('deep stacks', () => {
    const grammar = compile(gbnf('root ::= "(" root ")" | "[" root "]" | [a-z]*'));
    const stays = new Matcher(grammar, vocabulary());
    const moves = new Matcher(grammar, vocabulary(), { cacheLimits: { lexemeBytes: 1, grammarBytes: 1 } });
    const mask = new Uint32Array(Math.ceil(tokens.length / 32));
    const other = mask.slice();
    for (const b of new TextEncoder().encode(`${'([(['.repeat(500)}abc${'])])'.repeat(500)}`)) {
      stays.fillMask(mask);
      moves.fillMask(other);
      expect(other).toEqual(mask);
      expect([stays.accept(b), moves.accept(b)]).toEqual([true, true]);
    }
    expect(moves.isAccepting).toBe(true);
  });
});
