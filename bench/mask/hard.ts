/**
 * The hard cases as rows of their own: what makes engines slow or makes them fall over. Each row compiles one constraint, then feeds
 * one long text, token by token; `last/first` is the median of the last tenth over that of the first (1.0 is flat).
 */
import { Worker } from 'node:worker_threads';
import { type Constraint, choice, compile, gbnf, json, Matcher, regex } from '../../src/core.js';
import { table } from '../conformance/report.js';
import { Samples, Stopwatch, type Summary, us } from './stats.js';
import { type LoadedVocabulary, loadVocabulary, type VocabularyName } from './vocabulary.js';

interface HardCase {
  readonly name: string;
  readonly constraint: () => Constraint;
  readonly text: () => string;
}

const str = { type: 'string' } as const;
const words = (n: number): string =>
  Array.from({ length: n }, (_, i) => ['lorem', 'ipsum', 'dolor', 'sit', 'amet'][i % 5]).join(' ');
const flexible = { whitespace: 'flexible', propertyOrder: 'any' } as const;

const C_GRAMMAR = String.raw`
root ::= ws declaration*
declaration ::= type ident "(" ws (parameter ("," ws parameter)*)? ")" ws block
parameter ::= type ident
type ::= ("int" | "float" | "char" | "void" | "double" | "long") ws ("*" ws)*
block ::= "{" ws statement* "}" ws
statement ::= type ident "=" ws expression ";" ws | ident "=" ws expression ";" ws | ident "(" ws arguments? ")" ws ";" ws | "return" ws expression ";" ws | "while" ws "(" ws condition ")" ws block | "for" ws "(" ws statement condition ";" ws ident "=" ws expression ")" ws block | "if" ws "(" ws condition ")" ws block ("else" ws block)? | comment
condition ::= expression ("==" | "!=" | "<=" | "<" | ">=" | ">") ws expression
expression ::= term (("+" | "-") ws term)*
term ::= factor (("*" | "/") ws factor)*
factor ::= ident | number | unary | "(" ws expression ")" ws | ident "(" ws arguments? ")" ws | string
unary ::= "-" ws factor
arguments ::= expression ("," ws expression)*
ident ::= [a-zA-Z_] [a-zA-Z_0-9]* ws
number ::= [0-9]+ ("." [0-9]+)? ws
string ::= "\"" ([^"\\\n] | "\\" ["\\nt])* "\"" ws
comment ::= "//" [^\n]* "\n" ws
ws ::= ([ \t\n]+)?
`;

const CHESS_GRAMMAR = String.raw`
root ::= ("1. " move " " move "\n") ([1-9] [0-9]? ". " move " " move "\n")+
move ::= (pawn | nonpawn | castle) [+#]?
nonpawn ::= [NBKQR] [a-h]? [1-8]? "x"? [a-h] [1-8]
pawn ::= ([a-h] "x")? [a-h] [1-8] ("=" [NBKQR])?
castle ::= "O-O" "-O"?
`;

const tool = (i: number): unknown => ({
  type: 'object',
  properties: {
    name: { const: `tool_${i}` },
    arguments: {
      type: 'object',
      properties: { [`query_${i}`]: str, limit: { type: 'integer' } },
      required: [`query_${i}`],
      additionalProperties: false,
    },
  },
  required: ['name', 'arguments'],
  additionalProperties: false,
});

/** A schema of about 900 kB: 3,000 definitions that refer to each other. */
function large(): object {
  const $defs: Record<string, unknown> = {};
  for (let i = 0; i < 3000; i++) {
    $defs[`definition_${i}`] = {
      type: 'object',
      description: 'x'.repeat(120),
      properties: {
        id: { type: 'integer' },
        [`name_${i}`]: { type: 'string', maxLength: 100 },
        next: { $ref: `#/$defs/definition_${(i * 7 + 1) % 3000}` },
      },
      required: ['id'],
    };
  }
  return { $ref: '#/$defs/definition_0', $defs };
}

