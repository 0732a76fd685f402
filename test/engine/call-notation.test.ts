/** Arguments as an object in a notation of its own: learned, enforced and read. */
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { CallForm } from '../../src/base/call-form.js';
import { notationText } from '../../src/base/notation-text.js';
import { createRandom, type Random } from '../../src/base/random.js';
import { compile, json, Matcher, Vocabulary } from '../../src/core.js';
import { readNotation } from '../../src/engine/call-notation.js';
import { ResultChecker } from '../../src/engine/check.js';
import { targetOf } from '../../src/engine/target.js';
import { validateValue } from '../../src/engine/validate.js';
import { constraintGrammar } from '../../src/grammar/constraint/grammar.js';
import { validateGrammar } from '../../src/grammar/validate.js';
import { createChat } from '../../src/runtime/chat.js';
import { FORMS, NOTATIONS } from './sample-forms.js';

const bytes = Array.from({ length: 256 }, (_, b) => Uint8Array.of(b));
const plain = Vocabulary.fromTokens([...bytes, null], { eos: [256] });
const SORTED = FORMS['sorted notation']!;
const PLAIN = FORMS['plain notation']!;

const toolOf = (form: CallForm, parameters: unknown) =>
  targetOf(null, { tools: [{ name: 'f', parameters: parameters as object }], toolChoice: 'auto' }, form);
const callOf = (form: CallForm, written: string): string => `${form.begin}f${form.middle}${written}${form.end}`;
const checkerOf = (form: CallForm, parameters: unknown) => {
  const grammar = compile(toolOf(form, parameters).constraint!);
  return (written: string): boolean => {
    const matcher = new Matcher(grammar, plain);
    return matcher.acceptBytes(new TextEncoder().encode(callOf(form, written))) && matcher.isAccepting;
  };
};

describe('a template that writes objects in a notation of its own', () => {
  const value = `{%- macro value(v) -%}
{%- if v is string -%}{{ '<s>' + v + '</s>' }}
{%- elif v is boolean -%}{{ 'True' if v else 'False' }}
{%- elif v is none -%}None
{%- elif v is mapping -%}{{ '{' }}{% for k, x in v | items %}{{ (',' if not loop.first else '') + k + ':' + value(x) }}{% endfor %}{{ '}' }}
{%- elif v is iterable -%}{{ '[' }}{% for x in v %}{{ (',' if not loop.first else '') + value(x) }}{% endfor %}{{ ']' }}
{%- else -%}{{ v }}{%- endif -%}
{%- endmacro -%}`;
  const turns =
    `{% for m in messages %}<{{ m.role }}>{% if m.tool_calls %}{% for c in m.tool_calls %}{% if not loop.first %}{{ '\\n' }}{% endif %}` +
    `<call>{{ c.function.name }} {{ value(c.function.arguments) }}</call>{% endfor %}{% else %}{{ m.content }}{% endif %}<end>{% endfor %}` +
    '{% if add_generation_prompt %}<assistant>{% endif %}';
  const formOf = (template: string) => createChat('test', new Map([['default', template]]), {}, ['<end>']).callForm;

  it('tells its form', () => {
    expect(formOf(value + turns)).toEqual(PLAIN);
  });
  it('tells that members are sorted', () => {
    const sorted = (value + turns).replace('v | items', 'v | dictsort');
    expect(formOf(sorted)).toEqual({ ...PLAIN, notation: { ...PLAIN.notation, sorted: true } });
    // In an order that is not ours.
    expect(formOf(sorted.replace('dictsort', 'dictsort(true)'))).toBeUndefined();
  });
  it.each([
    ['None', 'null', { null: 'null' }],
    ['None', 'nil', { null: 'nil' }],
    // Nothing that can be read.
    ['None', '', { null: 'null' }],
    ['None', '-', { null: 'null' }],
    ["'True' if v else 'False'", "'yes' if v else 'no'", { true: 'yes', false: 'no' }],
  ])('may write constants otherwise: %s, %s', (was, now, words) => {
    const notation = { ...PLAIN.notation, words: { ...PLAIN.notation!.words, ...words } };
    expect(formOf(value.replace(was, now) + turns)).toEqual({ ...PLAIN, notation });
  });
  it.each([
    ["'<s>' + v + '</s>'", "'<s>' + v | replace('\"', '&quot;') + '</s>'"],
    ["'<s>' + v + '</s>'", "'<s>' + v | trim + '</s>'"],
    ["'<s>' + v + '</s>'", "'<s>' + (v | tojson) + '</s>'"],
    ["'<s>' + v + '</s>'", 'v'],
    ["'<s>' + v + '</s>'", "'<s>' + v + 'aa'"],
    ["'True' if v", "'1' if v"],
    ["',' if", "', ' if"],
    ["+ ':' +", "+ '=' +"],
    ['{% for x in v %}', '{% for x in v | reverse %}'],
  ])('is none where %s is %s', (was, now) => {
    expect((value + turns).includes(was)).toBe(true);
    expect(formOf((value + turns).replaceAll(was, now))).toBeUndefined();
  });
});

