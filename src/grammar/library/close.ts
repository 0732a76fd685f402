/**
 * Closes the objects of a library's JSON Schema: `additionalProperties: false` where an object declares properties and says nothing of others.
 *
 * Members of an `allOf` describe one object together, so each must stay open; the object is closed as a whole with
 * `unevaluatedProperties: false`. The same holds for definitions that an `allOf` refers to.
 */
type Node = Record<string, unknown>;

const MAPS = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'];
const LISTS = ['anyOf', 'oneOf', 'prefixItems'];
const SINGLE = ['items', 'additionalProperties', 'contains', 'not', 'if', 'then', 'else', 'propertyNames'];
const SAYS = ['additionalProperties', 'unevaluatedProperties', 'patternProperties'];

/** Returns the schema; changes it in place (it is the caller's own copy). */
export function closeObjects(schema: unknown): unknown {
  const open = new Set<string>();
  findParts(schema, open);
  visit(schema, false, '#', open);
  return schema;
}

/** Definitions that some `allOf` refers to. */
function findParts(node: unknown, open: Set<string>): void {
  if (typeof node !== 'object' || node === null) return;
  if (Array.isArray(node)) {
    for (const item of node) findParts(item, open);
    return;
  }
  for (const [key, value] of Object.entries(node)) {
    if (key === 'allOf' && Array.isArray(value)) {
      for (const member of value as unknown[]) {
        if (isNode(member) && typeof member.$ref === 'string') open.add(member.$ref);
      }
    }
    if (key !== 'const' && key !== 'enum' && key !== 'default' && key !== 'examples') findParts(value, open);
  }
}

function visit(node: unknown, part: boolean, pointer: string, open: ReadonlySet<string>): void {
  if (!isNode(node)) return;
  const inPart = part || open.has(pointer);
  if (Array.isArray(node.allOf)) {
    (node.allOf as unknown[]).forEach((member, i) => {
      visit(member, true, `${pointer}/allOf/${i}`, open);
    });
    if (!inPart && !SAYS.some((key) => key in node) && (node.allOf as unknown[]).some(describesObject)) {
      node.unevaluatedProperties = false;
    }
  } else if (!inPart && isNode(node.properties) && !SAYS.some((key) => key in node)) node.additionalProperties = false;
  for (const key of MAPS) {
    const map = node[key];
    if (isNode(map))
      for (const [name, value] of Object.entries(map)) visit(value, false, `${pointer}/${key}/${name}`, open);
  }
  for (const key of LISTS) {
    const list = node[key];
    if (Array.isArray(list)) {
      list.forEach((value, i) => {
        visit(value, part && key !== 'prefixItems', `${pointer}/${key}/${i}`, open);
      });
    }
  }
  for (const key of SINGLE) visit(node[key], false, `${pointer}/${key}`, open);
}

function describesObject(node: unknown): boolean {
  return (
    isNode(node) &&
    ('properties' in node || node.type === 'object' || typeof node.$ref === 'string' || Array.isArray(node.allOf))
  );
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
