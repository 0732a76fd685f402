/**
 * Unicode properties and simple case folding, taken from the JavaScript engine that runs us rather than from tables of our own.
 *
 * The naive way asks `/\p{X}/u` once per code point (1.1 million calls). Instead one text that holds every code point of the
 * assigned planes is scanned once per property with `\p{X}+`, whose matches are the ranges; the planes 4 to 13, which hold no
 * characters, and the private planes are uniform but for their two last code points and are asked once each.
 *
 * Everything learnt is kept in a {@link UnicodeCache} that the caller owns.
 */
import { complement, contains, normalize, type Ranges, union } from './ranges.js';

/** Ranges of properties and the folding table, filled as patterns ask for them. Make one per process or per compile. */
export interface UnicodeCache {
  readonly properties: Map<string, Ranges>;
  chunks: readonly { readonly first: number; readonly text: string }[] | undefined;
  folds: Folds | undefined;
  legacyFolds: Folds | undefined;
}

export function createUnicodeCache(): UnicodeCache {
  return { properties: new Map(), chunks: undefined, folds: undefined, legacyFolds: undefined };
}

export const DIGIT: Ranges = [0x30, 0x39];
export const WORD: Ranges = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a];
export const SPACE: Ranges = [
  9, 0xd, 0x20, 0x20, 0xa0, 0xa0, 0x1680, 0x1680, 0x2000, 0x200a, 0x2028, 0x2029, 0x202f, 0x202f, 0x205f, 0x205f,
  0x3000, 0x3000, 0xfeff, 0xfeff,
];
export const NEWLINE: Ranges = [0xa, 0xa, 0xd, 0xd, 0x2028, 0x2029];

/** First and last code point of each stretch that is scanned in full; no stretch holds surrogates. */
const SCANNED: readonly (readonly [number, number])[] = [
  [0, 0xd7ff],
  [0xe000, 0xffff],
  [0x10000, 0x1ffff],
  [0x20000, 0x3ffff],
  [0xe0000, 0xe0fff],
];
/** Stretches whose code points all have the same properties; asked by their first one. */
const UNIFORM: readonly (readonly [number, number])[] = [
  [0xd800, 0xdfff],
  ...[4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16].flatMap((p): [number, number][] => [
    [p * 0x10000, p * 0x10000 + 0xfffd],
    [p * 0x10000 + 0xfffe, p * 0x10000 + 0xffff],
  ]),
  [0xe1000, 0xefffd],
  [0xefffe, 0xeffff],
];

function makeChunks(): { first: number; text: string }[] {
  return SCANNED.map(([first, last]) => {
    const parts: string[] = [];
    for (let at = first; at <= last; at += 4096) {
      const block: number[] = [];
      for (let cp = at; cp <= Math.min(last, at + 4095); cp++) block.push(cp);
      parts.push(String.fromCodePoint(...block));
    }
    return { first, text: parts.join('') };
  });
}

/** Code points of `\p{body}`, or undefined where the engine knows no such property of code points. */
export function propertyRanges(body: string, cache: UnicodeCache): Ranges | undefined {
  const known = cache.properties.get(body);
  if (known !== undefined) return known;
  let one: RegExp;
  let run: RegExp;
  try {
    one = new RegExp(`^\\p{${body}}$`, 'u');
    run = new RegExp(`\\p{${body}}+`, 'gu');
  } catch {
    return undefined;
  }
  cache.chunks ??= makeChunks();
  const pairs: number[] = [];
  for (const { first, text } of cache.chunks) {
    const width = first >= 0x10000 ? 2 : 1;
    for (const match of text.matchAll(run)) {
      const lo = first + match.index / width;
      pairs.push(lo, lo + match[0].length / width - 1);
    }
  }
  for (const [lo, hi] of UNIFORM) if (one.test(String.fromCodePoint(lo))) pairs.push(lo, hi);
  const ranges = normalize(pairs);
  cache.properties.set(body, ranges);
  return ranges;
}

/** Code points that are equal to others under simple case folding. */
interface Folds {
  /** All members of such a class, by member. */
  readonly classOf: ReadonlyMap<number, readonly number[]>;
  readonly cased: Ranges;
}

/** İ and ı fold to themselves in simple folding, although upper and lower case lead elsewhere. */
const ALONE: ReadonlySet<number> = new Set([0x130, 0x131]);

/** Equal in simple folding although no case mapping joins them (CaseFolding.txt, status S). */
const TWINS: readonly (readonly [number, number])[] = [
  [0x390, 0x1fd3],
  [0x3b0, 0x1fe3],
  [0xfb05, 0xfb06],
];

function foldKey(cp: number): number {
  const upper = String.fromCodePoint(cp).toUpperCase();
  const head = upper.codePointAt(0) as number;
  const up = String.fromCodePoint(head).length === upper.length ? head : cp;
  const lower = String.fromCodePoint(up).toLowerCase();
  const low = lower.codePointAt(0) as number;
  return String.fromCodePoint(low).length === lower.length ? low : up;
}

/** Canonicalize of ECMA-262 without u and v: upper case of one code unit, and nothing beyond ASCII becomes ASCII. */
function legacyKey(cp: number): number {
  if (cp > 0xffff) return cp;
  const upper = String.fromCodePoint(cp).toUpperCase();
  const unit = upper.charCodeAt(0);
  return upper.length !== 1 || (cp >= 0x80 && unit < 0x80) ? cp : unit;
}

function makeFolds(legacy: boolean): Folds {
  const byKey = new Map<number, number[]>();
  const note = (key: number, cp: number): void => {
    const list = byKey.get(key);
    if (list === undefined) byKey.set(key, [cp]);
    else if (!list.includes(cp)) list.push(cp);
  };
  for (let cp = 0x41; cp < 0x1ffff; cp++) {
    if ((cp >= 0x2e80 && cp < 0xa640) || (cp >= 0xac00 && cp < 0xfb00) || (!legacy && ALONE.has(cp))) continue;
    const key = legacy ? legacyKey(cp) : foldKey(cp);
    if (key !== cp) {
      note(key, key);
      note(key, cp);
    }
  }
  for (const [a, b] of legacy ? [] : TWINS) {
    note(a, a);
    note(a, b);
  }
  const classOf = new Map<number, readonly number[]>();
  const pairs: number[] = [];
  for (const list of byKey.values()) {
    for (const cp of list) {
      classOf.set(cp, list);
      pairs.push(cp, cp);
    }
  }
  return { classOf, cased: normalize(pairs) };
}

/**
 * The set with everything equal to a member but for case: under simple case folding for patterns with u or v (`unicode`), else by
 * upper case as ECMA-262 has it (22.2.2.7.3).
 */
export function foldRanges(ranges: Ranges, cache: UnicodeCache, unicode: boolean): Ranges {
  if (unicode) cache.folds ??= makeFolds(false);
  else cache.legacyFolds ??= makeFolds(true);
  const { classOf, cased } = (unicode ? cache.folds : cache.legacyFolds) as Folds;
  const extra: number[] = [];
  // Walk the smaller side: the members of the set, or all cased code points.
  for (let i = 0; i < cased.length; i += 2) {
    for (let cp = cased[i] as number; cp <= (cased[i + 1] as number); cp++) {
      if (!contains(ranges, cp)) continue;
      for (const other of classOf.get(cp) as readonly number[]) extra.push(other, other);
    }
  }
  return extra.length === 0 ? ranges : union(ranges, extra);
}

/** What `.` matches. */
export function dotRanges(dotAll: boolean): Ranges {
  return dotAll ? [0, 0x10ffff] : complement(NEWLINE);
}
