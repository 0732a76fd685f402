/** Result types are inferred: checked by the compiler (`npm run types`); nothing here runs a model. */
import { type Static, Type as TypeBox0 } from '@sinclair/typebox';
import { type } from 'arktype';
import { Type as TypeBox1 } from 'typebox';
import * as v from 'valibot';
import { describe, expectTypeOf, it } from 'vitest';
import * as z from 'zod';
import * as zm from 'zod/mini';
import { z as z3 } from 'zod/v3';
import type { Engine } from '../../src/engine/engine.js';
import type { Answer, AnyTool, GenerateOptions, Output, Result, Tool, ToolChoice } from '../../src/engine/types.js';
import {
  type ChoiceConstraint,
  type Constraint,
  choice,
  type GbnfConstraint,
  type Infer,
  type JsonConstraint,
  json,
} from '../../src/grammar/constraint/index.js';

describe('Infer', () => {
  it('schema libraries give their output type', () => {
    const zod4 = z.object({ a: z.string().transform((s) => s.length), b: z.number().optional() });
    expectTypeOf<Infer<typeof zod4>>().toEqualTypeOf<{ a: number; b?: number | undefined }>();
    const mini = zm.object({ a: zm.string() });
    expectTypeOf<Infer<typeof mini>>().toEqualTypeOf<{ a: string }>();
    const zod3 = z3.object({ a: z3.string(), b: z3.enum(['x', 'y']) });
    expectTypeOf<Infer<typeof zod3>>().toEqualTypeOf<{ a: string; b: 'x' | 'y' }>();
    const valibot = v.object({
      a: v.pipe(
        v.string(),
        v.transform((s) => s.length),
      ),
    });
    expectTypeOf<Infer<typeof valibot>>().toEqualTypeOf<{ a: number }>();
    const ark = type({ a: 'string', 'b?': 'number' });
    expectTypeOf<Infer<typeof ark>>().toEqualTypeOf<{ a: string; b?: number }>();
    const box0 = TypeBox0.Object({ a: TypeBox0.String(), b: TypeBox0.Optional(TypeBox0.Number()) });
    expectTypeOf<Infer<typeof box0>>().toEqualTypeOf<Static<typeof box0>>();
    const box1 = TypeBox1.Object({
      a: TypeBox1.String(),
      b: TypeBox1.Optional(TypeBox1.Number()),
      c: TypeBox1.Array(TypeBox1.Boolean()),
    });
    expectTypeOf<Infer<typeof box1>>().toEqualTypeOf<{ a: string; b?: number; c: boolean[] }>();
  });

  it('JSON Schema literals give the type that they describe', () => {
    const schema = {
      type: 'object',
      properties: {
        name: { type: 'string' },
        age: { type: 'integer' },
        tags: { type: 'array', items: { type: 'string' } },
        level: { enum: ['low', 'high', 3] },
        kind: { const: 'x' },
        either: { anyOf: [{ type: 'string' }, { type: 'null' }] },
        maybe: { type: ['number', 'null'] },
        any: {},
      },
      required: ['name', 'tags'],
    } as const;
    expectTypeOf<Infer<typeof schema>>().toEqualTypeOf<{
      name: string;
      tags: string[];
      age?: number;
      level?: 'low' | 'high' | 3;
      kind?: 'x';
      either?: string | null;
      maybe?: number | null;
      any?: unknown;
    }>();
    expectTypeOf<Infer<'{"type":"string"}'>>().toEqualTypeOf<unknown>();
    expectTypeOf<Infer<true>>().toEqualTypeOf<unknown>();
    expectTypeOf<Infer<{ type: 'object'; additionalProperties: { type: 'number' } }>>().toEqualTypeOf<
      Record<string, number>
    >();
    expectTypeOf<Infer<{ type: string }>>().toEqualTypeOf<unknown>();
  });
});