const HARD: readonly HardCase[] = [
  { name: '1 MB inside one string', constraint: () => json(str, flexible), text: () => JSON.stringify(words(180_000)) },
  {
    name: '1 MB of one array',
    constraint: () => json({ type: 'array', items: { type: 'integer' } }, flexible),
    text: () => JSON.stringify(Array.from({ length: 150_000 }, (_, i) => i % 100_000)),
  },
  {
    name: '0.4 MB of objects in an array',
    constraint: () =>
      json(
        {
          type: 'array',
          items: {
            type: 'object',
            properties: { a: str, b: { type: 'number' } },
            required: ['a'],
            additionalProperties: false,
          },
        },
        flexible,
      ),
    text: () => JSON.stringify(Array.from({ length: 16_000 }, (_, i) => ({ a: `v${i}`, b: i / 4 }))),
  },
  {
    name: '0.7 MB of keys in one object',
    constraint: () => json({ type: 'object', additionalProperties: str }, flexible),
    text: () => JSON.stringify(Object.fromEntries(Array.from({ length: 30_000 }, (_, i) => [`key number ${i}`, 'v']))),
  },
  {
    name: '0.5 MB of unique strings',
    constraint: () => json({ type: 'array', uniqueItems: true, items: str }, flexible),
    text: () => JSON.stringify(Array.from({ length: 30_000 }, (_, i) => `value ${i}`)),
  },
  {
    name: '0.4 MB of unique numbers',
    constraint: () => json({ type: 'array', uniqueItems: true, items: { type: 'number' } }, flexible),
    text: () => JSON.stringify(Array.from({ length: 60_000 }, (_, i) => (i % 7 === 3 ? i / 8 : i * 7 - 90_000))),
  },
  {
    name: 'maxLength 10,000',
    constraint: () => json({ type: 'string', maxLength: 10_000 }, flexible),
    text: () => JSON.stringify(words(1700)),
  },
  {
    name: 'nested bounded lists',
    constraint: () =>
      json(
        {
          type: 'array',
          minItems: 2,
          maxItems: 100,
          items: {
            type: 'array',
            minItems: 1,
            maxItems: 100,
            items: {
              type: 'array',
              minItems: 3,
              maxItems: 100,
              items: { type: 'integer', minimum: -500, maximum: 500 },
            },
          },
        },
        flexible,
      ),
    text: () =>
      JSON.stringify(
        Array.from({ length: 20 }, () =>
          Array.from({ length: 20 }, () => Array.from({ length: 10 }, (_, i) => i * 37 - 200)),
        ),
      ),
  },
  {
    name: 'enum of 5,000 values',
    constraint: () =>
      json(
        {
          type: 'array',
          items: { enum: Array.from({ length: 5000 }, (_, i) => `value ${(i * 7919) % 5000} of ${i % 13}`) },
        },
        flexible,
      ),
    text: () =>
      JSON.stringify(Array.from({ length: 300 }, (_, i) => `value ${(i * 16 * 7919) % 5000} of ${(i * 16) % 13}`)),
  },
  {
    name: 'choice of 5,000 texts',
    constraint: () => choice(Array.from({ length: 5000 }, (_, i) => `answer number ${i}`)),
    text: () => 'answer number 4321',
  },
  {
    name: '128 tools in one anyOf',
    constraint: () => json({ anyOf: Array.from({ length: 128 }, (_, i) => tool(i)) }, flexible),
    text: () => JSON.stringify({ name: 'tool_77', arguments: { query_77: words(20), limit: 5 } }),
  },
  {
    name: 'additional properties beside 200 names',
    constraint: () =>
      json(
        {
          type: 'object',
          properties: Object.fromEntries(
            Array.from({ length: 200 }, (_, i) => [`known_property_${i}`, { type: 'integer' }]),
          ),
          additionalProperties: str,
        },
        flexible,
      ),
    text: () =>
      JSON.stringify(
        Object.fromEntries(
          Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? [`known_property_${i % 200}`, i] : [`extra ${i}`, 'x'])),
        ),
      ),
  },
  {
    name: 'a schema of 900 kB',
    constraint: () => json(large(), flexible),
    text: () => JSON.stringify({ id: 1, name_0: 'a', next: { id: 2, name_1: 'b', next: { id: 3 } } }),
  },
  {
    name: '5,000 levels of nesting',
    constraint: () =>
      json({ $ref: '#/$defs/a', $defs: { a: { type: 'array', items: { $ref: '#/$defs/a' } } } }, flexible),
    text: () => '['.repeat(5000) + ']'.repeat(5000),
  },
  {
    name: 'C in GBNF',
    constraint: () => gbnf(C_GRAMMAR),
    text: () =>
      Array.from(
        { length: 60 },
        (_, i) =>
          `int function_${i}(int a, float *b) {\n  int x = a * (${i} + 2) - f(a, b);\n  while (x < 100) {\n    x = x + 1;\n    // step\n  }\n  if (x == 3) { return -x; } else { print("value"); }\n  return x;\n}\n`,
      ).join(''),
  },
  {
    name: 'chess in GBNF',
    constraint: () => gbnf(CHESS_GRAMMAR),
    text: () =>
      Array.from(
        { length: 60 },
        (_, i) =>
          `${i + 1}. ${['e4', 'Nf3', 'Bb5', 'O-O', 'Qxd7+'][i % 5]} ${['e5', 'Nc6', 'a6', 'Nge7', 'exd5'][i % 5]}\n`,
      ).join(''),
  },
  {
    name: 'ambiguous grammar',
    constraint: () => gbnf('root ::= s\ns ::= "a" | "a" s | "a" s s | "(" s ")"'),
    text: () => 'a'.repeat(300),
  },
  {
    name: 'left-recursive grammar',
    constraint: () => gbnf('root ::= e\ne ::= e "+" t | e "-" t | t\nt ::= t "*" f | f\nf ::= "(" e ")" | [0-9]+'),
    text: () => Array.from({ length: 400 }, (_, i) => `${i}*(2+${i})`).join('+'),
  },
  {
    name: 'pattern .*',
    constraint: () => json({ type: 'string', pattern: '.*' }, flexible),
    text: () => JSON.stringify(words(2000)),
  },
  {
    name: 'pattern with .* inside',
    constraint: () => json({ type: 'string', pattern: '^a.*b.*c$' }, flexible),
    text: () => JSON.stringify(`a${words(500)}b${words(500)}c`),
  },
  {
    name: 'Unicode classes',
    constraint: () => json({ type: 'string', pattern: '^[\\p{L}\\p{Nd} ]+$' }, flexible),
    text: () => JSON.stringify('Größe Ελληνικά 漢字 русский 123 '.repeat(100)),
  },
  {
    name: 'regex of a log line',
    constraint: () => regex('(\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}Z \\[(INFO|WARN|ERROR)\\] [^\\n]{1,200}\\n)+'),
    text: () => `2026-01-02T03:04:05Z [INFO] ${words(20)}\n`.repeat(60),
  },
];

