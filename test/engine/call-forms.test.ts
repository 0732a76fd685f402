/** Calls in the forms of model families: learned from templates, enforced, and read back. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ValueError } from '../../src/base/value-error.js';
import { compile, json, Matcher, tags, Vocabulary } from '../../src/core.js';
import { type CalledTool, callText, readCalls } from '../../src/engine/call-format.js';
import { ResultChecker } from '../../src/engine/check.js';
import { buildPrompt } from '../../src/engine/prompt.js';
import { targetOf } from '../../src/engine/target.js';
import { createChat } from '../../src/runtime/chat.js';
import { CHAT_TEMPLATES } from './chat-templates.js';
import { sharedEngine } from './models.js';
import { ELEMENTS, FORMS } from './sample-forms.js';
import { textTokenizer } from './text-tokenizer.js';

const formOf = (
  template: string | ReadonlyMap<string, string>,
  ends: readonly string[] = ['<end>', '<eot>', '<eos>'],
) => {
  const templates = typeof template === 'string' ? new Map([['default', template]]) : template;
  return createChat('test', templates, { bos_token: '<s>', eos_token: '</s>' }, ends);
};
/** A turn for each message, with what `calls` writes in place of content. */
const turns = (calls: string, more = ''): string =>
  `{% for m in messages %}<{{ m.role }}>{% if m.tool_calls %}${calls}{% else %}${more}{{ m.content }}{% endif %}<end>{% endfor %}` +
  '{% if add_generation_prompt %}<assistant>{% endif %}';
const each = (body: string): string => `{% for c in m.tool_calls %}{% set f = c.function %}${body}{% endfor %}`;

