/** From the text of a JSON constraint to its checked value. */
import { parseJson } from '../base/parse-json.js';
import { ValueError } from '../base/value-error.js';
import type { JsonConstraint } from '../grammar/constraint/index.js';
import type { ResultChecker } from './check.js';

/** The schema as JSON, where it was given as text. */
export function shownSchema(schema: unknown): unknown {
  if (typeof schema !== 'string') return schema;
  try {
    return parseJson(schema);
  } catch {
    // The compiler reports it with line and column.
    return undefined;
  }
}

/** @throws ValueError */
export function readJson(text: string): unknown {
  try {
    return parseJson(text);
  } catch (cause) {
    throw new ValueError([`the text is not JSON: ${cause instanceof Error ? cause.message : 'unreadable'}`]);
  }
}

/** Checks a value once more. @throws ValueError with the value */
export function validate(
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

/** Through the transforms and refinements of a schema library. */
export async function parsed(constraint: JsonConstraint, value: unknown): Promise<unknown> {
  if (constraint.parse === undefined) return value;
  try {
    return await constraint.parse(value);
  } catch (error) {
    if (error instanceof ValueError) error.value = value;
    if (!(error instanceof RangeError)) throw error;
    // Libraries read values by recursion.
    const deep = new ValueError([`the schema library cannot read it: ${error.message}`]);
    deep.value = value;
    throw deep;
  }
}
