/** `tokenloom gbnf convert`: JSON Schema, regular expressions, zod schemas and GBNF to GBNF or to the IR as JSON. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Command, Option } from 'commander';
import { constraintGrammar, json, regex } from '../../grammar/constraint/index.js';
import { formatGbnf } from '../../grammar/gbnf/format.js';
import { fileToGrammar, parseGbnf } from '../../grammar/gbnf/index.js';
import type { Grammar } from '../../grammar/ir.js';
import { type Loss, printGrammar } from '../../grammar/print.js';
import type { SchemaDiagnostic } from '../../grammar/schema/index.js';
import { CliError, EXIT } from '../exit.js';
import { readText } from '../generate-input.js';
import { type Finish, named } from './input.js';

interface Flags {
  readonly from?: string;
  readonly to: string;
  readonly root?: string;
  readonly whitespace: string;
  readonly propertyOrder?: string;
  readonly unsupported?: string;
  readonly output?: string;
  readonly report?: string;
  readonly strict?: boolean;
  readonly quiet?: boolean;
}

export function addConvertCommand(parent: Command, finish: Finish): void {
  parent
    .command('convert')
    .description('convert a JSON Schema, regular expression, zod schema or GBNF file; GBNF to GBNF is the formatter')
    .argument('<input>', "file ('-' for standard input); for --from regex the pattern itself; for zod a module")
    .addOption(
      new Option('--from <language>', 'what the input is (by its name, else gbnf)').choices([
        'json-schema',
        'regex',
        'gbnf',
        'zod',
      ]),
    )
    .addOption(
      new Option('--to <language>', 'what to make: GBNF that llama.cpp reads, or the IR')
        .choices(['gbnf', 'json'])
        .default('gbnf'),
    )
    .option('--root <rule>', "start rule of a GBNF input ('root' by default)")
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
What GBNF cannot say goes to standard error: 'values' means that other values are accepted, 'spelling' that the same values
are accepted in other spellings (escapes). In IR as JSON, null stands for an unbounded count.

Examples:
  $ tokenloom gbnf convert --from json-schema person.schema.json > person.gbnf
  $ tokenloom gbnf convert --from regex '^[a-z]+@[a-z]+\\.com$'
  $ tokenloom gbnf convert grammar.gbnf -o grammar.gbnf`,
    )
    .action(async (input: string, flags: Flags) => {
      const from =
        flags.from ?? (/\.json$/i.test(input) ? 'json-schema' : /\.[cm]?[jt]s$/i.test(input) ? 'zod' : 'gbnf');
      const { text, losses, diagnostics } = await convert(input, from, flags);
      if (flags.output === undefined) process.stdout.write(text);
      else await writeFile(flags.output, text);
      if (flags.report !== undefined)
        await writeFile(flags.report, `${JSON.stringify({ losses, diagnostics }, null, 2)}\n`);
      if (flags.quiet !== true) report(losses, diagnostics);
      finish(flags.strict === true && losses.some((l) => l.kind === 'values') ? EXIT.mismatch : EXIT.ok);
    });
}

interface Converted {
  readonly text: string;
  readonly losses: readonly Loss[];
  readonly diagnostics: readonly SchemaDiagnostic[];
}

async function convert(input: string, from: string, flags: Flags): Promise<Converted> {
  if (from === 'gbnf') {
    const source = await readText(input);
    return named(input, () => {
      const file = parseGbnf(source, flags.root === undefined ? {} : { root: flags.root });
      const text = flags.to === 'gbnf' ? formatGbnf(file) : grammarJson(fileToGrammar(file));
      return { text, losses: [], diagnostics: [] };
    });
  }
  const options = {
    whitespace: flags.whitespace as 'bounded',
    ...(flags.propertyOrder === undefined ? {} : { propertyOrder: flags.propertyOrder as 'any' }),
    ...(flags.unsupported === undefined ? {} : { unsupported: flags.unsupported as 'warn' }),
  };
  const constraint =
    from === 'regex' ? regex(input) : json(from === 'zod' ? await importSchema(input) : await readText(input), options);
  const { grammar, diagnostics } = constraintGrammar(constraint);
  if (flags.to === 'json') return { text: grammarJson(grammar), losses: [], diagnostics };
  return { ...printGrammar(grammar), diagnostics };
}

/** The default export of a module, else an export named `schema`. */
async function importSchema(file: string): Promise<object> {
  let module: Record<string, unknown>;
  try {
    module = (await import(pathToFileURL(path.resolve(file)).href)) as Record<string, unknown>;
  } catch (error) {
    throw new CliError(`${file}: cannot be imported: ${error instanceof Error ? error.message : String(error)}`);
  }
  const schema = module.default ?? module.schema;
  if (typeof schema !== 'object' || schema === null)
    throw new CliError(`${file}: expected a default export (or one named schema) that is a zod schema`);
  return schema;
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
