/** Messages in the forms of chat APIs. */
import { describe, expect, it } from 'vitest';
import { OptionError } from '../../src/base/errors.js';
import { messagesOf } from '../../src/engine/messages.js';
import { buildPrompt } from '../../src/engine/prompt.js';
import { toolTurnsAsText } from '../../src/engine/tool-turns.js';
import type { Message } from '../../src/engine/types.js';
import { createChat } from '../../src/runtime/chat.js';
import { textTokenizer } from './text-tokenizer.js';

const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } };
const turns: readonly Message[] = [
  {
    role: 'user',
    content: [
      { type: 'text', text: 'Rain ' },
      { type: 'text', text: 'in Oslo?' },
    ],
  },
  { role: 'assistant', content: null, tool_calls: [call, { name: 'time', arguments: {} }] },
  { role: 'tool', tool_call_id: 'call_1', name: 'weather', content: 'wet' },
  { role: 'tool', content: '9:00' },
  { role: 'user', content: 'And now?' },
];

describe('messages', () => {
  it('may have parts of text, tool calls and results', () => {
    const read = messagesOf({ messages: turns });
    expect(read.map((m) => m.content)).toEqual(['Rain in Oslo?', '', 'wet', '9:00', 'And now?']);
    expect(read[1]?.tool_calls).toEqual([
      { id: 'call_1', type: 'function', function: { name: 'weather', arguments: { city: 'Oslo' } } },
      { type: 'function', function: { name: 'time', arguments: {} } },
    ]);
    expect(read[2]).toEqual(turns[2]);
  });
  it("may be a developer's, which are the system's", () => {
    expect(messagesOf({ messages: [{ role: 'developer', content: 'x' }] })).toEqual([{ role: 'system', content: 'x' }]);
  });
  it('take a call without arguments, also where they are undefined', () => {
    const tool_calls = [{ name: 't' }, { name: 't', arguments: undefined }];
    const [message] = messagesOf({ messages: [{ role: 'assistant', tool_calls }] });
    expect(message?.tool_calls).toMatchObject([{ function: { arguments: {} } }, { function: { arguments: {} } }]);
  });
  it('keep the arguments of a call that are no JSON as they are', () => {
    const [message] = messagesOf({ messages: [{ role: 'assistant', tool_calls: [{ name: 't', arguments: '{"a' }] }] });
    expect(message?.tool_calls).toMatchObject([{ function: { arguments: '{"a' } }]);
  });
  it.each([
    ['nothing', null],
    ['no role', { content: 'x' }],
    ['no content', { role: 'user' }],
    ['null without calls', { role: 'assistant', content: null, tool_calls: [] }],
    ['a part that is no text', { role: 'user', content: [{ type: 'image_url', image_url: {} }] }],
    ['a call without a name', { role: 'assistant', tool_calls: [{ arguments: {} }] }],
  ])('are an OptionError: %s', (_, message) => {
    expect(() => messagesOf({ messages: [message as never] })).toThrow(OptionError);
  });
});

describe('calls and results', () => {
  it('reach a template that shows tools, as it takes them', () => {
    const template =
      '{% if tools %}{% for t in tools %}{{ t.function.name }} {% endfor %}{% endif %}{% for m in messages %}[{{ m.role }}]{{ m.content }}' +
      '{% if m.tool_calls %}{% for c in m.tool_calls %}{{ c.function.name }}{{ c.function.arguments | tojson }}{% endfor %}{% endif %}{% endfor %}';
    expect(prompt(template)).toBe(
      '[user]Rain in Oslo?[assistant]weather{"city": "Oslo"}time{}[tool]wet[tool]9:00[user]And now?',
    );
  });
  it('are words in one that does not', () => {
    expect(prompt('{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}')).toBe(
      '[user]Rain in Oslo?[assistant]{"name":"weather","arguments":{"city":"Oslo"}}\n{"name":"time","arguments":{}}' +
        '[user]Result of weather: wet\nResult of time: 9:00\nAnd now?',
    );
  });
  it('leave other messages alone', () => {
    const other = [{ role: 'user', content: 'x', extra: 1 }];
    expect(toolTurnsAsText(other)).toEqual(other);
  });
});

function prompt(template: string): string {
  const chat = createChat('test', new Map([['default', template]]), {});
  return buildPrompt({ messages: messagesOf({ messages: turns }), reserve: 10 }, chat, textTokenizer, 4096).text;
}
