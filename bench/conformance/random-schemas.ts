/**
 * Random schemas of all drafts and random values for them. The universe of names, strings and numbers is small, so that constraints
 * meet and values are told apart; a draft's schema has the keywords of that draft. Seeded: the same random numbers, the same schema.
 */
import type { Random } from '../../src/base/random.js';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Draft = '4' | '6' | '7' | '2019-09' | '2020-12';

const DRAFTS: readonly (readonly [Draft, string])[] = [
  ['4', 'http://json-schema.org/draft-04/schema#'],
  ['6', 'http://json-schema.org/draft-06/schema#'],
  ['7', 'http://json-schema.org/draft-07/schema#'],
  ['2019-09', 'https://json-schema.org/draft/2019-09/schema'],
  ['2020-12', 'https://json-schema.org/draft/2020-12/schema'],
];
const NAMES = ['a', 'b', 'ab', 'x1', 'é', 'a/b', 'toString'];
const STRINGS = [
  '',
  'a',
  'b',
  'ab',
  'aab',
  '1',
  'x1',
  'é',
  'a"b',
  '\\',
  '\n',
  '😀',
  '2024-02-29',
  '2023-02-29',
  '127.0.0.1',
  'a@b',
];
const NUMBERS = [-7, -2, -1, -0.5, 0, 0.01, 0.1, 0.29, 0.5, 1, 1.5, 2, 3, 6, 10, 12, 100, 1e6];
const STEPS = [0.01, 0.1, 0.5, 1, 1.5, 2, 3, 4, 7, 10];
const PATTERNS = [
  '^a',
  'b$',
  '^[ab]*$',
  '1',
  '^.$',
  '^x',
  '^(a|b)+$',
  '\\d',
  '^\\S*$',
  '^[^a]',
  'a.b',
  '^(?!ab)',
  '(?<=a)b',
  '^([ab])\\1$',
];
const FORMATS = ['date', 'ipv4', 'uuid', 'time', 'date-time', 'json-pointer', 'no-such-format'];
const TYPES = ['null', 'boolean', 'number', 'integer', 'string', 'array', 'object'];

/** A scalar or a small value of any kind. */
export function randomValue(random: Random, depth: number): Json {
  const kind = random.below(depth > 0 ? 9 : 6);
  if (kind === 0) return [null, true, false][random.below(3)]!;
  if (kind <= 3) return NUMBERS[random.below(NUMBERS.length)]!;
  if (kind <= 5) return STRINGS[random.below(STRINGS.length)]!;
  const length = random.below(4);
  if (kind === 6) return Array.from({ length }, () => randomValue(random, depth - 1));
  return Object.fromEntries(
    Array.from({ length }, () => [NAMES[random.below(NAMES.length)]!, randomValue(random, depth - 1)]),
  );
}

/** The value with one place of it changed, taken out, doubled or replaced. */
export function changed(random: Random, value: Json): Json {
  const size = Array.isArray(value)
    ? value.length
    : typeof value === 'object' && value !== null
      ? Object.keys(value).length
      : 0;
  if (size > 0 && random.below(3) > 0) {
    const at = random.below(size);
    if (Array.isArray(value)) {
      const way = random.below(4);
      if (way === 0) return value.filter((_, i) => i !== at);
      if (way === 1) return [...value, value[at]!];
      return value.map((v, i) => (i === at ? changed(random, v) : v));
    }
    const entries = Object.entries(value as { [key: string]: Json });
    const way = random.below(5);
    if (way === 0) return Object.fromEntries(entries.filter((_, i) => i !== at));
    if (way === 1)
      return Object.fromEntries([...entries, [NAMES[random.below(NAMES.length)]!, randomValue(random, 1)]]);
    if (way === 2) return Object.fromEntries([...entries, [NAMES[random.below(NAMES.length)]!, entries[at]![1]]]);
    return Object.fromEntries(entries.map(([k, v], i) => [k, i === at ? changed(random, v) : v]));
  }
  if (typeof value === 'string' && random.below(2) === 0) {
    const points = [...value];
    const at = random.below(points.length + 1);
    points.splice(at, random.below(2), ['a', 'b', '1', ' '][random.below(4)]!);
    return points.join('');
  }
  if (typeof value === 'number' && random.below(2) === 0) return value + [1, -1, 0.5, 0.01][random.below(4)]!;
  return randomValue(random, 2);
}

