import { expect, it } from 'vitest';
import { LimitError, OptionError } from '../../src/base/errors.js';
import { checkNesting, MAX_NESTING, MAX_VALUES } from '../../src/base/nesting.js';

function nested(levels: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = wrap(value);
  return value;
}

it.each([
  ['arrays', (inner: unknown) => [0, inner]],
  ['objects', (inner: unknown) => ({ a: 'x', b: inner })],
])('%s nest up to the limit, and no deeper', (_, wrap) => {
  expect(() => checkNesting(nested(MAX_NESTING, wrap), 'x')).not.toThrow();
  expect(() => checkNesting(nested(MAX_NESTING + 1, wrap), 'x')).toThrow(
    `nesting of x: ${MAX_NESTING + 1} is over the limit of ${MAX_NESTING}`,
  );
  expect(() => checkNesting(nested(100_000, wrap), 'x')).toThrow(LimitError);
});

it('what is shared is measured once and counted at each place', () => {
  const shared = nested(20, (inner) => [inner, inner]);
  expect(() => checkNesting(shared, 'x')).not.toThrow();
  expect(2 ** 21 - 1).toBeLessThan(MAX_VALUES);
  expect(() =>
    checkNesting(
      nested(60, (inner) => ({ allOf: [inner, inner] })),
      'x',
    ),
  ).toThrow(/values in x/);
});

it('what contains itself is no value', () => {
  const self: Record<string, unknown> = { a: [1] };
  self.b = { c: [self] };
  expect(() => checkNesting(self, 'the schema')).toThrow(OptionError);
  for (const plain of [undefined, null, 1, 'x', true, [], {}]) expect(() => checkNesting(plain, 'x')).not.toThrow();
});
