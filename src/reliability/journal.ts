/**
 * The file of a run: JSON lines, appended as answers come, so that nothing is lost when a run is interrupted. The first line says what run it is; a
 * request's lines are written together. A last line that was cut off (the machine went down) is dropped on reading, also where it is the first.
 */
import {
  appendFileSync,
  createReadStream,
  existsSync,
  mkdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { OptionError } from '../base/errors.js';
import type { Line, RunLine } from './types.js';

export class Journal {
  private constructor(
    readonly file: string,
    readonly run: RunLine,
    /** Requests whose methods are all written, and those whose speed is. */
    readonly done: ReadonlySet<string>,
    readonly speedDone: ReadonlySet<string>,
  ) {}

  /**
   * Begins a file, or goes on in one that the same run began. @throws OptionError where the file is of another run (other requests, model,
   * or options) and `fresh` is not given
   */
  static open(file: string, run: RunLine, fresh: boolean): Journal {
    if (fresh || !existsSync(file)) {
      mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
      writeFileSync(file, `${JSON.stringify(run)}\n`);
      return new Journal(file, run, new Set(), new Set());
    }
    const bytes = readFileSync(file);
    const end = bytes.lastIndexOf(0x0a) + 1;
    const lines = bytes.toString('utf8', 0, end).split('\n');
    // The machine went down while the very first line was written: nothing is lost.
    if (end === 0 && isStart(bytes.toString('utf8'))) return Journal.open(file, run, true);
    const done = new Set<string>();
    const speedDone = new Set<string>();
    const first = parsed(lines[0] ?? '');
    if (first?.type !== 'run') throw new OptionError('out', "a folder of this suite's runs", `${file}, which is none`);
    for (const [i, text] of lines.entries()) {
      if (text === '') continue;
      const line = parsed(text);
      if (line === undefined) throw new OptionError('out', 'the file of a run', `${file}, line ${i + 1} is not JSON`);
      if (line.type === 'request') done.add(line.request.id);
      if (line.type === 'speed') speedDone.add(line.id);
    }
    const wrong = difference(first, run);
    if (wrong !== undefined)
      throw new OptionError(
        'out',
        'the folder of the same run, or --fresh to begin anew',
        `${file}, of another run (${wrong})`,
      );
    // What follows the last line break was cut off.
    if (end < bytes.length) truncateSync(file, end);
    return new Journal(file, first, done, speedDone);
  }

  append(lines: readonly Line[]): void {
    appendFileSync(this.file, lines.map((l) => `${JSON.stringify(l)}\n`).join(''));
  }
}

function difference(a: RunLine, b: RunLine): string | undefined {
  if (a.set !== b.set) return 'other requests';
  if (a.model.fingerprint !== b.model.fingerprint) return 'another model';
  if (a.version !== b.version) return `version ${a.version}`;
  // The comparison of speed comes last and may be made later, or of more records.
  const plain = (run: RunLine): string => JSON.stringify({ ...run.options, speed: 0 });
  return plain(a) === plain(b) ? undefined : 'other options';
}

/** Whether a text may be the beginning of a first line. */
function isStart(text: string): boolean {
  const start = '{"type":"run"';
  return start.startsWith(text) || text.startsWith(start);
}

function parsed(text: string): Line | undefined {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return undefined;
  }
}

/** The lines of a run's file, one by one: a full run has tens of megabytes. */
export async function* readJournal(file: string): AsyncGenerator<Line> {
  if (!existsSync(file)) throw new OptionError('file', 'the run.jsonl of a run', `${file}, which does not exist`);
  let at = 0;
  for await (const text of createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity })) {
    at++;
    if (text.trim() === '') continue;
    let line: unknown;
    try {
      line = JSON.parse(text);
    } catch {
      // Only the last line can be cut; the answers before it stand.
      return;
    }
    if (typeof line !== 'object' || line === null || !('type' in line))
      throw new OptionError('file', 'the run.jsonl of a run', `${file}, line ${at}: another kind of JSON`);
    yield line as Line;
  }
}
