/**
 * `npm run bench:decode [-- --full] [-- --parts batch,prefix,extraction,experts,soak]`: what batching, the prefix cache, forced tokens, speculation
 * and expert-aware batches gain. Seeded; every figure is a ratio within one run; processor time, since machines are shared. Writes
 * bench/out/decode.json.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { batchPart } from './batch.js';
import { type Line, show } from './common.js';
import { expertsPart } from './experts.js';
import { extractionPart } from './extraction.js';
import { prefixPart } from './prefix.js';
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
const at = args.indexOf('--parts');
const wanted = at < 0 ? Object.keys(PARTS) : (args[at + 1] ?? '').split(',');
console.log(
  `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, Node ${process.versions.node}, ${quick ? 'quick' : 'full'}`,
);
const lines: Line[] = [];
for (const name of wanted) {
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
  'bench/out/decode.json',
  `${JSON.stringify({ quick, processor: cpus()[0]?.model, node: process.versions.node, lines }, null, 1)}\n`,
);
process.exit(0);
