/**
 * zod 4 schemas (classic and mini) read off their own description (`_zod.def`). Input side: what the model writes is what zod parses, so
 * pipes take their first part, defaults are optional, and what coerces takes a JSON spelling of its type.
 *
 * zod's own JSON Schema is not used: it drops flags of patterns and limits of URLs, and says strings for files.
 */
import {
  addPatterns,
  asObject,
  type Described,
  escapeRegex,
  isNothing,
  list,
  literals,
  nullable,
  objectOf,
  patternOf,
  recordOf,
  type Schema,
  unionOf,
  unsupported,
  Walk,
} from './convert.js';

/** Formats that JSON Schema has too; zod's own pattern, where there is one, is taken beside them. */
const FORMATS: Readonly<Record<string, string>> = {
  email: 'email',
  url: 'uri',
  uuid: 'uuid',
  datetime: 'date-time',
  date: 'date',
  duration: 'duration',
  ipv4: 'ipv4',
  ipv6: 'ipv6',
};

/** Three parts of base64url; what they say is left to zod. */
const JWT = '^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]*$';
const MAX_FLOAT32 = 3.4028234663852886e38;

/** JSON Schema of a zod 4 schema. @throws OptionError for types that JSON cannot hold */
export function zod4ToSchema(schema: object): Schema {
  const walk = new Walk();
  return walk.finish(() => convert(schema, walk));
}

function internals(schema: unknown): Described {
  return asObject(asObject(schema, 'a zod schema')._zod, 'a zod 4 schema');
}

function defOf(schema: unknown): Described {
  return asObject(internals(schema).def, 'a zod 4 schema');
}

function convert(schema: unknown, walk: Walk): Schema {
  const node = asObject(schema, 'a zod schema');
  return walk.enter(node, () => {
    const out = byType(schema, defOf(schema), walk);
    // Only classic schemas know their description by themselves.
    const { description } = node;
    return typeof description === 'string' && !('$ref' in out) ? { ...out, description } : out;
  });
}

function byType(schema: unknown, def: Described, walk: Walk): Schema {
  const { type } = def;
  const inner = (s: unknown): Schema => convert(s, walk);
  switch (type) {
    case 'string':
      return text(def);
    case 'number':
    case 'int':
      return number(def);
    case 'boolean':
    case 'null':
      return { type };
    case 'date':
      if (def.coerce === true) return { type: 'string', format: 'date-time' };
      throw unsupported('zod', "'date' (use z.iso.datetime(), or z.coerce.date() for a Date)");
    case 'bigint':
      if (def.coerce === true) return { type: 'string', pattern: '^-?(0|[1-9][0-9]*)$' };
      throw unsupported('zod', "'bigint' (use z.int(), or z.coerce.bigint() for a string of digits)");
    case 'any':
    case 'unknown':
      return {};
    case 'never':
    case 'undefined':
    case 'void':
      return { not: {} };
    case 'literal':
      return literals(definite(list(def.values)), 'zod');
    case 'enum':
      return literals(enumValues(asObject(def.entries, 'enum entries')), 'zod');
    case 'array':
      return { type: 'array', items: inner(def.element), ...bounds(def, 'Items') };
    case 'tuple':
      return tuple(def, walk);
    case 'object': {
      const rest = def.catchall === undefined ? undefined : inner(def.catchall);
      return objectOf(
        walk,
        asObject(def.shape, 'an object shape'),
        inner,
        isOptional,
        rest === undefined ? undefined : isNothing(rest) ? false : rest,
      );
    }
    case 'record':
      return record(def, walk);
    case 'union': {
      const options = list(def.options).map(inner);
      return def.inclusive === false ? { oneOf: options } : unionOf(options);
    }
    case 'intersection':
      return { allOf: [inner(def.left), inner(def.right)] };
    case 'nullable':
      return nullable(inner(def.innerType));
    case 'optional':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
    case 'success':
      return inner(def.innerType);
    case 'lazy':
      return inner((def.getter as () => unknown)());
    case 'pipe':
      // preprocess() begins with a function of anything: what comes out of it is the best word there is.
      return inner(isTransform(def.in) ? def.out : def.in);
    case 'template_literal': {
      const { pattern } = internals(schema);
      if (pattern instanceof RegExp) return { type: 'string', pattern: patternOf(pattern, 'zod') };
      throw unsupported('zod', type);
    }
    default:
      throw unsupported('zod', `'${String(type)}'`);
  }
}

const isTransform = (schema: unknown): boolean => defOf(schema).type === 'transform';

function checksOf(def: Described): Described[] {
  const own = def.check === undefined ? [] : [def];
  return [...own, ...list(def.checks).map(defOf)];
}

function text(def: Described): Schema {
  const out: Schema = { type: 'string' };
  const patterns: string[] = [];
  // What trims or changes case may make a string valid that is not yet; what stands before it is what the model must meet, and
  // what is already trimmed and in case passes both.
  for (const check of checksOf(def)) {
    switch (check.check) {
      case 'min_length':
        out.minLength = check.minimum;
        break;
      case 'max_length':
        out.maxLength = check.maximum;
        break;
      case 'length_equals':
        out.minLength = check.length;
        out.maxLength = check.length;
        break;
      case 'string_format': {
        const format = FORMATS[String(check.format)];
        if (format !== undefined) out.format = format;
        if (check.format === 'jwt') patterns.push(JWT);
        else if (check.format === 'url') patterns.push(...urlPatterns(check));
        else if (check.format === 'starts_with') patterns.push(`^${escapeRegex(String(check.prefix))}`);
        else if (check.format === 'ends_with') patterns.push(`${escapeRegex(String(check.suffix))}$`);
        else if (check.format === 'includes') patterns.push(escapeRegex(String(check.includes)));
        else if (check.format === 'base64')
          patterns.push('^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$');
        else if (check.format === 'base64url') patterns.push('^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2,3})?$');
        else if (check.format === 'ipv6') break;
        else if (check.pattern instanceof RegExp) patterns.push(patternOf(check.pattern, 'zod'));
        break;
      }
    }
  }
  return addPatterns(out, patterns);
}

