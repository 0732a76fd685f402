/** `tokenloom gbnf next`: what may follow a prefix, as characters with the rules that allow them, and as tokens. */

import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { decodeUtf8 } from '../../base/utf8.js';
import { compileGrammar, Matcher, Vocabulary } from '../../fsm/index.js';
import { LexemePool } from '../../fsm/lexeme.js';
import { Recognizer } from '../../fsm/recognizer.js';
import { type Expectation, spellTokens } from '../../grammar/gbnf/trace.js';
import type { Grammar } from '../../grammar/ir.js';
import { contains } from '../../grammar/regex/ranges.js';
import { CliError, EXIT } from '../exit.js';
import { readText } from '../files.js';
import { expectations } from './expect.js';
import { addInputOptions, type Finish, type InputFlags, readGrammar, showRanges } from './input.js';
import { TextReader } from './text-reader.js';

interface Flags extends InputFlags {
  readonly tokenizer?: string;
  readonly json?: boolean;
}

/** Groups of tokens that are shown. */
const SHOWN = 40;

export function addNextCommand(parent: Command, finish: Finish): void {
  addInputOptions(parent.command('next'))
    .description('show what may come after a prefix')
    .argument('<grammar>', 'GBNF file, JSON Schema (*.json), or a pattern with --from regex')
    .argument('[prefix]', "text so far; '-' reads standard input", '')
    .option('--tokenizer <file>', 'tokenizer.json, or a folder that holds one: show tokens too')
    .option('--json', 'result as JSON')
    .addHelpText(
      'after',
      `
Each line is what the stack of rules in front of it allows; for a JSON Schema
the stack is the path to the value being written.

Examples:
  $ tokenloom gbnf next json.gbnf '{"a": '
  $ tokenloom gbnf next json.gbnf '[1' --tokenizer models/embedded
  $ tokenloom gbnf next person.schema.json '{"na'
  $ tokenloom gbnf next --from regex '(ab|ac)+d' aba`,
    )
    .action(async (file: string, given: string, flags: Flags) => {
      if (file === '-' && given === '-') throw new CliError('standard input cannot be both grammar and prefix');
      const { grammar, language } = await readGrammar(file, flags);
      const prefix = given === '-' ? await readText('-') : given;
      const spelled = spellTokens(grammar);
      const recognizer = new Recognizer(spelled, new LexemePool());
      const bytes = new TextEncoder().encode(prefix);
      const failure = await new TextReader(recognizer).read([bytes]);
      if (failure !== undefined && !failure.atEnd) {
        const { line, column, byte, offset } = failure;
        process.stdout.write(
          flags.json === true
            ? `${JSON.stringify({ fits: false, line, column, byte, offset })}\n`
            : `the prefix does not fit: it fails at line ${line}, column ${column} (byte ${byte})\n`,
        );
        finish(EXIT.mismatch);
        return;
      }
      const state = recognizer.stepAll(recognizer.start, bytes);
      const complete = recognizer.accepts(state);
      const expected = expectations(language, spelled, recognizer, state, prefix);
      const tokens =
        flags.tokenizer === undefined ? undefined : await allowedTokens(grammar, prefix, flags.tokenizer, expected);
      if (flags.json === true) {
        const characters = expected.map(({ ranges, rules }) => ({ ranges, rules }));
        process.stdout.write(
          `${JSON.stringify({ fits: true, complete, characters, ...(tokens === undefined ? {} : { tokens }) })}\n`,
        );
      } else {
        const lines: string[] = [];
        if (complete) lines.push('the text may end here');
        for (const { ranges, rules } of expected)
          lines.push(`${rules.length === 0 ? '' : `${rules.join(' > ')}:  `}${showRanges(ranges)}`);
        if (expected.length === 0) lines.push('nothing may follow');
        if (tokens !== undefined) lines.push(...showTokens(tokens));
        process.stdout.write(`${lines.join('\n')}\n`);
      }
      finish(EXIT.ok);
    });
}

/** Tokens that begin with the same character. */
interface TokenGroup {
  readonly prefix: string;
  readonly count: number;
  /** Stacks of rules that allow the first character. */
  readonly rules: readonly (readonly string[])[];
  readonly examples: readonly string[];
}
interface Tokens {
  readonly allowed: number;
  readonly of: number;
  readonly forced: string;
  readonly groups: readonly TokenGroup[];
}

async function allowedTokens(
  grammar: Grammar,
  prefix: string,
  given: string,
  expected: readonly Expectation[],
): Promise<Tokens> {
  const vocabulary = await readVocabulary(given);
  const matcher = new Matcher(compileGrammar(grammar), vocabulary);
  matcher.acceptBytes(new TextEncoder().encode(prefix));
  const mask = new Uint32Array(Math.ceil(vocabulary.size / 32));
  matcher.fillMask(mask);
  const byFirst = new Map<string, string[]>();
  let allowed = 0;
  for (let id = 0; id < vocabulary.size; id++) {
    if ((((mask[id >> 5] as number) >>> (id & 31)) & 1) === 0) continue;
    allowed++;
    const { first, text } = spelling(vocabulary.tokenBytes(id), id);
    const list = byFirst.get(first);
    if (list === undefined) byFirst.set(first, [text]);
    else list.push(text);
  }
  const groups = [...byFirst]
    .map(([first, list]) => ({
      prefix: first,
      count: list.length,
      rules: expected.filter(({ ranges }) => contains(ranges, first.codePointAt(0) as number)).map((e) => e.rules),
      examples: list.sort((a, b) => a.length - b.length).slice(0, 6),
    }))
    .sort((a, b) => b.count - a.count);
  return { allowed, of: vocabulary.size, forced: decodeUtf8(matcher.forcedBytes()), groups };
}

async function readVocabulary(given: string): Promise<Vocabulary> {
  const isFolder = (await stat(given)).isDirectory();
  const file = isFolder ? path.join(given, 'tokenizer.json') : given;
  const text = await readText(file);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new CliError(`${file}: not JSON, and a tokenizer.json is needed`);
  }
  return Vocabulary.fromTokenizerJson(parsed);
}

/** A token in words: its text, its bytes where they are no text on their own, its id where it has none (special tokens). */
function spelling(bytes: Uint8Array, id: number): { first: string; text: string } {
  if (bytes.length === 0) return { first: 'special tokens', text: `<[${id}]>` };
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return { first: String.fromCodePoint(text.codePointAt(0) as number), text };
  } catch {
    const hex = [...bytes].map((b) => b.toString(16).toUpperCase().padStart(2, '0')).join(' ');
    return { first: 'parts of characters', text: `<${hex}>` };
  }
}

function showTokens({ allowed, of, forced, groups }: Tokens): string[] {
  const lines = [`tokens: ${allowed} of ${of}${forced === '' ? '' : `; forced: ${JSON.stringify(forced)}`}`];
  for (const { prefix, count, examples, rules } of groups.slice(0, SHOWN)) {
    const more = count > examples.length ? ' …' : '';
    const under = [...new Set(rules.map((stack) => stack[stack.length - 1]))].filter((name) => name !== undefined);
    const where = under.length === 0 ? '' : `   in ${under.slice(0, 4).join(', ')}${under.length > 4 ? ', …' : ''}`;
    lines.push(
      `  ${JSON.stringify(prefix)} ${count}: ${examples.map((e) => JSON.stringify(e)).join(' ')}${more}${where}`,
    );
  }
  if (groups.length > SHOWN) lines.push(`  and ${groups.length - SHOWN} more groups`);
  return lines;
}
