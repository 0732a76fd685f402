/** Which values the next item of an array with unique items may still have. */
import type { ExprId, Grammar } from '../grammar/ir.js';
import type { ArrayStates } from './array-state.js';
import type { LexemePool } from './lexeme.js';

/** Members that are counted before a language counts as large. */
const FEW = 4096;

/** Whether some value that was not used could be the next item. */
export function hasItemLeft(grammar: Grammar, pool: LexemePool, states: ArrayStates, a: number): boolean {
  if (!states.expr.unique) return true;
  const { terms } = pool;
  const left = (value: ExprId): boolean => {
    const expr = grammar.exprs[value]!;
    switch (expr.op) {
      case 'string':
        return !terms.isEmpty(states.stringTerm(a, terms.intern(expr.re)));
      case 'text':
        return !terms.isEmpty(states.textTerm(a, terms.intern(expr.re)));
      case 'rule':
        return left(expr.body);
      case 'alt':
        return expr.items.some(left);
      default:
        return true;
    }
  };
  return states.next(a).some((v) => left(v.value));
}

/** Whether the values of the next item are so few that one that was forgotten could matter. */
export function itemsAreFinite(grammar: Grammar, pool: LexemePool, states: ArrayStates, a: number): boolean {
  const { terms } = pool;
  const few = (value: ExprId): boolean => {
    const expr = grammar.exprs[value]!;
    if (expr.op === 'string' || expr.op === 'text') return terms.countUpTo(terms.intern(expr.re), FEW) < FEW;
    if (expr.op === 'rule') return few(expr.body);
    if (expr.op === 'alt') return expr.items.every(few);
    return false;
  };
  return states.next(a).every((v) => few(v.value));
}
