/**
 * Smart constructors for {@link Regex}: the same languages with fewer nodes. They flatten, drop neutral parts, join neighbouring
 * literals and merge sets, and never expand a counter.
 *
 * Invariant: what these functions return holds no `never` below the top (but under `not`), no `cat` in `cat`, no `alt` in `alt`.
 */
import { anyString, type Regex } from '../../regular/regex.js';
import { intersect, MAX_CODE_POINT, type Ranges, union } from './ranges.js';

export const NEVER: Regex = { t: 'never' };
export const EMPTY: Regex = { t: 'empty' };

export function set(ranges: Ranges): Regex {
  if (ranges.length === 0) return NEVER;
  const lo = ranges[0] as number;
  if (ranges.length === 2 && lo === ranges[1] && lo <= MAX_CODE_POINT) return lit(String.fromCodePoint(lo));
  return { t: 'set', ranges };
}

export function lit(text: string): Regex {
  return text === '' ? EMPTY : { t: 'lit', text };
}

export function isAnyString(re: Regex): boolean {
  return (
    re === anyString ||
    (re.t === 'rep' &&
      re.min === 0 &&
      re.max === Number.POSITIVE_INFINITY &&
      re.item.t === 'set' &&
      re.item.ranges.length === 2 &&
      re.item.ranges[0] === 0 &&
      re.item.ranges[1] === MAX_CODE_POINT)
  );
}

/** Two literals may be joined unless a surrogate pair would come into being at the seam. */
function joinable(a: string, b: string): boolean {
  const left = a.charCodeAt(a.length - 1);
  const right = b.charCodeAt(0);
  return !((left & 0xfc00) === 0xd800 && (right & 0xfc00) === 0xdc00);
}

export const cat = (...parts: readonly Regex[]): Regex => catAll(parts);

/** As {@link cat}, for lists of any length. */
export function catAll(parts: readonly Regex[]): Regex {
  const items: Regex[] = [];
  /** Literals not yet joined; joined in one go, since growing a string piece by piece is quadratic. */
  let texts: string[] = [];
  const flush = (): void => {
    if (texts.length > 0) items.push({ t: 'lit', text: texts.length === 1 ? (texts[0] as string) : texts.join('') });
    texts = [];
  };
  const add = (item: Regex): void => {
    if (item.t === 'lit') {
      const last = texts[texts.length - 1];
      if (last !== undefined && !joinable(last, item.text)) flush();
      texts.push(item.text);
      return;
    }
    flush();
    const last = items[items.length - 1];
    // Any string twice is any string.
    if (last === undefined || !isAnyString(last) || !isAnyString(item)) items.push(item);
  };
  for (const part of parts) {
    if (part.t === 'never') return NEVER;
    if (part.t === 'empty') continue;
    if (part.t === 'cat') for (const item of part.items) add(item);
    else add(part);
  }
  flush();
  if (items.length === 0) return EMPTY;
  // A copy has no room to grow, which a list filled piece by piece has.
  return items.length === 1 ? (items[0] as Regex) : { t: 'cat', items: items.slice() };
}

/** The code point of a one-character literal, else -1. */
function single(re: Regex): number {
  if (re.t !== 'lit' || re.text.length > 2) return -1;
  const cp = re.text.codePointAt(0) as number;
  return String.fromCodePoint(cp).length === re.text.length ? cp : -1;
}

export const alt = (...parts: readonly Regex[]): Regex => altAll(parts);

/** As {@link alt}, for lists of any length. */
export function altAll(parts: readonly Regex[]): Regex {
  const distinct = new Set<Regex>();
  for (const part of parts) {
    if (part.t === 'never') continue;
    if (isAnyString(part)) return part;
    if (part.t === 'alt') for (const item of part.items) distinct.add(item);
    else distinct.add(part);
  }
  const flat = [...distinct];
  if (flat.length < 2) return flat[0] ?? NEVER;
  // Single characters join one set; longer literals one list; the empty string is kept once.
  const chars: number[] = [];
  const texts = new Set<string>();
  const rest: Regex[] = [];
  let sets = 0;
  let empty = false;
  for (const item of flat) {
    const cp = single(item);
    if (item.t === 'set') {
      for (const x of item.ranges) chars.push(x);
      sets++;
    } else if (cp >= 0) {
      chars.push(cp, cp);
      sets++;
    } else if (item.t === 'lit') texts.add(item.text);
    else if (item.t === 'lits') for (const text of item.texts) texts.add(text);
    else if (item.t === 'empty') empty = true;
    else rest.push(item);
  }
  const out: Regex[] = [];
  if (sets > 0) out.push(set(union(chars)));
  if (texts.size === 1) out.push(lit([...texts][0] as string));
  else if (texts.size > 1) out.push({ t: 'lits', texts: [...texts] });
  for (const item of rest) out.push(item);
  if (empty && !out.some(nullable)) out.unshift(EMPTY);
  return out.length === 1 ? (out[0] as Regex) : { t: 'alt', items: out };
}

