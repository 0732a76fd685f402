/**
 * From syntax tree to {@link Regex}.
 *
 * Parts without assertions map node by node. Assertions look at what stands before and behind a position, which a plain
 * regular expression cannot say; but the languages that we emit are closed under `and` and `not`, so:
 *
 * - The pattern is walked from left to right with the language `left` of what was matched so far. An assertion about what is
 *   behind (`^`, a lookbehind) intersects `left`; one about what is ahead intersects the language of the whole remainder.
 * - After a lookahead the remainder is compiled apart, and what it may still ask about the text to its left is a
 *   {@link Before}: the start of the text, or a set to which the last character belongs. Where the remainder asks, `left` is
 *   split by these sets; else it is not.
 * - `$` sets a mode in which the rest must match the empty string.
 * - A repeat whose body holds assertions is an unknown language with an equation; the system is solved in `fixpoint.ts`.
 *
 * Negated lookaheads are complements, hence exact. What is not regular (references to unbounded groups) or would need the two
 * sides of a position at once (long lookbehinds after lookaheads) is a GrammarError with its place.
 */
import { anyString, type Regex } from '../../regular/regex.js';
import type { Node, Pattern, Place } from './ast.js';
import { alt, altAll, and, cat, catAll, EMPTY, lengthBounds, minus, NEVER, not, nullable, set } from './build.js';
import { captures } from './captures.js';
import { regexError } from './escapes.js';
import { singleChars } from './facts.js';
import { type Effort, type Equation, holdsUnknown, isUnknown, solve, unknown } from './fixpoint.js';
import { type Before, endingIn, lastAtoms, lastIn, NeedsBefore, UNKNOWN } from './last-character.js';
import { changed, type Env, PureParts } from './lower-pure.js';
import { complement, type Ranges } from './ranges.js';
import { wordRanges } from './sets.js';
import { NEWLINE, type UnicodeCache } from './unicode.js';

/** What still has to be matched. */
type Work =
  | { readonly node: Node; readonly env: Env; readonly next: Work | undefined }
  | { readonly pure: Regex; readonly next: Work | undefined };

/** Steps of the walk; alternatives with assertions multiply. */
const MAX_STEPS = 5_000;
/** Work for repeats with assertions; see fixpoint.ts. */
const MAX_EFFORT = 100_000;
/** Most copies of a repeat body with assertions. */
const MAX_COPIES = 64;

export function lowerPattern(
  pattern: Pattern,
  source: string,
  flags: string,
  anchored: boolean,
  cache: UnicodeCache,
): Regex {
  return new Lowering(source, /[uv]/.test(flags), flags.includes('v'), cache, pattern).whole(flags, anchored);
}

class Lowering {
  private steps = 0;
  private readonly effort: Effort = { left: MAX_EFFORT };
  private readonly equations: (Equation & { language: Regex; readonly forget: () => void })[] = [];
  private readonly solved = new Map<Regex, Regex>();
  private readonly unknowns = new Map<Work, Map<string, Regex>>();
  private readonly groups;
  private readonly parts: PureParts;
  private atoms: readonly Ranges[] | undefined;

  constructor(
    private readonly source: string,
    private readonly unicode: boolean,
    sets: boolean,
    private readonly cache: UnicodeCache,
    private readonly pattern: Pattern,
  ) {
    this.groups = captures(pattern, source);
    this.parts = new PureParts(source, unicode, sets, cache, this.groups);
  }

  whole(flags: string, anchored: boolean): Regex {
    const env = { ignoreCase: flags.includes('i'), multiline: flags.includes('m'), dotAll: flags.includes('s') };
    const around = anchored ? EMPTY : anyString;
    const rest: Work = { node: this.pattern.root, env, next: { pure: around, next: undefined } };
    const known = this.groups.referenced.map((group) => ({ group, values: this.parts.valuesOf(group, env) }));
    const results: Regex[] = [];
    const expand = (at: number): void => {
      const choice = known[at];
      if (choice === undefined) {
        results.push(this.closed(this.walk(rest, around, { k: 'start' }, false)));
        return;
      }
      for (const value of choice.values) {
        this.parts.bound.set(choice.group.index, value);
        expand(at + 1);
      }
      this.parts.bound.delete(choice.group.index);
    };
    expand(0);
    return alt(...results);
  }

  private fail(place: Place, message: string, hint?: string): never {
    throw regexError(this.source, place, message, hint);
  }

  // ---- the walk

