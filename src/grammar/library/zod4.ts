/**
 * zod 4 schemas read off their own description (`_zod.def`): for zod mini, which has no method for it, and for versions before Standard JSON
 * Schema. Input side: what the model writes is what zod parses, so pipes take their first part and defaults are optional.
 */
import {
  asObject,
  type Described,
  list,
  literals,
  nullable,
  patternOf,
  type Schema,
  unsupported,
  Walk,
} from './convert.js';

const FORMATS: Readonly<Record<string, string>> = {
  email: 'email',
  url: 'uri',
  uuid: 'uuid',
  guid: 'uuid',
  datetime: 'date-time',
  date: 'date',
  time: 'time',
  duration: 'duration',
  ipv4: 'ipv4',
  ipv6: 'ipv6',
};

/** JSON Schema of a zod 4 schema. @throws OptionError for types that JSON cannot hold */
export function zod4ToSchema(schema: object): Schema {
  const walk = new Walk();
  return walk.finish(convert(schema, walk));
}

function defOf(schema: unknown): Described {
  const inner = asObject(asObject(schema, 'a zod schema')._zod, 'a zod 4 schema');
  return asObject(inner.def, 'a zod 4 schema');
}

function convert(schema: unknown, walk: Walk): Schema {
  const def = defOf(schema);
  const node = asObject(schema, 'a zod schema');
  return walk.enter(node, () => {
    const type = def.type;
    switch (type) {
      case 'string':
        return text(def);
      case 'number':
      case 'int':
        return number(def);
      case 'boolean':
      case 'null':
        return { type };
      case 'any':
      case 'unknown':
        return {};
      case 'never':
        return { not: {} };
      case 'literal':
        return literals(list(def.values), 'zod');
      case 'enum':
        return literals(enumValues(asObject(def.entries, 'enum entries')), 'zod');
      case 'array':
        return { type: 'array', items: convert(def.element, walk), ...bounds(def, 'Items') };
      case 'tuple':
        return tuple(def, walk);
      case 'object':
        return object(def, walk);
      case 'record': {
        const keys = convert(def.keyType, walk);
        const names = Object.keys(keys).length === 1 && keys.type === 'string' ? {} : { propertyNames: keys };
        return { type: 'object', additionalProperties: convert(def.valueType, walk), ...names };
      }
      case 'union':
        return { anyOf: list(def.options).map((o) => convert(o, walk)) };
      case 'intersection':
        return { allOf: [convert(def.left, walk), convert(def.right, walk)] };
      case 'nullable':
        return nullable(convert(def.innerType, walk));
      case 'optional':
      case 'default':
      case 'prefault':
      case 'nonoptional':
      case 'readonly':
      case 'catch':
        return convert(def.innerType, walk);
      case 'lazy':
        return convert((def.getter as () => unknown)(), walk);
      case 'pipe':
        return convert(def.in, walk);
      case 'template_literal': {
        const inner = asObject(asObject(schema, 'a zod schema')._zod, 'a zod 4 schema');
        if (inner.pattern instanceof RegExp) return { type: 'string', pattern: patternOf(inner.pattern, 'zod') };
        throw unsupported('zod', type);
      }
      default:
        throw unsupported('zod', type);
    }
  });
}

function checksOf(def: Described): Described[] {
  const own = def.check === undefined ? [] : [def];
  return [...own, ...list(def.checks).map(defOf)];
}

function text(def: Described): Schema {
  const out: Schema = { type: 'string' };
  const patterns: string[] = [];
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
        else if (check.format === 'starts_with') patterns.push(`^${escapeRegex(String(check.prefix))}`);
        else if (check.format === 'ends_with') patterns.push(`${escapeRegex(String(check.suffix))}$`);
        else if (check.format === 'includes') patterns.push(escapeRegex(String(check.includes)));
        else if (check.pattern instanceof RegExp && !/[ims]/.test(check.pattern.flags))
          patterns.push(check.pattern.source);
        break;
      }
    }
  }
  if (patterns.length === 1) out.pattern = patterns[0];
  if (patterns.length > 1) out.allOf = patterns.map((pattern) => ({ pattern }));
  return out;
}

function number(def: Described): Schema {
  const out: Schema = { type: 'number' };
  for (const check of checksOf(def)) {
    switch (check.check) {
      case 'number_format':
        if (String(check.format).includes('int')) {
          out.type = 'integer';
          const [low, high] =
            check.format === 'int32'
              ? [-(2 ** 31), 2 ** 31 - 1]
              : check.format === 'uint32'
                ? [0, 2 ** 32 - 1]
                : [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
          out.minimum ??= low;
          out.maximum ??= high;
        }
        break;
      case 'greater_than':
        out[check.inclusive === true ? 'minimum' : 'exclusiveMinimum'] = check.value;
        break;
      case 'less_than':
        out[check.inclusive === true ? 'maximum' : 'exclusiveMaximum'] = check.value;
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

function object(def: Described, walk: Walk): Schema {
  const shape = asObject(def.shape, 'an object shape');
  const properties: Record<string, Schema> = Object.create(null) as Record<string, Schema>;
  const required: string[] = [];
  for (const [key, value] of Object.entries(shape)) {
    properties[key] = convert(value, walk);
    if (!isOptional(value)) required.push(key);
  }
  const rest = def.catchall === undefined ? undefined : convert(def.catchall, walk);
  return {
    type: 'object',
    properties,
    ...(required.length > 0 ? { required } : {}),
    ...(rest === undefined ? {} : { additionalProperties: 'not' in rest ? false : rest }),
  };
}

/** Whether the input may be absent. */
function isOptional(schema: unknown): boolean {
  const def = defOf(schema);
  switch (def.type) {
    case 'optional':
    case 'default':
    case 'prefault':
    case 'catch':
      return true;
    case 'nullable':
    case 'readonly':
      return isOptional(def.innerType);
    case 'pipe':
      return isOptional(def.in);
    default:
      return false;
  }
}

/** Values of an enum; a numeric TypeScript enum also maps its values back to its names, which are no values. */
function enumValues(entries: Described): unknown[] {
  const numbers = Object.values(entries).filter((v) => typeof v === 'number');
  return Object.entries(entries)
    .filter(([key]) => !numbers.includes(Number(key)))
    .map(([, value]) => value);
}

function escapeRegex(literal: string): string {
  return literal.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
