/** Forms that the mask engine treats apart: a language less a few literals, and counted repeats far from their bound. */
import { F_BOOLEAN, INF, K_ALT, K_AND, K_CAT, K_NOT, K_REP, type TermTable } from './term-table.js';

/**
 * Splits `x and not L` with L a finite set of literals: `rest` is x, `literals` the node of L (see {@link literals}). Undefined for
 * other terms.
 */
export function splitFinite(
  table: TermTable,
  t: number,
): { readonly rest: number; readonly literals: number } | undefined {
  const { data, offsets } = table.tuples;
  const o = offsets[t]!;
  const literalsOf = (u: number): number => {
    const uo = offsets[u]!;
    return data[uo] === K_NOT ? table.literalNodeOf(data[uo + 1]!) : -1;
  };
  if (data[o] === K_NOT) {
    const node = literalsOf(t);
    return node < 0 ? undefined : { rest: table.all, literals: node };
  }
  if (data[o] !== K_AND) return undefined;
  let node = -1;
  const others: number[] = [];
  for (let i = o + 1, end = offsets[t + 1]!; i < end; i++) {
    const found = node < 0 ? literalsOf(data[i]!) : -1;
    if (found >= 0) node = found;
    else others.push(data[i]!);
  }
  if (node < 0) return undefined;
  let rest = table.all;
  for (const u of others) rest = table.and(rest, u);
  return { rest, literals: node };
}

/** Depth of terms below which bounds stay as they are. */
const OPEN_DEPTH = 64;

/**
 * The term without its upper bounds of `least` and more repetitions above the lower bound, and the smallest bound left out. A text of at
 * most so many code points is in both or in neither, since none of it repeats anything more often but the empty text, which may be left
 * out; complements stay as they are. Undefined where there is no such bound.
 */
export function unbounded(
  table: TermTable,
  t: number,
  least: number,
): { readonly term: number; readonly bound: number } | undefined {
  let bound = Number.POSITIVE_INFINITY;
  const { data, offsets } = table.tuples;
  const opened = new Map<number, number>();
  const open = (u: number, depth: number): number => {
    const o = offsets[u]!;
    const kind = data[o]!;
    if (depth > OPEN_DEPTH || kind < K_CAT || kind > K_REP || kind === K_NOT) return u;
    let made = opened.get(u);
    if (made === undefined) {
      made = openOne(u, o, kind, depth);
      opened.set(u, made);
    }
    return made;
  };
  const openOne = (u: number, o: number, kind: number, depth: number): number => {
    if (kind === K_REP) {
      const min = data[o + 2]!;
      const max = data[o + 3]!;
      const item = open(data[o + 1]!, depth + 1);
      if (max === INF || max - min < least) return item === data[o + 1] ? u : table.repeat(item, min, max);
      bound = Math.min(bound, max);
      return table.repeat(item, min, INF);
    }
    const parts = Array.from(data.subarray(o + 1, offsets[u + 1]!));
    const made = parts.map((x) => open(x, depth + 1));
    if (made.every((x, i) => x === parts[i])) return u;
    if (kind === K_CAT) return table.cat(made[0]!, made[1]!);
    return kind === K_ALT ? table.orAll(made) : made.reduce((a, b) => table.and(a, b));
  };
  const term = open(t, 0);
  return term === t ? undefined : { term, bound };
}

/**
 * A part of the term (one of its alternatives) that every text leads back to: `.*X`. So a search for X somewhere is alive whatever was
 * read. Undefined where there is none.
 */
export function alwaysLeft(table: TermTable, t: number): number | undefined {
  const { data, offsets } = table.tuples;
  const o = offsets[t]!;
  if (t === table.all) return t;
  if (data[o] === K_CAT) {
    // A tail with and, not or automata in it might be empty.
    const found = data[o + 1] === table.all && (table.flags[data[o + 2]!]! & F_BOOLEAN) === 0;
    return found ? t : undefined;
  }
  if (data[o] !== K_ALT) return undefined;
  for (let i = o + 1; i < offsets[t + 1]!; i++) {
    const part = data[i]!;
    if (data[offsets[part]!] !== K_ALT && alwaysLeft(table, part) !== undefined) return part;
  }
  return undefined;
}
