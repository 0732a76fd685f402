/** What objects and arrays may still become, from the definitions in ir.ts: a search over the properties or items that could follow. */
import type { ArrayExpr, ExprId, ObjectExpr } from '../../src/grammar/ir.js';
import { contentsAfterCut, type Reading, textOf } from './json.js';
import { and, DECODABLE, type Term, termOf, words } from './regex.js';

export interface ObjectState {
  /** Declared properties present, by index. */
  readonly declared: ReadonlySet<number>;
  /** Last declared index that was used. */
  readonly last: number;
  readonly dynamic: ReadonlySet<string>;
  readonly witnesses: ReadonlySet<number>;
}

export interface ArrayState {
  readonly index: number;
  readonly counts: readonly number[];
  readonly used: readonly string[];
}

/** Can a cut key still become this one? */
function couldBe(points: readonly number[], r: Reading): boolean {
  if (r.content.some((c, i) => points[i] !== c)) return false;
  if (r.next === undefined) {
    // A lone high surrogate stays alone unless the name has the pair, which then reads differently.
    return points.length >= r.content.length;
  }
  const c = points[r.content.length];
  return c !== undefined && r.next.some(([lo, hi]) => c >= lo && c <= hi);
}

export const objectKey = (s: ObjectState): string =>
  `${[...s.declared].sort().join()}|${s.last}|${JSON.stringify([...s.dynamic].sort())}|${[...s.witnesses].sort().join()}`;
export const arrayKey = (s: ArrayState): string => `${s.index}|${s.counts}|${s.used.join(' ')}`;

export class Structures {
  private readonly classes = new Map<ObjectExpr, readonly Term[]>();
  private readonly feasibleObjects = new Map<ObjectExpr, Map<string, boolean>>();
  private readonly feasibleArrays = new Map<ArrayExpr, Map<string, boolean>>();

  /** `values`: up to n different JSON values (canonical) of an expression whose text begins with `start`. */
  constructor(private readonly values: (e: ExprId, start: readonly number[], n: number) => readonly string[]) {}

  keyClasses(o: ObjectExpr): readonly Term[] {
    let c = this.classes.get(o);
    if (c === undefined) {
      c = o.dynamic.map((d) => and([termOf(d.keys), DECODABLE]));
      this.classes.set(o, c);
    }
    return c;
  }

  // --- objects -----------------------------------------------------------------------------------------------------------

  /** The states and values after one more property named `key` (several where witness classes overlap others). */
  withKey(o: ObjectExpr, s: ObjectState, key: string): { value: ExprId; state: ObjectState }[] {
    const out: { value: ExprId; state: ObjectState }[] = [];
    o.properties.forEach((p, i) => {
      if (p.name !== key || s.declared.has(i) || (o.order === 'schema' && (i <= s.last || s.dynamic.size > 0))) return;
      out.push({ value: p.value, state: { ...s, declared: new Set([...s.declared, i]), last: i } });
    });
    if (out.length > 0 || o.properties.some((p) => p.name === key) || s.dynamic.has(key)) return out;
    const content = Array.from(key, (ch) => ch.codePointAt(0) ?? 0);
    this.keyClasses(o).forEach((c, i) => {
      const d = o.dynamic[i];
      if (d === undefined || !content.reduce((t, x) => t.d(x), c).nullable) return;
      const witnesses = d.witness === undefined ? s.witnesses : new Set([...s.witnesses, d.witness]);
      out.push({ value: d.value, state: { ...s, dynamic: new Set([...s.dynamic, key]), witnesses } });
    });
    return out;
  }

  /** May the object end here? */
  closed(o: ObjectExpr, s: ObjectState): boolean {
    const count = s.declared.size + s.dynamic.size;
    if (count < o.minProperties || count > o.maxProperties || s.witnesses.size < o.witnesses) return false;
    if (o.properties.some((p, i) => p.required && !s.declared.has(i))) return false;
    return o.implications.every((m) => !s.declared.has(m.if) || m.then.every((t) => s.declared.has(t)));
  }

  /** How many more properties any completion could need. */
  private wants(o: ObjectExpr): number {
    return o.properties.length + o.witnesses + Math.min(o.minProperties, 8) + 1;
  }

  /** Keys that could come next, of every class as many as could matter; with `cut`, those that a cut key can become. */
  private nextKeys(o: ObjectExpr, s: ObjectState, cut?: readonly Reading[]): string[] {
    const out = new Set<string>();
    for (const p of o.properties) {
      const points = Array.from(p.name, (ch) => ch.codePointAt(0) ?? 0);
      const fits = cut === undefined || cut.some((r) => couldBe(points, r));
      if (fits) out.add(p.name);
    }
    const n = this.wants(o) + s.dynamic.size;
    for (const c of this.keyClasses(o)) {
      for (const w of cut === undefined ? words(c, n) : contentsAfterCut(c, cut, n)) out.add(textOf(w));
    }
    return [...out];
  }

