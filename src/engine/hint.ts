/**
 * The schema as the model sees it: compact JSON without what tells a model nothing (see the prompt contract in
 * docs/architecture.md; the embedded models were trained on exactly this form), and shorter forms for when that does not fit.
 */
const REMOVED = new Set(['$schema', '$id', '$comment', 'title', 'examples', 'default']);
/** Keywords whose value maps names to schemas: the names are not keywords. */
const MAPS = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']);
const VERBATIM = new Set(['enum', 'const', 'required']);
/** What the skeleton keeps. */
const SKELETON = new Set([
  'type',
  'properties',
  'items',
  'prefixItems',
  'anyOf',
  'oneOf',
  'allOf',
  'enum',
  'const',
  '$ref',
  '$defs',
  'definitions',
  'additionalProperties',
  'patternProperties',
]);
const LONGEST_ENUM = 20;
const DEEPEST = 64;

type Node = Readonly<Record<string, unknown>>;

/** The full hint. */
export function schemaHint(schema: unknown): string {
  return JSON.stringify(reduce(schema, keepFull, 0)) ?? 'true';
}

/** Ever shorter hints, the last one being the top-level property names; made only as far as they are taken. */
export function* shorterHints(schema: unknown): Generator<string> {
  yield JSON.stringify(reduce(schema, (key, value, node) => key !== 'description' && keepFull(key, value, node), 0)) ??
    'true';
  const skeleton = (depth: number) => reduce(schema, keepSkeleton, DEEPEST - depth);
  for (const depth of [DEEPEST, 8, 5, 3]) yield JSON.stringify(skeleton(depth)) ?? 'true';
  if (isNode(schema) && isNode(schema.properties))
    yield JSON.stringify(Object.fromEntries(Object.keys(schema.properties).map((k) => [k, true])));
}

type Keep = (key: string, value: unknown, node: Node) => boolean;

function keepFull(key: string, value: unknown, node: Node): boolean {
  if (REMOVED.has(key)) return false;
  if (key === 'additionalProperties') return value !== false;
  if (key === 'pattern') return !('format' in node);
  if (key === 'minimum') return value !== Number.MIN_SAFE_INTEGER;
  if (key === 'maximum') return value !== Number.MAX_SAFE_INTEGER;
  return true;
}

function keepSkeleton(key: string, value: unknown): boolean {
  if (key === 'additionalProperties') return typeof value === 'object';
  if (key === 'enum') return Array.isArray(value) && value.length <= LONGEST_ENUM;
  return SKELETON.has(key);
}

function reduce(node: unknown, keep: Keep, depth: number): unknown {
  if (Array.isArray(node)) return node.map((part: unknown) => reduce(part, keep, depth));
  if (!isNode(node)) return node;
  if (depth > DEEPEST) return {};
  const out: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [key, value] of Object.entries(node)) {
    if (!keep(key, value, node)) continue;
    if (MAPS.has(key) && isNode(value)) {
      const map: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
      for (const [name, part] of Object.entries(value)) map[name] = reduce(part, keep, depth + 1);
      out[key] = map;
    } else out[key] = VERBATIM.has(key) ? value : reduce(value, keep, depth + 1);
  }
  return out;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
