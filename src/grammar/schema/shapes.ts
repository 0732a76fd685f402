/**
 * Shapes: conjunctive descriptions of objects and arrays, whose children are formulas.
 *
 * An object shape is a conjunction of key maps (each the properties, patternProperties and additionalProperties of one schema),
 * required names, bounds, implications and witnesses ("some key of this set has a value of this kind"). Intersection is concatenation:
 * nothing is multiplied out until a shape is emitted. Witnesses close shapes under complement: what violates a shape
 * violates one of its parts, and every violation is again a shape. Arrays likewise, with counted items as witnesses.
 */
import type { Formula } from './formula.js';
import { FALSE, TRUE } from './formula.js';
import type { KeySet } from './keys.js';

export interface KeyRule {
  readonly keys: KeySet;
  readonly value: Formula;
}

/** A function from keys to formulas: the named value and those of all matching rules, else `rest`. */
export interface KeyMap {
  readonly props: ReadonlyMap<string, Formula>;
  readonly rules: readonly KeyRule[];
  readonly rest: Formula;
}

/** If `when` is present, so are all of `then`. */
export interface Implication {
  readonly when: string;
  readonly then: readonly string[];
}

/** Some property with a key in `keys` has a value in `value`. */
export interface Witness {
  readonly keys: KeySet;
  readonly value: Formula;
}

export interface ObjectShape {
  readonly maps: readonly KeyMap[];
  readonly required: readonly string[];
  readonly min: number;
  readonly max: number;
  readonly implications: readonly Implication[];
  readonly witnesses: readonly Witness[];
}

/** `min` to `max` of the items from index `from` on are in `item`. */
export interface Contains {
  readonly item: Formula;
  readonly from: number;
  readonly min: number;
  readonly max: number;
}

export interface ArrayShape {
  readonly prefix: readonly Formula[];
  readonly rest: Formula;
  readonly min: number;
  readonly max: number;
  readonly contains: readonly Contains[];
  readonly unique: boolean;
}

const INF = Number.POSITIVE_INFINITY;
const NONE: readonly never[] = [];

export const ANY_OBJECT: ObjectShape = {
  maps: NONE,
  required: NONE,
  min: 0,
  max: INF,
  implications: NONE,
  witnesses: NONE,
};
export const ANY_ARRAY: ArrayShape = { prefix: NONE, rest: TRUE, min: 0, max: INF, contains: NONE, unique: false };

const NO_PROPS: ReadonlyMap<string, Formula> = new Map();

export function keyMap(
  props: ReadonlyMap<string, Formula> = NO_PROPS,
  rules: readonly KeyRule[] = NONE,
  rest: Formula = TRUE,
): KeyMap {
  return { props, rules, rest };
}

function concat<T>(a: readonly T[], b: readonly T[]): readonly T[] {
  if (a.length === 0 || a === b) return b;
  if (b.length === 0) return a;
  const extra = b.filter((x) => !a.includes(x));
  return extra.length === 0 ? a : [...a, ...extra];
}

function concatNames(a: readonly string[], b: readonly string[]): readonly string[] {
  if (a.length + b.length < 16) return concat(a, b);
  return [...new Set([...a, ...b])];
}

export function andObject(a: ObjectShape, b: ObjectShape): ObjectShape {
  if (a === ANY_OBJECT || a === b) return b;
  if (b === ANY_OBJECT) return a;
  return {
    maps: concat(a.maps, b.maps),
    required: concatNames(a.required, b.required),
    min: Math.max(a.min, b.min),
    max: Math.min(a.max, b.max),
    implications: concat(a.implications, b.implications),
    witnesses: concat(a.witnesses, b.witnesses),
  };
}

/** What shapes need of the formula algebra. */
export interface Algebra {
  and(a: Formula, b: Formula): Formula;
  not(a: Formula): Formula;
  /** The keys that a map leaves to `rest`. */
  others(map: KeyMap): KeySet;
}

export function andArray(a: ArrayShape, b: ArrayShape, algebra: Algebra): ArrayShape {
  if (a === ANY_ARRAY || a === b) return b;
  if (b === ANY_ARRAY) return a;
  const prefix: Formula[] = [];
  for (let i = 0; i < a.prefix.length || i < b.prefix.length; i++) {
    prefix.push(algebra.and(a.prefix[i] ?? a.rest, b.prefix[i] ?? b.rest));
  }
  return {
    prefix,
    rest: algebra.and(a.rest, b.rest),
    min: Math.max(a.min, b.min),
    max: Math.min(a.max, b.max),
    contains: concat(a.contains, b.contains),
    unique: a.unique || b.unique,
  };
}

const forbid = (name: string): ObjectShape => ({ ...ANY_OBJECT, maps: [keyMap(new Map([[name, FALSE]]))] });

