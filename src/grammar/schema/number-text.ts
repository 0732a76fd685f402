/**
 * From sets of numbers to the regular language of their JSON spellings.
 *
 * "The text denotes a value >= 12.5" is regular for positional notation: a comparison with a fixed bound needs the count of
 * integer digits up to the bound's own and the outcome so far. With free exponents it is not (0.000…5e4 counts without end), so
 * exponents are admitted in the scientific form that programs write (one non-zero digit, fraction, exponent), where exponent
 * and mantissa are compared one after the other; sets without bounds admit every spelling. A multiple of M * 10^-s is a
 * remainder automaton (number-automaton.ts).
 */
import type { Regex } from '../../regular/regex.js';
import { type Decimal, decimal, ONE, toText } from './decimal.js';
import { type Magnitude, negativeSide, positional, positiveSide } from './number-automaton.js';
import { ALL_NUMBERS, type Box, INTEGERS, isPoint, type NumberSet } from './numbers.js';
import { alt, and, cat, chars, EMPTY_RE, lit, lits, NEVER_RE, opt, plus, rep, star } from './re.js';

/** 'canonical': positional, integers without fraction. 'any': also a zero fraction of integers, and exponents. */
export type NumberStyle = 'canonical' | 'any';

const DIGIT = chars('09');
const NONZERO = chars('19');
const MINUS = opt(lit('-'));
const INT = alt(lit('0'), cat(NONZERO, star(DIGIT)));
const FRACTION = opt(lit('.'), plus(DIGIT));
const ZERO_FRACTION = opt(lit('.'), plus(lit('0')));
const E = chars('e', 'E');
/** Exponents stay where doubles are finite, so that every admitted text can be read back. */
const EXPONENT_VALUE = cat(
  star(lit('0')),
  alt(rep(DIGIT, 1, 2), cat(chars('12'), DIGIT, DIGIT), cat(lit('30'), chars('07'))),
);
const EXPONENT = opt(E, opt(chars('+', '-')), EXPONENT_VALUE);
/** Doubles hold at most 17 digits: with an exponent of 16 and more, a written mantissa is an integer. */
const EXACT = 16;
const SHORT_FRACTION = opt(lit('.'), rep(DIGIT, 1, EXACT));
const PLUS = opt(lit('+'));

const ALL_ANY = cat(MINUS, INT, FRACTION, EXPONENT);
const ALL_CANONICAL = cat(MINUS, INT, FRACTION);
const UNSIGNED_ANY = cat(INT, FRACTION, EXPONENT);
const UNSIGNED_CANONICAL = cat(INT, FRACTION);
const INTEGER_EXPONENT = opt(E, PLUS, star(lit('0')), rep(DIGIT, 1, 2));
const BIG_EXPONENT = cat(E, PLUS, exponents(EXACT, 307));
const WHOLE = (sign: Regex, int: Regex): Regex =>
  alt(
    cat(sign, int, ZERO_FRACTION, INTEGER_EXPONENT),
    cat(sign, NONZERO, lit('.'), rep(DIGIT, 1, EXACT), BIG_EXPONENT),
  );
const INTEGER_ANY = WHOLE(MINUS, INT);
const INTEGER_CANONICAL = cat(MINUS, INT);
const NATURAL_ANY = WHOLE(EMPTY_RE, INT);
const NATURAL_CANONICAL = INT;
const POSITIVE_ANY = WHOLE(EMPTY_RE, cat(NONZERO, star(DIGIT)));
const POSITIVE_CANONICAL = cat(NONZERO, star(DIGIT));

/** The spellings of a number set. @throws LimitError where an automaton grows too large. */
export function numberRegex(numbers: NumberSet, style: NumberStyle, maxDigits: number | undefined): Regex {
  const re = spell(numbers, style);
  return maxDigits === undefined ? re : and(re, digitCap(maxDigits));
}

function digitCap(n: number): Regex {
  return cat(MINUS, rep(DIGIT, 1, n), opt(lit('.'), rep(DIGIT, 1, n)), opt(E, opt(chars('+', '-')), rep(DIGIT, 1, 3)));
}

function spell(numbers: NumberSet, style: NumberStyle): Regex {
  const any = style === 'any';
  if (numbers === ALL_NUMBERS) return any ? ALL_ANY : ALL_CANONICAL;
  if (numbers === INTEGERS) return any ? INTEGER_ANY : INTEGER_CANONICAL;
  const whole: string[] = [];
  const parts: Regex[] = [];
  for (const b of numbers) {
    if (isPoint(b)) {
      const v = b.lo!;
      if (v.e >= 0 && v.e < EXACT) whole.push(...(v.m === 0n && any ? ['0', '-0'] : [toText(v)]));
      else parts.push(pointRegex(v, any));
    } else parts.push(boxRegex(b, any));
  }
  if (whole.length > 0) parts.push(any ? cat(lits(whole), ZERO_FRACTION) : lits(whole));
  return alt(...parts);
}