/** Scheme and host of a URL by zod's own expressions, in the plain form `scheme://host`. */
function urlPatterns(check: Described): string[] {
  const { protocol, hostname } = check;
  const inside = (re: RegExp): string => `(?=${patternOf(re, 'zod').replace(/^\^/, '').replace(/\$$/, '')}:)`;
  const out: string[] = [];
  if (protocol instanceof RegExp) out.push(`^${inside(protocol)}`);
  if (hostname instanceof RegExp)
    out.push(
      '^[A-Za-z][A-Za-z0-9+.-]*://[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\\.[A-Za-z0-9]{1,61})*\\.[A-Za-z]{2,63}(?::[0-9]{1,4})?(?:[/?#]|$)',
    );
  return out;
}

function number(def: Described): Schema {
  const out: Schema = { type: 'number' };
  const atLeast = (n: number): void => {
    out.minimum = typeof out.minimum === 'number' ? Math.max(out.minimum, n) : n;
  };
  const atMost = (n: number): void => {
    out.maximum = typeof out.maximum === 'number' ? Math.min(out.maximum, n) : n;
  };
  for (const check of checksOf(def)) {
    switch (check.check) {
      case 'number_format': {
        const format = String(check.format);
        if (format === 'float32') {
          atLeast(-MAX_FLOAT32);
          atMost(MAX_FLOAT32);
        }
        if (!format.includes('int')) break;
        out.type = 'integer';
        atLeast(format === 'int32' ? -(2 ** 31) : format === 'uint32' ? 0 : Number.MIN_SAFE_INTEGER);
        atMost(format === 'int32' ? 2 ** 31 - 1 : format === 'uint32' ? 2 ** 32 - 1 : Number.MAX_SAFE_INTEGER);
        break;
      }
      case 'greater_than':
        if (check.inclusive === true) atLeast(Number(check.value));
        else out.exclusiveMinimum = check.value;
        break;
      case 'less_than':
        if (check.inclusive === true) atMost(Number(check.value));
        else out.exclusiveMaximum = check.value;
        break;
      case 'multiple_of':
        out.multipleOf = check.value;
        break;
    }
  }
  return out;
}

function bounds(def: Described, unit: 'Items'): Schema {
  const out: Schema = {};
  for (const check of list(def.checks).map(defOf)) {
    if (check.check === 'min_length') out[`min${unit}`] = check.minimum;
    if (check.check === 'max_length') out[`max${unit}`] = check.maximum;
    if (check.check === 'length_equals') {
      out[`min${unit}`] = check.length;
      out[`max${unit}`] = check.length;
    }
  }
  return out;
}

function tuple(def: Described, walk: Walk): Schema {
  const items = list(def.items);
  let needed = items.length;
  while (needed > 0 && isOptional(items[needed - 1])) needed--;
  return {
    type: 'array',
    prefixItems: items.map((i) => convert(i, walk)),
    items: def.rest === null || def.rest === undefined ? false : convert(def.rest, walk),
    minItems: needed,
  };
}

/** Records of few keys need them all, unless they are partial. */
function record(def: Described, walk: Walk): Schema {
  const keys = convert(def.keyType, walk);
  const values = convert(def.valueType, walk);
  const named = keys.enum ?? (keys.const === undefined ? undefined : [keys.const]);
  if (!Array.isArray(named)) return { ...recordOf(keys, values), ...(def.mode === 'loose' ? loose(keys, values) : {}) };
  const names = (named as unknown[]).map(String);
  // zod marks partial records by giving their keys no values of their own.
  const partial = internals(def.keyType).values === undefined || isOptional(def.valueType);
  return {
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, values])),
    additionalProperties: def.mode === 'loose',
    ...(partial ? {} : { required: names }),
  };
}

/** Loose records leave other keys alone. */
function loose(keys: Schema, values: Schema): Schema {
  if (typeof keys.pattern !== 'string') return {};
  return { patternProperties: { [keys.pattern]: values }, additionalProperties: true, propertyNames: true };
}

/** Whether the input may be absent: zod says so, but of what begins with a function. */
function isOptional(schema: unknown): boolean {
  const def = defOf(schema);
  if (def.type === 'pipe' && isTransform(def.in)) return isOptional(def.out);
  return internals(schema).optin !== undefined;
}

/** Literals less `undefined`, where others are left. */
function definite(values: readonly unknown[]): readonly unknown[] {
  const some = values.filter((v) => v !== undefined);
  return some.length === 0 ? values : some;
}

/** Values of an enum; a numeric TypeScript enum also maps its values back to its names, which are no values. */
function enumValues(entries: Described): unknown[] {
  const numbers = Object.values(entries).filter((v) => typeof v === 'number');
  return Object.entries(entries)
    .filter(([key]) => !numbers.includes(Number(key)))
    .map(([, value]) => value);
}
