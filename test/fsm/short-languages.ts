/** Languages of short and of endless strings for the twins of what must not come again: keys of objects, items of arrays. */
import type { Regex } from '../../src/regular/regex.js';

export const END = Number.POSITIVE_INFINITY;
export const lit = (text: string): Regex => ({ t: 'lit', text });
export const lits = (...texts: string[]): Regex => ({ t: 'lits', texts });
export const set = (lo: number, hi: number): Regex => ({ t: 'set', ranges: [lo, hi] });
export const rep = (item: Regex, min: number, max: number): Regex => ({ t: 'rep', item, min, max });
export const cat = (...items: Regex[]): Regex => ({ t: 'cat', items });
const alt = (...items: Regex[]): Regex => ({ t: 'alt', items });
const any = set(0x20, 0x10ffff);
const ab = set(0x61, 0x62);

export const STRINGS: readonly Regex[] = [
  rep(any, 0, 1),
  rep(any, 0, 2),
  rep(ab, 0, 1),
  rep(ab, 1, 2),
  rep(ab, 0, END),
  rep(set(0x61, 0x7a), 0, 2),
  lits('a', 'b', 'ab', 'ba'),
  cat(lit('a'), rep(lit('b'), 0, END)),
  // Endless, but for some beginnings.
  alt(cat(lit('a'), rep(any, 0, END)), lit('b')),
  alt(cat(lit('a'), rep(any, 0, END)), lit('b'), lit('bc')),
  alt(lit('é'), rep(ab, 0, END)),
];
