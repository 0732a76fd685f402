/** Reading what `generate` is given: files, standard input, and the constraint that they name. */
import { TokenloomError } from '../base/errors.js';
import { parseJson } from '../base/parse-json.js';
import { type Constraint, choice, gbnf, json, type SchemaOptions } from '../core.js';
import { messagesOf } from '../engine/messages.js';
import { readTools as toolsOf } from '../engine/tools.js';
import type { Message } from '../engine/types.js';
import { constraintGrammar } from '../grammar/constraint/index.js';
import { CliError } from './exit.js';
import { readText } from './files.js';

export interface ConstraintFlags {
  readonly schema?: string;
  readonly grammar?: string;
  readonly root?: string;
  readonly regex?: string;
  readonly regexFlags?: string;
  readonly choice?: readonly string[];
  readonly whitespace?: string;
  readonly propertyOrder?: string;
  readonly unsupported?: string;
}

const SCHEMA_FLAGS = [
  ['whitespace', '--whitespace'],
  ['propertyOrder', '--property-order'],
  ['unsupported', '--unsupported'],
] as const;

/** The constraint of the flags; undefined for unconstrained text. @throws CliError where several are given */
export async function readConstraint(flags: ConstraintFlags): Promise<Constraint | undefined> {
  const given = (['schema', 'grammar', 'regex', 'choice'] as const).filter((k) => flags[k] !== undefined);
  if (given.length > 1) throw new CliError(`give one of ${given.map((k) => `--${k}`).join(', ')}, not ${given.length}`);
  if (flags.regexFlags !== undefined && flags.regex === undefined) throw new CliError('--regex-flags needs --regex');
  if (flags.root !== undefined && flags.grammar === undefined) throw new CliError('--root needs --grammar');
  for (const [flag, name] of SCHEMA_FLAGS)
    if (flags[flag] !== undefined && flags.schema === undefined) throw new CliError(`${name} needs --schema`);
  if (flags.schema !== undefined) {
    const options = {
      ...(flags.whitespace === undefined ? {} : { whitespace: flags.whitespace }),
      ...(flags.propertyOrder === undefined ? {} : { propertyOrder: flags.propertyOrder }),
      ...(flags.unsupported === undefined ? {} : { unsupported: flags.unsupported }),
    } as SchemaOptions;
    return json(await readText(flags.schema), options);
  }
  if (flags.grammar !== undefined && /\.json$/i.test(flags.grammar))
    throw new CliError(`${flags.grammar}: --grammar reads GBNF; give a JSON Schema by --schema`);
  if (flags.grammar !== undefined) return gbnf(await readText(flags.grammar), { root: flags.root });
  if (flags.regex !== undefined) return { kind: 'regex', pattern: flags.regex, flags: flags.regexFlags ?? '' };
  if (flags.choice !== undefined) return choice(flags.choice);
  return undefined;
}

/** The prompt: the arguments joined, `-` for standard input, or standard input where nothing is given and it is not a terminal. */
export async function readPrompt(words: readonly string[], flag: string | undefined): Promise<string> {
  if (flag !== undefined && words.length > 0)
    throw new CliError(`two prompts: --prompt and ${JSON.stringify(words.join(' ').slice(0, 40))}; give one`);
  const text = flag ?? (words.length === 0 ? undefined : words.join(' '));
  if (text === '-' || (text === undefined && process.stdin.isTTY !== true)) {
    const read = (await readText('-')).replace(/\r?\n$/, '');
    if (read === '') throw new CliError('standard input holds no prompt');
    return read;
  }
  if (text === undefined || text === '')
    throw new CliError("a prompt is needed: as the last argument, by -p, or on standard input ('-')");
  return text;
}

/** A conversation from a JSON file: an array of {role, content} as chat APIs have them. @throws CliError */
export async function readMessages(file: string): Promise<readonly Message[]> {
  const messages = (await readArray(file, 'messages {role, content}')) as readonly Message[];
  try {
    messagesOf({ messages });
  } catch (error) {
    if (error instanceof TokenloomError) throw new CliError(`${file}: ${error.message}`);
    throw error;
  }
  return messages;
}

async function readArray(file: string, what: string): Promise<readonly unknown[]> {
  const name = file === '-' ? 'standard input' : file;
  const text = await readText(file);
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw new CliError(`${name}: not JSON: ${error instanceof Error ? error.message : 'unreadable'}`);
  }
  if (!Array.isArray(value)) throw new CliError(`${name}: expected an array of ${what}`);
  return value;
}

/** Tools from a JSON file: an array of {name, description?, parameters}. What is wrong with one is said with its name. */
export async function readTools(file: string): Promise<readonly { name: string; parameters: unknown }[]> {
  const value = await readArray(file, '{name, description?, parameters}');
  if (value.length === 0) throw new CliError(`${file}: holds no tools`);
  for (const { name, parameters } of toolsOf(value)) {
    try {
      constraintGrammar(parameters);
    } catch (error) {
      if (error instanceof TokenloomError) throw new CliError(`${file}: tool '${name}': ${error.message}`);
      throw error;
    }
  }
  return value as readonly { name: string; parameters: unknown }[];
}
