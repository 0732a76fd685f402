/** The `gbnf` commands but `gbnf generate` (which needs a model). */
import type { Command } from 'commander';
import { addCheckCommand } from './check.js';
import { addConvertCommand } from './convert.js';
import { addGraphCommand } from './graph.js';
import type { Finish } from './input.js';
import { addMatchCommand } from './match.js';
import { addNextCommand } from './next.js';
import { addSampleCommand } from './sample.js';

/** Adds check, match, convert, sample, next and graph. */
export function addGbnfCommands(parent: Command, finish: Finish): void {
  addCheckCommand(parent, finish);
  addMatchCommand(parent, finish);
  addConvertCommand(parent, finish);
  addSampleCommand(parent, finish);
  addNextCommand(parent, finish);
  addGraphCommand(parent, finish);
}
