import { Type as TypeBox0 } from '@sinclair/typebox';
import { type } from 'arktype';
import { Type as TypeBox1 } from 'typebox';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import * as zm from 'zod/mini';
import { z as z3 } from 'zod/v3';
import { OptionError } from '../../src/base/errors.js';
import { ValueError } from '../../src/base/value-error.js';
import { readSchema } from '../../src/grammar/library/index.js';

const person = {
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 1 },
    age: { type: 'integer' },
    tags: { type: 'array', items: { type: 'string' } },
  },
  required: ['name', 'tags'],
  additionalProperties: false,
};

/** Without what libraries add that means nothing here. */
function core(schema: unknown): unknown {
  return JSON.parse(
    JSON.stringify(schema, (key, value: unknown) =>
      key === '$schema' || value === Number.MIN_SAFE_INTEGER || value === Number.MAX_SAFE_INTEGER ? undefined : value,
    ),
  );
}

describe('the same object in every library', () => {
  it.each([
    ['zod 4', z.object({ name: z.string().min(1), age: z.int().optional(), tags: z.array(z.string()) })],
    [
      'zod mini',
      zm.object({ name: zm.string().check(zm.minLength(1)), age: zm.optional(zm.int()), tags: zm.array(zm.string()) }),
    ],
    ['zod 3', z3.object({ name: z3.string().min(1), age: z3.number().int().optional(), tags: z3.array(z3.string()) })],
    [
      'valibot',
      v.object({
        name: v.pipe(v.string(), v.minLength(1)),
        age: v.optional(v.pipe(v.number(), v.integer())),
        tags: v.array(v.string()),
      }),
    ],
    ['arktype', type({ name: 'string>0', 'age?': 'number.integer', tags: 'string[]' })],
    [
      'TypeBox 0.34',
      TypeBox0.Object({
        name: TypeBox0.String({ minLength: 1 }),
        age: TypeBox0.Optional(TypeBox0.Integer()),
        tags: TypeBox0.Array(TypeBox0.String()),
      }),
    ],
    [
      'TypeBox 1',
      TypeBox1.Object({
        name: TypeBox1.String({ minLength: 1 }),
        age: TypeBox1.Optional(TypeBox1.Integer()),
        tags: TypeBox1.Array(TypeBox1.String()),
      }),
    ],
  ])('%s', (_, schema) => {
    const got = core(readSchema(schema).schema) as { properties: unknown; required: string[] };
    expect({ ...got, required: [...got.required].sort() }).toEqual({ ...person, required: ['name', 'tags'] });
  });
});

describe('zod 4', () => {
  it('takes the input side and runs transforms on the value', () => {
    const { schema, parse } = readSchema(
      z.object({ n: z.string().transform((s) => s.length), d: z.number().default(3) }),
    );
    expect(core(schema)).toMatchObject({ properties: { n: { type: 'string' } }, required: ['n'] });
    expect(parse?.({ n: 'four' })).toEqual({ n: 4, d: 3 });
  });
  it('async transforms give a promise', async () => {
    const { parse } = readSchema(z.string().transform(async (s) => s.length));
    expect(await parse?.('abc')).toBe(3);
  });
  it('a failed refinement is a ValueError with its path', () => {
    const { parse } = readSchema(z.object({ a: z.object({ n: z.number().refine((n) => n > 5, 'too small') }) }));
    expect(() => parse?.({ a: { n: 1 } })).toThrow(ValueError);
    expect(() => parse?.({ a: { n: 1 } })).toThrow(/a\.n: too small/);
  });
  it('loose objects and records stay open, strict ones closed, intersections closed as a whole', () => {
    const loose = core(readSchema(z.looseObject({ a: z.string() })).schema) as Record<string, unknown>;
    expect(loose.additionalProperties).toEqual({});
    expect(core(readSchema(z.record(z.string(), z.number())).schema)).toMatchObject({
      additionalProperties: { type: 'number' },
    });
    expect(core(readSchema(z.strictObject({ a: z.string() })).schema)).toMatchObject({ additionalProperties: false });
    const both = core(
      readSchema(zm.intersection(zm.object({ a: zm.string() }), zm.object({ b: zm.string() }))).schema,
    ) as {
      allOf: Record<string, unknown>[];
      unevaluatedProperties: unknown;
    };
    expect(both.unevaluatedProperties).toBe(false);
    expect(both.allOf.map((m) => m.additionalProperties)).toEqual([undefined, undefined]);
  });
  it('recursion becomes a reference', () => {
    interface Tree {
      readonly value: string;
      readonly children: readonly Tree[];
    }
    const tree: z.ZodType<Tree> = z.lazy(() => z.object({ value: z.string(), children: z.array(tree) }));
    expect(JSON.stringify(readSchema(tree).schema)).toContain('"$ref"');
    const small = zm.object({
      value: zm.string(),
      get children() {
        return zm.array(small);
      },
    });
    const read = core(readSchema(small).schema);
    expect(read).toEqual({
      $ref: '#/$defs/r1',
      $defs: {
        r1: {
          type: 'object',
          properties: { value: { type: 'string' }, children: { type: 'array', items: { $ref: '#/$defs/r1' } } },
          required: ['value', 'children'],
          additionalProperties: false,
        },
      },
    });
  });
  it('mini: every common type', () => {
    const schema = zm.object({
      e: zm.enum(['a', 'b']),
      l: zm.literal([1, 'x']),
      u: zm.union([zm.string(), zm.null()]),
      t: zm.tuple([zm.string(), zm.optional(zm.number())]),
      m: zm.email(),
      p: zm.pipe(
        zm.string(),
        zm.transform((s: string) => s.length),
      ),
      f: zm.number().check(zm.gte(0), zm.lt(10)),
      n: zm.nullable(zm.boolean()),
    });
    expect((core(readSchema(schema).schema) as { properties: unknown }).properties).toEqual({
      e: { enum: ['a', 'b'] },
      l: { enum: [1, 'x'] },
      u: { anyOf: [{ type: 'string' }, { type: 'null' }] },
      t: { type: 'array', prefixItems: [{ type: 'string' }, { type: 'number' }], items: false, minItems: 1 },
      m: { type: 'string', format: 'email', pattern: expect.any(String) },
      p: { type: 'string' },
      f: { type: 'number', minimum: 0, exclusiveMaximum: 10 },
      n: { anyOf: [{ type: 'boolean' }, { type: 'null' }] },
    });
  });
  it('what JSON cannot hold is an OptionError', () => {
    for (const schema of [
      z.bigint(),
      z.date(),
      zm.bigint(),
      zm.map(zm.string(), zm.string()),
      z3.date(),
      v.date(),
      type('bigint'),
    ]) {
      expect(() => readSchema(schema)).toThrow(OptionError);
    }
  });
});

