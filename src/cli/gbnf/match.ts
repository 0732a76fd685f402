/** `tokenloom gbnf match`: whether a text fits a grammar, and if not, where and what was expected there. */
import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { codeFrame, placeOf } from '../../base/errors.js';
import { DEAD } from '../../fsm/layout.js';
import { LexemePool } from '../../fsm/lexeme.js';
import { Recognizer } from '../../fsm/recognizer.js';
import { type Expectation, spellTokens, Tracer } from '../../grammar/gbnf/trace.js';
import type { Grammar } from '../../grammar/ir.js';
import { normalize } from '../../grammar/regex/ranges.js';
import { EXIT } from '../exit.js';
import { readText } from '../generate-input.js';
import { type Finish, readGrammar, showRanges } from './input.js';

interface Flags {
  readonly root?: string;
  readonly text?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export function addMatchCommand(parent: Command, finish: Finish): void {
  parent
    .command('match')
    .description('check whether a text fits a grammar')
    .argument('<grammar>', 'GBNF file, or JSON Schema (*.json)')
    .argument('[text]', "text, the name of a file, or '-' for standard input (the default)")
    .option('--root <rule>', "start rule ('root' by default)")
    .option('-t, --text', 'the argument is text even if there is a file of that name')
    .option('--json', 'result as JSON')
    .option('-q, --quiet', 'only the exit code')
    .addHelpText(
      'after',
      `
Exit code 0 where the text fits, else 1. Token terminals match their own spelling (<think>, <[7]>); !<…> matches one character.

Examples:
  $ tokenloom gbnf match json.gbnf '{"a":1}'
  $ tokenloom gbnf match json.gbnf answer.json
  $ curl -s example.org/data.json | tokenloom gbnf match json.gbnf -`,
    )
    .action(async (file: string, given: string | undefined, flags: Flags) => {
      const { grammar, isGbnf } = await readGrammar(file, flags.root);
      const text = await textOf(given ?? '-', flags);
      const result = matchText(spellTokens(grammar), text, isGbnf);
      if (flags.json === true) process.stdout.write(`${JSON.stringify(result)}\n`);
      else if (flags.quiet !== true) process.stdout.write(`${describe(result, text)}\n`);
      finish(result.matches ? EXIT.ok : EXIT.mismatch);
    });
}

async function textOf(given: string, flags: Flags): Promise<string> {
  if (flags.text === true) return given;
  if (given === '-') return readText('-');
  const isFile = await stat(given).then(
    (s) => s.isFile(),
    () => false,
  );
  return isFile ? readText(given) : given;
}

export interface MatchResult {
  readonly matches: boolean;
  /** Where it fails, for texts that do not match. */
  readonly line?: number;
  readonly column?: number;
  readonly byte?: number;
  readonly offset?: number;
  readonly atEnd?: boolean;
  readonly expected?: readonly { readonly characters: string; readonly rules: readonly string[] }[];
}

/** Matches by the engine's recognizer; explains by the tracer where it can. */
export function matchText(grammar: Grammar, text: string, explain: boolean): MatchResult {
  const recognizer = new Recognizer(grammar, new LexemePool());
  const bytes = new TextEncoder().encode(text);
  let state = recognizer.start;
  let at = 0;
  let whole = state;
  let wholeAt = 0;
  for (; at < bytes.length; at++) {
    // States between characters are kept, so that a failure inside one is told at its first byte.
    if (((bytes[at] as number) & 0xc0) !== 0x80) {
      whole = state;
      wholeAt = at;
    }
    const next = recognizer.step(state, bytes[at] as number);
    if (next === DEAD) break;
    state = next;
  }
  if (at === bytes.length) {
    if (recognizer.accepts(state)) return { matches: true };
    whole = state;
    wholeAt = at;
  }
  const prefix = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, wholeAt));
  const place = placeOf(text, prefix.length);
  const expected = (explain ? traced(grammar, prefix) : undefined) ?? byBytes(recognizer, whole);
  const shown = expected.map(({ ranges, rules }) => ({ characters: showRanges(ranges), rules }));
  return {
    matches: false,
    line: place.line,
    column: place.column,
    byte: wholeAt,
    offset: prefix.length,
    atEnd: wholeAt === bytes.length,
    expected: shown,
  };
}

function traced(grammar: Grammar, prefix: string): Expectation[] | undefined {
  try {
    const tracer = new Tracer(grammar);
    for (const c of prefix) if (!tracer.step(c.codePointAt(0) as number)) return undefined;
    return tracer.expected();
  } catch {
    return undefined; // too many stacks to explain; the bytes below say less, but something
  }
}

/** ASCII characters that may come, and whether others may. */
function byBytes(recognizer: Recognizer, state: number): Expectation[] {
  const pairs: number[] = [];
  let beyond = false;
  for (let b = 0; b < 256; b++) {
    if (recognizer.step(state, b) === DEAD) continue;
    if (b < 0x80) pairs.push(b, b);
    else beyond = true;
  }
  if (beyond) pairs.push(0x80, 0x10ffff);
  return [{ ranges: normalize(pairs), rules: [] }];
}

function describe(result: MatchResult, text: string): string {
  if (result.matches) return 'matches';
  const { line = 1, column = 1, byte = 0, offset = 0, atEnd, expected = [] } = result;
  const what =
    atEnd === true
      ? 'the text ends too early'
      : `unexpected ${JSON.stringify(String.fromCodePoint(text.codePointAt(offset) as number))}`;
  const lines = [`no match at line ${line}, column ${column} (byte ${byte}): ${what}`];
  lines.push(codeFrame(text, { line, column, offset }, offset + 1));
  for (const { characters, rules } of expected.slice(0, 20)) {
    if (characters === '') continue;
    lines.push(`expected ${characters}${rules.length === 0 ? '' : `   in ${rules.slice(-6).join(' > ')}`}`);
  }
  if (expected.every((e) => e.characters === '')) lines.push('expected the end of the text');
  return lines.join('\n');
}