  /**
   * Language of the texts `u v` with u in `left` and v matched by `work`, for u v standing behind `before`.
   * @throws NeedsBefore where that is unknown and matters
   */
  private walk(work: Work | undefined, left: Regex, before: Before, atEnd: boolean): Regex {
    let rest = work;
    for (;;) {
      if (left.t === 'never' || rest === undefined) return left;
      if (++this.steps > MAX_STEPS) {
        this.fail(
          this.pattern.root.place,
          'too many combinations of alternatives and assertions',
          'simplify the pattern',
        );
      }
      if ('pure' in rest || this.parts.isPure(rest.node)) {
        const re: Regex = 'pure' in rest ? rest.pure : this.parts.pure(rest.node, rest.env);
        if (!atEnd) left = cat(left, re);
        else if (!nullable(re)) return NEVER;
        rest = rest.next;
        continue;
      }
      const { node, env, next }: { node: Node; env: Env; next: Work | undefined } = rest;
      switch (node.k) {
        case 'seq':
          rest = node.items.reduceRight<Work | undefined>((tail, item) => ({ node: item, env, next: tail }), next);
          continue;
        case 'group':
          rest = { node: node.item, env, next };
          if (this.parts.bound.has(node.index)) this.fail(node.place, 'a referenced group cannot hold assertions');
          continue;
        case 'flags':
          rest = { node: node.item, env: changed(env, node.add, node.remove), next };
          continue;
        case 'alt':
          return altAll(node.items.map((item) => this.walk({ node: item, env, next }, left, before, atEnd)));
        case 'repeat': {
          const done = this.repeat(node, env, rest as Work & { node: Node }, left, before, atEnd);
          if ('language' in done) return done.language;
          rest = done.rest;
          continue;
        }
        case 'look':
          if (node.ahead) return this.ahead(this.lookahead(node, env), next, left, before, atEnd);
          left = this.behind(node, env, left, before);
          break;
        case 'assert':
          if (node.which === 'start') {
            left = lastIn(left, before, env.multiline ? NEWLINE : [], true);
          } else if (node.which === 'end') {
            if (env.multiline) {
              const language = alt(EMPTY, cat(set(NEWLINE), anyString));
              return this.ahead(() => language, next, left, before, atEnd);
            }
            atEnd = true;
          } else {
            return this.wordEdge(node.which === 'boundary', env, next, left, before, atEnd);
          }
          break;
        default:
          return this.fail(node.place, 'assertion in an unexpected place');
      }
      rest = next;
    }
  }

  private repeat(
    node: Node & { k: 'repeat' },
    env: Env,
    work: Work,
    left: Regex,
    before: Before,
    atEnd: boolean,
  ): { rest: Work | undefined } | { language: Regex } {
    const { item, min, max, place } = node;
    const { next } = work;
    if (max === 0) return { rest: next };
    if (min > MAX_COPIES || (max !== Number.POSITIVE_INFINITY && max > MAX_COPIES)) {
      this.fail(
        place,
        `a repeat with assertions inside goes to ${MAX_COPIES} at most`,
        'move the assertion out of the repeat',
      );
    }
    if (min > 0) {
      const less: Node = { k: 'repeat', item, min: min - 1, max: max - 1, place };
      return { rest: { node: item, env, next: { node: less, env, next } } };
    }
    // At the end of the text a round of the body could only add conditions.
    if (atEnd) return { rest: next };
    if (max !== Number.POSITIVE_INFINITY) {
      const without = this.walk(next, left, before, atEnd);
      const less: Node = { k: 'repeat', item, min: 0, max: max - 1, place };
      const withOne = this.walk({ node: item, env, next: { node: less, env, next } }, left, before, atEnd);
      return { language: alt(without, withOne) };
    }
    try {
      return { language: cat(left, this.unknownAt(work, item, env, UNKNOWN)) };
    } catch (error) {
      if (!(error instanceof NeedsBefore)) throw error;
    }
    if (nullable(left) && before.k === 'unknown') throw new NeedsBefore();
    const parts: Regex[] = [];
    for (const ranges of this.lastCharacters()) {
      const part = endingIn(left, ranges);
      if (part.t !== 'never') parts.push(cat(part, this.unknownAt(work, item, env, { k: 'chars', ranges })));
    }
    if (nullable(left)) parts.push(this.unknownAt(work, item, env, before));
    return { language: altAll(parts) };
  }

  /**
   * The unknown language "this repeat from here on, then what follows it", behind `before`. Its equation is set up on first
   * use; the body goes on with the same work, so it comes back to the same unknown.
   */
  private unknownAt(work: Work, item: Node, env: Env, before: Before): Regex {
    const key = before.k === 'chars' ? before.ranges.join() : before.k;
    const byContext = this.unknowns.get(work) ?? new Map<string, Regex>();
    this.unknowns.set(work, byContext);
    const known = byContext.get(key);
    if (known !== undefined) return known;
    const made = unknown();
    const mark = this.equations.length;
    byContext.set(key, made);
    const equation = { unknown: made, language: NEVER, forget: () => byContext.delete(key) };
    this.equations.push(equation);
    try {
      const after = this.walk(work.next, EMPTY, before, false);
      equation.language = alt(after, this.walk({ node: item, env, next: work }, EMPTY, before, false));
    } catch (error) {
      // What was set up since may refer to this unknown, which now does not come to be.
      for (const dropped of this.equations.splice(mark)) dropped.forget();
      throw error;
    }
    return made;
  }

