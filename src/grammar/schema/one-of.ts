/**
 * oneOf: exactly one branch. Where branches are disjoint it is their union, and finding that out is cheap next to the
 * alternative: each branch minus the others. Both work type by type, so that overlapping objects do not spoil strings.
 */
import { LimitError } from '../../base/errors.js';
import type { Formula } from './formula.js';
import { ANY_ARRAYS, ANY_OBJECTS, NO_ARRAYS, NO_OBJECTS, type Normal, union } from './normal.js';
import type { Normaliser } from './normalise.js';
import { andNumbers, NO_NUMBERS, type NumberSet, notNumbers, orNumbers } from './numbers.js';
import { type ArrayShape, type ObjectShape, ranking } from './shapes.js';
import {
  andStrings,
  minusStrings,
  NO_STRINGS,
  orStrings,
  type StringSet,
  stringList,
  stringsEmpty,
  wideStrings,
} from './strings.js';

/**
 * The values of `within` that satisfy exactly one item. Intersecting with what is known first is the same set, and makes
 * branches disjoint that would not be so on their own (a discriminator required outside of them).
 */
export function oneOf(items: readonly Formula[], within: Normal, n: Normaliser): Normal {
  const normals = items.map((f) => n.meet(within, f));
  let once = 0;
  let twice = 0;
  for (const x of normals) {
    twice |= once & x.basic;
    once |= x.basic;
  }
  return {
    basic: once & ~twice,
    numbers: oneNumbers(normals.map((x) => x.numbers).filter((s) => s.length > 0)),
    strings: oneStrings(
      normals.map((x) => x.strings).filter((s) => s !== NO_STRINGS),
      n,
    ),
    arrays: oneArrays(
      normals.map((x) => x.arrays).filter((s) => s.length > 0),
      n,
    ),
    objects: oneObjects(
      normals.map((x) => x.objects).filter((s) => s.length > 0),
      n,
    ),
  };
}

function oneNumbers(sets: readonly NumberSet[]): NumberSet {
  let out: NumberSet = NO_NUMBERS;
  sets.forEach((s, i) => {
    let mine = s;
    sets.forEach((other, j) => {
      if (i !== j && andNumbers(mine, other).length > 0) mine = andNumbers(mine, notNumbers(other));
    });
    out = orNumbers(out, mine);
  });
  return out;
}

/** Whether a set is known to be empty: a search that is given up counts as no. */
function apart(both: StringSet, n: Normaliser): boolean {
  try {
    return stringsEmpty(both, n);
  } catch (e) {
    if (e instanceof LimitError) return false;
    throw e;
  }
}

function oneStrings(sets: readonly StringSet[], n: Normaliser): StringSet {
  if (sets.length === 0) return NO_STRINGS;
  if (sets.length === 1) return sets[0]!;
  if (sets.every((s) => s.kind === 'list')) {
    const counts = new Map<string, number>();
    for (const s of sets)
      if (s.kind === 'list') for (const t of new Set(s.texts)) counts.set(t, (counts.get(t) ?? 0) + 1);
    return stringList([...counts].filter(([, c]) => c === 1).map(([t]) => t));
  }
  let out: StringSet = NO_STRINGS;
  sets.forEach((s, i) => {
    let mine = s;
    sets.forEach((other, j) => {
      if (i === j || mine === NO_STRINGS) return;
      if (other === s) mine = NO_STRINGS;
      else if (!apart(andStrings(mine, wideStrings(other), n), n)) mine = minusStrings(mine, other, n);
    });
    out = orStrings(out, mine);
  });
  return out;
}

function oneArrays(sets: readonly (readonly ArrayShape[])[], n: Normaliser): readonly ArrayShape[] {
  if (sets.length === 0) return NO_ARRAYS;
  let out: readonly ArrayShape[] = NO_ARRAYS;
  sets.forEach((mine, i) => {
    let left = mine;
    for (let j = 0; j < sets.length && left.length > 0; j++) {
      if (i !== j) for (const t of sets[j]!) left = n.minusArray(left, t);
    }
    out = union(out, left, ANY_ARRAYS);
  });
  return out;
}

/**
 * Pairs of branches that may overlap: where all shapes require a property whose values are strings from a list (a
 * discriminator), only branches that share a value; else all.
 */
function rivals(sets: readonly (readonly ObjectShape[])[], n: Normaliser): (i: number, j: number) => boolean {
  if (sets.length < 3) return () => true;
  for (const name of sets[0]![0]!.required) {
    const values: (ReadonlySet<string> | undefined)[] = sets.map((shapes) => {
      const texts = new Set<string>();
      for (const s of shapes) {
        if (!s.required.includes(name)) return undefined;
        const answer: { list?: readonly string[] } = {};
        n.ask(() => {
          const v = n.normal(n.valueAt(s, name));
          if (
            v.basic === 0 &&
            v.numbers.length + v.arrays.length + v.objects.length === 0 &&
            v.strings.kind === 'list'
          ) {
            answer.list = v.strings.texts;
          }
          return true;
        });
        if (answer.list === undefined) return undefined;
        for (const t of answer.list) texts.add(t);
      }
      return texts;
    });
    if (values.some((v) => v === undefined)) continue;
    return (i, j) => {
      const b = values[j]!;
      for (const t of values[i]!) if (b.has(t)) return true;
      return false;
    };
  }
  return () => true;
}

function oneObjects(sets: readonly (readonly ObjectShape[])[], n: Normaliser): readonly ObjectShape[] {
  if (sets.length === 0) return NO_OBJECTS;
  if (sets.length === 1) return sets[0]!;
  const overlap = rivals(sets, n);
  const rank = ranking(sets.flat());
  let out: readonly ObjectShape[] = NO_OBJECTS;
  sets.forEach((mine, i) => {
    let left = mine;
    for (let j = 0; j < sets.length && left.length > 0; j++) {
      if (i === j || !overlap(i, j)) continue;
      for (const t of sets[j]!) left = n.minusObject(left, t, rank);
    }
    out = union(out, left, ANY_OBJECTS);
  });
  return out;
}
