/**
 * Sets of strings: finite lists, or an intersection of regular languages with a range of lengths.
 *
 * Enums and plain length bounds are by far the most common constraints, and both have closed forms; only the rest becomes
 * regular algebra. Lengths count code points.
 */
import { anyChar, anyString, type Regex } from '../../regular/regex.js';
import { alt, and, lits, NEVER_RE, not, plainlyNonEmpty, rep } from './re.js';

export type StringSet =
  | { readonly kind: 'list'; readonly texts: readonly string[] }
  | { readonly kind: 'regular'; readonly parts: readonly Regex[]; readonly min: number; readonly max: number };

/** What this file needs of a term store. */
export interface Matching {
  isEmpty(re: Regex): boolean;
  matches(re: Regex, text: string): boolean;
}

const INF = Number.POSITIVE_INFINITY;

export const ALL_STRINGS: StringSet = { kind: 'regular', parts: [], min: 0, max: INF };
export const NO_STRINGS: StringSet = { kind: 'list', texts: [] };

export const stringList = (texts: readonly string[]): StringSet =>
  texts.length === 0 ? NO_STRINGS : { kind: 'list', texts };

export function regularStrings(parts: readonly Regex[], min = 0, max = INF): StringSet {
  if (min > max) return NO_STRINGS;
  return parts.length === 0 && min === 0 && max === INF ? ALL_STRINGS : { kind: 'regular', parts, min, max };
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

export function hasString(set: StringSet, text: string, m: Matching): boolean {
  if (set.kind === 'list') return set.texts.includes(text);
  if (set.min > 0 || set.max !== INF) {
    const n = lengthOf(text);
    if (n < set.min || n > set.max) return false;
  }
  return set.parts.every((p) => m.matches(p, text));
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
  return regularStrings(parts, Math.max(a.min, b.min), Math.min(a.max, b.max));
}

export function orStrings(a: StringSet, b: StringSet): StringSet {
  if (a === b || b === NO_STRINGS) return a;
  if (a === NO_STRINGS) return b;
  if (a === ALL_STRINGS || b === ALL_STRINGS) return ALL_STRINGS;
  if (a.kind === 'list' && b.kind === 'list') return stringList([...new Set([...a.texts, ...b.texts])]);
  return regularStrings([alt(stringRegex(a), stringRegex(b))]);
}

export function notStrings(a: StringSet): StringSet {
  if (a === ALL_STRINGS) return NO_STRINGS;
  if (a === NO_STRINGS) return ALL_STRINGS;
  if (a.kind === 'regular' && a.parts.length === 0) {
    const short = a.min > 0 ? regularStrings([], 0, a.min - 1) : NO_STRINGS;
    const long = a.max === INF ? NO_STRINGS : regularStrings([], a.max + 1, INF);
    return orStrings(short, long);
  }
  return regularStrings([not(stringRegex(a))]);
}

export function stringRegex(a: StringSet): Regex {
  if (a.kind === 'list') return lits(a.texts);
  if (a.min === 0 && a.max === INF) return a.parts.length === 0 ? anyString : and(...a.parts);
  const length = rep(anyChar, a.min, a.max);
  return a.parts.length === 0 ? length : and(...a.parts, length);
}

export function stringsEmpty(a: StringSet, m: Matching): boolean {
  if (a.kind === 'list') return a.texts.length === 0;
  if (a.parts.length === 0) return a.min > a.max;
  if (a.parts.length === 1 && a.min === 0 && a.max === INF && plainlyNonEmpty(a.parts[0]!)) return false;
  const re = stringRegex(a);
  return re === NEVER_RE || m.isEmpty(re);
}