export interface HardRow {
  readonly name: string;
  readonly vocabulary: string;
  readonly compileMs: number;
  readonly tokens: number;
  readonly mask: Summary;
  readonly lastOverFirst: number;
  readonly wrong?: string;
}

const median = (xs: readonly number[]): number => [...xs].sort((a, b) => a - b)[Math.floor(xs.length / 2)] ?? 0;

function runCase(c: HardCase, loaded: LoadedVocabulary): HardRow {
  const base = { name: c.name, vocabulary: loaded.name };
  const mask = new Uint32Array(Math.ceil(loaded.vocabulary.size / 32));
  const samples = new Samples();
  const watch = new Stopwatch();
  watch.start();
  let compileMs = 0;
  try {
    const grammar = compile(c.constraint());
    const matcher = new Matcher(grammar, loaded.vocabulary);
    matcher.fillMask(mask);
    compileMs = watch.stop() / 1000;
    const tokens = loaded.encode(c.text());
    let wrong: string | undefined;
    const until = performance.now() + 60_000;
    for (const [i, token] of tokens.entries()) {
      watch.start();
      matcher.fillMask(mask);
      const ok = matcher.accept(token);
      samples.push(watch.stop());
      if (!ok || (((mask[token >> 5] ?? 0) >>> (token & 31)) & 1) === 0) {
        wrong = `token ${i} of ${tokens.length} refused`;
        break;
      }
      if (performance.now() > until) {
        wrong = `given up after 60 s, token ${i} of ${tokens.length}`;
        break;
      }
    }
    if (wrong === undefined && !matcher.isAccepting) wrong = 'not accepting at the end';
    const times = [...samples.values()];
    const tenth = Math.max(1, Math.floor(times.length / 10));
    const lastOverFirst = median(times.slice(-tenth)) / Math.max(0.01, median(times.slice(0, tenth)));
    return {
      ...base,
      compileMs,
      tokens: tokens.length,
      mask: samples.summary(),
      lastOverFirst,
      ...(wrong === undefined ? {} : { wrong }),
    };
  } catch (error) {
    const wrong =
      error instanceof Error ? `${error.name}: ${(error.message.split('\n')[0] ?? '').slice(0, 120)}` : String(error);
    return {
      ...base,
      compileMs: watch.stop() / 1000,
      tokens: 0,
      mask: samples.summary(),
      lastOverFirst: 0,
      wrong,
    };
  }
}

/** A batch of 64 matchers at different places of one grammar, everything warm; microseconds. */
export interface BatchRow {
  readonly vocabulary: string;
  /** fillMask for all 64. */
  readonly masks: number;
  /** accept for all 64. */
  readonly accepts: number;
  /** One rollback of 1 and of 64 tokens, one fork of a matcher at 16 and at 4,096 tokens. */
  readonly rollback1: number;
  readonly rollback64: number;
  readonly fork16: number;
  readonly fork4096: number;
  /** A message to a worker thread and back that carries 64 masks in shared memory: what a thread would have to save. */
  readonly workerTrip: number;
}

const BATCH = 64;

