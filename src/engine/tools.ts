/** Tools as callers give them, and the schema of their calls: a union told apart by the name. */
import { OptionError } from '../base/errors.js';
import { brief } from '../base/options.js';
import type { JsonConstraint } from '../grammar/constraint/index.js';
import type { SchemaOptions } from '../grammar/schema/index.js';
import type { PlainTool } from './call-format.js';
import { constraintOf } from './given.js';
import { parsed, shownSchema } from './json-value.js';

export interface Call {
  readonly name: string;
  readonly description: string | undefined;
  readonly parameters: JsonConstraint;
}

/** Where the formats of tools keep the schema of the arguments: ours and OpenAI's, MCP's, Anthropic's. */
const SCHEMA_KEYS = ['parameters', 'inputSchema', 'input_schema'] as const;
/** Objects beside it that say nothing of the arguments. */
const OTHER_OBJECTS: ReadonlySet<string> = new Set([
  'annotations',
  '_meta',
  'outputSchema',
  'icons',
  'execution',
  'cache_control',
]);

/** @throws OptionError, LimitError */
export function readTools(tools: unknown): readonly Call[] {
  if (!Array.isArray(tools))
    throw new OptionError('tools', 'an array of {name, description?, parameters}', typeof tools);
  const names = new Set<string>();
  return tools.map((entry: unknown, i): Call => {
    // The form of chat APIs wraps the tool in {type: 'function', function}.
    const wrapped = typeof entry === 'object' && entry !== null && 'function' in entry ? entry.function : entry;
    if (typeof wrapped !== 'object' || wrapped === null || !('name' in wrapped) || typeof wrapped.name !== 'string') {
      throw new OptionError(`tools[${i}]`, 'a tool with a name', brief(entry));
    }
    const { name } = wrapped;
    if (names.has(name)) throw new OptionError('tools', 'tools with different names', `'${name}' twice`);
    names.add(name);
    const description =
      'description' in wrapped && typeof wrapped.description === 'string' ? wrapped.description : undefined;
    return { name, description, parameters: argumentsOf(wrapped, `tools[${i}] ('${name}')`) };
  });
}

/** The schema of a tool's arguments; none where the tool says nothing of them. */
function argumentsOf(tool: object, place: string): JsonConstraint {
  const fields = tool as Readonly<Record<string, unknown>>;
  const key = SCHEMA_KEYS.find((k) => fields[k] !== undefined && fields[k] !== null);
  if (key === undefined) {
    const other = Object.keys(tool).find(
      (k) => !OTHER_OBJECTS.has(k) && typeof fields[k] === 'object' && fields[k] !== null,
    );
    if (other !== undefined)
      throw new OptionError(place, `the schema of its arguments as ${SCHEMA_KEYS.join(' or ')}`, `'${other}'`);
  }
  const schema = key === undefined ? { type: 'object', properties: {}, additionalProperties: false } : fields[key];
  try {
    const read = constraintOf(schema, place);
    if (read.kind === 'json') return read;
    throw new OptionError(place, 'a JSON Schema of its arguments', `a constraint of '${read.kind}'`);
  } catch (error) {
    if (error instanceof OptionError && error.option === 'schema')
      throw new OptionError(place, error.expected, error.got);
    throw error;
  }
}

/** @throws OptionError where one URI stands for several schemas */
function together(
  all: Readonly<Record<string, unknown>> = {},
  more: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  for (const [uri, schema] of Object.entries(more))
    if (Object.hasOwn(all, uri) && JSON.stringify(all[uri]) !== JSON.stringify(schema))
      throw new OptionError('schemas', 'one schema for each URI over all tools', `two for '${uri}'`);
  return { ...all, ...more };
}

/** The options of all parts of a union. @throws OptionError where they differ */
function sharedOptions(parts: readonly JsonConstraint[]): SchemaOptions {
  const shared: Record<string, unknown> = {};
  let schemas: Record<string, unknown> | undefined;
  for (const { options } of parts) {
    for (const [key, value] of Object.entries(options)) {
      if (value === undefined) continue;
      if (key === 'schemas') schemas = together(schemas, value as Readonly<Record<string, unknown>>);
      else if (key in shared && JSON.stringify(shared[key]) !== JSON.stringify(value))
        throw new OptionError('tools', `the same option '${key}' in all of them`, JSON.stringify([shared[key], value]));
      else shared[key] = value;
    }
  }
  return schemas === undefined ? shared : { ...shared, schemas };
}

/** A constraint for a call of one of the tools, or for an answer that fits `answer`. @throws OptionError */
export function callConstraint(calls: readonly Call[], answer: JsonConstraint | undefined): JsonConstraint {
  const branches: unknown[] = calls.map((call, i) => ({
    type: 'object',
    properties: { name: { const: call.name }, arguments: embedded(call.parameters.schema, `tool-${i}`) },
    required: ['name', 'arguments'],
    additionalProperties: false,
  }));
  if (answer !== undefined) branches.push(embedded(answer.schema, 'answer'));
  return {
    kind: 'json',
    schema: { anyOf: branches },
    options: sharedOptions([...(answer === undefined ? [] : [answer]), ...calls.map((call) => call.parameters)]),
  };
}

/** A call with its arguments as the tool's schema library reads them; undefined where the value calls no tool. */
export async function readCall(calls: readonly Call[], value: unknown): Promise<object | undefined> {
  const call = calls.find((c) => isCall(value, c.name));
  if (call === undefined) return undefined;
  const given = value as { readonly arguments: unknown };
  return { ...given, arguments: await parsed(call.parameters, given.arguments) };
}

/** Tools as the prompt shows them. */
export function shownTools(calls: readonly Call[]): readonly PlainTool[] {
  return calls.map((call) => ({
    name: call.name,
    ...(call.description === undefined ? {} : { description: call.description }),
    parameters: shownSchema(call.parameters.schema),
  }));
}

function isCall(value: unknown, name: string): boolean {
  return typeof value === 'object' && value !== null && 'name' in value && 'arguments' in value && value.name === name;
}

/** A schema as a part of another: an `$id` of its own keeps its local references working. */
function embedded(schema: unknown, name: string): unknown {
  const read = shownSchema(schema);
  if (typeof read !== 'object' || read === null) return read;
  const local = JSON.stringify(read).includes('"$ref"') || JSON.stringify(read).includes('"$dynamicRef"');
  return local && !('$id' in read) ? { $id: `tokenloom:${name}`, ...read } : read;
}
