/**
 * Least numbers of a grammar's expressions, such as the fewest bytes of a text (Knuth 1977).
 *
 * The naive way evaluates all expressions again and again until nothing changes: as many rounds as the longest chain of rules that stand in
 * an unlucky order. Here what is referred to comes first, and only what refers to a changed number is evaluated again.
 */
import { childrenOf, type ExprId, type Grammar } from '../grammar/ir.js';

/** Lowers `values` (Infinity where nothing is known) until no expression reachable from the start evaluates to less. */
export function lowerAll(grammar: Grammar, values: Float64Array, evaluate: (id: ExprId) => number): void {
  const order = childrenFirst(grammar);
  const parents = parentsOf(grammar, order);
  const waits = new Uint8Array(grammar.exprs.length).fill(1);
  let open: readonly ExprId[] = order;
  while (open.length > 0) {
    const next: ExprId[] = [];
    for (const id of open) {
      waits[id] = 0;
      const value = evaluate(id);
      if (value >= values[id]!) continue;
      values[id] = value;
      for (const p of parents[id] ?? []) {
        if (waits[p] === 1) continue;
        waits[p] = 1;
        next.push(p);
      }
    }
    open = next;
  }
}

/** The expressions that the start reaches, each after those that it refers to, but for cycles. */
function childrenFirst(grammar: Grammar): readonly ExprId[] {
  const order: ExprId[] = [];
  const entered = new Uint8Array(grammar.exprs.length);
  const open: ExprId[] = [grammar.start];
  while (open.length > 0) {
    const id = open.pop()!;
    if (id < 0) {
      order.push(-1 - id);
      continue;
    }
    if (entered[id] === 1) continue;
    entered[id] = 1;
    open.push(-1 - id);
    for (const child of childrenOf(grammar.exprs[id]!)) if (entered[child] === 0) open.push(child);
  }
  return order;
}

function parentsOf(grammar: Grammar, ids: readonly ExprId[]): readonly (readonly ExprId[] | undefined)[] {
  const parents: ExprId[][] = [];
  for (const id of ids) {
    for (const child of childrenOf(grammar.exprs[id]!)) {
      const list = parents[child];
      if (list === undefined) parents[child] = [id];
      else if (list.at(-1) !== id) list.push(id);
    }
  }
  return parents;
}
