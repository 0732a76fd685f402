/** What may come next, for the commands that explain: characters from the recognizer's bytes, and where in a JSON text one is. */
import { LimitError } from '../../base/errors.js';
import { DEAD } from '../../fsm/layout.js';
import type { Recognizer } from '../../fsm/recognizer.js';
import { type Expectation, Tracer } from '../../grammar/gbnf/trace.js';
import type { Grammar } from '../../grammar/ir.js';
import { contains, normalize, type Ranges, subtract } from '../../grammar/regex/ranges.js';
import type { Language } from './input.js';

/** Longest text that is read again to tell the rules, in UTF-16 units. */
export const MAX_EXPLAINED = 1 << 20;

/**
 * What may follow a prefix, by stacks: of rules for GBNF, of property names and indices for JSON, none for regular expressions (or
 * where a GBNF prefix has too many stacks, or is too long, to tell them).
 */
export function expectations(
  language: Language,
  grammar: Grammar,
  recognizer: Recognizer,
  state: number,
  prefix: string | undefined,
): readonly Expectation[] {
  if (prefix !== undefined && language === 'gbnf') {
    const traced = trace(grammar, prefix);
    if (traced !== undefined) return traced;
  }
  const ranges = nextCharacters(recognizer, state);
  if (ranges.length === 0) return [];
  if (prefix === undefined || language !== 'json-schema') return [{ ranges, rules: [] }];
  const { inner, outer, inString } = jsonPath(prefix);
  // What ends a value belongs to what holds it.
  const ends: Ranges = inString
    ? []
    : normalize([0x2c, 0x2c, 0x5d, 0x5d, 0x7d, 0x7d]).filter((cp) => contains(ranges, cp));
  const parts = [
    { ranges: subtract(ranges, ends), rules: inner },
    { ranges: ends, rules: outer },
  ];
  return parts.filter((part) => part.ranges.length > 0);
}

function trace(grammar: Grammar, prefix: string): Expectation[] | undefined {
  try {
    const tracer = new Tracer(grammar);
    for (const c of prefix) if (!tracer.step(c.codePointAt(0) as number)) return undefined;
    return tracer.expected();
  } catch (error) {
    // Too many stacks to explain; the bytes say less, but something.
    if (error instanceof LimitError) return undefined;
    throw error;
  }
}

/** Code points that may come next, exactly: UTF-8 sequences that the state takes, shared by the states between their bytes. */
function nextCharacters(recognizer: Recognizer, state: number): Ranges {
  const known = new Map<string, Ranges>();
  /** Values of `left` continuation bytes. */
  const rest = (from: number, left: number): Ranges => {
    if (left === 0) return [0, 0];
    const key = `${from},${left}`;
    let pairs = known.get(key);
    if (pairs === undefined) {
      const found: number[] = [];
      for (let b = 0; b < 64; b++) {
        const next = recognizer.step(from, 0x80 + b);
        if (next !== DEAD) for (const v of rest(next, left - 1)) found.push((b << (6 * (left - 1))) + v);
      }
      pairs = normalize(found);
      known.set(key, pairs);
    }
    return pairs;
  };
  const all: number[] = [];
  for (let b = 0; b < 0xf5; b++) {
    if (b >= 0x80 && b < 0xc2) continue;
    const next = recognizer.step(state, b);
    if (next === DEAD) continue;
    const left = b < 0x80 ? 0 : b < 0xe0 ? 1 : b < 0xf0 ? 2 : 3;
    const bits = left === 0 ? b : b & (0x3f >> left);
    for (const v of rest(next, left)) all.push(bits * 64 ** left + v);
  }
  return normalize(all);
}

interface JsonPlace {
  /** From '$' to the value that is being written. */
  readonly inner: readonly string[];
  /** From '$' to the object or array that it stands in. */
  readonly outer: readonly string[];
  readonly inString: boolean;
}

/** Where a prefix of a JSON text ends. */
function jsonPath(prefix: string): JsonPlace {
  const path = ['$'];
  /** One per open object and array: whether it is an array, and the index or (in an object, once read) the name. */
  const open: { readonly array: boolean; at: number; name: string | undefined }[] = [];
  let string = -1;
  let last = '';
  for (let i = 0; i < prefix.length; i++) {
    const c = prefix.charAt(i);
    if (string >= 0) {
      if (c === '\\') i++;
      else if (c === '"') {
        last = prefix.slice(string, i + 1);
        string = -1;
      }
      continue;
    }
    const top = open[open.length - 1];
    if (c === '"') string = i;
    else if (c === '{' || c === '[') open.push({ array: c === '[', at: 0, name: undefined });
    else if (c === '}' || c === ']') open.pop();
    else if (c === ',' && top !== undefined) {
      top.at++;
      top.name = undefined;
    } else if (c === ':' && top !== undefined) top.name = decoded(last);
  }
  open.forEach(({ array, at, name }) => {
    path.push(array ? `[${at}]` : (name ?? '(name)'));
  });
  return { inner: path, outer: open.length === 0 ? path : path.slice(0, -1), inString: string >= 0 };
}

function decoded(name: string): string {
  try {
    return String(JSON.parse(name));
  } catch {
    return name;
  }
}
