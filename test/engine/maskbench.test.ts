/**
 * 200 schemas of MaskBench (fixed seed) through generate() with random weights: every value must be valid by the validator, whatever the
 * model wants. Skipped where the data is not beside the repository.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LimitError, UnsatisfiableError, UnsupportedSchemaError } from '../../src/base/errors.js';
import { createRandom } from '../../src/base/random.js';
import type { Engine } from '../../src/engine/engine.js';
import { Validator } from '../../src/engine/validate.js';
import { type RandomModel, randomModel } from './models.js';

const FOLDER = '../shared/data/maskbench';
const present = existsSync(FOLDER);
const COUNT = 200;
const MAX_TOKENS = 512;

interface Entry {
  readonly id: string;
  readonly schema: unknown;
}

function sample(): Entry[] {
  const all: Entry[] = [];
  for (const file of readdirSync(FOLDER).sort()) {
    if (!file.endsWith('.jsonl')) continue;
    for (const line of readFileSync(`${FOLDER}/${file}`, 'utf8').split('\n'))
      if (line !== '') all.push(JSON.parse(line) as Entry);
  }
  const random = createRandom(20260);
  const out: Entry[] = [];
  while (out.length < COUNT) out.push(all.splice(random.below(all.length), 1)[0]!);
  return out;
}

let model: RandomModel;
let engine: Engine;
beforeAll(async () => {
  if (!present) return;
  model = await randomModel();
  engine = await model.engine();
});
afterAll(async () => {
  await engine?.close();
  await model?.remove();
});

it.skipIf(!present)(
  `${COUNT} MaskBench schemas with random weights: every value valid (skipped where ${FOLDER} is absent)`,
  async () => {
    const validator = new Validator();
    const refused: string[] = [];
    const long: string[] = [];
    const unchecked: string[] = [];
    const wrong: string[] = [];
    let valid = 0;
    for (const [i, { id, schema }] of sample().entries()) {
      try {
        const result = await engine.generate(schema, {
          prompt: 'Write a value.',
          maxTokens: MAX_TOKENS,
          temperature: 1,
          seed: i,
          validate: false,
        });
        expect(['stop', 'budget']).toContain(result.finishReason);
        expect(result.usage.completionTokens).toBeLessThanOrEqual(MAX_TOKENS);
        const verdict = validator.validate(schema, result.value);
        if (verdict.uncompilable !== undefined) unchecked.push(id);
        else if (verdict.valid) valid++;
        else wrong.push(`${id}: ${verdict.errors.join('; ')} in ${result.text.slice(0, 300)}`);
      } catch (error) {
        if (error instanceof UnsupportedSchemaError || error instanceof LimitError)
          refused.push(`${id}: ${error.message}`);
        else if (error instanceof UnsatisfiableError) long.push(`${id}: ${error.message}`);
        else wrong.push(`${id}: ${String(error)}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(refused.length, refused.join('\n')).toBeLessThanOrEqual(COUNT * 0.05);
    // Schemas whose shortest value needs more tokens than there are.
    expect(long.length, long.join('\n')).toBeLessThanOrEqual(COUNT * 0.05);
    expect(valid + unchecked.length + refused.length + long.length).toBe(COUNT);
    expect(unchecked.length).toBeLessThanOrEqual(COUNT * 0.05);
  },
  600_000,
);
