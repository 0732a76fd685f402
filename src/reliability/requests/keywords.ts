/**
 * Schemas of all keyword families of docs/json-schema.md, made from a seed: each family writes one schema that leans on its keywords, mostly as a
 * part of a plain record, so that the model has something to say. Every schema has values.
 */
import { createRandom, type Random } from '../../base/random.js';
import { seedOf } from '../seed.js';
import type { BenchRequest } from '../types.js';
import { between, fields, noun, person, pick, value, values } from './words.js';

type Schema = Record<string, unknown>;
type Family = (random: Random) => Schema;

const FORMATS = [
  'date',
  'time',
  'date-time',
  'duration',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uri',
  'uri-reference',
  'iri',
  'uuid',
  'json-pointer',
  'relative-json-pointer',
  'uri-template',
  'regex',
];
const PATTERNS = [
  '^[A-Z]{2}-[0-9]{3,5}$',
  '^(?:north|south)(?:-(?:east|west))?$',
  '^[a-z]+(?: [a-z]+){0,3}$',
  '^#[0-9a-f]{6}$',
  '^\\d{1,3}(?:,\\d{3})*$',
  '[aeiou]$',
  '^(?!admin)[a-z]{3,12}$',
  '^\\p{Lu}\\p{Ll}*$',
  '^v\\d+\\.\\d+\\.\\d+$',
];

/** A scalar of some kind. */
function scalar(random: Random): Schema {
  return pick<() => Schema>(random, [
    () => ({ type: 'string', maxLength: between(random, 8, 24) }),
    () => ({ type: 'integer', minimum: 0, maximum: 10 ** between(random, 1, 6) }),
    () => ({ type: 'number', minimum: 0, maximum: 1000 }),
    () => ({ type: 'boolean' }),
    () => ({ enum: values(random, between(random, 2, 5)) }),
  ])();
}

/** An object of a few scalars and, under `name`, what the family is about. */
function record(random: Random, name: string, part: Schema, more: Schema = {}): Schema {
  const names = fields(random, between(random, 1, 3)).filter((f) => f !== name);
  const properties: Schema = {};
  for (const f of names) properties[f] = scalar(random);
  properties[name] = part;
  return { type: 'object', properties, required: [...names, name], additionalProperties: false, ...more };
}

/** A closed object of given properties, the first `needed` of them required. */
function closed(properties: Schema, needed = Object.keys(properties).length): Schema {
  return {
    type: 'object',
    properties,
    required: Object.keys(properties).slice(0, needed),
    additionalProperties: false,
  };
}

