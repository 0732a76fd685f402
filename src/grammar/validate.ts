/**
 * Checks the invariants of the IR that every front end promises (see ir.ts), for tests and for whoever builds a {@link Grammar} by
 * hand. Returns what is wrong in words; an empty list means a sound grammar.
 */
import { TermStore } from '../regular/terms.js';
import { type ArrayExpr, childrenOf, type Expr, type ExprId, type Grammar, type ObjectExpr } from './ir.js';

export function validateGrammar(grammar: Grammar): string[] {
  return new Validator(grammar).run();
}

class Validator {
  private readonly faults: string[] = [];
  private readonly store = new TermStore();

  constructor(private readonly grammar: Grammar) {}

  run(): string[] {
    const { grammar } = this;
    const start = grammar.exprs[grammar.start];
    if (start === undefined) return [`start ${grammar.start} is not an expression`];
    const reachable = this.reachable();
    if (this.faults.length > 0) return this.faults;
    const whole = start.op === 'never' || (start.op === 'rule' && grammar.exprs[start.body]?.op === 'never');
    if (whole) return this.faults;
    for (const id of reachable) this.checkNode(id, grammar.exprs[id] as Expr);
    this.checkProductive(reachable);
    this.checkLeftRecursion(reachable);
    return this.faults;
  }

  private fault(id: ExprId, text: string): void {
    const expr = this.grammar.exprs[id];
    this.faults.push(`expression ${id} (${expr?.op}${expr?.op === 'rule' ? ` ${expr.name}` : ''}): ${text}`);
  }

