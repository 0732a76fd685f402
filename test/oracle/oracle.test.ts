/** The naive twin held against hand-made cases, a second reading of regular expressions, and its own definition of liveness. */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.js';
import type { Expr, Grammar } from '../../src/grammar/ir.js';
import { anyString } from '../../src/regular/regex.js';
import { Interpreter } from './interpreter.js';
import { bytesOf, canonicalValue } from './json.js';
import { randomGrammar, randomRegex } from './random-grammar.js';
import { matchEnds, nonEmpty, termOf, words } from './regex.js';

const grammar = (exprs: Expr[], whitespace: Grammar['whitespace'] = 'compact', start = exprs.length - 1): Grammar => ({
  exprs,
  start,
  whitespace,
});

const OBJECT = {
  op: 'object',
  properties: [],
  dynamic: [],
  order: 'schema',
  minProperties: 0,
  maxProperties: Number.POSITIVE_INFINITY,
  implications: [],
  witnesses: 0,
} as const;
const ARRAY = {
  op: 'array',
  prefix: [],
  rest: [],
  minItems: 0,
  maxItems: Number.POSITIVE_INFINITY,
  counters: [],
  unique: false,
} as const;
const digit: Expr = { op: 'text', re: { t: 'set', ranges: [0x30, 0x39] } };

