/** What a request asks for, made ready: the constraint that runs, what is shown of it, and the way from text to the value. */
import type { CallForm } from '../base/call-form.js';
import { OptionError } from '../base/errors.js';
import { brief } from '../base/options.js';
import type { Constraint, JsonConstraint } from '../grammar/constraint/index.js';
import type { PlainTool } from './call-format.js';
import type { ResultChecker } from './check.js';
import { freeCallsTarget } from './free-calls.js';
import { constraintOf } from './given.js';
import { parsed, readJson, shownSchema, validate } from './json-value.js';
import { plain } from './plain.js';
import { type Call, callConstraint, readCall, readTools, shownTools } from './tools.js';

export interface Target {
  readonly constraint: Constraint | undefined;
  readonly shown: unknown;
  readonly tools: readonly PlainTool[] | undefined;
  /** Whether calls may follow text, in place of the JSON of one call. */
  readonly freeCalls?: boolean | undefined;
  /** Whether the output is JSON. */
  readonly isJson: boolean;
  /** From the finished text to the value. @throws ValueError */
  finish(text: string, checker: ResultChecker | undefined, warn: (warning: string) => void): Promise<unknown>;
}

export interface TargetOptions {
  readonly tools?: unknown;
  readonly toolChoice?: unknown;
  readonly parallelToolCalls?: unknown;
  readonly showSchema?: boolean | undefined;
}

/** See the module's header. `form`: how the model writes calls, where that is known. @throws OptionError, LimitError */
export function targetOf(given: unknown, options: TargetOptions, form?: CallForm): Target {
  const { tools, toolChoice = 'required', parallelToolCalls } = options;
  const showSchema = options.showSchema !== false;
  if (parallelToolCalls !== undefined && typeof parallelToolCalls !== 'boolean')
    throw new OptionError('parallelToolCalls', 'a boolean', String(parallelToolCalls));
  if (parallelToolCalls === true && toolChoice !== 'auto')
    throw new OptionError('parallelToolCalls', "toolChoice 'auto': any other is for one call", brief(toolChoice));
  const offered = tools !== undefined && tools !== null;
  const calls = callable(offered ? readTools(tools) : [], toolChoice);
  // A list of tools may turn out empty; the value keeps its form.
  const free = toolChoice === 'auto' && offered;
  if (calls.length === 0 && !free) return plainTarget(given, showSchema);
  if (toolChoice === 'required') return toolTarget(given, calls, showSchema);
  if (given !== undefined && given !== null)
    throw new OptionError('toolChoice', 'null in place of a schema beside it', brief(toolChoice));
  if (!free) return toolTarget(null, calls, showSchema);
  if (calls.length > 0) return freeCallsTarget(calls, parallelToolCalls !== false, showSchema, form);
  return { ...plainTarget(null, showSchema), finish: async (text) => ({ text: text.trim(), calls: [] }) };
}

/** @throws OptionError */
function callable(calls: readonly Call[], choice: unknown): readonly Call[] {
  if (choice === 'none') return [];
  if (choice === 'required' || choice === 'auto') return calls;
  if (typeof choice !== 'object' || choice === null || !('name' in choice))
    throw new OptionError('toolChoice', "'required', 'auto', 'none' or {name}", brief(choice));
  const named = calls.filter((call) => call.name === choice.name);
  const names = calls.map((call) => call.name).join(', ') || 'a tool';
  if (named.length === 0) throw new OptionError('toolChoice.name', names, brief(choice.name));
  return named;
}

function plainTarget(given: unknown, showSchema: boolean): Target {
  if (given === undefined)
    throw new OptionError('schema', 'a schema, a constraint, or null for text without one', 'undefined');
  if (given === null) {
    return { constraint: undefined, shown: undefined, tools: undefined, isJson: false, finish: async (text) => text };
  }
  const constraint = constraintOf(given);
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

function toolTarget(given: unknown, calls: readonly Call[], showSchema: boolean): Target {
  let answer: JsonConstraint | undefined;
  if (given !== undefined && given !== null) {
    const constraint = constraintOf(given);
    if (constraint.kind !== 'json')
      throw new OptionError('tools', 'no other constraint than a JSON Schema beside them', constraint.kind);
    answer = constraint;
  }
  const constraint = callConstraint(calls, answer);
  return {
    constraint,
    shown: answer !== undefined && showSchema ? shownSchema(answer.schema) : undefined,
    tools: showSchema ? shownTools(calls) : undefined,
    isJson: true,
    finish: async (text, checker, warn) => {
      const value = readJson(text);
      if (checker !== undefined) validate(constraint, value, checker, warn);
      const call = await readCall(calls, value);
      return call ?? (answer === undefined ? value : parsed(answer, value));
    },
  };
}
