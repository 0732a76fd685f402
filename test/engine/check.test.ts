/** How many validators are kept: enough that schemas which take turns do not make them anew, and no more than their texts allow. */
import { expect, it } from 'vitest';
import { ResultChecker } from '../../src/engine/check.js';

const schema = (i: number, text = '') => ({
  type: 'object',
  properties: { [`p${i}`]: { const: i } },
  description: text,
});

it('keeps the validators of as many schemas as a service keeps grammars', () => {
  const checker = new ResultChecker();
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 200; i++) {
      expect(checker.check(schema(i), { [`p${i}`]: i }, {}).valid).toBe(true);
      expect(checker.check(schema(i), { [`p${i}`]: -1 }, {}).valid).toBe(false);
    }
    expect(checker.size).toBe(200);
  }
  for (let i = 200; i < 300; i++) checker.check(schema(i), {}, {});
  expect(checker.size).toBe(256);
});

it('keeps fewer of long schemas, and always the last one', () => {
  const checker = new ResultChecker();
  for (let i = 0; i < 20; i++) checker.check(schema(i, 'x'.repeat(100_000)), {}, {});
  expect(checker.size).toBe(5);
  checker.check(schema(99, 'x'.repeat(1_000_000)), {}, {});
  expect(checker.size).toBe(1);
  checker.check(schema(1), {}, {});
  checker.check(schema(2), {}, {});
  expect(checker.size).toBe(2);
});
