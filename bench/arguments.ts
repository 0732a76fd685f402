/**
 * Arguments of the benchmarks. `--help` prints the comment at the top of the file that was started, so that what is listed there is the help; what is
 * not known, or lacks its value, ends in one line and exit code 2 before anything is measured.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type ParseArgsConfig, parseArgs } from 'node:util';

type Options = NonNullable<ParseArgsConfig['options']>;
type Values<T extends Options> = ReturnType<typeof parseArgs<{ readonly options: T }>>['values'];

/** The values of the process's arguments. `url`: of the file that was started. Ends the process where they ask for help or are wrong. */
export function readArguments<T extends Options>(url: string, options: T): Values<T> {
  const args = process.argv.slice(2);
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(`${headOf(readFileSync(fileURLToPath(url), 'utf8'))}\n`);
    process.exit(0);
  }
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    return stop(`${error instanceof Error ? error.message : String(error)}; --help lists what there is`);
  }
}

/** The names of a list 'a,b', all of them among those that there are; ends the process where one is not. */
export function namesOf<N extends string>(option: string, list: string, there: readonly N[]): N[] {
  return list
    .split(',')
    .map((name) => there.find((n) => n === name) ?? stop(`--${option} '${name}': there are ${there.join(', ')}`));
}

/** Ends the process with what is wrong with its arguments. */
export function stop(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

/** The text of a file's first comment. */
export function headOf(source: string): string {
  const comment = /^\/\*\*([\s\S]*?)\*\//m.exec(source)?.[1] ?? '';
  return comment.replace(/^ \* ?/gm, '').trim();
}
