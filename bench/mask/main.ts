/**
 * `npm run bench:mask`: mask times on MaskBench, correctness as it goes.
 *
 *   --data DIR        MaskBench folder (default ../shared/data/maskbench)
 *   --vocab LIST      cl100k,o200k (default both);  --text LIST  compact,spaced (default both)
 *   --sources LIST, --limit N (schemas per source)
 *   --order any|schema (default any: valid instances of about 270 schemas are out of schema order)
 *   --replays N       runs from cold caches; each position and compile counts with its least time (default 1)
 *   --hard            the hard cases as rows of their own (alone with --sources none)
 *   --peers LIST|all  other engines on the same schemas and tokens, in this run (see bench/peers/README.md)
 *   --peer-seconds N  for each of them (default 240)
 *   --json FILE, --list FILE (ids of schemas that compile)
 *
 * Times are microseconds on one thread; a token is fillMask + accept, a compile goes to the first mask. A run on an own vocabulary
 * warms the JIT up before anything is timed.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { table } from '../conformance/report.js';
import { maskCases } from './cases.js';
import { runHardCases } from './hard.js';
import { leastOfRuns, type OursOptions, runOurs, worstOfThree } from './ours.js';
import { comparePeers } from './peers.js';
import { Samples, SUMMARY_HEAD, type Summary, summaryCells, us } from './stats.js';
import { loadVocabulary, type VocabularyName } from './vocabulary.js';

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: '../shared/data/maskbench' },
    vocab: { type: 'string', default: 'cl100k,o200k' },
    text: { type: 'string', default: 'compact,spaced' },
    sources: { type: 'string', default: '' },
    limit: { type: 'string', default: '1000000' },
    order: { type: 'string', default: 'any' },
    replays: { type: 'string', default: '1' },
    hard: { type: 'boolean', default: false },
    peers: { type: 'string', default: '' },
    'peer-seconds': { type: 'string', default: '240' },
    json: { type: 'string' },
    list: { type: 'string' },
  },
});

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;
/** Megabytes that live objects hold, buffers included, and resident ones. */
function memory(): { live: number; rss: number } {
  gc();
  const m = process.memoryUsage();
  return { live: (m.heapUsed + m.external) / 2 ** 20, rss: m.rss / 2 ** 20 };
}

interface RunRecord {
  readonly vocabulary: string;
  readonly text: string;
  readonly setupMs: number;
  /** CPU time over wall time of the run: well below 1 where the machine was shared. */
  readonly coreShare: number;
  readonly replays: number;
  readonly mask: Record<string, Summary>;
  readonly compile: Record<string, Summary>;
  readonly worstOfThree: readonly unknown[];
  readonly memoryMb: { readonly live: number; readonly rss: number };
  readonly compiled: number;
  readonly refused: number;
  readonly wrong: readonly string[];
  readonly peers: unknown;
}

const machine = {
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  node: process.version,
  v8: process.versions.v8,
  platform: `${process.platform} ${process.arch}`,
};
const options: OursOptions = { propertyOrder: values.order === 'schema' ? 'schema' : 'any', whitespace: 'flexible' };
const dir = resolve(values.data);
const select = { sources: values.sources === '' ? [] : values.sources.split(','), limit: Number(values.limit) };
const runs: RunRecord[] = [];
let list: Record<string, string[]> | undefined;

console.log(
  `machine: ${machine.cpu} x ${machine.cores}, node ${machine.node}; propertyOrder '${options.propertyOrder}', whitespace 'flexible'`,
);
if (!existsSync(dir)) console.log(`MaskBench skipped: ${values.data} is not there (give --data DIR)`);