describe('zod 3', () => {
  it('common types', () => {
    enum Level {
      Low = 0,
      High = 1,
    }
    const schema = z3.object({
      e: z3.enum(['a', 'b']),
      v: z3.nativeEnum(Level),
      l: z3.literal(5),
      u: z3.discriminatedUnion('k', [z3.object({ k: z3.literal('p') }), z3.object({ k: z3.literal('q') })]),
      s: z3.string().regex(/^a+$/).email().nullable(),
      n: z3.number().gt(1).lte(9),
      a: z3.array(z3.string()).min(1).max(3),
      x: z3.string().transform((s) => s.length),
      d: z3.string().default('z'),
      o: z3.object({}).passthrough(),
    });
    const { properties, required } = core(readSchema(schema).schema) as {
      properties: Record<string, unknown>;
      required: string[];
    };
    expect(properties).toMatchObject({
      e: { enum: ['a', 'b'] },
      v: { enum: [0, 1] },
      l: { const: 5 },
      u: { anyOf: [{ properties: { k: { const: 'p' } } }, { properties: { k: { const: 'q' } } }] },
      s: {
        anyOf: [
          { type: 'string', format: 'email', allOf: [{ pattern: '^a+$' }, { pattern: expect.any(String) }] },
          { type: 'null' },
        ],
      },
      n: { exclusiveMinimum: 1, maximum: 9 },
      a: { minItems: 1, maxItems: 3 },
      x: { type: 'string' },
      o: { additionalProperties: true },
    });
    expect(required).not.toContain('d');
  });
});

describe('valibot', () => {
  it('pipes count up to their first transformation', () => {
    const schema = v.object({
      a: v.pipe(
        v.string(),
        v.email(),
        v.transform((s) => s.length),
        v.number(),
      ),
      b: v.nullable(v.picklist(['x', 'y'])),
      c: v.variant('k', [v.object({ k: v.literal(1) }), v.object({ k: v.literal(2) })]),
      d: v.looseObject({ q: v.boolean() }),
    });
    const read = readSchema(schema);
    expect((core(read.schema) as { properties: unknown }).properties).toMatchObject({
      a: { type: 'string', format: 'email' },
      b: { anyOf: [{ enum: ['x', 'y'] }, { type: 'null' }] },
      c: { anyOf: [{ properties: { k: { const: 1 } } }, { properties: { k: { const: 2 } } }] },
      d: { additionalProperties: true },
    });
    expect(read.parse?.({ a: 'a@b.cd', b: null, c: { k: 1 }, d: { q: true } })).toMatchObject({ a: 6 });
  });
});

describe('arktype', () => {
  it('takes the input side of morphs', () => {
    const read = readSchema(type({ n: 'string.numeric.parse' }));
    expect(core(read.schema)).toMatchObject({ properties: { n: { type: 'string' } } });
    expect(read.parse?.({ n: '12' })).toEqual({ n: 12 });
  });
});

describe('what is no schema', () => {
  it.each([[null], [3], [[]], [() => 1], [undefined]])('%s', (value) => {
    expect(() => readSchema(value)).toThrow(OptionError);
  });
  it('an unknown library needs its converter', () => {
    const foreign = { '~standard': { version: 1, vendor: 'other', validate: (value: unknown) => ({ value }) } };
    expect(() => readSchema(foreign)).toThrow(/toJSONSchema/);
    expect(readSchema(foreign, () => ({ type: 'string' })).schema).toEqual({ type: 'string' });
  });
  it('plain schemas and text pass through as they are', () => {
    const schema = { type: 'object', properties: { a: {} } };
    expect(readSchema(schema)).toEqual({ schema });
    expect(readSchema('{}')).toEqual({ schema: '{}' });
    expect(readSchema(true)).toEqual({ schema: true });
  });
});
