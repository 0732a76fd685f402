/**
 * `tokenloom/core`: constraints, compilation, vocabularies and matchers. Synchronous, no I/O, no model; runs in a browser.
 */
import { type CompiledGrammar, compileGrammar, type Vocabulary } from './fsm/index.js';
import { type CompileLimits, type Constraint, constraintGrammar } from './grammar/constraint/index.js';

export {
  GrammarError,
  type GrammarIssue,
  LimitError,
  ModelError,
  OptionError,
  TokenloomError,
  UnsatisfiableError,
  UnsupportedSchemaError,
} from './base/errors.js';
export { ValueError } from './base/value-error.js';
export { CompiledGrammar, Matcher, type MatcherOptions, Vocabulary, type VocabularyOptions } from './fsm/index.js';
export {
  type ChoiceConstraint,
  type CompileLimits,
  type Constraint,
  checkSchema,
  choice,
  type FromSchema,
  type GbnfConstraint,
  gbnf,
  type Infer,
  type InferInput,
  type JsonConstraint,
  type JsonOptions,
  json,
  type RegexConstraint,
  regex,
  type Tag,
  type TagOptions,
  type TagSource,
  type TagsConstraint,
  tags,
} from './grammar/constraint/index.js';
export type { SchemaDiagnostic, SchemaOptions, SchemaReport } from './grammar/schema/index.js';

export interface CompileOptions extends CompileLimits {
  /**
   * The vocabulary whose control tokens the marks of `tags` may be. Without it marks are text, which no trained model spells where it knows a
   * control token of that name (`[TOOL_CALLS]`).
   */
  readonly vocabulary?: Vocabulary | undefined;
}

/**
 * Compiles a constraint. The result is independent of vocabularies: make it once and use it with any (with `vocabulary`: with that one, where the
 * constraint has tags).
 * @throws GrammarError, UnsupportedSchemaError, UnsatisfiableError, LimitError, OptionError
 */
export function compile(constraint: Constraint, { vocabulary, ...limits }: CompileOptions = {}): CompiledGrammar {
  return compileGrammar(constraintGrammar(constraint, limits, vocabulary?.controls).grammar);
}
