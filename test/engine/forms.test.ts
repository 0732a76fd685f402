/** Conversations with tools in the templates of widespread models: nothing is refused, nothing gets lost, and calls look like the ones that are asked for. */
import { describe, expect, it } from 'vitest';
import { messagesOf } from '../../src/engine/messages.js';
import { buildPrompt } from '../../src/engine/prompt.js';
import type { Message } from '../../src/engine/types.js';
import { createChat } from '../../src/runtime/chat.js';
import { CHAT_TEMPLATES } from './chat-templates.js';
import { textTokenizer } from './text-tokenizer.js';

const tools = [
  {
    name: 'weather',
    description: 'Of a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
  },
  { name: 'clock', parameters: { type: 'object', properties: {} } },
];
const asked: Message = { role: 'user', content: 'Well?' };
const rules: Message = { role: 'system', content: 'Be brief.' };
const call = (id: string, name: string, args: string) => ({
  id,
  type: 'function',
  function: { name, arguments: args },
});
const calling: Message = {
  role: 'assistant',
  content: null,
  tool_calls: [call('call_a1b2c3d4e5', 'weather', '{"city":"Oslo"}'), call('call_2', 'clock', '{}')],
};
/** In the order in which they came, which is not that of the calls. */
const results: readonly Message[] = [
  { role: 'tool', tool_call_id: 'call_2', content: 'nine' },
  { role: 'tool', tool_call_id: 'call_a1b2c3d4e5', content: 'wet' },
];
const loop = [rules, asked, calling, ...results];
const answer: Message = { role: 'assistant', content: 'Wet at nine.' };
const again: Message = { role: 'user', content: 'And now?' };
const CONVERSATIONS: Readonly<Record<string, readonly Message[]>> = {
  question: [asked],
  'rules in two parts': [rules, { role: 'system', content: 'Be kind.' }, asked],
  'one call': [
    asked,
    { ...calling, tool_calls: [call('1', 'weather', '{"city":"Oslo"}')] },
    { role: 'tool', content: 'wet' },
  ],
  'calls without ids': [
    asked,
    { role: 'assistant', tool_calls: [{ name: 'clock', arguments: {} }] },
    { role: 'tool', content: 'nine' },
  ],
  'two calls': loop,
  'two calls, a question behind': [...loop, again],
  'two calls, answered': [...loop, answer, again],
};
const MODES = {
  plain: {},
  schema: { schema: { type: 'integer' } },
  required: { tools, schema: { type: 'integer' } },
  auto: { tools, freeCalls: true },
};

/** Calls as families write them that do not write ours, where constraints can have their form. */
const OWN_CALLS: Readonly<Record<string, string>> = {
  coder: '<tool_call>\n<function=weather>\n<parameter=city>\nOslo\n</parameter>\n</function>\n</tool_call>',
  mistral: '[CALLS][{"name": "weather", "arguments": {"city": "Oslo"}, "id": "call00000"}, {"name": "clock"',
  llama: '<assistant>{"name": "weather", "parameters": {"city": "Oslo"}}<eot>',
  deepseek: '<calls><call>function<sep>weather\n```json\n{"city":"Oslo"}\n```</call>',
  command: 'Action: [{"tool_name": "weather", "parameters": {"city": "Oslo"}}',
};

function prompt(model: string, messages: readonly Message[], more: object): string {
  const chat = createChat(model, CHAT_TEMPLATES[model]!, { bos_token: '<s>', eos_token: '</s>' });
  return buildPrompt({ messages: messagesOf({ messages }), reserve: 10, ...more }, chat, textTokenizer, 8192).text;
}

describe.each(Object.keys(CHAT_TEMPLATES))('the template of %s', (model) => {
  it.each(Object.keys(CONVERSATIONS))('shows all of: %s', (name) => {
    const messages = CONVERSATIONS[name]!;
    for (const [mode, more] of Object.entries(MODES)) {
      const text = prompt(model, messages, more);
      const said = messages.flatMap((m) => (typeof m.content === 'string' ? [m.content] : []));
      const called = messages.flatMap((m) => (m.tool_calls ?? []) as { name?: string; function?: { name: string } }[]);
      const names = called.map((c) => c.function?.name ?? c.name!);
      const offered = 'tools' in more ? tools.map((t) => t.name) : [];
      const hints = [
        ...('schema' in more ? ['{"type":"integer"}'] : []),
        ...('freeCalls' in more && !(model in OWN_CALLS) ? ['<tool_call>'] : []),
      ];
      const missing = [...said, ...names, ...offered, ...hints].filter((part) => !text.includes(part));
      expect(missing, `${mode}: ${text}`).toEqual([]);
    }
  });
  it("asks for calls in one form only with 'auto', and shows past ones in it", () => {
    const text = prompt(model, CONVERSATIONS['two calls, answered']!, MODES.auto);
    const own = OWN_CALLS[model];
    expect(text).toContain(own ?? text);
    if (own !== undefined) expect(text).not.toContain('<tool_call>\n{');
    else {
      expect(text).toMatch(/<tool_call>\n\{"name": ?"weather", ?"arguments": ?\{"city": ?"Oslo"\}\}\n<\/tool_call>/);
      expect(text).not.toMatch(/<function=|"parameters": dictionary|Action:|\[TOOLS\]|\[CALLS\]|<calls>/);
    }
  });
});

