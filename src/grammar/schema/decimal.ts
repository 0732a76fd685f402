/**
 * Exact decimals: JSON numbers as `m * 10^e` with a big integer mantissa.
 *
 * Bounds and multipleOf must be compared exactly: 0.29 is a multiple of 0.01 although 0.29 / 0.01 is not an integer in binary
 * floating point. A schema number arrives as a double; its shortest decimal spelling is what the author wrote, so that is
 * what we compute with. Invariant: the mantissa is not divisible by ten, and zero is {m: 0n, e: 0}; equal values have equal fields.
 */
export interface Decimal {
  readonly m: bigint;
  readonly e: number;
}

export const ZERO: Decimal = { m: 0n, e: 0 };
export const ONE: Decimal = { m: 1n, e: 0 };

/** `m * 10^e` in normal form. */
export function decimal(m: bigint, e: number): Decimal {
  if (m === 0n) return ZERO;
  let mantissa = m;
  let exponent = e;
  while (mantissa % 10n === 0n) {
    mantissa /= 10n;
    exponent++;
  }
  return mantissa === 1n && exponent === 0 ? ONE : { m: mantissa, e: exponent };
}

/** The decimal that a finite double prints as. */
export function fromNumber(n: number): Decimal {
  if (Number.isSafeInteger(n)) return n === 1 ? ONE : decimal(BigInt(n), 0);
  const text = String(n);
  const exp = text.indexOf('e');
  const mantissa = exp < 0 ? text : text.slice(0, exp);
  let e = exp < 0 ? 0 : Number(text.slice(exp + 1));
  const dot = mantissa.indexOf('.');
  if (dot >= 0) e -= mantissa.length - dot - 1;
  return decimal(BigInt(dot < 0 ? mantissa : mantissa.slice(0, dot) + mantissa.slice(dot + 1)), e);
}

/** The double nearest to a decimal. */
export const toNumber = (a: Decimal): number => Number(`${a.m}e${a.e}`);

/** The least double above a finite one (IEEE 754 nextUp), or Infinity. */
export function nextUp(x: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x === 0 ? 0 : x);
  view.setBigInt64(0, view.getBigInt64(0) + (x < 0 ? -1n : 1n));
  return view.getFloat64(0);
}

const pow10 = (n: number): bigint => 10n ** BigInt(n);

/** Negative, zero or positive as a is below, equal to or above b. */
export function compare(a: Decimal, b: Decimal): number {
  if (a.e === b.e) return a.m < b.m ? -1 : a.m > b.m ? 1 : 0;
  const e = Math.min(a.e, b.e);
  const x = a.m * pow10(a.e - e);
  const y = b.m * pow10(b.e - e);
  return x < y ? -1 : x > y ? 1 : 0;
}

export const equal = (a: Decimal, b: Decimal): boolean => a.m === b.m && a.e === b.e;
export const negate = (a: Decimal): Decimal => ({ m: -a.m, e: a.e });

/** Whether `a` is an integer multiple of `of` (not zero). */
export function isMultiple(a: Decimal, of: Decimal): boolean {
  if (a.m === 0n) return true;
  const e = Math.min(a.e, of.e);
  return (a.m * pow10(a.e - e)) % (of.m * pow10(of.e - e)) === 0n;
}

function gcd(a: bigint, b: bigint): bigint {
  let x = a;
  let y = b;
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

/** Least common multiple of two positive decimals. */
export function lcm(a: Decimal, b: Decimal): Decimal {
  if (equal(a, b)) return a;
  const e = Math.min(a.e, b.e);
  const x = a.m * pow10(a.e - e);
  const y = b.m * pow10(b.e - e);
  return decimal((x / gcd(x, y)) * y, e);
}

/** Smallest k with k * step >= a (step > 0). */
export function ceilQuotient(a: Decimal, step: Decimal): bigint {
  const e = Math.min(a.e, step.e);
  const x = a.m * pow10(a.e - e);
  const y = step.m * pow10(step.e - e);
  const q = x / y;
  return q * y < x ? q + 1n : q;
}

/** k * a. */
export const times = (k: bigint, a: Decimal): Decimal => decimal(k * a.m, a.e);

/** Decimal digits of |a| in positional notation: integer part without leading zeros ('0' if none), fraction without trailing zeros. */
export function digitsOf(a: Decimal): { readonly int: string; readonly frac: string } {
  const text = (a.m < 0n ? -a.m : a.m).toString();
  if (a.e >= 0) return { int: text === '0' ? '0' : text + '0'.repeat(a.e), frac: '' };
  const cut = text.length + a.e;
  if (cut > 0) return { int: text.slice(0, cut), frac: text.slice(cut) };
  return { int: '0', frac: '0'.repeat(-cut) + text };
}

/** Positional spelling, such as `-12.5`. */
export function toText(a: Decimal): string {
  const { int, frac } = digitsOf(a);
  return `${a.m < 0n ? '-' : ''}${int}${frac === '' ? '' : `.${frac}`}`;
}
