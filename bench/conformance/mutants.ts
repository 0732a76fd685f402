/**
 * MaskBench schemas changed at random: each must end in a typed error or in a grammar whose generations are complete and valid, and in time.
 * Seeded, so that a find can be made again: mutant n depends on the seed and n alone.
 */
import { createRandom, type Random } from '../../src/base/random.js';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const NUMBERS: readonly number[] = [0, -1, 1, 2, 3, 0.1, 0.3, -0, 7, 255, 1e15, 2 ** 53, 1e21, 1e300, 5e-324, -1e308];
const STRINGS: readonly string[] = [
  ...[
    '',
    'a',
    '__proto__',
    'constructor',
    '\u0000',
    '\ud800',
    '\udc00x',
    '😀',
    '"',
    '\\',
    '/',
    '~1',
    '#',
    '#/',
    '$ref',
  ],
  ...['^a+$', '(a+)+$', '(?=a)b', '\\p{L}{2,5}', '[^a]{0,300}', '(.*a){12}', 'x{1000}', '^(?!foo)', '(a)\\1', '['],
  ...['date-time', 'email', 'uri', 'regex', 'ipv6', 'idn-hostname', 'object', 'integer', 'null'],
];
const KEYWORDS: readonly string[] = [
  ...[
    'allOf',
    'anyOf',
    'oneOf',
    'not',
    'if',
    'then',
    'else',
    'items',
    'prefixItems',
    'contains',
    'uniqueItems',
    'required',
  ],
  ...[
    'properties',
    'patternProperties',
    'additionalProperties',
    'propertyNames',
    'unevaluatedProperties',
    'unevaluatedItems',
  ],
  ...['minProperties', 'maxProperties', 'minItems', 'maxItems', 'minContains', 'maxContains', 'minLength', 'maxLength'],
  ...['minimum', 'exclusiveMinimum', 'maximum', 'exclusiveMaximum', 'multipleOf', 'enum', 'const', 'pattern', 'format'],
  ...[
    'type',
    '$ref',
    '$dynamicRef',
    '$anchor',
    '$id',
    'dependentRequired',
    'dependentSchemas',
    'dependencies',
    'definitions',
  ],
];

interface Spot {
  readonly parent: { [key: string]: Json } | Json[];
  readonly key: string;
}

/** Every member and item, breadth first, as many as matter. */
function spots(root: Json): Spot[] {
  const out: Spot[] = [];
  const open: Json[] = [root];
  for (let i = 0; i < open.length && out.length < 2000; i++) {
    const at = open[i];
    if (typeof at !== 'object' || at === null) continue;
    for (const key of Object.keys(at)) {
      out.push({ parent: at, key });
      open.push((at as { [key: string]: Json })[key] ?? null);
    }
  }
  return out;
}

const get = ({ parent, key }: Spot): Json => (parent as { [key: string]: Json })[key] ?? null;

function set({ parent, key }: Spot, value: Json): void {
  if (key === '__proto__') return;
  (parent as { [key: string]: Json })[key] = value;
}

function drop({ parent, key }: Spot): void {
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete parent[key];
}

const pick = <T>(random: Random, list: readonly T[]): T => list[random.below(list.length)] as T;
const clone = (value: Json): Json => structuredClone(value);

function mutateOnce(root: Json, random: Random): Json {
  const all = spots(root);
  if (all.length === 0) return { [pick(random, KEYWORDS)]: pick(random, NUMBERS) };
  const spot = pick(random, all);
  const other = get(pick(random, all));
  switch (random.below(9)) {
    case 0:
      drop(spot);
      return root;
    case 1:
      set(spot, clone(other));
      return root;
    case 2:
      set(spot, pick(random, NUMBERS));
      return root;
    case 3:
      set(spot, pick(random, STRINGS));
      return root;
    case 4:
      set(spot, pick<Json>(random, [true, false, null, [], {}]));
      return root;
    case 5: {
      const value = get(spot);
      const key = pick(random, ['not', 'allOf', 'anyOf', 'oneOf', 'items', 'contains', 'propertyNames']);
      const list = key.endsWith('Of');
      set(spot, { [key]: list ? [clone(value), clone(other)] : clone(value) });
      return root;
    }
    case 6:
      if (!Array.isArray(spot.parent)) spot.parent[pick(random, KEYWORDS)] = clone(other);
      return root;
    case 7:
      if (!Array.isArray(spot.parent)) {
        const value = get(spot);
        drop(spot);
        spot.parent[pick(random, KEYWORDS)] = value;
      }
      return root;
    default:
      set(spot, { $ref: pick(random, ['#', '#/properties/a', '#/definitions/a', '#/$defs/a', '#/items']) });
      return root;
  }
}

/** Mutant n of the given schemas. */
export function mutant(schemas: readonly unknown[], seed: number, n: number): unknown {
  const random = createRandom(seed * 1_000_003 + n);
  let schema = clone(pick(random, schemas) as Json);
  const times = 1 + random.below(4);
  for (let i = 0; i < times; i++) schema = mutateOnce(schema, random);
  return schema;
}
