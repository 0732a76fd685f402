/** Options of the JSON Schema front end, their defaults, and the limits that keep hostile schemas finite. */
import { OptionError } from '../../base/errors.js';
import type { Whitespace } from '../ir.js';
import type { NumberStyle } from './number-text.js';

export type Draft = '4' | '6' | '7' | '2019-09' | '2020-12';

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

export interface SchemaLimits {
  /** Nesting of values that is followed, in the schema and through references. */
  readonly depth?: number;
  /** Distinct formulas (schema locations and their combinations). */
  readonly formulas?: number;
  /** Alternatives (shapes) of one schema after all combinations. */
  readonly alternatives?: number;
  /** Branches of an in-place applicator whose subsets unevaluated* must tell apart. */
  readonly splits?: number;
  /** Steps of all intersections and emptiness tests of one schema. */
  readonly steps?: number;
  /** Automaton states explored by one emptiness test of a regular language. */
  readonly states?: number;
  /** Characters of a schema given as text. */
  readonly text?: number;
}

export interface SchemaOptions {
  readonly whitespace?: Whitespace;
  readonly propertyOrder?: 'schema' | 'any';
  /** What to do with a part that cannot be enforced: refuse the schema, or leave the part out with a diagnostic. */
  readonly unsupported?: 'error' | 'warn';
  /** 'annotate' enforces no format. */
  readonly formats?: 'assert' | 'annotate';
  /** Most digits of the integer part and of the fraction of a number. Off where undefined. */
  readonly maxDigits?: number | undefined;
  readonly numbers?: NumberStyle;
  /** Draft of schemas without (a known) $schema. */
  readonly draft?: Draft;
  /** Schemas that $ref may name, by URI. */
  readonly schemas?: Readonly<Record<string, unknown>>;
  readonly limits?: SchemaLimits;
}

/** Their names. The type makes the list complete. */
export const SCHEMA_OPTIONS: readonly string[] = Object.keys({
  whitespace: true,
  propertyOrder: true,
  unsupported: true,
  formats: true,
  maxDigits: true,
  numbers: true,
  draft: true,
  schemas: true,
  limits: true,
} satisfies Record<keyof SchemaOptions, true>);

export interface Settings {
  readonly whitespace: Whitespace;
  readonly propertyOrder: 'schema' | 'any';
  readonly unsupported: 'error' | 'warn';
  readonly formats: 'assert' | 'annotate';
  readonly maxDigits: number | undefined;
  readonly numbers: NumberStyle;
  readonly draft: Draft;
  readonly schemas: Readonly<Record<string, unknown>>;
  readonly limits: Required<SchemaLimits>;
}

export interface SchemaDiagnostic {
  readonly pointer: string;
  readonly keyword: string;
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
}

export interface SchemaReport {
  /** Whether every assertion of the schema is enforced. */
  readonly supported: boolean;
  readonly diagnostics: readonly SchemaDiagnostic[];
}

const LIMITS: Required<SchemaLimits> = {
  depth: 400,
  formulas: 200_000,
  alternatives: 2048,
  splits: 10,
  steps: 200_000,
  states: 20_000,
  text: 16_000_000,
};

function choice<T extends string>(name: string, given: T | undefined, allowed: readonly T[]): T {
  if (given === undefined) return allowed[0]!;
  if (!allowed.includes(given)) throw new OptionError(name, allowed.join(' | '), String(given));
  return given;
}

/** Checks options and fills in defaults. @throws OptionError */
export function settingsOf(o: SchemaOptions): Settings {
  const limits = { ...LIMITS };
  for (const [key, value] of Object.entries(o.limits ?? {})) {
    if (!Object.hasOwn(LIMITS, key)) throw new OptionError('limits', Object.keys(LIMITS).join(' | '), key);
    if (value === undefined) continue;
    if (typeof value !== 'number' || !(value > 0))
      throw new OptionError(`limits.${key}`, 'a positive number', String(value));
    limits[key as keyof SchemaLimits] = value;
  }
  if (o.maxDigits !== undefined && !(Number.isInteger(o.maxDigits) && o.maxDigits > 0)) {
    throw new OptionError('maxDigits', 'a positive integer', String(o.maxDigits));
  }
  return {
    whitespace: choice('whitespace', o.whitespace, ['bounded', 'compact', 'flexible']),
    propertyOrder: choice('propertyOrder', o.propertyOrder, ['schema', 'any']),
    unsupported: choice('unsupported', o.unsupported, ['error', 'warn']),
    formats: choice('formats', o.formats, ['assert', 'annotate']),
    maxDigits: o.maxDigits,
    numbers: choice('numbers', o.numbers, ['any', 'canonical']),
    draft: choice('draft', o.draft, ['2020-12', '2019-09', '7', '6', '4']),
    schemas: o.schemas ?? {},
    limits,
  };
}
