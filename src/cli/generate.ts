/** `tokenloom generate` and `tokenloom gbnf generate`: their options and help. The work is in generate-run.ts. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ExitCode } from './exit.js';
import type { GenerateFlags } from './generate-run.js';

/** What the caller does with the exit code. */
export type Finish = (code: ExitCode) => void;

/** Adds `generate` to the program. */
export function addGenerateCommand(program: Command, finish: Finish): void {
  const command = program
    .command('generate')
    .description('generate a value that fits a schema or grammar')
    .argument('[prompt...]', "what to ask; '-' reads standard input")
    .option('-s, --schema <file>', 'JSON Schema that the value fits')
    .option('-g, --grammar <file>', 'GBNF grammar that the text fits')
    .option('--root <rule>', 'start rule of the grammar')
    .option('--regex <pattern>', 'ECMA-262 pattern that the whole text matches')
    .option('--regex-flags <flags>', 'flags of the pattern: i, m, s, u, v')
    .option('--choice <texts...>', 'the text is one of these')
    .option(
      '--tools <file>',
      'JSON array of tools {name, description, parameters}; the value is a call of one (or fits --schema, where given)',
    )
    .option(
      '--tool-choice <choice>',
      "'required', 'auto' (text, and the calls that the model wants behind it), 'none', or the name of a tool",
    )
    .addOption(new Option('--whitespace <style>', 'whitespace in JSON').choices(['compact', 'bounded', 'flexible']))
    .addOption(new Option('--property-order <order>', 'order of properties').choices(['schema', 'any']))
    .addOption(new Option('--unsupported <how>', 'schema parts that cannot be enforced').choices(['error', 'warn']))
    .option('--no-schema-hint', 'do not show the schema to the model');
  addModelOptions(command);
  command.addHelpText(
    'after',
    `
Examples:
  $ tokenloom generate -s person.schema.json "John Smith, 42, john@example.com"
  $ tokenloom generate --choice positive negative -- "I love it"
  $ cat mail.txt | tokenloom generate -s ticket.schema.json --json - | jq .value
  $ tokenloom generate -s s.json -m hf:onnx-community/Qwen3-0.6B-ONNX -p "…"
  $ tokenloom generate -s s.json --messages chat.json
  $ tokenloom generate -s s.json --trace trace.jsonl "…"`,
  );
  command.action(async (words: string[], flags: GenerateFlags) => {
    // Loaded here: ONNX Runtime and the parsers are not worth waiting for where only help is asked.
    const { generate } = await import('./generate-run.js');
    finish(await generate(words, flags));
  });
}

/** Adds `generate` to the `gbnf` commands: the grammar is the first argument. */
export function addGbnfGenerateCommand(parent: Command, finish: Finish): void {
  const command = parent
    .command('generate')
    .description('generate a text of a grammar with a model')
    .argument('<grammar>', 'GBNF file')
    .argument('[prompt...]', "what to ask; '-' reads standard input")
    .option('--root <rule>', 'start rule of the grammar');
  addModelOptions(command);
  command.addHelpText('after', '\nExample:\n  $ tokenloom gbnf generate chess.gbnf -p "Best opening:" --max-tokens 40');
  command.action(async (grammar: string, words: string[], flags: GenerateFlags) => {
    // Loaded here: ONNX Runtime and the parsers are not worth waiting for where only help is asked.
    const { generate } = await import('./generate-run.js');
    finish(await generate(words, { ...flags, grammar }));
  });
}

function addModelOptions(command: Command): void {
  command
    .option('-p, --prompt <text>', "what to ask; '-' reads standard input")
    .option('--messages <file>', "JSON array of chat messages in place of a prompt; '-' reads standard input")
    .option('--system <text>', 'instructions put before the prompt')
    .option('-m, --model <source>', "'embedded', 'embedded-moe', a folder, or hf:org/name", 'embedded')
    .addOption(
      new Option('--device <device>', 'where to run')
        .choices(['auto', 'cpu', 'webgpu', 'cuda', 'directml', 'coreml'])
        .default('auto'),
    )
    .addOption(
      new Option('--dtype <dtype>', 'which weights to take')
        .choices(['auto', 'fp32', 'fp16', 'int8', 'uint8', 'quantized', 'q4', 'q4f16', 'bnb4'])
        .default('auto'),
    )
    .option('--max-tokens <n>', 'most tokens; constrained output is complete within them', integer(1))
    .option('--temperature <t>', '0: greedy', number)
    .option('--top-k <k>', 'sample from the k likeliest', integer(0))
    .option('--top-p <p>', 'sample from the smallest set with this mass', number)
    .option('--min-p <p>', 'drop tokens less likely than this share of the likeliest', number)
    .option('--repetition-penalty <x>', 'over 1: repeat less', number)
    .option('--frequency-penalty <x>', 'per occurrence in the output', number)
    .option('--presence-penalty <x>', 'once per token of the output', number)
    .option('--seed <n>', 'same seed, same output', integer(0))
    .addOption(new Option('--preset <name>', 'sampling preset').choices(['extraction', 'code', 'chat']))
    .option('-n, --n <count>', 'outputs to generate', integer(1), 1)
    .option('--best-of <count>', 'generate this many, keep the likeliest', integer(1))
    .option('--stop <texts...>', 'texts that end unconstrained output')
    .option('--reasoning-end <marker>', 'let the model think up to this marker before the constraint begins')
    .option('--reasoning-budget <n>', 'most tokens of thinking', integer(1))
    .option('--no-speculation', 'do not guess tokens ahead')
    .option('--json', 'print the whole result as JSON')
    .option('-q, --quiet', 'nothing on standard error but errors')
    .option('--trace <file>', 'write a JSON line per token: allowed, chosen, forced, best before and after the mask');
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('expected a number');
  return value;
}

function integer(least: number): (text: string) => number {
  return (text) => {
    const value = number(text);
    if (!Number.isInteger(value) || value < least)
      throw new InvalidArgumentError(`expected an integer of at least ${least}`);
    return value;
  };
}
