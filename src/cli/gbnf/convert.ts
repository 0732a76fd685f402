/** `tokenloom gbnf convert`: JSON Schema, regular expressions, zod schemas and GBNF to GBNF or to the IR as JSON. */
import { type Command, Option } from 'commander';
import { formatGbnf } from '../../grammar/gbnf/format.js';
import { fileToGrammar } from '../../grammar/gbnf/index.js';
import type { Grammar } from '../../grammar/ir.js';
import { type Loss, printGrammar } from '../../grammar/print.js';
import type { SchemaDiagnostic, SchemaOptions } from '../../grammar/schema/index.js';
import { EXIT } from '../exit.js';
import { readText, writeText } from '../files.js';
import { addInputOptions, type Finish, type InputFlags, languageOf, named, readFile } from './input.js';
import { readOther } from './other.js';

interface Flags extends InputFlags {
  readonly to: string;
  readonly whitespace: NonNullable<SchemaOptions['whitespace']>;
  readonly propertyOrder?: NonNullable<SchemaOptions['propertyOrder']>;
  readonly unsupported?: NonNullable<SchemaOptions['unsupported']>;
  readonly output?: string;
  readonly report?: string;
  readonly strict?: boolean;
  readonly quiet?: boolean;
}

export function addConvertCommand(parent: Command, finish: Finish): void {
  addInputOptions(parent.command('convert'))
    .description('convert a JSON Schema, regular expression, zod schema or GBNF file; GBNF to GBNF is the formatter')
    .argument('<input>', "file ('-' for standard input); for --from regex the pattern itself; for zod a module")
    .addOption(
      new Option('--to <language>', 'what to make: GBNF that llama.cpp reads, or the IR')
        .choices(['gbnf', 'json'])
        .default('gbnf'),
    )
    .addOption(
      new Option('--whitespace <style>', 'whitespace in JSON')
        .choices(['compact', 'bounded', 'flexible'])
        .default('bounded'),
    )
    .addOption(new Option('--property-order <order>', 'order of properties').choices(['schema', 'any']))
    .addOption(new Option('--unsupported <how>', 'schema parts that cannot be enforced').choices(['error', 'warn']))
    .option('-o, --output <file>', 'write there instead of standard output')
    .option('--report <file>', 'write what was lost as JSON')
    .option('--strict', 'exit code 1 where other values are accepted than before')
    .option('-q, --quiet', 'no report on standard error')
    .addHelpText(
      'after',
      `
What GBNF cannot say goes to standard error: 'values' means that other values
are accepted, 'spelling' that the same values are accepted in other spellings
(escapes). In IR as JSON, null stands for an unbounded count.

Examples:
  $ tokenloom gbnf convert --from json-schema person.schema.json > person.gbnf
  $ tokenloom gbnf convert --from regex '^[a-z]+@[a-z]+\\.com$'
  $ tokenloom gbnf convert --from regex --regex-flags v '^[\\p{L}--[a-z]]+$'
  $ tokenloom gbnf convert --from zod schema.mjs --report losses.json
  $ tokenloom gbnf convert grammar.gbnf -o grammar.gbnf`,
    )
    .action(async (input: string, flags: Flags) => {
      const { text, losses, diagnostics } = await convert(input, flags);
      if (flags.output === undefined) process.stdout.write(text);
      else await writeText(flags.output, text);
      if (flags.report !== undefined)
        await writeText(flags.report, `${JSON.stringify({ losses, diagnostics }, null, 2)}\n`);
      if (flags.quiet !== true) report(losses, diagnostics);
      finish(flags.strict === true && losses.some((l) => l.kind === 'values') ? EXIT.mismatch : EXIT.ok);
    });
}

interface Converted {
  readonly text: string;
  readonly losses: readonly Loss[];
  readonly diagnostics: readonly SchemaDiagnostic[];
}

async function convert(input: string, flags: Flags): Promise<Converted> {
  const language = languageOf(input, flags.from);
  if (language === 'gbnf') {
    const source = await readText(input);
    return named(input, () => {
      const file = readFile(source, flags);
      const text = flags.to === 'gbnf' ? formatGbnf(file) : grammarJson(fileToGrammar(file));
      return { text, losses: [], diagnostics: [] };
    });
  }
  const { grammar, diagnostics } = await readOther(input, language, flags, {
    whitespace: flags.whitespace,
    ...(flags.propertyOrder === undefined ? {} : { propertyOrder: flags.propertyOrder }),
    ...(flags.unsupported === undefined ? {} : { unsupported: flags.unsupported }),
  });
  if (flags.to === 'json') return { text: grammarJson(grammar), losses: [], diagnostics };
  return { ...printGrammar(grammar), diagnostics };
}

function grammarJson(grammar: Grammar): string {
  const { exprs, start, whitespace } = grammar;
  return `${JSON.stringify({ exprs, start, whitespace }, null, 1)}\n`;
}

function report(losses: readonly Loss[], diagnostics: readonly SchemaDiagnostic[]): void {
  for (const d of diagnostics) process.stderr.write(`${d.severity}: #${d.pointer} ${d.keyword}: ${d.message}\n`);
  const groups = new Map<string, { kind: string; rules: string[] }>();
  for (const { rule, what, kind } of losses) {
    const group = groups.get(what) ?? { kind, rules: [] };
    group.rules.push(rule);
    groups.set(what, group);
  }
  for (const [what, { kind, rules }] of groups) {
    const where = rules.length > 4 ? `${rules.slice(0, 3).join(', ')} and ${rules.length - 3} more` : rules.join(', ');
    process.stderr.write(`${kind}: ${what} (${where})\n`);
  }
}
