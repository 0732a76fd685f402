/** From the items of a class, in order, to the set it denotes: ranges, the dash that is only a dash, `--` and `&&`. */
import type { ClassSet, Place } from './ast.js';
import { regexError } from './escapes.js';

/** A character (`dash`: written as a bare `-`) or a set. */
export type ClassItem =
  | { readonly cp: number; readonly dash: boolean; readonly place: Place }
  | { readonly set: ClassSet; readonly place: Place };

export type SetOperand = ClassItem | { readonly operator: string; readonly place: Place };

/** Items of a class without set notation. Where a side of a dash is a set, Annex B reads three items. */
export function classFromItems(items: readonly ClassItem[], source: string, strict: boolean): ClassSet {
  const pairs: number[] = [];
  const sets: ClassSet[] = [];
  const single = (item: ClassItem): void => {
    if ('set' in item) sets.push(item.set);
    else pairs.push(item.cp, item.cp);
  };
  for (let i = 0; i < items.length; i++) {
    const low = items[i] as ClassItem;
    const dash = items[i + 1];
    const high = items[i + 2];
    if (dash === undefined || high === undefined || !('dash' in dash) || !dash.dash) {
      single(low);
      continue;
    }
    if ('set' in low || 'set' in high) {
      if (strict) {
        throw regexError(
          source,
          { start: low.place.start, end: high.place.end },
          'a class cannot be the end of a range',
          "write '\\-'",
        );
      }
      single(low);
      single(dash);
      single(high);
    } else {
      const place = { start: low.place.start, end: high.place.end };
      if (low.cp > high.cp) throw regexError(source, place, 'range out of order', 'swap its ends, or escape the dash');
      pairs.push(low.cp, high.cp);
    }
    i += 2;
  }
  const chars: ClassSet = { k: 'chars', ranges: pairs };
  return sets.length === 0 ? chars : { k: 'union', items: [chars, ...sets] };
}

/** Items of a class of the `v` flag: a union, or operands of one kind of operator. */
export function setFromOperands(items: readonly SetOperand[], source: string): ClassSet {
  const operator = items.find((item) => 'operator' in item);
  if (operator === undefined || !('operator' in operator)) return classFromItems(items as ClassItem[], source, true);
  const operands: ClassSet[] = [];
  for (let i = 0; i < items.length; i++) {
    const item = items[i] as SetOperand;
    const mustBeOperator = i % 2 === 1;
    if (
      'operator' in item !== mustBeOperator ||
      (mustBeOperator && 'operator' in item && item.operator !== operator.operator)
    ) {
      throw regexError(
        source,
        item.place,
        'operators of a class cannot be mixed with each other or with lists',
        'put the parts in brackets',
      );
    }
    if ('operator' in item) continue;
    operands.push('set' in item ? item.set : { k: 'chars', ranges: [item.cp, item.cp] });
  }
  if (items.length % 2 === 0)
    throw regexError(source, operator.place, `'${operator.operator}' needs an operand on both sides`);
  return { k: operator.operator === '--' ? 'difference' : 'intersection', items: operands };
}
