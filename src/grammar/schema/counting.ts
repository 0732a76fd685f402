/** How many values a formula has, and whether items can be pairwise different: what uniqueItems needs to know. */
import { canonical, type Formula } from './formula.js';
import type { Normaliser } from './normalise.js';
import { countNumbers, listNumbers } from './numbers.js';
import type { ArrayShape } from './shapes.js';
import type { Solver } from './solve.js';
import { stringRegex, stringsEmpty } from './strings.js';

/**
 * Whether the first `min` items can differ: a matching of positions with values. Positions with many values always find one;
 * those with values that cannot be listed are taken to.
 */
export function distinctPrefix(n: Normaliser, s: ArrayShape): boolean {
  const count = Math.min(s.min, s.prefix.length + 1);
  const domains: (readonly string[])[] = [];
  for (let i = 0; i < count; i++) {
    const copies = i < s.prefix.length ? 1 : s.min - s.prefix.length;
    const list = listValues(n, s.prefix[i] ?? s.rest, s.min);
    if (list === undefined) continue;
    for (let k = 0; k < copies; k++) domains.push(list);
  }
  const owner = new Map<string, number>();
  const place = (i: number, tried: Set<string>): boolean => {
    for (const value of domains[i]!) {
      if (tried.has(value)) continue;
      tried.add(value);
      const other = owner.get(value);
      if (other === undefined || place(other, tried)) {
        owner.set(value, i);
        return true;
      }
    }
    return false;
  };
  return domains.every((_, i) => place(i, new Set()));
}

/** The values of a formula as canonical texts, where they are fewer than `limit` and plain to see. */
function listValues(n: Normaliser, f: Formula, limit: number): readonly string[] | undefined {
  const { formulas } = n.context;
  const node = formulas.node(f);
  if (node.kind === 'const') return [canonical(node.value)];
  const x = n.normal(f);
  if (x.arrays.length > 0 || x.objects.length > 0) return undefined;
  if (x.strings.kind !== 'list' || countNumbers(x.numbers, limit) >= limit) return undefined;
  const out = new Set(x.strings.texts.map((t) => JSON.stringify(t)));
  if ((x.basic & 1) !== 0) out.add('null');
  if ((x.basic & 2) !== 0) out.add('false');
  if ((x.basic & 4) !== 0) out.add('true');
  for (const text of listNumbers(x.numbers)) out.add(text);
  return out.size < limit ? [...out] : undefined;
}

/** How many values a formula has, saturating at `limit`; values of arrays and objects with children count as unbounded. */
export function countValues(solver: Solver, n: Normaliser, f: Formula, limit: number): number {
  const x = n.normal(f);
  let count = (x.basic & 1) + ((x.basic >> 1) & 1) + ((x.basic >> 2) & 1);
  if (count < limit) count += countNumbers(x.numbers, limit - count);
  if (count < limit && !stringsEmpty(x.strings, n)) {
    count +=
      x.strings.kind === 'list'
        ? new Set(x.strings.texts).size
        : n.context.keys.count(stringRegex(x.strings), limit - count);
  }
  for (const s of x.arrays) {
    if (count >= limit) break;
    if (!solver.arrayProductive(s)) continue;
    if (s.max > s.prefix.length && solver.nonEmpty(s.rest)) return limit;
    let ways = 1;
    for (let i = 0; i < s.prefix.length && i < s.max; i++)
      ways = Math.min(limit, ways * countValues(solver, n, s.prefix[i]!, limit));
    count += s.min === s.prefix.length ? ways : limit;
  }
  for (const s of x.objects) {
    if (count >= limit) break;
    if (!solver.objectProductive(s)) continue;
    const names = solver.names(s);
    if (s.max > 0 && (names.length !== s.required.length || solver.classes(s, names, []).length > 0)) return limit;
    let ways = 1;
    if (s.max > 0)
      for (const name of names) ways = Math.min(limit, ways * countValues(solver, n, n.valueAt(s, name), limit));
    count += ways;
  }
  return Math.min(count, limit);
}