async function batch(loaded: LoadedVocabulary): Promise<BatchRow> {
  const grammar = compile(
    json({ type: 'object', properties: { a: str, b: { type: 'integer' } }, required: ['a', 'b'] }, flexible),
  );
  const text = JSON.stringify({ a: words(6), b: 42 });
  const bytes = new TextEncoder().encode(text);
  const matchers = Array.from({ length: BATCH }, (_, i) => {
    const m = new Matcher(grammar, loaded.vocabulary);
    m.acceptBytes(bytes.subarray(0, (i * 7) % bytes.length));
    return m;
  });
  const masks = matchers.map(() => new Uint32Array(Math.ceil(loaded.vocabulary.size / 32)));
  const next = matchers.map((_, i) => bytes.subarray((i * 7) % bytes.length, ((i * 7) % bytes.length) + 1));
  const time = (rounds: number, work: () => void): number => {
    const samples = new Samples();
    const watch = new Stopwatch();
    for (let round = 0; round < rounds; round++) {
      watch.start();
      work();
      samples.push(watch.stop());
    }
    return samples.summary().p50;
  };
  const fill = time(100, () => {
    for (let i = 0; i < BATCH; i++) matchers[i]?.fillMask(masks[i] ?? new Uint32Array());
  });
  let taken = true;
  const both = time(100, () => {
    for (let i = 0; i < BATCH; i++) taken = matchers[i]?.acceptBytes(next[i] ?? bytes) === true && taken;
    for (let i = 0; i < BATCH; i++) matchers[i]?.rollback(1);
  });
  if (!taken) throw new Error('bench: a byte of the text is refused');
  const long = new Matcher(compile(json({ type: 'string' }, flexible)), loaded.vocabulary);
  const letter = loaded.encode('a')[0] ?? 0;
  long.acceptBytes(Uint8Array.of(0x22));
  const at = (count: number): Matcher => {
    while (long.accepted < count) if (!long.accept(letter)) throw new Error('bench: a letter is refused');
    return long;
  };
  const forks = (m: Matcher): number =>
    time(100, () => {
      for (let i = 0; i < 100; i++) m.fork();
    }) / 100;
  const fork16 = forks(at(16));
  const fork4096 = forks(at(4096));
  const back = (n: number): number => {
    const watch = new Stopwatch();
    const samples = new Samples();
    for (let round = 0; round < 50; round++) {
      const copies = Array.from({ length: 100 }, () => long.fork());
      watch.start();
      for (const c of copies) c.rollback(n);
      samples.push(watch.stop() / 100);
    }
    return samples.summary().p50;
  };
  return {
    vocabulary: loaded.name,
    masks: fill,
    accepts: both,
    rollback1: back(1),
    rollback64: back(64),
    fork16,
    fork4096,
    workerTrip: await workerTrip(),
  };
}

/** Median time of a message to a worker and back. */
async function workerTrip(): Promise<number> {
  const worker = new Worker(
    'require("node:worker_threads").parentPort.on("message", (m) => require("node:worker_threads").parentPort.postMessage(m))',
    { eval: true },
  );
  const samples = new Samples();
  for (let i = 0; i < 200; i++) {
    const from = performance.now();
    const back = new Promise((done) => worker.once('message', done));
    worker.postMessage(i);
    await back;
    if (i >= 50) samples.push((performance.now() - from) * 1000);
  }
  await worker.terminate();
  return samples.summary().p50;
}

export async function runHardCases(
  names: readonly VocabularyName[],
): Promise<{ rows: HardRow[]; batchOf64: BatchRow[] }> {
  const rows: HardRow[] = [];
  const batchOf64: BatchRow[] = [];
  for (const name of names) {
    const loaded = loadVocabulary(name);
    const out: string[][] = [
      [`hard cases, ${name} (us a token)`, 'compile ms', 'tokens', 'avg', 'p50', 'p99', 'max', 'last/first', ''],
    ];
    for (const c of HARD) {
      const r = runCase(c, loaded);
      rows.push(r);
      const { mask } = r;
      out.push([
        c.name,
        r.compileMs.toFixed(1),
        String(r.tokens),
        ...[mask.avg, mask.p50, mask.p99, mask.max].map(us),
        r.lastOverFirst.toFixed(2),
        r.wrong ?? '',
      ]);
    }
    const b = await batch(loaded);
    batchOf64.push(b);
    console.log(
      `\n${table(out)}\n  a batch of 64: masks ${us(b.masks)} us, accepts with rollbacks ${us(b.accepts)} us; a message to a worker and back ${us(b.workerTrip)} us\n  rollback of 1 / 64 tokens ${us(b.rollback1)} / ${us(b.rollback64)} us; fork at 16 / 4,096 tokens ${us(b.fork16)} / ${us(b.fork4096)} us`,
    );
  }
  return { rows, batchOf64 };
}
