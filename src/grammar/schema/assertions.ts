/** The assertions of one location, type by type, into a normal form: everything but the in-place applicators. */
import { compare, type Decimal, decimal, fromNumber, ONE, ZERO } from './decimal.js';
import { formatStrings } from './formats.js';
import { FALSE, type Formula, TRUE } from './formula.js';
import { isObject, type Location } from './load.js';
import {
  ANY_ARRAYS,
  ANY_OBJECTS,
  andNormal,
  EVERYTHING,
  FALSE_BIT,
  NO_ARRAYS,
  NO_OBJECTS,
  type Normal,
  NULL_BIT,
  TRUE_BIT,
} from './normal.js';
import type { Normaliser } from './normalise.js';
import {
  ALL_NUMBERS,
  andNumbers,
  box,
  boxIsEmpty,
  INTEGERS,
  NO_NUMBERS,
  type NumberSet,
  PLAIN_INTEGERS,
} from './numbers.js';
import type { JsonValue } from './options.js';
import {
  ANY_ARRAY,
  ANY_OBJECT,
  type ArrayShape,
  type Contains,
  type Implication,
  type KeyMap,
  type KeyRule,
  keyMap,
  type ObjectShape,
} from './shapes.js';
import { ALL_STRINGS, andStrings, NO_STRINGS, regularStrings, type StringSet } from './strings.js';
import { malformed, subschema } from './subschemas.js';
import { constantNormal } from './values.js';
import type { Keywords } from './vocabulary.js';

const INF = Number.POSITIVE_INFINITY;
const NUMBER_TYPE = 8;
const STRING_TYPE = 16;
const ARRAY_TYPE = 32;
const OBJECT_TYPE = 64;
const INTEGER_TYPE = 128;
const ANY_TYPE = 127;
const TYPES: Readonly<Record<string, number>> = {
  null: NULL_BIT,
  boolean: FALSE_BIT | TRUE_BIT,
  number: NUMBER_TYPE,
  integer: INTEGER_TYPE,
  string: STRING_TYPE,
  array: ARRAY_TYPE,
  object: OBJECT_TYPE,
};

function typeMask(n: Normaliser, at: Location, type: JsonValue | undefined): number {
  if (type === undefined) return ANY_TYPE;
  let mask = 0;
  for (const t of Array.isArray(type) ? (type as readonly JsonValue[]) : [type]) {
    const bit = typeof t === 'string' && Object.hasOwn(TYPES, t) ? TYPES[t] : undefined;
    if (bit === undefined) {
      malformed(n, at, 'type', 'a type name or a list of type names', t as JsonValue);
      return ANY_TYPE;
    }
    mask |= bit;
  }
  return mask;
}

/** What the assertions of a location admit. */
export function assertions(n: Normaliser, at: Location, k: Keywords): Normal {
  const mask = typeMask(n, at, k.type);
  const number = (mask & (NUMBER_TYPE | INTEGER_TYPE)) !== 0;
  const base: Normal = {
    basic: mask & 7,
    numbers: number ? numbersOf(n, at, k, (mask & NUMBER_TYPE) === 0) : NO_NUMBERS,
    strings: (mask & STRING_TYPE) === 0 ? NO_STRINGS : stringsOf(n, at, k),
    arrays: (mask & ARRAY_TYPE) === 0 ? NO_ARRAYS : arraysOf(n, at, k),
    objects: (mask & OBJECT_TYPE) === 0 ? NO_OBJECTS : objectsOf(n, at, k),
  };
  let out = base;
  if (k.enum !== undefined) {
    if (Array.isArray(k.enum))
      out = andNormal(out, constantNormal(k.enum as readonly JsonValue[], n.context.formulas), n);
    else malformed(n, at, 'enum', 'an array', k.enum);
  }
  if (k.const !== undefined) out = andNormal(out, constantNormal([k.const], n.context.formulas), n);
  if (
    out.basic === 7 &&
    out.numbers === ALL_NUMBERS &&
    out.strings === ALL_STRINGS &&
    out.arrays === ANY_ARRAYS &&
    out.objects === ANY_OBJECTS
  ) {
    return EVERYTHING;
  }
  return out;
}

function bound(n: Normaliser, at: Location, k: Keywords, keyword: string): Decimal | undefined {
  const value = k[keyword];
  if (value === undefined || typeof value === 'boolean') return undefined;
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    malformed(n, at, keyword, 'a number', value);
    return undefined;
  }
  return fromNumber(value);
}

