/** `tokenloom gbnf match`: whether a text fits a grammar, and if not, where and what was expected there. */
import { stat } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { codeFrame } from '../../base/errors.js';
import { LexemePool } from '../../fsm/lexeme.js';
import { Recognizer } from '../../fsm/recognizer.js';
import { spellTokens } from '../../grammar/gbnf/trace.js';
import { CliError, EXIT } from '../exit.js';
import { readChunks } from '../files.js';
import { expectations, MAX_EXPLAINED } from './expect.js';
import { addInputOptions, type Finish, type InputFlags, readGrammar, showCodePoint, showRanges } from './input.js';
import { TextReader } from './text-reader.js';

interface Flags extends InputFlags {
  readonly text?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export function addMatchCommand(parent: Command, finish: Finish): void {
  addInputOptions(parent.command('match'))
    .description('check whether a text fits a grammar')
    .argument('<grammar>', 'GBNF file, JSON Schema (*.json), or a pattern with --from regex')
    .argument('[text]', "text, the name of a file, or '-' for standard input (the default)")
    .option('-t, --text', 'the argument is text even if there is a file of that name')
    .option('--json', 'result as JSON')
    .addOption(new Option('-q, --quiet', 'only the exit code').conflicts('json'))
    .addHelpText(
      'after',
      `
Exit code 0 where the text fits, else 1. Nothing is trimmed: a line end at the
end of a file is part of the text. Token terminals match their own spelling
(<think>, <[7]>); !<…> matches one character. Columns count UTF-16 units from 1,
bytes and offsets from 0.

Examples:
  $ tokenloom gbnf match json.gbnf '{"a":1}'
  $ tokenloom gbnf match json.gbnf answer.json
  $ curl -s example.org/data.json | tokenloom gbnf match json.gbnf -
  $ tokenloom gbnf match --from regex '[a-f]+' cafe`,
    )
    .action(async (file: string, given: string | undefined, flags: Flags) => {
      if (file === '-' && (given ?? '-') === '-') throw new CliError('standard input cannot be both grammar and text');
      const { grammar, language } = await readGrammar(file, flags);
      const spelled = spellTokens(grammar);
      const reader = new TextReader(new Recognizer(spelled, new LexemePool()));
      const failure = await reader.read(await textOf(given ?? '-', flags));
      if (failure === undefined) {
        if (flags.json === true) process.stdout.write('{"matches":true}\n');
        else if (flags.quiet !== true) process.stdout.write('matches\n');
        finish(EXIT.ok);
        return;
      }
      const { line, column, byte, offset, atEnd } = failure;
      const prefix = offset > MAX_EXPLAINED ? undefined : failure.prefix;
      const expected = expectations(language, spelled, reader.recognizer, failure.state, prefix).map((e) => ({
        characters: showRanges(e.ranges),
        rules: e.rules,
      }));
      if (flags.json === true) {
        const answer = { matches: false, line, column, byte, offset, atEnd, expected };
        process.stdout.write(`${JSON.stringify(answer)}\n`);
      } else if (flags.quiet !== true) {
        const what = atEnd
          ? 'the text ends too early'
          : failure.codePoint === undefined
            ? `no UTF-8: ${failure.found}`
            : `unexpected ${showCodePoint(failure.codePoint)}`;
        const lines = [`no match at line ${line}, column ${column} (byte ${byte}): ${what}`];
        lines.push(
          codeFrame(failure.lineText, { line, column: failure.shownColumn, offset: failure.shownColumn - 1 }, 0),
        );
        const shown = expected.filter((e) => e.characters !== '');
        for (const { characters, rules } of shown.slice(0, 20))
          lines.push(`expected ${characters}${rules.length === 0 ? '' : `   in ${rules.slice(-6).join(' > ')}`}`);
        if (shown.length > 20) lines.push(`and ${shown.length - 20} more`);
        if (reader.recognizer.accepts(failure.state))
          lines.push('or the end of the text'.slice(shown.length > 0 ? 0 : 3));
        process.stdout.write(`${lines.join('\n')}\n`);
      }
      finish(EXIT.mismatch);
    });
}

async function textOf(given: string, flags: Flags): Promise<AsyncIterable<Uint8Array> | readonly Uint8Array[]> {
  if (flags.text !== true) {
    if (given === '-') return readChunks('-');
    const isFile = await stat(given).then(
      (s) => !s.isDirectory(),
      () => false,
    );
    if (isFile) return readChunks(given);
  }
  return [new TextEncoder().encode(given)];
}
