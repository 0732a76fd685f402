/** What escapes of ECMA-262 patterns mean, with the leniency of Annex B where the pattern has neither `u` nor `v`. */
import { GrammarError, placeOf } from '../../base/errors.js';
import type { ClassSet, Place } from './ast.js';

export function regexError(source: string, place: Place, message: string, hint?: string): GrammarError {
  const issue = { ...placeOf(source, place.start), end: place.end, message };
  return new GrammarError('regex', [hint === undefined ? issue : { ...issue, hint }], source);
}

const CONTROL: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13 };
const SYNTAX = '^$\\.*+?()[]{}|/';
const SET_PUNCTUATION = "&-!#%,:;<=>@`~'";
/** Anchors and classes of other dialects: an identity escape in ECMA-262, which is never what was meant. */
const FOREIGN: Readonly<Record<string, string>> = {
  A: "write '^'",
  Z: "write '$'",
  z: "write '$'",
  G: 'there is no such anchor here',
  Q: 'escape each character with a backslash',
  E: 'escape each character with a backslash',
  h: "write '[ \\t]'",
  R: "write '(?:\\r\\n|[\\n\\r])'",
  X: 'there is no such class here',
  K: 'use a lookbehind',
};

export interface EscapeMode {
  readonly source: string;
  /** `u` or `v` was given: Annex B does not apply. */
  readonly strict: boolean;
  readonly inClass: boolean;
  readonly sets: boolean;
}

/** Code points of a `CharEscape` (more than one only where Annex B reads a backslash as itself). */
export function readCharEscape(image: string, place: Place, mode: EscapeMode): number[] {
  const body = image.slice(1);
  const head = body.charAt(0);
  if (head === 'u' && body.length > 1) {
    if (body.charAt(1) === '{') {
      const cp = Number.parseInt(body.slice(2, -1), 16);
      if (cp > 0x10ffff) throw regexError(mode.source, place, 'code point beyond 10FFFF');
      return [cp];
    }
    const first = Number.parseInt(body.slice(1, 5), 16);
    if (body.length === 5) return [first];
    const second = Number.parseInt(body.slice(7), 16);
    return [0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)];
  }
  if (head === 'x' && body.length === 3) return [Number.parseInt(body.slice(1), 16)];
  if (head === 'c' && body.length === 2) return [body.charCodeAt(1) & 31];
  const control = CONTROL[head];
  if (control !== undefined) return [control];
  const cp = body.codePointAt(0) as number;
  if (
    SYNTAX.includes(head) ||
    (mode.inClass && head === '-') ||
    (mode.sets && mode.inClass && SET_PUNCTUATION.includes(head))
  ) {
    return [cp];
  }
  if (mode.strict)
    throw regexError(mode.source, place, `invalid escape '${image}'`, `write '${body}' without the backslash`);
  const foreign = mode.inClass ? undefined : FOREIGN[head];
  if (foreign !== undefined) {
    throw regexError(mode.source, place, `'${image}' is not part of ECMA-262 regular expressions`, foreign);
  }
  return head === 'c' ? [0x5c, 0x63] : [cp];
}

/** `\0`, or an octal escape with literal digits after it (Annex B). */
export function readOctal(image: string, place: Place, mode: EscapeMode): number[] {
  const digits = image.slice(1);
  if (digits === '0') return [0];
  if (mode.strict) throw regexError(mode.source, place, `invalid escape '${image}'`, 'write \\xHH or \\u{H…}');
  const octal = /^(?:[0-3][0-7]{0,2}|[4-7][0-7]?)/.exec(digits)?.[0] ?? '';
  const rest = [...digits.slice(octal === '' ? 0 : octal.length)].map((d) => d.charCodeAt(0));
  return octal === '' ? rest : [Number.parseInt(octal, 8), ...rest];
}

export function readProperty(image: string, place: Place): ClassSet {
  return { k: 'property', body: image.slice(3, -1), negate: image.charAt(1) === 'P', place };
}
