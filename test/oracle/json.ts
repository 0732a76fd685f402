/**
 * UTF-8 and JSON strings by hand, for the naive twin: what a cut character or escape can still become, and JSON values in a
 * canonical spelling (so that equal values are equal strings).
 */
import { and, DECODABLE, derive, NEVER, nonEmpty, representatives, type Term, words } from './regex.js';

/** Inclusive ranges of code points. */
type Ranges = readonly (readonly [number, number])[];

/** One raw character at a byte position. */
export type Char =
  | { readonly kind: 'char'; readonly code: number; readonly end: number }
  /** The text ends inside the character; `ranges` are what it can become. */
  | { readonly kind: 'cut'; readonly ranges: Ranges }
  | { readonly kind: 'bad' };

export function charAt(bytes: readonly number[], i: number): Char {
  const first = bytes[i] ?? -1;
  if (first < 0 || first > 0xff) return { kind: 'bad' };
  if (first < 0x80) return { kind: 'char', code: first, end: i + 1 };
  const size =
    first >= 0xc2 && first <= 0xdf ? 2 : first >= 0xe0 && first <= 0xef ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0;
  if (size === 0) return { kind: 'bad' };
  let lo = first & (0xff >> (size + 1));
  let hi = lo;
  let have = 1;
  for (; have < size; have++) {
    const b = bytes[i + have];
    if (b === undefined) break;
    if (b < 0x80 || b > 0xbf) return { kind: 'bad' };
    lo = (lo << 6) | (b & 0x3f);
    hi = lo;
  }
  for (let k = have; k < size; k++) {
    lo <<= 6;
    hi = (hi << 6) | 0x3f;
  }
  const least = size === 2 ? 0x80 : size === 3 ? 0x800 : 0x10000;
  const ranges: [number, number][] = [];
  for (const [a, b] of [
    [Math.max(lo, least), Math.min(hi, 0xd7ff)],
    [Math.max(lo, least, 0xe000), Math.min(hi, 0x10ffff)],
  ] as const)
    if (a <= b) ranges.push([a, b]);
  if (ranges.length === 0) return { kind: 'bad' };
  if (have < size) return { kind: 'cut', ranges };
  return { kind: 'char', code: lo, end: i + size };
}

const utf8 = new TextEncoder();
export const bytesOf = (text: string): number[] => [...utf8.encode(text)];

/** A reading of a cut JSON string: decoded so far, and what the unit that the cut falls into can become (none: no unit begun). */
export interface Reading {
  readonly content: readonly number[];
  readonly next?: Ranges;
}

export type JsonString =
  | { readonly kind: 'whole'; readonly content: readonly number[]; readonly end: number }
  | { readonly kind: 'cut'; readonly readings: readonly Reading[] }
  | { readonly kind: 'bad' };

const SHORT: Readonly<Record<string, number>> = { '"': 34, '\\': 92, '/': 47, b: 8, f: 12, n: 10, r: 13, t: 9 };
const isHex = (b: number | undefined): boolean =>
  b !== undefined && b < 0x80 && /^[0-9a-fA-F]$/.test(String.fromCharCode(b));

/** Up to four hex digits at i: [lo, hi] of the code unit they can become, and how many there are; undefined where not hex. */
function hexAt(bytes: readonly number[], i: number): { lo: number; hi: number; have: number } | undefined {
  let digits = '';
  while (digits.length < 4 && i + digits.length < bytes.length) {
    const b = bytes[i + digits.length];
    if (!isHex(b)) return undefined;
    digits += String.fromCharCode(b ?? 0);
  }
  const have = digits.length;
  return { lo: Number.parseInt(digits.padEnd(4, '0'), 16), hi: Number.parseInt(digits.padEnd(4, 'f'), 16), have };
}

/** Supplementary code points whose high surrogate is in [h0, h1] and low one in [l0, l1]; only one of the two is a real range. */
function pairs(h0: number, h1: number, l0: number, l1: number): Ranges {
  const of = (h: number, l: number): number => 0x10000 + ((h - 0xd800) << 10) + (l - 0xdc00);
  return h0 <= h1 && l0 <= l1 ? [[of(h0, l0), of(h1, l1)]] : [];
}

