/**
 * From sets of numbers to the regular language of their JSON spellings.
 *
 * "The text denotes a value >= 12.5" is regular for positional notation: a comparison with a fixed bound needs the count of
 * integer digits up to the bound's own and the outcome so far. With free exponents it is not (0.000…5e4 counts without end), so
 * exponents are admitted in the scientific form that programs write (one non-zero digit, fraction, exponent), where exponent
 * and mantissa are compared one after the other; sets without bounds admit every spelling. A multiple of M * 10^-s is a
 * remainder automaton (number-automaton.ts).
 *
 * Who reads the text gets a double, and that must satisfy the schema too. Reading is monotonic, so a closed bound survives it; an open
 * bound becomes the closed one of the next double. Multiples and what must be no multiple survive where the text has 15 significant
 * digits at most (every such decimal comes back from its double: DBL_DIG of C, IEEE 754-2019, 5.12.2).
 */
import { anyChar, type Regex } from '../../regular/regex.js';
import { type Decimal, decimal, fromNumber, negate, nextUp, ONE, toNumber, toText } from './decimal.js';
import { type Magnitude, negativeSide, positional, positiveSide } from './number-automaton.js';
import { ALL_NUMBERS, type Box, boxHas, INTEGERS, isPoint, type NumberSet, PLAIN_INTEGERS } from './numbers.js';
import { alt, and, cat, chars, EMPTY_RE, lit, lits, NEVER_RE, opt, plus, rep, star } from './re.js';

/** 'canonical': positional, integers without fraction. 'any': also a zero fraction of integers, and exponents. */
export type NumberStyle = 'canonical' | 'any';

const DIGIT = chars('09');
const NONZERO = chars('19');
const MINUS = opt(lit('-'));
/**
 * Digits of an integer part without a bound of its own. With the exponents below every admitted text denotes a finite double,
 * so that what is generated can be read back; no program writes longer ones.
 */
const MAX_DIGITS = 200;
const POSITIVE = cat(NONZERO, rep(DIGIT, 0, MAX_DIGITS - 1));
const INT = alt(lit('0'), POSITIVE);
const FRACTION = opt(lit('.'), plus(DIGIT));
const ZERO_FRACTION = opt(lit('.'), plus(lit('0')));
const E = chars('e', 'E');
const ZEROS = star(lit('0'));
const PLUS = opt(lit('+'));
/** Doubles hold at most 17 digits: with an exponent of 16 and more, a written mantissa is an integer. */
const EXACT = 16;
/** Significant digits of decimals that come back from their doubles. */
const KEPT = 15;
const SHORT_FRACTION = opt(lit('.'), rep(DIGIT, 1, EXACT));
/** Least and greatest exponents with any mantissa of one digit before the point; 308 goes with mantissas up to 1.7 only. */
const MIN_EXP = -307;
const MAX_EXP = 307;

const SMALL_EXPONENT = cat(E, opt(chars('+', '-')), ZEROS, rep(DIGIT, 1, 2));
const top = (short: boolean): Regex =>
  cat(
    lit('1'),
    opt(lit('.'), chars('06'), rep(DIGIT, 0, short ? EXACT : Number.POSITIVE_INFINITY)),
    E,
    PLUS,
    ZEROS,
    lit('308'),
  );
/** Scientific form with exponents of three digits. */
const LARGE = alt(cat(NONZERO, FRACTION, E, alt(exponents(100, MAX_EXP), exponents(MIN_EXP, -100))), top(false));

const float = (sign: Regex): Regex => alt(cat(sign, INT, FRACTION, opt(SMALL_EXPONENT)), cat(sign, LARGE));
const whole = (sign: Regex, int: Regex): Regex =>
  alt(
    cat(sign, int, ZERO_FRACTION, opt(E, PLUS, ZEROS, rep(DIGIT, 1, 2))),
    cat(sign, NONZERO, lit('.'), rep(DIGIT, 1, EXACT), E, exponents(EXACT, MAX_EXP)),
    cat(sign, NONZERO, E, exponents(100, MAX_EXP)),
    cat(sign, top(true)),
  );
const ALL_ANY = float(MINUS);
const ALL_CANONICAL = cat(MINUS, INT, FRACTION);
const UNSIGNED_ANY = float(EMPTY_RE);
const UNSIGNED_CANONICAL = cat(INT, FRACTION);
const INTEGER_ANY = whole(MINUS, INT);
const INTEGER_CANONICAL = cat(MINUS, INT);
const NATURAL_ANY = whole(EMPTY_RE, INT);
const NATURAL_CANONICAL = INT;
const POSITIVE_ANY = whole(EMPTY_RE, POSITIVE);
const POSITIVE_CANONICAL = POSITIVE;

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
  if (numbers === PLAIN_INTEGERS) return INTEGER_CANONICAL;
  const integers: string[] = [];
  const parts: Regex[] = [];
  for (const b of numbers) {
    if (isPoint(b)) {
      const v = b.lo!;
      if (!boxHas(b, v)) continue;
      if (b.plain === true) parts.push(pointRegex(v, false));
      else if (v.e >= 0 && v.e < EXACT) integers.push(...(v.m === 0n && any ? ['0', '-0'] : [toText(v)]));
      else parts.push(pointRegex(v, any));
    } else parts.push(boxRegex(b, any && b.plain !== true));
  }
  if (integers.length > 0) parts.push(any ? cat(lits(integers), ZERO_FRACTION) : lits(integers));
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