/** Each row: grammar, members, live prefixes that are not members, dead texts. */
const CASES: readonly (readonly [string, Grammar, string[], string[], string[]])[] = [
  ['text', grammar([{ op: 'text', re: { t: 'lits', texts: ['ab', 'é'] } }]), ['ab', 'é'], ['', 'a'], ['b', 'abc']],
  [
    'string escapes',
    grammar([
      { op: 'string', re: { t: 'alt', items: ['é', '😀', '\n/'].map((text) => ({ t: 'lit', text }) as const) } },
    ]),
    ['"é"', '"\\u00e9"', '"\\u00E9"', '"\\ud83d\\ude00"', '"\\n\\/"', '"\\u000a/"'],
    ['"', '"\\', '"\\ud83d', '"\\ud83d\\', '"\\ud83d\\ude', '"\\n\\'],
    ['"\n', '"a', '"\\ud83e', '"\\ud83da', '"\\t', '"\\ud83d\\ud8', '"é"x'],
  ],
  [
    'literals as JSON writers spell them',
    grammar([{ op: 'string', re: { t: 'lits', texts: ['a/é', '\n\u0001', '"'] } }]),
    ['"a/é"', '"a/\\u00e9"', '"\\n\\u0001"', '"\\""'],
    ['"\\', '"\\n\\u00', '"a/\\u00E'],
    ['"\\u', '"a\\/', '"\\u000a', '"\\u0022'],
  ],
  [
    'lone surrogates',
    grammar([{ op: 'string', re: { t: 'set', ranges: [0xd800, 0xdfff] } }]),
    ['"\\ud83d"', '"\\uDE00"'],
    ['"\\ud', '"\\ud83d'],
    ['"\\ud83d\\', '"😀"'],
  ],
  [
    'object order',
    grammar([digit, { ...OBJECT, properties: ['a', 'b'].map((name) => ({ name, value: 0, required: name === 'b' })) }]),
    ['{"a":1,"b":2}', '{"b":1}'],
    ['{', '{"a":1,', '{"a":1', '{"', '{"b":1'],
    ['{}', '{"b":1,', '{"a":1}', '{"a":1,"a', '{ ', '{"\\u'],
  ],
  [
    'object keys, any order, bounds',
    grammar(
      [
        digit,
        {
          ...OBJECT,
          order: 'any',
          properties: [{ name: 'a', value: 0, required: true }],
          dynamic: [{ keys: { t: 'set', ranges: [0x78, 0x79] }, value: 0 }],
          minProperties: 2,
          maxProperties: 2,
        },
      ],
      'flexible',
    ),
    ['{"x":1,"a":1}', '{ "a" : 1 ,\n"y":2}'],
    ['{"x":1,', '{"x":1, "a":'],
    ['{"x":1,"y', '{"x":1,"x', '{"a":1}', '{"a":1,"y":2,', '{"z'],
  ],
  [
    'implications and witnesses',
    grammar([
      digit,
      {
        ...OBJECT,
        properties: ['a', 'b'].map((name) => ({ name, value: 0, required: false })),
        dynamic: [{ keys: { t: 'lits', texts: ['x', 'y'] }, value: 0, witness: 0 }],
        implications: [{ if: 1, then: [0] }],
        witnesses: 1,
      },
    ]),
    ['{"x":1}', '{"a":1,"b":1,"y":1}', '{"a":1,"x":1}'],
    ['{"a":1', '{"a":1,"b":1,'],
    ['{}', '{"b', '{"a":1}'],
  ],
  [
    'array counters and prefix',
    grammar([
      digit,
      { op: 'text', re: { t: 'lit', text: 'x' } },
      {
        ...ARRAY,
        prefix: [[{ value: 1, counts: 0 }]],
        rest: [
          { value: 0, counts: 1 },
          { value: 1, counts: 0 },
        ],
        counters: [{ min: 1, max: 1 }],
        maxItems: 3,
      },
    ]),
    ['[x,1]', '[x,x,1]', '[x,1,x]'],
    ['[', '[x', '[x,x,'],
    ['[]', '[x]', '[1', '[x,1,1', '[x,x,x', '[x,1,x,'],
  ],
  [
    'unique items',
    grammar([
      { op: 'text', re: { t: 'lits', texts: ['1', '1.0', '2'] } },
      { ...ARRAY, rest: [{ value: 0, counts: 0 }], unique: true, minItems: 2 },
    ]),
    ['[1,2]', '[2,1.0]'],
    ['[1,', '[1', '[2,1', '[2,1.'],
    ['[1,1', '[1,2,', '[2,1,'],
  ],
  [
    'recursion',
    grammar([
      { op: 'rule', name: 'list', body: 2 },
      digit,
      { op: 'alt', items: [1, 3] },
      { ...ARRAY, rest: [{ value: 0, counts: 0 }] },
      { op: 'repeat', item: 0, min: 2, max: 2 },
    ]),
    ['11', '[[1],2]3', '[][]'],
    ['1', '[[', '[1]'],
    ['111', '[1]]'],
  ],
  [
    'bounded whitespace',
    grammar([digit, { ...ARRAY, rest: [{ value: 0, counts: 0 }] }], 'bounded'),
    ['[ 1,\n  \t2]', '[]', '[ ]', `[\n${' '.repeat(64)}]`],
    ['[ ', '[1\n'],
    ['[  ', '[\n\n', `[\n${' '.repeat(65)}`, ' ['],
  ],
  [
    'any string',
    grammar([{ op: 'string', re: anyString }]),
    ['""', '"a\\"b"'],
    ['"', '"\\u00'],
    ['a', '"\u0001', '""a'],
  ],
];

