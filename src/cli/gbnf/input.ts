/** What the gbnf commands share: reading grammars, showing characters, numbers from options. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { GrammarError, LimitError, UnsatisfiableError } from '../../base/errors.js';
import type { GbnfFile } from '../../grammar/gbnf/ast.js';
import { fileToGrammar, parseGbnf } from '../../grammar/gbnf/index.js';
import type { Grammar } from '../../grammar/ir.js';
import type { Ranges } from '../../grammar/regex/ranges.js';
import { CliError, type ExitCode } from '../exit.js';
import { readText } from '../files.js';

/** What the caller does with the exit code. */
export type Finish = (code: ExitCode) => void;

export type Language = 'gbnf' | 'json-schema' | 'regex' | 'zod';
const LANGUAGES: readonly Language[] = ['gbnf', 'json-schema', 'regex', 'zod'];

/** Options of all commands that read a grammar. */
export interface InputFlags {
  readonly from?: Language;
  readonly root?: string;
  readonly regexFlags?: string;
}

/** Adds --from, --root and --regex-flags. */
export function addInputOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--from <language>',
        'what the grammar is; by its name: *.json a JSON Schema, *.js a zod schema, else GBNF',
      ).choices(LANGUAGES),
    )
    .option('--root <rule>', "start rule of GBNF ('root' by default)")
    .option('--regex-flags <flags>', 'flags of a regular expression: i, m, s, u, v');
}

/** The language that --from or the file's name says. */
export function languageOf(input: string, from: Language | undefined): Language {
  if (from !== undefined) return from;
  return /\.json$/i.test(input) ? 'json-schema' : /\.[cm]?[jt]s$/i.test(input) ? 'zod' : 'gbnf';
}

/** A grammar for matching and explaining: rules of GBNF are kept. For `--from regex` the input is the pattern itself. */
export async function readGrammar(input: string, flags: InputFlags): Promise<{ grammar: Grammar; language: Language }> {
  const language = languageOf(input, flags.from);
  if (language === 'gbnf') {
    const text = await readText(input);
    const grammar = named(input, () => fileToGrammar(readFile(text, flags), { keepRules: true }));
    return { grammar, language };
  }
  const { readOther } = await import('./other.js');
  const { grammar } = await readOther(input, language, flags, {});
  return { grammar, language: language === 'zod' ? 'json-schema' : language };
}

/** The syntax tree of GBNF text. */
export function readFile(text: string, flags: InputFlags): GbnfFile {
  return parseGbnf(text, flags.root === undefined ? {} : { root: flags.root });
}

/** For what is drawn or checked as GBNF only. @throws CliError that says what to do with a JSON Schema */
export function needsGbnf(file: string): void {
  if (languageOf(file, undefined) !== 'gbnf')
    throw new CliError(
      `${file}: expected GBNF by the file's name; convert it first: tokenloom gbnf convert ${file} -o FILE.gbnf`,
    );
}

/** Puts the file's name in front of messages about its text. */
export function named<R>(file: string, read: () => R): R {
  try {
    return read();
  } catch (error) {
    if (error instanceof GrammarError || error instanceof LimitError || error instanceof UnsatisfiableError)
      throw new CliError(`${file}: ${error.message}`);
    throw error;
  }
}

export function countOption(value: string): number {
  const n = Number(value);
  if (value.trim() === '' || !Number.isSafeInteger(n) || n < 0)
    throw new InvalidArgumentError('expected a whole number from 0 to 2^53 - 1');
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