describe('Output', () => {
  it('follows schema, constraint and tools', () => {
    expectTypeOf<Output<null, undefined>>().toEqualTypeOf<string>();
    expectTypeOf<Output<{ readonly type: 'string' }, undefined>>().toEqualTypeOf<string>();
    expectTypeOf<Output<JsonConstraint<{ a: 1 }>, undefined>>().toEqualTypeOf<{ a: 1 }>();
    expectTypeOf<Output<GbnfConstraint, undefined>>().toEqualTypeOf<string>();
    expectTypeOf<Output<ChoiceConstraint<'yes' | 'no'>, undefined>>().toEqualTypeOf<'yes' | 'no'>();
    type Tools = readonly [
      {
        readonly name: 'add';
        readonly parameters: {
          readonly type: 'object';
          readonly properties: { readonly a: { readonly type: 'number' } };
          readonly required: readonly ['a'];
        };
      },
      { readonly name: 'stop'; readonly parameters: { readonly type: 'null' } },
    ];
    expectTypeOf<Output<null, Tools>>().toEqualTypeOf<
      { readonly name: 'add'; readonly arguments: { a: number } } | { readonly name: 'stop'; readonly arguments: null }
    >();
  });

  it('follows tools and their choice in every form', () => {
    const lit = [
      {
        name: 'add',
        parameters: { type: 'object', properties: { a: { type: 'number' } }, required: ['a'] },
      },
      { name: 'stop', parameters: { type: 'null' } },
    ] as const;
    type Add = { readonly name: 'add'; readonly arguments: { a: number } };
    type Stop = { readonly name: 'stop'; readonly arguments: null };
    const _calls = (e: Engine, choice: ToolChoice, plain: Tool[], any: readonly AnyTool[], name: string) => {
      const with_ = { prompt: '', tools: lit } as const;
      return {
        variable: e.generate(null, { ...with_, toolChoice: choice }),
        named: e.generate(null, { ...with_, toolChoice: { name: 'add' } }),
        anyName: e.generate(null, { ...with_, toolChoice: { name } }),
        orAnswer: e.generate({ type: 'string' }, { prompt: '', tools: plain }),
        plainNamed: e.generate(null, { prompt: '', tools: plain, toolChoice: { name: 'add' } }),
        free: e.generate(null, { prompt: '', tools: any, toolChoice: 'auto' }),
        none: e.generate(null, { prompt: '', tools: [], toolChoice: 'auto' }),
        forms: e.generate(null, {
          prompt: '',
          tools: [
            { type: 'function', function: { name: 'f', parameters: { type: 'boolean' } } },
            { name: 'm', inputSchema: { type: 'string' } },
            { name: 'a', input_schema: { type: 'null' } },
          ],
        }),
      };
    };
    type Values = { [K in keyof ReturnType<typeof _calls>]: Awaited<ReturnType<typeof _calls>[K]>['value'] };
    expectTypeOf<Values['variable']>().toEqualTypeOf<string | Add | Stop | Answer<(typeof lit)[number]>>();
    expectTypeOf<Values['named']>().toEqualTypeOf<Add>();
    expectTypeOf<Values['anyName']>().toEqualTypeOf<Add | Stop>();
    expectTypeOf<Values['orAnswer']>().toEqualTypeOf<string | { readonly name: string; readonly arguments: unknown }>();
    expectTypeOf<Values['plainNamed']>().toEqualTypeOf<{ readonly name: 'add'; readonly arguments: unknown }>();
    expectTypeOf<Values['free']>().toEqualTypeOf<Answer<AnyTool>>();
    expectTypeOf<Values['none']>().toEqualTypeOf<Answer<never>>();
    expectTypeOf<Values['forms']>().toEqualTypeOf<
      | { readonly name: 'f'; readonly arguments: boolean }
      | { readonly name: 'm'; readonly arguments: string }
      | { readonly name: 'a'; readonly arguments: null }
    >();
  });
  it('functions over constraints have the types of their parameters', () => {
    const _pick = async <const C extends readonly string[]>(e: Engine, texts: C): Promise<C[number]> =>
      (await e.generate(choice(texts), { prompt: '' })).value;
    const _any = async <T>(e: Engine, constraint: Constraint<T>): Promise<T> =>
      (await e.generate(constraint, { prompt: '' })).value;
    expectTypeOf<ReturnType<typeof _pick<['a', 'b']>>>().toEqualTypeOf<Promise<'a' | 'b'>>();
    expectTypeOf<ReturnType<typeof _any<5>>>().toEqualTypeOf<Promise<5>>();
    const _pipe = (e: Engine) =>
      e.generate(
        v.pipe(
          v.string(),
          v.transform((s) => s.length),
        ),
        { prompt: '' },
      );
    expectTypeOf<Awaited<ReturnType<typeof _pipe>>['value']>().toEqualTypeOf<number>();
  });
});

