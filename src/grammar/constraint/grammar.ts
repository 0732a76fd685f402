/** From a constraint to its grammar: the one place that knows all front ends. */
import { OptionError, TokenloomError } from '../../base/errors.js';
import type { Regex } from '../../regular/regex.js';
import { TermStore } from '../../regular/terms.js';
import { gbnfToGrammar } from '../gbnf/index.js';
import type { Grammar } from '../ir.js';
import { parseRegex } from '../regex/index.js';
import { schemaToGrammar } from '../schema/index.js';
import type { SchemaDiagnostic, SchemaLimits } from '../schema/options.js';
import { callsGrammar } from './calls-grammar.js';
import { tagsGrammar } from './tags-grammar.js';
import { type Constraint, isConstraint } from './types.js';

export interface ConstraintGrammar {
  readonly grammar: Grammar;
  /** What a schema asks for that is not enforced, and other findings. */
  readonly diagnostics: readonly SchemaDiagnostic[];
}

/** Limits of compilation; see each front end. */
export interface CompileLimits extends SchemaLimits {}

const NONE: ReadonlySet<string> = new Set();

/**
 * The grammar of a constraint. `controls`: names of control tokens; where marks of tags have such a name, that token is meant.
 * @throws GrammarError, UnsupportedSchemaError, UnsatisfiableError, LimitError, OptionError
 */
export function constraintGrammar(
  constraint: Constraint,
  limits: CompileLimits = {},
  controls: ReadonlySet<string> = NONE,
): ConstraintGrammar {
  if (!isConstraint(constraint))
    throw new OptionError(
      'constraint',
      'what json, gbnf, regex, choice or tags returns: json(schema) of a schema',
      constraint === null ? 'null' : typeof constraint,
    );
  switch (constraint.kind) {
    case 'json': {
      const { options } = constraint;
      return schemaToGrammar(constraint.schema, { ...options, limits: { ...options.limits, ...limits } });
    }
    case 'gbnf':
      return {
        grammar: gbnfToGrammar(constraint.source, constraint.root === undefined ? {} : { root: constraint.root }),
        diagnostics: [],
      };
    case 'regex': {
      const re = parseRegex(constraint.pattern, { flags: constraint.flags, anchored: true });
      // Assertions may contradict one another (`a(?=b)c`).
      const terms = new TermStore({ onLimit: 'assume live' });
      return { grammar: textGrammar(terms.isEmpty(terms.intern(re)) ? { t: 'never' } : re), diagnostics: [] };
    }
    case 'choice':
      return {
        grammar:
          constraint.texts.length === 0
            ? { exprs: [{ op: 'never' }], start: 0, whitespace: 'compact' }
            : textGrammar({ t: 'lits', texts: [...new Set(constraint.texts)] }),
        diagnostics: [],
      };
    case 'calls':
      return composed(
        constraint.tools.map(({ name, content }) => ({ part: `tool '${name}'`, content })),
        limits,
        (contents) => callsGrammar(constraint, contents, controls),
      );
    case 'tags':
      return composed(
        constraint.tags.map(({ begin, content }) => ({ part: `tag ${JSON.stringify(begin)}`, content })),
        limits,
        (contents) => tagsGrammar(constraint, contents, controls),
      );
  }
}

/** A grammar with those of other constraints in it. */
function composed(
  parts: readonly { readonly part: string; readonly content: Constraint }[],
  limits: CompileLimits,
  compose: (contents: readonly Grammar[]) => Grammar,
): ConstraintGrammar {
  const contents = parts.map(({ part, content }) => within(part, () => constraintGrammar(content, limits)));
  return {
    grammar: compose(contents.map((content) => content.grammar)),
    diagnostics: contents.flatMap((content) => content.diagnostics),
  };
}

/** Errors of a part say which it is. */
function within<T>(part: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof TokenloomError) error.message = `${part}: ${error.message}`;
    throw error;
  }
}

function textGrammar(re: Regex): Grammar {
  return { exprs: [re.t === 'never' ? { op: 'never' } : { op: 'text', re }], start: 0, whitespace: 'compact' };
}
