/** Prompts for templates of other habits than the embedded models': no system messages, no tools. */
import { describe, expect, it } from 'vitest';
import { buildPrompt } from '../../src/engine/prompt.js';
import { createChat } from '../../src/runtime/chat.js';
import type { ChatMessage } from '../../src/runtime/types.js';
import { textTokenizer } from './text-tokenizer.js';

const EACH = '{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}';
const TEMPLATES = {
  all: `{{ tools_json }}${EACH}`,
  'function list': `{% if tools %}{% for t in tools %}{{ t.function.name }} {% endfor %}{% endif %}${EACH}`,
  'no tools': EACH,
  'refuses system': `{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}${EACH}`,
  'drops system': "{% for m in messages if m.role != 'system' %}[{{ m.role }}]{{ m.content }}{% endfor %}",
};

function prompt(template: keyof typeof TEMPLATES, messages: readonly ChatMessage[], more: object = {}): string {
  const chat = createChat('test', new Map([['default', TEMPLATES[template]]]), {});
  return buildPrompt({ messages, reserve: 10, ...more }, chat, textTokenizer, 4096).text;
}

const user: ChatMessage = { role: 'user', content: 'Hi' };
const tools = [{ name: 'weather', description: 'Of a city', parameters: { type: 'object' } }];

describe('a template that takes no system message', () => {
  it.each(['refuses system', 'drops system'] as const)('gets it in the first user message: %s', (template) => {
    const said = prompt(
      template,
      [{ role: 'system', content: 'Be brief.' }, user, { role: 'assistant', content: 'Yes?' }, user],
      {
        schema: { type: 'integer' },
      },
    );
    expect(said).toBe(
      '[user]Be brief.\nAnswer in JSON that fits this schema:\n{"type":"integer"}\n\nHi[assistant]Yes?[user]Hi',
    );
    expect(prompt(template, [user])).toBe('[user]Hi');
  });
  it('keeps one of its own where it is taken', () => {
    expect(prompt('all', [{ role: 'system', content: 'Be brief.' }, user])).toBe('[system]Be brief.[user]Hi');
    expect(prompt('all', [user], { schema: true })).toMatch(/^\[system\]Answer in JSON .*\ntrue\[user\]Hi$/s);
  });
});

describe('tools', () => {
  it.each(['all', 'function list'] as const)('come from the template that shows them: %s', (template) => {
    const text = prompt(template, [user], { tools });
    expect(text.match(/weather/g)).toHaveLength(1);
    expect(text).not.toContain('Tools:');
  });
  it.each(['no tools', 'refuses system'] as const)('are listed for one that does not: %s', (template) => {
    expect(prompt(template, [user], { tools })).toContain(
      'Tools: [{"name":"weather","description":"Of a city","parameters":{"type":"object"}}]',
    );
  });
});

describe('texts much longer than the context', () => {
  const seen: number[] = [];
  const counting = {
    ...textTokenizer,
    encode: (text: string) => {
      seen.push(text.length);
      return textTokenizer.encode(text, {});
    },
  };
  const chat = createChat('test', new Map([['default', EACH]]), {});
  const build = (content: string, schema?: object) =>
    buildPrompt({ messages: [{ role: 'user', content }], reserve: 10, schema }, chat, counting, 100);
  it('are not encoded as a whole', () => {
    seen.length = 0;
    expect(() => build('x'.repeat(1_000_000))).toThrow(
      /start of a message alone: 6384 is over the limit of 99; shorten/,
    );
    const { warnings } = build('Hi', { enum: ['y'.repeat(1_000_000)] });
    expect(warnings.join()).toMatch(/schema was (shortened|left out)/);
    expect(Math.max(...seen)).toBeLessThan(10_000);
  });
});