/** One schema of a random draft, with definitions that refer to each other. */
export function randomSchema(random: Random): { readonly draft: Draft; readonly schema: Json } {
  const [draft, uri] = DRAFTS[random.below(DRAFTS.length)]!;
  const rank = DRAFTS.findIndex(([d]) => d === draft);
  const since = (d: Draft): boolean => rank >= DRAFTS.findIndex(([x]) => x === d);
  const pick = <T>(list: readonly T[]): T => list[random.below(list.length)]!;
  const chance = (p: number): boolean => random.float() < p;
  const some = <T>(n: number, make: () => T): T[] => Array.from({ length: 1 + random.below(n) }, make);
  const distinct = <T>(n: number, make: () => T): T[] => [...new Set(some(n, make))];
  const definitions = since('2019-09') ? '$defs' : 'definitions';
  const unique = chance(0.4);
  const unevaluated = chance(0.5);
  const dynamic = draft === '2019-09' || draft === '2020-12' ? chance(0.15) : false;

  const reference = (): { [key: string]: Json } => {
    if (dynamic && chance(0.4)) return draft === '2019-09' ? { $recursiveRef: '#' } : { $dynamicRef: '#node' };
    if (chance(0.1)) return { $ref: '#' };
    if (chance(0.15)) return { $ref: since('2019-09') ? '#anchored' : '#/definitions/d0' };
    return { $ref: `#/${definitions}/d${random.below(3)}` };
  };
  const make = (depth: number): Json => {
    if (depth <= 0 && chance(0.25) && since('6')) return chance(0.8);
    if (chance(depth <= 0 ? 0.3 : 0.05)) {
      const ref = reference();
      return chance(0.6) ? ref : { ...assertions(), ...ref };
    }
    return depth > 0 ? { ...assertions(), ...applicators(depth) } : assertions();
  };
  const assertions = (): { [key: string]: Json } => {
    const out: { [key: string]: Json } = {};
    if (chance(0.5)) out.type = chance(0.7) ? pick(TYPES) : distinct(3, () => pick(TYPES));
    if (chance(0.07)) out.enum = some(4, () => randomValue(random, 2));
    if (since('6') && chance(0.05)) out.const = randomValue(random, 2);
    if (chance(0.12)) out.minimum = pick(NUMBERS);
    if (chance(0.08)) out.maximum = pick(NUMBERS);
    if (draft === '4') {
      if (out.minimum !== undefined && chance(0.3)) out.exclusiveMinimum = chance(0.8);
      if (out.maximum !== undefined && chance(0.3)) out.exclusiveMaximum = chance(0.8);
    } else {
      if (chance(0.06)) out.exclusiveMinimum = pick(NUMBERS);
      if (chance(0.06)) out.exclusiveMaximum = pick(NUMBERS);
    }
    if (chance(0.1)) out.multipleOf = pick(STEPS);
    if (chance(0.1)) out.minLength = random.below(3);
    if (chance(0.08)) out.maxLength = random.below(4);
    if (chance(0.12)) out.pattern = pick(PATTERNS);
    if (chance(0.06)) out.format = pick(FORMATS);
    if (chance(0.15)) out.required = distinct(2, () => pick(NAMES));
    if (chance(0.07)) out.minProperties = random.below(4);
    if (chance(0.07)) out.maxProperties = random.below(4);
    if (since('2019-09') ? chance(0.07) : false)
      out.dependentRequired = { [pick(NAMES)]: distinct(2, () => pick(NAMES)) };
    if (!since('2019-09') && chance(0.07)) out.dependencies = { [pick(NAMES)]: distinct(2, () => pick(NAMES)) };
    if (chance(0.08)) out.minItems = random.below(4);
    if (chance(0.08)) out.maxItems = random.below(4);
    if (unique && chance(0.12)) out.uniqueItems = chance(0.9);
    return out;
  };
  const applicators = (depth: number): { [key: string]: Json } => {
    const sub = (): Json => make(depth - 1);
    const named = (n: number, names: readonly string[]): { [key: string]: Json } =>
      Object.fromEntries(some(n, () => [pick(names), sub()]));
    const out: { [key: string]: Json } = {};
    if (chance(0.35)) out.properties = named(3, NAMES);
    if (chance(0.13)) out.patternProperties = named(2, PATTERNS.slice(0, -1));
    if (chance(0.18)) out.additionalProperties = chance(0.4) ? false : sub();
    if (since('6') && chance(0.06)) out.propertyNames = sub();
    if (chance(0.06)) out[since('2019-09') ? 'dependentSchemas' : 'dependencies'] = named(2, NAMES);
    if (draft === '2020-12') {
      if (chance(0.12)) out.prefixItems = some(3, sub);
      if (chance(0.15)) out.items = chance(0.2) ? false : sub();
    } else if (chance(0.1)) {
      out.items = some(3, sub);
      if (chance(0.5)) out.additionalItems = chance(0.4) ? false : sub();
    } else if (chance(0.15)) out.items = sub();
    if (since('6') && chance(0.1)) {
      out.contains = sub();
      if (since('2019-09')) {
        if (chance(0.4)) out.minContains = random.below(3);
        if (chance(0.3)) out.maxContains = random.below(3);
      }
    }
    if (chance(0.14)) out.allOf = some(3, sub);
    if (chance(0.14)) out.anyOf = some(3, sub);
    if (chance(0.14)) out.oneOf = some(3, sub);
    if (chance(0.1)) out.not = sub();
    if (since('7') && chance(0.12)) {
      out.if = sub();
      if (chance(0.7)) out.then = sub();
      if (chance(0.7)) out.else = sub();
    }
    if (unevaluated && since('2019-09')) {
      if (chance(0.12)) out.unevaluatedProperties = chance(0.6) ? false : sub();
      if (chance(0.1)) out.unevaluatedItems = chance(0.6) ? false : sub();
    }
    return out;
  };

  const depth = 1 + random.below(3);
  const root = make(depth);
  const defs: { [key: string]: Json } = { d0: make(depth - 1), d1: make(depth - 1), d2: make(1) };
  if (since('2019-09')) defs.d3 = { ...(make(1) as object), $anchor: 'anchored' } as Json;
  if (dynamic && draft === '2020-12') defs.d4 = { ...(make(1) as object), $dynamicAnchor: 'node' } as Json;
  const head: { [key: string]: Json } = { $schema: uri };
  if (dynamic && draft === '2019-09') head.$recursiveAnchor = true;
  const body = typeof root === 'object' && root !== null ? (root as { [key: string]: Json }) : {};
  return { draft, schema: { ...head, ...body, [definitions]: defs } };
}