function boxRegex(given: Box, any: boolean): Regex {
  const b = given.step === undefined ? closed(given) : given;
  if (b === undefined) return NEVER_RE;
  if (b.nots.length === 0 && b.hi === undefined && !b.loOpen) {
    const low = b.lo === undefined ? undefined : b.lo.m;
    const unit = b.lo === undefined || b.lo.e === 0;
    if (b.step === ONE && low === undefined) return any ? INTEGER_ANY : INTEGER_CANONICAL;
    if (b.step === ONE && low === 0n) return any ? NATURAL_ANY : NATURAL_CANONICAL;
    if (b.step === ONE && low === 1n && unit) return any ? POSITIVE_ANY : POSITIVE_CANONICAL;
    if (b.step === undefined && low === 0n) return any ? UNSIGNED_ANY : UNSIGNED_CANONICAL;
  }
  let plain = positional(b, any);
  if (b.step === undefined && b.nots.length === 1 && b.nots[0] === ONE) plain = and(plain, PLAINLY_BROKEN);
  else if ((b.step !== undefined && b.step !== ONE) || b.nots.length > 0) plain = and(plain, keptText(b));
  if (b.lo === undefined || b.hi === undefined || b.loOpen || b.hiOpen) plain = and(plain, rep(anyChar, 0, MAX_DIGITS));
  return any ? alt(plain, scientific(b)) : plain;
}

/**
 * The box with open bounds moved to the next double; undefined where none is left. Bounds at zero stay: the length of a text keeps it
 * from being read as zero.
 */
function closed(b: Box): Box | undefined {
  let { lo, loOpen, hi, hiOpen } = b;
  if (lo !== undefined && loOpen && lo.m !== 0n) {
    const next = nextUp(toNumber(lo));
    if (!Number.isFinite(next)) return undefined;
    lo = fromNumber(next);
    loOpen = false;
  }
  if (hi !== undefined && hiOpen && hi.m !== 0n) {
    const next = nextUp(-toNumber(hi));
    if (!Number.isFinite(next)) return undefined;
    hi = negate(fromNumber(next));
    hiOpen = false;
  }
  return { ...b, lo, loOpen, hi, hiOpen };
}

/** Texts of at most {@link KEPT} significant digits, with zeros before them where a step is that fine. */
function keptText(b: Box): Regex {
  const places = Math.max(0, ...[...(b.step === undefined ? [] : [b.step]), ...b.nots].map((s) => -s.e));
  const zeros = places > KEPT ? rep(lit('0'), 0, places) : EMPTY_RE;
  const digits = rep(DIGIT, 1, KEPT);
  return cat(
    MINUS,
    alt(digits, and(cat(digits, lit('.'), digits), rep(anyChar, 0, KEPT + 1)), cat(lit('0.'), zeros, digits)),
  );
}

/**
 * Texts with a fraction that no rounding makes an integer of: of at most {@link KEPT} digits, or with one that is seen to be neither zero
 * nor about one within the first so many.
 */
const PLAINLY_BROKEN = cat(
  MINUS,
  alt(
    and(rep(anyChar, 0, KEPT + 1), cat(plus(DIGIT), lit('.'), plus(DIGIT))),
    cat(
      and(
        rep(anyChar, 0, KEPT + 1),
        cat(plus(DIGIT), lit('.'), star(DIGIT), NONZERO, star(DIGIT)),
        cat(plus(DIGIT), lit('.'), star(DIGIT), chars('08'), star(DIGIT)),
      ),
      star(DIGIT),
    ),
    cat(lit('0.0'), rep(lit('0'), 0, MAX_DIGITS), NONZERO, star(DIGIT)),
  ),
);

// ---- scientific form ------------------------------------------------------------------------------------------------

/** Exponent texts (sign, leading zeros) for the exponents lo to hi. */
function exponents(lo: number, hi: number): Regex {
  if (lo > hi) return NEVER_RE;
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
  if (hi >= 0) parts.push(cat(PLUS, ZEROS, range(Math.max(lo, 0), hi)));
  if (lo < 0) parts.push(cat(lit('-'), ZEROS, range(Math.max(1, -hi), -lo)));
  return alt(...parts);
}

function scientific(b: Box): Regex {
  if (b.nots.length > 0) return NEVER_RE;
  let from = MIN_EXP;
  if (b.step !== undefined) {
    // Where 10^k is a multiple of the step, so is a mantissa with at most 16 decimals times 10^(16 + k) and more.
    let k = 0;
    while (k <= 30 && 10n ** BigInt(k) % b.step.m !== 0n) k++;
    if (k > 30) return NEVER_RE;
    from = EXACT + Math.max(b.step.e + k, 0);
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
  const add = (make: () => Regex, lo: number, hi: number): void => {
    const first = Math.max(lo, from);
    if (first > hi) return;
    const m = make();
    if (m.t !== 'never') parts.push(cat(m, E, exponents(first, Math.min(hi, MAX_EXP))));
  };
  const lo = range.lo.m === 0n ? undefined : split(range.lo);
  if (range.hi !== undefined && range.hi.m === 0n) return NEVER_RE;
  const hi = range.hi === undefined ? undefined : split(range.hi);
  if (hi !== undefined && hi.exponent < from) return NEVER_RE;
  if (lo !== undefined && hi !== undefined && lo.exponent === hi.exponent) {
    add(() => mantissa(lo.mantissa, range.loOpen, hi.mantissa, range.hiOpen), lo.exponent, lo.exponent);
    return alt(...parts);
  }
  if (lo !== undefined) add(() => mantissa(lo.mantissa, range.loOpen, undefined, true), lo.exponent, lo.exponent);
  add(() => anyMantissa, lo === undefined ? MIN_EXP : lo.exponent + 1, hi === undefined ? MAX_EXP : hi.exponent - 1);
  if (hi === undefined && (lo === undefined || lo.exponent < 308)) parts.push(top(short));
  if (hi !== undefined) add(() => mantissa(undefined, false, hi.mantissa, range.hiOpen), hi.exponent, hi.exponent);
  return alt(...parts);
}
