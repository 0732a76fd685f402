import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GrammarError } from '../../../src/base/errors.js';
import { parseJson } from '../../../src/grammar/json/index.js';

function errorOf(text: string): GrammarError {
  try {
    parseJson(text);
  } catch (e) {
    if (e instanceof GrammarError) return e;
    throw e;
  }
  throw new Error(`no error for ${text.slice(0, 60)}`);
}

describe('JSON text', () => {
  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(undefined, 1, '\t'), (value, space) => {
        const text = JSON.stringify(value, null, space);
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
      { seed: 1 },
    );
  });

  it('refuses what JSON.parse refuses', () => {
    const texts = [
      '',
      ' ',
      '{',
      '[',
      '[1,]',
      '{"a":1,}',
      "{'a':1}",
      '{a:1}',
      '01',
      '+1',
      '1.',
      '.5',
      '1e',
      '"\n"',
      '"\\x"',
      '"a',
      'nul',
      'NaN',
      '1 2',
      '// x\n1',
      '"\\u12"',
      '[1 2]',
      '{"a" 1}',
      '\u00a01',
    ];
    for (const text of texts) {
      expect(() => JSON.parse(text), text).toThrow();
      expect(() => parseJson(text), text).toThrow(GrammarError);
    }
  });

  it('names line, column and reason', () => {
    const cases: [string, number, number, RegExp][] = [
      ['{\n  "a": 1,\n  "a": 2\n}', 3, 3, /duplicate key "a"/],
      ['{\n  "a": 1,\n}', 3, 1, /comma too many/],
      ['[1,\n 02]', 2, 2, /not a JSON number/],
      ['{"a": tru}', 1, 7, /unexpected "tru"/],
      ['["abc', 1, 2, /string without an end/],
      ['["\\q"]', 1, 2, /unknown escape/],
      ['{"a": [1, 2', 1, 12, /ends too early/],
    ];
    for (const [text, line, column, message] of cases) {
      const e = errorOf(text);
      expect([e.line, e.column], text).toEqual([line, column]);
      expect(e.message).toMatch(message);
      expect(e.language).toBe('JSON');
    }
  });

  it('reports duplicate keys at any depth, compared decoded', () => {
    expect(errorOf('{"a":{"b":1,"\\u0062":2},"c":0,"c":1}').issues).toHaveLength(2);
  });

  it('keeps names of Object.prototype as plain keys', () => {
    const value = parseJson('{"__proto__":{"x":1},"constructor":2,"toString":3}') as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor', 'toString']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(value.x).toBeUndefined();
  });

  it('refuses deep nesting with a typed error', () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const text = open.repeat(100_000) + 1 + close.repeat(100_000);
      expect(errorOf(text).message).toMatch(/nested deeper/);
      expect(errorOf(open.repeat(100_000)).message).toMatch(/nested deeper/);
    }
    expect(parseJson(`${'['.repeat(500)}${']'.repeat(500)}`)).toBeInstanceOf(Array);
  });

  it('skips a byte order mark', () => {
    expect(parseJson('\ufeff{"a": [1]}')).toEqual({ a: [1] });
  });

  it('keeps lone surrogates and NUL', () => {
    expect(parseJson('"\\ud800\\u0000"')).toBe('\ud800\u0000');
  });
});