export function and(...parts: readonly Regex[]): Regex {
  const items: Regex[] = [];
  let chars: Ranges | undefined;
  for (const part of parts) {
    for (const item of part.t === 'and' ? part.items : [part]) {
      if (item.t === 'never') return NEVER;
      if (isAnyString(item) || items.includes(item)) continue;
      if (item.t === 'set') chars = chars === undefined ? item.ranges : intersect(chars, item.ranges);
      else items.push(item);
    }
  }
  if (items.some((item) => item.t === 'empty')) {
    return chars === undefined && items.every(nullable) ? EMPTY : NEVER;
  }
  if (chars !== undefined) {
    if (chars.length === 0) return NEVER;
    items.push(set(chars));
  }
  if (items.length === 0) return anyString;
  return items.length === 1 ? (items[0] as Regex) : { t: 'and', items };
}

export function not(item: Regex): Regex {
  if (item.t === 'not') return item.item;
  if (item.t === 'never') return anyString;
  if (isAnyString(item)) return NEVER;
  return { t: 'not', item };
}

/** `item` from `min` to `max` times. A repeat of a nullable item starts at zero; nested plain stars collapse. */
export function rep(item: Regex, min: number, max: number): Regex {
  if (max === 0 || item.t === 'empty') return EMPTY;
  if (item.t === 'never') return min === 0 ? EMPTY : NEVER;
  if (min === 1 && max === 1) return item;
  const from = nullable(item) ? 0 : min;
  if (item.t === 'rep' && item.max === Number.POSITIVE_INFINITY && item.min <= 1 && max > 0) {
    // (x*){m,n} and (x+){0,n} are x*, (x+){1,n} is x+; (x+){m,n} is x{m,}.
    if (item.min === 0 || from === 0) return rep(item.item, 0, Number.POSITIVE_INFINITY);
    return rep(item.item, from, Number.POSITIVE_INFINITY);
  }
  return { t: 'rep', item, min: from, max };
}

/** Set difference. */
export function minus(a: Regex, b: Regex): Regex {
  return and(a, not(b));
}

export function nullable(re: Regex): boolean {
  switch (re.t) {
    case 'never':
    case 'set':
      return false;
    case 'empty':
      return true;
    case 'lit':
      return re.text === '';
    case 'lits':
      return re.texts.includes('');
    case 'cat':
    case 'and':
      return re.items.every(nullable);
    case 'alt':
      return re.items.some(nullable);
    case 'not':
      return !nullable(re.item);
    case 'rep':
      return re.min === 0 || nullable(re.item);
    case 'dfa':
      return re.states[re.start]?.accept === true;
  }
}

/** The language without the empty string. */
export function withoutEmpty(re: Regex): Regex {
  if (!nullable(re)) return re;
  switch (re.t) {
    case 'alt':
      return altAll(re.items.map(withoutEmpty));
    case 'lits':
      return altAll(re.texts.filter((text) => text !== '').map(lit));
    case 'rep':
      return rep(withoutEmpty(re.item), 1, re.max);
    case 'cat': {
      // The first item that is not empty, whichever it is.
      const parts: Regex[] = [];
      for (let i = 0; i < re.items.length; i++) {
        parts.push(cat(withoutEmpty(re.items[i] as Regex), ...re.items.slice(i + 1)));
      }
      return altAll(parts);
    }
    case 'empty':
      return NEVER;
    default:
      return and(re, not(EMPTY));
  }
}

const codePoints = (text: string): number => {
  let n = 0;
  for (const _ of text) n++;
  return n;
};

/** Bounds of the length in code points: no string of the language is shorter than `min` or longer than `max`. */
export function lengthBounds(re: Regex): { readonly min: number; readonly max: number } {
  switch (re.t) {
    case 'never':
    case 'empty':
      return { min: 0, max: 0 };
    case 'set':
      return { min: 1, max: 1 };
    case 'lit': {
      const n = codePoints(re.text);
      return { min: n, max: n };
    }
    case 'lits': {
      const all = re.texts.map(codePoints);
      return { min: Math.min(...all), max: Math.max(...all) };
    }
    case 'cat': {
      const all = re.items.map(lengthBounds);
      return { min: all.reduce((s, b) => s + b.min, 0), max: all.reduce((s, b) => s + b.max, 0) };
    }
    case 'alt': {
      const all = re.items.map(lengthBounds);
      return { min: Math.min(...all.map((b) => b.min)), max: Math.max(...all.map((b) => b.max)) };
    }
    case 'and': {
      const all = re.items.map(lengthBounds);
      return { min: Math.max(...all.map((b) => b.min)), max: Math.min(...all.map((b) => b.max)) };
    }
    case 'not':
      return { min: nullable(re.item) ? 1 : 0, max: Number.POSITIVE_INFINITY };
    case 'rep': {
      const b = lengthBounds(re.item);
      return { min: b.min * re.min, max: b.max === 0 ? 0 : b.max * re.max };
    }
    case 'dfa':
      return { min: nullable(re) ? 0 : 1, max: Number.POSITIVE_INFINITY };
  }
}