/** What JSON writers spell with \\u (ir.ts, on literals). */
const WRITTEN: Ranges = [
  [0x00, 0x07],
  [0x0b, 0x0b],
  [0x0e, 0x1f],
  [0x7f, 0x10ffff],
];
const written = (c: number): boolean => WRITTEN.some(([lo, hi]) => c >= lo && c <= hi);
const onlyWritten = (ranges: Ranges): Ranges =>
  ranges.flatMap(([a, b]) =>
    WRITTEN.flatMap(
      ([lo, hi]): Ranges => (Math.max(a, lo) <= Math.min(b, hi) ? [[Math.max(a, lo), Math.min(b, hi)]] : []),
    ),
  );

/** Code points of the two-character escapes but the solidus. */
const SHORT_WRITTEN: Ranges = [0x08, 0x09, 0x0a, 0x0c, 0x0d, 0x22, 0x5c].map((c) => [c, c] as const);

/**
 * The JSON string whose opening quote is at i. Escapes that end after byte `strictFrom` must be such as JSON writers use: short ones
 * but \\/, and \\u for controls without a short one and from U+007F on.
 */
export function jsonStringAt(bytes: readonly number[], i: number, strictFrom = Number.POSITIVE_INFINITY): JsonString {
  const strict = bytes.length > strictFrom;
  if (bytes[i] !== 0x22) return { kind: 'bad' };
  const content: number[] = [];
  let k = i + 1;
  for (;;) {
    if (k >= bytes.length) return { kind: 'cut', readings: [{ content }] };
    const b = bytes[k] ?? 0;
    if (b === 0x22) return { kind: 'whole', content, end: k + 1 };
    if (b < 0x20) return { kind: 'bad' };
    if (b !== 0x5c) {
      const c = charAt(bytes, k);
      if (c.kind === 'bad') return c;
      if (c.kind === 'cut') return { kind: 'cut', readings: [{ content, next: c.ranges }] };
      content.push(c.code);
      k = c.end;
      continue;
    }
    const any: Ranges = strict ? [...onlyWritten([[0, 0x10ffff]]), ...SHORT_WRITTEN] : [[0, 0x10ffff]];
    if (k + 1 >= bytes.length) return { kind: 'cut', readings: [{ content, next: any }] };
    const e = bytes[k + 1] ?? 0;
    const short = e < 0x80 ? SHORT[String.fromCharCode(e)] : undefined;
    if (short !== undefined) {
      if (short === 47 && k + 2 > strictFrom) return { kind: 'bad' };
      content.push(short);
      k += 2;
      continue;
    }
    if (e !== 0x75) return { kind: 'bad' };
    const unit = hexAt(bytes, k + 2);
    if (unit === undefined) return { kind: 'bad' };
    if (unit.have < 4) {
      const supplementary = pairs(Math.max(unit.lo, 0xd800), Math.min(unit.hi, 0xdbff), 0xdc00, 0xdfff);
      const bmp: Ranges = [[unit.lo, unit.hi]];
      return { kind: 'cut', readings: [{ content, next: [...(strict ? onlyWritten(bmp) : bmp), ...supplementary] }] };
    }
    k += 6;
    if (k > strictFrom && !written(unit.lo)) return { kind: 'bad' };
    if (unit.lo < 0xd800 || unit.lo > 0xdbff) {
      content.push(unit.lo);
      continue;
    }
    // A high surrogate: alone, or the first half of a pair where an escaped low one follows.
    const alone: Reading[] = [{ content: [...content, unit.lo] }];
    const paired = (l0: number, l1: number): Reading => ({ content, next: pairs(unit.lo, unit.lo, l0, l1) });
    if (k >= bytes.length) return { kind: 'cut', readings: [...alone, paired(0xdc00, 0xdfff)] };
    if (bytes[k] === 0x5c && k + 1 >= bytes.length) {
      return {
        kind: 'cut',
        readings: [{ content: [...content, unit.lo], next: [[0, 0x10ffff]] }, paired(0xdc00, 0xdfff)],
      };
    }
    if (bytes[k] === 0x5c && bytes[k + 1] === 0x75) {
      const low = hexAt(bytes, k + 2);
      if (low === undefined) return { kind: 'bad' };
      const l0 = Math.max(low.lo, 0xdc00);
      const l1 = Math.min(low.hi, 0xdfff);
      if (low.have === 4 && l0 <= l1) {
        content.push(0x10000 + ((unit.lo - 0xd800) << 10) + (low.lo - 0xdc00));
        k += 6;
        continue;
      }
      if (low.have < 4) {
        const supplementary = pairs(Math.max(low.lo, 0xd800), Math.min(low.hi, 0xdbff), 0xdc00, 0xdfff);
        const bmp: Ranges = [[low.lo, low.hi]];
        const single: Reading = {
          content: [...content, unit.lo],
          next: [...(strict ? onlyWritten(bmp) : bmp), ...supplementary],
        };
        return { kind: 'cut', readings: l0 <= l1 ? [single, paired(l0, l1)] : [single] };
      }
    }
    content.push(unit.lo);
  }
}

