/**
 * One schema location, keyword by keyword, into a normal form.
 *
 * Assertions of one type (say minLength, pattern, format) become one part of the normal form; in-place applicators become
 * formulas that are expanded and intersected, left to right. What a draft does not know is an annotation there, as its
 * specification says; what a draft spells differently (items, exclusiveMinimum, id) is read in the older way where its form shows it.
 */

import { assertions } from './assertions.js';
import { unevaluated } from './evaluated.js';
import { FALSE, type Formula, TRUE } from './formula.js';
import type { Location } from './load.js';
import { reviewKeywords } from './misspelled.js';
import { andNormal, EVERYTHING, minusNormal, type Normal, orNormal } from './normal.js';
import type { Normaliser } from './normalise.js';
import { oneOf } from './one-of.js';
import type { JsonObject } from './options.js';
import { ANY_OBJECT, keyMap } from './shapes.js';
import { branches, formulaOf, malformed, present, schemaDependencies, subschema } from './subschemas.js';
import { keywordsOf } from './vocabulary.js';

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
  reviewKeywords(n.context, at);
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
