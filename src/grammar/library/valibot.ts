/** valibot schemas read off their own description. Input side: a pipe counts up to its first transformation. */
import {
  asObject,
  type Described,
  escapeRegex,
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
  iso_date: 'date',
  iso_timestamp: 'date-time',
  ipv4: 'ipv4',
  ipv6: 'ipv6',
};

/** JSON Schema of a valibot schema. @throws OptionError for types that JSON cannot hold */
export function valibotToSchema(schema: object): Schema {
  const walk = new Walk();
  return walk.finish(() => convert(schema, walk));
}

function convert(value: unknown, walk: Walk): Schema {
  const node = asObject(value, 'a valibot schema');
  return walk.enter(node, () => {
    const pipe = list(node.pipe) as Described[];
    const base = shape(pipe[0] ?? node, walk);
    for (const step of pipe.slice(1)) {
      if (step.kind === 'transformation' || step.kind === 'schema') break;
      if (step.kind === 'validation') apply(base, step);
    }
    return base;
  });
}

function shape(node: Described, walk: Walk): Schema {
  switch (node.type) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'null':
      return { type: node.type };
    case 'any':
    case 'unknown':
      return {};
    case 'never':
    case 'undefined':
    case 'void':
      return { not: {} };
    case 'literal':
      return literals([node.literal], 'valibot');
    case 'picklist':
    case 'enum':
      return literals(list(node.options), 'valibot');
    case 'array':
      return { type: 'array', items: convert(node.item, walk) };
    case 'tuple':
    case 'strict_tuple':
    case 'loose_tuple':
    case 'tuple_with_rest': {
      const items = list(node.items);
      const rest =
        node.type === 'loose_tuple' ? true : node.type === 'tuple_with_rest' ? convert(node.rest, walk) : false;
      return { type: 'array', prefixItems: items.map((i) => convert(i, walk)), items: rest, minItems: items.length };
    }
    case 'object':
    case 'strict_object':
    case 'loose_object':
    case 'object_with_rest':
      return object(node, walk);
    case 'record':
      return recordOf(convert(node.key, walk), convert(node.value, walk));
    case 'union':
    case 'variant':
      return unionOf(list(node.options).map((o) => convert(o, walk)));
    case 'intersect':
      return { allOf: list(node.options).map((o) => convert(o, walk)) };
    case 'nullable':
    case 'nullish':
      return nullable(convert(node.wrapped, walk));
    case 'optional':
    case 'exact_optional':
    case 'undefinedable':
    case 'non_optional':
    case 'non_nullish':
      return convert(node.wrapped, walk);
    case 'non_nullable':
      return { allOf: [convert(node.wrapped, walk), { not: { type: 'null' } }] };
    case 'lazy':
      return convert((node.getter as (input: unknown) => unknown)(undefined), walk);
    default:
      throw unsupported('valibot', `'${String(node.type)}'`);
  }
}

function object(node: Described, walk: Walk): Schema {
  const rest =
    node.type === 'strict_object'
      ? false
      : node.type === 'loose_object'
        ? true
        : node.type === 'object_with_rest'
          ? convert(node.rest, walk)
          : undefined;
  return objectOf(walk, asObject(node.entries, 'object entries'), (value) => convert(value, walk), isOptional, rest);
}

/** Whether the key may be absent (valibot wants the keys of `undefinedable` and of unions with undefined). */
function isOptional(value: unknown): boolean {
  const { type } = asObject(value, 'a valibot schema');
  return type === 'optional' || type === 'exact_optional' || type === 'nullish';
}

/** Adds one validation of a pipe; those without a word in JSON Schema are left to valibot's own check of the value. */
function apply(base: Schema, step: Described): void {
  const need = step.requirement;
  const array = base.type === 'array';
  const also = (part: Schema): void => {
    base.allOf = [...list(base.allOf), part];
  };
  switch (step.type) {
    case 'min_length':
      base[array ? 'minItems' : 'minLength'] = need;
      break;
    case 'max_length':
      base[array ? 'maxItems' : 'maxLength'] = need;
      break;
    case 'length':
      base[array ? 'minItems' : 'minLength'] = need;
      base[array ? 'maxItems' : 'maxLength'] = need;
      break;
    case 'non_empty':
      base[array ? 'minItems' : 'minLength'] = 1;
      break;
    case 'integer':
    case 'safe_integer':
      base.type = 'integer';
      break;
    case 'min_value':
      base.minimum = need;
      break;
    case 'max_value':
      base.maximum = need;
      break;
    case 'gt_value':
      base.exclusiveMinimum = need;
      break;
    case 'lt_value':
      base.exclusiveMaximum = need;
      break;
    case 'multiple_of':
      base.multipleOf = need;
      break;
    case 'regex':
      if (need instanceof RegExp) also({ pattern: patternOf(need, 'valibot') });
      break;
    case 'starts_with':
      also({ pattern: `^${escapeRegex(String(need))}` });
      break;
    case 'ends_with':
      also({ pattern: `${escapeRegex(String(need))}$` });
      break;
    case 'includes':
      also(array ? { contains: literals([need], 'valibot') } : { pattern: escapeRegex(String(need)) });
      break;
    case 'excludes':
      also(
        array ? { not: { contains: literals([need], 'valibot') } } : { not: { pattern: escapeRegex(String(need)) } },
      );
      break;
    case 'value':
      also(literals([need], 'valibot'));
      break;
    case 'not_value':
      also({ not: literals([need], 'valibot') });
      break;
    case 'values':
      also(literals(list(need), 'valibot'));
      break;
    case 'not_values':
      also({ not: literals(list(need), 'valibot') });
      break;
    case 'min_entries':
      base.minProperties = need;
      break;
    case 'max_entries':
      base.maxProperties = need;
      break;
    case 'entries':
      base.minProperties = need;
      base.maxProperties = need;
      break;
    default: {
      const format = FORMATS[String(step.type)];
      if (format !== undefined) base.format = format;
      // Formats are valibot's own expressions.
      if (need instanceof RegExp && step.type !== 'ipv6' && step.type !== 'ip')
        also({ pattern: patternOf(need, 'valibot') });
      if (step.type === 'ip') also({ anyOf: [{ format: 'ipv4' }, { format: 'ipv6' }] });
    }
  }
}
