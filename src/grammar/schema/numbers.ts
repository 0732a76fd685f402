/**
 * Sets of numbers as unions of boxes: an interval, a step that values are multiples of, and steps that they are not.
 *
 * Numbers could be handled as regular languages of their spellings from the start, but then every plain `minimum` would pay
 * for automata algebra, and "is 1 <= x < 1 empty?" would be a search. Boxes are closed under intersection and complement, exact,
 * and cheap; spellings are made once, at the end (number-text.ts). Integers are multiples of 1.
 */
import { ceilQuotient, compare, type Decimal, equal, isMultiple, lcm, ONE, times, toText } from './decimal.js';

export interface Box {
  /** Lower bound, absent for none; `loOpen` excludes it. */
  readonly lo: Decimal | undefined;
  readonly loOpen: boolean;
  readonly hi: Decimal | undefined;
  readonly hiOpen: boolean;
  /** Values are multiples of this (positive). */
  readonly step: Decimal | undefined;
  /** Values are multiples of none of these (positive). */
  readonly nots: readonly Decimal[];
  /** Spelled without fraction and exponent: integers of draft 4. A matter of spelling only: complements ignore it. */
  readonly plain?: boolean;
}

export type NumberSet = readonly Box[];

const NO_STEPS: readonly Decimal[] = [];
const full: Box = { lo: undefined, loOpen: false, hi: undefined, hiOpen: false, step: undefined, nots: NO_STEPS };

export const ALL_NUMBERS: NumberSet = [full];
export const NO_NUMBERS: NumberSet = [];
export const INTEGERS: NumberSet = [{ ...full, step: ONE }];
/** Draft 4: an integer has no fraction and no exponent. */
export const PLAIN_INTEGERS: NumberSet = [{ ...full, step: ONE, plain: true }];

/** How many candidates a box with forbidden steps is searched for a member before it is taken for non-empty. */
const SEARCH = 4096n;

export function point(value: Decimal): Box {
  return { lo: value, loOpen: false, hi: value, hiOpen: false, step: undefined, nots: NO_STEPS };
}

/** A box of bounds and a step. */
export function box(
  lo: Decimal | undefined,
  loOpen: boolean,
  hi: Decimal | undefined,
  hiOpen: boolean,
  step: Decimal | undefined,
): Box {
  return { lo, loOpen, hi, hiOpen, step, nots: NO_STEPS };
}

export const isPoint = (b: Box): boolean =>
  b.lo !== undefined && b.hi !== undefined && !b.loOpen && !b.hiOpen && equal(b.lo, b.hi);

export function boxHas(b: Box, v: Decimal): boolean {
  if (b.lo !== undefined) {
    const c = compare(v, b.lo);
    if (c < 0 || (c === 0 && b.loOpen)) return false;
  }
  if (b.hi !== undefined) {
    const c = compare(v, b.hi);
    if (c > 0 || (c === 0 && b.hiOpen)) return false;
  }
  if (b.step !== undefined && !isMultiple(v, b.step)) return false;
  for (const n of b.nots) if (isMultiple(v, n)) return false;
  return true;
}

/** Whether no number lies in the box. Exact but for forbidden steps with more than {@link SEARCH} candidates. */
export function boxIsEmpty(b: Box): boolean {
  const { lo, hi, step } = b;
  if (lo !== undefined && hi !== undefined) {
    const c = compare(lo, hi);
    if (c > 0) return true;
    if (c === 0) {
      if (b.loOpen || b.hiOpen) return true;
      return !boxHas(b, lo);
    }
  }
  if (step === undefined) return false;
  for (const n of b.nots) if (isMultiple(step, n)) return true;
  if (lo === undefined && hi === undefined) return false;
  if (lo === undefined || hi === undefined) {
    if (b.nots.length === 0) return false;
  }
  // Multiples of step from the bounded end on.
  const down = lo === undefined;
  let k = down ? -ceilQuotient({ m: -hi!.m, e: hi!.e }, step) : ceilQuotient(lo, step);
  for (let tries = 0n; tries < SEARCH; tries++) {
    const v = times(k, step);
    if (!down && hi !== undefined) {
      const c = compare(v, hi);
      if (c > 0 || (c === 0 && b.hiOpen)) return true;
    }
    if (boxHas(b, v)) return false;
    k += down ? -1n : 1n;
  }
  return false;
}

function andBox(a: Box, b: Box): Box | undefined {
  let { lo, loOpen, hi, hiOpen } = a;
  if (b.lo !== undefined) {
    const c = lo === undefined ? -1 : compare(lo, b.lo);
    if (c < 0) {
      lo = b.lo;
      loOpen = b.loOpen;
    } else if (c === 0) loOpen ||= b.loOpen;
  }
  if (b.hi !== undefined) {
    const c = hi === undefined ? 1 : compare(hi, b.hi);
    if (c > 0) {
      hi = b.hi;
      hiOpen = b.hiOpen;
    } else if (c === 0) hiOpen ||= b.hiOpen;
  }
  const step = a.step === undefined ? b.step : b.step === undefined ? a.step : lcm(a.step, b.step);
  let nots = a.nots.length === 0 ? b.nots : a.nots;
  if (a.nots.length > 0 && b.nots.length > 0) {
    nots = [...a.nots, ...b.nots.filter((n) => !a.nots.some((x) => equal(x, n)))];
  }
  const out: Box =
    a.plain === true || b.plain === true
      ? { lo, loOpen, hi, hiOpen, step, nots, plain: true }
      : { lo, loOpen, hi, hiOpen, step, nots };
  return boxIsEmpty(out) ? undefined : out;
}