const FAMILIES: Readonly<Record<string, Family>> = {
  type: (r) =>
    record(r, 'value', {
      type: pick(r, [
        ['string', 'null'],
        ['integer', 'boolean'],
        ['number', 'null'],
      ]),
      maxLength: 20,
    }),
  enum: (r) => record(r, 'state', { enum: [...values(r, between(r, 1, 6)), between(r, 0, 99), null, true] }),
  const: (r) => record(r, 'version', { const: pick<unknown>(r, [3, 'v2', null, [1, 2], { a: 1 }, 'Ünïcode ✓']) }),
  length: (r) => record(r, 'note', { type: 'string', minLength: between(r, 0, 12), maxLength: between(r, 12, 40) }),
  pattern: (r) => record(r, 'code', { type: 'string', pattern: pick(r, PATTERNS), maxLength: 40 }),
  format: (r) => record(r, 'when', { type: 'string', format: pick(r, FORMATS), maxLength: 60 }),
  bounds: (r) =>
    record(
      r,
      'amount',
      pick<Schema>(r, [
        { type: 'integer', minimum: between(r, -50, 0), exclusiveMaximum: between(r, 1, 5000) },
        { type: 'number', exclusiveMinimum: 0, maximum: between(r, 1, 100) / 4 },
        { type: 'number', minimum: -1.5, maximum: 1.5 },
        { type: 'integer', exclusiveMinimum: 9, exclusiveMaximum: 11 },
      ]),
    ),
  multipleOf: (r) =>
    record(
      r,
      'step',
      pick<Schema>(r, [
        { type: 'number', multipleOf: 0.01, minimum: 0, maximum: 500 },
        { type: 'integer', multipleOf: between(r, 2, 60), minimum: 0, maximum: 100_000 },
        { type: 'number', multipleOf: 2.5, minimum: 0, maximum: 1000 },
      ]),
    ),
  draft4: (r) => ({
    $schema: 'http://json-schema.org/draft-04/schema#',
    ...record(r, 'speed', { type: 'number', minimum: 0, exclusiveMinimum: true, maximum: 80, exclusiveMaximum: true }),
  }),
  required: (r) => {
    const names = fields(r, 5);
    return closed(Object.fromEntries(names.map((n) => [n, scalar(r)])), between(r, 0, 5));
  },
  additionalProperties: (r) => ({
    type: 'object',
    properties: { [noun(r)]: scalar(r) },
    additionalProperties: { type: 'integer', minimum: 0, maximum: 99 },
    maxProperties: 5,
  }),
  patternProperties: (r) => ({
    type: 'object',
    patternProperties: { '^x-[a-z]{1,8}$': { type: 'string', maxLength: 12 }, '^n[0-9]{1,3}$': { type: 'integer' } },
    additionalProperties: false,
    minProperties: between(r, 0, 2),
    maxProperties: 4,
  }),
  propertyNames: (r) => ({
    type: 'object',
    propertyNames: pick<Schema>(r, [{ pattern: '^[a-z]{2,6}$' }, { enum: values(r, 4) }, { maxLength: 5 }]),
    additionalProperties: { type: 'boolean' },
    minProperties: 1,
    maxProperties: 4,
  }),
  countedProperties: (r) => ({
    type: 'object',
    properties: Object.fromEntries(fields(r, 6).map((n) => [n, { type: 'boolean' }])),
    additionalProperties: false,
    minProperties: between(r, 1, 3),
    maxProperties: between(r, 3, 5),
  }),
  dependentRequired: (r) => ({
    type: 'object',
    properties: { card: { type: 'string', maxLength: 16 }, address: { type: 'string', maxLength: 20 }, zip: scalar(r) },
    dependentRequired: { card: ['address'], address: ['zip'] },
    additionalProperties: false,
  }),
  dependentSchemas: () => ({
    type: 'object',
    properties: { member: { type: 'boolean' }, level: { type: 'integer' } },
    dependentSchemas: { level: { required: ['member'], properties: { level: { minimum: 1, maximum: 9 } } } },
    additionalProperties: false,
  }),
  dependencies: () => ({
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    properties: {
      from: { type: 'string', format: 'date' },
      to: { type: 'string', format: 'date' },
      days: { type: 'integer' },
    },
    dependencies: { to: ['from'], days: { properties: { days: { minimum: 1, maximum: 31 } }, required: ['from'] } },
    additionalProperties: false,
  }),
  items: (r) =>
    record(r, 'list', { type: 'array', items: scalar(r), minItems: between(r, 0, 2), maxItems: between(r, 2, 6) }),
  prefixItems: (r) =>
    record(r, 'pair', {
      type: 'array',
      prefixItems: [{ type: 'string', maxLength: 10 }, scalar(r)],
      items: pick<unknown>(r, [false, { type: 'integer' }]),
      minItems: between(r, 0, 2),
      maxItems: 4,
    }),
  additionalItems: (r) => ({
    $schema: 'http://json-schema.org/draft-07/schema#',
    ...record(r, 'row', {
      type: 'array',
      items: [{ type: 'integer' }, { type: 'string', maxLength: 8 }],
      additionalItems: { type: 'boolean' },
      maxItems: 5,
    }),
  }),
  uniqueItems: (r) =>
    record(r, 'tags', { type: 'array', items: { enum: values(r, 5) }, uniqueItems: true, minItems: between(r, 1, 4) }),
  contains: (r) =>
    record(r, 'codes', {
      type: 'array',
      items: { type: 'integer', minimum: 0, maximum: 99 },
      contains: { const: 7 },
      minContains: between(r, 1, 2),
      maxContains: 2,
      maxItems: 6,
    }),
  allOf: (r) => ({
    allOf: [
      record(r, 'id', { type: 'integer' }, { additionalProperties: true }),
      { properties: { id: { minimum: 10, maximum: 5000 } }, maxProperties: 5 },
    ],
  }),
  anyOf: (r) =>
    record(r, 'contact', {
      anyOf: [
        closed({ phone: { type: 'string', pattern: '^\\+?[0-9]{6,12}$' } }),
        closed({ email: { type: 'string', format: 'email' } }),
        { type: 'null' },
      ],
    }),
  oneOf: (r) =>
    record(r, 'shape', {
      oneOf: [
        closed({ kind: { const: 'circle' }, radius: { type: 'number', exclusiveMinimum: 0, maximum: 100 } }),
        closed({ kind: { const: 'box' }, width: scalar(r), height: scalar(r) }),
        { type: 'object', properties: { kind: { const: 'none' } }, required: ['kind'], maxProperties: 2 },
      ],
    }),
  overlappingOneOf: (r) =>
    record(r, 'number', {
      oneOf: [
        { type: 'integer', multipleOf: 3, minimum: 0, maximum: 300 },
        { type: 'integer', multipleOf: 5, minimum: 0, maximum: 300 },
      ],
    }),
  not: (r) =>
    record(r, 'word', {
      type: 'string',
      minLength: 2,
      maxLength: 20,
      not: pick<Schema>(r, [{ pattern: '^un' }, { enum: values(r, 3) }, { maxLength: 4 }]),
    }),
  conditional: (r) =>
    ({
      ...closed(
        { kind: { enum: ['house', 'flat'] }, floor: { type: 'integer', minimum: 0, maximum: 60 }, rooms: scalar(r) },
        1,
      ),
      if: { properties: { kind: { const: 'flat' } } },
      then: { required: ['floor'] },
      else: { properties: { floor: { const: 0 } } },
    }) as Schema,
  unevaluatedProperties: (r) => ({
    type: 'object',
    properties: { name: { type: 'string', maxLength: 16 } },
    required: ['name'],
    anyOf: [
      { properties: { age: { type: 'integer', minimum: 0, maximum: 120 } }, required: ['age'] },
      { properties: { size: { enum: values(r, 3) } }, required: ['size'] },
    ],
    unevaluatedProperties: false,
  }),
  unevaluatedItems: () => ({
    type: 'array',
    prefixItems: [{ type: 'string', maxLength: 10 }],
    anyOf: [
      { prefixItems: [true, { type: 'integer' }], minItems: 2 },
      { prefixItems: [true, true, { type: 'boolean' }], minItems: 3 },
    ],
    unevaluatedItems: false,
    minItems: 1,
  }),
  ref: (r) => ({
    type: 'object',
    properties: { bill: { $ref: '#/$defs/address' }, ship: { $ref: '#/$defs/address' } },
    required: ['bill'],
    additionalProperties: false,
    $defs: {
      address: closed(
        {
          city: { type: 'string', maxLength: 14 },
          zip: { type: 'string', pattern: '^[0-9]{5}$' },
          ...(r.below(2) === 0 ? { note: scalar(r) } : {}),
        },
        2,
      ),
    },
  }),
  recursion: (r) => ({
    $ref: '#/$defs/node',
    $defs: {
      node: {
        type: 'object',
        properties: {
          label: { enum: values(r, 4) },
          children: { type: 'array', items: { $ref: '#/$defs/node' }, maxItems: 2 },
        },
        required: ['label'],
        additionalProperties: false,
      },
    },
  }),
  anchor: (r) => ({
    $id: 'https://example.com/order',
    ...record(r, 'item', { $ref: '#item' }),
    $defs: {
      item: {
        $anchor: 'item',
        ...closed({
          sku: { type: 'string', pattern: '^[A-Z0-9]{4,8}$' },
          n: { type: 'integer', minimum: 1, maximum: 20 },
        }),
      },
    },
  }),
  dynamicRef: () => ({
    $id: 'https://example.com/tree',
    $dynamicAnchor: 'node',
    type: 'object',
    properties: {
      value: { type: 'integer', minimum: 0, maximum: 9 },
      left: { $dynamicRef: '#node' },
      right: { $dynamicRef: '#node' },
    },
    required: ['value'],
    additionalProperties: false,
  }),
  recursiveRef: () => ({
    $schema: 'https://json-schema.org/draft/2019-09/schema',
    $recursiveAnchor: true,
    type: 'object',
    properties: { name: { type: 'string', maxLength: 10 }, inner: { $recursiveRef: '#' } },
    required: ['name'],
    additionalProperties: false,
  }),
  deep: (r) => {
    let inner: Schema = scalar(r);
    for (let depth = between(r, 4, 10); depth > 0; depth--) {
      inner =
        r.below(3) === 0
          ? { type: 'array', items: inner, minItems: 1, maxItems: 2 }
          : closed({ [pick(r, ['data', 'item', 'part', 'of'])]: inner });
    }
    return inner;
  },
  wide: (r) => {
    const names = fields(r, 18);
    return closed(Object.fromEntries(names.map((n) => [n, scalar(r)])), between(r, 4, 18));
  },
  bigEnum: (r) =>
    record(r, 'sku', { enum: Array.from({ length: 400 }, (_, i) => `${pick(r, ['AB', 'CD', 'XZ'])}-${1000 + i}`) }),
};

export const KEYWORD_FAMILIES: readonly string[] = Object.keys(FAMILIES);

/** `count` requests, family by family in turn. */
export function keywordRequests(count: number, seed: number): BenchRequest[] {
  return Array.from({ length: count }, (_, i) => {
    const family = KEYWORD_FAMILIES[i % KEYWORD_FAMILIES.length]!;
    const id = `keywords/${family}-${Math.floor(i / KEYWORD_FAMILIES.length)}`;
    const random = createRandom(seedOf(seed, id));
    const schema = FAMILIES[family]!(random);
    return { id, source: 'keywords', group: family, messages: [{ role: 'user', content: prompt(random) }], schema };
  });
}

function prompt(random: Random): string {
  const about = noun(random);
  return pick(random, [
    `Make up a record for a ${about}. It is ${value(random)} and belongs to ${person(random)}.`,
    `Fill in the form for this ${about}: ${value(random)}, number ${between(random, 1, 9999)}, seen by ${person(random)} on 2024-0${between(random, 1, 9)}-1${between(random, 0, 9)}.`,
    `${person(random)} reports a ${about}: ${value(random)}, ${value(random)}, costs ${between(random, 1, 500)}.${between(random, 10, 99)}. Write it down.`,
  ]);
}
