/**
 * `npm run bench:decode [-- --full] [-- --parts batch,prefix,extraction,experts,soak]`: what batching, the prefix cache, forced tokens, speculation
 * and expert-aware batches gain. Seeded; every figure is a ratio within one run; processor time, since machines are shared. Writes
 * bench/out/decode.json.
 *
 * `--device webgpu` runs device.ts alone: decoding on a device against the CPU, by batch.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { batchPart } from './batch.js';
import { type Line, show } from './common.js';
import { devicePart } from './device.js';
import { expertsPart } from './experts.js';
import { extractionPart } from './extraction.js';
import { prefixPart } from './prefix.js';
import { writeRecordModel } from './record-model.js';
import { soakPart } from './soak.js';

const PARTS: Readonly<Record<string, (quick: boolean) => Promise<Line[]>>> = {
  batch: batchPart,
  prefix: prefixPart,
  extraction: extractionPart,
  experts: expertsPart,
  soak: soakPart,
};

const args = process.argv.slice(2);
const quick = !args.includes('--full');
/** The word after a flag. */
const given = (flag: string): string | undefined => {
  const at = args.indexOf(flag);
  return at < 0 ? undefined : args[at + 1];
};
const wanted = given('--parts')?.split(',') ?? Object.keys(PARTS);
const device = given('--device');
const makeModel = given('--make-model');
console.log(
  `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, Node ${process.versions.node}, ${quick ? 'quick' : 'full'}`,
);
const lines: Line[] = [];
if (makeModel !== undefined) {
  await writeRecordModel(makeModel, given('--io') === 'f16' ? 'f16' : 'f32', Number(given('--scale') ?? 1));
  console.log(`wrote ${makeModel}`);
}
if (device !== undefined) {
  if (device !== 'webgpu' && device !== 'cuda' && device !== 'directml' && device !== 'coreml' && device !== 'cpu') {
    console.error(`no device '${device}'; there are webgpu, cuda, directml, coreml and cpu`);
    process.exit(2);
  }
  const numbers = (text: string): number[] => text.split(',').map(Number);
  const model = given('--model') ?? makeModel ?? 'embedded';
  const batches = numbers(given('--batches') ?? '1,8,32,64');
  for (const line of await devicePart({ device, model, batches, tokens: Number(given('--tokens') ?? 64) })) {
    lines.push(line);
    show(line);
  }
}
for (const name of device === undefined && makeModel === undefined ? wanted : []) {
  const part = PARTS[name];
  if (part === undefined) {
    console.error(`no part '${name}'; there are ${Object.keys(PARTS).join(', ')}`);
    process.exit(2);
  }
  for (const line of await part(quick)) {
    lines.push(line);
    show(line);
  }
}
mkdirSync('bench/out', { recursive: true });
writeFileSync(
  device === undefined ? 'bench/out/decode.json' : `bench/out/decode-${device}.json`,
  `${JSON.stringify({ quick, processor: cpus()[0]?.model, node: process.versions.node, lines }, null, 1)}\n`,
);
process.exit(0);
