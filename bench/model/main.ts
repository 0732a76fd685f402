/**
 * `npm run bench:model`: quality of the embedded model on its evaluation records, greedy: `seen`, new records of trained domains;
 * `heldout`, which training data was developed on; `fresh`, held out from the authors too, the figure to quote.
 *
 *   --model NAME      embedded (default), embedded-moe, or a folder
 *   --limit N         records per split (default 100; 0: all)
 *   --json FILE       the figures as JSON
 *
 * Constrained: share of expected leaf fields that are exactly right (JSON pointer and value), and of records right as a whole.
 * Unconstrained, same prompts: share of outputs that are JSON, that fit the schema, and of fields right.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createEngine } from '../../src/engine/create.js';
import type { Engine } from '../../src/engine/engine.js';
import { schemaHint } from '../../src/engine/hint.js';
import { validateValue } from '../../src/engine/validate.js';
import { type FieldScore, leaves, scoreFields } from '../../src/reliability/fields.js';
import { readArguments, stop } from '../arguments.js';

interface EvalRecord {
  readonly id: string;
  readonly domain: string;
  readonly schema: object;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly tools?: readonly { readonly name: string; readonly description?: string; readonly parameters: object }[];
  readonly expected: unknown;
}

/** How each file of records in models/eval is called in the output. */
const SPLITS = { seen: 'seen', heldout: 'held out (development)', fresh: 'held out (fresh)' } as const;

interface Figures {
  readonly split: keyof typeof SPLITS;
  readonly records: number;
  readonly constrained: FieldScore & { readonly whole: number };
  readonly unconstrained: FieldScore & { readonly json: number; readonly fits: number; readonly records: number };
}

const args = readArguments(import.meta.url, {
  model: { type: 'string', default: 'embedded' },
  limit: { type: 'string', default: '100' },
  json: { type: 'string' },
});

async function measure(engine: Engine, split: Figures['split'], records: readonly EvalRecord[]): Promise<Figures> {
  const constrained = { right: 0, fields: 0, whole: 0 };
  const free = { right: 0, fields: 0, json: 0, fits: 0, records: 0 };
  for (const [i, r] of records.entries()) {
    const options = { messages: r.messages, maxTokens: 384, temperature: 0 };
    const result = await engine.generate(r.tools === undefined ? r.schema : null, {
      ...options,
      ...(r.tools === undefined ? {} : { tools: r.tools }),
    });
    const score = scoreFields(r.expected, result.value);
    constrained.right += score.right;
    constrained.fields += score.fields;
    if (score.right === score.fields && leaves(result.value).size === score.fields) constrained.whole++;
    if (r.tools === undefined) {
      // The same prompt, schema shown, without any constraint.
      const system = `Answer in JSON that fits this schema:\n${schemaHint(r.schema)}`;
      const text = (await engine.generate(null, { ...options, system })).text;
      free.records++;
      const value = parse(text);
      const own = scoreFields(r.expected, value);
      free.right += own.right;
      free.fields += own.fields;
      if (value !== undefined) {
        free.json++;
        if (validateValue(r.schema, value).valid) free.fits++;
      }
    }
    if (process.stderr.isTTY) process.stderr.write(`\r${split} ${i + 1}/${records.length} `);
  }
  return { split, records: records.length, constrained, unconstrained: free };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const percent = (n: number, of: number): string => (of === 0 ? '-' : `${((100 * n) / of).toFixed(1)}%`);

const limit = Number(args.limit);
const engine = await createEngine({ model: args.model }).catch((error: unknown) =>
  stop(error instanceof Error ? error.message : String(error)),
);
const figures: Figures[] = [];
for (const split of ['seen', 'heldout', 'fresh'] as const) {
  const all = readFileSync(`models/eval/extraction-${split}.jsonl`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as EvalRecord);
  figures.push(await measure(engine, split, limit > 0 ? all.slice(0, limit) : all));
}
await engine.close();
console.log(`model ${args.model}, greedy`);
for (const f of figures) {
  const { constrained: c, unconstrained: u } = f;
  console.log(
    `${SPLITS[f.split].padEnd(22)} ${f.records} records | constrained: fields right ${percent(c.right, c.fields)}, records right ${percent(c.whole, f.records)}` +
      ` | unconstrained (${u.records}): JSON ${percent(u.json, u.records)}, fits ${percent(u.fits, u.records)}, fields right ${percent(u.right, u.fields)}`,
  );
}
if (args.json !== undefined) {
  mkdirSync(dirname(args.json), { recursive: true });
  writeFileSync(args.json, `${JSON.stringify({ model: args.model, figures }, undefined, 1)}\n`);
}
