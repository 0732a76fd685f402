/** zod 3 schemas read off their `_def`. Input side: effects take their inner schema, pipelines their first, defaults are optional. */
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

const FORMATS: Readonly<Record<string, string>> = {
  email: 'email',
  url: 'uri',
  uuid: 'uuid',
  date: 'date',
  duration: 'duration',
};

/** What zod 3 checks by expressions of its own, as patterns. */
const PATTERNS: Readonly<Record<string, string>> = {
  cuid: '^[cC][^\\s-]{8,}$',
  cuid2: '^[0-9a-z]+$',
  ulid: '^[0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{26}$',
  nanoid: '^[A-Za-z0-9_-]{21}$',
  emoji: '^[\\p{Extended_Pictographic}\\p{Emoji_Component}]+$',
  base64: '^(?:[0-9A-Za-z+/]{4})*(?:[0-9A-Za-z+/]{2}==|[0-9A-Za-z+/]{3}=)?$',
  base64url: '^(?:[0-9A-Za-z_-]{4})*(?:[0-9A-Za-z_-]{2}(?:==)?|[0-9A-Za-z_-]{3}=?)?$',
  jwt: '^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]*$',
  // Narrower than the mailboxes of format email.
  email: "^(?:[A-Za-z0-9_'+-]+\\.)*[A-Za-z0-9_'+-]*[A-Za-z0-9_+-]@(?:[A-Za-z0-9][A-Za-z0-9-]*\\.)+[A-Za-z]{2,}$",
};

const IPV4 = '(?:(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)\\.){3}(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';

/** JSON Schema of a zod 3 schema. @throws OptionError for types that JSON cannot hold */
export function zod3ToSchema(schema: object): Schema {
  const walk = new Walk();
  return walk.finish(() => convert(schema, walk));
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
      case 'ZodUndefined':
      case 'ZodVoid':
        return { not: {} };
      case 'ZodDate':
        if (def.coerce === true) return { type: 'string', format: 'date-time' };
        throw unsupported('zod', "'date' (use z.string().datetime(), or z.coerce.date() for a Date)");
      case 'ZodBigInt':
        if (def.coerce === true) return { type: 'string', pattern: '^-?(0|[1-9][0-9]*)$' };
        throw unsupported('zod', "'bigint' (use z.number().int(), or z.coerce.bigint() for a string of digits)");
      case 'ZodLiteral':
        return def.value === undefined ? { not: {} } : literals([def.value], 'zod');
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
        throw unsupported('zod', "'set'");
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
      case 'ZodRecord':
        return recordOf(convert(def.keyType, walk), convert(def.valueType, walk));
      case 'ZodUnion':
        return unionOf(list(def.options).map((o) => convert(o, walk)));
      case 'ZodDiscriminatedUnion': {
        const options = def.options instanceof Map ? [...def.options.values()] : list(def.options);
        return unionOf(options.map((o) => convert(o, walk)));
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
        throw unsupported('zod', `'${String(def.typeName)}'`);
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
        else if (check.version === 'v6') out.format = 'ipv6';
        else out.anyOf = [{ format: 'ipv4' }, { format: 'ipv6' }];
        break;
      case 'cidr':
        if (check.version === 'v6') throw unsupported('zod', "'cidr' of IPv6");
        patterns.push(`^${IPV4}/(?:3[0-2]|[12]?\\d)$`);
        break;
      case 'datetime':
        out.format = 'date-time';
        patterns.push(`^\\d{4}-\\d\\d-\\d\\dT${timeOf(check)}${zoneOf(check)}$`);
        break;
      case 'time':
        patterns.push(`^${timeOf(check)}$`);
        break;
      default: {
        const kind = String(check.kind);
        if (FORMATS[kind] !== undefined) out.format = FORMATS[kind];
        if (PATTERNS[kind] !== undefined) patterns.push(PATTERNS[kind]);
      }
    }
  }
  return addPatterns(out, patterns);
}

function timeOf(check: Described): string {
  const { precision } = check;
  const fraction = typeof precision !== 'number' ? '(?:\\.\\d+)?' : precision === 0 ? '' : `\\.\\d{${precision}}`;
  return `(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d${fraction}`;
}

/** `Z`, and offsets where they are allowed; local times without either are left out: format date-time has none. */
function zoneOf(check: Described): string {
  return check.offset === true ? '(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)' : 'Z';
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
  const rest = convert(def.catchall, walk);
  const additional = def.unknownKeys === 'passthrough' ? true : isNothing(rest) ? false : rest;
  // 'strip' says nothing of other keys: whether the object is closed is decided with what it is combined with.
  const open = additional === false && def.unknownKeys === 'strip';
  return objectOf(walk, shape, (value) => convert(value, walk), isOptional, open ? undefined : additional);
}

function isOptional(schema: unknown): boolean {
  const def = defOf(schema);
  switch (def.typeName) {
    case 'ZodOptional':
    case 'ZodDefault':
    case 'ZodCatch':
    case 'ZodUndefined':
    case 'ZodVoid':
      return true;
    case 'ZodLiteral':
      return def.value === undefined;
    case 'ZodUnion':
      return list(def.options).some(isOptional);
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