function numbersOf(n: Normaliser, at: Location, k: Keywords, integer: boolean): NumberSet {
  const integers = at.resource.draft === '4' ? PLAIN_INTEGERS : INTEGERS;
  if (
    k.minimum === undefined &&
    k.maximum === undefined &&
    k.exclusiveMinimum === undefined &&
    k.exclusiveMaximum === undefined &&
    k.multipleOf === undefined
  ) {
    return integer ? integers : ALL_NUMBERS;
  }
  let lo = bound(n, at, k, 'minimum');
  let hi = bound(n, at, k, 'maximum');
  let loOpen = k.exclusiveMinimum === true;
  let hiOpen = k.exclusiveMaximum === true;
  const above = bound(n, at, k, 'exclusiveMinimum');
  const below = bound(n, at, k, 'exclusiveMaximum');
  if (above !== undefined && (lo === undefined || compare(above, lo) >= 0)) {
    lo = above;
    loOpen = true;
  }
  if (below !== undefined && (hi === undefined || compare(below, hi) <= 0)) {
    hi = below;
    hiOpen = true;
  }
  let step = bound(n, at, k, 'multipleOf');
  if (step !== undefined && compare(step, ZERO) <= 0) {
    malformed(n, at, 'multipleOf', 'a number above zero', k.multipleOf);
    step = undefined;
  }
  if (lo === undefined && hi === undefined && step === undefined) return integer ? integers : ALL_NUMBERS;
  // Integers need no open or fractional bounds: the spelling is simpler without.
  if (integer && step === undefined) return andNumbers([closed(lo, loOpen, hi, hiOpen)], integers);
  const out = box(lo, loOpen, hi, hiOpen, step);
  if (integer) return andNumbers([out], integers);
  return boxIsEmpty(out) ? NO_NUMBERS : [out];
}

/** Integers between bounds, with integer bounds that belong to the set. */
function closed(lo: Decimal | undefined, loOpen: boolean, hi: Decimal | undefined, hiOpen: boolean) {
  const up = lo === undefined ? undefined : integerFrom(lo, loOpen);
  const down = hi === undefined ? undefined : integerFrom({ m: -hi.m, e: hi.e }, hiOpen);
  return box(up, false, down === undefined ? undefined : { m: -down.m, e: down.e }, false, ONE);
}

/** The least integer >= v (or > v where open). */
function integerFrom(v: Decimal, open: boolean): Decimal {
  if (v.e >= 0) return open ? decimal(v.m * 10n ** BigInt(v.e) + 1n, 0) : v;
  const scale = 10n ** BigInt(-v.e);
  let q = v.m / scale;
  if (q * scale < v.m) q += 1n;
  return decimal(q, 0);
}

/** A count: a non-negative integer. Integral floats of older drafts included. */
function count(n: Normaliser, at: Location, k: Keywords, keyword: string, missing: number): number {
  const value = k[keyword];
  if (value === undefined) return missing;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) {
    malformed(n, at, keyword, 'a non-negative integer', value);
    return missing;
  }
  return value;
}

function stringsOf(n: Normaliser, at: Location, k: Keywords): StringSet {
  if (k.minLength === undefined && k.maxLength === undefined && k.pattern === undefined && k.format === undefined)
    return ALL_STRINGS;
  let out = regularStrings([], count(n, at, k, 'minLength', 0), count(n, at, k, 'maxLength', INF));
  if (k.pattern !== undefined) {
    if (typeof k.pattern === 'string') {
      const re = n.context.pattern(at, 'pattern', k.pattern);
      if (re !== undefined) out = andStrings(out, regularStrings([re]), n);
    } else malformed(n, at, 'pattern', 'a string', k.pattern);
  }
  if (typeof k.format === 'string') {
    const strings = formatStrings(n.context, at, k.format);
    if (strings !== undefined) out = andStrings(out, strings, n);
  }
  return out;
}

function namesOf(n: Normaliser, at: Location, keyword: string, value: JsonValue): readonly string[] {
  if (Array.isArray(value) && value.every((x) => typeof x === 'string')) {
    return value.length > 1 ? [...new Set(value as readonly string[])] : (value as readonly string[]);
  }
  malformed(n, at, keyword, 'an array of property names', value);
  return [];
}

function objectsOf(n: Normaliser, at: Location, k: Keywords): readonly ObjectShape[] {
  const maps: KeyMap[] = [];
  if (k.properties !== undefined || k.patternProperties !== undefined || k.additionalProperties !== undefined) {
    const map = keyMapOf(n, at, k);
    if (map !== undefined) maps.push(map);
  }
  if (k.propertyNames !== undefined) {
    const f = subschema(n, at, k.propertyNames, 'propertyNames');
    if (f === FALSE) maps.push(keyMap(undefined, undefined, FALSE));
    else if (f !== TRUE) maps.push(keyMap(undefined, [{ keys: n.context.keys.outside(f), value: FALSE }]));
  }
  // Draft 3 wrote required: true in the property; later drafts give that no meaning (misspelled.ts warns).
  const required =
    k.required === undefined || typeof k.required === 'boolean' ? [] : namesOf(n, at, 'required', k.required);
  const min = count(n, at, k, 'minProperties', 0);
  const max = count(n, at, k, 'maxProperties', INF);
  const implications = implicationsOf(n, at, k);
  if (maps.length === 0 && required.length === 0 && min === 0 && max === INF && implications.length === 0)
    return ANY_OBJECTS;
  return min > max ? NO_OBJECTS : [{ ...ANY_OBJECT, maps, required, min, max, implications }];
}

