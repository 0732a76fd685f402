/**
 * Hostile schemas: each must end within its limit in a typed error or in a correct grammar (the instances beside it are then
 * checked). Given as text where an object could not be built or would lose something.
 */
export interface HostileCase {
  readonly name: string;
  readonly schema: () => unknown;
  readonly good?: readonly string[];
  readonly bad?: readonly string[];
  /** The schema has no instance or must be refused. */
  readonly refuse?: boolean;
}

const nested = (n: number, open: string, close: string, inner: string): string =>
  open.repeat(n) + inner + close.repeat(n);

export const HOSTILE: readonly HostileCase[] = [
  { name: '100,000 nested not', schema: () => nested(100_000, '{"not":', '}', '{}'), refuse: true },
  { name: '100,000 nested items', schema: () => nested(100_000, '{"items":', '}', '{}'), refuse: true },
  { name: '100,000 nested arrays in const', schema: () => `{"const":${nested(100_000, '[', ']', '')}}` },
  { name: '$ref to itself', schema: () => ({ $ref: '#' }), refuse: true },
  {
    name: 'cyclic $ref without progress',
    schema: () => ({
      $ref: '#/$defs/a',
      $defs: { a: { allOf: [{ $ref: '#/$defs/b' }] }, b: { anyOf: [{ $ref: '#/$defs/a' }] } },
    }),
  },
  {
    name: 'a schema that is its own negation',
    schema: () => ({ $ref: '#/$defs/a', $defs: { a: { not: { $ref: '#/$defs/a' } } } }),
    refuse: true,
  },
  {
    name: 'endless required recursion',
    schema: () => ({
      $ref: '#/$defs/a',
      $defs: { a: { type: 'object', required: ['a'], properties: { a: { $ref: '#/$defs/a' } } } },
    }),
    refuse: true,
  },
  {
    name: 'product of 20 allOf of anyOf',
    schema: () => ({
      allOf: Array.from({ length: 20 }, (_, i) => ({
        anyOf: [{ properties: { [`a${i}`]: { type: 'string' } } }, { properties: { [`b${i}`]: { type: 'number' } } }],
      })),
    }),
  },
  {
    name: 'oneOf of 24 overlapping objects',
    schema: () => ({ oneOf: Array.from({ length: 24 }, (_, i) => ({ type: 'object', required: [`k${i}`] })) }),
  },
  {
    name: 'not of anyOf of allOf, nested 12 deep',
    schema: () => {
      let s: unknown = { minLength: 1 };
      for (let i = 0; i < 12; i++)
        s = { not: { anyOf: [{ allOf: [s, { maxLength: i + 3 }] }, { type: 'object', required: [`p${i}`] }] } };
      return s;
    },
  },
  { name: '(a+)+$', schema: () => ({ type: 'string', pattern: '^(a+)+$' }), good: ['"aaaa"'], bad: ['"aaab"', '""'] },
  { name: '(.*a){25}', schema: () => ({ type: 'string', pattern: '^(.*a){25}$' }) },
  { name: '[ab]*a[ab]{400}', schema: () => ({ type: 'string', pattern: '^[ab]*a[ab]{400}$' }) },
  { name: 'a{1000}{1000}', schema: () => ({ type: 'string', pattern: '^((a{1000}){1000}){1000}$' }) },
  { name: 'nested groups 50,000 deep', schema: () => ({ pattern: `${'('.repeat(50_000)}a${')'.repeat(50_000)}` }) },
  {
    name: 'huge length bounds',
    schema: () => ({ type: 'string', minLength: 0, maxLength: 9_007_199_254_740_991 }),
    good: ['"a"'],
    bad: ['1'],
  },
  { name: 'huge minLength', schema: () => ({ type: 'string', minLength: 1_000_000_000 }), bad: ['"a"'] },
  { name: 'huge minItems', schema: () => ({ type: 'array', minItems: 1_000_000_000 }), bad: ['[]'] },
  {
    name: 'huge item bounds',
    schema: () => ({ type: 'array', maxItems: 1e15, items: { type: 'null' } }),
    good: ['[null]'],
  },
  { name: 'minimum 1e300', schema: () => ({ type: 'number', minimum: 1e300 }), good: ['1e301'], bad: ['1'] },
  { name: 'multipleOf 1e-300', schema: () => ({ type: 'number', multipleOf: 1e-300 }) },
  { name: 'multipleOf 982451653', schema: () => ({ type: 'integer', multipleOf: 982_451_653 }) },
  {
    name: 'prototype names',
    schema: () =>
      '{"type":"object","properties":{"__proto__":{"type":"string"},"constructor":{"type":"number"},"toString":{"type":"null"}},"required":["__proto__","constructor"],"additionalProperties":false}',
    good: ['{"__proto__":"a","constructor":1}', '{"__proto__":"a","constructor":1,"toString":null}'],
    bad: ['{}', '{"__proto__":1,"constructor":1}', '{"constructor":1}'],
  },
  {
    name: 'required constructor alone',
    schema: () => ({ type: 'object', required: ['constructor'] }),
    good: ['{"constructor":1}'],
    bad: ['{}'],
  },
  { name: 'duplicate keys in the schema', schema: () => '{"type":"string","type":"number"}', refuse: true },
  {
    name: 'duplicate keys in the instance',
    schema: () => ({ type: 'object' }),
    good: ['{"a":1}'],
    bad: ['{"a":1,"a":1}', '{"a":1,"\\u0061":2}'],
  },
  {
    name: 'lone surrogates',
    schema: () => ({ type: 'object', properties: { '\ud800': { const: '\udc00' } }, required: ['\ud800'] }),
    good: ['{"\\ud800":"\\udc00"}', '{"\\uD800":"\\uDC00"}'],
    bad: ['{}', '{"\\ud800":"\\udc01"}'],
  },
  { name: 'NUL', schema: () => ({ enum: ['a\u0000b'] }), good: ['"a\\u0000b"'], bad: ['"ab"', '"a\u0000b"'] },
  { name: 'unknown $ref', schema: () => ({ $ref: 'http://example.com/nowhere.json' }), refuse: true },
  {
    name: 'pointer into a keyword value',
    schema: () => ({ $ref: '#/properties/a/enum/0', properties: { a: { enum: [{ type: 'string' }] } } }),
  },
  {
    name: 'wrong types of keywords',
    schema: () => ({ type: 7, required: 'a', properties: [], minLength: -1 }),
    refuse: true,
  },
  { name: 'not a schema', schema: () => 7, refuse: true },
  { name: 'broken text', schema: () => '{"type":', refuse: true },
  {
    name: '20,000 properties',
    schema: () => ({
      type: 'object',
      properties: Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`p${i}`, { type: 'integer' }])),
      additionalProperties: false,
    }),
    good: ['{"p3":1,"p19999":2}'],
    bad: ['{"q":1}'],
  },
  {
    name: 'enum of 50,000 values',
    schema: () => ({ enum: Array.from({ length: 50_000 }, (_, i) => `v${i}`) }),
    good: ['"v49999"'],
    bad: ['"v50000"'],
  },
  {
    name: 'uniqueItems over 40 enum values, all required',
    schema: () => ({
      type: 'array',
      uniqueItems: true,
      minItems: 40,
      items: { enum: Array.from({ length: 40 }, (_, i) => i) },
    }),
    good: [`[${Array.from({ length: 40 }, (_, i) => i).join()}]`],
    bad: [`[${Array.from({ length: 39 }, (_, i) => i).join()},0]`],
  },
  {
    name: 'uniqueItems without enough values',
    schema: () => ({ type: 'array', uniqueItems: true, minItems: 3, items: { type: 'boolean' } }),
    refuse: true,
  },
  {
    name: 'contains with bounds beyond maxItems',
    schema: () => ({ type: 'array', contains: { const: 1 }, minContains: 5, maxItems: 4 }),
    refuse: true,
  },
  {
    name: 'not of formats that are read too narrowly',
    schema: () => ({ type: 'string', not: { anyOf: [{ format: 'regex' }, { format: 'hostname' }] } }),
    good: ['"*a "', '"a b)"'],
    bad: ['"((((a))))"', '"xn--a"', '"a"'],
  },
  {
    name: 'oneOf with a format that is read too narrowly',
    schema: () => ({ oneOf: [{ format: 'regex' }, { type: 'string' }] }),
    good: ['"*"', '1'],
    bad: ['"((((a))))"', '"a"'],
  },
];