describe('the form of calls', () => {
  it.each(['mistral', 'llama', 'deepseek', 'coder'])('of %s', (model) => {
    expect(formOf(CHAT_TEMPLATES[model]!).callForm).toEqual(FORMS[model]);
  });
  it('of qwen', () => {
    expect(formOf(CHAT_TEMPLATES.qwen!).callForm).toMatchObject({ trigger: '<tool_call>', end: '}\n</tool_call>' });
  });
  it.each(['embedded', 'embedded-moe'])('of %s', (name) => {
    const file = new URL(`../../models/${name}/tokenizer_config.json`, import.meta.url);
    const template: string = JSON.parse(readFileSync(file, 'utf8')).chat_template;
    const chat = formOf(template, ['<|end|>']);
    expect(chat.callForm).toMatchObject({
      begin: '{"name":"',
      middle: '","arguments":',
      end: '}',
      place: 'alone',
    });
    const call = { id: 'a', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } };
    const messages = [
      { role: 'user', content: 'Weather?' },
      { role: 'assistant', content: '', tool_calls: [call] },
      { role: 'tool', tool_call_id: 'a', content: '12 degrees' },
    ];
    expect(buildPrompt({ messages, reserve: 10 }, chat, textTokenizer, 4096).text).toContain(
      '<|assistant|>{"name":"weather","arguments":{"city":"Oslo"}}<|end|><|user|>12 degrees<|end|>',
    );
  });
  it.each([['phi3'], ['gemma']])('of %s is none', (model) => {
    const chat = formOf(CHAT_TEMPLATES[model]!);
    expect([chat.callForm, chat.writesCalls]).toEqual([undefined, false]);
  });
  const value = '{{ v if v is string else v | tojson }}';
  it.each([
    [
      'glm',
      turns(
        each(
          `<call>{{ f.name }}{% for k, v in f.arguments | items %}<key>{{ k }}</key><value>${value}</value>{% endfor %}</call>`,
        ),
      ),
    ],
    [
      'elements that tell the kind',
      turns(
        `<calls>{% for c in m.tool_calls %}{{ '\\n' }}<invoke name="{{ c.function.name }}">\n{% for k, v in c.function.arguments | items %}<p name="{{ k }}" string="{{ 'true' if v is string else 'false' }}">${value}</p>{% if not loop.last %}{{ '\\n' }}{% endif %}{% endfor %}{{ '\\n' }}</invoke>{% endfor %}{{ '\\n' }}</calls>`,
      ),
    ],
  ])('with parameters as elements: %s', (name, template) => {
    expect(formOf(template).callForm).toEqual(FORMS[name]);
  });
  it('is none where values of some kind are not written as JSON', () => {
    const template = turns(
      each(
        '<call>{{ f.name }}{% for k, v in f.arguments | items %}<{{ k }}>{{ v if v is string }}</{{ k }}>{% endfor %}</call>',
      ),
    );
    const chat = formOf(template);
    expect([chat.callForm, chat.writesCalls]).toEqual([undefined, true]);
  });
  it('is none where strings are escaped', () => {
    const template = turns(
      each(
        '<call>{{ f.name }}{% for k, v in f.arguments | items %}<k>{{ k }}</k><v>{{ v | replace("&", "&amp;") if v is string else v | tojson }}</v>{% endfor %}</call>',
      ),
    );
    expect(formOf(template).callForm).toBeUndefined();
    expect(formOf(template.replace('"&amp;"', '"&"')).callForm).toBeDefined();
  });
  it.each([
    [
      'counted',
      turns(
        `<calls>${each('<call>functions.{{ f.name }}:{{ loop.index0 }}<args>{{ f.arguments | tojson }}</call>')}</calls>`,
      ),
    ],
    ['counted', turns(`<calls>${each('<call>{{ c.id }}<args>{{ f.arguments | tojson }}</call>')}</calls>`)],
    [
      'numbers in between',
      turns(
        `<calls>[${each('{"id": "{{ loop.index0 }}", "name": "{{ f.name }}", "arguments": {{ f.arguments | tojson }}}{% if not loop.last %}, {% endif %}')}]`,
      ),
    ],
    ['nothing behind', turns(each('[CALLS]{{ f.name }}[ARGS]{{ f.arguments | tojson }}'))],
    [
      'an answer with a lead',
      turns(
        ' to=functions.{{ m.tool_calls[0].function.name }}<channel>json<message>{{ m.tool_calls[0].function.arguments | tojson }}',
        '{% if m.role == "assistant" %}<channel>final<message>{% endif %}',
      ).replaceAll('<{{ m.role }}>', '<{{ m.role }}'),
    ],
  ])('%s', (name, template) => {
    const text = name === 'an answer with a lead' ? template.replace('%}<assistant>{%', '%}<assistant{%') : template;
    expect(formOf(text).callForm).toEqual(FORMS[name]);
  });
  it('has the end that several calls have, where the template leaves it out behind one (DeepSeek V3)', () => {
    const call = '<call>function<sep>{{ f.name }}\n```json\n{{ f.arguments | tojson }}\n```</call>';
    const template = turns(`<calls>${each(`${call}{% if not loop.first %}</calls><eos>{% endif %}`)}`);
    expect(formOf(template).callForm).toEqual(FORMS.deepseek);
  });
  it('is none where its mark begins answers too, or arguments are no JSON', () => {
    const both = turns(
      each('<x>{{ f.name }}:{{ f.arguments | tojson }}'),
      '{% if m.role == "assistant" %}<y>{% endif %}',
    );
    expect(formOf(both).callForm).toBeDefined();
    expect(formOf(both.replace('<end>', '<x><end>')).callForm).toBeUndefined();
    expect(
      formOf(turns(each('<x>{{ f.name }}({% for k, v in f.arguments | items %}{{ k }}={{ v }}{% endfor %})'))).callForm,
    ).toBeUndefined();
  });
});

const bytes = Array.from({ length: 256 }, (_, b) => Uint8Array.of(b));
const plain = Vocabulary.fromTokens([...bytes, null], { eos: [256] });
const tools = [
  {
    name: 'add',
    parameters: { type: 'object', properties: { a: { enum: [1, 2] } }, required: ['a'], additionalProperties: false },
  },
  {
    name: 'addAll',
    parameters: { type: 'object', properties: { s: { type: 'string' } }, required: ['s'], additionalProperties: false },
  },
] as const;
const called: readonly CalledTool[] = [
  { name: 'add', kinds: {} },
  { name: 'addAll', kinds: { s: ['string'] } },
];
const ids = (i: number): string => `call0000${i}`;

