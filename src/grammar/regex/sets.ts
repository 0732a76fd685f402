/** What a class denotes: code points and, in `v` mode, strings; closed under simple case folding with the flag `i`. */
import type { ClassSet } from './ast.js';
import { regexError } from './escapes.js';
import { complement, contains, intersect, normalize, type Ranges, subtract, union } from './ranges.js';
import { DIGIT, foldRanges, propertyRanges, SPACE, type UnicodeCache, WORD } from './unicode.js';

export interface SetValue {
  readonly ranges: Ranges;
  /** Strings that are not exactly one code point long. */
  readonly texts: readonly string[];
}

export interface SetContext {
  readonly source: string;
  readonly ignoreCase: boolean;
  /** The `u` or `v` flag: simple case folding. */
  readonly unicode: boolean;
  /** The `v` flag: folding happens before complements. */
  readonly sets: boolean;
  readonly cache: UnicodeCache;
}

/** Word characters; with `i` and `u` or `v` two more fold to ASCII letters (ſ and the Kelvin sign). */
export function wordRanges(ignoreCase: boolean, unicode: boolean, cache: UnicodeCache): Ranges {
  return ignoreCase && unicode ? foldRanges(WORD, cache, true) : WORD;
}

export function evaluateSet(set: ClassSet, ctx: SetContext): SetValue {
  const value = operand(set, ctx);
  return ctx.ignoreCase ? { ranges: foldRanges(value.ranges, ctx.cache, ctx.unicode), texts: value.texts } : value;
}

function operand(set: ClassSet, ctx: SetContext): SetValue {
  const value = evaluate(set, ctx);
  return ctx.ignoreCase && ctx.sets
    ? { ranges: foldRanges(value.ranges, ctx.cache, ctx.unicode), texts: value.texts }
    : value;
}

function evaluate(set: ClassSet, ctx: SetContext): SetValue {
  switch (set.k) {
    case 'chars':
      return { ranges: normalize(set.ranges), texts: [] };
    case 'strings':
      return { ranges: [], texts: set.texts };
    case 'escape': {
      const lower = set.which.toLowerCase();
      const ranges = lower === 'd' ? DIGIT : lower === 's' ? SPACE : wordRanges(ctx.ignoreCase, ctx.unicode, ctx.cache);
      return { ranges: lower === set.which ? ranges : complement(ranges), texts: [] };
    }
    case 'property': {
      const ranges = propertyRanges(set.body, ctx.cache);
      if (ranges === undefined) {
        const hint = 'general categories (L, Lu), Script=…, and binary properties of code points are known';
        throw regexError(ctx.source, set.place, `unknown Unicode property '${set.body}'`, hint);
      }
      if (!set.negate) return { ranges, texts: [] };
      return {
        ranges: complement(ctx.sets && ctx.ignoreCase ? foldRanges(ranges, ctx.cache, ctx.unicode) : ranges),
        texts: [],
      };
    }
    case 'complement': {
      const { ranges, texts } = operand(set.item, ctx);
      if (texts.length > 0) throw regexError(ctx.source, set.place, 'a negated class cannot hold strings');
      return { ranges: complement(ctx.ignoreCase ? foldRanges(ranges, ctx.cache, ctx.unicode) : ranges), texts: [] };
    }
    case 'union': {
      const parts = set.items.map((item) => operand(item, ctx));
      return { ranges: union(...parts.map((p) => p.ranges)), texts: [...new Set(parts.flatMap((p) => p.texts))] };
    }
    default: {
      const parts = set.items.map((item) => operand(item, ctx));
      const both = set.k === 'intersection';
      return parts.reduce((a, b) => ({
        ranges: both ? intersect(a.ranges, b.ranges) : subtract(a.ranges, b.ranges),
        texts: a.texts.filter((text) => b.texts.includes(text) === both),
      }));
    }
  }
}

/** Whether every code point of `part` is in `whole`. */
export function isSubset(part: Ranges, whole: Ranges): boolean {
  for (let i = 0; i < part.length; i += 2) {
    if (!contains(whole, part[i] as number)) return false;
  }
  return subtract(part, whole).length === 0;
}
