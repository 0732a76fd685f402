/**
 * Normal forms: what a formula admits, per JSON type.
 *
 * null, booleans: bits. Numbers: boxes. Strings: lists or regular languages. Arrays and objects: unions of shapes whose
 * children are formulas, so one normal form is one level deep and recursion stays lazy. Each of the five parts is closed under union,
 * intersection and complement on its own, hence so is the whole.
 */
import { ALL_NUMBERS, andNumbers, NO_NUMBERS, type NumberSet, notNumbers, orNumbers } from './numbers.js';
import { ANY_ARRAY, ANY_OBJECT, type ArrayShape, type ObjectShape } from './shapes.js';
import {
  ALL_STRINGS,
  andStrings,
  type Matching,
  minusStrings,
  NO_STRINGS,
  orStrings,
  type StringSet,
} from './strings.js';

export const NULL_BIT = 1;
export const FALSE_BIT = 2;
export const TRUE_BIT = 4;
const ALL_BITS = 7;

export interface Normal {
  /** NULL_BIT | FALSE_BIT | TRUE_BIT */
  readonly basic: number;
  readonly numbers: NumberSet;
  readonly strings: StringSet;
  readonly arrays: readonly ArrayShape[];
  readonly objects: readonly ObjectShape[];
}

export const ANY_ARRAYS: readonly ArrayShape[] = [ANY_ARRAY];
export const ANY_OBJECTS: readonly ObjectShape[] = [ANY_OBJECT];
export const NO_ARRAYS: readonly ArrayShape[] = [];
export const NO_OBJECTS: readonly ObjectShape[] = [];

export const EVERYTHING: Normal = {
  basic: ALL_BITS,
  numbers: ALL_NUMBERS,
  strings: ALL_STRINGS,
  arrays: ANY_ARRAYS,
  objects: ANY_OBJECTS,
};

export const NOTHING: Normal = {
  basic: 0,
  numbers: NO_NUMBERS,
  strings: NO_STRINGS,
  arrays: NO_ARRAYS,
  objects: NO_OBJECTS,
};

/** The algebra of shape unions, with its limits (see normalise.ts). */
export interface ShapeAlgebra extends Matching {
  andArrays(a: readonly ArrayShape[], b: readonly ArrayShape[]): readonly ArrayShape[];
  andObjects(a: readonly ObjectShape[], b: readonly ObjectShape[]): readonly ObjectShape[];
  minusArrays(a: readonly ArrayShape[], b: readonly ArrayShape[]): readonly ArrayShape[];
  minusObjects(a: readonly ObjectShape[], b: readonly ObjectShape[]): readonly ObjectShape[];
}

export function andNormal(a: Normal, b: Normal, algebra: ShapeAlgebra): Normal {
  if (a === EVERYTHING || a === b) return b;
  if (b === EVERYTHING) return a;
  if (a === NOTHING || b === NOTHING) return NOTHING;
  return {
    basic: a.basic & b.basic,
    numbers: andNumbers(a.numbers, b.numbers),
    strings: andStrings(a.strings, b.strings, algebra),
    arrays: algebra.andArrays(a.arrays, b.arrays),
    objects: algebra.andObjects(a.objects, b.objects),
  };
}

/** Union of shapes without repetitions; a shape without constraints absorbs all. */
export function union<T>(a: readonly T[], b: readonly T[], any: readonly T[]): readonly T[] {
  if (a === b || b.length === 0) return a;
  if (a.length === 0) return b;
  if (a === any || b === any || a.includes(any[0]!) || b.includes(any[0]!)) return any;
  return [...a, ...b.filter((x) => !a.includes(x))];
}

export function orNormal(a: Normal, b: Normal): Normal {
  if (a === NOTHING || a === b) return b;
  if (b === NOTHING) return a;
  if (a === EVERYTHING || b === EVERYTHING) return EVERYTHING;
  return {
    basic: a.basic | b.basic,
    numbers: orNumbers(a.numbers, b.numbers),
    strings: orStrings(a.strings, b.strings),
    arrays: union(a.arrays, b.arrays, ANY_ARRAYS),
    objects: union(a.objects, b.objects, ANY_OBJECTS),
  };
}

/** The values of `a` that are not in `b`. */
export function minusNormal(a: Normal, b: Normal, algebra: ShapeAlgebra): Normal {
  if (b === NOTHING || a === NOTHING) return a;
  return {
    basic: a.basic & ~b.basic,
    numbers: b.numbers.length === 0 ? a.numbers : andNumbers(a.numbers, notNumbers(b.numbers)),
    strings: minusStrings(a.strings, b.strings, algebra),
    arrays: algebra.minusArrays(a.arrays, b.arrays),
    objects: algebra.minusObjects(a.objects, b.objects),
  };
}
