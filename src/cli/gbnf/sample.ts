/** `tokenloom gbnf sample`: random texts of a grammar. */
import { once } from 'node:events';
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
Each text is steered to parts of the grammar that no earlier one used. A line
'--' stands before and after texts that have line ends themselves.

Examples:
  $ tokenloom gbnf sample json.gbnf -n 5 --seed 7
  $ tokenloom gbnf sample person.schema.json --shortest
  $ tokenloom gbnf sample list.gbnf --json --max-length 40`,
    )
    .action(async (file: string, flags: Flags) => {
      const { grammar } = await readGrammar(file, flags);
      const sampler = new Sampler(spellTokens(grammar), { seed: flags.seed, maxLength: flags.maxLength });
      const count = flags.shortest === true ? 1 : flags.n;
      let before = false;
      for (let i = 0; i < count; i++) {
        const text = flags.shortest === true ? sampler.shortest() : sampler.next();
        const shown = flags.json === true ? JSON.stringify(text) : text;
        const lines = text.includes('\n');
        const separator = flags.json !== true && i > 0 && (lines || before) ? '--\n' : '';
        before = lines;
        if (!process.stdout.write(`${separator}${shown}\n`)) await once(process.stdout, 'drain');
      }
      finish(EXIT.ok);
    });
}