describe('streams', () => {
  it('partial values have the type of the JSON so far, before transforms', () => {
    const lib = z.object({
      when: z.string().transform((s) => new Date(s)),
      level: z.enum(['low', 'high']),
      rows: z.array(z.object({ id: z.int(), ok: z.boolean().nullable() })),
    });
    const tools = [{ name: 'add', parameters: lib }] as const;
    const _streams = (e: Engine, free: JsonConstraint<5>, any: Record<string, unknown>) => ({
      lib: e.stream(lib, { prompt: '' }),
      made: e.stream(json(lib), { prompt: '' }),
      literal: e.stream({ type: 'array', items: { enum: ['a', 1] } }, { prompt: '' }),
      list: e.stream(v.array(v.object({ a: v.number() })), { prompt: '' }),
      text: e.stream(null, { prompt: '' }),
      choice: e.stream(choice(['a', 'b']), { prompt: '' }),
      free: e.stream(free, { prompt: '' }),
      any: e.stream(any, { prompt: '' }),
      call: e.stream(null, { prompt: '', tools }),
      either: e.stream(z.string(), { prompt: '', tools }),
      auto: e.stream(null, { prompt: '', tools, toolChoice: 'auto' }),
    });
    type Of<S> = S extends AsyncIterable<infer T> ? T : never;
    type Streams = ReturnType<typeof _streams>;
    type Partials = { [K in keyof Streams]: Of<Streams[K]['partialStream']> };
    type Elements = { [K in keyof Streams]: Of<Streams[K]['elementStream']> };
    type Rows = { when?: string; level?: string; rows?: { id?: number; ok?: boolean | null }[] };
    expectTypeOf<Partials['lib']>().toEqualTypeOf<Rows>();
    expectTypeOf<Partials['made']>().toEqualTypeOf<Rows>();
    expectTypeOf<Partials['literal']>().toEqualTypeOf<(string | 1)[]>();
    expectTypeOf<Partials['list']>().toEqualTypeOf<{ a?: number }[]>();
    expectTypeOf<Partials['text']>().toEqualTypeOf<never>();
    expectTypeOf<Partials['choice']>().toEqualTypeOf<never>();
    expectTypeOf<Partials['free']>().toEqualTypeOf<unknown>();
    expectTypeOf<Partials['any']>().toEqualTypeOf<unknown>();
    expectTypeOf<Partials['call']>().toEqualTypeOf<{ readonly name?: string; readonly arguments?: Rows }>();
    expectTypeOf<Partials['either']>().toEqualTypeOf<string | { readonly name?: string; readonly arguments?: Rows }>();
    expectTypeOf<Partials['auto']>().toEqualTypeOf<never>();
    expectTypeOf<Elements['list']>().toEqualTypeOf<{ a: number }>();
    expectTypeOf<Elements['literal']>().toEqualTypeOf<'a' | 1>();
    expectTypeOf<Elements['lib']>().toEqualTypeOf<never>();
    expectTypeOf<Elements['any']>().toEqualTypeOf<unknown>();
    expectTypeOf<Awaited<Streams['lib']['result']>['value']['when']>().toEqualTypeOf<Date>();
  });
});

describe('signals', () => {
  const schema = { type: 'object', properties: { a: { type: 'number' } }, required: ['a'] } as const;
  type Value = { a: number };
  it('a request that may be aborted has a value once that is ruled out', () => {
    const _calls = (e: Engine, signal: AbortSignal, options: GenerateOptions, tools: Tool[]) => ({
      never: e.generate(schema, { prompt: '' }),
      undefined: e.generate(schema, { prompt: '', signal: undefined }),
      signal: e.generate(schema, { prompt: '', signal }),
      maybe: e.generate(schema, options),
      text: e.generate(null, { prompt: '', signal }),
      call: e.generate(null, { prompt: '', signal, tools }),
      stream: e.stream(schema, { prompt: '', signal }).result,
      events: e.stream(schema, { prompt: '', signal }),
    });
    type Calls = ReturnType<typeof _calls>;
    type Values = { [K in Exclude<keyof Calls, 'events'>]: Awaited<Calls[K]>['value'] };
    expectTypeOf<Values['never']>().toEqualTypeOf<Value>();
    expectTypeOf<Values['undefined']>().toEqualTypeOf<Value>();
    expectTypeOf<Values['signal']>().toEqualTypeOf<Value | undefined>();
    expectTypeOf<Values['maybe']>().toEqualTypeOf<Value | undefined>();
    expectTypeOf<Values['stream']>().toEqualTypeOf<Value | undefined>();
    expectTypeOf<Values['text']>().toEqualTypeOf<string>();
    expectTypeOf<Values['call']>().toEqualTypeOf<{ readonly name: string; readonly arguments: unknown } | undefined>();
    const _narrowed = async (e: Engine, signal: AbortSignal): Promise<number> => {
      const { value, finishReason } = await e.generate(schema, { prompt: '', signal });
      if (finishReason === 'abort') return 0;
      return value.a;
    };
    const _events = async (e: Engine, signal: AbortSignal): Promise<number | undefined> => {
      for await (const event of e.stream(schema, { prompt: '', signal })) {
        if (event.type === 'done' && event.result.finishReason !== 'abort') return event.result.value.a;
      }
      return undefined;
    };
    const _choices = async (e: Engine, signal: AbortSignal): Promise<(number | undefined)[]> =>
      ((await e.generate(schema, { prompt: '', signal, n: 2 })).choices ?? []).map((c) => c.value?.a);
    const _passed = async (e: Engine, signal: AbortSignal): Promise<Result<Value | undefined>> =>
      e.generate(schema, { prompt: '', signal });
    expectTypeOf<ReturnType<typeof _narrowed>>().toEqualTypeOf<Promise<number>>();
    expectTypeOf<ReturnType<typeof _events>>().toEqualTypeOf<Promise<number | undefined>>();
    expectTypeOf<ReturnType<typeof _choices>>().toEqualTypeOf<Promise<(number | undefined)[]>>();
    expectTypeOf<ReturnType<typeof _passed>>().toEqualTypeOf<Promise<Result<Value | undefined>>>();
  });
});
