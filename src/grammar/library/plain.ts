/**
 * A JSON Schema is plain data. A schema of a library somewhere inside, a Map for properties or `String` for a type would be read as objects that
 * assert nothing. What stands in annotations (a function as `default`) nobody reads, and is left alone.
 */
import { OptionError } from '../../base/errors.js';
import { ASSERTIONS } from '../schema/vocabulary.js';

/** Keywords that map names to schemas. */
const MAPS: ReadonlySet<string> = new Set([
  ...['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas', 'dependencies'],
]);
/** Keywords that hold a schema or a list of them. */
const SCHEMAS: ReadonlySet<string> = new Set([
  ...['allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else', 'items', 'prefixItems', 'additionalItems', 'contains'],
  ...['additionalProperties', 'propertyNames', 'unevaluatedItems', 'unevaluatedProperties'],
]);

/** What a value in a schema is: a schema (or a list of them), a map of schemas, a value that a keyword compares with, an annotation. */
type Kind = 'schema' | 'map' | 'value' | 'other';

interface Item {
  readonly value: unknown;
  readonly at: string;
  readonly kind: Kind;
}

/** `vendorOf`: whose a schema of a library is; undefined for anything else. @throws OptionError with the place */
export function checkPlain(schema: object, vendorOf: (value: object) => string | undefined): void {
  const seen = new Set<unknown>();
  const work: Item[] = [{ value: schema, at: '#', kind: 'schema' }];
  for (let item = work.pop(); item !== undefined; item = work.pop()) {
    const { value, at, kind } = item;
    const vendor =
      (typeof value === 'object' && value !== null) || typeof value === 'function' ? vendorOf(value) : undefined;
    if (vendor !== undefined)
      throw new OptionError(
        'schema',
        'a JSON Schema, or one schema of a library as a whole (z.object({…}) around the properties)',
        `a schema of '${vendor}' inside a plain object, at '${at}'`,
      );
    if (kind !== 'other' && !isData(value))
      throw new OptionError('schema', 'plain data, as JSON holds it', `${nameOf(value)} at '${at}'`);
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    if (Array.isArray(value)) {
      // By index: a hole is undefined too.
      for (let i = 0; i < value.length; i++) push(work, value[i], `${at}/${i}`, kind, true);
    } else
      for (const key of Object.keys(value))
        push(work, (value as Readonly<Record<string, unknown>>)[key], `${at}/${key}`, below(kind, key), false);
  }
}

function push(work: Item[], value: unknown, at: string, kind: Kind, inArray: boolean): void {
  // An undefined member is none; in an array it would be a null.
  if (value === undefined && !inArray) return;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return;
  work.push({ value, at, kind });
}

function below(kind: Kind, key: string): Kind {
  if (kind === 'map') return 'schema';
  if (kind !== 'schema') return kind;
  if (MAPS.has(key)) return 'map';
  if (SCHEMAS.has(key)) return 'schema';
  return ASSERTIONS.has(key) ? 'value' : 'other';
}

function isData(value: unknown): boolean {
  if (value === null) return true;
  if (typeof value !== 'object') return false;
  const tag = Object.prototype.toString.call(value);
  return tag === '[object Object]' || tag === '[object Array]' || tag === '[object Module]';
}

function nameOf(value: unknown): string {
  if (typeof value === 'object') return `a ${Object.prototype.toString.call(value).slice(8, -1)}`;
  return typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`;
}
