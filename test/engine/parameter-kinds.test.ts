/** The kinds of values that parameters take, as schemas say them. */
import { expect, it } from 'vitest';
import { parameterKinds } from '../../src/engine/parameter-kinds.js';

const string = { type: 'string' };
it.each([
  ['a type', { a: string, b: { type: 'integer' }, c: {} }, { a: ['string'], b: ['number'] }],
  ['types', { a: { type: ['null', 'string'] } }, { a: ['string', 'null'] }],
  ['constants', { a: { const: null }, b: { enum: [1, 'x', [2]] } }, { a: ['null'], b: ['string', 'number', 'array'] }],
  ['unions', { a: { anyOf: [string, { type: 'null' }] }, b: { oneOf: [string, {}] } }, { a: ['string', 'null'] }],
  ['all of some', { a: { allOf: [{}, { type: ['string', 'null'] }, { minLength: 1 }] } }, { a: ['string', 'null'] }],
  ['all that is said', { a: { type: ['string', 'null'], enum: ['x', 1] } }, { a: ['string'] }],
  [
    'references',
    { a: { $ref: '#/$defs/s%2Fx' }, b: { $ref: '#/none' }, c: { $ref: 'https://x.y' } },
    { a: ['string'] },
  ],
  ['itself', { a: { $ref: '#/$defs/self' } }, {}],
  ['types that are none', { a: { type: 'text' }, b: { anyOf: [] }, c: false }, {}],
])('%s', (_, properties, kinds) => {
  const $defs = { 's/x': string, self: { anyOf: [string, { $ref: '#/$defs/self' }] } };
  expect(parameterKinds({ type: 'object', properties, $defs })).toEqual(kinds);
});

it('names may be any', () => {
  const schema = JSON.parse(
    '{"$ref":"#/$defs/x","$defs":{"x":{"properties":{"__proto__":{"type":"string"}}}}}',
  ) as object;
  expect(JSON.stringify(parameterKinds(schema))).toBe('{"__proto__":["string"]}');
});

it('takes no longer for what refers to itself many times, or is deep', () => {
  const self = { $ref: '#/properties/a' };
  const all = new Array(16).fill(self);
  expect(parameterKinds({ properties: { a: { allOf: all, anyOf: all } } })).toEqual({});
  let deep: object = string;
  for (let i = 0; i < 1e5; i++) deep = { anyOf: [deep] };
  expect(parameterKinds({ properties: { a: deep } })).toEqual({});
  expect([undefined, true, 'x', { properties: 1 }].map(parameterKinds)).toEqual([{}, {}, {}, {}]);
});
