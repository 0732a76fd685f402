/** `tokenloom gbnf check`: faults, suspicious rules and portability of GBNF files. */
import { type Command, Option } from 'commander';
import { codeFrame } from '../../base/errors.js';
import { fixGbnf } from '../../grammar/gbnf/fix.js';
import { readGbnf } from '../../grammar/gbnf/index.js';
import { lintGbnf } from '../../grammar/gbnf/lint.js';
import { EXIT, messageOf } from '../exit.js';
import { readText, writeText } from '../files.js';
import { type Finish, needsGbnf } from './input.js';

interface Flags {
  readonly root?: string;
  readonly json?: boolean;
  readonly format: string;
  readonly fix?: boolean;
  readonly strict?: boolean;
  readonly notes: boolean;
}

/** Most findings of a file that are shown as text; --json has them all. */
const MAX_SHOWN = 1_000;

export interface CheckFinding {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  readonly severity: 'error' | 'warning' | 'note';
  readonly rule: string;
  readonly message: string;
  readonly hint?: string;
}

export function addCheckCommand(parent: Command, finish: Finish): void {
  parent
    .command('check')
    .description('find faults, suspicious rules and portability problems in GBNF files')
    .argument('<files...>', "GBNF files; '-' reads standard input")
    .option('--root <rule>', "start rule ('root' by default)")
    .addOption(new Option('--json', 'findings as JSON').conflicts('format'))
    .addOption(
      new Option('--format <format>', 'how to print findings').choices(['text', 'github', 'json']).default('text'),
    )
    .option('--fix', 'repair what is mechanical: notation, names, doubled alternatives, layout')
    .option('--strict', 'warnings count as errors')
    .option('--no-notes', 'leave out notes on portability')
    .addHelpText(
      'after',
      `
Errors (exit code 1): what cannot be read, undefined and doubled rules, an empty
  language.
Warnings: unused, unreachable and unproductive rules, repeats of what may be
  empty, ambiguous alternatives.
Notes: what llama.cpp refuses or reads differently.

Examples:
  $ tokenloom gbnf check grammar.gbnf
  $ tokenloom gbnf check --fix grammars/*.gbnf
  $ tokenloom gbnf check --format github --strict grammars/*.gbnf`,
    )
    .action(async (files: string[], flags: Flags) => {
      const all: CheckFinding[] = [];
      const sources = new Map<string, string>();
      let unreadable = 0;
      for (const file of new Set(files)) {
        try {
          needsGbnf(file);
          let source = await readText(file);
          if (flags.fix === true) source = await fix(file, source, flags);
          for (const finding of findings(file, source, flags)) all.push(finding);
          sources.set(file, source);
        } catch (error) {
          // The other files are checked all the same.
          const message = messageOf(error);
          process.stderr.write(`tokenloom: ${message.startsWith(`${file}: `) ? '' : `${file}: `}${message}\n`);
          unreadable++;
        }
      }
      const shown = flags.notes ? all : all.filter((f) => f.severity !== 'note');
      const format = flags.json === true ? 'json' : flags.format;
      if (format === 'json') process.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
      else if (format === 'github') for (const f of shown) process.stdout.write(github(f));
      else {
        for (const [file, source] of sources) {
          const starts = lineStarts(source);
          const ours = shown.filter((f) => f.file === file);
          process.stdout.write(
            ours
              .slice(0, MAX_SHOWN)
              .map((f) => human(f, source, starts))
              .join(''),
          );
          if (ours.length > MAX_SHOWN) process.stdout.write(`${file}: and ${ours.length - MAX_SHOWN} more findings\n`);
        }
        const count = (severity: string): number => all.filter((f) => f.severity === severity).length;
        const parts = ['error', 'warning', 'note'].map((s) => `${count(s)} ${s}${count(s) === 1 ? '' : 's'}`);
        if (sources.size > 0)
          process.stderr.write(`${sources.size} file${sources.size === 1 ? '' : 's'}: ${parts.join(', ')}\n`);
      }
      const bad = all.some((f) => f.severity === 'error' || (flags.strict === true && f.severity === 'warning'));
      finish(unreadable > 0 ? EXIT.usage : bad ? EXIT.mismatch : EXIT.ok);
    });
}

async function fix(file: string, source: string, flags: Flags): Promise<string> {
  const fixed = fixGbnf(source, flags.root === undefined ? {} : { root: flags.root });
  if (file === '-') {
    if (flags.json !== true) process.stdout.write(fixed);
  } else if (fixed !== source) {
    await writeText(file, fixed);
    process.stderr.write(`${file}: repaired\n`);
  }
  return fixed;
}

function findings(file: string, source: string, flags: Flags): CheckFinding[] {
  const read = readGbnf(source, flags.root === undefined ? {} : { root: flags.root });
  const faults = read.issues.map((i) => ({ severity: 'error' as const, rule: 'syntax', start: i.offset, ...i }));
  const lints = faults.length > 0 ? [] : lintGbnf(read.file);
  const starts = lineStarts(source);
  return [...faults, ...lints].map((f) => {
    const from = placeIn(starts, f.start);
    const to = placeIn(starts, Math.max(f.start, f.end));
    const { severity, rule, message } = f;
    const place = { line: from.line, column: from.column, endLine: to.line, endColumn: to.column };
    const finding = { file, ...place, severity, rule, message };
    return f.hint === undefined ? finding : { ...finding, hint: f.hint };
  });
}

function human(f: CheckFinding, source: string, starts: readonly number[]): string {
  const offset = (starts[f.line - 1] as number) + f.column - 1;
  const place = { line: f.line, column: f.column, offset };
  const end = f.endLine === f.line ? offset + f.endColumn - f.column : offset + 1;
  const hint = f.hint === undefined ? '' : `  hint: ${f.hint}\n`;
  const frame = codeFrame(source, place, end).replace(/^/gm, '  ');
  return `${f.file}:${f.line}:${f.column}: ${f.severity}: ${f.message} [${f.rule}]\n${frame}\n${hint}`;
}

/** Offsets at which lines begin. */
function lineStarts(source: string): number[] {
  const starts = [0];
  for (let nl = source.indexOf('\n'); nl >= 0; nl = source.indexOf('\n', nl + 1)) starts.push(nl + 1);
  return starts;
}

/** Line and column (from 1) of an offset, by binary search. */
function placeIn(starts: readonly number[], offset: number): { line: number; column: number } {
  let lo = 0;
  let hi = starts.length - 1;
  while (lo < hi) {
    const mid = (lo + hi + 1) >> 1;
    if ((starts[mid] as number) <= offset) lo = mid;
    else hi = mid - 1;
  }
  return { line: lo + 1, column: offset - (starts[lo] as number) + 1 };
}

/** Workflow command of GitHub Actions. */
function github(f: CheckFinding): string {
  const data = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
  const kind = f.severity === 'note' ? 'notice' : f.severity;
  const place = `file=${property(f.file)},line=${f.line},endLine=${f.endLine},col=${f.column},endColumn=${f.endColumn}`;
  return `::${kind} ${place},title=${property(f.rule)}::${data(f.hint === undefined ? f.message : `${f.message} (${f.hint})`)}\n`;
}
