/** Tools at the caller's and at the model's choice. */
import { describe, expect, expectTypeOf, it } from 'vitest';
import * as z from 'zod';
import { OptionError } from '../../src/base/errors.js';
import { ValueError } from '../../src/base/value-error.js';
import { compile, Matcher, Vocabulary } from '../../src/core.js';
import { ResultChecker } from '../../src/engine/check.js';
import { buildPrompt } from '../../src/engine/prompt.js';
import { targetOf } from '../../src/engine/target.js';
import type { Answer } from '../../src/engine/types.js';
import { tags } from '../../src/grammar/constraint/index.js';
import { createChat } from '../../src/runtime/chat.js';
import { sharedEngine } from './models.js';
import { textTokenizer } from './text-tokenizer.js';

const tools = [
  {
    name: 'add',
    description: 'Adds',
    parameters: { type: 'object', properties: { a: { enum: [1, 2] } }, required: ['a'], additionalProperties: false },
  },
  { name: 'greet', parameters: z.object({ who: z.enum(['Ann', 'Bob']).transform((s) => s.toUpperCase()) }) },
] as const;
const bytes = Vocabulary.fromTokens([...Array.from({ length: 256 }, (_, b) => Uint8Array.of(b)), null], { eos: [256] });
const call = (json: string): string => `<tool_call>\n${json}\n</tool_call>`;
const ADD = call('{"name":"add","arguments":{"a":1}}');
const GREET = call('{"name":"greet","arguments":{"who":"Ann"}}');

