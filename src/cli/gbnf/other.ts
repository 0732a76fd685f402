/** Grammars that are not GBNF: JSON Schemas, zod schemas in modules, regular expressions. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  type Constraint,
  type ConstraintGrammar,
  constraintGrammar,
  type JsonOptions,
  json,
} from '../../grammar/constraint/index.js';
import { CliError } from '../exit.js';
import { readText } from '../files.js';
import { type InputFlags, type Language, named } from './input.js';

/** @throws CliError where a file or module cannot be read; errors of the front ends */
export async function readOther(
  input: string,
  language: Exclude<Language, 'gbnf'>,
  flags: InputFlags,
  options: JsonOptions,
): Promise<ConstraintGrammar> {
  if (flags.root !== undefined) throw new CliError(`--root is for GBNF, and this is ${language}`);
  if (flags.regexFlags !== undefined && language !== 'regex')
    throw new CliError(`--regex-flags is for --from regex, and this is ${language}`);
  if (language === 'regex') {
    const constraint: Constraint = { kind: 'regex', pattern: input, flags: flags.regexFlags ?? '' };
    return constraintGrammar(constraint);
  }
  const schema = language === 'zod' ? await importSchema(input) : await readText(input);
  return named(input, () => constraintGrammar(json(schema, options)));
}

/** The default export of a module, else an export named `schema`, else its only export that is an object. */
async function importSchema(file: string): Promise<object> {
  let module: Record<string, unknown>;
  try {
    module = (await import(pathToFileURL(path.resolve(file)).href)) as Record<string, unknown>;
  } catch (error) {
    const hint = /\.[cm]?ts$/i.test(file) ? ' (TypeScript: compile it, or run this with a loader)' : '';
    const why = error instanceof Error ? (error.message.split('\n')[0] as string) : String(error);
    throw new CliError(`${file}: cannot be imported: ${why}${hint}`);
  }
  const exported = Object.values(module).filter((value) => typeof value === 'object' && value !== null);
  const schema = module.default ?? module.schema ?? (exported.length === 1 ? exported[0] : undefined);
  if (typeof schema !== 'object' || schema === null)
    throw new CliError(`${file}: expected a default export (or one named schema) that is a zod schema`);
  return schema;
}
