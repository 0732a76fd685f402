/** What the constructors of constraints, `compile` and `checkSchema` say of input that is none of theirs. */
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { checkSchema, choice, compile, gbnf, json, OptionError } from '../../../src/core.js';

describe('no schema', () => {
  const cases: Readonly<Record<string, unknown>> = {
    'zod inside a plain object': { name: z.string() },
    'zod among the properties': { type: 'object', properties: { name: z.string() } },
    'a Date': new Date(0),
    'a Map': new Map(),
    'a RegExp': /a/,
    'a Promise': Promise.resolve({}),
    'an array': [],
    null: null,
  };
  for (const [name, schema] of Object.entries(cases))
    it(name, () => {
      expect(() => json(schema)).toThrow(OptionError);
      expect(checkSchema(schema)).toMatchObject({ supported: false, diagnostics: [{ severity: 'error' }] });
    });
  it('says where a schema of a library stands', () => {
    expect(() => json({ type: 'object', properties: { name: z.string() } })).toThrow(/'zod'.*at '#\/properties\/name'/);
  });
  it('says where something is that JSON does not hold, but for annotations', () => {
    const odd: readonly (readonly [unknown, string])[] = [
      [{ properties: new Map() }, "a Map at '#/properties'"],
      [{ properties: { a: String } }, "a function at '#/properties/a'"],
      [{ type: String }, "a function at '#/type'"],
      [{ items: { pattern: /a/ } }, "a RegExp at '#/items/pattern'"],
      [{ anyOf: [{ const: new Date(0) }] }, "a Date at '#/anyOf/0/const'"],
      [{ enum: ['a', undefined] }, "undefined at '#/enum/1'"],
      [{ enum: [1n] }, "a bigint at '#/enum/0'"],
    ];
    for (const [schema, place] of odd) expect(() => json(schema)).toThrow(place);
    const notes = {
      type: 'string',
      default: () => 'x',
      note: new Map(),
      examples: [new Date(0)],
      minLength: undefined,
    };
    expect(json(notes).schema).toBe(notes);
  });
  it('takes objects without a prototype, and cycles are for the compiler', () => {
    expect(json(Object.assign(Object.create(null) as object, { type: 'string' })).kind).toBe('json');
    const cycle: Record<string, unknown> = { type: 'object' };
    cycle.properties = { again: cycle };
    expect(json(cycle).kind).toBe('json');
  });
});

describe('other constraints', () => {
  it('options that are not known', () => {
    expect(() => json({}, { whitepace: 'compact' } as never)).toThrow(/'whitepace'.*'whitespace'/);
    expect(() => gbnf('root ::= "a"', { start: 'b' } as never)).toThrow(OptionError);
  });
  it('texts that UTF-8 cannot spell', () => {
    expect(() => choice(['ok', '\ud800'])).toThrow(OptionError);
    expect(choice(['😀']).texts).toEqual(['😀']);
  });
  it('compile takes constraints, not schemas', () => {
    for (const given of [{ type: 'string' }, z.string(), null, undefined, 5])
      expect(() => compile(given as never)).toThrow(/json\(schema\)/);
  });
});

describe('checkSchema', () => {
  it('takes whatever json takes', () => {
    expect(checkSchema(z.object({ a: z.email() }))).toEqual({ supported: true, diagnostics: [] });
    expect(checkSchema(z.object({ a: z.date() })).supported).toBe(false);
    expect(checkSchema(json({ type: 'string', pattern: '(a+)\\1' })).diagnostics).toMatchObject([
      { pointer: '/pattern', keyword: 'pattern', severity: 'error' },
    ]);
    expect(checkSchema('{"type":"string"}').supported).toBe(true);
    expect(checkSchema(gbnf('root ::= "a"')).supported).toBe(false);
  });
  it('bad options are OptionErrors', () => {
    expect(() => checkSchema({}, { whitespace: 'none' as never })).toThrow(OptionError);
  });
});
