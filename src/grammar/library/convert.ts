/** What the readers of schema libraries share: recursion becomes `$defs`, depth is bounded, the unknown is an error. */
import { LimitError, OptionError } from '../../base/errors.js';

export type Schema = Record<string, unknown>;
/** A library's object, read field by field. */
export type Described = Readonly<Record<string, unknown>>;

const DEEPEST = 300;

export class Walk {
  readonly #stack: object[] = [];
  readonly #path: string[] = [];
  readonly #names = new Map<object, string>();
  readonly #defs: Record<string, Schema> = {};

  /** Converts a node; one that is met again inside itself becomes a definition. */
  enter(node: object, make: () => Schema): Schema {
    const known = this.#names.get(node);
    if (known !== undefined) return { $ref: `#/$defs/${known}` };
    if (this.#stack.includes(node)) {
      const name = `r${this.#names.size + 1}`;
      this.#names.set(node, name);
      return { $ref: `#/$defs/${name}` };
    }
    if (this.#stack.length >= DEEPEST) throw new LimitError('nesting of the schema', this.#stack.length + 1, DEEPEST);
    this.#stack.push(node);
    const schema = make();
    this.#stack.pop();
    const name = this.#names.get(node);
    if (name === undefined) return schema;
    this.#defs[name] = schema;
    return { $ref: `#/$defs/${name}` };
  }

  /** The whole schema with its definitions. What is refused is said with its path. */
  finish(make: () => Schema): Schema {
    let root: Schema;
    try {
      root = make();
    } catch (error) {
      if (!(error instanceof OptionError) || this.#path.length === 0) throw error;
      throw new OptionError(error.option, error.expected, `${error.got} at '${this.#path.join('.')}'`);
    }
    return Object.keys(this.#defs).length === 0 ? root : { ...root, $defs: this.#defs };
  }

  /** Converts what stands below a key. */
  below(key: string, make: () => Schema): Schema {
    this.#path.push(key);
    const schema = make();
    this.#path.pop();
    return schema;
  }
}

export function asObject(value: unknown, what: string): Described {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) {
    throw new OptionError('schema', what, value === null ? 'null' : typeof value);
  }
  return value as Described;
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

export function unsupported(library: string, type: unknown): OptionError {
  return new OptionError(
    'schema',
    `${library} types that JSON Schema has a word for (or pass the library's converter as toJSONSchema)`,
    String(type),
  );
}

/** A schema that admits null too. */
export function nullable(schema: Schema): Schema {
  return { anyOf: [schema, { type: 'null' }] };
}

/** A regular expression as a JSON Schema pattern, its flags as modifiers of a group. @throws OptionError for set notation (flag v) */
export function patternOf(re: RegExp, library: string): string {
  if (re.flags.includes('v') && /--|&&|\\q/.test(re.source)) throw unsupported(library, `the pattern ${String(re)}`);
  const modifiers = re.flags.replace(/[^ims]/g, '');
  if (modifiers === '') return re.source;
  const pattern = `(?${modifiers}:${re.source})`;
  // Without Unicode semantics K does not match the Kelvin sign, nor s the long s (ECMA-262, Canonicalize).
  const exotic = modifiers.includes('i') && !/[uv]/.test(re.flags);
  return exotic ? `^(?=[^\\u017F\\u212A]*$)[\\s\\S]*?${pattern}` : pattern;
}

/** A literal text as a pattern. */
export function escapeRegex(literal: string): string {
  return literal.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

/** Strings that must match several patterns. */
export function addPatterns(out: Schema, patterns: readonly string[]): Schema {
  if (patterns.length === 1 && out.pattern === undefined) out.pattern = patterns[0];
  else if (patterns.length > 0) out.allOf = [...list(out.allOf), ...patterns.map((pattern) => ({ pattern }))];
  return out;
}

/** Objects by property; what can only be absent (`undefined`) is declared and never allowed. */
export function objectOf(
  walk: Walk,
  shape: Described,
  convert: (value: unknown) => Schema,
  isOptional: (value: unknown) => boolean,
  additional: Schema | boolean | undefined,
): Schema {
  const properties: Record<string, Schema> = Object.create(null) as Record<string, Schema>;
  const required: string[] = [];
  for (const [key, value] of Object.entries(shape)) {
    properties[key] = walk.below(key, () => convert(value));
    if (!isOptional(value)) required.push(key);
  }
  return {
    type: 'object',
    properties,
    ...(required.length > 0 ? { required } : {}),
    ...(additional === undefined ? {} : { additionalProperties: additional }),
  };
}

/** Objects by the schemas of their keys and values. */
export function recordOf(keys: Schema, values: Schema): Schema {
  const anyKey = Object.keys(keys).length === 1 && keys.type === 'string';
  if (anyKey) return { type: 'object', additionalProperties: values };
  // Keys are strings: those of numbers are the numbers' texts.
  const numeric = keys.type === 'number' || keys.type === 'integer';
  const names = numeric
    ? { pattern: keys.type === 'integer' ? '^-?(0|[1-9]\\d*)$' : '^-?(0|[1-9]\\d*)(\\.\\d+)?$' }
    : keys;
  return { type: 'object', additionalProperties: values, propertyNames: names };
}

/** A union less its members that no JSON value has. */
export function unionOf(options: readonly Schema[]): Schema {
  const some = options.filter((o) => !isNothing(o));
  if (some.length === 0) return { not: {} };
  return some.length === 1 ? some[0]! : { anyOf: some };
}

/** Whether a schema admits nothing, plainly. */
export const isNothing = (schema: Schema): boolean =>
  Object.keys(schema).length === 1 &&
  typeof schema.not === 'object' &&
  schema.not !== null &&
  Object.keys(schema.not).length === 0;

/** Literal values: `const` for one, `enum` for more; what JSON cannot say is refused. */
export function literals(values: readonly unknown[], library: string): Schema {
  for (const value of values) {
    const json = value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
    if (!json) throw unsupported(library, `a literal ${String(value)}`);
  }
  return values.length === 1 ? { const: values[0] } : { enum: [...values] };
}