describe.each(Object.entries(FORMS))('calls in the form: %s', (_, form) => {
  const target = targetOf(null, { tools, toolChoice: 'auto' }, form);
  const grammar = compile(target.constraint!);
  const fits = (text: string): boolean => {
    const matcher = new Matcher(grammar, plain);
    return matcher.acceptBytes(new TextEncoder().encode(text)) && matcher.isAccepting;
  };
  const one = [{ name: 'add', arguments: '{"a":1}' }];
  // Strings of JSON may hold the marks themselves, elements all but their own.
  const two = [...one, { name: 'addAll', arguments: JSON.stringify({ s: `x"${form.end}${form.begin}\\` }) }];
  const number = form.id === 'number' ? String : ids;
  const before = form.place === 'behind' ? 'Let me see.\n' : '';

  it('are enforced and read', async () => {
    for (const calls of form.between === undefined ? [one, two.slice(1)] : [one, two]) {
      const text = before + callText(form, calls, number);
      expect(fits(text), text).toBe(true);
      expect(readCalls(form, called, text)).toEqual({
        text: before,
        calls: calls.map((call) => ({ name: call.name, json: call.arguments })),
      });
      const value = await target.finish(text, new ResultChecker(), () => {});
      expect(value).toEqual({
        text: before.trim(),
        calls: calls.map((call) => ({ name: call.name, arguments: JSON.parse(call.arguments) })),
      });
    }
  });
  it('and nothing else', async () => {
    const bad = callText(form, [{ name: 'add', arguments: '{"a":3}' }], number);
    const unknown = callText(form, [{ name: 'sub', arguments: '{"a":1}' }], number);
    const good = callText(form, one, number);
    for (const text of [bad, unknown, `${good} and so on`, `${form.lead ?? ''}${form.trigger}`])
      expect(fits(before + text), text).toBe(form.place === 'alone' && text.startsWith('<channel>'));
    const only = compile(targetOf(null, { tools, toolChoice: 'auto', parallelToolCalls: false }, form).constraint!);
    const matcher = new Matcher(only, plain);
    expect(matcher.acceptBytes(new TextEncoder().encode(before + callText(form, two, number)))).toBe(false);
    expect(fits(`${form.lead ?? ''}No call { needed.`)).toBe(true);
    expect(await target.finish(`${form.lead ?? ''}No call { needed. `, undefined, () => {})).toEqual({
      text: 'No call { needed.',
      calls: [],
    });
  });
});

