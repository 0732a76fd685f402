/** The constructors of constraints. */
import { OptionError } from '../../base/errors.js';
import { checkNames } from '../../base/options.js';
import { readSchema } from '../library/index.js';
import { SCHEMA_OPTIONS, type SchemaOptions } from '../schema/options.js';
import type { Infer, InferInput } from './infer.js';
import type { ChoiceConstraint, GbnfConstraint, JsonConstraint, RegexConstraint } from './types.js';

export interface JsonOptions extends SchemaOptions {
  /** For schema libraries that cannot say their own JSON Schema: the library's converter, e.g. `z.toJSONSchema`. */
  readonly toJSONSchema?: ((schema: never, options: { readonly io: 'input' }) => unknown) | undefined;
}

/**
 * JSON that fits a schema: a JSON Schema (object, boolean, or text) or a schema of zod 4 and mini, zod 3, valibot, arktype or TypeBox.
 * Objects of schema libraries are closed unless they say otherwise; transforms and refinements run on the parsed value afterwards.
 * @throws OptionError for a value that is no schema, or a library type that JSON Schema has no word for
 */
export function json<const S>(schema: S, options: JsonOptions = {}): JsonConstraint<Infer<S>, InferInput<S>> {
  const { toJSONSchema, ...rest } = options;
  checkNames(rest, SCHEMA_OPTIONS);
  const read = readSchema(schema, toJSONSchema as ((schema: unknown, options: { io: 'input' }) => unknown) | undefined);
  return {
    kind: 'json',
    schema: read.schema,
    options: rest,
    ...(read.parse === undefined ? {} : { parse: read.parse as (value: unknown) => Infer<S> | Promise<Infer<S>> }),
  };
}

/** A text of a GBNF grammar; `root` names the start rule (default `root`). */
export function gbnf(source: string, options: { readonly root?: string | undefined } = {}): GbnfConstraint {
  if (typeof source !== 'string') throw new OptionError('source', 'the text of a grammar', typeof source);
  checkNames(options, ['root']);
  return { kind: 'gbnf', source, ...(options.root === undefined ? {} : { root: options.root }) };
}

/** The whole output matches the pattern (text, or a RegExp with its flags). */
export function regex(pattern: string | RegExp): RegexConstraint {
  if (pattern instanceof RegExp) return { kind: 'regex', pattern: pattern.source, flags: pattern.flags };
  if (typeof pattern !== 'string') throw new OptionError('pattern', 'text or a RegExp', typeof pattern);
  return { kind: 'regex', pattern, flags: '' };
}

/** One of the given texts. */
export function choice<const S extends readonly string[]>(strings: S): ChoiceConstraint<S[number]> {
  if (!Array.isArray(strings) || !strings.every((s) => typeof s === 'string')) {
    throw new OptionError('strings', 'an array of texts', String(strings));
  }
  const broken = strings.find((s) => LONE_SURROGATE.test(s));
  if (broken !== undefined) throw new OptionError('strings', 'texts that UTF-8 can spell', JSON.stringify(broken));
  return { kind: 'choice', texts: [...strings] };
}

/** Half of a pair: no UTF-8 spells it. */
export const LONE_SURROGATE = /\p{Surrogate}/u;
