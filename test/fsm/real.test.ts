/** A seeded share of the comparison over real vocabularies; the whole: `npx tsx test/fsm/real.ts`. */
import { expect, test } from 'vitest';
import { compareReal, type RealName, realVocabulary } from './real-vocabularies.js';

const STATES = 25;

/** Finds of earlier runs: only vocabularies of hundreds of tokens have mask slices. */
const KEPT: readonly (readonly [RealName, number, string])[] = [
  ['embedded', 259, 'what a required property implies counts against maxProperties'],
  ['embedded', 318, 'raw text but for a few literals'],
  ['o200k', 344, 'a token that ends raw text of one character and goes on in the array'],
];

test.each<RealName>(['cl100k', 'o200k', 'embedded'])(
  'agrees with the naive twin over %s',
  { timeout: 300_000 },
  (name) => {
    const real = realVocabulary(name);
    if (real === undefined) {
      console.log(`skipped: the vocabulary of ${name} is not there`);
      return;
    }
    const run = compareReal(real, STATES, 77_000);
    expect(run.finds).toEqual([]);
    expect(run.states).toBeGreaterThanOrEqual(STATES);
  },
);

test.each(KEPT)('%s, seed %i: %s', { timeout: 60_000 }, (name, seed) => {
  const real = realVocabulary(name);
  if (real !== undefined) expect(compareReal(real, 1, seed).finds).toEqual([]);
});
