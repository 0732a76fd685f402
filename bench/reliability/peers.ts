/**
 * `npx tsx bench/reliability/peers.ts [--out FOLDER] [--requests N] [--gguf FILE]`: other engines on the same model and requests, in one run.
 *
 *   transformers.js with its structured-output package, on the embedded model's own ONNX file
 *   llama.cpp by node-llama-cpp, on the same weights as GGUF (training/README.md says how it is made)
 *
 * Installed in bench/peers/reliability (`npm install --ignore-scripts` there); what is absent is named and left out. All get the same token ids as prompt
 * and decode greedily on one thread with a limit of 256 tokens; the time of an answer goes from the schema to the last token, with prefill and
 * compilation, in processor time. Ours is method 6, prompt not cached. Writes peers.json into the folder of a run, whose report shows it.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { resolveSampling } from '../../src/decoder/sampling.js';
import type { Job } from '../../src/engine/job.js';
import { targetOf } from '../../src/engine/target.js';
import { json } from '../../src/grammar/constraint/index.js';
import { Judge } from '../../src/reliability/judge.js';
import { EXTRA_FILES, type PeerRow } from '../../src/reliability/report/extras.js';
import { requestSet } from '../../src/reliability/requests/index.js';
import { requestTarget, Session } from '../../src/reliability/session.js';
import { ratio, share } from '../../src/reliability/statistics.js';
import type { BenchRequest } from '../../src/reliability/types.js';

const HERE = 'bench/peers/reliability';
const MODEL = 'models/embedded';
const LIMIT = 256;

const { values: args } = parseArgs({
  options: {
    out: { type: 'string', default: 'bench/out/reliability' },
    requests: { type: 'string', default: '120' },
    gguf: { type: 'string', default: 'bench/out/tokenloom-embedded.gguf' },
  },
});

interface Asked {
  readonly id: string;
  readonly schema: unknown;
  readonly prompt: readonly number[];
  readonly maxTokens: number;
}

interface Answered {
  readonly text: string;
  readonly tokens: number;
  readonly cpuMs: number;
  readonly ms: number;
  readonly cut: boolean;
}

/** Answers by id; those that the engine refuses are absent. */
interface Ran {
  readonly name: string;
  readonly version: string;
  readonly model: string;
  readonly answers: ReadonlyMap<string, Answered>;
}

function jobOf(request: BenchRequest, round: number): Job {
  const target = requestTarget(request);
  return {
    messages: request.messages,
    constraint: target.constraint,
    shown: target.shown,
    tools: target.tools,
    maxTokens: LIMIT,
    count: 1,
    sampling: resolveSampling({ temperature: 0, seed: 1 }, () => 1).sampling,
    draftTokens: 8,
    // A cache of its own: prefill is part of the time.
    tenant: `${request.id} ${round}`,
  };
}

async function ours(session: Session, requests: readonly BenchRequest[]): Promise<Ran> {
  session.prepare(targetOf(json(true), { showSchema: false }));
  await session.run(jobOf(requests[0]!, 0));
  const answers = new Map<string, Answered>();
  for (const request of requests) {
    const from = performance.now();
    const { outcome, cpuMs } = await session.run(jobOf(request, 1));
    const output = outcome.result.outputs[0]!;
    answers.set(request.id, {
      text: output.text,
      tokens: outcome.result.usage.completionTokens,
      cpuMs,
      ms: performance.now() - from,
      cut: output.finishReason === 'length',
    });
  }
  return { name: 'tokenloom', version: '', model: 'ONNX, int8', answers };
}

