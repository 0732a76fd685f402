/** Which kinds of values the parameters of a tool take, as its schema says. */
import { ARGUMENT_KINDS, type ArgumentKind, OTHER_PARAMETERS, type ParameterKinds } from '../base/call-form.js';

type Schema = Readonly<Record<string, unknown>>;
type Kinds = readonly ArgumentKind[];

const DEEPEST = 64;

/**
 * Kinds may be too many where it is not plain, never too few; parameters that take all are left out where none say less of the others. `schema`: a JSON
 * Schema of the arguments.
 */
export function parameterKinds(schema: unknown): ParameterKinds {
  const root = isSchema(schema) ? schema : {};
  const { properties, patternProperties, additionalProperties } = resolved(root, root) ?? {};
  const known = new Map<Schema, Kinds>();
  const plain = isSchema(additionalProperties) && patternProperties === undefined;
  const others = plain ? kindsOf(additionalProperties, root, known, 0) : ARGUMENT_KINDS;
  const named = Object.entries(isSchema(properties) ? properties : {}).map(
    ([name, part]) => [name, kindsOf(part, root, known, 0)] as const,
  );
  const isAny = ([, taken]: readonly [string, Kinds]): boolean => taken.length === ARGUMENT_KINDS.length;
  if (isAny(['', others])) return Object.fromEntries(named.filter((entry) => !isAny(entry)));
  return Object.fromEntries([...named, [OTHER_PARAMETERS, others]]);
}

/** `known`: schemas that were seen; those that contain themselves take any kind within. */
function kindsOf(schema: unknown, root: Schema, known: Map<Schema, Kinds>, depth: number): Kinds {
  const found = depth > DEEPEST ? undefined : resolved(schema, root);
  if (found === undefined) return ARGUMENT_KINDS;
  const before = known.get(found);
  if (before !== undefined) return before;
  known.set(found, ARGUMENT_KINDS);
  const deeper = (part: unknown): Kinds => kindsOf(part, root, known, depth + 1);
  const { type, enum: values, anyOf, oneOf, allOf } = found;
  const all = [
    ...(type === undefined ? [] : [(Array.isArray(type) ? type : [type]).flatMap(kindsOfType)]),
    ...('const' in found ? [[kindOf(found.const)]] : []),
    ...(Array.isArray(values) ? [values.map(kindOf)] : []),
    ...[anyOf, oneOf].flatMap((parts) => (Array.isArray(parts) && parts.length > 0 ? [parts.flatMap(deeper)] : [])),
    ...(Array.isArray(allOf) ? allOf.map(deeper) : []),
  ];
  const kinds = ARGUMENT_KINDS.filter((kind) => all.every((some) => some.includes(kind)));
  known.set(found, kinds);
  return kinds;
}

function kindsOfType(type: unknown): Kinds {
  const kind = type === 'integer' ? 'number' : type;
  const known = ARGUMENT_KINDS.filter((k) => k === kind);
  return known.length === 0 ? ARGUMENT_KINDS : known;
}

/** The kind of a JSON value. */
export function kindOf(value: unknown): ArgumentKind {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value as 'string' | 'number' | 'boolean' | 'object';
}

/** A schema with what its local reference stands for; undefined where that is not found. */
function resolved(schema: unknown, root: Schema): Schema | undefined {
  let at = schema;
  for (let hops = 0; hops < 16 && isSchema(at) && typeof at.$ref === 'string'; hops++) {
    if (!at.$ref.startsWith('#/')) return undefined;
    at = at.$ref
      .slice(2)
      .split('/')
      .reduce<unknown>((part, key) => {
        const name = decoded(key).replaceAll('~1', '/').replaceAll('~0', '~');
        return isSchema(part) && Object.hasOwn(part, name) ? part[name] : undefined;
      }, root);
  }
  return isSchema(at) && typeof at.$ref !== 'string' ? at : undefined;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
