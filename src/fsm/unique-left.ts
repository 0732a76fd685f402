/** Which values the next item of an array with unique items may still have. */
import type { ExprId, Grammar } from '../grammar/ir.js';
import type { ArrayStates } from './array-state.js';
import type { LexemePool } from './lexeme.js';

/**
 * Texts of one number that unique items may be (unique.ts), at most: 0 is written with and without a sign and with up to 15 zeros. More texts
 * than these have different values, so one value that was forgotten is not all of them.
 */
const MOST_SPELLINGS = 32;

/** Whether some value that was not used could be the next item. */
export function hasItemLeft(grammar: Grammar, pool: LexemePool, states: ArrayStates, a: number): boolean {
  if (!states.expr.unique) return true;
  const { terms } = pool;
  const left = (value: ExprId, after: number): boolean => {
    const expr = grammar.exprs[value]!;
    switch (expr.op) {
      case 'string':
        return !terms.isEmpty(states.stringTerm(after, terms.intern(expr.re)));
      case 'text':
        return !terms.isEmpty(states.textTerm(after, terms.intern(expr.re)));
      case 'rule':
        return left(expr.body, after);
      case 'alt':
        return expr.items.some((item) => left(item, after));
      default:
        return true;
    }
  };
  return states.next(a).some((v) => {
    const after = states.after(a, v);
    return after >= 0 && left(v.value, after);
  });
}

/** Whether a language has so few members that one value could be all of them. */
function isFew(pool: LexemePool, term: number): boolean {
  return pool.terms.countUpTo(term, MOST_SPELLINGS + 1) <= MOST_SPELLINGS;
}

/** Whether so few values are left for the next item that one which was forgotten could be the last. */
export function fewItemsLeft(grammar: Grammar, pool: LexemePool, states: ArrayStates, a: number): boolean {
  const { terms } = pool;
  const few = (value: ExprId): boolean => {
    const expr = grammar.exprs[value]!;
    switch (expr.op) {
      case 'string':
        return isFew(pool, states.stringTerm(a, terms.intern(expr.re)));
      case 'text':
        return isFew(pool, states.textTerm(a, terms.intern(expr.re)));
      case 'rule':
        return few(expr.body);
      case 'alt':
        return expr.items.every(few);
      default:
        return false;
    }
  };
  return states.next(a).every((v) => states.after(a, v) < 0 || few(v.value));
}

/** Whether an item in progress has so few ends left that a value which was forgotten could be the only one. */
export function fewEndsLeft(pool: LexemePool, q: number): boolean {
  return !pool.someTarget(q, (t) => !isFew(pool, t));
}
