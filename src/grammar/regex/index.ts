/**
 * Regular expressions of ECMA-262 as languages.
 *
 *     pattern -> tokens (lexer.ts) -> syntax tree (parser.ts) -> Regex over code points (lower.ts)
 *
 * Matching is always by code points (Unicode mode), whether or not `u` is among the flags; without `u` or `v` the syntax is the
 * lenient one of Annex B, since patterns in the wild need it. A lazy quantifier denotes the same language as a greedy one.
 */
import { OptionError } from '../../base/errors.js';
import type { Regex } from '../../regular/regex.js';
import { lowerPattern } from './lower.js';
import { parsePattern } from './parser.js';
import { createUnicodeCache, type UnicodeCache } from './unicode.js';

export { createUnicodeCache, type UnicodeCache } from './unicode.js';

export interface RegexOptions {
  /** Any of d, g, i, m, s, u, v, y; d, g and y change nothing about the language. */
  readonly flags?: string;
  /** The pattern must match the whole text. Default: it matches somewhere in it, as JSON Schema wants. */
  readonly anchored?: boolean;
  /** Unicode ranges learnt by earlier calls; without it they are worked out again (milliseconds, only for `\p` and `i`). */
  readonly cache?: UnicodeCache;
}

/**
 * The set of whole texts in which `pattern` matches.
 * @throws GrammarError (language 'regex') with the place of what cannot be read or is not regular
 * @throws OptionError for unknown or contradictory flags
 */
export function parseRegex(pattern: string, options: RegexOptions = {}): Regex {
  const flags = options.flags ?? '';
  if (
    /[^dgimsuvy]/.test(flags) ||
    new Set(flags).size !== flags.length ||
    (flags.includes('u') && flags.includes('v'))
  ) {
    throw new OptionError('flags', 'flags of ECMA-262, each once, and not both u and v', JSON.stringify(flags));
  }
  const tree = parsePattern(pattern, flags);
  return lowerPattern(tree, pattern, flags, options.anchored === true, options.cache ?? createUnicodeCache());
}
