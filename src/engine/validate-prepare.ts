/**
 * A schema made ready for ajv: which dialect it is in, and a copy without what ajv reads differently from the specification.
 *
 * ajv turns `$async` schemas into promises, takes OpenAPI's `nullable` for a JSON Schema keyword, throws on a string `id` from draft
 * 6 on and on a boolean `required`, reads the siblings of `$ref` and later keywords in drafts that ignore them, skips a property named `__proto__`, lets an
 * empty array pass `contains` where it is an item behind one that did, and wants numbers in
 * exclusiveMinimum and exclusiveMaximum where schemas without `$schema` still have draft 4's booleans. The copy differs in these keywords only, and only where a schema stands (never in enum, const, default or among property names).
 */
import { LimitError } from '../base/errors.js';

export type Draft = '4' | '6' | '7' | '2019-09' | '2020-12';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Keywords whose value is one schema (or, for items, an array of them). */
const ONE: ReadonlySet<string> = new Set([
  ...['not', 'if', 'then', 'else', 'items', 'contains', 'propertyNames', 'contentSchema'],
  ...['additionalProperties', 'additionalItems', 'unevaluatedProperties', 'unevaluatedItems'],
]);
/** Keywords whose value is an array of schemas. */
const LIST: ReadonlySet<string> = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems']);
/** Keywords whose value maps names to schemas (dependencies: or to arrays of names). */
const NAMED: ReadonlySet<string> = new Set([
  ...['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas', 'dependencies'],
]);

/** Keywords that a draft does not have, though ajv's class for it does. */
const LATER: Readonly<Partial<Record<Draft, ReadonlySet<string>>>> = {
  '4': new Set(['const', 'contains', 'propertyNames', 'if', 'then', 'else']),
  '6': new Set(['if', 'then', 'else']),
};
/** What a schema with $ref keeps up to draft 7: its other keywords have no meaning, but references may lead into these. */
const BESIDE_REF: ReadonlySet<string> = new Set(['$ref', 'definitions', '$defs']);

const DEEPEST = 1_000;

export interface Prepared {
  readonly draft: Draft;
  readonly schema: Json;
  /** Whether a reference leads into a meta-schema of json-schema.org. */
  readonly meta: boolean;
}

/** The draft that a `$schema` names. */
function declared(uri: unknown): Draft | undefined {
  if (typeof uri !== 'string') return undefined;
  const m = /json-schema\.org\/(?:draft-0([467])|draft\/(2019-09|2020-12))\/schema\b/.exec(uri);
  return (m?.[1] ?? m?.[2]) as Draft | undefined;
}

interface Seen {
  arrayItems: boolean;
  meta: boolean;
}

const isObject = (v: unknown): v is { readonly [key: string]: Json } =>
  typeof v === 'object' && v !== null && !Array.isArray(v);

