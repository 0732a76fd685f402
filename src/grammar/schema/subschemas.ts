/** From the values of keywords to formulas: subschemas, lists of them, and what malformed ones are reported as. */
import { FALSE, type Formula, TRUE } from './formula.js';
import { escapePointer, isObject, type Location } from './load.js';
import { reviewKeywords } from './misspelled.js';
import { NOTHING } from './normal.js';
import type { Normaliser } from './normalise.js';
import type { JsonObject, JsonValue } from './options.js';
import { ANY_OBJECT } from './shapes.js';
import { ANNOTATIONS, type Keywords, keywordsOf, RANK } from './vocabulary.js';

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
  let met: Set<unknown> | undefined;
  for (;;) {
    const { schema } = here;
    if (schema === true) return TRUE;
    if (schema === false) return FALSE;
    const known = formulas.known(schema, here.scope);
    if (known !== undefined) return known;
    if (!onlyRefers(here)) break;
    if (met?.has(schema) && seen?.some((x) => x.schema === schema && x.scope === here.scope)) break;
    if (n.context.verbose) {
      // What these report is all that there is to say of it.
      reviewKeywords(n.context, here);
      keywordsOf(n, here);
    }
    seen ??= [];
    seen.push(here);
    met ??= new Set();
    met.add(schema);
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
  // JSON.parse reads 1e400 as Infinity.
  if (typeof value === 'number' && !Number.isFinite(value)) return 'a number that no double holds';
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
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

/** Objects with the key, and no other value. */
export function present(n: Normaliser, key: string): Formula {
  return n.context.formulas.normal({ ...NOTHING, objects: [{ ...ANY_OBJECT, required: [key] }] });
}

/** Reports a keyword whose value has the wrong form. */
export function malformed(
  n: Normaliser,
  at: Location,
  keyword: string,
  expected: string,
  got: JsonValue | undefined,
): void {
  n.context.unsupported(at, keyword, `expected ${expected}, got ${describe(got)}`);
}
