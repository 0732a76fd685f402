/** Where values begin: behind what the template puts before its own answers, and behind a thinking that it has begun. */
import { describe, expect, it } from 'vitest';
import { OUR_FORM } from '../../src/base/call-form.js';
import { messagesOf } from '../../src/engine/messages.js';
import { buildPrompt } from '../../src/engine/prompt.js';
import { createChat } from '../../src/runtime/chat.js';
import { CHAT_TEMPLATES } from './chat-templates.js';
import { sharedEngine } from './models.js';
import { textTokenizer } from './text-tokenizer.js';

const asked = [{ role: 'user', content: 'Well?' }];
const built = (template: string, more: object = {}, messages: readonly object[] = asked) =>
  buildPrompt(
    { messages: messagesOf({ messages: messages as typeof asked }), reserve: 10, atOnce: true, ...more },
    createChat('test', new Map([['default', template]]), { eos_token: '</s>' }),
    textTokenizer,
    4096,
  );
/** `begin` ends the prompt, `answer` stands before what the assistant said. */
const template = (begin: string, answer: string): string =>
  `{% for m in messages %}<{{ m.role }}>{% if m.role == 'assistant' %}${answer}{% endif %}{{ m.content }}<end>{% endfor %}` +
  `{% if add_generation_prompt %}<assistant>${begin}{% endif %}`;

describe('a value at once', () => {
  it.each([
    ['a thinking that was begun is ended', '<think>\n', '', '<think>\n\n</think>\n\n', 1],
    ['whatever its mark is', '[THINK]', '', '[THINK]\n[/THINK]\n\n', 1],
    ['one that answers leave empty stays empty', '', '<think>\n\n</think>\n\n', '<think>\n\n</think>\n\n', 0],
    ['a channel is named', '', '<channel>final<message>', '<channel>final<message>', 0],
    ['a space is left to the model', '', ' ', '', 0],
    ['nothing is added where answers begin otherwise', '<a>', '<b>', '<a>', 0],
    ['nor where they begin at once', '', '', '', 0],
  ])('%s', (_, begin, answer, end, warnings) => {
    const prompt = built(template(begin, answer));
    expect(prompt.text).toBe(`<user>Well?<end><assistant>${end}`);
    expect(prompt.warnings).toHaveLength(warnings);
    expect(prompt.tokens).toEqual(textTokenizer.encode(prompt.text));
    // Without a constraint, or with reasoning, the prompt is the template's.
    expect(built(template(begin, answer), { atOnce: false }).text).toBe(`<user>Well?<end><assistant>${begin}`);
  });
  it('the warning tells what lets the model think', () => {
    expect(built(template('<think>\n', '')).warnings).toEqual([
      expect.stringContaining("reasoning: { end: '</think>' }"),
    ]);
  });
  it('with the schema, in the midst of a conversation, and behind results of tools', () => {
    const loop = [...asked, { role: 'assistant', content: 'Hm.' }, { role: 'user', content: 'And?' }];
    const [source] = [...CHAT_TEMPLATES.deepseek!.values()];
    expect(built(source!, { schema: { type: 'integer' } }, loop).text).toMatch(/<think>\n\n<\/think>\n\n$/);
    const called = { role: 'assistant', content: null, tool_calls: [{ name: 'clock', arguments: {} }] };
    expect(built(source!, {}, [...asked, called, { role: 'tool', content: 'nine' }]).text).toMatch(/<\/outputs>$/);
    expect(built(template('', '<f>'), {}, loop).text).toBe(
      '<user>Well?<end><assistant><f>Hm.<end><user>And?<end><assistant><f>',
    );
  });
  it('where calls may come: an empty thinking only', () => {
    const tools = [{ name: 'clock', parameters: {} }];
    const free = { tools, freeCalls: true };
    const ends = (begin: string, answer: string): string =>
      built(template(begin, answer), free).text.split('<assistant>')[1]!;
    expect(OUR_FORM.place).toBe('behind');
    expect(ends('<think>\n', '')).toBe('<think>\n\n</think>\n\n');
    expect(ends('', '<think>\n\n</think>\n\n')).toBe('<think>\n\n</think>\n\n');
    expect(ends('', '<channel>final<message>')).toBe('');
  });
});

describe('engines', () => {
  const shared = sharedEngine();
  it('add nothing for the embedded model', async () => {
    const one = await shared.engine.generate({ enum: ['x'] }, { prompt: 'Hi' });
    const bare = await shared.engine.generate(
      { enum: ['x'] },
      { prompt: 'Hi', reasoning: { end: '<|tools|>', budget: 1 } },
    );
    expect(one.usage.promptTokens).toBe(bare.usage.promptTokens);
    expect(one.warnings).toEqual([]);
  });
});
