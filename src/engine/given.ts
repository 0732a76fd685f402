/** What callers give as a schema, read into a constraint that everything behind can walk. */
import { checkNesting } from '../base/nesting.js';
import { type Constraint, isConstraint, json } from '../grammar/constraint/index.js';
import { shownSchema } from './json-value.js';

/** `what`: what errors about its size name. @throws OptionError for what is no schema, LimitError for what nests too deep */
export function constraintOf(given: unknown, what = 'the schema'): Constraint {
  const constraint = isConstraint(given) ? given : json(given);
  checkParts(constraint, what);
  return constraint;
}

function checkParts(constraint: Constraint, what: string): void {
  if (constraint.kind === 'tags') {
    for (const [i, { content }] of constraint.tags.entries()) checkParts(content, `${what} of tags[${i}]`);
  } else if (constraint.kind === 'json') {
    checkNesting(shownSchema(constraint.schema), what);
    checkNesting(constraint.options.schemas, `${what}, option 'schemas'`);
  }
}
