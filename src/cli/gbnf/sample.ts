/** `tokenloom gbnf sample`: random texts of a grammar. */
import type { Command } from 'commander';
import { spellTokens } from '../../grammar/gbnf/trace.js';
import { Sampler } from '../../grammar/sample.js';
import { EXIT } from '../exit.js';
import { addInputOptions, countOption, type Finish, type InputFlags, readGrammar } from './input.js';

interface Flags extends InputFlags {
  readonly n: number;
  readonly seed: number;
  readonly maxLength: number;
  readonly shortest?: boolean;
  readonly json?: boolean;
}

export function addSampleCommand(parent: Command, finish: Finish): void {
  addInputOptions(parent.command('sample'))
    .description('print random texts of a grammar')
    .argument('<grammar>', "GBNF file, JSON Schema (*.json), or a pattern with --from regex; '-' reads standard input")
    .option('-n <count>', 'how many', countOption, 10)
    .option('--seed <number>', 'same seed, same texts', countOption, 1)
    .option('--max-length <characters>', 'most characters, where the grammar has texts that short', countOption, 200)
    .option('--shortest', 'only the shortest text')
    .option('--json', 'one JSON string per line')
    .addHelpText(
      'after',
      `
Each text is steered to parts of the grammar that no earlier one used. Texts with line ends are separated by lines of '--'.

Examples:
  $ tokenloom gbnf sample json.gbnf -n 5 --seed 7
  $ tokenloom gbnf sample person.schema.json --shortest
  $ tokenloom gbnf sample list.gbnf --json --max-length 40`,
    )
    .action(async (file: string, flags: Flags) => {
      const { grammar } = await readGrammar(file, flags);
      const sampler = new Sampler(spellTokens(grammar), { seed: flags.seed, maxLength: flags.maxLength });
      const texts =
        flags.shortest === true ? [sampler.shortest()] : Array.from({ length: flags.n }, () => sampler.next());
      const separate = flags.json !== true && texts.length > 1 && texts.some((t) => t.includes('\n'));
      const lines = flags.json === true ? texts.map((t) => JSON.stringify(t)) : texts;
      if (lines.length > 0) process.stdout.write(`${lines.join(separate ? '\n--\n' : '\n')}\n`);
      finish(EXIT.ok);
    });
}
