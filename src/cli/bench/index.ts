/** `tokenloom bench`: its commands, their options and help. The work is in reliability.ts and replay.ts. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { METHODS } from '../../reliability/types.js';
import { withRuntime } from '../../runtime/load-fault.js';
import type { Finish } from '../generate.js';
import type { ReliabilityFlags } from './reliability.js';
import type { ReplayFlags } from './replay.js';

const QUICK = 100;
const FULL = 10_000;

/** Adds the commands to `bench`. `out`: where a run is kept unless told otherwise. */
export function addBenchCommands(bench: Command, finish: Finish, out = 'tokenloom-reliability'): void {
  const reliability = bench
    .command('reliability')
    .description('send a fixed set of requests through eight methods and write a report')
    .option('-m, --model <source>', "'embedded', 'embedded-moe', a folder, or hf:org/name", 'embedded')
    .option('-r, --requests <file>', 'your own requests, JSONL {schema|grammar|tools, messages|prompt, expected?}')
    .option('-o, --out <folder>', 'where the run and its report are kept; an interrupted run goes on', out)
    .option('--full', `${FULL} requests in place of ${QUICK}`)
    .option('--count <n>', 'this many requests', integer(1))
    .option('--seed <n>', 'seed of the requests and of what is drawn', integer(0), 1)
    .addOption(new Option('--methods <names...>', 'only these methods').choices(METHODS))
    .option('--compared <n>', 'requests that methods 1 to 4 get', integer(0), 1000)
    .option('--maskbench <folder>', 'add the schemas of MaskBench (one JSONL file a source)')
    .option('--maskbench-limit <n>', 'schemas of each source (default: 5, or all with --full)', integer(1))
    .option('--max-tokens <n>', 'usual limit of an answer', integer(1), 256)
    .option(
      '--speed <n>',
      'extraction requests for the comparison of speed (default: 12, or 400 with --full)',
      integer(0),
    )
    .option('--workers <n>', 'processes (default: one a core; one alone for large models)', integer(1))
    .option('--timeout <seconds>', 'after this long without an answer a request is given up', seconds, 120)
    .option('--fresh', 'begin anew where the folder holds a run')
    .option('--report-only', 'write the report of the run that the folder holds');
  reliability.addHelpText(
    'after',
    `
Writes run.jsonl (a line for each request and method), report.html, report.json
and report.md. Ctrl-C stops; the same command goes on.
Exit code 1 where a constrained method failed.

Examples:
  $ tokenloom bench reliability
  $ tokenloom bench reliability --full --maskbench ../shared/data/maskbench
  $ tokenloom bench reliability -m hf:org/name -r mine.jsonl -o mine`,
  );
  reliability.action(async (flags: ReliabilityFlags) => {
    const { reliability: run } = await withRuntime(() => import('./reliability.js'));
    finish(
      await run({
        ...flags,
        count: flags.count ?? (flags.full === true ? FULL : QUICK),
        speed: flags.speed ?? (flags.full === true ? 400 : 12),
        maskbenchLimit: flags.maskbenchLimit ?? (flags.full === true ? Number.MAX_SAFE_INTEGER : 5),
      }),
    );
  });
  bench
    .command('replay')
    .description('one answer of a run again, with what was allowed at each token')
    .argument('<file>', 'run.jsonl of a run')
    .requiredOption('--id <id>', 'the request')
    .addOption(new Option('--method <name>', 'the method (default: the first that failed)').choices(METHODS))
    .option('-m, --model <source>', "another model than the run's")
    .option('--json', 'print JSON lines')
    .addHelpText('after', '\nExample:\n  $ tokenloom bench replay mine/run.jsonl --id own/3 --method fast')
    .action(async (file: string, flags: ReplayFlags) => {
      const { showReplay } = await withRuntime(() => import('./replay.js'));
      finish(await showReplay(file, flags));
    });
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && value <= 86_400))
    throw new InvalidArgumentError('expected a number of seconds over 0');
  return value;
}

function integer(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < least)
      throw new InvalidArgumentError(`expected an integer of at least ${least}`);
    return value;
  };
}
