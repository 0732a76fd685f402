/**
 * `npm run conformance`: how much of JSON Schema the engine has, counted.
 *
 *   --data DIR        folder with maskbench/ and json-schema-test-suite/ (default ../shared/data)
 *   --parts LIST      of any, schema, suite, deadends, hostile, mutants, random (default: all)
 *   --sources LIST    MaskBench sources (default: all);  --limit N  schemas per source
 *   --generations N   per schema in deadends (default 3);  --seed N
 *   --mutants N       schemas changed at random (default 3000)
 *   --random N        random schemas of all drafts against ajv (default 3000)
 *   --list FILE       ids of the MaskBench schemas that compile (part any), by source
 *   --json FILE       everything as JSON;  --wrong N  wrong answers to list per part (default 20)
 *   --log DIR         notes each verdict there at once and goes on where the notes end;  --seconds N  stops each part after that long
 *
 * Each part runs in a child process, watched: a schema that takes 20 s is ended and counted as a hang. Long parts are run in slices:
 * `npm run conformance -- --parts deadends --log bench/out/conformance --seconds 500`, again until it says that all is done.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { namesOf, readArguments } from '../arguments.js';
import type { SchemaVerdict } from './maskbench.js';
import { groupBy, type PartResult, printReport } from './report.js';
import { type Job, type Part, type Report, runJob } from './worker.js';

const PARTS: readonly Part[] = ['any', 'schema', 'suite', 'deadends', 'hostile', 'mutants', 'random'];
const HANG_MS = 20_000;

/** One line of the notes of a part. */
type Note =
  | { readonly name: string; readonly verdict: unknown }
  | { readonly name: string; readonly lost: string }
  | { readonly seconds: number };

const readNotes = (file: string): Note[] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Note)
    : [];

/** Runs one part to its end (or for `seconds`), in as many processes as it takes, going on where the notes in `log` end. */
function runPart(job: Omit<Job, 'done' | 'from'>, log: string | undefined, seconds: number): Promise<PartResult> {
  const verdicts: unknown[] = [];
  const lost: { name: string; why: string }[] = [];
  const names: string[] = [];
  const began = performance.now();
  let before = 0;
  for (const note of log === undefined ? [] : readNotes(log)) {
    if ('seconds' in note) before += note.seconds;
    else {
      names.push(note.name);
      if ('lost' in note) lost.push({ name: note.name, why: note.lost });
      else verdicts.push(note.verdict);
    }
  }
  const write = (note: Note): void => {
    if (log !== undefined) appendFileSync(log, `${JSON.stringify(note)}\n`);
  };
  let complete = true;
  return new Promise((done, fail) => {
    const result = (): PartResult => {
      const spent = (performance.now() - began) / 1000;
      write({ seconds: spent });
      return { part: job.part, verdicts, lost, seconds: before + spent, complete };
    };
    let current: ChildProcess | undefined;
    // Ended from outside: what is known so far is still reported.
    process.once('SIGTERM', () => {
      current?.kill('SIGKILL');
      complete = false;
      printReport(result(), 20);
      process.exit(143);
    });
    const start = (from: number): void => {
      const child: ChildProcess = fork(fileURLToPath(import.meta.url), ['--child']);
      current = child;
      let now: { at: number; name: string } | undefined;
      let timer: NodeJS.Timeout | undefined;
      let ended = false;
      let why = 'the process ended';
      child.on('message', (report: Report) => {
        clearTimeout(timer);
        if ('ready' in report) child.send({ ...job, from, done: names } satisfies Job);
        else if ('end' in report) ended = true;
        else if ('begin' in report) {
          now = { at: report.at, name: report.begin };
          timer = setTimeout(() => {
            why = `no answer in ${HANG_MS / 1000} s`;
            child.kill('SIGKILL');
          }, HANG_MS);
        } else {
          if (now !== undefined) write({ name: now.name, verdict: report.verdict });
          now = undefined;
          verdicts.push(report.verdict);
          if (performance.now() - began > seconds * 1000) {
            ended = true;
            complete = false;
            child.kill('SIGKILL');
          }
        }
      });
      child.on('error', fail);
      child.on('exit', () => {
        clearTimeout(timer);
        if (ended) done(result());
        else if (now === undefined) fail(new Error(`conformance: the child of part ${job.part} ended between tasks`));
        else {
          lost.push({ name: now.name, why });
          write({ name: now.name, lost: why });
          start(now.at + 1);
        }
      });
    };
    start(0);
  });
}

async function main(): Promise<void> {
  const values = readArguments(import.meta.url, {
    data: { type: 'string', default: '../shared/data' },
    parts: { type: 'string', default: PARTS.join() },
    sources: { type: 'string', default: '' },
    limit: { type: 'string', default: '1000000' },
    generations: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    mutants: { type: 'string', default: '3000' },
    random: { type: 'string', default: '3000' },
    json: { type: 'string' },
    list: { type: 'string' },
    log: { type: 'string' },
    seconds: { type: 'string', default: 'Infinity' },
    wrong: { type: 'string', default: '20' },
  });
  const data = resolve(values.data);
  const maskbench = join(data, 'maskbench');
  const suite = join(data, 'json-schema-test-suite');
  const results: PartResult[] = [];
  const wanted = namesOf('parts', values.parts, PARTS);
  for (const part of PARTS.filter((p) => wanted.includes(p))) {
    const needs = part === 'hostile' ? undefined : part === 'suite' ? suite : maskbench;
    if (needs !== undefined && !existsSync(needs)) {
      console.log(
        `${part}: skipped, ${values.data} has no ${part === 'suite' ? 'json-schema-test-suite' : 'maskbench'} (give --data DIR)`,
      );
      continue;
    }
    const select = { sources: values.sources === '' ? [] : values.sources.split(','), limit: Number(values.limit) };
    const job = {
      part,
      maskbench,
      suite,
      select,
      seed: Number(values.seed),
      generations: Number(values.generations),
      mutants: Number(values.mutants),
      random: Number(values.random),
    };
    if (values.log !== undefined) mkdirSync(values.log, { recursive: true });
    const log = values.log === undefined ? undefined : join(values.log, `${part}.jsonl`);
    const result = await runPart(job, log, Number(values.seconds));
    results.push(result);
    printReport(result, Number(values.wrong));
  }
  const any = results.find((r) => r.part === 'any');
  if (values.list !== undefined && any !== undefined) {
    const compiled = (any.verdicts as SchemaVerdict[]).filter((v) => v.compile === 'ok');
    const list = [...groupBy(compiled, (v) => v.source)].map(([source, vs]) => [source, vs.map((v) => v.id)]);
    mkdirSync(dirname(resolve(values.list)), { recursive: true });
    writeFileSync(values.list, `${JSON.stringify(Object.fromEntries(list), null, 1)}\n`);
  }
  if (values.json !== undefined) {
    mkdirSync(dirname(resolve(values.json)), { recursive: true });
    writeFileSync(values.json, `${JSON.stringify(results, null, 1)}\n`);
  }
}

if (process.argv[2] === '--child') {
  process.once('message', (job: Job) => runJob(job));
  process.send?.({ ready: true } satisfies Report);
} else await main();