for (const name of values.vocab.split(',') as VocabularyName[]) {
  for (const text of values.text.split(',') as ('compact' | 'spaced')[]) {
    if (!existsSync(dir) || values.sources === 'none') break;
    const warm = loadVocabulary(name);
    runOurs(maskCases(dir, { ...select, limit: Math.min(select.limit, 12) }, warm, text), warm.vocabulary, options);
    const loaded = loadVocabulary(name);
    const cases = maskCases(dir, select, loaded, text);
    const before = memory();
    const cpu = process.cpuUsage();
    const wall = performance.now();
    let result = runOurs(cases, loaded.vocabulary, options);
    const used = process.cpuUsage(cpu);
    const share = (used.user + used.system) / 1000 / (performance.now() - wall);
    const after = memory();
    for (let k = 1; k < Number(values.replays); k++) {
      result = leastOfRuns(result, runOurs(cases, loadVocabulary(name).vocabulary, options));
    }
    const mask = new Samples();
    const compile = new Samples();
    const rows: string[][] = [
      ['source', ...SUMMARY_HEAD, '', 'schemas', 'refused', 'wrong', 'compile p50', 'p99', 'max'],
    ];
    const record = { mask: {} as Record<string, Summary>, compile: {} as Record<string, Summary> };
    const addRow = (source: string, m: Samples, c: Samples): void => {
      const all = result.schemas.filter((s) => source === 'all' || s.source === source);
      record.mask[source] = m.summary();
      record.compile[source] = c.summary();
      const compiles = c.summary();
      rows.push([
        source,
        ...summaryCells(m.summary()),
        '',
        String(all.length),
        String(all.filter((s) => s.refused !== undefined).length),
        String(all.reduce((n, s) => n + s.wrong.length, 0)),
        ...[compiles.p50, compiles.p99, compiles.max].map(us),
      ]);
    };
    for (const source of new Set(cases.map((c) => c.source))) {
      const m = result.mask.get(source) ?? new Samples();
      const c = result.compile.get(source) ?? new Samples();
      addRow(source, m, c);
      mask.addAll(m);
      compile.addAll(c);
    }
    addRow('all', mask, compile);
    console.log(
      `\n${name}, ${text}: microseconds a token (mask + accept) and a schema (compile to first mask); vocabulary set-up ${loaded.setupMs.toFixed(0)} ms`,
    );
    console.log(table(rows));
    const worst = worstOfThree(cases, result, () => loadVocabulary(name).vocabulary, options, 12);
    for (const w of worst.slice(0, 5))
      console.log(`  worst of three, cold: ${us(w.us)} us  ${w.id} test ${w.test} token ${w.at}`);
    console.log(
      `  memory above the start: ${(after.live - before.live).toFixed(0)} MB live (heap and buffers), ${(after.rss - before.rss).toFixed(0)} MB resident; the process had ${(100 * share).toFixed(0)}% of a core${Number(values.replays) > 1 ? `; least of ${values.replays} cold runs` : ''}`,
    );
    const wrong = result.schemas.flatMap((s) => s.wrong.map((w) => `${s.id}: ${w}`));
    for (const w of wrong.slice(0, 10)) console.log(`  WRONG ${w}`);
    if (wrong.length > 10) console.log(`  … ${wrong.length - 10} more`);
    list ??= Object.fromEntries(
      [...new Set(cases.map((c) => c.source))].map((source) => [
        source,
        result.schemas.filter((s) => s.source === source && s.refused === undefined).map((s) => s.id),
      ]),
    );
    const peers =
      values.peers === ''
        ? undefined
        : await comparePeers(values.peers.split(','), cases, loaded, result, Number(values['peer-seconds']));
    runs.push({
      vocabulary: name,
      text,
      setupMs: loaded.setupMs,
      coreShare: share,
      replays: Number(values.replays),
      ...record,
      worstOfThree: worst,
      memoryMb: { live: after.live - before.live, rss: after.rss - before.rss },
      compiled: result.schemas.filter((s) => s.refused === undefined).length,
      refused: result.schemas.filter((s) => s.refused !== undefined).length,
      wrong,
      peers,
    });
  }
}

const hard = values.hard ? runHardCases(values.vocab.split(',') as VocabularyName[]) : undefined;

for (const [file, data] of [
  [values.json, { machine, options, runs, hard }],
  [values.list, list],
] as const) {
  if (file === undefined || data === undefined) continue;
  mkdirSync(dirname(resolve(file)), { recursive: true });
  writeFileSync(file, `${JSON.stringify(data, null, 1)}\n`);
}
if (runs.some((r) => r.wrong.length > 0)) process.exitCode = 1;