describe.each(ELEMENTS)('parameters as elements: %s', (name) => {
  const form = FORMS[name]!;
  const { open, colons, close, between, mark } = form.parameters!;
  const element = (key: string, value: string, kind: keyof typeof colons = 'string'): string =>
    open + key + colons[kind] + value + close;
  const call = (...elements: string[]): string => `${form.begin}f${form.middle}${elements.join(between)}${form.end}`;
  const toolOf = (parameters: object) =>
    targetOf(null, { tools: [{ name: 'f', parameters }], toolChoice: 'auto' }, form);
  const fits = (parameters: object, text: string): boolean => {
    const matcher = new Matcher(compile(toolOf(parameters).constraint!), plain);
    return matcher.acceptBytes(new TextEncoder().encode(text)) && matcher.isAccepting;
  };
  const readAs = async (parameters: object, text: string): Promise<unknown> => {
    const value = (await toolOf(parameters).finish(text, new ResultChecker(), () => {})) as {
      calls: { arguments: unknown }[];
    };
    return value.calls[0]?.arguments;
  };

  it('come each once, those that are required at least, in the order that the schema has or in any', () => {
    const schema = {
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'integer' }, c: { type: 'string' } },
      required: ['a', 'b'],
    };
    const [a, b, c] = [element('a', 'x'), element('b', '12', 'number'), element('c', '')] as const;
    const anyOrder = json(schema, { propertyOrder: 'any' });
    for (const [order, good] of [
      [anyOrder, [b, a]],
      [anyOrder, [c, b, a]],
      [anyOrder, [b, c, a]],
      [schema, [a, b]],
      [schema, [a, b, c]],
    ] as const)
      expect(fits(order, call(...good)), good.join()).toBe(true);
    for (const bad of [[a], [a, b, a], [], [a, b, element('d', 'x')]])
      for (const order of [schema, anyOrder]) expect(fits(order, call(...bad)), bad.join()).toBe(false);
    expect(fits(schema, call(b, a))).toBe(false);
    const many = {
      type: 'object',
      properties: Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`p${i}`, { type: 'string' }])),
      required: ['p3'],
    };
    expect(fits(many, call(element('p0', 'x'), element('p3', 'x'), element('p11', 'x')))).toBe(true);
    expect(fits(many, call(element('p0', 'x'), element('p11', 'x')))).toBe(false);
    expect(fits(many, call(element('p3', 'x')))).toBe(true);
  });
  it('that are strings hold anything but the mark that closes them', async () => {
    const schema = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] };
    for (const text of ['12', 'true', '{"x": 1}', '[', 'a\n"b"\\\n', 'Zoë 🙂', '<x></parameter', '']) {
      const written = call(element('a', text));
      expect(fits(schema, written), text).toBe(true);
      expect(await readAs(schema, written)).toEqual({ a: text });
    }
    expect(fits(schema, call(element('a', `x${mark}y`)))).toBe(false);
  });
  it('that are other values are read as such, and strings that look like them are not written', async () => {
    const schema = {
      type: 'object',
      properties: { a: { type: ['string', 'integer', 'boolean', 'null', 'object', 'array'] } },
      required: ['a'],
    };
    const { words } = form.parameters!;
    const values: readonly (readonly [string, keyof typeof colons, unknown])[] = [
      ['-12', 'number', -12],
      [words.true, 'boolean', true],
      ['false', 'boolean', false],
      [words.null, 'null', null],
      [`{"x":"${mark}"}`, 'object', { x: mark }],
      ['[1,"}"]', 'array', [1, '}']],
      ['12 Main', 'string', '12 Main'],
      ['01', 'string', '01'],
    ];
    for (const [text, kind, value] of values) {
      expect(fits(schema, call(element('a', text, kind))), text).toBe(true);
      expect(await readAs(schema, call(element('a', text, kind)))).toEqual({ a: value });
    }
  });
  it('look like values of other kinds only where the parameter does not take those', async () => {
    // Where what stands before them tells strings, they may look like anything.
    const told = colons.string !== colons.number;
    const like = { number: '12.5', boolean: 'false', null: 'null', object: '{}', array: '[1]' };
    for (const other of ['number', 'boolean', 'null', 'object', 'array'] as const) {
      const string = { type: 'string' };
      const or = { type: other };
      for (const a of [{ type: ['string', other] }, { anyOf: [string, or] }, { oneOf: [or, { $ref: '#/$defs/s' }] }]) {
        const schema = { type: 'object', $defs: { s: string }, properties: { a }, required: ['a'] };
        for (const [kind, text] of Object.entries(like)) {
          const written = call(element('a', text));
          expect(fits(schema, written), `${text} beside ${other}`).toBe(true);
          const a = told || kind !== other ? text : (JSON.parse(text) as unknown);
          expect(await readAs(schema, written)).toEqual({ a });
        }
        for (const [kind, text] of [
          ['object', '{x'],
          ['array', '[x'],
        ])
          expect(fits(schema, call(element('a', text!))), text).toBe(told || kind !== other);
      }
    }
  });
  it('fit their schemas, with references, enums, patterns and values that depend on others', async () => {
    const schema = {
      type: 'object',
      $defs: { unit: { enum: ['C', 'F'] } },
      properties: {
        unit: { $ref: '#/$defs/unit' },
        zip: { type: 'string', pattern: '^[0-9]{5}$' },
        at: { type: 'array', items: { type: 'number' }, maxItems: 2 },
      },
      dependentRequired: { unit: ['zip'] },
    };
    expect(fits(schema, call(element('unit', 'C'), element('zip', '01234'), element('at', '[1.5,2]', 'array')))).toBe(
      true,
    );
    expect(await readAs(schema, call(element('zip', '01234')))).toEqual({ zip: '01234' });
    for (const bad of [element('unit', 'C'), element('zip', '123'), element('at', '[1,2,3]', 'array')])
      expect(fits(schema, call(bad)), bad).toBe(false);
    expect(fits(schema, call())).toBe(true);
  });
  it('may have any names where the schema has none', async () => {
    const schema = { type: 'object', additionalProperties: { type: 'integer' } };
    const text = call(element('x y', '1', 'number'), element('z', '-2', 'number'));
    expect(fits(schema, text)).toBe(true);
    expect(await readAs(schema, text)).toEqual({ 'x y': 1, z: -2 });
    const few = { ...schema, minProperties: 1, maxProperties: 2 };
    const elements = ['x', 'y', 'z'].map((key) => element(key, '1', 'number'));
    expect([0, 1, 2, 3].map((n) => fits(few, call(...elements.slice(0, n))))).toEqual([false, true, true, false]);
    expect(fits({ type: 'object', properties: {}, additionalProperties: false }, call())).toBe(true);
    expect(fits({ type: 'object', properties: {}, additionalProperties: false }, text)).toBe(false);
  });
  it('that have names of control tokens are text', () => {
    const specials = { '<end>': 257 };
    const vocabulary = Vocabulary.fromTokens([...bytes, null, null], { eos: [256], specials });
    const tools = [{ name: 'f<end>', parameters: { type: 'object', properties: { '<end>': { const: 'x' } } } }];
    const { constraint } = targetOf(null, { tools, toolChoice: 'auto' }, form);
    const matcher = new Matcher(compile(constraint!, { vocabulary }), vocabulary);
    const text = `${form.begin}f<end>${form.middle}${element('<end>', 'x')}${form.end}`;
    expect(matcher.acceptBytes(new TextEncoder().encode(text)) && matcher.isAccepting).toBe(true);
  });
  it('are read in time that grows with the text', () => {
    for (const kind of ['string', 'number'] as const) {
      const text = call(...new Array<string>(30_000).fill(element('a', '1', kind)));
      const start = performance.now();
      expect(readCalls(form, [{ name: 'f', kinds: {} }], text)?.calls).toHaveLength(1);
      expect(performance.now() - start).toBeLessThan(2500);
    }
  });
  it('keep numbers as they are written, and any nesting', () => {
    const deep = '['.repeat(2e5) + ']'.repeat(2e5);
    const text = call(element('2', '1e400', 'number'), element('1', '-0', 'number'), element('a', deep, 'array'));
    const [read] = readCalls(form, [{ name: 'f', kinds: {} }], text)!.calls;
    expect(read?.json).toBe(`{"2":1e400,"1":-0,"a":${deep}}`);
  });
  it('are a ValueError where brackets do not fit', async () => {
    await expect(readAs({ type: 'object' }, call(element('a', '[}', 'array')))).rejects.toThrow(ValueError);
  });
  it('of earlier calls may be no object', () => {
    for (const given of ['"not JSON"', 'null', '[1]'])
      expect(callText(form, [{ name: 'f', arguments: given }])).toBe(`${form.begin}f${form.middle}${given}${form.end}`);
  });
  it('are an error where they cannot be told', () => {
    expect(() => compile(toolOf({ type: 'object', minProperties: 2 }).constraint!)).toThrow(/elements.*'required'/s);
  });
});

