/**
 * Judges of grammar texts that know nothing of the engine: the platform's regular expressions for regular languages, small recursive-descent
 * readers for the others. Each reader says whether the whole text belongs to the language.
 */
import type { TextCheck } from './types.js';

export function textFits(check: TextCheck, text: string): boolean {
  if (check.kind === 'pattern') return new RegExp(`^(?:${check.pattern})$`, 'su').test(text);
  const end = READERS[check.name](text);
  return end === text.length;
}

/** From a text to the end of what could be read, or -1. */
type Reader = (text: string) => number;

const READERS: Readonly<Record<Extract<TextCheck, { kind: 'language' }>['name'], Reader>> = {
  expression: (text) => sum(text, 0),
  brackets: (text) => brackets(text, 0),
  list: (text) => list(text, 0),
  json: (text) => object(text, 0),
};

/** Sums and products of whole numbers and parentheses: `12+3*(4-5)`. */
function sum(text: string, from: number): number {
  return chain(text, from, '+-', (at) => chain(text, at, '*/', (inner) => factor(text, inner)));
}

function factor(text: string, from: number): number {
  if (text[from] === '(') {
    const end = sum(text, from + 1);
    return end >= 0 && text[end] === ')' ? end + 1 : -1;
  }
  let at = from;
  while (/[0-9]/.test(text[at] ?? '')) at++;
  // Numbers are written without leading zeros.
  return at === from || (text[from] === '0' && at - from > 1) ? -1 : at;
}

function chain(text: string, from: number, operators: string, part: (at: number) => number): number {
  let at = part(from);
  while (at >= 0 && at < text.length && operators.includes(text[at]!)) at = part(at + 1);
  return at;
}

/** Balanced round, square and curly brackets, possibly none. */
function brackets(text: string, from: number): number {
  let at = from;
  const open: string[] = [];
  for (; at < text.length; at++) {
    const c = text[at]!;
    const close = { '(': ')', '[': ']', '{': '}' }[c];
    if (close !== undefined) open.push(close);
    else if (open.at(-1) === c) open.pop();
    else return -1;
  }
  return open.length === 0 ? at : -1;
}

/** S-expressions of words: `(add (x y) z)`. */
function list(text: string, from: number): number {
  if (text[from] !== '(') {
    let at = from;
    while (/[a-z]/.test(text[at] ?? '')) at++;
    return at === from ? -1 : at;
  }
  let at = list(text, from + 1);
  while (at >= 0 && text[at] === ' ') at = list(text, at + 1);
  return at >= 0 && text[at] === ')' ? at + 1 : -1;
}

/** JSON objects without blanks, of at most four members named `key0` to `key9`; values are small. */
function object(text: string, from: number): number {
  if (text[from] !== '{') return -1;
  if (text[from + 1] === '}') return from + 2;
  let at = from;
  for (let n = 0; n < 4; n++) {
    if (!/^"key[0-9]":/.test(text.slice(at + 1, at + 8))) return -1;
    at = jsonValue(text, at + 8);
    if (at < 0) return -1;
    if (text[at] === '}') return at + 1;
    if (text[at] !== ',') return -1;
  }
  return -1;
}

function jsonValue(text: string, from: number): number {
  if (text[from] === '{') return object(text, from);
  if (text[from] === '[') {
    if (text[from + 1] === ']') return from + 2;
    let at = from;
    for (let n = 0; n < 3; n++) {
      at = jsonValue(text, at + 1);
      if (at < 0) return -1;
      if (text[at] === ']') return at + 1;
      if (text[at] !== ',') return -1;
    }
    return -1;
  }
  const scalar = /^(?:true|null|-?(?:0|[1-9][0-9]{0,4})|"[a-z ]{0,10}")/.exec(text.slice(from, from + 16));
  return scalar === null ? -1 : from + scalar[0].length;
}