function keyMapOf(n: Normaliser, at: Location, k: Keywords): KeyMap | undefined {
  const props = new Map<string, Formula>();
  if (k.properties !== undefined) {
    if (isObject(k.properties)) {
      const { properties } = k;
      for (const name of Object.keys(properties))
        props.set(name, subschema(n, at, properties[name], 'properties', name));
    } else malformed(n, at, 'properties', 'an object of schemas', k.properties);
  }
  const rules: KeyRule[] = [];
  if (k.patternProperties !== undefined) {
    if (isObject(k.patternProperties)) {
      const patterns = k.patternProperties;
      for (const source of Object.keys(patterns)) {
        const re = n.context.pattern(at, 'patternProperties', source);
        if (re === undefined) continue;
        rules.push({
          keys: n.context.keys.pattern(source, re),
          value: subschema(n, at, patterns[source], 'patternProperties', source),
        });
      }
    } else malformed(n, at, 'patternProperties', 'an object of schemas', k.patternProperties);
  }
  const rest =
    k.additionalProperties === undefined ? TRUE : subschema(n, at, k.additionalProperties, 'additionalProperties');
  if (props.size === 0 && rules.length === 0 && rest === TRUE) return undefined;
  return { props, rules, rest };
}

function implicationsOf(n: Normaliser, at: Location, k: Keywords): readonly Implication[] {
  if (k.dependentRequired === undefined && k.dependencies === undefined) return [];
  const out: Implication[] = [];
  for (const keyword of ['dependentRequired', 'dependencies'] as const) {
    const map = k[keyword];
    if (map === undefined) continue;
    if (!isObject(map)) {
      malformed(n, at, keyword, 'an object', map);
      continue;
    }
    for (const when of Object.keys(map)) {
      const names = map[when]!;
      // Draft 3 allowed a single name.
      const list = keyword === 'dependencies' && typeof names === 'string' ? [names] : names;
      if (keyword === 'dependencies' && !Array.isArray(list)) continue;
      const then = namesOf(n, at, keyword, list).filter((x) => x !== when);
      if (then.length > 0) out.push({ when, then });
    }
  }
  return out;
}

function arraysOf(n: Normaliser, at: Location, k: Keywords): readonly ArrayShape[] {
  const min = count(n, at, k, 'minItems', 0);
  const max = count(n, at, k, 'maxItems', INF);
  let prefix: readonly Formula[] = [];
  let rest: Formula = TRUE;
  if (k.prefixItems !== undefined) {
    if (Array.isArray(k.prefixItems)) {
      prefix = (k.prefixItems as readonly JsonValue[]).map((s, i) => subschema(n, at, s, 'prefixItems', i));
    } else malformed(n, at, 'prefixItems', 'an array of schemas', k.prefixItems);
  }
  if (Array.isArray(k.items)) {
    prefix = (k.items as readonly JsonValue[]).map((s, i) => subschema(n, at, s, 'items', i));
    if (k.additionalItems !== undefined) rest = subschema(n, at, k.additionalItems, 'additionalItems');
  } else if (k.items !== undefined) rest = subschema(n, at, k.items, 'items');
  const contains: Contains[] = [];
  if (k.contains !== undefined) {
    const item = subschema(n, at, k.contains, 'contains');
    const least = count(n, at, k, 'minContains', 1);
    const most = count(n, at, k, 'maxContains', INF);
    if (least > most) return NO_ARRAYS;
    if (item === TRUE)
      return arrayShape(prefix, rest, Math.max(min, least), Math.min(max, most), [], k.uniqueItems === true);
    if (least > 0 || most !== INF) contains.push({ item, from: 0, min: least, max: most });
  }
  if (k.uniqueItems !== undefined && typeof k.uniqueItems !== 'boolean')
    malformed(n, at, 'uniqueItems', 'a boolean', k.uniqueItems);
  return arrayShape(prefix, rest, min, max, contains, k.uniqueItems === true);
}

function arrayShape(
  prefix: readonly Formula[],
  rest: Formula,
  min: number,
  max: number,
  contains: readonly Contains[],
  unique: boolean,
): readonly ArrayShape[] {
  if (min > max) return NO_ARRAYS;
  if (rest === TRUE && prefix.length === 0 && min === 0 && max === INF && contains.length === 0 && !unique)
    return ANY_ARRAYS;
  return [{ ...ANY_ARRAY, prefix, rest, min, max, contains, unique }];
}
