/** zod 3 schemas read off their `_def`. Input side: effects take their inner schema, pipelines their first, defaults are optional. */
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
  datetime: 'date-time',
  date: 'date',
  time: 'time',
  duration: 'duration',
};

/** JSON Schema of a zod 3 schema. @throws OptionError for types that JSON cannot hold */
export function zod3ToSchema(schema: object): Schema {
  const walk = new Walk();
  return walk.finish(convert(schema, walk));
}

function defOf(schema: unknown): Described {
  return asObject(asObject(schema, 'a zod schema')._def, 'a zod 3 schema');
}

function convert(schema: unknown, walk: Walk): Schema {
  const def = defOf(schema);
  return walk.enter(asObject(schema, 'a zod schema'), () => {
    switch (def.typeName) {
      case 'ZodString':
        return text(def);
      case 'ZodNumber':
        return number(def);
      case 'ZodBoolean':
        return { type: 'boolean' };
      case 'ZodNull':
        return { type: 'null' };
      case 'ZodAny':
      case 'ZodUnknown':
        return {};
      case 'ZodNever':
        return { not: {} };
      case 'ZodLiteral':
        return literals([def.value], 'zod');
      case 'ZodEnum':
        return literals(list(def.values), 'zod');
      case 'ZodNativeEnum': {
        const values = asObject(def.values, 'enum values');
        // A numeric TypeScript enum also maps its values back to its names.
        const names = Object.keys(values).filter((key) => typeof values[String(values[key])] !== 'number');
        return literals(
          names.map((name) => values[name]),
          'zod',
        );
      }
      case 'ZodArray':
        return {
          type: 'array',
          items: convert(def.type, walk),
          ...bound(def.minLength, 'minItems'),
          ...bound(def.maxLength, 'maxItems'),
          ...bound(def.exactLength, 'minItems'),
          ...bound(def.exactLength, 'maxItems'),
        };
      case 'ZodSet':
        throw unsupported('zod', 'set');
      case 'ZodTuple': {
        const items = list(def.items);
        return {
          type: 'array',
          prefixItems: items.map((i) => convert(i, walk)),
          items: def.rest === null || def.rest === undefined ? false : convert(def.rest, walk),
          minItems: items.length,
        };
      }
      case 'ZodObject':
        return object(def, walk);
      case 'ZodRecord': {
        const keys = convert(def.keyType, walk);
        const names = Object.keys(keys).length === 1 && keys.type === 'string' ? {} : { propertyNames: keys };
        return { type: 'object', additionalProperties: convert(def.valueType, walk), ...names };
      }
      case 'ZodUnion':
        return { anyOf: list(def.options).map((o) => convert(o, walk)) };
      case 'ZodDiscriminatedUnion': {
        const options = def.options instanceof Map ? [...def.options.values()] : list(def.options);
        return { anyOf: options.map((o) => convert(o, walk)) };
      }
      case 'ZodIntersection':
        return { allOf: [convert(def.left, walk), convert(def.right, walk)] };
      case 'ZodNullable':
        return nullable(convert(def.innerType, walk));
      case 'ZodOptional':
      case 'ZodDefault':
      case 'ZodCatch':
      case 'ZodReadonly':
        return convert(def.innerType, walk);
      case 'ZodBranded':
        return convert(def.type, walk);
      case 'ZodEffects':
        return convert(def.schema, walk);
      case 'ZodPipeline':
        return convert(def.in, walk);
      case 'ZodLazy':
        return convert((def.getter as () => unknown)(), walk);
      default:
        throw unsupported('zod', def.typeName);
    }
  });
}

function text(def: Described): Schema {
  const out: Schema = { type: 'string' };
  const patterns: string[] = [];
  for (const check of list(def.checks) as Described[]) {
    switch (check.kind) {
      case 'min':
        out.minLength = check.value;
        break;
      case 'max':
        out.maxLength = check.value;
        break;
      case 'length':
        out.minLength = check.value;
        out.maxLength = check.value;
        break;
      case 'regex':
        if (check.regex instanceof RegExp) patterns.push(patternOf(check.regex, 'zod'));
        break;
      case 'startsWith':
        patterns.push(`^${escapeRegex(String(check.value))}`);
        break;
      case 'endsWith':
        patterns.push(`${escapeRegex(String(check.value))}$`);
        break;
      case 'includes':
        patterns.push(escapeRegex(String(check.value)));
        break;
      case 'ip':
        if (check.version === 'v4') out.format = 'ipv4';
        if (check.version === 'v6') out.format = 'ipv6';
        break;
      default: {
        const format = FORMATS[String(check.kind)];
        if (format !== undefined) out.format = format;
      }
    }
  }
  if (patterns.length === 1) out.pattern = patterns[0];
  if (patterns.length > 1) out.allOf = patterns.map((pattern) => ({ pattern }));
  return out;
}

function number(def: Described): Schema {
  const out: Schema = { type: 'number' };
  for (const check of list(def.checks) as Described[]) {
    if (check.kind === 'int') out.type = 'integer';
    if (check.kind === 'min') out[check.inclusive === true ? 'minimum' : 'exclusiveMinimum'] = check.value;
    if (check.kind === 'max') out[check.inclusive === true ? 'maximum' : 'exclusiveMaximum'] = check.value;
    if (check.kind === 'multipleOf') out.multipleOf = check.value;
  }
  return out;
}

function bound(check: unknown, name: string): Schema {
  return typeof check === 'object' && check !== null && 'value' in check ? { [name]: check.value } : {};
}

function object(def: Described, walk: Walk): Schema {
  const shape = asObject((def.shape as () => unknown)(), 'an object shape');
  const properties: Record<string, Schema> = Object.create(null) as Record<string, Schema>;
  const required: string[] = [];
  for (const [key, value] of Object.entries(shape)) {
    properties[key] = convert(value, walk);
    if (!isOptional(value)) required.push(key);
  }
  const rest = convert(def.catchall, walk);
  const additional = def.unknownKeys === 'passthrough' ? true : 'not' in rest ? false : rest;
  return {
    type: 'object',
    properties,
    ...(required.length > 0 ? { required } : {}),
    // 'strip' says nothing of other keys: whether the object is closed is decided with what it is combined with.
    ...(additional === false && def.unknownKeys === 'strip' ? {} : { additionalProperties: additional }),
  };
}

function isOptional(schema: unknown): boolean {
  const def = defOf(schema);
  switch (def.typeName) {
    case 'ZodOptional':
    case 'ZodDefault':
    case 'ZodCatch':
      return true;
    case 'ZodNullable':
    case 'ZodReadonly':
      return isOptional(def.innerType);
    case 'ZodBranded':
      return isOptional(def.type);
    case 'ZodEffects':
      return isOptional(def.schema);
    case 'ZodPipeline':
      return isOptional(def.in);
    default:
      return false;
  }
}

function escapeRegex(literal: string): string {
  return literal.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