function pointRegex(v: Decimal, any: boolean): Regex {
  const plain = lit(toText(v));
  if (!any) return plain;
  const spelled = cat(plain, v.e >= 0 ? ZERO_FRACTION : star(lit('0')));
  const digits = (v.m < 0n ? -v.m : v.m).toString();
  const exponent = digits.length - 1 + v.e;
  if (exponent < EXACT && exponent > -4) return spelled;
  const mantissa =
    digits.length === 1 ? cat(lit(digits), ZERO_FRACTION) : cat(lit(`${digits[0]}.${digits.slice(1)}`), star(lit('0')));
  return alt(spelled, cat(lit(v.m < 0n ? '-' : ''), mantissa, E, exponents(exponent, exponent)));
}

function boxRegex(b: Box, any: boolean): Regex {
  if (b.nots.length === 0 && b.hi === undefined && b.lo !== undefined && !b.loOpen) {
    if (b.step === undefined && b.lo.m === 0n) return any ? UNSIGNED_ANY : UNSIGNED_CANONICAL;
    if (b.step === ONE && b.lo.m === 0n) return any ? NATURAL_ANY : NATURAL_CANONICAL;
    if (b.step === ONE && b.lo.m === 1n && b.lo.e === 0) return any ? POSITIVE_ANY : POSITIVE_CANONICAL;
  }
  const plain = positional(b, any);
  return any ? alt(plain, scientific(b)) : plain;
}

// ---- scientific form ------------------------------------------------------------------------------------------------

/** Exponent texts (sign, leading zeros) for the exponents lo to hi. */
function exponents(lo: number, hi: number): Regex {
  if (lo > hi) return NEVER_RE;
  const zeros = star(lit('0'));
  const parts: Regex[] = [];
  const range = (from: number, to: number): Regex =>
    from === to
      ? lit(String(from))
      : positional(
          {
            lo: decimal(BigInt(from), 0),
            loOpen: false,
            hi: decimal(BigInt(to), 0),
            hiOpen: false,
            step: ONE,
            nots: [],
          },
          false,
        );
  if (hi >= 0) parts.push(cat(opt(lit('+')), zeros, range(Math.max(lo, 0), hi)));
  if (lo < 0) parts.push(cat(lit('-'), zeros, range(Math.max(1, -hi), -lo)));
  return alt(...parts);
}

/** Least and greatest exponents of finite, non-zero doubles in scientific form (with some room to the ends). */
const MIN_EXP = -307;
const MAX_EXP = 307;

function scientific(b: Box): Regex {
  if (b.nots.length > 0) return NEVER_RE;
  let from = MIN_EXP;
  if (b.step !== undefined) {
    // Multiples of 10^k only: a mantissa with at most 16 decimals times 10^(16 + k) and more is one.
    if (b.step.m !== 1n) return NEVER_RE;
    from = EXACT + Math.max(b.step.e, 0);
  }
  const up = positiveSide(b);
  const down = negativeSide(b);
  const parts: Regex[] = [];
  if (up !== undefined) parts.push(magnitudeScientific(up, from, b.step !== undefined));
  if (down !== undefined) parts.push(cat(lit('-'), magnitudeScientific(down, from, b.step !== undefined)));
  return alt(...parts);
}

function split(v: Decimal): { readonly exponent: number; readonly mantissa: Decimal } {
  const n = v.m.toString().length - 1;
  return { exponent: n + v.e, mantissa: { m: v.m, e: -n } };
}

function magnitudeScientific(range: Magnitude, from: number, short: boolean): Regex {
  const fraction = short ? SHORT_FRACTION : FRACTION;
  const anyMantissa = cat(NONZERO, fraction);
  const mantissa = (lo: Decimal | undefined, loOpen: boolean, hi: Decimal | undefined, hiOpen: boolean): Regex => {
    const whole = hi ?? decimal(1n, 1);
    const re = positional(
      { lo: lo ?? ONE, loOpen, hi: whole, hiOpen: hi === undefined || hiOpen, step: undefined, nots: [] },
      true,
    );
    return short ? and(re, anyMantissa) : re;
  };
  const parts: Regex[] = [];
  const add = (m: Regex, lo: number, hi: number): void => {
    const first = Math.max(lo, from);
    if (first <= hi && m.t !== 'never') parts.push(cat(m, E, exponents(first, Math.min(hi, MAX_EXP))));
  };
  const lo = range.lo.m === 0n ? undefined : split(range.lo);
  if (range.hi !== undefined && range.hi.m === 0n) return NEVER_RE;
  const hi = range.hi === undefined ? undefined : split(range.hi);
  if (lo !== undefined && hi !== undefined && lo.exponent === hi.exponent) {
    add(mantissa(lo.mantissa, range.loOpen, hi.mantissa, range.hiOpen), lo.exponent, lo.exponent);
    return alt(...parts);
  }
  if (lo !== undefined) add(mantissa(lo.mantissa, range.loOpen, undefined, true), lo.exponent, lo.exponent);
  add(anyMantissa, lo === undefined ? MIN_EXP : lo.exponent + 1, hi === undefined ? MAX_EXP : hi.exponent - 1);
  if (hi !== undefined) add(mantissa(undefined, false, hi.mantissa, range.hiOpen), hi.exponent, hi.exponent);
  return alt(...parts);
}
