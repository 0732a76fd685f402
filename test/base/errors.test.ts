import { expect, it } from 'vitest';
import * as errors from '../../src/base/errors.js';
import { ValueError } from '../../src/base/value-error.js';

it('names of errors do not hang on names of classes, which minifiers change', () => {
  const { ModelError, LimitError, OptionError, UnsatisfiableError, UnsupportedSchemaError, GrammarError } = errors;
  const made = () => [
    new ModelError('a', 'b', 'c'),
    new LimitError('a', 2, 1),
    new OptionError('a', 'b', 'c'),
    new UnsatisfiableError('a'),
    new UnsupportedSchemaError('', 'a', 'b'),
    new GrammarError('GBNF', [], ''),
    new ValueError(['a']),
  ];
  const names = made().map((e) => e.name);
  expect(names).toEqual(made().map((e) => e.constructor.name));
  for (const error of made()) Object.defineProperty(error.constructor, 'name', { value: 'e' });
  try {
    expect(made().map((e) => e.name)).toEqual(names);
    expect(made().map((e) => e.stack?.split(':')[0])).toEqual(names);
  } finally {
    made().forEach((error, i) => {
      Object.defineProperty(error.constructor, 'name', { value: names[i] });
    });
  }
});