async function peer(name: string, file: string, model: string, asked: readonly Asked[]): Promise<Ran | string> {
  if (!existsSync(path.join(HERE, 'node_modules'))) return `${name}: not installed in ${HERE}`;
  if (!existsSync(file)) return `${name}: ${file} is not there`;
  const child = spawn(process.execPath, [path.join(HERE, 'engine.mjs'), name, path.resolve(file)], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (d: Buffer) => {
    errors = (errors + d.toString()).slice(-2000);
  });
  child.stdin.on('error', () => {});
  child.stdin.end(JSON.stringify(asked));
  const answers = new Map<string, Answered>();
  let version = '';
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('{')) continue;
    const read = JSON.parse(line) as Partial<Answered> & { id?: string; version?: string; refused?: string };
    if (read.version !== undefined) version = read.version;
    else if (read.id !== undefined && read.refused === undefined) answers.set(read.id, read as Answered);
    else if (process.env.PEERS_VERBOSE !== undefined) console.error(name, read.id, read.refused);
  }
  if (version === '') return `${name}: does not run here (${errors.trim().split('\n').at(-1) ?? 'no reason given'})`;
  return { name, version, model, answers };
}

const session = await Session.open(MODEL, { threads: 1 });
// Schemas that are objects: what all of them mean to support. Half extraction, half keyword families.
const all = requestSet({ count: 4 * Number(args.requests), seed: 1, maskbenchLimit: 0, compared: 0 });
const half = Math.ceil(Number(args.requests) / 2);
const requests = [
  ...all.filter((r) => r.source === 'extraction' && r.schema !== undefined).slice(0, half),
  ...all.filter((r) => r.source === 'keywords').slice(0, half),
];
const asked = requests.map(
  (r): Asked => ({ id: r.id, schema: r.schema, prompt: session.prompt(jobOf(r, 0)), maxTokens: LIMIT }),
);
const mine = await ours(session, requests);
const others = [
  await peer('transformers.js', MODEL, 'the same ONNX file', asked),
  await peer('llama.cpp', args.gguf, 'the same weights, GGUF, f32', asked),
];
const judge = new Judge();
const rows = [mine, ...others.filter((o): o is Ran => typeof o !== 'string')].map((ran): PeerRow => {
  const got = requests.flatMap((r) => {
    const a = ran.answers.get(r.id);
    return a === undefined
      ? []
      : [{ ...a, fits: judge.json(r, r.schema, a.text).fits === true, own: mine.answers.get(r.id)! }];
  });
  const sum = (of: (a: (typeof got)[number]) => number): number => got.reduce((n, a) => n + of(a), 0);
  return {
    name: ran.name,
    version: ran.version,
    model: ran.model,
    requests: requests.length,
    refused: requests.length - got.length,
    fits: share(got.filter((a) => a.fits).length, got.length),
    cut: got.filter((a) => a.cut).length,
    tokensPerSecond: sum((a) => a.tokens) / (sum((a) => a.cpuMs) / 1000),
    msPerAnswer: sum((a) => a.cpuMs) / Math.max(1, got.length),
    timesOurs: ratio(got.map((a) => [a.cpuMs, a.own.cpuMs])),
  };
});
const notes = [
  `${requests.length} schemas, half of them extraction records and half of keyword families; greedy, one thread, ${LIMIT} tokens at most. Times are processor time from the schema to the last token, prefill and compilation included, on the requests that the engine takes.`,
  'tokenloom closes a value within its limit; the others are cut by it. llama.cpp runs the weights in f32 and prints blanks that its grammar allows; its texts differ from ours for these reasons too.',
  ...others.filter((o): o is string => typeof o === 'string'),
];
mkdirSync(args.out, { recursive: true });
writeFileSync(path.join(args.out, EXTRA_FILES.peers), `${JSON.stringify({ rows, notes }, null, 1)}\n`);
for (const r of rows)
  console.log(
    `${r.name} ${r.version}: ${r.requests - r.refused} of ${r.requests} taken, ${r.fits.count} fit, ${r.cut} cut, ${r.msPerAnswer.toFixed(1)} ms, ${r.timesOurs.value.toFixed(2)} x ours (${r.timesOurs.low.toFixed(2)} to ${r.timesOurs.high.toFixed(2)})`,
  );
for (const o of others) if (typeof o === 'string') console.log(o);
await session.close();
process.exit(0);
