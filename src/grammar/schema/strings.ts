/**
 * Sets of strings: finite lists, or an intersection of regular languages with a range of lengths.
 *
 * Enums and plain length bounds are by far the most common constraints, and both have closed forms; only the rest becomes
 * regular algebra. Lengths count code points.
 */
import { anyChar, type Regex } from '../../regular/regex.js';
import { alt, and, lits, not, plainlyNonEmpty, rep } from './re.js';

export type StringSet =
  | { readonly kind: 'list'; readonly texts: readonly string[] }
  | {
      readonly kind: 'regular';
      readonly parts: readonly Regex[];
      readonly min: number;
      readonly max: number;
      readonly except: readonly string[];
      /** Parts that are narrower than what they stand for (formats that are no regular language), with languages that are wider: complements use those. */
      readonly wide?: ReadonlyMap<Regex, Regex>;
    };

/** What this file needs of a term store. */
export interface Matching {
  isEmpty(re: Regex): boolean;
  matches(re: Regex, text: string): boolean;
}

const INF = Number.POSITIVE_INFINITY;

export const ALL_STRINGS: StringSet = { kind: 'regular', parts: [], min: 0, max: INF, except: [] };
export const NO_STRINGS: StringSet = { kind: 'list', texts: [] };

export const stringList = (texts: readonly string[]): StringSet =>
  texts.length === 0 ? NO_STRINGS : { kind: 'list', texts };

/** Strings in all of `parts`, with `min` to `max` code points, and none of `except`. */
export function regularStrings(
  parts: readonly Regex[],
  min = 0,
  max = INF,
  except: readonly string[] = [],
  wide?: ReadonlyMap<Regex, Regex>,
): StringSet {
  if (min > max) return NO_STRINGS;
  if (parts.length === 0 && min === 0 && max === INF && except.length === 0) return ALL_STRINGS;
  return { kind: 'regular', parts, min, max, except, ...(wide === undefined ? {} : { wide }) };
}

/** The strings of `narrow`, which stand for a set between those and the strings of `wide`. */
export const between = (narrow: Regex, wide: Regex): StringSet =>
  regularStrings([narrow], 0, INF, [], new Map([[narrow, wide]]));

/** All strings that a set may stand for. */
export function wideStrings(a: StringSet): StringSet {
  if (a.kind === 'list' || a.wide === undefined) return a;
  const { wide } = a;
  return regularStrings(
    a.parts.map((p) => wide.get(p) ?? p),
    a.min,
    a.max,
    a.except,
  );
}

/** Number of code points. */
export function lengthOf(text: string): number {
  let n = text.length;
  for (let i = 0; i + 1 < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c >= 0xd800 && c < 0xdc00) {
      const d = text.charCodeAt(i + 1);
      if (d >= 0xdc00 && d < 0xe000) {
        n--;
        i++;
      }
    }
  }
  return n;
}

function hasString(set: StringSet, text: string, m: Matching): boolean {
  if (set.kind === 'list') return set.texts.includes(text);
  if (set.min > 0 || set.max !== INF) {
    const n = lengthOf(text);
    if (n < set.min || n > set.max) return false;
  }
  return !set.except.includes(text) && set.parts.every((p) => m.matches(p, text));
}

export function andStrings(a: StringSet, b: StringSet, m: Matching): StringSet {
  if (a === ALL_STRINGS || a === b) return b;
  if (b === ALL_STRINGS) return a;
  if (a.kind === 'list') {
    if (b.kind === 'list') {
      const other = new Set(b.texts);
      return stringList(a.texts.filter((t) => other.has(t)));
    }
    return stringList(a.texts.filter((t) => hasString(b, t, m)));
  }
  if (b.kind === 'list') return andStrings(b, a, m);
  const parts = a.parts.length === 0 ? b.parts : [...a.parts, ...b.parts.filter((p) => !a.parts.includes(p))];
  const except =
    a.except.length === 0 ? b.except : b.except.length === 0 ? a.except : [...new Set([...a.except, ...b.except])];
  const wide = a.wide === undefined ? b.wide : b.wide === undefined ? a.wide : new Map([...a.wide, ...b.wide]);
  return regularStrings(parts, Math.max(a.min, b.min), Math.min(a.max, b.max), except, wide);
}

