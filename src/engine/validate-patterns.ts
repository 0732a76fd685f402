/**
 * Patterns of a schema for ajv as languages on our own automata: no backtracking. A pattern that is none (backreferences, lookbehind)
 * falls to the platform's RegExp, which may throw.
 *
 * An automaton is made of the states that texts have led to, and a validator lives as long as an engine: so that no sequence of
 * texts makes it grow without bound, it is thrown away when it is full and made anew from where the next text begins.
 */
import type { Options } from 'ajv';
import { TokenloomError } from '../base/errors.js';
import { createUnicodeCache, parseRegex } from '../grammar/regex/index.js';
import type { Regex } from '../regular/regex.js';
import { TermStore } from '../regular/terms.js';

type RegExpEngine = NonNullable<NonNullable<Options['code']>['regExp']>;

/** Bytes of automata of one schema, if its patterns alone take less than half of that. */
const MOST_BYTES = 16 * 2 ** 20;

/** The automata of one schema's patterns. */
export class PatternTerms {
  #terms = new TermStore();
  #most: number;

  constructor(private readonly most = MOST_BYTES) {
    this.#most = most;
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#terms.bytes;
  }

  /** Takes up a pattern. @throws LimitError where it is too much for an automaton */
  add(pattern: Regex): void {
    this.#terms.intern(pattern);
    this.#most = Math.max(this.#most, 2 * this.#terms.bytes);
  }

  matches(pattern: Regex, text: string): boolean {
    if (this.#terms.bytes > this.#most) {
      this.#terms = new TermStore();
      this.#most = this.most;
      this.add(pattern);
    }
    return this.#terms.matches(this.#terms.intern(pattern), text);
  }
}

/** See the module's header. */
export function createPatternEngine(): RegExpEngine {
  const terms = new PatternTerms();
  const cache = createUnicodeCache();
  const engine = (pattern: string, flags: string) => {
    try {
      const read = parseRegex(pattern, { cache });
      terms.add(read);
      // ajv keeps one matcher per text of this object: without it all patterns of a schema would share the first one's.
      return { test: (text: string) => terms.matches(read, text), toString: () => `/${pattern}/${flags}` };
    } catch (error) {
      if (!(error instanceof TokenloomError)) throw error;
      return new RegExp(pattern, flags);
    }
  };
  return Object.assign(engine, { code: '{}' });
}
