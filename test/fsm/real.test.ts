/** A seeded share of the comparison over real vocabularies; the whole: `npx tsx test/fsm/real.ts`. */
import { expect, test } from 'vitest';
import { compareReal, type RealName, realVocabulary } from './real-vocabularies.js';

const STATES = 25;

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
