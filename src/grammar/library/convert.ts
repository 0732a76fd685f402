/** What the readers of schema libraries share: recursion becomes `$defs`, depth is bounded, the unknown is an error. */
import { LimitError, OptionError } from '../../base/errors.js';

export type Schema = Record<string, unknown>;
/** A library's object, read field by field. */
export type Described = Readonly<Record<string, unknown>>;

const DEEPEST = 300;

export class Walk {
  readonly #stack: object[] = [];
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

  finish(root: Schema): Schema {
    return Object.keys(this.#defs).length === 0 ? root : { ...root, $defs: this.#defs };
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
    `'${String(type)}'`,
  );
}

/** A schema that admits null too. */
export function nullable(schema: Schema): Schema {
  return { anyOf: [schema, { type: 'null' }] };
}

/** A regular expression as a JSON Schema pattern; flags that change its language are refused by name. */
export function patternOf(re: RegExp, library: string): string {
  if (/[ims]/.test(re.flags)) throw unsupported(library, `a pattern with flags ${re.flags}`);
  return re.source;
}

/** Literal values: `const` for one, `enum` for more; what JSON cannot say is refused. */
export function literals(values: readonly unknown[], library: string): Schema {
  for (const value of values) {
    const json = value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
    if (!json) throw unsupported(library, `a literal ${String(value)}`);
  }
  return values.length === 1 ? { const: values[0] } : { enum: [...values] };
}
