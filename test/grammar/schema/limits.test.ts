import { describe, expect, it } from 'vitest';
import {
  GrammarError,
  LimitError,
  OptionError,
  TokenloomError,
  UnsatisfiableError,
  UnsupportedSchemaError,
} from '../../../src/base/errors.js';
import { checkSchema, type SchemaOptions, schemaToGrammar } from '../../../src/grammar/schema/index.js';
import { acceptor, textAcceptor } from './accept.js';

function outcome(schema: unknown, options: SchemaOptions = {}): TokenloomError | undefined {
  try {
    schemaToGrammar(schema, options);
    return undefined;
  } catch (e) {
    if (e instanceof TokenloomError) return e;
    throw e;
  }
}

/** Runs a compilation that must end, in a grammar or a typed error, within some seconds of processor time. */
function timed(schema: unknown, options: SchemaOptions = {}): TokenloomError | undefined {
  const start = process.cpuUsage();
  const result = outcome(schema, options);
  expect(process.cpuUsage(start).user / 1e6).toBeLessThan(4);
  return result;
}

const nest = (depth: number, wrap: (inner: unknown) => unknown): unknown => {
  let s: unknown = { type: 'integer' };
  for (let i = 0; i < depth; i++) s = wrap(s);
  return s;
};

describe('hostile schemas', () => {
  it('nested a hundred thousand deep', () => {
    expect(timed(nest(100_000, (items) => ({ type: 'array', items })))).toBeUndefined();
    expect(timed(nest(100_000, (a) => ({ properties: { a } })))).toBeUndefined();
    expect(timed(nest(100_000, (a) => ({ type: 'object', properties: { a }, required: ['a'] })))).toBeInstanceOf(
      LimitError,
    );
    expect(timed(nest(100_000, (a) => ({ allOf: [a] })))).toBeInstanceOf(LimitError);
    expect(timed(nest(100_000, (a) => ({ not: a })))).toBeInstanceOf(LimitError);
    expect(timed(nest(100_000, (a) => ({ if: a, then: false })))).toBeInstanceOf(LimitError);
    expect(timed(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)).toBeInstanceOf(GrammarError);
    expect(
      timed(nest(100_000, (a) => ({ anyOf: [a, { type: 'null' }], unevaluatedProperties: false }))),
    ).toBeInstanceOf(LimitError);
  });

  it('constants, and chains of references', () => {
    expect(timed({ const: nest(3_000, (inner) => [inner]) })).toBeInstanceOf(LimitError);
    expect(timed({ enum: [1, nest(100_000, (a) => ({ a }))] })).toBeInstanceOf(LimitError);
    const defs = Array.from({ length: 30_000 }, (_, i) => [`d${i}`, { $ref: `#/$defs/d${i + 1}`, title: 'x' }]);
    const chain = { $ref: '#/$defs/d0', $defs: { ...Object.fromEntries(defs), d30000: { type: 'string' } } };
    expect(timed(chain)).toBeUndefined();
    // What compiles is supported, and what references carry beside them is still told.
    expect(checkSchema(chain)).toEqual({ supported: true, diagnostics: [] });
    const beside = {
      $ref: '#/$defs/a',
      $schema: 'http://json-schema.org/draft-07/schema#',
      minLength: 3,
      $defs: { a: {} },
    };
    expect(checkSchema(beside).diagnostics.map((d) => d.keyword)).toContain('minLength');
  });

  it('bounds that no double holds', () => {
    for (const schema of ['{"maximum":1e400}', '{"multipleOf":-1e999}', '{"minLength":1e309}', { minimum: Number.NaN }])
      expect(timed(schema)?.message).toMatch(/got a number that no double holds/);
  });

  it('messages stay readable where the place is far down', () => {
    const error = timed(
      nest(3_000, (a) => ({ unevaluatedProperties: a })),
      { limits: { formulas: 2_000 } },
    );
    expect(error).toBeInstanceOf(LimitError);
    expect(error!.message.length).toBeLessThan(600);
    expect((error as LimitError).pointer!.length).toBeGreaterThan(10_000);
  });

  it('reference cycles without progress', () => {
    for (const schema of [
      { $ref: '#' },
      { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } },
      { allOf: [{ $ref: '#' }] },
      { $defs: { a: { anyOf: [{ type: 'null' }, { $ref: '#/$defs/a' }] } }, $ref: '#/$defs/a' },
      { not: { $ref: '#' } },
      { $defs: { a: { allOf: [{ $ref: '#/$defs/a' }], unevaluatedProperties: false } }, $ref: '#/$defs/a' },
    ]) {
      expect(timed(schema), JSON.stringify(schema)).toBeInstanceOf(UnsupportedSchemaError);
    }
  });

  it('recursion that never ends is unsatisfiable', () => {
    expect(timed({ type: 'object', properties: { a: { $ref: '#' } }, required: ['a'] })).toBeInstanceOf(
      UnsatisfiableError,
    );
    expect(timed({ type: 'array', items: { $ref: '#' }, minItems: 1 })).toBeInstanceOf(UnsatisfiableError);
    const even = {
      $defs: {
        even: { anyOf: [{ type: 'null' }, { type: 'array', items: { $ref: '#/$defs/odd' }, minItems: 1 }] },
        odd: { type: 'array', items: { $ref: '#/$defs/even' }, minItems: 1 },
      },
      $ref: '#/$defs/odd',
    };
    const accepts = acceptor(even);
    expect(accepts([null])).toBe(true);
    expect(accepts([[[null]]])).toBe(true);
    expect(accepts([[null]])).toBe(false);
  });

  it('products of allOf, oneOf and unevaluated', () => {
    const branch = (i: number): unknown => ({
      oneOf: [{ properties: { [`a${i}`]: { type: 'integer' } } }, { properties: { [`b${i}`]: { type: 'integer' } } }],
    });
    const many = Array.from({ length: 40 }, (_, i) => branch(i));
    expect(timed({ type: 'object', allOf: many })).toBeInstanceOf(LimitError);
    const doubling: Record<string, unknown> = { d0: { type: 'object', minProperties: 1 } };
    for (let i = 1; i <= 60; i++)
      doubling[`d${i}`] = { allOf: [{ $ref: `#/$defs/d${i - 1}` }, { $ref: `#/$defs/d${i - 1}` }] };
    expect(timed({ $defs: doubling, $ref: '#/$defs/d60' })).toBeUndefined();
    for (let i = 1; i <= 60; i++)
      doubling[`d${i}`] = {
        oneOf: [{ $ref: `#/$defs/d${i - 1}` }, { allOf: [{ $ref: `#/$defs/d${i - 1}` }, { required: [`x${i}`] }] }],
      };
    timed({ $defs: doubling, $ref: '#/$defs/d60' });
    const wide = Array.from({ length: 24 }, (_, i) => ({ properties: { [`p${i}`]: {} }, required: [`p${i}`] }));
    expect(timed({ type: 'object', anyOf: wide, unevaluatedProperties: false })).toBeInstanceOf(LimitError);
    expect(timed({ type: 'object', oneOf: wide })).toBeUndefined();
  });

  it('patterns', () => {
    timed({ type: 'string', pattern: '^(a+)+$', not: { pattern: '(a|b|ab)*c$' } });
    timed({ type: 'string', allOf: [{ pattern: '(x+x+)+y' }, { pattern: '^(.*?,){29}P' }, { maxLength: 50 }] });
    timed({
      patternProperties: Object.fromEntries(
        Array.from({ length: 24 }, (_, i) => [`${String.fromCharCode(97 + i)}.*z`, { minimum: i }]),
      ),
    });
    expect(timed({ type: 'string', pattern: '(' })).toBeInstanceOf(UnsupportedSchemaError);
    expect(timed({ type: 'string', pattern: '^a$', minLength: 2 })).toBeInstanceOf(UnsatisfiableError);
  });

  it('huge bounds', () => {
    expect(timed({ type: 'string', minLength: 1e15 })).toBeUndefined();
    expect(timed({ type: 'array', items: {}, minItems: 1e9, maxItems: 1e12 })).toBeUndefined();
    expect(timed({ type: 'integer', minimum: -1e300, maximum: 1e300 })).toBeUndefined();
    expect(timed({ type: 'number', multipleOf: 1e-300 })).not.toBeInstanceOf(RangeError);
    expect(timed({ type: 'object', minProperties: 1e9 })).toBeUndefined();
    timed({ type: 'array', contains: { const: 1 }, minContains: 1e6, maxContains: 1e7 });
    expect(timed({ type: 'array', items: { enum: [1, 2] }, uniqueItems: true, minItems: 3 })).toBeInstanceOf(
      UnsatisfiableError,
    );
  });

  it('names of Object.prototype, lone surrogates, NUL', () => {
    const accepts = textAcceptor(
      '{"type":"object","properties":{"__proto__":{"type":"integer"},"\\ud800":{"const":"\\u0000"}},"additionalProperties":false}',
    );
    expect(accepts('{"__proto__":1,"\\ud800":"\\u0000"}')).toBe(true);
    expect(accepts('{"__proto__":"x"}')).toBe(false);
    expect(accepts('{"constructor":1}')).toBe(false);
    expect(outcome({ $ref: '#/constructor' })).toBeInstanceOf(UnsupportedSchemaError);
    expect(outcome({ type: 'constructor' })).toBeInstanceOf(UnsupportedSchemaError);
    expect(outcome({ $ref: 'toString' })).toBeInstanceOf(UnsupportedSchemaError);
  });
});

