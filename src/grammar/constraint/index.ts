/** Constraints: constructors, types, and their way to a grammar. */
export { checkSchema } from './check.js';
export { type CompileLimits, type ConstraintGrammar, constraintGrammar } from './grammar.js';
export type { FromSchema, Infer, InferInput } from './infer.js';
export { choice, gbnf, type JsonOptions, json, regex } from './make.js';
export { type TagOptions, type TagSource, tags } from './make-tags.js';
export {
  type CallsConstraint,
  type ChoiceConstraint,
  type Constraint,
  type GbnfConstraint,
  isConstraint,
  type JsonConstraint,
  type RegexConstraint,
  type Tag,
  type TagsConstraint,
} from './types.js';