  /** Is there a way to go on from here to a complete object; with `more`, one that adds a property? */
  canClose(o: ObjectExpr, s: ObjectState, more: boolean, cut?: readonly Reading[]): boolean {
    if (!more && this.closed(o, s)) return true;
    if (s.declared.size + s.dynamic.size >= o.maxProperties) return false;
    const key = objectKey(s);
    let known = this.feasibleObjects.get(o);
    if (known === undefined) {
      known = new Map();
      this.feasibleObjects.set(o, known);
    }
    const hit = cut === undefined ? known.get(key) : undefined;
    if (hit !== undefined) return hit;
    // A property that brings nothing that is owed never helps to close; only a key already begun may be such.
    const enough = cut === undefined && !this.closed(o, s) && s.declared.size + s.dynamic.size >= o.minProperties;
    let found = false;
    for (const k of this.nextKeys(o, s, cut)) {
      for (const { state } of this.withKey(o, s, k)) {
        const idle = state.declared.size === s.declared.size && state.witnesses.size === s.witnesses.size;
        if (!(enough && idle) && this.canClose(o, state, false)) found = true;
      }
      if (found) break;
    }
    if (cut === undefined) known.set(key, found);
    return found;
  }

  // --- arrays ------------------------------------------------------------------------------------------------------------

  readings(a: ArrayExpr, index: number): readonly { readonly value: ExprId; readonly counts: number }[] {
    return index < a.maxItems ? (a.prefix[index] ?? (index >= a.prefix.length ? a.rest : [])) : [];
  }

  withItem(a: ArrayExpr, s: ArrayState, counts: number, value: string | undefined): ArrayState | undefined {
    if (a.unique && value !== undefined && s.used.includes(value)) return undefined;
    const next = s.counts.map((c, i) => ((counts >> i) & 1 ? c + 1 : c));
    if (next.some((c, i) => c > (a.counters[i]?.max ?? 0))) return undefined;
    return {
      index: s.index + 1,
      counts: next,
      used: a.unique && value !== undefined ? [...s.used, value].sort() : s.used,
    };
  }

  closedArray(a: ArrayExpr, s: ArrayState): boolean {
    return s.index >= a.minItems && s.index <= a.maxItems && s.counts.every((c, i) => c >= (a.counters[i]?.min ?? 0));
  }

  private arrayWants(a: ArrayExpr): number {
    return Math.min(a.minItems, 8) + a.counters.reduce((n, c) => n + c.min, 0) + 1;
  }

  /** Is there a way to go on from here to a complete array; with `more`, one that adds an item? */
  canCloseArray(a: ArrayExpr, s: ArrayState, more: boolean): boolean {
    if (!more && this.closedArray(a, s)) return true;
    let known = this.feasibleArrays.get(a);
    if (known === undefined) {
      known = new Map();
      this.feasibleArrays.set(a, known);
    }
    const clamped = s.counts.map((c, i) =>
      Math.min(c, Math.max(a.counters[i]?.min ?? 0, (a.counters[i]?.max ?? 0) + 1)),
    );
    const bound = Math.max(a.prefix.length, Number.isFinite(a.maxItems) ? a.maxItems : a.minItems);
    const key = `${more}|${a.unique ? s.index : Math.min(s.index, bound)}|${clamped}|${s.used.join(' ')}`;
    const hit = known.get(key);
    if (hit !== undefined) return hit;
    // Past the prefix and the least length, only an item that serves a counter still short helps to close.
    const enough = !this.closedArray(a, s) && s.index >= Math.max(a.prefix.length, a.minItems);
    let found = false;
    for (const v of this.readings(a, s.index)) {
      const serves = s.counts.some((c, i) => (v.counts >> i) & 1 && c < (a.counters[i]?.min ?? 0));
      if (enough && !serves) continue;
      const n = s.used.length + this.arrayWants(a) + a.prefix.length;
      const values = a.unique ? this.values(v.value, [], n) : [undefined];
      for (const value of values) {
        const next = this.withItem(a, s, v.counts, value);
        if (next !== undefined && this.canCloseArray(a, next, false)) found = true;
        if (found) break;
      }
      if (found) break;
    }
    known.set(key, found);
    return found;
  }
}