describe('a notation', () => {
  const cases: readonly (readonly [unknown, string, string])[] = [
    [{}, '{}', '{}'],
    [{ b: 1, a: 'x' }, '{a:<|q|>x<|q|>,b:1}', '{b:1,a:<s>x</s>}'],
    [{ a: true, b: false, c: null }, '{a:true,b:false,c:null}', '{a:True,b:False,c:None}'],
    [{ b: { B: [], a: {} }, A: [[1, { x: '' }], -2.5e-7] }, '{A:[[1,{x:<|q|><|q|>}],-2.5e-7],b:{a:{},B:[]}}', ''],
    [{ ' a b{,"': '\n"{,:}\\' }, '{ a b{,":<|q|>\n"{,:}\\<|q|>}', '{ a b{,":<s>\n"{,:}\\</s>}'],
    [{ a: 'Zoë 🙂', ß: '</s' }, '{a:<|q|>Zoë 🙂<|q|>,ß:<|q|></s<|q|>}', '{a:<s>Zoë 🙂</s>,ß:<s></s</s>}'],
  ];
  it.each(cases)('writes and reads %j', (value, sorted, unsorted) => {
    for (const [form, text] of [
      [SORTED, sorted],
      [PLAIN, unsorted],
    ] as const) {
      if (text === '') continue;
      const notation = form.notation!;
      expect(notationText(notation, JSON.stringify(value))).toBe(text);
      const read = readNotation(notation, `>${text}} and`, 1)!;
      expect(JSON.parse(read.json)).toEqual(value);
      expect(read.end).toBe(1 + text.length);
    }
  });
  it.each([
    '{',
    '{a',
    '{a:',
    '{a:}',
    '{a:1',
    '{a:1,}',
    '{a:1]',
    '{a:[1}',
    '{a:[1,]}',
    '{a:[,1]}',
    '{a:<s>x}',
    '{a:x}',
    '{a:01}',
    '{a:Trueish}',
    '{a:"x"}',
    '[1]',
    '<s>x</s>',
    '',
  ])('that is not whole is not read: %s', (text) => {
    expect(readNotation(PLAIN.notation!, text, 0)).toBeUndefined();
  });
  it('is read with JSON words, blanks beside values, and numbers as they stand', () => {
    const text = '{a:[ true ,null,\n1e400 ],b: -0 ,a:None}';
    expect(readNotation(PLAIN.notation!, text, 0)).toEqual({
      json: '{"a":[true,null,1e400],"b":-0,"a":null}',
      end: text.length,
    });
  });
  it('is written and read in time that grows with the text, however deep', () => {
    const notation = SORTED.notation!;
    const n = 10_000;
    const deep = `{"a":${'[{"b":'.repeat(n)}"x"${'}]'.repeat(n)}}`;
    const long = JSON.stringify({ a: 'x"\n'.repeat(2e5), b: Array.from({ length: 2e4 }, (_, i) => i) });
    const many = JSON.stringify({ a: Array.from({ length: 1e4 }, (_, i) => ({ c: `${i}`, d: null })) });
    for (const given of [deep, long, many]) {
      const start = performance.now();
      const text = notationText(notation, given);
      const read = readNotation(notation, text, 0);
      expect(read?.json === given && read.end === text.length).toBe(true);
      expect(readNotation(notation, text.slice(0, -1), 0)).toBeUndefined();
      expect(performance.now() - start).toBeLessThan(5000);
    }
  });
  it('has no place for what is no object', () => {
    for (const given of ['"x"', 'null', '[1]']) expect(notationText(SORTED.notation!, given)).toBe(given);
  });
});