describe('the naive twin', () => {
  it.each(CASES)('%s', (_name, g, members, prefixes, dead) => {
    const twin = new Interpreter(g);
    for (const text of members) {
      expect([text, twin.member(bytesOf(text))]).toEqual([text, true]);
      const bytes = bytesOf(text);
      for (let n = 0; n <= bytes.length; n++) expect([text, n, twin.live(bytes.slice(0, n))]).toEqual([text, n, true]);
    }
    for (const text of prefixes) {
      expect([text, twin.live(bytesOf(text)), twin.member(bytesOf(text))]).toEqual([text, true, false]);
    }
    for (const text of dead) {
      const live = twin.live(bytesOf(text));
      expect([text, twin.member(bytesOf(text))]).toEqual([text, false]);
      if (!prefixes.includes(text) && !members.some((m) => m.startsWith(text)))
        expect([text, live]).toEqual([text, false]);
    }
  });

  it('cut UTF-8 is live where some character fits', () => {
    const twin = new Interpreter(grammar([{ op: 'text', re: { t: 'set', ranges: [0x7ff, 0x801] } }]));
    expect(twin.live([0xdf])).toBe(true);
    expect(twin.live([0xde])).toBe(false);
    expect(twin.live([0xe0, 0xa0])).toBe(true);
    expect(twin.live([0xe0, 0xa1])).toBe(false);
    expect(twin.member([0xe0, 0xa0, 0x81])).toBe(true);
  });

  it('token terminals', () => {
    const twin = new Interpreter(
      grammar([
        { op: 'text', re: { t: 'lit', text: 'a' } },
        { op: 'token', ids: [7], texts: [], negate: false },
        { op: 'seq', items: [0, 1, 0] },
      ]),
    );
    const marks = new Map([[1, [{ id: 7, end: 3 }]]]);
    expect(twin.member(bytesOf('axya'), marks)).toBe(true);
    expect(twin.member(bytesOf('axya'))).toBe(false);
    expect(twin.live(bytesOf('axy'), marks)).toBe(true);
    expect(twin.live(bytesOf('ax'), marks)).toBe(false);
  });

  it('values are compared as JSON values', () => {
    const same = (a: string, b: string): boolean => canonicalValue(bytesOf(a)) === canonicalValue(bytesOf(b));
    expect(same('1', '1.0e0')).toBe(true);
    expect(same('100', '1e2')).toBe(true);
    expect(same('0', '-0.0')).toBe(true);
    expect(same('1e400', '10e399')).toBe(true);
    expect(same('1', '"1"')).toBe(false);
    expect(same('{"a":1,"b":[ ]}', '{"b":[],"\\u0061":1.0}')).toBe(true);
    expect(same('[1,2]', '[2,1]')).toBe(false);
  });

  it('derivatives equal the reading by sets of ends', () => {
    const random = createRandom(20);
    const alphabet = [0x61, 0x62, 0x63, 0x31, 0xe9, 0x1f600];
    let members = 0;
    for (let round = 0; round < 400; round++) {
      const re = randomRegex(random, 3, 'string');
      const t = termOf(re);
      const texts = words(t, 6);
      for (let k = 0; k < 10; k++)
        texts.push(Array.from({ length: random.below(5) }, () => alphabet[random.below(6)] ?? 0));
      for (const text of texts) {
        const byDerivative = text.reduce((x, c) => x.d(c), t).nullable;
        if (byDerivative) members++;
        expect([JSON.stringify(re), text, matchEnds(re, text, 0).has(text.length)]).toEqual([
          JSON.stringify(re),
          text,
          byDerivative,
        ]);
      }
      expect(nonEmpty(t)).toBe(true);
    }
    expect(members).toBeGreaterThan(1000);
  });

  it('every live prefix can be completed, and no dead one can', () => {
    const random = createRandom(21);
    let grammars = 0;
    let found = 0;
    for (let round = 0; round < 150; round++) {
      const g = randomGrammar(random, { depth: 2, unique: 30 });
      if (g === undefined) continue;
      grammars++;
      const twin = new Interpreter(g);
      const alphabet = twin.alphabet();
      // Forward: from the empty text along live characters, members turn up.
      let level: number[][] = [[]];
      for (let n = 0; n < 5 && level.length > 0; n++) {
        const next: number[][] = [];
        for (const t of level) {
          if (twin.member(t)) {
            found++;
            expect(twin.live(t)).toBe(true);
          }
          const extensions = alphabet.map((c) => [...t, ...c]).filter((u) => twin.live(u));
          // A live text that is no member goes on (some byte, if only a cut character or an escape outside the alphabet).
          if (!twin.member(t) && extensions.length === 0) {
            const any = Array.from({ length: 256 }, (_, b) => [...t, b]).some((u) => twin.live(u));
            expect([JSON.stringify(g), t, any]).toEqual([JSON.stringify(g), t, true]);
          }
          next.push(...extensions.slice(0, 4));
        }
        level = next.slice(0, 12);
      }
    }
    expect(grammars).toBeGreaterThan(60);
    expect(found).toBeGreaterThan(30);
  });
});
