/** Runs `generate`: the value on standard output as it comes, everything else on standard error. */
import { TokenloomError } from '../base/errors.js';
import { type Constraint, constraintGrammar } from '../grammar/constraint/index.js';
import { createEngine, type Engine, type EngineOptions, type GenerateOptions, type Result } from '../index.js';
import { CliError, EXIT, type ExitCode } from './exit.js';
import { type ConstraintFlags, readConstraint, readMessages, readPrompt, readTools } from './generate-input.js';
import { Progress } from './generate-progress.js';
import { TraceWriter } from './generate-trace.js';

export interface GenerateFlags extends ConstraintFlags {
  readonly prompt?: string;
  readonly messages?: string;
  readonly system?: string;
  readonly tools?: string;
  readonly toolChoice?: string;
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

async function readAsked(
  words: readonly string[],
  flags: GenerateFlags,
): Promise<Pick<GenerateOptions, 'prompt' | 'messages'>> {
  if (flags.messages === undefined) return { prompt: await readPrompt(words, flags.prompt) };
  if (flags.prompt !== undefined || words.length > 0) throw new CliError('give --messages or a prompt, not both');
  return { messages: await readMessages(flags.messages) };
}

/** Returns the exit code; throws typed errors. */
export async function generate(words: readonly string[], flags: GenerateFlags): Promise<ExitCode> {
  if (flags.reasoningBudget !== undefined && flags.reasoningEnd === undefined)
    throw new CliError('--reasoning-budget needs --reasoning-end');
  const constraint = await readConstraint(flags);
  const tools = flags.tools === undefined ? undefined : await readTools(flags.tools);
  const asked = await readAsked(words, flags);
  if (constraint !== undefined) check(constraint, flags);
  const trace = flags.trace === undefined ? undefined : await TraceWriter.open(flags.trace);
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
      // One request, and nobody waits for this thread: it starts sooner without another.
      worker: false,
    });
    for (const warning of engine.info.warnings) progress.warn(warning);
    return await run(engine, constraint, asked, tools, flags, progress, trace, abort.signal);
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

/** What is wrong with a grammar or schema is said before a model is loaded (or downloaded), with the file's name. */
function check(constraint: Constraint, flags: GenerateFlags): void {
  try {
    constraintGrammar(constraint);
  } catch (error) {
    const file = flags.grammar ?? flags.schema;
    if (file === undefined || file === '-' || !(error instanceof TokenloomError)) throw error;
    throw new CliError(`${file}: ${error.message}`);
  }
}

function isChoice(word: string): word is 'required' | 'auto' | 'none' {
  return word === 'required' || word === 'auto' || word === 'none';
}

async function run(
  engine: Engine,
  constraint: unknown,
  asked: Pick<GenerateOptions, 'prompt' | 'messages'>,
  tools: readonly { name: string; parameters: unknown }[] | undefined,
  flags: GenerateFlags,
  progress: Progress,
  trace: TraceWriter | undefined,
  signal: AbortSignal,
): Promise<ExitCode> {
  const options: GenerateOptions = {
    ...asked,
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
  const live = flags.json !== true && flags.n === 1 && (flags.bestOf ?? 1) === 1;
  const { toolChoice: choice } = flags;
  const stream = engine.stream(constraint ?? null, {
    ...options,
    ...(tools === undefined ? {} : { tools }),
    ...(choice === undefined ? {} : { toolChoice: isChoice(choice) ? choice : { name: choice } }),
  });
  let wrote = false;
  let failed = true;
  try {
    for await (const event of stream) {
      if (event.type === 'token') {
        trace?.write(event);
        progress.token(event.forced, event.maskMs);
      } else if (event.type === 'text' && live) {
        progress.makeRoom();
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
  progress.clear();
  if (live) await write('\n');
  else if (flags.json === true) await write(`${JSON.stringify(printable(result))}\n`);
  else for (const choice of result.choices ?? [result]) await write(`${choice.text}\n`);
  await trace?.close();
  for (const warning of result.warnings) progress.warn(warning);
  progress.summary(result, flags.maxTokens !== undefined);
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
