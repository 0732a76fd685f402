/** Which keywords each draft knows, and those in force at a location. */
import { escapePointer, type Location } from './load.js';
import type { Normaliser } from './normalise.js';
import type { Draft, JsonObject, JsonValue } from './options.js';

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
      if (verbose && !ANNOTATIONS.has(key) && n.context.meant.get(key) === undefined)
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
