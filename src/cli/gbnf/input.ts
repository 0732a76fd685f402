/** What the gbnf commands share: reading grammars, showing characters, numbers from options. */
import { InvalidArgumentError } from 'commander';
import { GrammarError } from '../../base/errors.js';
import { fileToGrammar, parseGbnf } from '../../grammar/gbnf/index.js';
import type { Grammar } from '../../grammar/ir.js';
import type { Ranges } from '../../grammar/regex/ranges.js';
import { schemaToGrammar } from '../../grammar/schema/index.js';
import { CliError, type ExitCode } from '../exit.js';
import { readText } from '../generate-input.js';

/** What the caller does with the exit code. */
export type Finish = (code: ExitCode) => void;

/** A GBNF file (rules kept, for explanations), or a JSON Schema where the name ends in .json. */
export async function readGrammar(
  file: string,
  root: string | undefined,
): Promise<{ grammar: Grammar; isGbnf: boolean }> {
  const text = await readText(file);
  if (/\.json$/i.test(file)) return { grammar: schemaToGrammar(text).grammar, isGbnf: false };
  return {
    grammar: named(file, () => fileToGrammar(parseGbnf(text, root === undefined ? {} : { root }), { keepRules: true })),
    isGbnf: true,
  };
}

/** Puts the file's name in front of messages about its text. */
export function named<R>(file: string, read: () => R): R {
  try {
    return read();
  } catch (error) {
    if (error instanceof GrammarError) throw new CliError(`${file}: ${error.message}`);
    throw error;
  }
}

export function countOption(value: string): number {
  const n = Number(value);
  if (!Number.isInteger(n) || n < 0) throw new InvalidArgumentError('Expected a whole number.');
  return n;
}

const NAMES: Readonly<Record<number, string>> = { 9: 'tab', 10: 'line end', 13: 'carriage return', 32: 'space' };

export function showCodePoint(cp: number): string {
  const name = NAMES[cp];
  if (name !== undefined) return name;
  const c = String.fromCodePoint(cp);
  return cp < 0x20 || cp === 0x7f || /^[\p{C}\p{Z}]$/u.test(c)
    ? `U+${cp.toString(16).toUpperCase().padStart(4, '0')}`
    : `'${c}'`;
}

/** A set of characters in words, shortened. */
export function showRanges(ranges: Ranges, limit = 12): string {
  const parts: string[] = [];
  for (let i = 0; i < ranges.length; i += 2) {
    const lo = ranges[i] as number;
    const hi = ranges[i + 1] as number;
    if (parts.length >= limit) {
      parts.push(`and ${(ranges.length - i) / 2} more ranges`);
      break;
    }
    if (lo === 0 && hi === 0x10ffff) parts.push('any character');
    else if (hi === lo) parts.push(showCodePoint(lo));
    else if (hi === lo + 1) parts.push(showCodePoint(lo), showCodePoint(hi));
    else parts.push(`${showCodePoint(lo)} to ${showCodePoint(hi)}`);
  }
  return parts.join(', ');
}