describe.each(NOTATIONS)('arguments in a notation of its own: %s', (name) => {
  const form = FORMS[name]!;
  const notation = form.notation!;
  const text = (value: object): string => notationText(notation, JSON.stringify(value));

  it('fit their schemas at every depth', () => {
    const schema = {
      type: 'object',
      $defs: { unit: { enum: ['C', 'F', null, 3] } },
      properties: {
        city: { type: 'string', minLength: 1, pattern: '^[A-Z]' },
        days: { type: 'integer', minimum: 1, maximum: 14 },
        deep: {
          type: 'object',
          properties: { unit: { $ref: '#/$defs/unit' }, on: { type: 'boolean' } },
          required: ['unit'],
          additionalProperties: false,
        },
        pair: { type: 'array', prefixItems: [{ type: 'string' }, { type: 'number' }], items: false, minItems: 1 },
        list: { type: 'array', items: { $ref: '#/$defs/unit' }, minItems: 1, maxItems: 3 },
      },
      required: ['city'],
      additionalProperties: false,
    };
    const fits = checkerOf(form, json(schema, { propertyOrder: 'any' }));
    for (const good of [
      { city: 'Paris' },
      { city: 'Pa "ris"\n', days: 14 },
      { city: 'P', deep: { on: true, unit: null } },
      { city: 'P', deep: { unit: 'C' }, list: [3, 'F', null], pair: ['x'] },
      { city: 'P', pair: ['', -1.5] },
    ])
      expect(fits(text(good)), text(good)).toBe(true);
    for (const bad of [
      {},
      { city: 'paris' },
      { city: '' },
      { city: 'P', days: 15 },
      { city: 'P', other: 1 },
      { city: 'P', deep: {} },
      { city: 'P', deep: { unit: 'K' } },
      { city: 'P', pair: [] },
      { city: 'P', pair: ['x', 1, 2] },
      { city: 'P', list: [] },
      { city: 'P', list: ['C', 'C', 'C', 'C'] },
      { city: `P${notation.close}` },
      { city: null },
    ])
      expect(fits(text(bad)), text(bad)).toBe(false);
  });
  it('come in the order of the schema, or of their names where the template sorts them', () => {
    const fits = checkerOf(form, {
      type: 'object',
      properties: { b: { const: 1 }, A: { const: 2 }, c: { const: 3 } },
      required: ['b', 'A'],
    });
    expect(['{b:1,A:2}', '{A:2,b:1}', '{A:2,b:1,c:3}', '{b:1,A:2,c:3}', '{b:1}'].map(fits)).toEqual(
      notation.sorted ? [false, true, true, false, false] : [true, false, false, true, false],
    );
  });
  it('may be of any kind, with names that the schema does not tell', () => {
    const fits = checkerOf(form, { type: 'object', properties: { a: {}, b: { type: 'object' } } });
    const value = { a: [{ x: { 'y z': [] }, w: 1 }, 'x', null, true], b: { q: { r: 'x' }, s: false } };
    expect(fits(text(value))).toBe(true);
    for (const bad of ['{b:{x}}', '{b:{,}}', '{b:{"x":1}}', '{b:1}', `{b:{${notation.open}x${notation.close}:1}}`])
      expect(fits(bad), bad).toBe(false);
    const counted = { type: 'object', additionalProperties: { type: 'null' }, minProperties: 1, maxProperties: 2 };
    const some = checkerOf(form, { type: 'object', properties: { o: counted } });
    const o = [{}, { x: null }, { x: null, y: null }, { x: null, y: null, z: null }];
    expect(o.map((x) => some(text({ o: x })))).toEqual([false, true, true, false]);
  });
  it('may contain themselves', () => {
    const fits = checkerOf(form, {
      type: 'object',
      $defs: {
        node: {
          type: 'object',
          properties: { label: { type: 'string' }, sons: { type: 'array', items: { $ref: '#/$defs/node' } } },
          required: ['label'],
          additionalProperties: false,
        },
      },
      properties: { root: { $ref: '#/$defs/node' } },
      required: ['root'],
    });
    const root = { label: 'a', sons: [{ label: 'b' }, { label: 'c', sons: [{ label: '', sons: [] }] }] };
    expect(fits(text({ root }))).toBe(true);
    expect(fits(text({ root: { label: 'a', sons: [{ sons: [] }] } }))).toBe(false);
    let deep: object = { label: 'x' };
    for (let i = 0; i < 300; i++) deep = { label: 'x', sons: [deep] };
    expect(fits(text({ root: deep }))).toBe(true);
  });
  it('may have unique items where these look as in JSON', () => {
    const numbers = { type: 'array', items: { type: 'integer' }, uniqueItems: true, contains: { const: 3 } };
    const fits = checkerOf(form, { type: 'object', properties: { a: numbers } });
    expect(['{a:[3,1]}', '{a:[3,3]}', '{a:[1]}'].map(fits)).toEqual([true, false, false]);
  });
  it('may have unique items where these are few texts', () => {
    const values = { enum: ['x', 'y', true, null] };
    const items = { type: 'array', items: values, uniqueItems: true, minItems: 1, maxItems: 3 };
    const fits = checkerOf(form, { type: 'object', properties: { a: items } });
    for (const [a, good] of [
      [['y'], true],
      [['y', 'x', true], true],
      [[null, true, 'y'], true],
      [[], false],
      [['x', 'x'], false],
      [[true, 'x', true], false],
      [['x', 'y', true, null], false],
      [['z'], false],
    ] as const)
      expect(fits(text({ a })), text({ a })).toBe(good);
  });
  it('may have unique items where these are seven texts at most', () => {
    const items = { type: 'array', items: { type: 'string', pattern: '^[a-g]$' }, uniqueItems: true };
    const fits = checkerOf(form, { type: 'object', properties: { a: items } });
    expect(fits(text({ a: [...'gfedcba'] }))).toBe(true);
    expect(fits(text({ a: [...'gg'] }))).toBe(false);
  });
  it.each([
    ['unique', { a: { type: 'array', items: { type: 'string' }, uniqueItems: true } }],
    ['unique', { a: { type: 'array', items: { pattern: '^[a-h]$', type: 'string' }, uniqueItems: true } }],
    ['counted', { a: { type: 'array', contains: { type: 'string' } } }],
    ['named "x:y"', { a: { type: 'object', properties: { 'x:y': {} } } }],
    ['named "}"', { '}': {} }],
    ['would hold', { a: { const: notation.close } }],
    ['owes', { a: { type: 'object', minProperties: 2 } }],
  ])('are an error where they cannot be told: %s', (why, properties) => {
    expect(() => checkerOf(form, { type: 'object', properties })).toThrow(
      expect.objectContaining({
        name: 'OptionError',
        message: expect.stringMatching(new RegExp(`'required'.*'f'.*${why}`, 's')),
      }),
    );
  });
});

