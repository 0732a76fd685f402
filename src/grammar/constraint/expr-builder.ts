/** Expressions added to those of a grammar. */
import { markParts } from '../../base/marks.js';
import { anyString, type Regex } from '../../regular/regex.js';
import { TermStore } from '../../regular/terms.js';
import type { Expr, ExprId } from '../ir.js';
import { markExpr } from './tags-grammar.js';

const SCALAR: Regex = { t: 'set', ranges: [0, 0xd7ff, 0xe000, 0x10ffff] };
/** Text without lone surrogates, which UTF-8 does not have. */
export const SCALARS: Regex = { t: 'rep', item: SCALAR, min: 0, max: Number.POSITIVE_INFINITY };

export const cat = (...items: Regex[]): Regex => ({ t: 'cat', items });
export const lit = (text: string): Regex => ({ t: 'lit', text });
export const holding = (text: string): Regex => cat(anyString, lit(text), anyString);
export const without = (re: Regex, ...others: Regex[]): Regex => ({
  t: 'and',
  items: [re, ...others.map((item): Regex => ({ t: 'not', item }))],
});

export class ExprBuilder {
  readonly exprs: Expr[];
  private readonly terms = new TermStore({ onLimit: 'assume live' });

  /** `controls`: names of control tokens, which are tokens in marks. */
  constructor(
    exprs: readonly Expr[],
    private readonly controls: ReadonlySet<string>,
  ) {
    this.exprs = [...exprs];
  }

  add(expr: Expr): ExprId {
    return this.exprs.push(expr) - 1;
  }

  /** A rule whose body is told later. */
  rule(name: string): ExprId {
    return this.add({ op: 'rule', name, body: -1 });
  }

  setBody(rule: ExprId, body: ExprId): void {
    const expr = this.exprs[rule]!;
    if (expr.op === 'rule') this.exprs[rule] = { ...expr, body };
  }

  seq(...items: ExprId[]): ExprId {
    return items.length === 1 ? items[0]! : this.add({ op: 'seq', items });
  }

  either(items: readonly ExprId[]): ExprId {
    return items.length === 1 ? items[0]! : this.add({ op: 'alt', items });
  }

  literal(text: string): ExprId {
    return this.add({ op: 'text', re: lit(text) });
  }

  /** Undefined where there is no such text. */
  text(re: Regex): ExprId | undefined {
    return this.isEmpty(re) ? undefined : this.add({ op: 'text', re });
  }

  isEmpty(re: Regex): boolean {
    return this.terms.isEmpty(this.terms.intern(re));
  }

  /** All texts, where they are at most `limit`. */
  listUpTo(re: Regex, limit: number): readonly string[] | undefined {
    return this.terms.listUpTo(this.terms.intern(re), limit + 1);
  }

  mark(whole: string): ExprId[] {
    return markParts(whole, this.controls).map((part) => this.add(markExpr(part)));
  }
}

/** What an expression is one of: unions and rules are gone through. */
export function heads(exprs: readonly Expr[], start: ExprId): readonly ExprId[] {
  const seen = new Set<ExprId>();
  const found: ExprId[] = [];
  const open = [start];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    const expr = exprs[id]!;
    if (expr.op === 'alt') open.push(...[...expr.items].reverse());
    else if (expr.op === 'rule') open.push(expr.body);
    else found.push(id);
  }
  return found;
}
