/** The kinds of values that parameters take, as schemas say them. */
import { expect, it } from 'vitest';
import { ARGUMENT_KINDS } from '../../src/base/call-form.js';
import { Matcher, Vocabulary } from '../../src/core.js';
import { callText, readCalls } from '../../src/engine/call-format.js';
import { freeCallsTarget } from '../../src/engine/free-calls.js';
import { parameterKinds } from '../../src/engine/parameter-kinds.js';
import { readTools } from '../../src/engine/tools.js';
import { compileGrammar } from '../../src/fsm/index.js';
import { constraintGrammar } from '../../src/grammar/constraint/index.js';
import { ELEMENTS, FORMS } from './sample-forms.js';

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

it('others, as additional properties say', () => {
  const additionalProperties = { type: ['string', 'null'] };
  expect(parameterKinds({ additionalProperties })).toEqual({ '\n': ['string', 'null'] });
  expect(parameterKinds({ properties: { a: {}, b: string }, additionalProperties })).toEqual({
    a: [...ARGUMENT_KINDS],
    b: ['string'],
    '\n': ['string', 'null'],
  });
  for (const schema of [{ additionalProperties: {} }, { additionalProperties: true }, { additionalProperties: false }])
    expect(parameterKinds(schema)).toEqual({});
  expect(parameterKinds({ additionalProperties, patternProperties: { x: {} } })).toEqual({});
});

const bytes = Array.from({ length: 256 }, (_, b) => Uint8Array.of(b));
const vocabulary = Vocabulary.fromTokens([...bytes, null], { eos: [256] });
it.each(ELEMENTS)('additional texts may look like other values where they are texts: %s', (name) => {
  const form = FORMS[name]!;
  const written = (additionalProperties: unknown, value: string): unknown => {
    const parameters = { type: 'object', additionalProperties };
    const { constraint } = freeCallsTarget(readTools([{ name: 'f', parameters }]), true, true, form);
    const text = callText(form, [{ name: 'f', arguments: JSON.stringify({ a: value }) }]);
    const matcher = new Matcher(compileGrammar(constraintGrammar(constraint!).grammar), vocabulary);
    if (!matcher.acceptBytes(new TextEncoder().encode(text))) return undefined;
    return readCalls(form, [{ name: 'f', kinds: parameterKinds(parameters) }], text)!.calls[0]!.json;
  };
  for (const text of ['12', 'true', 'null', '{}', '[x', 'plain'])
    expect(written(string, text), text).toBe(JSON.stringify({ a: text }));
  // A number where the form does not tell texts from numbers.
  expect(['{"a":12}', '{"a":"12"}']).toContain(written({ type: ['string', 'integer'] }, '12'));
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