/** The derivatives of a string language after a cut JSON string: one per way in which the cut unit can end. */
export function afterCut(language: Term, readings: readonly Reading[]): { term: Term; content: number[] }[] {
  const whole = and([language, DECODABLE]);
  const out: { term: Term; content: number[] }[] = [];
  for (const { content, next } of readings) {
    const t = derive(whole, content);
    if (next === undefined) out.push({ term: t, content: [...content] });
    else {
      for (const [lo, hi] of next) {
        for (const c of representatives(t, lo, hi)) out.push({ term: t.d(c), content: [...content, c] });
      }
    }
  }
  return out.filter((x) => x.term !== NEVER && nonEmpty(x.term));
}

/**
 * Up to `n` contents of a string language that a cut JSON string can become (several code points of each class).
 */
export function contentsAfterCut(language: Term, readings: readonly Reading[], n: number): number[][] {
  const whole = and([language, DECODABLE]);
  const out: number[][] = [];
  for (const { content, next } of readings) {
    const t = derive(whole, content);
    if (next === undefined) {
      for (const w of words(t, n)) out.push([...content, ...w]);
      continue;
    }
    for (const [lo, hi] of next) {
      const starts = representatives(t, lo, hi);
      for (let k = 0; k < starts.length; k++) {
        const from = starts[k] ?? 0;
        const to = Math.min(hi + 1, starts[k + 1] ?? 0x110000, from + n);
        for (let c = from; c < to; c++) for (const w of words(t.d(c), n)) out.push([...content, c, ...w]);
      }
    }
  }
  return out;
}

/** JavaScript string of decoded content (lone surrogates stay). */
export const textOf = (content: readonly number[]): string => content.map((c) => String.fromCodePoint(c)).join('');

/** Exact decimal value of a JSON number: sign, digits without outer zeros, exponent of the last digit. */
function canonicalNumber(s: string): string {
  const m = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(s);
  if (m === null) return `?${s}`;
  const all = `${m[2]}${m[3] ?? ''}`.replace(/^0+/, '');
  const digits = all.replace(/0+$/, '');
  if (digits === '') return '0';
  const exponent = BigInt(m[4] ?? '0') - BigInt((m[3] ?? '').length) + BigInt(all.length - digits.length);
  return `${m[1]}${digits}e${exponent}`;
}

/** Canonical spelling of the JSON value that the bytes spell; text that is not JSON stands for itself. */
export function canonicalValue(bytes: readonly number[]): string {
  let at = 0;
  const blank = (): void => {
    while ([0x20, 9, 10, 13].includes(bytes[at] ?? 0)) at++;
  };
  const fail = (): never => {
    throw new SyntaxError('not JSON');
  };
  const string = (): string => {
    const s = jsonStringAt(bytes, at);
    if (s.kind !== 'whole') return fail();
    at = s.end;
    return JSON.stringify(textOf(s.content));
  };
  const value = (): string => {
    blank();
    const b = bytes[at];
    let out: string;
    if (b === 0x22) out = string();
    else if (b === 0x5b || b === 0x7b) {
      const close = b + 2;
      const parts: string[] = [];
      at++;
      blank();
      if (bytes[at] === close) at++;
      else
        for (;;) {
          blank();
          let key = '';
          if (b === 0x7b) {
            key = `${string()}:`;
            blank();
            if (bytes[at++] !== 0x3a) fail();
          }
          parts.push(key + value());
          blank();
          const sep = bytes[at++];
          if (sep === close) break;
          if (sep !== 0x2c) fail();
        }
      out = b === 0x7b ? `{${parts.sort().join()}}` : `[${parts.join()}]`;
    } else {
      let s = '';
      while (at < bytes.length && /[-+.0-9a-zA-Z]/.test(String.fromCharCode(bytes[at] ?? 0)))
        s += String.fromCharCode(bytes[at++] ?? 0);
      if (s === 'true' || s === 'false' || s === 'null') out = s;
      else if (/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(s)) out = canonicalNumber(s);
      else out = fail();
    }
    blank();
    return out;
  };
  try {
    const out = value();
    return at === bytes.length ? out : fail();
  } catch (error) {
    if (error instanceof SyntaxError) return `raw:${bytes.join('.')}`;
    throw error;
  }
}