function copy(schema: Json, draft: Draft, seen: Seen, depth: number): Json {
  if (!isObject(schema)) return schema;
  if (depth > DEEPEST) throw new LimitError('schema nesting', depth, DEEPEST);
  const sub = (v: Json): Json => copy(v, draft, seen, depth + 1);
  const out: [string, Json][] = [];
  const prototypes: Json[] = [];
  const bound = (key: 'exclusiveMinimum' | 'exclusiveMaximum', limit: Json | undefined): void => {
    if (schema[key] === true && limit !== undefined) out.push([key, limit]);
  };
  const old = draft === '4' || draft === '6' || draft === '7';
  const onlyRef = old && typeof schema.$ref === 'string';
  for (const [key, value] of Object.entries(schema)) {
    if (onlyRef && !BESIDE_REF.has(key)) continue;
    if (LATER[draft]?.has(key)) continue;
    if (key === '$async' || key === 'nullable' || key === '$schema') continue;
    if (key === 'id' && draft !== '4' && typeof value === 'string') continue;
    if (key === 'required' && typeof value === 'boolean') continue;
    if (draft !== '4') {
      if (key === 'minimum' && schema.exclusiveMinimum === true) continue;
      if (key === 'maximum' && schema.exclusiveMaximum === true) continue;
      if ((key === 'exclusiveMinimum' || key === 'exclusiveMaximum') && typeof value === 'boolean') {
        bound(key, key === 'exclusiveMinimum' ? schema.minimum : schema.maximum);
        continue;
      }
    }
    if (key === '$recursiveRef' || key === 'additionalItems') seen.arrayItems = true;
    if (key === '$ref' && typeof value === 'string' && value.includes('json-schema.org/')) seen.meta = true;
    if (key === 'items' && Array.isArray(value)) {
      seen.arrayItems = true;
      out.push([key, value.map(sub)]);
    } else if (ONE.has(key)) out.push([key, sub(value)]);
    else if (LIST.has(key) && Array.isArray(value)) out.push([key, value.map(sub)]);
    else if (NAMED.has(key) && isObject(value)) {
      const named = Object.entries(value).map(([name, v]): [string, Json] => [name, sub(v)]);
      const proto = key === 'properties' ? named.find(([name]) => name === '__proto__') : undefined;
      // ajv skips this name among properties; as a pattern it does not.
      if (proto !== undefined) prototypes.push(proto[1]);
      out.push([key, Object.fromEntries(named.filter((x) => x !== proto))]);
    } else out.push([key, value]);
  }
  contained(schema, old, out);
  const result = withoutRootRef(Object.fromEntries(out), old);
  const own = prototypes[0];
  if (own === undefined) return result;
  const patterns = isObject(result.patternProperties) ? result.patternProperties : {};
  return { ...result, patternProperties: { ...patterns, '^__proto__$': own } };
}

/** ajv runs out of stack where the root of an embedded resource refers into the resource: as a part of allOf the reference says the same. */
function withoutRootRef(schema: { readonly [key: string]: Json }, old: boolean): { readonly [key: string]: Json } {
  if (old || schema.$id === undefined || schema.$ref === undefined) return schema;
  const { $ref, allOf, ...rest } = schema;
  return { ...rest, allOf: [...(Array.isArray(allOf) ? allOf : []), { $ref }] };
}

/** What `contains` demands of every array, said once more by minItems: ajv forgets to ask it of an empty one behind another. */
function contained(schema: { readonly [key: string]: Json }, old: boolean, out: [string, Json][]): void {
  const least = old ? 1 : schema.minContains;
  if (!out.some(([key]) => key === 'contains') || (typeof least === 'number' && least < 1)) return;
  const { minItems } = schema;
  out.push(['minItems', typeof minItems === 'number' ? Math.max(1, minItems) : 1]);
}

/**
 * The dialect and the copy. Without a known `$schema` the draft is `fallback`; a 2020-12 fallback becomes 2019-09 where items is an
 * array, whose meaning 2020-12 gave to prefixItems.
 * @throws LimitError for nesting beyond 1,000 schemas
 */
export function prepareSchema(schema: unknown, fallback: Draft): Prepared {
  const draft = isObject(schema) ? declared(schema.$schema) : undefined;
  const seen: Seen = { arrayItems: false, meta: false };
  const copied = copy(schema as Json, draft ?? fallback, seen, 0);
  const chosen = draft ?? (fallback === '2020-12' && seen.arrayItems ? '2019-09' : fallback);
  return { draft: chosen, schema: copied, meta: seen.meta };
}

/** Whether `value` is an integral multiple of `divisor`, in decimal: 0.29 is a multiple of 0.01. */
export function isMultiple(value: number, divisor: number): boolean {
  const a = decimal(value);
  const b = decimal(divisor);
  if (a === undefined || b === undefined || b.digits === 0n) return false;
  const low = Math.min(a.exponent, b.exponent);
  return (a.digits * 10n ** BigInt(a.exponent - low)) % (b.digits * 10n ** BigInt(b.exponent - low)) === 0n;
}

/** digits * 10^exponent is the shortest decimal that reads as this number. */
function decimal(x: number): { digits: bigint; exponent: number } | undefined {
  const m = /^(-?\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(x));
  if (m === null) return undefined;
  const fraction = m[2] ?? '';
  return { digits: BigInt(`${m[1]}${fraction}`), exponent: Number(m[3] ?? 0) - fraction.length };
}