  /** The language with its unknowns solved, each apart: what stands around them need not enter their automata. */
  private closed(language: Regex): Regex {
    if (!holdsUnknown(language)) return language;
    if (isUnknown(language)) {
      const known = this.solved.get(language);
      if (known !== undefined) return known;
      const made = solve(language, this.equations, this.source, this.pattern.root.place, this.effort);
      this.solved.set(language, made);
      return made;
    }
    if (language.t === 'cat') return catAll(language.items.map((item) => this.closed(item)));
    if (language.t === 'alt') return altAll(language.items.map((item) => this.closed(item)));
    if (language.t === 'and') return and(...language.items.map((item) => this.closed(item)));
    return language;
  }

  /** The text ahead as a function of what stands before it. */
  private lookahead(node: Node & { k: 'look' }, env: Env): (before: Before) => Regex {
    return (before) => {
      const inside: Work = { node: node.item, env, next: { pure: anyString, next: undefined } };
      const language = this.closed(this.walk(inside, EMPTY, before, false));
      return node.negate ? not(language) : language;
    };
  }

  /** Requires the remainder to be in `language`. */
  private ahead(
    language: (before: Before) => Regex,
    next: Work | undefined,
    left: Regex,
    before: Before,
    atEnd: boolean,
  ): Regex {
    const rest = (b: Before): Regex => {
      const restriction = language(b);
      if (restriction.t === 'never') return NEVER;
      // Not by `and`, which cannot know whether an unknown language holds the empty text.
      if (restriction.t === 'empty') return this.walk(next, EMPTY, b, true);
      return and(restriction, this.walk(next, EMPTY, b, false));
    };
    if (atEnd) return this.aheadAtEnd(language, next, left, before);
    if (left.t === 'empty') return rest(before);
    try {
      return cat(left, rest(UNKNOWN));
    } catch (error) {
      if (!(error instanceof NeedsBefore)) throw error;
    }
    const parts: Regex[] = [];
    if (nullable(left)) parts.push(rest(before));
    for (const ranges of this.lastCharacters()) {
      const part = endingIn(left, ranges);
      if (part.t !== 'never') parts.push(cat(part, rest({ k: 'chars', ranges })));
    }
    return alt(...parts);
  }

  private aheadAtEnd(language: (before: Before) => Regex, next: Work | undefined, left: Regex, before: Before): Regex {
    const keep = (part: Regex, b: Before): Regex =>
      nullable(language(b)) ? this.walk(next, part, before, true) : NEVER;
    try {
      return keep(left, UNKNOWN);
    } catch (error) {
      if (!(error instanceof NeedsBefore)) throw error;
    }
    const parts = this.lastCharacters().map((ranges) => keep(endingIn(left, ranges), { k: 'chars', ranges }));
    if (nullable(left)) parts.push(keep(EMPTY, before));
    return alt(...parts);
  }

  private wordEdge(
    boundary: boolean,
    env: Env,
    next: Work | undefined,
    left: Regex,
    before: Before,
    atEnd: boolean,
  ): Regex {
    const word = wordRanges(env.ignoreCase, this.unicode, this.cache);
    const opens = cat(set(word), anyString);
    const afterWord = lastIn(left, before, word, false);
    const afterOther = lastIn(left, before, complement(word), true);
    return alt(
      this.ahead(() => (boundary ? not(opens) : opens), next, afterWord, before, atEnd),
      this.ahead(() => (boundary ? opens : not(opens)), next, afterOther, before, atEnd),
    );
  }

  private behind(node: Node & { k: 'look' }, env: Env, left: Regex, before: Before): Regex {
    const plain = this.parts.isPure(node.item) ? this.parts.pure(node.item, env) : undefined;
    if (plain !== undefined) {
      const single = singleChars(plain);
      if (single !== undefined) {
        return lastIn(left, before, node.negate ? complement(single) : single, node.negate);
      }
      const local = lengthBounds(plain).max <= lengthBounds(left).min;
      if (local || before.k === 'start') {
        const language = cat(anyString, plain);
        return node.negate ? minus(left, language) : and(left, language);
      }
    } else if (before.k === 'start') {
      this.checkBehind(node.item);
      const language = this.closed(this.walk({ node: node.item, env, next: undefined }, anyString, before, false));
      return node.negate ? minus(left, language) : and(left, language);
    }
    return this.fail(
      node.place,
      'this lookbehind reaches back over a lookahead, which cannot be compiled',
      'put the lookbehind before the lookahead, or shorten it to one character',
    );
  }

  private checkBehind(node: Node): void {
    if (node.k === 'look' ? node.ahead : node.k === 'assert' && node.which !== 'start') {
      this.fail(node.place, 'a lookbehind with an assertion about what follows cannot be compiled');
    }
    if ('items' in node) for (const item of node.items) this.checkBehind(item);
    else if ('item' in node) this.checkBehind(node.item);
  }

  private lastCharacters(): readonly Ranges[] {
    this.atoms ??= lastAtoms(this.pattern.root, this.parts, this.unicode, this.cache);
    return this.atoms;
  }
}
