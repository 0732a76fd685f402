/**
 * Schemas of TypeScript libraries as JSON Schema, without importing any of them: each is known by the marks on its objects.
 *
 * Where a library says its own JSON Schema (Standard JSON Schema on `~standard`, a method of the schema) that is used, for the input side:
 * what the model writes is what the library will parse. Of zod (3, 4 and mini) and valibot the schema's own description is read.
 * A zod 4 schema never goes through a converter made for zod 3, which answers `{}`.
 *
 * Objects are closed unless they say otherwise: a model should not invent properties that the library would strip.
 */
import { OptionError } from '../../base/errors.js';
import { checkNesting } from '../../base/nesting.js';
import { parseJson } from '../../base/parse-json.js';
import { ValueError } from '../../base/value-error.js';
import { closeObjects } from './close.js';
import { patternOf } from './convert.js';
import { checkPlain } from './plain.js';
import { valibotToSchema } from './valibot.js';
import { zod3ToSchema } from './zod3.js';
import { zod4ToSchema } from './zod4.js';

export interface ReadSchema {
  /** Plain JSON Schema, or its text. */
  readonly schema: unknown;
  readonly parse?: (value: unknown) => unknown;
}

type Converter = (schema: unknown, options: { io: 'input' }) => unknown;

interface Standard {
  readonly vendor: string;
  readonly validate: (value: unknown) => StandardResult | Promise<StandardResult>;
  readonly jsonSchema?: { readonly input?: (options: { target: string }) => unknown };
}

interface StandardResult {
  readonly value?: unknown;
  readonly issues?: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] | undefined;
}

/** See the module's header. @throws OptionError, LimitError */
export function readSchema(schema: unknown, convert?: Converter | undefined): ReadSchema {
  if (typeof schema === 'string' || typeof schema === 'boolean') return { schema };
  if ((typeof schema !== 'object' && typeof schema !== 'function') || schema === null || Array.isArray(schema)) {
    throw new OptionError('schema', 'a JSON Schema, its text, or a schema of a known library', describe(schema));
  }
  const standard = standardOf(schema);
  if (standard !== undefined) {
    const plain = convert === undefined ? toJsonSchema(schema, standard) : convert(schema, { io: 'input' });
    return { schema: closeObjects(clean(plain)), parse: (value) => validate(standard, value) };
  }
  if (convert !== undefined) return { schema: clean(convert(schema, { io: 'input' })) };
  if (isTypeBox(schema)) return { schema: closeObjects(withPatterns(clean(schema))) };
  if (typeof schema === 'function') throw unknownLibrary('a function');
  checkPlain(schema, (value) => standardOf(value)?.vendor);
  return { schema };
}

function standardOf(schema: object): Standard | undefined {
  const standard: unknown = '~standard' in schema ? schema['~standard'] : undefined;
  const known = typeof standard === 'object' && standard !== null && 'validate' in standard && 'vendor' in standard;
  return known ? (standard as Standard) : undefined;
}

function toJsonSchema(schema: object, standard: Standard): unknown {
  if ('_zod' in schema) return zod4ToSchema(schema);
  // arktype's standard method answers `{}` for what it cannot say; its own one refuses.
  if ('toJsonSchema' in schema && typeof schema.toJsonSchema === 'function') {
    try {
      const side: unknown = 'in' in schema ? schema.in : schema;
      // What a predicate says beyond its base is left to the library's own check of the value.
      const fallback = { predicate: (context: { readonly base: unknown }) => context.base };
      return (side as { toJsonSchema: (options: object) => unknown }).toJsonSchema({ fallback });
    } catch (cause) {
      throw refused(standard.vendor, cause);
    }
  }
  const input = standard.jsonSchema?.input;
  if (typeof input === 'function') {
    try {
      return input.call(standard.jsonSchema, { target: 'draft-2020-12' });
    } catch (cause) {
      throw refused(standard.vendor, cause);
    }
  }
  if (standard.vendor === 'zod' && '_def' in schema) return zod3ToSchema(schema);
  if (standard.vendor === 'valibot') return valibotToSchema(schema);
  throw unknownLibrary(`a schema of '${standard.vendor}'`);
}

async function settle(result: Promise<StandardResult>): Promise<unknown> {
  return take(await result);
}

function validate(standard: Standard, value: unknown): unknown {
  const result = standard.validate(value);
  return result instanceof Promise ? settle(result) : take(result);
}

function take(result: StandardResult): unknown {
  if (result.issues === undefined) return result.value;
  throw new ValueError(
    result.issues.map((issue) => {
      const path = (issue.path ?? []).map((p) => String(typeof p === 'object' && p !== null && 'key' in p ? p.key : p));
      return path.length === 0 ? issue.message : `${path.join('.')}: ${issue.message}`;
    }),
  );
}

function isTypeBox(schema: object): boolean {
  return '~kind' in schema || Object.getOwnPropertySymbols(schema).some((s) => s.description === 'TypeBox.Kind');
}

/** TypeBox's regular expressions as strings with a pattern. */
function withPatterns(schema: unknown): unknown {
  return JSON.parse(JSON.stringify(schema), (_key, value: unknown) => {
    const re = value as { readonly type?: unknown; readonly source?: unknown; readonly flags?: unknown } | null;
    if (typeof re !== 'object' || re === null || re.type !== 'RegExp' || typeof re.source !== 'string') return value;
    return { type: 'string', pattern: patternOf(new RegExp(re.source, String(re.flags ?? '')), 'TypeBox') };
  });
}

/** Plain data: no symbols, functions, or private marks. */
function clean(schema: unknown): unknown {
  checkNesting(schema, 'the schema');
  return parseJson(
    JSON.stringify(schema, (key, value: unknown) => (key.startsWith('~') ? undefined : value)) ?? 'true',
  );
}

function refused(vendor: string, cause: unknown): OptionError {
  const reason = (cause instanceof Error ? cause.message : String(cause)).replace(/\s+/g, ' ').slice(0, 200);
  return new OptionError(
    'schema',
    `a ${vendor} schema that has a JSON Schema`,
    `one that its library refuses: ${reason}`,
  );
}

function unknownLibrary(what: string): OptionError {
  return new OptionError(
    'schema',
    "a JSON Schema, or a schema of zod, valibot, arktype or TypeBox (for others: pass the library's converter as toJSONSchema)",
    what,
  );
}

function describe(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value;
}
