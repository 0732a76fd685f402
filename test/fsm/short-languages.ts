/** Languages of short and of endless strings for the twins of what must not come again: keys of objects, items of arrays; and their tokens. */
import type { Regex } from '../../src/regular/regex.js';
import { type Draw, oneOf } from '../oracle/random-grammar.js';

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

/** All bytes, and tokens that end one key or item and begin the next; `ended` is what may stand between the end of a string and a comma. */
export function crossingTokens(
  draw: Draw,
  ends: readonly string[],
  starts: readonly string[],
  ended: string,
): (Uint8Array | null)[] {
  const words = new Set<string>();
  for (let i = 0; i < 50; i++)
    words.add(oneOf(draw, ends)! + (draw.below(6) === 0 ? ', ' : ',') + oneOf(draw, starts)!);
  // So many that what is known of a lexeme takes the place of a walk.
  if (draw.below(2) === 0)
    for (const c of 'abcdefghijklmnopqrstuvwxyz') words.add(`"${ended},"${c}${draw.below(2) === 0 ? 'b' : ''}`);
  const bytes = [...Array(256).keys()].map((b) => Uint8Array.of(b));
  return [...bytes, ...[...words].map((w) => new TextEncoder().encode(w)), null];
}
