/** Templates as Python's Jinja renders them, where the values are not what a filter expects. */
import { describe, expect, it } from 'vitest';
import { ModelError } from '../../src/base/errors.js';
import { createChat } from '../../src/runtime/chat.js';

const user = { role: 'user', content: 'Hi' };
const rendered = (template: string, message: object = {}): string =>
  createChat('test', new Map([['default', template]]), {}).render([{ ...user, ...message }]);

describe('filters', () => {
  it.each([
    ['{{ v | string }}', null, 'None'],
    ['{{ v | string }}', true, 'True'],
    ['{{ v | string }}', false, 'False'],
    ['{{ v | string }}', 2.5, '2.5'],
    ['{{ v | string }}', { a: 1 }, '{"a": 1}'],
    ['[{{ v | trim }}]', undefined, '[]'],
    ['[{{ v | trim }}]', null, '[]'],
    ['[{{ v | trim }}]', ' x ', '[x]'],
    ['{{ v | length }}', undefined, '0'],
    ['{{ v | length }}', 'abc', '3'],
    ["{{ v | selectattr('a', 'equalto', 'x') | list | length }}", null, '0'],
    ["{{ v | selectattr('a', 'equalto', 'x') | list | length }}", [{ a: 'x' }, { a: 'y' }], '1'],
    ["[{{ v | join(', ') }}]", undefined, '[]'],
    ['[{{ v | upper }}]', undefined, '[]'],
    ['{{ v | upper }}', 'ab', 'AB'],
    ['{{ v | upper }}', ['string', 'null'], "['STRING', 'NULL']"],
    ["{% if v | lower == 'ab' %}x{% endif %}", 'AB', 'x'],
    ["{% for m in [1] %}{% if v | trim %}x{% else %}{{ { 'k': v | trim }.k }}y{% endif %}{% endfor %}", null, 'y'],
  ])('%s of %j', (template, v, text) => {
    expect(rendered(`{% set v = messages[0].v %}${template}`, { v })).toBe(text);
  });
  it('that know no answer still raise an error', () => {
    expect(() => rendered('{{ messages[0].v | length }}', { v: 5 })).toThrow(ModelError);
  });
});

describe('variables', () => {
  it('tools and documents are none where there are none', () => {
    const asks =
      '{% if tools is not none and tools | length > 0 %}tools{% else %}none{% endif %}{{ documents is none }}';
    expect(rendered(asks)).toBe('nonetrue');
  });
});
