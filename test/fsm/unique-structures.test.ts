/**
 * Arrays with unique objects and arrays of few values, nested in one another: along random walks each mask bit is what `accept` says, and
 * no walk comes to an end that is none.
 */
import { expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.js';
import { compile, json, Matcher, Vocabulary } from '../../src/core.js';
import { type Draw, oneOf } from '../oracle/random-grammar.js';
import { walk } from './structure-walk.js';

const SCALARS = [{ const: 1 }, { enum: ['x', 'y'] }, { type: 'boolean' }, { enum: [0, 1, null] }, { type: 'null' }];
function anyValue(draw: Draw, depth: number): object {
  const kind = depth === 0 ? 0 : draw.below(4);
  if (kind === 0) return oneOf(draw, SCALARS)!;
  if (kind === 1) return arrayOf(draw, depth);
  if (kind === 2) return { anyOf: [anyValue(draw, depth - 1), anyValue(draw, depth - 1)] };
  const names = ['a', 'b', 'ab'].filter(() => draw.below(3) > 0);
  return {
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, anyValue(draw, depth - 1)])),
    required: names.filter(() => draw.below(3) === 0),
    additionalProperties: draw.below(4) === 0 ? oneOf(draw, SCALARS) : false,
    ...(draw.below(4) === 0 ? { maxProperties: 1 + draw.below(2) } : {}),
  };
}

function arrayOf(draw: Draw, depth: number): object {
  const minItems = draw.below(3);
  return {
    type: 'array',
    uniqueItems: draw.below(4) > 0,
    items: anyValue(draw, depth - 1),
    minItems,
    ...(draw.below(2) === 0 ? { maxItems: minItems + draw.below(3) } : {}),
  };
}

it('masks of unique structures', { timeout: 120_000 }, () => {
  for (let seed = 1; seed <= 200; seed++) {
    const draw = createRandom(seed);
    expect([seed, walk(draw, { ...arrayOf(draw, 3), uniqueItems: true })]).toEqual([seed, undefined]);
  }
});

const optional = (b: object): object => ({
  type: 'array',
  uniqueItems: true,
  items: { type: 'object', properties: { a: { type: 'integer' }, b }, additionalProperties: false },
});
const pairs = {
  type: 'array',
  uniqueItems: true,
  minItems: 2,
  items: { type: 'array', uniqueItems: true, items: { const: 1 }, maxItems: 2 },
};

it.each([
  // A name in progress after which, in the given order, no other may come.
  ['the last name of an object that would be the one before', optional({ const: 1 }), '[{"b":1},{"', 'b'],
  ['the same with a string', optional({ enum: ['x'] }), '[{"b":"x"},{"', 'b'],
  // The item ended before the token, so only the comma tells that another would begin.
  ['a comma after all items that there are', { ...pairs, minItems: 1 }, '[[],[1.00]', ','],
  [
    'the same further down',
    { type: 'array', uniqueItems: true, items: { anyOf: [pairs, { const: 1 }] } },
    '[1,[[],[1.00]',
    ',',
  ],
])('%s', (_, schema, text, refused) => {
  const tokens = [...Array.from({ length: 128 }, (_, b) => Uint8Array.of(b)), null];
  const vocabulary = Vocabulary.fromTokens(tokens, { eos: [128] });
  const matcher = new Matcher(compile(json(schema, { whitespace: 'compact', propertyOrder: 'schema' })), vocabulary);
  for (const byte of Buffer.from(text)) expect(matcher.accept(byte)).toBe(true);
  const mask = new Uint32Array(5);
  matcher.fillMask(mask);
  const allowed = tokens.flatMap((_, id) => (((mask[id >> 5]! >>> (id & 31)) & 1) === 1 ? [id] : []));
  expect(allowed.length).toBeGreaterThan(0);
  expect(allowed).not.toContain(refused.charCodeAt(0));
  for (const id of allowed) {
    expect(matcher.accept(id)).toBe(true);
    matcher.rollback(1);
  }
});
