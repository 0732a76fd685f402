/**
 * Small constructors for {@link Regex} values. They flatten and drop units, so that plain schemas yield plain terms, and know
 * nothing of languages: emptiness is the business of the TermStore.
 */
import { anyString, type Regex } from '../../regular/regex.js';

export const NEVER_RE: Regex = { t: 'never' };
export const EMPTY_RE: Regex = { t: 'empty' };

export const lit = (text: string): Regex => (text === '' ? EMPTY_RE : { t: 'lit', text });
export const set = (...ranges: number[]): Regex => ({ t: 'set', ranges });

/** A set written as characters and ranges, such as `chars('az', 'AZ', '-')`: two-character strings are ranges. */
export function chars(...parts: string[]): Regex {
  const ranges = parts.map((p) => [p.codePointAt(0)!, p.codePointAt(p.length - 1)!] as const);
  ranges.sort((a, b) => a[0] - b[0]);
  const out: number[] = [];
  for (const [lo, hi] of ranges) {
    const last = out.length - 1;
    if (last > 0 && lo <= out[last]! + 1) out[last] = Math.max(out[last]!, hi);
    else out.push(lo, hi);
  }
  return { t: 'set', ranges: out };
}

export function cat(...items: readonly Regex[]): Regex {
  const out: Regex[] = [];
  for (const x of items) {
    if (x.t === 'never') return x;
    if (x.t === 'cat') out.push(...x.items);
    else if (x.t !== 'empty') out.push(x);
  }
  return out.length === 0 ? EMPTY_RE : out.length === 1 ? out[0]! : { t: 'cat', items: out };
}

export function alt(...items: readonly Regex[]): Regex {
  const out: Regex[] = [];
  for (const x of items) {
    if (x === anyString) return x;
    if (x.t === 'alt') out.push(...x.items);
    else if (x.t !== 'never') out.push(x);
  }
  return out.length === 0 ? NEVER_RE : out.length === 1 ? out[0]! : { t: 'alt', items: out };
}

export function and(...items: readonly Regex[]): Regex {
  const out: Regex[] = [];
  for (const x of items) {
    if (x.t === 'never') return x;
    if (x.t === 'and') out.push(...x.items);
    else if (x !== anyString && !out.includes(x)) out.push(x);
  }
  return out.length === 0 ? anyString : out.length === 1 ? out[0]! : { t: 'and', items: out };
}

export function not(item: Regex): Regex {
  if (item.t === 'not') return item.item;
  if (item.t === 'never') return anyString;
  if (item === anyString) return NEVER_RE;
  return { t: 'not', item };
}

export const rep = (item: Regex, min: number, max: number): Regex =>
  max === 0 ? EMPTY_RE : min === 1 && max === 1 ? item : { t: 'rep', item, min, max };
export const opt = (...items: readonly Regex[]): Regex => rep(cat(...items), 0, 1);
export const star = (item: Regex): Regex => rep(item, 0, Number.POSITIVE_INFINITY);
export const plus = (item: Regex): Regex => rep(item, 1, Number.POSITIVE_INFINITY);

/** A finite set of strings. */
export const lits = (texts: readonly string[]): Regex =>
  texts.length === 0 ? NEVER_RE : texts.length === 1 ? lit(texts[0]!) : { t: 'lits', texts };

/** The strings of a regex that is a plain list of literals. */
export function literalsOf(re: Regex): readonly string[] | undefined {
  switch (re.t) {
    case 'never':
      return [];
    case 'empty':
      return [''];
    case 'lit':
      return [re.text];
    case 'lits':
      return re.texts;
    default:
      return undefined;
  }
}

/** Whether the regex is non-empty for a reason that shows in its structure. */
export function plainlyNonEmpty(re: Regex): boolean {
  switch (re.t) {
    case 'empty':
    case 'lit':
      return true;
    case 'never':
    case 'and':
    case 'not':
    case 'dfa':
      return false;
    case 'set':
      return re.ranges.length > 0;
    case 'lits':
      return re.texts.length > 0;
    case 'cat':
      return re.items.every(plainlyNonEmpty);
    case 'alt':
      return re.items.some(plainlyNonEmpty);
    case 'rep':
      return re.min === 0 || plainlyNonEmpty(re.item);
  }
}

/**
 * A larger language without large counters: `rep` bounds above a few become none. Emptiness of the larger language settles the
 * question cheaply where languages are disjoint for reasons of characters rather than lengths. Complements stay exact.
 */
export function loosened(re: Regex): Regex {
  switch (re.t) {
    case 'cat':
    case 'alt':
    case 'and': {
      const items = re.items.map(loosened);
      return items.every((x, i) => x === re.items[i]) ? re : { t: re.t, items };
    }
    case 'rep': {
      const item = loosened(re.item);
      const wide = re.max > 4 && re.max !== Number.POSITIVE_INFINITY;
      if (!wide && re.min <= 4) return item === re.item ? re : { ...re, item };
      return { t: 'rep', item, min: Math.min(re.min, 1), max: Number.POSITIVE_INFINITY };
    }
    default:
      return re;
  }
}
