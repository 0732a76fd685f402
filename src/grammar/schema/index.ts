/**
 * JSON Schema -> grammar IR.
 *
 *     schema (object, boolean, JSON text)
 *       load.ts        resources, references, drafts
 *       keywords.ts    one location -> normal form; vocabulary.ts, assertions.ts, formats.ts, numbers.ts, strings.ts, shapes.ts, evaluated.ts
 *       normalise.ts   boolean formulas over locations -> normal forms, one level at a time, memoised
 *       solve.ts       emptiness
 *       emit.ts        normal forms -> expressions
 *
 * See docs/json-schema.md for what is enforced and docs/architecture.md for why the normal form is closed.
 */
import { LimitError, TokenloomError, UnsatisfiableError, UnsupportedSchemaError } from '../../base/errors.js';
import type { Grammar } from '../ir.js';
import { parseJson } from '../json/index.js';
import { Context } from './context.js';
import { Emitter } from './emit.js';
import type { Formula } from './formula.js';
import { isObject, NeedsScopes } from './load.js';
import { Normaliser } from './normalise.js';
import {
  type JsonObject,
  type SchemaDiagnostic,
  type SchemaOptions,
  type SchemaReport,
  type Settings,
  settingsOf,
} from './options.js';
import { Solver } from './solve.js';
import { formulaOf } from './subschemas.js';

export type { Draft, SchemaDiagnostic, SchemaLimits, SchemaOptions, SchemaReport } from './options.js';

export interface SchemaGrammar {
  readonly grammar: Grammar;
  readonly diagnostics: readonly SchemaDiagnostic[];
}

/**
 * Compiles a JSON Schema. A string is read as JSON text.
 * @throws GrammarError (unreadable text), UnsupportedSchemaError, UnsatisfiableError, LimitError, OptionError
 */
export function schemaToGrammar(schema: unknown, options: SchemaOptions = {}): SchemaGrammar {
  const settings = settingsOf(options);
  return compileSchema(readSchema(schema, settings), settings, false);
}

function readSchema(schema: unknown, settings: Settings): JsonObject | boolean {
  let value = schema;
  if (typeof schema === 'string') {
    if (schema.length > settings.limits.text)
      throw new LimitError('characters of a schema', schema.length, settings.limits.text, '');
    value = parseJson(schema);
  }
  if (typeof value === 'boolean' || isObject(value)) return value;
  throw new UnsupportedSchemaError(
    '',
    'schema',
    `expected an object, a boolean or JSON text of one, got ${value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value}`,
  );
}

function compileSchema(schema: JsonObject | boolean, settings: Settings, verbose: boolean): SchemaGrammar {
  try {
    return attempt(schema, settings, verbose, false);
  } catch (e) {
    if (e instanceof NeedsScopes) return attempt(schema, settings, verbose, true);
    throw e;
  }
}

function attempt(schema: JsonObject | boolean, settings: Settings, verbose: boolean, scopes: boolean): SchemaGrammar {
  // The key sets of a context ask the normaliser, which needs the context.
  const late: { normaliser?: Normaliser } = {};
  const context = new Context(schema, settings, verbose, scopes, (f: Formula) => late.normaliser!.strings(f));
  const normaliser = new Normaliser(context);
  late.normaliser = normaliser;
  const solver = new Solver(normaliser);
  normaliser.solver = solver;
  try {
    const root = formulaOf(normaliser, context.loader.root);
    if (!solver.nonEmpty(root)) throw new UnsatisfiableError('no JSON value satisfies this schema', '');
    const grammar = new Emitter(normaliser, solver).grammar(root);
    return { grammar, diagnostics: context.diagnostics };
  } catch (e) {
    if (e instanceof RangeError && /call stack/i.test(e.message)) {
      throw new LimitError('nesting of schemas', settings.limits.depth + 1, settings.limits.depth, context.where);
    }
    throw context.placed(e);
  }
}

/** What of a schema is enforced, ignored or refused. Never throws for a readable schema. */
export function checkSchema(schema: unknown, options: SchemaOptions = {}): SchemaReport {
  const settings: Settings = { ...settingsOf(options), unsupported: 'warn' };
  let diagnostics: readonly SchemaDiagnostic[];
  try {
    diagnostics = compileSchema(readSchema(schema, settings), settings, true).diagnostics;
  } catch (e) {
    if (!(e instanceof TokenloomError)) throw e;
    const pointer =
      e instanceof UnsupportedSchemaError
        ? e.pointer
        : 'pointer' in e && typeof e.pointer === 'string'
          ? e.pointer
          : '';
    const keyword = e instanceof UnsupportedSchemaError ? e.keyword : '';
    diagnostics = [{ pointer, keyword, severity: 'error', message: e.message }];
  }
  return { supported: !diagnostics.some((d) => d.severity === 'error'), diagnostics };
}