/**
 * All violations of an object shape, as a disjoint union: each violates one part of the shape and satisfies the parts before it,
 * so that shapes do not multiply when several are excluded one after the other. Names that `rank` puts first come first: what
 * violates a part that many excluded shapes share is settled for all of them at once.
 */
export function notObject(s: ObjectShape, algebra: Algebra, rank?: ReadonlyMap<string, number>): ObjectShape[] {
  const out: ObjectShape[] = [];
  let kept: ObjectShape = ANY_OBJECT;
  /** Named values satisfied so far, as one map. */
  const named = new Map<string, Formula>();
  const violate = (wrong: ObjectShape): void => {
    const base = named.size === 0 ? kept : { ...kept, maps: [...kept.maps, keyMap(new Map(named))] };
    out.push(andObject(base, wrong));
  };
  const names = new Set(s.required);
  for (const map of s.maps) for (const name of map.props.keys()) names.add(name);
  const order = [...names];
  if (rank !== undefined) order.sort((a, b) => (rank.get(b) ?? 0) - (rank.get(a) ?? 0));
  const required = new Set(s.required);
  for (const name of order) {
    let value: Formula = TRUE;
    for (const map of s.maps) value = algebra.and(value, map.props.get(name) ?? TRUE);
    const wrong = algebra.not(value);
    if (required.has(name)) {
      // Absent, or present with a wrong value: one shape, since the property stays optional.
      violate({ ...ANY_OBJECT, maps: [keyMap(new Map([[name, wrong]]))] });
      kept = andObject(kept, { ...ANY_OBJECT, required: [name] });
    } else if (wrong !== FALSE) violate({ ...ANY_OBJECT, maps: [keyMap(new Map([[name, wrong]]))], required: [name] });
    if (value !== TRUE) named.set(name, value);
  }
  if (s.min > 0) {
    violate({ ...ANY_OBJECT, max: s.min - 1 });
    kept = andObject(kept, { ...ANY_OBJECT, min: s.min });
  }
  if (s.max !== INF) {
    violate({ ...ANY_OBJECT, min: s.max + 1 });
    kept = andObject(kept, { ...ANY_OBJECT, max: s.max });
  }
  for (const { when, then } of s.implications) {
    for (const name of then) violate({ ...forbid(name), required: [when] });
  }
  for (const map of s.maps) {
    for (const rule of map.rules) {
      const value = algebra.not(rule.value);
      if (value !== FALSE) violate({ ...ANY_OBJECT, witnesses: [{ keys: rule.keys, value }] });
    }
    const value = algebra.not(map.rest);
    if (value !== FALSE) violate({ ...ANY_OBJECT, witnesses: [{ keys: algebra.others(map), value }] });
  }
  for (const w of s.witnesses) {
    violate({ ...ANY_OBJECT, maps: [keyMap(undefined, [{ keys: w.keys, value: algebra.not(w.value) }])] });
  }
  return out;
}

/** The violations of an array shape, as a union; two equal items where they must differ are not among them: that is no shape. */
export function notArray(s: ArrayShape, algebra: Algebra): ArrayShape[] {
  const out: ArrayShape[] = [];
  if (s.min > 0) out.push({ ...ANY_ARRAY, max: s.min - 1 });
  if (s.max !== INF) out.push({ ...ANY_ARRAY, min: s.max + 1 });
  s.prefix.forEach((value, i) => {
    const wrong = algebra.not(value);
    if (wrong === FALSE) return;
    out.push({ ...ANY_ARRAY, prefix: [...new Array<Formula>(i).fill(TRUE), wrong], min: i + 1 });
  });
  const wrong = algebra.not(s.rest);
  const from = s.prefix.length;
  if (wrong === TRUE) out.push({ ...ANY_ARRAY, min: from + 1 });
  else if (wrong !== FALSE) {
    out.push({ ...ANY_ARRAY, contains: [{ item: wrong, from, min: 1, max: INF }], min: from + 1 });
  }
  for (const c of s.contains) {
    if (c.min > 0) out.push({ ...ANY_ARRAY, contains: [{ ...c, min: 0, max: c.min - 1 }] });
    if (c.max !== INF) out.push({ ...ANY_ARRAY, contains: [{ ...c, min: c.max + 1, max: INF }] });
  }
  return out;
}

/** How many shapes name a property: what is common goes first when shapes are excluded one after the other. */
export function ranking(shapes: readonly ObjectShape[]): ReadonlyMap<string, number> | undefined {
  if (shapes.length < 2) return undefined;
  const rank = new Map<string, number>();
  for (const s of shapes) {
    const names = new Set<string>();
    for (const map of s.maps) for (const name of map.props.keys()) names.add(name);
    for (const name of names) rank.set(name, (rank.get(name) ?? 0) + 1);
  }
  return rank;
}
