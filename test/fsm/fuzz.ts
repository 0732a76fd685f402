/**
 * Long fuzz runs outside the test suite: `npx tsx test/fsm/fuzz.ts [--seed N] [--pairs N] [--keep]`. Finds are made smaller and
 * printed; with --keep they are written to test/cases/fuzz, which the suite replays.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createRandom } from '../../src/base/random.js';
import { randomGrammar, randomTokens } from '../oracle/random-grammar.js';
import { encodeCase, shrink } from './cases.js';
import { comparePath, show } from './compare.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    pairs: { type: 'string', default: '1000' },
    finds: { type: 'string', default: '8' },
    surrogates: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});
const folder = join(dirname(fileURLToPath(import.meta.url)), '../cases/fuzz');
let pairs = 0;
let finds = 0;
let seed = Number(values.seed);
const from = Date.now();
for (; pairs < Number(values.pairs) && finds < Number(values.finds); seed++) {
  const draw = createRandom(seed);
  const grammar = randomGrammar(draw, {
    depth: 1 + draw.below(3),
    unique: 25,
    json: draw.below(3) === 0,
    surrogates: values.surrogates,
  });
  if (grammar === undefined) continue;
  const c = { grammar, ...randomTokens(draw, grammar) };
  const began = Date.now();
  const outcome = comparePath(c, draw, 8);
  pairs += outcome.pairs;
  if (Date.now() - began > 5000) console.log(`seed ${seed}: slow, ${Date.now() - began} ms for ${outcome.pairs} pairs`);
  if (outcome.mismatch === undefined) continue;
  finds++;
  const small = shrink(c, outcome, () => createRandom(7), 20_000);
  const text = small.outcome.path.map((id) => `'${show(small.case.tokens[id] ?? [])}'`).join(' ');
  const used = small.case.tokens.flatMap((t, id) => (t === null ? [] : [`${id}:'${show(t)}'`]));
  console.log(`\nseed ${seed}: ${outcome.mismatch}\n  smaller: ${small.outcome.mismatch}`);
  console.log(`  path: ${text}\n  tokens: ${used.length > 12 ? used.length : used.join(' ')}`);
  console.log(`  grammar: ${JSON.stringify(small.case.grammar, (_, v) => (v === Number.POSITIVE_INFINITY ? '∞' : v))}`);
  if (values.keep) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `seed-${seed}.json`), `${encodeCase(`seed ${seed}`, small.case, small.outcome)}\n`);
  }
}
console.log(`\n${pairs} pairs, ${finds} finds, up to seed ${seed}, ${((Date.now() - from) / 1000).toFixed(1)} s`);
process.exitCode = finds > 0 ? 1 : 0;
