/**
 * `npm run bench`: tinybench suites of the parts that run often: parse (JSON, GBNF, patterns), compile, mask and sampler. Seeded inputs;
 * each task's result is checked once before it is timed. `--only NAME` runs one suite, `--json FILE` keeps the figures.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, resolve } from 'node:path';
import { Bench } from 'tinybench';
import { createRandom } from '../../src/base/random.js';
import { choice, compile, gbnf, json, Matcher, regex } from '../../src/core.js';
import { Sampler } from '../../src/decoder/sampler.js';
import { parseGbnf } from '../../src/grammar/gbnf/index.js';
import { parseJson } from '../../src/grammar/json/index.js';
import { parseRegex } from '../../src/grammar/regex/index.js';
import { namesOf, readArguments } from '../arguments.js';
import { table } from '../conformance/report.js';
import { loadVocabulary } from '../mask/vocabulary.js';

const values = readArguments(import.meta.url, { only: { type: 'string', default: '' }, json: { type: 'string' } });

const PERSON = {
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 80 },
    age: { type: 'integer', minimum: 0, maximum: 150 },
    email: { type: 'string', format: 'email' },
    tags: { type: 'array', items: { enum: ['a', 'b', 'c'] }, uniqueItems: true },
    address: {
      type: 'object',
      properties: { street: { type: 'string' }, zip: { type: 'string', pattern: '^\\d{5}$' } },
      required: ['zip'],
    },
  },
  required: ['name', 'age'],
  additionalProperties: false,
};
const VALUE = JSON.stringify({
  name: 'John Smith',
  age: 42,
  email: 'john@example.com',
  tags: ['a', 'c'],
  address: { street: 'Long Road 5', zip: '12345' },
});
const ARITHMETIC =
  'root ::= expr\nexpr ::= term (("+" | "-") term)*\nterm ::= factor (("*" | "/") factor)*\nfactor ::= [0-9]+ | "(" expr ")"\n';

function check(ok: boolean, what: string): void {
  if (!ok) throw new Error(`bench: ${what} is wrong before it is timed`);
}

type Suite = () => Bench;

const suites: Readonly<Record<string, Suite>> = {
  parse: () => {
    const text = JSON.stringify(PERSON);
    check(JSON.stringify(parseJson(text)) === text, 'parseJson');
    return new Bench({ time: 300 })
      .add('JSON schema text, 430 bytes', () => parseJson(text))
      .add('GBNF, 4 rules', () => parseGbnf(ARITHMETIC))
      .add('pattern of an address', () => parseRegex('^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\\.[A-Za-z]{2,}$'))
      .add('pattern with Unicode classes', () => parseRegex('^[\\p{L}\\p{N}_]{1,64}$', { flags: 'u' }));
  },
  compile: () =>
    new Bench({ time: 300 })
      .add('schema of a person', () => compile(json(PERSON)))
      .add(
        'schema of a person, first mask',
        firstMask(() => json(PERSON)),
      )
      .add('GBNF, 4 rules', () => compile(gbnf(ARITHMETIC)))
      .add('regex', () => compile(regex('\\d{4}-\\d{2}-\\d{2}')))
      .add('choice of 100', () => compile(choice(Array.from({ length: 100 }, (_, i) => `answer ${i}`)))),
  mask: () => {
    const loaded = loadVocabulary('cl100k');
    const grammar = compile(json(PERSON, { whitespace: 'flexible' }));
    const mask = new Uint32Array(Math.ceil(loaded.vocabulary.size / 32));
    const tokens = loaded.encode(VALUE);
    const walk = (): Matcher => {
      const m = new Matcher(grammar, loaded.vocabulary);
      for (const t of tokens) {
        m.fillMask(mask);
        check(m.accept(t), 'accept');
      }
      return m;
    };
    const done = walk();
    check(done.isAccepting, 'the value');
    const inside = new Matcher(grammar, loaded.vocabulary);
    inside.acceptBytes(new TextEncoder().encode('{"name":"Jo'));
    const forced = new Matcher(grammar, loaded.vocabulary);
    return new Bench({ time: 300 })
      .add(`a value of ${tokens.length} tokens, mask and accept each`, () => walk())
      .add('mask inside a string', () => inside.fillMask(mask))
      .add('forced tokens at the start', () => forced.forcedTokens())
      .add('fork', () => inside.fork())
      .add(`accept and roll back ${tokens.length} tokens`, () => {
        const m = new Matcher(grammar, loaded.vocabulary);
        for (const t of tokens) m.accept(t);
        m.rollback(tokens.length);
      });
  },
  sampler: () => {
    const size = 100_277;
    const draw = createRandom(3);
    const logits = Float32Array.from({ length: size }, () => draw.float() * 20 - 10);
    const wide = new Uint32Array(Math.ceil(size / 32)).fill(0xffffffff);
    wide[wide.length - 1] = 0x1fffff >>> 0;
    const narrow = new Uint32Array(wide.length);
    for (let i = 0; i < 200; i++) narrow[draw.below(narrow.length - 1)] = 1 << draw.below(31);
    const sampler = new Sampler(size);
    const random = createRandom(4);
    const plain = { temperature: 0.8, topK: 0, topP: 1, minP: 0 };
    const best = sampler.choose(logits, wide, { ...plain, temperature: 0 }, random);
    check(
      logits.every((x) => x <= (logits[best] ?? 0)),
      'greedy',
    );
    const bench = new Bench({ time: 300 });
    for (const [name, mask] of [
      ['100k allowed', wide],
      ['200 allowed', narrow],
    ] as const) {
      bench
        .add(`greedy, ${name}`, () => sampler.choose(logits, mask, { ...plain, temperature: 0 }, random))
        .add(`temperature, ${name}`, () => sampler.choose(logits, mask, plain, random))
        .add(`top-k 40, ${name}`, () => sampler.choose(logits, mask, { ...plain, topK: 40 }, random))
        .add(`top-p 0.9, ${name}`, () => sampler.choose(logits, mask, { ...plain, topP: 0.9 }, random))
        .add(`min-p 0.05, ${name}`, () => sampler.choose(logits, mask, { ...plain, minP: 0.05 }, random));
    }
    return bench;
  },
};

/** Compile to first mask, on a vocabulary that is warm. */
function firstMask(constraint: () => ReturnType<typeof json>): () => void {
  const { vocabulary } = loadVocabulary('cl100k');
  const mask = new Uint32Array(Math.ceil(vocabulary.size / 32));
  return () => {
    new Matcher(compile(constraint()), vocabulary).fillMask(mask);
  };
}