describe('errors', () => {
  it('name the place', () => {
    const cases: [unknown, string, string][] = [
      [{ properties: { 'a/b': { type: 'strin' } } }, '/properties/a~1b/type', 'type'],
      [{ items: { $ref: 'https://example.com/nowhere' } }, '/items/$ref', '$ref'],
      [{ anyOf: [] }, '/anyOf', 'anyOf'],
      [{ properties: { a: 1 } }, '/properties/a', 'properties/a'],
      [{ required: 'a' }, '/required', 'required'],
      [{ minLength: -1 }, '/minLength', 'minLength'],
      [{ multipleOf: 0 }, '/multipleOf', 'multipleOf'],
      [{ not: { uniqueItems: true } }, '', 'uniqueItems'],
    ];
    for (const [schema, pointer, keyword] of cases) {
      const e = outcome(schema);
      expect(e, JSON.stringify(schema)).toBeInstanceOf(UnsupportedSchemaError);
      expect([(e as UnsupportedSchemaError).pointer, (e as UnsupportedSchemaError).keyword]).toEqual([
        pointer,
        keyword,
      ]);
    }
  });

  it('become diagnostics where that is asked for', () => {
    const schema = { type: 'object', properties: { a: { type: 'string', pattern: '(', minLength: 2 } } };
    const { diagnostics } = schemaToGrammar(schema, { unsupported: 'warn' });
    expect(diagnostics).toMatchObject([{ pointer: '/properties/a/pattern', keyword: 'pattern', severity: 'error' }]);
    const accepts = acceptor(schema, { unsupported: 'warn' });
    expect(accepts({ a: 'xx' })).toBe(true);
    expect(accepts({ a: 'x' })).toBe(false);
  });

  it('of the complement of uniqueItems leave a smaller language where tolerated', () => {
    const schema = { type: 'array', maxItems: 2, not: { uniqueItems: true, items: { type: 'integer' } } };
    expect(outcome(schema)).toBeInstanceOf(UnsupportedSchemaError);
    const accepts = acceptor(schema, { unsupported: 'warn' });
    expect(accepts(['a'])).toBe(true);
    expect(accepts([1, 2])).toBe(false);
    // Right, but left out with a diagnostic.
    expect(accepts([1, 1])).toBe(false);
    // No complement is needed where items differ anyway.
    expect(acceptor({ uniqueItems: true, not: { uniqueItems: true, items: { type: 'integer' } } })(['a', 1])).toBe(
      true,
    );
  });

  it('are reported by checkSchema, with what is ignored', () => {
    expect(checkSchema({ type: 'string', minLength: 1 })).toEqual({ supported: true, diagnostics: [] });
    const report = checkSchema({
      $schema: 'http://json-schema.org/draft-07/schema#',
      foo: 1,
      properties: { a: { $ref: '#/definitions/x', minimum: 1 }, b: { format: 'color' }, c: { prefixItems: [] } },
      definitions: { x: {} },
    });
    expect(report.supported).toBe(true);
    expect(report.diagnostics.map((d) => [d.pointer, d.severity]).sort()).toEqual([
      ['/foo', 'info'],
      ['/properties/a/minimum', 'info'],
      ['/properties/b/format', 'info'],
      ['/properties/c/prefixItems', 'info'],
    ]);
    expect(checkSchema({ type: 'string', pattern: '(' }).supported).toBe(false);
    expect(checkSchema({ allOf: [{ type: 'string' }, { type: 'null' }] })).toMatchObject({ supported: false });
    expect(checkSchema('{"type": "string"').supported).toBe(false);
    expect(checkSchema(42).supported).toBe(false);
  });

  it('name wrong options', () => {
    expect(outcome({}, { whitespace: 'loose' as 'compact' })).toBeInstanceOf(OptionError);
    expect(outcome({}, { limits: { nope: 1 } as never })).toBeInstanceOf(OptionError);
    expect(outcome({}, { maxDigits: 0 })).toBeInstanceOf(OptionError);
  });

  it('follow settable limits', () => {
    const schema = {
      type: 'object',
      allOf: Array.from({ length: 5 }, (_, i) => ({ anyOf: [{ required: [`a${i}`] }, { required: [`b${i}`] }] })),
    };
    expect(outcome(schema)).toBeUndefined();
    const e = outcome(schema, { limits: { alternatives: 8 } });
    expect(e).toBeInstanceOf(LimitError);
    expect((e as LimitError).limit).toBe(8);
    expect(outcome('{"type":"string"}', { limits: { text: 5 } })).toBeInstanceOf(LimitError);
  });
});
