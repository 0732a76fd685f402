/**
 * Arrays with unique scalar items against the naive twin, with tokens that end one item and begin the next: masks are made from states
 * that do not know the item that ends, so where it could be the only way for the next one to end, the token must be tried.
 */
import { expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.js';
import type { Expr, Grammar, ItemVariant } from '../../src/grammar/ir.js';
import type { Regex } from '../../src/regular/regex.js';
import { type Draw, isProper, oneOf } from '../oracle/random-grammar.js';
import { comparePath } from './compare.js';
import { cat, crossingTokens, END, lit, lits, rep, STRINGS, set } from './short-languages.js';

const TEXTS: readonly Regex[] = [
  lit('null'),
  lits('true', 'false'),
  set(0x30, 0x31),
  cat(rep(lit('-'), 0, 1), set(0x30, 0x31), rep(cat(lit('.'), rep(lit('0'), 1, 3)), 0, 1)),
  cat(set(0x31, 0x32), rep(set(0x30, 0x39), 0, 2)),
];
const ENDS = ['"', 'a"', 'b"', 'l', 'null', 'e', '0', '1', '.0', '', '","a"', '","b"'];
const STARTS = [
  ...['"', '"a', '"ab', '"b', '"bb', '"bc', '"é', '"\\u00', '"\\u0061'],
  ...['nu', 'null', 'true', 'fa', '0', '1', '-', '1.', '1.0'],
];

function grammarOf(draw: Draw): Grammar {
  const exprs: Expr[] = [];
  for (let n = 1 + draw.below(3); n > 0; n--)
    exprs.push(
      draw.below(5) < 3 ? { op: 'string', re: oneOf(draw, STRINGS)! } : { op: 'text', re: oneOf(draw, TEXTS)! },
    );
  const values = exprs.map((_, i) => i);
  const counted = draw.below(4) === 0;
  let rest: ItemVariant[] = values.map((value, i) => ({ value, counts: i === 0 ? 1 : 0 }));
  if (!counted) {
    exprs.push({ op: 'alt', items: values });
    rest = [{ value: exprs.length - 1, counts: 0 }];
  }
  const maxItems = draw.below(3) === 0 ? 3 : END;
  const counters = counted ? [{ min: 0, max: 1 + draw.below(2) }] : [];
  exprs.push({ op: 'array', prefix: [], rest, minItems: draw.below(3), maxItems, counters, unique: true });
  return { exprs, start: exprs.length - 1, whitespace: oneOf(draw, ['compact', 'flexible', 'bounded'] as const)! };
}

it('masks know which item could only be the one before', { timeout: 120_000 }, () => {
  for (let seed = 1; seed <= 80; seed++) {
    const draw = createRandom(seed);
    const grammar = grammarOf(draw);
    if (!isProper(grammar)) continue;
    const tokens = crossingTokens(draw, ENDS, STARTS, '');
    // Few bytes beyond ASCII are asked, for time.
    const ids = tokens.map((_, id) => id).filter((id) => id < 0x80 || id === 0xc3 || id === 0xa9 || id >= 256);
    const outcome = comparePath({ grammar, tokens, eos: [tokens.length - 1] }, draw, 9, { ids: () => ids });
    expect([seed, outcome.mismatch]).toEqual([seed, undefined]);
  }
});
