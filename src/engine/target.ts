/**
 * What a request asks for, made ready: the constraint that runs, the schema that is shown, and the way from text to the value.
 * Tools become one schema: a union of calls told apart by their name.
 */
import { OptionError } from '../base/errors.js';
import { ValueError } from '../base/value-error.js';
import { type Constraint, isConstraint, type JsonConstraint, json } from '../grammar/constraint/index.js';
import type { SchemaOptions } from '../grammar/schema/index.js';
import type { ResultChecker } from './check.js';
import type { PlainTool } from './prompt.js';

export interface Target {
  readonly constraint: Constraint | undefined;
  readonly shown: unknown;
  readonly tools: readonly PlainTool[] | undefined;
  /** Whether the output is JSON. */
  readonly isJson: boolean;
  /** From the finished text to the value. @throws ValueError */
  finish(text: string, checker: ResultChecker | undefined, warn: (warning: string) => void): Promise<unknown>;
}

/** See the module's header. @throws OptionError */
export function targetOf(given: unknown, tools: unknown, showSchema: boolean): Target {
  const calls = tools === undefined || tools === null ? [] : readTools(tools);
  if (calls.length > 0) return toolTarget(given, calls, showSchema);
  if (given === undefined)
    throw new OptionError('schema', 'a schema, a constraint, or null for text without one', 'undefined');
  if (given === null) {
    return { constraint: undefined, shown: undefined, tools: undefined, isJson: false, finish: async (text) => text };
  }
  const constraint = isConstraint(given) ? given : json(given);
  if (constraint.kind !== 'json') {
    return {
      constraint: plain(constraint),
      shown: undefined,
      tools: undefined,
      isJson: false,
      finish: async (text) => text,
    };
  }
  return {
    constraint: plain(constraint),
    shown: showSchema ? shownSchema(constraint.schema) : undefined,
    tools: undefined,
    isJson: true,
    finish: async (text, checker, warn) => {
      const value = readJson(text);
      if (checker !== undefined) validate(constraint, value, checker, warn);
      return parsed(constraint, value);
    },
  };
}

interface Call {
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

function readTools(tools: unknown): readonly Call[] {
  if (!Array.isArray(tools))
    throw new OptionError('tools', 'an array of {name, description?, parameters}', typeof tools);
  const names = new Set<string>();
  return tools.map((entry: unknown, i): Call => {
    // The form of chat APIs wraps the tool in {type: 'function', function}.
    const wrapped = typeof entry === 'object' && entry !== null && 'function' in entry ? entry.function : entry;
    if (typeof wrapped !== 'object' || wrapped === null || !('name' in wrapped) || typeof wrapped.name !== 'string') {
      throw new OptionError(`tools[${i}]`, 'a tool with a name', JSON.stringify(entry)?.slice(0, 80) ?? 'none');
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
    const read = isConstraint(schema) ? schema : json(schema);
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

function toolTarget(given: unknown, calls: readonly Call[], showSchema: boolean): Target {
  let answer: JsonConstraint | undefined;
  if (given !== undefined && given !== null) {
    const constraint = isConstraint(given) ? given : json(given);
    if (constraint.kind !== 'json')
      throw new OptionError('tools', 'no other constraint than a JSON Schema beside them', constraint.kind);
    answer = constraint;
  }
  const branches: unknown[] = calls.map((call, i) => ({
    type: 'object',
    properties: { name: { const: call.name }, arguments: embedded(call.parameters.schema, `tool-${i}`) },
    required: ['name', 'arguments'],
    additionalProperties: false,
  }));
  if (answer !== undefined) branches.push(embedded(answer.schema, 'answer'));
  const constraint: JsonConstraint = {
    kind: 'json',
    schema: { anyOf: branches },
    options: sharedOptions([...(answer === undefined ? [] : [answer]), ...calls.map((call) => call.parameters)]),
  };
  return {
    constraint,
    shown: answer !== undefined && showSchema ? shownSchema(answer.schema) : undefined,
    tools: showSchema
      ? calls.map((call) => ({
          name: call.name,
          ...(call.description === undefined ? {} : { description: call.description }),
          parameters: shownSchema(call.parameters.schema),
        }))
      : undefined,
    isJson: true,
    finish: async (text, checker, warn) => {
      const value = readJson(text);
      if (checker !== undefined) validate(constraint, value, checker, warn);
      const call = calls.find((c) => isCall(value, c.name));
      if (call !== undefined)
        return {
          ...(value as object),
          arguments: await parsed(call.parameters, (value as { arguments: unknown }).arguments),
        };
      return answer === undefined ? value : parsed(answer, value);
    },
  };
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

function shownSchema(schema: unknown): unknown {
  if (typeof schema !== 'string') return schema;
  try {
    return JSON.parse(schema);
  } catch {
    // The compiler reports it with line and column.
    return undefined;
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ValueError([`the text is not JSON: ${cause instanceof Error ? cause.message : 'unreadable'}`]);
  }
}

function validate(
  constraint: JsonConstraint,
  value: unknown,
  checker: ResultChecker,
  warn: (warning: string) => void,
): void {
  const { schema, options } = constraint;
  const read = shownSchema(schema);
  const { valid, errors, uncompilable, disputed } = checker.check(read, value, options);
  if (disputed !== undefined)
    warn(`format: as specified, but a stricter validator would refuse it: ${disputed.join('; ')}`);
  if (valid) return;
  if (uncompilable !== undefined) {
    warn(`the value was not checked a second time: ${uncompilable}`);
    return;
  }
  if (options.unsupported === 'warn') {
    warn(`the value does not fit the schema in what could not be enforced: ${errors.join('; ')}`);
    return;
  }
  const error = new ValueError(errors);
  error.value = value;
  throw error;
}

async function parsed(constraint: JsonConstraint, value: unknown): Promise<unknown> {
  if (constraint.parse === undefined) return value;
  try {
    return await constraint.parse(value);
  } catch (error) {
    if (error instanceof ValueError) error.value = value;
    throw error;
  }
}

/** Without the function that cannot cross to another thread. */
function plain(constraint: Constraint): Constraint {
  if (constraint.kind !== 'json' || constraint.parse === undefined) return constraint;
  const { parse: _stays, ...rest } = constraint;
  return rest;
}