describe('marks that are control tokens', () => {
  const specials = { '[CALLS]': 257, '[ARGS]': 258, '<end>': 256 };
  const vocabulary = Vocabulary.fromTokens([...bytes, null, null, null], { eos: [256], specials });
  const text = (s: string): number[] => [...new TextEncoder().encode(s)];
  const form = FORMS['nothing behind']!;
  const { constraint } = targetOf(null, { tools: tools.slice(0, 1), toolChoice: 'auto' }, form);
  const matcherOf = (): Matcher => new Matcher(compile(constraint!, { vocabulary }), vocabulary);

  it('are those tokens, and text in no place', () => {
    const matcher = matcherOf();
    const mask = new Uint32Array(9);
    matcher.fillMask(mask);
    expect([257, 258].map((t) => (mask[t >> 5]! >>> (t & 31)) & 1)).toEqual([1, 0]);
    expect(text('Hm.').every((t) => matcher.accept(t))).toBe(true);
    expect(
      text('[CALLS]')
        .map((t) => matcher.accept(t))
        .at(-1),
    ).toBe(false);
    expect(matcher.accept(257)).toBe(true);
    expect(matcher.isAccepting).toBe(false);
    expect(matcher.forcedTokens()).toEqual(text('add'));
    for (const t of text('add')) expect(matcher.accept(t)).toBe(true);
    expect(matcher.forcedTokens()).toEqual([258]);
    expect(matcher.accept(258)).toBe(true);
    for (const t of text('{"a":1}')) expect(matcher.accept(t), String.fromCharCode(t)).toBe(true);
    expect(matcher.isAccepting).toBe(true);
    expect([257, 256].map((t) => matcher.accept(t))).toEqual([true, false]);
  });
  it('are counted by budgets', () => {
    const tight = new Matcher(compile(constraint!, { vocabulary }), vocabulary, { maxTokens: 13 });
    expect(tight.accept(120)).toBe(true);
    // Twelve tokens are left, which is what the call takes.
    expect(tight.accept(257)).toBe(true);
    for (const t of [...text('add'), 258, ...text('{"a":1}')]) expect(tight.accept(t)).toBe(true);
    expect(tight.isAccepting).toBe(true);
    const short = new Matcher(compile(constraint!, { vocabulary }), vocabulary, { maxTokens: 12 });
    expect([120, 257].map((t) => short.accept(t))).toEqual([true, false]);
  });
  it('of tags, also within longer marks', () => {
    const list = [{ begin: 'to=[CALLS]x', content: { enum: [7] }, end: '[ARGS]' }];
    const matcher = new Matcher(compile(tags(list), { vocabulary }), vocabulary);
    const tokens = [...text('ab to=to='), 257, ...text('x7'), 258, ...text('c')];
    expect(tokens.map((t) => matcher.accept(t))).toEqual(tokens.map(() => true));
    expect(matcher.isAccepting).toBe(true);
    const stray = new Matcher(compile(tags(list), { vocabulary }), vocabulary);
    expect([...text('to'), 257].map((t) => stray.accept(t))).toEqual([true, true, false]);
    const spelled = new Matcher(compile(tags(list), { vocabulary }), vocabulary);
    expect(spelled.acceptBytes(new TextEncoder().encode('to=[CALLS]x7'))).toBe(false);
  });
  it('are text where no output has the token', () => {
    const html = Vocabulary.fromTokens([...bytes, null, null], { eos: [256], specials: { '<s>': 257 } });
    const list = [{ begin: '<s>', content: { enum: [7] }, end: '</s>' }];
    const matcher = new Matcher(compile(tags(list), { vocabulary: html }), html);
    expect(matcher.accept(257)).toBe(false);
    expect(matcher.acceptBytes(new TextEncoder().encode('a <s>7</s>'))).toBe(true);
  });
  it('are text without a vocabulary, and where they are none of its control tokens', () => {
    const list = [{ begin: '[CALLS]', content: { enum: [7] }, end: '<end>' }];
    const whole = new TextEncoder().encode('[CALLS]7<end>');
    for (const grammar of [compile(tags(list)), compile(tags(list), { vocabulary: plain })])
      expect(new Matcher(grammar, plain).acceptBytes(whole)).toBe(true);
    // An end token cannot stand within a text.
    const ended = new Matcher(compile(tags(list), { vocabulary }), vocabulary);
    expect([257, ...text('7<end>')].every((t) => ended.accept(t))).toBe(true);
  });
});

describe('engines', () => {
  const shared = sharedEngine();
  it('write marks as control tokens, and show them in text, events and stream', async () => {
    const tag = { begin: '<|tools|>', content: json({ enum: [7] }), end: '<|user|>' };
    const stream = shared.engine.stream(tags([tag], { min: 1, max: 1, text: 'before' }), {
      prompt: 'Hi',
      maxTokens: 12,
      seed: 1,
    });
    let streamed = '';
    for await (const part of stream.textStream) streamed += part;
    const { text } = await stream.result;
    expect(text).toMatch(/<\|tools\|>7<\|user\|>$/);
    expect(streamed).toBe(text);
    const tokens: string[] = [];
    for await (const event of stream) if (event.type === 'token') tokens.push(event.text);
    expect(tokens).toEqual(expect.arrayContaining(['<|tools|>', '7', '<|user|>']));
  });
});