export function andNumbers(a: NumberSet, b: NumberSet): NumberSet {
  if (a === ALL_NUMBERS || a === b) return b;
  if (b === ALL_NUMBERS) return a;
  if (a.length === 0 || b.length === 0) return NO_NUMBERS;
  const out: Box[] = [];
  for (const x of a) {
    for (const y of b) {
      const z = andBox(x, y);
      if (z !== undefined) out.push(z);
    }
  }
  return out.length === 0 ? NO_NUMBERS : out;
}

/** Whether every value of `a` is plainly in `b` (sound, not complete). */
function within(a: Box, b: Box): boolean {
  if (b.plain === true && a.plain !== true) return false;
  if (isPoint(a)) return boxHas(b, a.lo!);
  if (b.nots.length > 0) return false;
  if (b.step !== undefined && (a.step === undefined || !isMultiple(a.step, b.step))) return false;
  if (b.lo !== undefined) {
    if (a.lo === undefined) return false;
    const c = compare(a.lo, b.lo);
    if (c < 0 || (c === 0 && b.loOpen && !a.loOpen)) return false;
  }
  if (b.hi !== undefined) {
    if (a.hi === undefined) return false;
    const c = compare(a.hi, b.hi);
    if (c > 0 || (c === 0 && b.hiOpen && !a.hiOpen)) return false;
  }
  return true;
}

export function orNumbers(a: NumberSet, b: NumberSet): NumberSet {
  if (a === b || b.length === 0) return a;
  if (a.length === 0) return b;
  if (a === ALL_NUMBERS || b === ALL_NUMBERS) return ALL_NUMBERS;
  // Large unions are value lists: quadratic absorption would cost more than it saves.
  if (a.length * b.length > 4096) return [...a, ...b];
  const keepB = b.filter((y) => !a.some((x) => within(y, x)));
  if (keepB.length === 0) return a;
  return [...a.filter((x) => !keepB.some((y) => within(x, y))), ...keepB];
}

function notBox(b: Box): Box[] {
  const out: Box[] = [];
  if (b.lo !== undefined) out.push({ ...full, hi: b.lo, hiOpen: !b.loOpen });
  if (b.hi !== undefined) out.push({ ...full, lo: b.hi, loOpen: !b.hiOpen });
  const { lo, loOpen, hi, hiOpen } = b;
  if (b.step !== undefined) {
    const x: Box = { lo, loOpen, hi, hiOpen, step: undefined, nots: [b.step] };
    if (!boxIsEmpty(x)) out.push(x);
  }
  for (const n of b.nots) {
    const x: Box = { lo, loOpen, hi, hiOpen, step: b.step === undefined ? n : lcm(n, b.step), nots: NO_STEPS };
    if (!boxIsEmpty(x)) out.push(x);
  }
  return out;
}

export function notNumbers(a: NumberSet): NumberSet {
  if (a === ALL_NUMBERS) return NO_NUMBERS;
  let out: NumberSet = ALL_NUMBERS;
  for (const b of a) out = andNumbers(out, notBox(b));
  return out;
}

/** How many values the set has at most, saturating at `limit`. Overlapping boxes count twice. */
export function countNumbers(set: NumberSet, limit: number): number {
  let n = 0;
  for (const b of set) {
    if (isPoint(b)) n++;
    else if (b.step === undefined || b.lo === undefined || b.hi === undefined) return limit;
    else {
      const first = ceilQuotient(b.lo, b.step);
      const last = -ceilQuotient({ m: -b.hi.m, e: b.hi.e }, b.step);
      const span = last - first + 1n;
      if (span >= BigInt(limit) + 2n) return limit;
      for (let k = first; k <= last; k++) if (boxHas(b, times(k, b.step))) n++;
    }
    if (n >= limit) return limit;
  }
  return n;
}

/** The values of a set known to be finite and small, as positional texts. */
export function listNumbers(set: NumberSet): readonly string[] {
  const out = new Set<string>();
  for (const b of set) {
    if (isPoint(b)) {
      if (boxHas(b, b.lo!)) out.add(toText(b.lo!));
    } else if (b.step !== undefined && b.lo !== undefined && b.hi !== undefined) {
      const last = -ceilQuotient({ m: -b.hi.m, e: b.hi.e }, b.step);
      for (let k = ceilQuotient(b.lo, b.step); k <= last; k++) {
        const v = times(k, b.step);
        if (boxHas(b, v)) out.add(toText(v));
      }
    }
  }
  return [...out];
}
