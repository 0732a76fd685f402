#!/usr/bin/env node
/** The command `tokenloom`: one program, commands in one file each. Exit codes: see exit.ts. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addCompletionCommand } from './completion.js';
import { addDevicesCommand } from './devices.js';
import { EXIT, type ExitCode, exitCodeOf, messageOf } from './exit.js';
import { addGbnfGenerateCommand, addGenerateCommand } from './generate.js';

const HELP = `
Exit codes: 0 ok, 1 no match or lint errors, 2 usage or unreadable input,
3 model or network, 4 unconstrained output cut, 130 interrupted.

Examples:
  $ tokenloom generate -s person.schema.json "John Smith, 42, john@example.com"
  $ tokenloom gbnf check grammar.gbnf`;

async function main(argv: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const finish = (given: ExitCode): void => {
    code = given;
  };
  const program = new Command('tokenloom')
    .description('structured output from local language models')
    .version(version(), '-V, --version', 'print the version')
    .showHelpAfterError('(--help shows usage and examples)')
    .configureHelp({ minWidthToWrap: 20 })
    .configureOutput({ outputError: (text, write) => write(withDashHint(text)) })
    .addHelpText('after', HELP);
  addGenerateCommand(program, finish);
  const gbnf = program
    .command('gbnf')
    .description('work with GBNF grammars')
    .addHelpText('after', '\nExample:\n  $ tokenloom gbnf check grammar.gbnf');
  if (argv.some((word) => word === 'gbnf' || word === 'completion')) {
    const { addGbnfCommands } = await import('./gbnf/index.js');
    await addGbnfCommands(gbnf, finish, argv[0] === 'gbnf' ? argv[1] : undefined);
  }
  addGbnfGenerateCommand(gbnf, finish);
  const bench = program
    .command('bench')
    .description('measure reliability and speed with a model')
    .addHelpText('after', '\nExample:\n  $ tokenloom bench reliability');
  if (argv.some((word) => word === 'bench' || word === 'completion')) {
    const { addBenchCommands } = await import('./bench/index.js');
    addBenchCommands(bench, finish);
  }
  addDevicesCommand(program, finish);
  addCompletionCommand(program, finish);
  quietExit(program);
  try {
    await program.parseAsync(argv as string[], { from: 'user' });
  } catch (error) {
    // Commander has written its own message.
    if (!(error instanceof CommanderError)) process.stderr.write(`tokenloom: ${messageOf(error)}\n`);
    return exitCodeOf(error);
  }
  return code;
}

/** A text such as `- item` looks like an option. */
function withDashHint(text: string): string {
  return /^error: unknown option '-[^']*\s/.test(text)
    ? text.replace(/\n?$/, "\n(a text that begins with '-' comes after '--')\n")
    : text;
}

/** Commander throws in place of exiting, in all subcommands, so that there is one way out. */
function quietExit(command: Command): void {
  command.exitOverride();
  for (const sub of command.commands) quietExit(sub as Command);
}

function version(): string {
  const read: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof read === 'object' && read !== null && 'version' in read ? String(read.version) : 'unknown';
}

/** Ends once both streams are written out; a native library's threads must not keep the process. */
function leave(code: ExitCode): void {
  process.exitCode = code;
  const end = (): void => {
    const failed = outputFailure !== undefined && code !== EXIT.usage;
    if (failed) process.stderr.write(`tokenloom: standard output: ${messageOf(outputFailure)}\n`);
    process.stderr.write('', () => process.exit(failed ? EXIT.usage : code));
  };
  // A write that failed is told by an event of its own, a little later.
  process.stdout.write('', () => setImmediate(end));
}

let outputFailure: Error | undefined;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  outputFailure ??= error;
});
// Nobody reads the messages: no reason to fail.
process.stderr.on('error', () => {});
main(process.argv.slice(2)).then(leave, (error: unknown) => {
  process.stderr.write(`tokenloom: ${messageOf(error)}\n`);
  leave(exitCodeOf(error));
});