const wanted = values.only === '' ? Object.keys(suites) : namesOf('only', values.only, Object.keys(suites));
console.log(`machine: ${cpus()[0]?.model ?? 'unknown'} x ${cpus().length}, node ${process.version}`);
const figures: { suite: string; task: string; us: Record<string, number> }[] = [];
for (const [suite, make] of Object.entries(suites)) {
  if (!wanted.includes(suite)) continue;
  const bench = make();
  await bench.run();
  const rows: string[][] = [[`${suite} (us)`, 'mean', 'p50', 'p99', 'p99.9', 'runs']];
  for (const task of bench.tasks) {
    const { result } = task;
    if (!('latency' in result)) {
      rows.push([task.name, 'failed']);
      process.exitCode = 1;
      continue;
    }
    const { latency } = result;
    const us = {
      mean: latency.mean * 1000,
      p50: latency.p50 * 1000,
      p99: latency.p99 * 1000,
      p999: latency.p999 * 1000,
    };
    figures.push({ suite, task: task.name, us });
    rows.push([task.name, ...Object.values(us).map((x) => x.toFixed(x < 10 ? 2 : 0)), String(latency.samplesCount)]);
  }
  console.log(`\n${table(rows)}`);
}
if (values.json !== undefined) {
  mkdirSync(dirname(resolve(values.json)), { recursive: true });
  writeFileSync(values.json, `${JSON.stringify({ node: process.version, cpu: cpus()[0]?.model, figures }, null, 1)}\n`);
}
