/**
 * The matcher against the naive twin over real vocabularies, outside the test suite:
 * `npx tsx test/fsm/real.ts [--states 5000] [--vocab cl100k,o200k,embedded] [--seed N] [--seconds N]`. The states are shared out evenly.
 */
import { parseArgs } from 'node:util';
import { compareReal, type RealName, realVocabulary } from './real-vocabularies.js';

const { values } = parseArgs({
  options: {
    states: { type: 'string', default: '5000' },
    vocab: { type: 'string', default: 'cl100k,o200k,embedded' },
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '100000' },
  },
});
const names = values.vocab.split(',') as RealName[];
const until = Date.now() + Number(values.seconds) * 1000;
let total = 0;
let finds = 0;
for (const name of names) {
  const real = realVocabulary(name);
  if (real === undefined) {
    console.log(`${name}: not there, left out`);
    continue;
  }
  const from = Date.now();
  let seed = Number(values.seed);
  let states = 0;
  const share = Math.ceil(Number(values.states) / names.length);
  const end = from + (until - from) / (names.length - names.indexOf(name));
  while (states < share && Date.now() < end) {
    const run = compareReal(real, Math.min(20, share - states), seed, (line) => console.log(line));
    states += run.states;
    seed = run.seed;
    finds += run.finds.length;
  }
  total += states;
  console.log(`${name}: ${states} states, up to seed ${seed}, ${((Date.now() - from) / 1000).toFixed(0)} s`);
}
console.log(`${total} states, ${finds} finds`);
process.exitCode = finds > 0 ? 1 : 0;
