import { describe, expect, expectTypeOf, it } from 'vitest';
import * as z from 'zod';
import { OptionError } from '../../src/base/errors.js';
import { choice, json } from '../../src/core.js';
import { sharedEngine } from './models.js';
import { base } from './requests.js';

const shared = sharedEngine();

describe('tools', () => {
  const tools = [
    {
      name: 'add',
      description: 'Adds',
      parameters: {
        type: 'object',
        properties: { a: { type: 'integer', maximum: 9, minimum: 0 } },
        required: ['a'],
        additionalProperties: false,
      },
    },
    { name: 'greet', parameters: z.object({ who: z.enum(['Ann', 'Bob']).transform((s) => s.toUpperCase()) }) },
  ] as const;
  it('give a call, told apart by its name', async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 12; seed++) {
      const r = await shared.engine.generate(null, { ...base, tools, temperature: 3, seed });
      expectTypeOf(r.value).toEqualTypeOf<
        | { readonly name: 'add'; readonly arguments: { a: number } }
        | { readonly name: 'greet'; readonly arguments: { who: string } }
      >();
      seen.add(r.value.name);
      if (r.value.name === 'greet') expect(['ANN', 'BOB']).toContain(r.value.arguments.who);
      else expect(r.value.arguments.a).toBeLessThan(10);
    }
    expect(seen.size).toBe(2);
  });
  it('beside a schema: a call or an answer', async () => {
    const r = await shared.engine.generate(
      { type: 'object', properties: { answer: { const: 'none' } }, required: ['answer'], additionalProperties: false },
      { ...base, tools },
    );
    expect('name' in r.value || 'answer' in r.value).toBe(true);
  });
  it('parameters with definitions of their own', async () => {
    const ref = {
      $defs: { d: { enum: ['x'] } },
      type: 'object',
      properties: { k: { $ref: '#/$defs/d' } },
      required: ['k'],
      additionalProperties: false,
    };
    const r = await shared.engine.generate(null, { ...base, tools: [{ name: 't', parameters: ref }] });
    expect(r.value).toEqual({ name: 't', arguments: { k: 'x' } });
  });
  it('each tool may register schemas; one URI stands for one schema', async () => {
    const tool = (name: string, schema: unknown) => {
      const parameters = { type: 'object', properties: { x: { $ref: 'https://x.test/s' } }, required: ['x'] };
      return { name, parameters: json(parameters, { schemas: { 'https://x.test/s': schema } }) };
    };
    const plain = { name: 'plain', parameters: { type: 'object', additionalProperties: false } };
    const digit = { type: 'integer', minimum: 1, maximum: 3 };
    for (const tools of [
      [plain, tool('b', digit)],
      [tool('b', digit), plain],
      [tool('a', digit), tool('b', { ...digit })],
    ])
      expect((await shared.engine.generate(null, { ...base, tools })).value).toHaveProperty('arguments');
    const tools = [tool('a', digit), tool('b', { type: 'string' })];
    await expect(shared.engine.generate(null, { ...base, tools })).rejects.toThrow(OptionError);
  });
  it('in the forms of chat APIs and of the Model Context Protocol', async () => {
    const schema = { type: 'object', properties: { k: { const: 'x' } }, required: ['k'] } as const;
    const plain = { name: 't', inputSchema: schema } as const;
    const wrapped = { type: 'function', function: { name: 't', parameters: schema, strict: true } } as const;
    for (const tool of [plain, wrapped]) {
      const r = await shared.engine.generate(null, { ...base, tools: [tool] });
      expect(r.value).toMatchObject({ name: 't', arguments: { k: 'x' } });
    }
    const r = await shared.engine.generate(null, { ...base, tools: [plain] });
    expectTypeOf(r.value).toEqualTypeOf<{ readonly name: 't'; readonly arguments: { k: 'x' } }>();
    const w = await shared.engine.generate(null, { ...base, tools: [wrapped] });
    expectTypeOf(w.value).toEqualTypeOf<{ readonly name: 't'; readonly arguments: { k: 'x' } }>();
    const none = await shared.engine.generate(null, {
      ...base,
      tools: [{ type: 'function', function: { name: 'now' } }],
    });
    expect(none.value).toEqual({ name: 'now', arguments: {} });
  });
  it('options of their constraints hold for all', async () => {
    const a = { name: 'a', parameters: json({ $ref: 'urn:a' }, { schemas: { 'urn:a': { enum: [1] } } }) };
    const b = { name: 'b', parameters: json({ $ref: 'urn:b' }, { schemas: { 'urn:b': { enum: [2] } } }) };
    const r = await shared.engine.generate(null, { ...base, tools: [a, b] });
    expect(r.value.arguments).toBe(r.value.name === 'a' ? 1 : 2);
    const other = { name: 'b', parameters: json({}, { formats: 'annotate' }) };
    const more = { name: 'c', parameters: json({}, { formats: 'assert' }) };
    await expect(shared.engine.generate(null, { ...base, tools: [other, more] })).rejects.toThrow(/'formats'/);
  });
  it('calls in messages are part of the prompt, whichever way they are written', async () => {
    const size = async (call: unknown, content: string | null): Promise<number> => {
      const calls = call === undefined ? {} : { tool_calls: [call] };
      const messages = [
        { role: 'user', content: 'x' },
        { role: 'assistant', content, ...calls },
        { role: call === undefined ? 'user' : 'tool', content: call === undefined ? 'Result of add: 5' : '5' },
      ];
      return (await shared.engine.generate(choice(['a']), { messages })).usage.promptTokens;
    };
    const written = await size(undefined, '{"name":"add","arguments":{"a":1}}');
    expect(await size({ name: 'add', arguments: { a: 1 } }, '')).toBe(written);
    const chat = { id: '1', type: 'function', function: { name: 'add', arguments: '{"a": 1}' } };
    expect(await size(chat, null)).toBe(written);
    await expect(size(undefined, null)).rejects.toThrow(/messages\[1\]/);
  });
  it('bad tools are OptionErrors', async () => {
    for (const tool of [
      null,
      {},
      { name: 5 },
      { name: 'a', schema: {} },
      { name: 'a', parameters: 5 },
      { name: 'a', parameters: choice(['x']) },
    ])
      await expect(
        shared.engine.generate(null, { ...base, tools: [tool] as never }),
        JSON.stringify(tool),
      ).rejects.toThrow(/tools\[0\]/);
    await expect(
      shared.engine.generate(null, {
        ...base,
        tools: [
          { name: 'a', parameters: {} },
          { name: 'a', parameters: {} },
        ],
      }),
    ).rejects.toThrow(OptionError);
    await expect(shared.engine.generate(null, { ...base, tools: 'x' as never })).rejects.toThrow(OptionError);
  });
});
