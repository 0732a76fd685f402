import type { Expr, ExprId, ItemVariant } from './ir.js';

/** An expression as part of another grammar: `offset` is added to what it refers to, `prefix` put before the names of rules. */
export function relocated(expr: Expr, offset: number, prefix: string): Expr {
  const moved = (id: ExprId): ExprId => id + offset;
  switch (expr.op) {
    case 'seq':
    case 'alt':
      return { ...expr, items: expr.items.map(moved) };
    case 'repeat':
      return { ...expr, item: moved(expr.item) };
    case 'rule':
      return { ...expr, name: prefix + expr.name, body: moved(expr.body) };
    case 'object':
      return {
        ...expr,
        properties: expr.properties.map((p) => ({ ...p, value: moved(p.value) })),
        dynamic: expr.dynamic.map((d) => ({ ...d, value: moved(d.value) })),
      };
    case 'array': {
      const variant = (v: ItemVariant): ItemVariant => ({ ...v, value: moved(v.value) });
      return { ...expr, prefix: expr.prefix.map((readings) => readings.map(variant)), rest: expr.rest.map(variant) };
    }
    default:
      return expr;
  }
}
