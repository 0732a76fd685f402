/** Which parameters of a tool take strings and nothing else, as its schema says. */

type Schema = Readonly<Record<string, unknown>>;

/** Names of such properties; those of which it is not plain are left out. `schema`: a JSON Schema of the arguments. */
export function stringParameters(schema: unknown): readonly string[] {
  const root = isSchema(schema) ? schema : {};
  const properties = resolved(root, root)?.properties;
  if (!isSchema(properties)) return [];
  return Object.keys(properties).filter((name) => onlyStrings(properties[name], root, 0));
}

function onlyStrings(schema: unknown, root: Schema, depth: number): boolean {
  const found = depth > 16 ? undefined : resolved(schema, root);
  if (found === undefined) return false;
  const { type, enum: values, anyOf, oneOf, allOf } = found;
  const deeper = (part: unknown): boolean => onlyStrings(part, root, depth + 1);
  return (
    type === 'string' ||
    (Array.isArray(type) && type.length === 1 && type[0] === 'string') ||
    typeof found.const === 'string' ||
    (Array.isArray(values) && values.length > 0 && values.every((value) => typeof value === 'string')) ||
    [anyOf, oneOf].some((parts) => Array.isArray(parts) && parts.length > 0 && parts.every(deeper)) ||
    (Array.isArray(allOf) && allOf.some(deeper))
  );
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
