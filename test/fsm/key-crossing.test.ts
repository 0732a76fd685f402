/**
 * Objects with dynamic keys against the naive twin, with tokens that end one key and begin the next: masks are made from states that do
 * not know the key that ends, so where it could be the only way for the next one to end, the token must be tried.
 */
import { expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.js';
import type { DynamicKeys, Expr, Grammar, Property } from '../../src/grammar/ir.js';
import type { Regex } from '../../src/regular/regex.js';
import { type Draw, isProper, oneOf } from '../oracle/random-grammar.js';
import { comparePath } from './compare.js';
import { crossingTokens, END, lits, rep, STRINGS, set } from './short-languages.js';

const NAMES = ['a', 'b', 'ab', 'c', 'é'];
const ENDS = ['"', 'a"', 'b"', 'ab"', 'bc"', '":0', 'a":0', 'b":1', '":"x"', ':0', ':1', '0', '}', ''];
const STARTS = ['"', '"a', '"ab', '"b', '"bb', '"bc', '"é', '"\\u00', '"\\u0061', '"c', '"a"', '"b":', '"ab":0'];

function grammarOf(draw: Draw): Grammar {
  const exprs: Expr[] = [
    { op: 'text', re: set(0x30, 0x31) },
    { op: 'string', re: rep(set(0x78, 0x79), 0, 1) },
  ];
  const names = NAMES.filter(() => draw.below(4) === 0);
  const properties: Property[] = names.map((name) => ({ name, value: draw.below(2), required: draw.below(3) === 0 }));
  const declared = lits(...names);
  const left = (keys: Regex): Regex =>
    names.length === 0 ? keys : { t: 'and', items: [keys, { t: 'not', item: declared }] };
  const dynamic: DynamicKeys[] = [];
  const first = oneOf(draw, STRINGS)!;
  dynamic.push({ keys: left(first), value: draw.below(2) });
  if (draw.below(3) === 0)
    dynamic.push({
      keys: { t: 'and', items: [left(oneOf(draw, STRINGS)!), { t: 'not', item: first }] },
      value: draw.below(2),
    });
  const minProperties = draw.below(4);
  const maxProperties = draw.below(3) === 0 ? minProperties + draw.below(3) : END;
  const order = oneOf(draw, ['any', 'schema'] as const)!;
  exprs.push({
    op: 'object',
    properties,
    dynamic,
    order,
    minProperties,
    maxProperties,
    implications: [],
    witnesses: 0,
  });
  return { exprs, start: exprs.length - 1, whitespace: oneOf(draw, ['compact', 'flexible', 'bounded'] as const)! };
}

// 825: a key that must not come, spelled by an escape in the token that begins it.
const SEEDS = [...Array.from({ length: 60 }, (_, i) => i + 1), 825];

it('masks know which key could only be the one before', { timeout: 120_000 }, () => {
  for (const seed of SEEDS) {
    const draw = createRandom(seed);
    const grammar = grammarOf(draw);
    if (!isProper(grammar)) continue;
    const tokens = crossingTokens(draw, ENDS, STARTS, ':0');
    // Few bytes beyond ASCII are asked, for time.
    const ids = tokens.map((_, id) => id).filter((id) => id < 0x80 || id === 0xc3 || id === 0xa9 || id >= 256);
    const outcome = comparePath({ grammar, tokens, eos: [tokens.length - 1] }, draw, 9, { ids: () => ids });
    expect([seed, outcome.mismatch]).toEqual([seed, undefined]);
  }
});
