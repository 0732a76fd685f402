/** The `gbnf` commands but `gbnf generate` (which needs a model). */
import type { Command } from 'commander';
import type { Finish } from './input.js';

type Add = (parent: Command, finish: Finish) => void;

/** The parsers behind a command take longer to load than most of them run: each is loaded on its own. */
const COMMANDS: Readonly<Record<string, () => Promise<Add>>> = {
  check: async () => (await import('./check.js')).addCheckCommand,
  match: async () => (await import('./match.js')).addMatchCommand,
  convert: async () => (await import('./convert.js')).addConvertCommand,
  sample: async () => (await import('./sample.js')).addSampleCommand,
  next: async () => (await import('./next.js')).addNextCommand,
  graph: async () => (await import('./graph.js')).addGraphCommand,
};

/** Adds the commands: the one that `word` names, or all of them (for help, completion and suggestions). */
export async function addGbnfCommands(parent: Command, finish: Finish, word: string | undefined): Promise<void> {
  const one = word !== undefined && Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
  for (const load of one === undefined ? Object.values(COMMANDS) : [one]) (await load())(parent, finish);
}
