/**
 * Constraints: what a caller wants the output to be, as plain data. A constraint crosses to a worker thread as it is (but for `parse`,
 * which stays with the caller); it becomes a grammar only when it is compiled, so making one never fails for what its text says.
 */
import type { CallForm, ParameterKinds } from '../../base/call-form.js';
import type { SchemaOptions } from '../schema/options.js';

interface Typed<T> {
  /** Carries the result type; never present. */
  readonly '~type'?: T;
}

/** The output is JSON that fits `schema` (a JSON Schema: object, boolean, or its text). */
export interface JsonConstraint<T = unknown, I = unknown> extends Typed<T> {
  /** Carries the type of the JSON, before transforms; never present. */
  readonly '~input'?: I;
  readonly kind: 'json';
  readonly schema: unknown;
  readonly options: SchemaOptions;
  /** From the parsed JSON to the result: transforms and refinements of a schema library. */
  readonly parse?: (value: unknown) => T | Promise<T>;
}

/** The output is a text of a GBNF grammar. */
export interface GbnfConstraint extends Typed<string> {
  readonly kind: 'gbnf';
  readonly source: string;
  readonly root?: string;
}

/** The whole output matches an ECMA-262 pattern. */
export interface RegexConstraint extends Typed<string> {
  readonly kind: 'regex';
  readonly pattern: string;
  readonly flags: string;
}

/** The output is one of these texts. */
export interface ChoiceConstraint<T extends string = string> extends Typed<T> {
  readonly kind: 'choice';
  readonly texts: readonly T[];
}

/** A part of a text between two marks. */
export interface Tag {
  /** Not empty. */
  readonly begin: string;
  readonly content: Exclude<Constraint, TagsConstraint | CallsConstraint>;
  /** Empty where the content ends by itself. */
  readonly end: string;
}

/** The output is text without any of `triggers`, but where a tag begins with one; see `tags`. */
export interface TagsConstraint extends Typed<string> {
  readonly kind: 'tags';
  readonly tags: readonly Tag[];
  readonly triggers: readonly string[];
  readonly min: number;
  /** Absent where unbounded, so that constraints outlive JSON. */
  readonly max?: number;
  readonly text: 'anywhere' | 'before';
}

/** The output is text, and calls of tools in the form of a model; made for `toolChoice: 'auto'`. */
export interface CallsConstraint extends Typed<string> {
  readonly kind: 'calls';
  readonly form: CallForm;
  /** `kinds`: what parameters take, where arguments are elements. */
  readonly tools: readonly {
    readonly name: string;
    readonly content: JsonConstraint;
    readonly kinds: ParameterKinds;
  }[];
  /** Whether more than one call may come, where the form has several. */
  readonly parallel: boolean;
}

export type Constraint<T = unknown> =
  | JsonConstraint<T>
  | (Typed<T> & (GbnfConstraint | RegexConstraint | ChoiceConstraint | TagsConstraint | CallsConstraint));

/** Whether a value is a constraint rather than a schema. */
export function isConstraint(value: unknown): value is Constraint {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false;
  const v = value as Record<string, unknown>;
  switch (v.kind) {
    case 'json':
      return 'schema' in v && typeof v.options === 'object';
    case 'gbnf':
      return typeof v.source === 'string';
    case 'regex':
      return typeof v.pattern === 'string' && typeof v.flags === 'string';
    case 'choice':
      return Array.isArray(v.texts);
    case 'tags':
      return Array.isArray(v.tags) && Array.isArray(v.triggers);
    case 'calls':
      return typeof v.form === 'object' && Array.isArray(v.tools);
    default:
      return false;
  }
}
