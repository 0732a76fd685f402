/**
 * A lower bound of what any text of a grammar takes, read off the grammar alone.
 *
 * Budgets walk the shortest completion (budget.ts), which costs a step a byte: for `minItems` of a million the walk alone would hold the
 * thread for minutes before it could say that no budget suffices. The bound here counts repeats by multiplication, whatever the numbers in
 * the grammar (least-values.ts).
 */
import type { ArrayExpr, ExprId, Grammar, ItemVariant, ObjectExpr } from '../grammar/ir.js';
import type { Regex } from '../regular/regex.js';
import { lowerAll } from './least-values.js';

const FAR = Number.POSITIVE_INFINITY;
/** A key that no name gives, with its colon, value and what follows: `"":0,`. */
const MEMBER = 5;

/** Bytes that each text of the grammar has at least (a token terminal counts as one). */
export function leastBytes(grammar: Grammar): number {
  const { exprs } = grammar;
  const least = new Float64Array(exprs.length).fill(FAR);
  const terms = new Map<Regex, number>();
  const regular = (re: Regex): number => {
    let n = terms.get(re);
    if (n === undefined) {
      n = leastOf(re, regular);
      terms.set(re, n);
    }
    return n;
  };
  lowerAll(grammar, least, (id) => ofExpr(grammar, id, least, regular));
  return least[grammar.start]!;
}

function ofExpr(grammar: Grammar, id: ExprId, least: Float64Array, regular: (re: Regex) => number): number {
  const expr = grammar.exprs[id]!;
  switch (expr.op) {
    case 'empty':
      return 0;
    case 'never':
      return FAR;
    case 'text':
      return regular(expr.re);
    case 'string':
      return 2 + regular(expr.re);
    case 'token':
      return 1;
    case 'seq':
      return expr.items.reduce((sum, item) => sum + least[item]!, 0);
    case 'alt':
      return expr.items.reduce((most, item) => Math.min(most, least[item]!), FAR);
    case 'rule':
      return least[expr.body]!;
    case 'repeat':
      return expr.min === 0 ? 0 : expr.min * least[expr.item]!;
    case 'object':
      return ofObject(expr, least);
    case 'array':
      return ofArray(expr, least);
  }
}

/** Braces, required members and as many more as there must be. */
function ofObject({ properties, minProperties }: ObjectExpr, least: Float64Array): number {
  let n = 1;
  let members = 0;
  for (const { name, value, required } of properties) {
    if (!required) continue;
    n += name.length + 4 + least[value]!;
    members++;
  }
  n += MEMBER * Math.max(0, minProperties - members);
  return members === 0 && minProperties === 0 ? 2 : n;
}

function ofArray({ prefix, rest, minItems, counters }: ArrayExpr, least: Float64Array): number {
  const items = Math.max(minItems, ...counters.map((c) => c.min));
  if (items === 0) return 2;
  let n = 1;
  for (let i = 0; i < Math.min(items, prefix.length); i++) n += 1 + nearest(prefix[i]!, least);
  if (items > prefix.length) n += (items - prefix.length) * (1 + nearest(rest, least));
  return n;
}

function nearest(variants: readonly ItemVariant[], least: Float64Array): number {
  return variants.reduce((most, { value }) => Math.min(most, least[value]!), FAR);
}

/** Code points of the shortest member at least: for intersections the longer side's, for complements and automata none. */
function leastOf(re: Regex, of: (re: Regex) => number): number {
  switch (re.t) {
    case 'never':
      return FAR;
    case 'set':
      return 1;
    case 'lit':
      return [...re.text].length;
    case 'lits':
      return re.texts.reduce((most, text) => Math.min(most, [...text].length), FAR);
    case 'cat':
      return re.items.reduce((sum, item) => sum + of(item), 0);
    case 'alt':
      return re.items.reduce((most, item) => Math.min(most, of(item)), FAR);
    case 'and':
      return re.items.reduce((most, item) => Math.max(most, of(item)), 0);
    case 'rep':
      return re.min === 0 ? 0 : re.min * of(re.item);
    case 'empty':
    case 'not':
    case 'dfa':
      return 0;
  }
}