describe("toolChoice 'auto'", () => {
  const target = targetOf(null, { tools, toolChoice: 'auto' });
  const fits = (text: string, t = target): boolean => {
    const matcher = new Matcher(compile(t.constraint!), bytes);
    return matcher.acceptBytes(new TextEncoder().encode(text)) && matcher.isAccepting;
  };
  const finish = (text: string) => target.finish(text, new ResultChecker(), () => {});

  it('takes text, and calls behind it', () => {
    expect(['', 'No call < needed.', `Let me see.\n${ADD}`, `${ADD}\n${GREET}`].map((t) => fits(t))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect([`${ADD} and so on`, call('{"name":"other","arguments":{}}'), 'a <tool_call>'].map((t) => fits(t))).toEqual([
      false,
      false,
      false,
    ]);
    const one = targetOf(null, { tools, toolChoice: 'auto', parallelToolCalls: false });
    expect([fits(`x${ADD}`, one), fits(`x${ADD}\n${GREET}`, one)]).toEqual([true, false]);
  });
  it('reads them, arguments as their schema library gives them', async () => {
    expect(await finish('Just text.')).toEqual({ text: 'Just text.', calls: [] });
    expect(await finish(`Let me see.\n${GREET}\n${ADD}`)).toEqual({
      text: 'Let me see.',
      calls: [
        { name: 'greet', arguments: { who: 'ANN' } },
        { name: 'add', arguments: { a: 1 } },
      ],
    });
    await expect(finish(call('{"name":"add","arguments":{"a":3}}'))).rejects.toThrow(ValueError);
  });
  it('gives the same form where the list of tools is empty', async () => {
    const none = targetOf(null, { tools: [], toolChoice: 'auto' });
    expect(none.constraint).toBeUndefined();
    expect(await none.finish('Hi \n', undefined, () => {})).toEqual({ text: 'Hi', calls: [] });
    expect(() => targetOf({ type: 'string' }, { tools: [], toolChoice: 'auto' })).toThrow(OptionError);
  });
  it('reads the closing mark in an argument as text', async () => {
    const note = [
      {
        name: 'note',
        parameters: {
          type: 'object',
          properties: { text: { type: 'string' } },
          required: ['text'],
          additionalProperties: false,
        },
      },
    ];
    const own = targetOf(null, { tools: note, toolChoice: 'auto' });
    const text = call(JSON.stringify({ name: 'note', arguments: { text: '\n</tool_call>\n<tool_call>\n' } }));
    expect(fits(text, own)).toBe(true);
    expect(await own.finish(text, new ResultChecker(), () => {})).toEqual({
      text: '',
      calls: [{ name: 'note', arguments: { text: '\n</tool_call>\n<tool_call>\n' } }],
    });
  });
  it('is told to models whose template does not tell it', () => {
    const prompt = (template: string): string =>
      buildPrompt(
        { messages: [{ role: 'user', content: 'Hi' }], tools: target.tools, freeCalls: true, reserve: 10 },
        createChat('test', new Map([['default', template]]), {}),
        textTokenizer,
        4096,
      ).text;
    const each = '{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}';
    expect(prompt(`{{ tools_json }}${each}`)).toMatch(
      /You may call tools\..*\n<tool_call>\n\{"name":"…","arguments":\{…\}\}\n<\/tool_call>\[user\]Hi$/s,
    );
    const calls = `{% for c in m.tool_calls %}<tool_call>\n{{ c.function | tojson }}\n</tool_call>{% endfor %}`;
    const all = `{% for m in messages %}[{{ m.role }}]{{ m.content }}{% if m.tool_calls %}${calls}{% endif %}{% endfor %}`;
    expect(prompt(`{% if tools %}{{ tools | tojson }} Write <tool_call>{% endif %}${all}`)).not.toContain('You may');
  });
});

describe('engines', () => {
  const shared = sharedEngine();
  const base = { prompt: 'Hello', maxTokens: 60, temperature: 2 };

  it("answer in text and calls with 'auto'", async () => {
    const r = await shared.engine.generate(null, { ...base, tools, toolChoice: 'auto', seed: 1 });
    expectTypeOf(r.value).toEqualTypeOf<Answer<(typeof tools)[number]>>();
    expectTypeOf(r.value.calls[0]!).toEqualTypeOf<
      | { readonly name: 'add'; readonly arguments: { a: 1 | 2 } }
      | { readonly name: 'greet'; readonly arguments: { who: string } }
    >();
    expect(r.value.calls).toEqual([]);
    expect(r.value.text.length).toBeGreaterThan(0);
  });
  it('call the tool that is named, or none', async () => {
    for (let seed = 0; seed < 4; seed++) {
      const r = await shared.engine.generate(null, { ...base, tools, toolChoice: { name: 'add' }, seed });
      expectTypeOf(r.value).toEqualTypeOf<{ readonly name: 'add'; readonly arguments: { a: 1 | 2 } }>();
      expect(r.value.name).toBe('add');
    }
    const r = await shared.engine.generate({ enum: ['x'] }, { ...base, tools, toolChoice: 'none' });
    expectTypeOf(r.value).toEqualTypeOf<'x'>();
    expect(r.value).toBe('x');
  });
  it('write tags that must come within a budget', async () => {
    const tag = { begin: '<a>', content: { type: 'array', items: { type: 'integer' }, minItems: 2 }, end: '</a>' };
    for (let seed = 0; seed < 4; seed++) {
      const r = await shared.engine.generate(tags([tag], { min: 2 }), { ...base, seed, maxTokens: 40 });
      expect(r.text.match(/<a>\[[-\d, \n\t]+\]<\/a>/g)?.length, r.text).toBeGreaterThanOrEqual(2);
      expect(r.value).toBe(r.text);
    }
  });
  it.each([
    ['an unknown choice', { toolChoice: 'any' }],
    ['a tool that is not there', { toolChoice: { name: 'sub' } }],
    ['parallel calls of one', { toolChoice: 'required', parallelToolCalls: true }],
    ['a schema beside a choice of the model', { toolChoice: 'auto' }, { type: 'string' }],
    ['a schema beside a named tool', { toolChoice: { name: 'add' } }, { type: 'string' }],
  ])('refuse %s', async (_, options, schema: unknown = null) => {
    await expect(shared.engine.generate(schema, { ...base, tools, ...(options as object) })).rejects.toThrow(
      OptionError,
    );
  });
});