/** A schema whose objects have no other names than those that are told, and a value that fits. */
function pair(random: Random, depth: number): { schema: object; value: unknown } {
  const kinds = depth === 0 ? 5 : 8;
  const any = (): { schema: object; value: unknown } => pair(random, depth - 1);
  switch (random.below(kinds)) {
    case 0: {
      const value = ['', 'a', 'a:b,c', '"x"', 'ü\n', '12', 'true', ' {x} '][random.below(8)]!;
      return { schema: { type: 'string', ...(random.float() < 0.3 ? { enum: ['q', value] } : {}) }, value };
    }
    case 1: {
      const value = [0, -3, 2.5, 1e21, 7][random.below(5)]!;
      return { schema: random.float() < 0.5 ? { type: 'number' } : { enum: [value, 'x', null] }, value };
    }
    case 2:
      return { schema: { type: ['boolean', 'integer'] }, value: random.float() < 0.5 };
    case 3:
      return { schema: { type: ['null', 'string'] }, value: null };
    case 4:
      return { schema: { type: ['number', 'null', 'boolean'] }, value: [1, null, false][random.below(3)]! };
    case 5: {
      const items = any();
      const length = random.below(4);
      const value = Array.from({ length }, () => items.value);
      const most = random.float() < 0.5 ? { maxItems: length + random.below(2) } : {};
      return { schema: { type: 'array', items: items.schema, minItems: random.below(length + 1), ...most }, value };
    }
    case 6: {
      const prefix = Array.from({ length: 1 + random.below(3) }, any);
      const value = prefix.slice(0, random.below(prefix.length + 1)).map((p) => p.value);
      return { schema: { type: 'array', prefixItems: prefix.map((p) => p.schema), items: { type: 'integer' } }, value };
    }
    default:
      return objectPair(random, depth);
  }
}

