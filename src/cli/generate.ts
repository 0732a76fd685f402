/**
 * `tokenloom generate` and `tokenloom gbnf generate`: the value on standard output as it comes, everything else on standard error.
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { createEngine, type Engine, type EngineOptions, type GenerateOptions, type Result } from '../index.js';
import { CliError, EXIT, type ExitCode } from './exit.js';
import { type ConstraintFlags, readConstraint, readPrompt, readTools } from './generate-input.js';
import { Progress } from './generate-progress.js';
import { TraceWriter } from './generate-trace.js';

interface Flags extends ConstraintFlags {
  readonly prompt?: string;
  readonly system?: string;
  readonly tools?: string;
  readonly model: string;
  readonly device: string;
  readonly dtype: string;
  readonly maxTokens?: number;
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly repetitionPenalty?: number;
  readonly frequencyPenalty?: number;
  readonly presencePenalty?: number;
  readonly seed?: number;
  readonly preset?: string;
  readonly n: number;
  readonly bestOf?: number;
  readonly stop?: readonly string[];
  readonly reasoningEnd?: string;
  readonly reasoningBudget?: number;
  readonly schemaHint: boolean;
  readonly speculation: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly trace?: string;
}

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
    .option('--choice <texts...>', 'the text is one of these')
    .option('--tools <file>', 'JSON array of tools {name, description, parameters}; the value is a call of one')
    .addOption(new Option('--whitespace <style>', 'whitespace in JSON').choices(['compact', 'bounded', 'flexible']))
    .addOption(new Option('--property-order <order>', 'order of properties').choices(['schema', 'any']))
    .addOption(new Option('--unsupported <how>', 'schema parts that cannot be enforced').choices(['error', 'warn']))
    .option('--no-schema-hint', 'do not show the schema to the model');
  addModelOptions(command);
  command.addHelpText(
    'after',
    `
Examples:
  $ tokenloom generate --schema person.schema.json "Extract: John Smith, 42, john@example.com"
  $ tokenloom generate --choice positive negative -- "I love it"
  $ cat mail.txt | tokenloom generate --schema ticket.schema.json --json - | jq .value
  $ tokenloom generate --schema s.json --model hf:onnx-community/Qwen3-0.6B-ONNX --trace trace.jsonl "…"`,
  );
  command.action(async (words: string[], flags: Flags) => {
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
  command.action(async (grammar: string, words: string[], flags: Flags) => {
    finish(await generate(words, { ...flags, grammar }));
  });
}

function addModelOptions(command: Command): void {
  command
    .option('-p, --prompt <text>', "what to ask; '-' reads standard input")
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

async function generate(words: readonly string[], flags: Flags): Promise<ExitCode> {
  const constraint = await readConstraint(flags);
  const tools = flags.tools === undefined ? undefined : await readTools(flags.tools);
  const prompt = await readPrompt(words, flags.prompt);
  const progress = new Progress(flags.quiet === true, process.stdout.isTTY === true && flags.json !== true);
  const abort = new AbortController();
  const onInterrupt = (): void => {
    // A second Ctrl-C does not wait for the step that runs.
    if (abort.signal.aborted) {
      progress.clear();
      process.exit(EXIT.interrupted);
    }
    abort.abort();
  };
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onInterrupt);
  let engine: Engine | undefined;
  try {
    engine = await createEngine({
      model: flags.model,
      device: flags.device as NonNullable<EngineOptions['device']>,
      dtype: flags.dtype as NonNullable<EngineOptions['dtype']>,
      onProgress: (event) => progress.load(event),
      signal: abort.signal,
    });
    for (const warning of engine.info.warnings) progress.warn(warning);
    return await run(engine, constraint, prompt, tools, flags, progress, abort.signal);
  } catch (error) {
    if (abort.signal.aborted) return EXIT.interrupted;
    throw error;
  } finally {
    progress.clear();
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onInterrupt);
    await engine?.close();
  }
}

async function run(
  engine: Engine,
  constraint: unknown,
  prompt: string,
  tools: readonly { name: string; parameters: unknown }[] | undefined,
  flags: Flags,
  progress: Progress,
  signal: AbortSignal,
): Promise<ExitCode> {
  const options: GenerateOptions = {
    prompt,
    system: flags.system,
    maxTokens: flags.maxTokens,
    temperature: flags.temperature,
    topK: flags.topK,
    topP: flags.topP,
    minP: flags.minP,
    repetitionPenalty: flags.repetitionPenalty,
    frequencyPenalty: flags.frequencyPenalty,
    presencePenalty: flags.presencePenalty,
    seed: flags.seed,
    preset: flags.preset as GenerateOptions['preset'],
    n: flags.n,
    bestOf: flags.bestOf,
    stop: flags.stop,
    reasoning:
      flags.reasoningEnd === undefined ? undefined : { end: flags.reasoningEnd, budget: flags.reasoningBudget },
    showSchema: flags.schemaHint,
    speculation: flags.speculation,
    trace: flags.trace !== undefined,
    signal,
  };
  const trace = flags.trace === undefined ? undefined : new TraceWriter(flags.trace);
  const live = flags.json !== true && flags.n === 1 && (flags.bestOf ?? 1) === 1;
  const stream = engine.stream(constraint ?? null, { ...options, ...(tools === undefined ? {} : { tools }) });
  let wrote = false;
  let failed = true;
  try {
    for await (const event of stream) {
      if (event.type === 'token') {
        trace?.write(event);
        progress.token(event.forced);
      } else if (event.type === 'text' && live) {
        progress.clear();
        await write(event.text);
        wrote = true;
      }
    }
    failed = false;
  } finally {
    // What has been written stays on a line of its own, and the error on the next.
    if (failed && wrote) await write('\n');
    if (failed) await trace?.close().catch(() => {});
  }
  const result: Result<unknown> = await stream.result;
  await trace?.close();
  progress.clear();
  if (live) await write('\n');
  else if (flags.json === true) await write(`${JSON.stringify(printable(result))}\n`);
  else for (const choice of result.choices ?? [result]) await write(`${choice.text}\n`);
  for (const warning of result.warnings) progress.warn(warning);
  progress.summary(result);
  if (result.finishReason === 'abort') return EXIT.interrupted;
  return result.finishReason === 'length' ? EXIT.cut : EXIT.ok;
}

/** The result for `--json`; token lists belong to `--trace`. */
function printable(result: Result<unknown>): unknown {
  const { tokens: _tokens, choices, ...rest } = result;
  return choices === undefined ? rest : { ...rest, choices: choices.map(({ tokens: _own, ...choice }) => choice) };
}

/** Waits where the reader is slow, so that a long output is never held in memory. */
function write(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (error === null || error === undefined) resolve();
      else if ('code' in error && error.code === 'EPIPE') process.exit(EXIT.ok);
      else reject(new CliError(`standard output: ${error.message}`));
    });
  });
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
