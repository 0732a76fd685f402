/** What nests too deep in a request ends in a typed error, whatever it is part of and whatever the form of calls. */
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { LimitError, OptionError, TokenloomError } from '../../src/base/errors.js';
import { ValueError } from '../../src/base/value-error.js';
import { json, tags } from '../../src/core.js';
import { freeCallsTarget } from '../../src/engine/free-calls.js';
import { parsed } from '../../src/engine/json-value.js';
import { prepare } from '../../src/engine/prepare.js';
import { readTools } from '../../src/engine/tools.js';
import { compileGrammar } from '../../src/fsm/index.js';
import { constraintGrammar } from '../../src/grammar/constraint/index.js';
import { sharedEngine } from './models.js';
import { FORMS } from './sample-forms.js';

const nest = (levels: number, wrap: (inner: unknown) => unknown, core: unknown = { type: 'string' }): unknown => {
  let value = core;
  for (let i = 0; i < levels; i++) value = wrap(value);
  return value;
};
const SCHEMAS: Readonly<Record<string, (levels: number) => unknown>> = {
  properties: (n) => nest(n, (a) => ({ type: 'object', properties: { a } })),
  items: (n) => ({ type: 'object', properties: { a: nest(n, (items) => ({ type: 'array', items })) } }),
  anyOf: (n) => ({ type: 'object', properties: { a: nest(n, (inner) => ({ anyOf: [inner, { type: 'null' }] })) } }),
  default: (n) => ({ type: 'object', properties: {}, default: nest(n, (inner) => [inner], 1) }),
  text: (n) => JSON.stringify({ items: 0 }).replace('0', `${'{"items":'.repeat(n)}true${'}'.repeat(n)}`),
};
const shared = sharedEngine();
const request = { prompt: 'x', maxTokens: 40, seed: 1 };
const typed = async (work: () => unknown): Promise<unknown> => {
  try {
    return await work();
  } catch (error) {
    expect(error).toBeInstanceOf(TokenloomError);
    return error;
  }
};

describe.each(Object.entries(SCHEMAS))('schemas nested by %s', (_, make) => {
  it('3,000 levels', async () => {
    const schema = make(3_000);
    const named = [{ name: 't', parameters: schema }];
    for (const options of [
      { ...request, tools: named },
      { ...request, tools: named, toolChoice: 'auto' as const },
      { ...request, tools: named, toolChoice: { name: 't' } },
    ])
      await expect(shared.engine.generate(null, options as typeof request)).rejects.toThrow(
        /nesting of tools\[0\] \('t'\): \d+ is over the limit of 1000; make it flatter/,
      );
    await expect(shared.engine.generate(schema, request)).rejects.toThrow(LimitError);
    await expect(shared.engine.generate(json(schema), request)).rejects.toThrow(LimitError);
    await expect(shared.engine.measure(schema, request)).rejects.toThrow(LimitError);
    const tagged = tags([{ begin: '<a>', content: schema, end: '</a>' }]);
    await expect(shared.engine.generate(tagged, request)).rejects.toThrow(/nesting of the schema of tags\[0\]/);
  });
  it('330 levels: a grammar or a typed error in each kind of form', async () => {
    const schema = make(330);
    for (const form of ['ours', 'coder', 'plain notation'])
      await typed(() => {
        const { constraint } = freeCallsTarget(readTools([{ name: 't', parameters: schema }]), true, true, FORMS[form]);
        compileGrammar(constraintGrammar(constraint!).grammar);
      });
    await typed(() => shared.engine.measure(null, { ...request, tools: [{ name: 't', parameters: schema }] }));
  });
});

it('messages, variables and calls in them', () => {
  const deep = nest(5_000, (inner) => [inner], 1);
  const called = (given: unknown) => ({
    messages: [
      { role: 'user', content: 'x' },
      { role: 'assistant', content: '', tool_calls: [{ name: 't', arguments: given }] },
    ],
  });
  for (const options of [
    called(deep),
    called(`${'['.repeat(5_000)}${']'.repeat(5_000)}`),
    { prompt: 'x', templateVariables: { deep } },
    { messages: [{ role: 'user', content: 'x', extra: deep }] },
  ])
    expect(() => prepare(null, options as never)).toThrow(LimitError);
  expect(() => prepare(null, { prompt: 'x', tools: [deep] } as never)).toThrow(OptionError);
  expect(() => prepare(null, { prompt: 'x', priority: deep } as never)).toThrow(OptionError);
});

it('schemas that contain themselves or whose text would be endless', () => {
  const self: Record<string, unknown> = { type: 'object' };
  self.properties = { self };
  expect(() => prepare(self, { prompt: 'x' })).toThrow(OptionError);
  expect(() => prepare(null, { prompt: 'x', tools: [{ name: 't', parameters: self }] })).toThrow(OptionError);
  expect(() => prepare(null, { prompt: 'x', tools: [self] })).toThrow(OptionError);
  const wide = nest(60, (inner) => ({ allOf: [inner, inner] }));
  expect(() => prepare(wide, { prompt: 'x' })).toThrow(/values in the schema/);
});

it('a value too deep for its schema library', async () => {
  const list: z.ZodType = z.lazy(() => z.array(list));
  const value: unknown = nest(50_000, (inner) => [inner], []);
  await expect(parsed(json(list), value)).rejects.toThrow(ValueError);
});
