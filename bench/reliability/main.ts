/**
 * `npm run bench:reliability`: the command `tokenloom bench reliability` from the sources, kept in bench/out/reliability. Arguments are the command's
 * (`npm run bench:reliability -- --help`); the default is the quick mode of 100 requests.
 */
import { Command, CommanderError } from 'commander';
import { addBenchCommands } from '../../src/cli/bench/index.js';
import { EXIT, type ExitCode, exitCodeOf, messageOf } from '../../src/cli/exit.js';

let code: ExitCode = EXIT.ok;
const program = new Command('bench').exitOverride();
addBenchCommands(
  program,
  (given) => {
    code = given;
  },
  'bench/out/reliability',
);
for (const command of program.commands) command.exitOverride();
const args = process.argv.slice(2);
try {
  await program.parseAsync(args[0] === 'replay' ? args : ['reliability', ...args], { from: 'user' });
} catch (error) {
  if (!(error instanceof CommanderError)) process.stderr.write(`bench: ${messageOf(error)}\n`);
  code = exitCodeOf(error);
}
process.exit(code);
