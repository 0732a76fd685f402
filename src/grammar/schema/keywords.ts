/**
 * One schema location, keyword by keyword, into a normal form.
 *
 * Assertions of one type (say minLength, pattern, format) become one part of the normal form; in-place applicators become
 * formulas that are expanded and intersected, left to right. What a draft does not know is an annotation there, as its
 * specification says; what a draft spells differently (items, exclusiveMinimum, id) is read in the older way where its form shows it.
 */
import { compare, type Decimal, decimal, fromNumber, ONE, ZERO } from './decimal.js';
import { unevaluated } from './evaluated.js';
import { formatStrings } from './formats.js';
import { FALSE, type Formula, TRUE } from './formula.js';
import { escapePointer, isObject, type Location } from './load.js';
import {
  ANY_ARRAYS,
  ANY_OBJECTS,
  andNormal,
  EVERYTHING,
  FALSE_BIT,
  minusNormal,
  NO_ARRAYS,
  NO_OBJECTS,
  NOTHING,
  type Normal,
  NULL_BIT,
  orNormal,
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
import { oneOf } from './one-of.js';
import type { Draft, JsonObject, JsonValue } from './options.js';
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
import { constantNormal } from './values.js';

const INF = Number.POSITIVE_INFINITY;

/** Order of the drafts: 0 is draft 4, 4 is 2020-12. */
export const RANK: Readonly<Record<Draft, number>> = { '4': 0, '6': 1, '7': 2, '2019-09': 3, '2020-12': 4 };

/** Keywords that assert nothing anywhere. */
export const ANNOTATIONS: ReadonlySet<string> = new Set([
  '$anchor',
  '$comment',
  '$defs',
  '$dynamicAnchor',
  '$id',
  '$recursiveAnchor',
  '$schema',
  '$vocabulary',
  'contentEncoding',
  'contentMediaType',
  'contentSchema',
  'default',
  'definitions',
  'deprecated',
  'description',
  'example',
  'examples',
  'id',
  'readOnly',
  'title',
  'writeOnly',
]);

/** Keywords that assert something, and the draft that brought them. */
export const ASSERTIONS: ReadonlyMap<string, number> = new Map([
  ['$dynamicRef', 4],
  ['$recursiveRef', 3],
  ['$ref', 0],
  ['additionalItems', 0],
  ['additionalProperties', 0],
  ['allOf', 0],
  ['anyOf', 0],
  ['const', 1],
  ['contains', 1],
  ['dependencies', 0],
  ['dependentRequired', 3],
  ['dependentSchemas', 3],
  ['else', 2],
  ['enum', 0],
  ['exclusiveMaximum', 0],
  ['exclusiveMinimum', 0],
  ['format', 0],
  ['if', 2],
  ['items', 0],
  ['maxContains', 3],
  ['maxItems', 0],
  ['maxLength', 0],
  ['maxProperties', 0],
  ['maximum', 0],
  ['minContains', 3],
  ['minItems', 0],
  ['minLength', 0],
  ['minProperties', 0],
  ['minimum', 0],
  ['multipleOf', 0],
  ['not', 0],
  ['oneOf', 0],
  ['pattern', 0],
  ['patternProperties', 0],
  ['prefixItems', 4],
  ['properties', 0],
  ['propertyNames', 1],
  ['required', 0],
  ['then', 2],
  ['type', 0],
  ['unevaluatedItems', 3],
  ['unevaluatedProperties', 3],
  ['uniqueItems', 0],
]);

/** Keywords of the validation vocabulary, which a metaschema may leave out. */
const VALIDATION: ReadonlySet<string> = new Set([
  'const',
  'dependentRequired',
  'enum',
  'exclusiveMaximum',
  'exclusiveMinimum',
  'maxContains',
  'maxItems',
  'maxLength',
  'maxProperties',
  'maximum',
  'minContains',
  'minItems',
  'minLength',
  'minProperties',
  'minimum',
  'multipleOf',
  'pattern',
  'required',
  'type',
  'uniqueItems',
]);

/** The keywords in force at a location, with their values. */
export type Keywords = { readonly [K in string]?: JsonValue };

/** Keywords of a location that its draft knows; `$ref` alone in drafts up to 7. */
export function keywordsOf(n: Normaliser, at: Location): Keywords {
  const schema = at.schema as JsonObject;
  const rank = RANK[at.resource.draft];
  const { verbose } = n.context;
  if (rank <= 2 && typeof schema.$ref === 'string' && Object.hasOwn(schema, '$ref')) {
    if (verbose) {
      for (const key of Object.keys(schema)) {
        if (key !== '$ref' && ASSERTIONS.has(key)) {
          n.context.report(`${at.pointer}/${key}`, key, 'info', `beside $ref: ignored in draft ${at.resource.draft}`);
        }
      }
    }
    return { $ref: schema.$ref };
  }
  if (!verbose && rank === 4 && at.resource.validation) {
    // Every known keyword is in force: read the schema itself.
    return schema;
  }
  const out: Record<string, JsonValue> = Object.create(null) as Record<string, JsonValue>;
  for (const key of Object.keys(schema)) {
    const since = ASSERTIONS.get(key);
    if (since === undefined) {
      if (verbose && !ANNOTATIONS.has(key))
        n.context.report(`${at.pointer}/${escapePointer(key)}`, key, 'info', 'unknown keyword: an annotation');
      continue;
    }
    if (since > rank || (key === '$recursiveRef' && rank !== 3)) {
      if (verbose)
        n.context.report(`${at.pointer}/${key}`, key, 'info', `not a keyword of draft ${at.resource.draft}: ignored`);
      continue;
    }
    if (!at.resource.validation && VALIDATION.has(key)) continue;
    out[key] = schema[key]!;
  }
  return out;
}

/** The formula of a subschema. Malformed ones are reported, and admit everything where that is tolerated. */
export function subschema(
  n: Normaliser,
  at: Location,
  value: JsonValue | undefined,
  keyword: string,
  key?: string | number,
): Formula {
  if (value === true) return TRUE;
  if (value === false) return FALSE;
  const step = key === undefined ? `/${keyword}` : `/${keyword}/${typeof key === 'number' ? key : escapePointer(key)}`;
  if (!isObject(value)) {
    n.context.unsupported(at, step.slice(1), `expected a schema, got ${describe(value)}`);
    return TRUE;
  }
  return formulaOf(n, n.context.loader.child(at, value, step));
}

/** The formula of a location. A schema that only refers is the formula of what it refers to. */
export function formulaOf(n: Normaliser, at: Location): Formula {
  const { formulas, loader } = n.context;
  let here = at;
  let seen: Location[] | undefined;
  for (;;) {
    const { schema } = here;
    if (schema === true) return TRUE;
    if (schema === false) return FALSE;
    const known = formulas.known(schema, here.scope);
    if (known !== undefined) return known;
    if (n.context.verbose || !onlyRefers(here)) break;
    if (seen?.some((x) => x.schema === schema && x.scope === here.scope)) break;
    seen ??= [];
    seen.push(here);
    here = loader.resolve(here, schema.$ref as string, '$ref');
  }
  const f = formulas.schema(here);
  if (seen !== undefined) for (const x of seen) formulas.remember(x.schema as object, x.scope, f);
  return f;
}

function onlyRefers(at: Location): boolean {
  const schema = at.schema as JsonObject;
  if (!Object.hasOwn(schema, '$ref') || typeof schema.$ref !== 'string') return false;
  if (RANK[at.resource.draft] <= 2) return true;
  for (const key of Object.keys(schema)) if (key !== '$ref' && !ANNOTATIONS.has(key)) return false;
  return true;
}

export function describe(value: JsonValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/** Whether knowing more beforehand makes the expansion of a location simpler. */
export function gainsFromContext(at: Location): boolean {
  const schema = at.schema as JsonObject;
  return Object.hasOwn(schema, 'oneOf') || Object.hasOwn(schema, 'if') || Object.hasOwn(schema, 'not');
}

/**
 * The values of `start` that a location admits. What is known beforehand is not only intersected with the result: branches of
 * oneOf and if that are out of the question there cost nothing.
 * @throws UnsupportedSchemaError with the pointer of the keyword; LimitError
 */
export function applyLocation(n: Normaliser, at: Location, start: Normal): Normal {
  const k = keywordsOf(n, at);
  let out = andNormal(start, assertions(n, at, k), n);
  const meet = (f: Formula): void => {
    out = n.meet(out, f);
  };
  const { loader } = n.context;
  if (k.$ref !== undefined) {
    if (typeof k.$ref === 'string') meet(formulaOf(n, loader.resolve(at, k.$ref, '$ref')));
    else malformed(n, at, '$ref', 'a string', k.$ref);
  }
  if (k.$dynamicRef !== undefined && typeof k.$dynamicRef === 'string')
    meet(formulaOf(n, loader.resolveDynamic(at, k.$dynamicRef)));
  if (k.$recursiveRef !== undefined && typeof k.$recursiveRef === 'string' && at.resource.draft === '2019-09') {
    meet(formulaOf(n, loader.resolveRecursive(at, k.$recursiveRef)));
  }
  if (k.allOf !== undefined) for (const f of branches(n, at, k, 'allOf')) meet(f);
  if (k.anyOf !== undefined) meet(n.context.formulas.some(branches(n, at, k, 'anyOf')));
  if (k.not !== undefined) out = minusNormal(out, n.normal(subschema(n, at, k.not, 'not')), n);
  if (k.if !== undefined && (k.then !== undefined || k.else !== undefined)) {
    const test = n.normal(subschema(n, at, k.if, 'if'));
    const yes = andNormal(out, test, n);
    const no = minusNormal(out, test, n);
    out = orNormal(
      k.then === undefined ? yes : n.meet(yes, subschema(n, at, k.then, 'then')),
      k.else === undefined ? no : n.meet(no, subschema(n, at, k.else, 'else')),
    );
  }
  if (k.oneOf !== undefined) out = oneOf(branches(n, at, k, 'oneOf'), out, n);
  for (const { key, schema, keyword } of schemaDependencies(k)) {
    meet(dependency(n, key, subschema(n, at, schema, keyword, key)));
  }
  if (k.unevaluatedProperties !== undefined || k.unevaluatedItems !== undefined) meet(unevaluated(n, at, k));
  return out;
}

export function branches(
  n: Normaliser,
  at: Location,
  k: Keywords,
  keyword: 'allOf' | 'anyOf' | 'oneOf',
): readonly Formula[] {
  const list = k[keyword];
  if (!Array.isArray(list) || list.length === 0) {
    malformed(n, at, keyword, 'a non-empty array of schemas', list);
    return [TRUE];
  }
  return list.map((s: JsonValue, i) => subschema(n, at, s, keyword, i));
}

/** dependentSchemas, and the schema form of dependencies. */
export function schemaDependencies(k: Keywords): readonly { key: string; schema: JsonValue; keyword: string }[] {
  if (k.dependentSchemas === undefined && k.dependencies === undefined) return [];
  const out: { key: string; schema: JsonValue; keyword: string }[] = [];
  for (const keyword of ['dependentSchemas', 'dependencies'] as const) {
    const map = k[keyword];
    if (!isObject(map)) continue;
    for (const key of Object.keys(map)) {
      const schema = map[key]!;
      if (!Array.isArray(schema) && !(keyword === 'dependencies' && typeof schema === 'string'))
        out.push({ key, schema, keyword });
    }
  }
  return out;
}

/** Either the key is absent, or the schema holds. */
function dependency(n: Normaliser, key: string, f: Formula): Formula {
  if (f === TRUE) return TRUE;
  const { formulas } = n.context;
  const absent = formulas.normal({
    ...EVERYTHING,
    objects: [{ ...ANY_OBJECT, maps: [keyMap(new Map([[key, FALSE]]))] }],
  });
  return formulas.or(absent, n.and(present(n, key), f));
}

/** Objects with the key, and no other value. */
export function present(n: Normaliser, key: string): Formula {
  return n.context.formulas.normal({ ...NOTHING, objects: [{ ...ANY_OBJECT, required: [key] }] });
}

function malformed(n: Normaliser, at: Location, keyword: string, expected: string, got: JsonValue | undefined): void {
  n.context.unsupported(at, keyword, `expected ${expected}, got ${describe(got)}`);
}

// ---- assertions -----------------------------------------------------------------------------------------------------

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

function assertions(n: Normaliser, at: Location, k: Keywords): Normal {
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
  // Draft 3 wrote required: true in the property; later drafts give that no meaning.
  const required =
    k.required === undefined || typeof k.required === 'boolean' ? [] : namesOf(n, at, 'required', k.required);
  if (typeof k.required === 'boolean') {
    n.context.report(
      `${at.pointer}/required`,
      'required',
      'warning',
      'a boolean (draft 3): no assertion in this draft',
    );
  }
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
