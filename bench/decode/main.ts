/**
 * `npm run bench:decode [-- --full] [-- --part NAME[,NAME]] [-- --json FILE]`: what batching, paging, the prefix cache, forced tokens,
 * speculation, expert-aware batches and turns gain. Seeded; every figure is a ratio within one run; processor time, since machines are shared.
 *
 * Each part takes minutes at most and stands alone. Results go to bench/out/decode.json, or to FILE, where those of other parts stay:
 * `--full --part batch --json bench/record/decode.json` renews one part of the record.
 *
 * `--device webgpu` runs device.ts alone: decoding on a device against the CPU, by batch (`--model NAME`, `--batches 1,8,32,64`, `--tokens 64`);
 * `--make-model DIR` writes a model for it first (`--io f16`, `--scale 16`). Parts: batch, mixed, prefix, extraction, same, experts, turns, soak.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { readArguments } from '../arguments.js';
import { batchPart } from './batch.js';
import { type Line, show } from './common.js';
import { devicePart } from './device.js';
import { expertsPart } from './experts.js';
import { extractionPart } from './extraction.js';
import { mixedPart } from './mixed.js';
import { prefixPart } from './prefix.js';
import { writeRecordModel } from './record-model.js';
import { samePart } from './same.js';
import { soakPart } from './soak.js';
import { turnsPart } from './turns.js';

const PARTS: Readonly<Record<string, (quick: boolean) => Promise<Line[]>>> = {
  batch: batchPart,
  mixed: mixedPart,
  prefix: prefixPart,
  extraction: extractionPart,
  same: samePart,
  experts: expertsPart,
  turns: turnsPart,
  soak: soakPart,
};

interface PartRecord {
  readonly quick: boolean;
  readonly date: string;
  readonly seconds: number;
  readonly lines: readonly Line[];
}

const text = { type: 'string' } as const;
const args = readArguments(import.meta.url, {
  full: { type: 'boolean', default: false },
  part: text,
  parts: text,
  json: text,
  device: text,
  model: text,
  batches: { type: 'string', default: '1,8,32,64' },
  tokens: { type: 'string', default: '64' },
  'make-model': text,
  io: text,
  scale: { type: 'string', default: '1' },
});
const quick = !args.full;
const { device } = args;
const makeModel = args['make-model'];
const file = args.json ?? (device === undefined ? 'bench/out/decode.json' : `bench/out/decode-${device}.json`);
const parts = device === undefined && makeModel === undefined ? Object.keys(PARTS) : [];
const wanted = (args.part ?? args.parts)?.split(',') ?? parts;
const unknown = wanted.filter((name) => PARTS[name] === undefined);
if (unknown.length > 0) {
  console.error(`no part '${unknown.join("', '")}'; there are ${Object.keys(PARTS).join(', ')}`);
  process.exit(2);
}
const machine = { processor: cpus()[0]?.model, node: process.versions.node };
console.log(
  `${machine.processor ?? 'unknown processor'}, ${cpus().length} cores, Node ${machine.node}, ${quick ? 'quick' : 'full'}`,
);
if (makeModel !== undefined) {
  await writeRecordModel(makeModel, args.io === 'f16' ? 'f16' : 'f32', Number(args.scale));
  console.log(`wrote ${makeModel}`);
}
if (device !== undefined) {
  if (device !== 'webgpu' && device !== 'cuda' && device !== 'directml' && device !== 'coreml' && device !== 'cpu') {
    console.error(`no device '${device}'; there are webgpu, cuda, directml, coreml and cpu`);
    process.exit(2);
  }
  const numbers = (text: string): number[] => text.split(',').map(Number);
  const model = args.model ?? makeModel ?? 'embedded';
  const batches = numbers(args.batches);
  await part(`device ${device}`, () => devicePart({ device, model, batches, tokens: Number(args.tokens) }));
}
for (const name of wanted) await part(name, () => PARTS[name]!(quick));
process.exit(0);

async function part(name: string, run: () => Promise<Line[]>): Promise<void> {
  const start = performance.now();
  const lines = await run();
  for (const line of lines) show(line);
  const seconds = Math.round((performance.now() - start) / 1000);
  save(name, { quick, date: new Date().toISOString().slice(0, 16), seconds, lines });
}

function save(name: string, record: PartRecord): void {
  let known: Record<string, PartRecord> = {};
  try {
    known = (JSON.parse(readFileSync(file, 'utf8')) as { parts?: Record<string, PartRecord> }).parts ?? {};
  } catch {
    // The first part makes the file.
  }
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ ...machine, parts: { ...known, [name]: record } }, null, 1)}\n`);
}