  private reachable(): ExprId[] {
    const seen = new Set<ExprId>([this.grammar.start]);
    const queue = [this.grammar.start];
    for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
      for (const child of childrenOf(this.grammar.exprs[id] as Expr)) {
        if (this.grammar.exprs[child] === undefined) this.fault(id, `refers to ${child}, which is not an expression`);
        else if (!seen.has(child)) {
          seen.add(child);
          queue.push(child);
        }
      }
    }
    return [...seen];
  }

  private checkNode(id: ExprId, expr: Expr): void {
    switch (expr.op) {
      case 'never':
        this.fault(id, 'never inside a grammar');
        return;
      case 'text':
      case 'string':
        if (this.store.isEmpty(this.store.intern(expr.re))) this.fault(id, 'the regular language is empty');
        return;
      case 'repeat':
        if (!(expr.min >= 0 && expr.min <= expr.max && expr.max > 0))
          this.fault(id, `bounds ${expr.min} to ${expr.max}`);
        return;
      case 'alt':
        if (expr.items.length === 0) this.fault(id, 'no alternatives');
        return;
      case 'array':
        if (expr.counters.length > 30) this.fault(id, 'more than 30 counters');
        if (expr.minItems > expr.maxItems) this.fault(id, 'minItems above maxItems');
        if (expr.scarce !== undefined && !isPooled(expr))
          this.fault(id, 'scarce values without readings that admit them');
        return;
      case 'object':
        this.checkObject(id, expr);
    }
  }

  private checkObject(id: ExprId, expr: ObjectExpr): void {
    const names = expr.properties.map((p) => p.name);
    if (new Set(names).size !== names.length) this.fault(id, 'a property is declared twice');
    const { store } = this;
    const declared = store.literalSet(names);
    const terms = expr.dynamic.map((d) => store.intern(d.keys));
    terms.forEach((term, i) => {
      if (store.isEmpty(term)) this.fault(id, `dynamic class ${i} is empty`);
      if (!store.isEmpty(store.and(term, declared))) this.fault(id, `dynamic class ${i} contains a declared name`);
      for (let j = 0; j < i; j++) {
        const a = expr.dynamic[i];
        const b = expr.dynamic[j];
        if (
          (a?.witness === undefined) !== (b?.witness === undefined) ||
          (a?.witness !== undefined && a.witness !== b?.witness)
        )
          continue;
        if (!store.isEmpty(store.and(term, terms[j] as number)))
          this.fault(id, `dynamic classes ${j} and ${i} overlap`);
      }
    });
    for (const { if: from, then } of expr.implications) {
      if ([from, ...then].some((p) => expr.properties[p] === undefined))
        this.fault(id, 'an implication names no property');
    }
    if (expr.minProperties > expr.maxProperties) this.fault(id, 'minProperties above maxProperties');
  }

  /** Least fixed point by rounds: this is a checker, not a compiler. */
  private checkProductive(reachable: readonly ExprId[]): void {
    const done = new Set<ExprId>();
    const has = (id: ExprId): boolean => done.has(id);
    const holds = (expr: Expr): boolean => {
      switch (expr.op) {
        case 'seq':
          return expr.items.every(has);
        case 'alt':
          return expr.items.some(has);
        case 'repeat':
          return expr.min === 0 || has(expr.item);
        case 'rule':
          return has(expr.body);
        case 'object':
          return expr.properties.every((p) => !p.required || has(p.value));
        case 'array': {
          const needed = expr.prefix.slice(0, expr.minItems);
          const rest = expr.minItems > expr.prefix.length ? [expr.rest] : [];
          return [...needed, ...rest].every((variants) => variants.some((v) => has(v.value)));
        }
        default:
          return expr.op !== 'never';
      }
    };
    for (let before = -1; before !== done.size; ) {
      before = done.size;
      for (const id of reachable) if (!done.has(id) && holds(this.grammar.exprs[id] as Expr)) done.add(id);
    }
    for (const id of reachable) if (!done.has(id)) this.fault(id, 'derives no text');
  }

  private checkLeftRecursion(reachable: readonly ExprId[]): void {
    const { exprs } = this.grammar;
    const empty = new Set<ExprId>();
    const nullable = (expr: Expr): boolean => {
      switch (expr.op) {
        case 'empty':
          return true;
        case 'text':
          return this.store.nullable(this.store.intern(expr.re));
        case 'seq':
          return expr.items.every((i) => empty.has(i));
        case 'alt':
          return expr.items.some((i) => empty.has(i));
        case 'repeat':
          return expr.min === 0 || empty.has(expr.item);
        case 'rule':
          return empty.has(expr.body);
        default:
          return false;
      }
    };
    for (let before = -1; before !== empty.size; ) {
      before = empty.size;
      for (const id of reachable) if (nullable(exprs[id] as Expr)) empty.add(id);
    }
    const first = (expr: Expr): readonly ExprId[] => {
      if (expr.op === 'seq') {
        const stop = expr.items.findIndex((i) => !empty.has(i));
        return stop < 0 ? expr.items : expr.items.slice(0, stop + 1);
      }
      if (expr.op === 'alt') return expr.items;
      if (expr.op === 'repeat') return [expr.item];
      return expr.op === 'rule' ? [expr.body] : [];
    };
    // 1 on the path, 2 finished.
    const mark = new Map<ExprId, 1 | 2>();
    for (const root of reachable) {
      if (mark.has(root)) continue;
      const path: { id: ExprId; rest: ExprId[] }[] = [{ id: root, rest: [...first(exprs[root] as Expr)] }];
      mark.set(root, 1);
      for (let top = path[path.length - 1]; top !== undefined; top = path[path.length - 1]) {
        const next = top.rest.pop();
        if (next === undefined) {
          mark.set(top.id, 2);
          path.pop();
        } else if (mark.get(next) === 1) this.fault(next, 'left recursion');
        else if (!mark.has(next)) {
          mark.set(next, 1);
          path.push({ id: next, rest: [...first(exprs[next] as Expr)] });
        }
      }
    }
    for (const id of reachable) {
      const expr = exprs[id] as Expr;
      if (expr.op === 'repeat' && empty.has(expr.item)) this.fault(id, 'repeats an item that may be empty');
    }
  }
}

/** Whether each reading of an array says which of its scarce values it admits. */
function isPooled({ unique, scarce, prefix, rest }: ArrayExpr): boolean {
  const known = (k: number): boolean => scarce?.[k] !== undefined;
  return unique && [...prefix.flat(), ...rest].every((v) => v.pool?.classes.every(known) === true);
}