function objectPair(random: Random, depth: number): { schema: object; value: object } {
  const names = ['a', 'B', 'b c', 'ab', 'é', '0', 'x,y'].filter(() => random.float() < 0.4);
  const members = names.map((name) => ({ name, ...pair(random, depth - 1), here: random.float() < 0.7 }));
  return {
    schema: {
      type: 'object',
      properties: Object.fromEntries(members.map((m) => [m.name, m.schema])),
      required: members.filter((m) => m.here && random.float() < 0.6).map((m) => m.name),
      additionalProperties: false,
    },
    value: Object.fromEntries(members.filter((m) => m.here).map((m) => [m.name, m.value])),
  };
}

describe.each(NOTATIONS)('random nested values: %s', (name) => {
  const form = FORMS[name]!;
  it('are let through where they fit, and only there', async () => {
    const checker = new ResultChecker();
    const random = createRandom(7);
    const pairs = Array.from({ length: Number(process.env.ARGUMENTS_SEEDS ?? 40) }, () => objectPair(random, 3));
    for (const [i, { schema }] of pairs.entries()) {
      const given = json(schema, { propertyOrder: 'any' });
      const target = toolOf(form, given);
      expect(validateGrammar(constraintGrammar(target.constraint!).grammar)).toEqual([]);
      const grammar = compile(target.constraint!);
      for (const { value } of [pairs[i]!, ...pairs.slice(0, 12)]) {
        const text = callOf(form, notationText(form.notation!, JSON.stringify(value)));
        const matcher = new Matcher(grammar, plain);
        const taken = matcher.acceptBytes(new TextEncoder().encode(text)) && matcher.isAccepting;
        expect(taken, `${JSON.stringify(schema)} ${text}`).toBe(validateValue(schema, value).valid);
        if (!taken) continue;
        const read = (await target.finish(text, checker, () => {})) as { calls: { arguments: unknown }[] };
        expect(isDeepStrictEqual(read.calls[0]!.arguments, value), text).toBe(true);
      }
    }
  });
});

describe('marks of strings that are control tokens', () => {
  const specials = { '<|call>': 257, '<call|>': 258, '<|q|>': 259 };
  const vocabulary = Vocabulary.fromTokens([...bytes, null, null, null, null], { eos: [256], specials });
  const spelled = (s: string): number[] => [...new TextEncoder().encode(s)];
  const parameters = {
    type: 'object',
    properties: { '<|q|>': { type: 'string' }, n: { type: 'array', items: { enum: ['yes', 1] } } },
    required: ['<|q|>'],
    additionalProperties: false,
  };
  const { constraint } = toolOf(SORTED, parameters);
  const matcherOf = (maxTokens?: number): Matcher =>
    new Matcher(compile(constraint!, { vocabulary }), vocabulary, maxTokens === undefined ? {} : { maxTokens });
  const call = [257, ...spelled('do:f{<|q|>:'), 259, ...spelled('a"{'), 259];

  it('are one token each, and text in names', () => {
    const matcher = matcherOf();
    for (const t of call) expect(matcher.accept(t)).toBe(true);
    for (const t of [...spelled(',n:['), 259, ...spelled('yes'), 259, ...spelled(',1]}'), 258])
      expect(matcher.accept(t)).toBe(true);
    expect(matcher.isAccepting).toBe(true);
  });
  it('are forced where nothing else can come', () => {
    const matcher = matcherOf();
    for (const t of [257, ...spelled('do:f{<|q|>:')]) expect(matcher.accept(t)).toBe(true);
    expect(matcher.forcedTokens()).toEqual([259]);
    for (const t of call.slice(12)) expect(matcher.accept(t)).toBe(true);
  });
  it('are no text in strings', () => {
    const matcher = matcherOf();
    for (const t of call.slice(0, -1)) expect(matcher.accept(t)).toBe(true);
    for (const t of spelled('<|q|')) expect(matcher.accept(t)).toBe(true);
    expect(matcher.accept(62)).toBe(false);
  });
  it('are counted by budgets', () => {
    const least = [257, ...spelled('do:f{<|q|>:'), 259, 259, ...spelled('}'), 258];
    const tight = matcherOf(least.length);
    for (const t of least) expect(tight.accept(t)).toBe(true);
    expect(tight.isAccepting).toBe(true);
    expect(matcherOf(least.length - 1).accept(257)).toBe(false);
  });
});
