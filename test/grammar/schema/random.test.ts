import { describe, expect, it } from 'vitest';
import { LimitError, UnsatisfiableError, UnsupportedSchemaError } from '../../../src/base/errors.js';
import { createRandom } from '../../../src/base/random.js';
import { acceptor } from './accept.js';
import { validate } from './naive-validator.js';
import { randomDocument, randomSchema, UNIVERSE } from './random-schema.js';

/** Compares one random schema with the naive validator on all values of the universe; returns what became of it. */
function compareOne(seed: number, depth: number, make: typeof randomSchema): 'equal' | 'empty' | 'refused' {
  const schema = make(createRandom(seed), depth, { unique: seed % 2 === 0, unevaluated: seed % 3 === 0 });
  let accepts: (value: unknown) => boolean;
  let outcome: 'equal' | 'empty' = 'equal';
  try {
    accepts = acceptor(schema, { propertyOrder: 'any', whitespace: 'compact' });
  } catch (e) {
    // The complement of uniqueItems; references in place that lead back to themselves.
    if (e instanceof UnsupportedSchemaError && (e.keyword === 'uniqueItems' || e.keyword === '$ref')) return 'refused';
    if (e instanceof LimitError) return 'refused';
    if (!(e instanceof UnsatisfiableError)) throw e;
    accepts = () => false;
    outcome = 'empty';
  }
  for (const value of UNIVERSE) {
    let expected: boolean;
    try {
      expected = validate(schema, value);
    } catch (e) {
      // References in place that lead back to themselves, which were never followed for us.
      if (e instanceof RangeError) return 'refused';
      throw e;
    }
    if (accepts(value) !== expected) {
      expect.fail(
        `seed ${seed}: ${JSON.stringify(value)} should be ${expected ? 'accepted' : 'rejected'} by ${JSON.stringify(schema)}`,
      );
    }
  }
  return outcome;
}

describe('random schemas against the naive validator', () => {
  for (const [depth, count] of [
    [1, 200],
    [2, 250],
    [3, 40],
  ] as const) {
    it(`depth ${depth}`, { timeout: 60_000 }, () => {
      const tally = { equal: 0, empty: 0, refused: 0 };
      for (let seed = 0; seed < count; seed++) tally[compareOne(depth * 100_000 + seed, depth, randomSchema)]++;
      expect(tally.equal).toBeGreaterThan(count / 2);
      expect(tally.refused).toBeLessThan(count / 10);
    });
  }

  it('with definitions that refer to each other', { timeout: 60_000 }, () => {
    const tally = { equal: 0, empty: 0, refused: 0 };
    for (let seed = 0; seed < 250; seed++) tally[compareOne(seed, 2, randomDocument)]++;
    expect(tally.equal).toBeGreaterThan(125);
  });
});
