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
 *   --slice K/N       every N-th case from the K-th; --parts DIR  writes what was found there
 *   --join DIR        measures nothing: joins the parts of a folder into one record
 *   --json FILE, --list FILE (ids of schemas that compile)
 *
 * Times are microseconds on one thread; a token is fillMask + accept, a compile goes to the first mask. A run on an own vocabulary
 * warms the JIT up before anything is timed.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { namesOf, readArguments } from '../arguments.js';
import { maskCases } from './cases.js';
import { runHardCases } from './hard.js';
import { leastOfRuns, type OursOptions, runOurs, worstOfThree } from './ours.js';
import { joinParts, type Part, packed, sliceOf } from './part.js';
import { comparePeers } from './peers.js';
import { printPart, recordOf } from './report.js';
import { loadVocabulary, VOCABULARIES, type VocabularyName } from './vocabulary.js';

const values = readArguments(import.meta.url, {
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
  slice: { type: 'string', default: '1/1' },
  parts: { type: 'string' },
  join: { type: 'string' },
  json: { type: 'string' },
  list: { type: 'string' },
});

const vocabularies = namesOf('vocab', values.vocab, VOCABULARIES);
const texts = namesOf('text', values.text, ['compact', 'spaced']);

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;
/** Megabytes that live objects hold, buffers included, and resident ones. */
function memory(): { live: number; rss: number } {
  gc();
  const m = process.memoryUsage();
  return { live: (m.heapUsed + m.external) / 2 ** 20, rss: m.rss / 2 ** 20 };
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
const slice = sliceNumbers(values.slice);
const parts: Part[] = [];

console.log(
  `machine: ${machine.cpu} x ${machine.cores}, node ${machine.node}; propertyOrder '${options.propertyOrder}', whitespace 'flexible'`,
);
if (values.join !== undefined) parts.push(...joinedParts(values.join));
else if (!existsSync(dir)) console.log(`MaskBench skipped: ${values.data} is not there (give --data DIR)`);
else if (values.sources !== 'none')
  for (const name of vocabularies) for (const text of texts) parts.push(await run(name, text));

function sliceNumbers(given: string): readonly [number, number] {
  const [k = 1, n = 1] = given.split('/').map(Number);
  if (!(Number.isInteger(k) && Number.isInteger(n) && k >= 1 && k <= n)) throw new Error(`--slice ${given}: give K/N`);
  return [k, n];
}

async function run(name: VocabularyName, text: 'compact' | 'spaced'): Promise<Part> {
  const warm = loadVocabulary(name);
  runOurs(maskCases(dir, { ...select, limit: Math.min(select.limit, 12) }, warm, text), warm.vocabulary, options);
  const loaded = loadVocabulary(name);
  const cases = sliceOf(maskCases(dir, select, loaded, text), slice);
  const before = memory();
  const cpu = process.cpuUsage();
  const wall = performance.now();
  let result = runOurs(cases, loaded.vocabulary, options);
  const used = process.cpuUsage(cpu);
  const coreShare = (used.user + used.system) / 1000 / (performance.now() - wall);
  const after = memory();
  for (let k = 1; k < Number(values.replays); k++)
    result = leastOfRuns(result, runOurs(cases, loadVocabulary(name).vocabulary, options));
  const part: Part = {
    vocabulary: name,
    text,
    slices: [slice],
    setupMs: loaded.setupMs,
    coreShare,
    replays: Number(values.replays),
    schemas: result.schemas,
    mask: packed(result.mask),
    compile: packed(result.compile),
    worst: worstOfThree(cases, result, () => loadVocabulary(name).vocabulary, options, 12),
    memoryMb: { live: after.live - before.live, rss: after.rss - before.rss },
    peers:
      values.peers === ''
        ? []
        : await comparePeers(values.peers.split(','), cases, loaded, result, Number(values['peer-seconds'])),
  };
  printPart(part);
  if (values.parts !== undefined) {
    mkdirSync(values.parts, { recursive: true });
    const file = `${name}-${text}-${slice[0]}-of-${slice[1]}.part.json`;
    writeFileSync(join(values.parts, file), JSON.stringify({ machine, options, part }));
  }
  return part;
}

/** The parts in a folder, joined by row, printed. */
function joinedParts(folder: string): Part[] {
  const rows = new Map<string, Part[]>();
  for (const file of readdirSync(folder).filter((f) => f.endsWith('.part.json'))) {
    const { part } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { part: Part };
    const key = `${part.vocabulary}, ${part.text}`;
    rows.set(key, [...(rows.get(key) ?? []), part]);
  }
  return [...rows.keys()].sort().map((key) => {
    const joined = joinParts(rows.get(key) ?? []);
    printPart(joined);
    return joined;
  });
}

const hard = values.hard ? await runHardCases(vocabularies) : undefined;

for (const [file, data] of [
  [values.json, { machine, options, runs: parts.map(recordOf), hard }],
  [values.list, listOf(parts[0])],
] as const) {
  if (file === undefined || data === undefined) continue;
  mkdirSync(dirname(resolve(file)), { recursive: true });
  writeFileSync(file, `${JSON.stringify(data, null, 1)}\n`);
}
if (parts.some((p) => p.schemas.some((s) => s.wrong.length > 0))) process.exitCode = 1;

/** Ids of the schemas that compile, by source. */
function listOf(part: Part | undefined): Record<string, string[]> | undefined {
  if (part === undefined) return undefined;
  const out: Record<string, string[]> = {};
  for (const s of part.schemas) {
    out[s.source] ??= [];
    if (s.refused === undefined) out[s.source]?.push(s.id);
  }
  for (const ids of Object.values(out)) ids.sort();
  return out;
}