export function orStrings(a: StringSet, b: StringSet): StringSet {
  if (a === b || b === NO_STRINGS) return a;
  if (a === NO_STRINGS) return b;
  if (a === ALL_STRINGS || b === ALL_STRINGS) return ALL_STRINGS;
  if (a.kind === 'list' && b.kind === 'list') return stringList([...new Set([...a.texts, ...b.texts])]);
  const either = alt(stringRegex(a), stringRegex(b));
  const [c, d] = [wideStrings(a), wideStrings(b)];
  return c === a && d === b ? regularStrings([either]) : between(either, alt(stringRegex(c), stringRegex(d)));
}

function notStrings(a: StringSet): StringSet {
  if (a === ALL_STRINGS) return NO_STRINGS;
  if (a === NO_STRINGS) return ALL_STRINGS;
  if (a.kind === 'list') return regularStrings([], 0, INF, a.texts);
  if (a.parts.length === 0) {
    const short = a.min > 0 ? regularStrings([], 0, a.min - 1) : NO_STRINGS;
    const long = a.max === INF ? NO_STRINGS : regularStrings([], a.max + 1, INF);
    return orStrings(orStrings(short, long), stringList(a.except));
  }
  return regularStrings([not(stringRegex(a))]);
}

/**
 * The strings of `a` that are certainly not in `b`. Parts that both share, and lengths, are settled without automata. What both sides narrow is
 * narrowed in the result as well: a complement of it may leave out strings, and never holds one too many.
 */
export function minusStrings(a: StringSet, b: StringSet, m: Matching): StringSet {
  if (b === NO_STRINGS || a === NO_STRINGS) return a;
  if (a === b || b === ALL_STRINGS) return NO_STRINGS;
  const certain = wideStrings(b);
  if (certain !== b)
    return between(stringRegex(minusStrings(a, certain, m)), stringRegex(minusStrings(wideStrings(a), narrowed(b), m)));
  if (a.kind === 'list' || b.kind === 'list') return andStrings(a, notStrings(b), m);
  const lengths = b.min > 0 || b.max !== INF;
  if (a === ALL_STRINGS || !(lengths || b.except.length > 0 || b.parts.some((p) => a.parts.includes(p)))) {
    return andStrings(a, notStrings(b), m);
  }
  let out: StringSet = stringList(b.except.filter((t) => hasString(a, t, m)));
  if (b.min > 0) out = orStrings(out, andStrings(a, regularStrings([], 0, b.min - 1), m));
  if (b.max !== INF) out = orStrings(out, andStrings(a, regularStrings([], b.max + 1, INF), m));
  const parts = b.parts.filter((p) => !a.parts.includes(p));
  if (parts.length > 0) out = orStrings(out, andStrings(a, regularStrings([not(and(...parts))]), m));
  return out;
}

/** The same strings, taken for what is meant. */
const narrowed = (a: StringSet): StringSet => (a.kind === 'list' ? a : regularStrings(a.parts, a.min, a.max, a.except));

export function stringRegex(a: StringSet): Regex {
  if (a.kind === 'list') return lits(a.texts);
  const parts = [...a.parts];
  if (a.min > 0 || a.max !== INF) parts.push(rep(anyChar, a.min, a.max));
  if (a.except.length > 0) parts.push(not(lits(a.except)));
  return and(...parts);
}

export function stringsEmpty(a: StringSet, m: Matching): boolean {
  if (a.kind === 'list') return a.texts.length === 0;
  if (a.parts.length === 0 && (a.max === INF || a.except.length === 0)) return false;
  if (a.parts.length === 1 && a.min === 0 && a.max === INF && a.except.length === 0 && plainlyNonEmpty(a.parts[0]!))
    return false;
  const re = stringRegex(a);
  return re.t === 'never' || m.isEmpty(re);
}