describe('templates with habits', () => {
  it('get ids of nine characters, results with those of their calls', () => {
    expect(prompt('mistral', loop, {})).toContain(
      '[CALLS][{"name": "weather", "arguments": {"city": "Oslo"}, "id": "call00000"}, {"name": "clock", "arguments": {}, "id": "call00001"}]</s>' +
        '[RESULT]{"content": nine, "call_id": "call00001"}[/RESULT][RESULT]{"content": wet, "call_id": "call00000"}[/RESULT]',
    );
  });
  it('get rules where they show them: not at the end of a loop', () => {
    expect(prompt('mistral', loop, {})).toMatch(/^<s>\[INST\]Be brief\.\n\nWell\?\[\/INST\]/);
  });
  it('get calls one by one, each with its result', () => {
    expect(prompt('llama', loop, {})).toContain(
      '<assistant>{"name": "weather", "parameters": {"city": "Oslo"}}<eot><ipython>"wet"<eot>' +
        '<assistant>{"name": "clock", "parameters": {}}<eot><ipython>"nine"<eot><assistant>',
    );
  });
  it('get calls without content, arguments as text', () => {
    expect(prompt('deepseek', loop, {})).toContain('<sep>weather\n```json\n{"city":"Oslo"}\n```</call>');
  });
  it('take arguments that are null, true or lists', () => {
    const odd = { ...calling, tool_calls: [call('1', 'weather', '{"city":null,"now":true,"days":[1]}')] };
    expect(prompt('coder', [asked, odd, results[1]!], {})).toContain(
      '<parameter=city>\nNone\n</parameter>\n<parameter=now>\nTrue\n</parameter>',
    );
  });
  it('get tools as they want them, with a description', () => {
    expect(prompt('command', [asked], { tools })).toContain('def clock():\n""""""\n');
  });
  it('are tried with the variables of the request', () => {
    const chat = createChat(
      'needy',
      new Map([['default', `{{ date | upper }}${[...CHAT_TEMPLATES.qwen!.values()][0]}`]]),
      {},
    );
    const input = { messages: messagesOf({ messages: loop }), tools, reserve: 10, variables: { date: 'today' } };
    const { text } = buildPrompt(input, chat, textTokenizer, 8192);
    expect(text).toMatch(/^TODAY<system>.*<tool_response>\nnine/s);
  });
  it("get marks of calls that are control tokens where they are ours, and text where they are the caller's", () => {
    const mark = <T>(value: T): T => JSON.parse(JSON.stringify(value).replaceAll('<tool_call>', '«tool_call»')) as T;
    const chat = createChat('phi3', CHAT_TEMPLATES.phi3!, {});
    const messages = messagesOf({ messages: [{ role: 'user', content: 'Say <tool_call>' }, calling, ...results] });
    const marking = { ...textTokenizer, mark };
    const { text } = buildPrompt({ messages, tools, freeCalls: true, reserve: 10 }, chat, marking, 8192);
    expect(text).toContain('Say «tool_call»');
    expect(text.match(/<tool_call>\n\{"name":/g)).toHaveLength(3);
  });
  it('get calls in their own form rather than what is said beside them', () => {
    const spoken = [asked, { ...calling, content: 'One moment.' }, ...results];
    expect(prompt('qwen', spoken, {})).toContain('One moment.\n<tool_call>');
    for (const model of ['llama', 'mistral', 'deepseek'])
      expect(prompt(model, spoken, {})).not.toContain('One moment.');
    expect(prompt('llama', spoken, {})).toContain('<ipython>"nine"');
    expect(prompt('deepseek', spoken, {})).toContain('<calls><call>function<sep>weather');
    expect(prompt('gemma', spoken, {})).toContain('One moment.\n{"name":"weather"');
    expect(prompt('coder', spoken, MODES.auto)).toContain('One moment.<tool_call>\n<function=weather>');
    expect(prompt('phi3', spoken, MODES.auto)).toContain('One moment.\n<tool_call>\n{');
  });
  it('get results and what follows them as one message of the user, where there is no other way', () => {
    expect(prompt('gemma', [...loop, again], {})).toContain(
      '{"name":"clock","arguments":{}}<end>\n<turn>user\nResult of clock: nine\nResult of weather: wet\nAnd now?<end>',
    );
  });
});
