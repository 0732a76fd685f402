/**
 * The members of an object where they are not written as JSON has them: an expression of which come, and in what order.
 *
 * Up to {@link SUBSETS} may depend on one another, or come in any order: there is an expression for each set of those that were written. Members that
 * the object allows but does not name are written only where it names none.
 */
import type { Regex } from '../../regular/regex.js';
import type { ExprId, ObjectExpr } from '../ir.js';
import type { ExprBuilder } from './expr-builder.js';

/** Most members that are told by sets. */
export const SUBSETS = 7;

/** How one member is written; undefined where it cannot be. */
export interface MemberForm {
  readonly named: (name: string, value: ExprId) => ExprId | undefined;
  readonly unnamed: (keys: Regex, value: ExprId) => ExprId | undefined;
  /** What stands between two. */
  readonly between: () => readonly ExprId[];
}

type Maybe = ExprId | undefined;

/** Undefined where the members cannot be told. */
export function membersOf(out: ExprBuilder, object: ObjectExpr, form: MemberForm): Maybe {
  if (object.witnesses > 0) return undefined;
  if (object.properties.length === 0) return unnamed(out, object, form);
  const members = object.properties.map((p) => form.named(p.name, p.value));
  const count = members.length;
  const required = object.properties.filter((p) => p.required).length;
  const free = object.implications.length === 0 && object.minProperties <= required && object.maxProperties >= count;
  if (count <= SUBSETS && (object.order === 'any' || !free)) return bySets(out, object, members, form);
  return free ? inOrder(out, object, members, form) : undefined;
}

function bySets(out: ExprBuilder, object: ObjectExpr, members: readonly Maybe[], form: MemberForm): Maybe {
  const all = 2 ** members.length;
  const states: Maybe[] = new Array(all).fill(undefined);
  const [end, between] = [out.add({ op: 'empty' }), form.between()];
  for (let written = all - 1; written >= 0; written--) {
    const ways = isWhole(object, written) ? [end] : [];
    for (const [p, member] of members.entries()) {
      const late = object.order === 'any' ? (written & (1 << p)) !== 0 : written >= 1 << p;
      const rest = late ? undefined : states[written | (1 << p)];
      if (member === undefined || rest === undefined) continue;
      ways.push(out.seq(...(written === 0 ? [] : between), member, rest));
    }
    if (ways.length > 0) states[written] = out.either(ways);
  }
  return states[0];
}

function inOrder(out: ExprBuilder, object: ObjectExpr, members: readonly Maybe[], form: MemberForm): Maybe {
  // By whether a member was written.
  const [end, between] = [out.add({ op: 'empty' }), form.between()];
  let after: readonly Maybe[] = [end, end];
  for (let p = members.length - 1; p >= 0; p--) {
    const member = members[p];
    const later = after;
    after = [0, 1].map((some) => {
      const ways: ExprId[] = [];
      const rest = later[1];
      if (member !== undefined && rest !== undefined) ways.push(out.seq(...(some === 0 ? [] : between), member, rest));
      const skipped = later[some];
      if (!object.properties[p]!.required && skipped !== undefined) ways.push(skipped);
      return ways.length === 0 ? undefined : out.either(ways);
    });
  }
  return after[0];
}

/** Members whose names are not known. A name may come twice, so that two of them may be one. */
function unnamed(out: ExprBuilder, { dynamic, minProperties, maxProperties }: ObjectExpr, form: MemberForm): Maybe {
  const none = dynamic.length === 0 || maxProperties === 0;
  if (minProperties > (none ? 0 : 1)) return undefined;
  const items = none
    ? []
    : dynamic.flatMap(({ keys, value }) => {
        const item = form.unnamed(keys, value);
        return item === undefined ? [] : [item];
      });
  if (items.length === 0) return minProperties > 0 ? undefined : out.add({ op: 'empty' });
  const item = out.either(items);
  const more = maxProperties > 1 ? out.seq(...form.between(), item) : undefined;
  const some =
    more === undefined ? item : out.seq(item, out.add({ op: 'repeat', item: more, min: 0, max: maxProperties - 1 }));
  return minProperties > 0 ? some : out.either([out.add({ op: 'empty' }), some]);
}

/** Whether an object may have just these properties (bit set). */
function isWhole(object: ObjectExpr, written: number): boolean {
  let count = 0;
  for (let p = 0; p < object.properties.length; p++) {
    if ((written & (1 << p)) !== 0) count++;
    else if (object.properties[p]!.required) return false;
  }
  const has = (p: number): boolean => (written & (1 << p)) !== 0;
  return (
    count >= object.minProperties &&
    count <= object.maxProperties &&
    object.implications.every((i) => !has(i.if) || i.then.every(has))
  );
}
