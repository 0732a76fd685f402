/** A seeded share of the comparison over real vocabularies; the whole: `npx tsx test/fsm/real.ts`. */
import { expect, test } from 'vitest';
import { compile, json, Matcher } from '../../src/core.js';
import { compareReal, type RealName, realVocabulary } from './real-vocabularies.js';

const STATES = 25;

/** Finds of earlier runs: only vocabularies of hundreds of tokens have mask slices. */
const KEPT: readonly (readonly [RealName, number, string])[] = [
  ['embedded', 259, 'what a required property implies counts against maxProperties'],
  ['embedded', 318, 'raw text but for a few literals'],
  ['cl100k', 20006, 'raw texts that may end anywhere, one after another'],
  ['o200k', 344, 'a token that ends raw text of one character and goes on in the array'],
];

test.each<RealName>(['cl100k', 'o200k', 'embedded'])(
  'agrees with the naive twin over %s',
  { timeout: 300_000 },
  (name) => {
    const real = realVocabulary(name);
    if (real === undefined) {
      console.log(`skipped: the vocabulary of ${name} is not there`);
      return;
    }
    const run = compareReal(real, STATES, 77_000);
    expect(run.finds).toEqual([]);
    expect(run.states).toBeGreaterThanOrEqual(STATES);
  },
);

test.each(KEPT)('%s, seed %i: %s', { timeout: 60_000 }, (name, seed) => {
  const real = realVocabulary(name);
  if (real !== undefined) expect(compareReal(real, 1, seed).finds).toEqual([]);
});

const TEXTS: readonly (readonly [string, object, unknown])[] = [
  [
    'a pattern less the values used',
    { type: 'array', uniqueItems: true, items: { type: 'string', pattern: '^\\d+(\\.\\d+)?x$' } },
    ['1x', '15x', '2.5x'],
  ],
  [
    'names, excluded names and used keys',
    { type: 'object', properties: { id: { type: 'integer' }, name: { type: 'string' } }, additionalProperties: true },
    { nam: 1, name: 'a', ids: [], id: 2 },
  ],
  [
    'counted words under a length',
    { type: 'string', pattern: '^$|(^(?:\\S+\\s+){0,30}\\S+$)', maxLength: 60 },
    'one two  3 four five six seven and 1 a b c d e f g h i j k',
  ],
  [
    'few words left under a far length',
    { type: 'string', pattern: '^(?:\\S+\\s+){0,22}\\S+$', maxLength: 400 },
    'one two\u3000th\u00a0ré \u2028 four',
  ],
  ['near the end of a short string', { type: 'string', minLength: 2, maxLength: 14 }, 'aé"\\東 b\u3000"\n"x'],
  [
    'short strings that must differ',
    { type: 'array', uniqueItems: true, items: { type: 'string', minLength: 1, maxLength: 5 } },
    ['a', 'ab', 'a"', 'é', 'abcd"', 'abcde'],
  ],
  ['character classes of a pattern', { type: 'string', format: 'regex' }, '^[a-zA-Z0-9_é(]{3,16}(?<n>[^-\\]x-]|y)*$'],
  ['characters but for line ends', { type: 'string', pattern: '^x?.{0,160}[a-z]$' }, 'é\u3000東京 a.b'],
  [
    'unique objects, strings among them',
    {
      type: 'array',
      uniqueItems: true,
      items: {
        oneOf: [
          { type: 'string' },
          {
            type: 'object',
            properties: { name: { type: 'string', minLength: 1 }, checked: { type: 'boolean' } },
            required: ['name', 'checked'],
            additionalProperties: false,
          },
        ],
      },
    },
    ['a', { name: '6.é', checked: true }, { checked: false, name: '6.é' }, { name: '6', checked: false }],
  ],
];

/** Blanks anywhere: the values are the same, and so is what a mask may leave out. */
const spread = (value: unknown): string => JSON.stringify(value, undefined, 2).replaceAll('\n', '\n\t ');

test.each([
  ...TEXTS.map(([name, schema, value]) => [name, schema, JSON.stringify(value)] as const),
  ...TEXTS.filter(([name]) => name.startsWith('unique')).map(
    ([name, schema, value]) => [`${name}, spread`, schema, spread(value)] as const,
  ),
])('%s: mask bit <=> accept over cl100k', { timeout: 120_000 }, (_, schema, text) => {
  const real = realVocabulary('cl100k');
  if (real === undefined) return;
  const matcher = new Matcher(compile(json(schema, { whitespace: 'flexible', propertyOrder: 'any' })), real.vocabulary);
  const mask = new Uint32Array(Math.ceil(real.tokens.length / 32));
  for (const [at, byte] of new TextEncoder().encode(text).entries()) {
    matcher.fillMask(mask);
    const wrong: number[] = [];
    // All short and frequent tokens, and others by turns.
    for (let id = 0; id < real.tokens.length; id += id < 1000 ? 1 : 29) {
      if (id === 1000) id += at % 29;
      const accepted = matcher.accept(id);
      if (accepted) matcher.rollback(1);
      if (accepted !== ((((mask[id >> 5] ?? 0) >>> (id & 31)) & 1) === 1)) wrong.push(id);
    }
    expect(wrong).toEqual([]);
    expect(matcher.acceptBytes(Uint8Array.of(byte))).toBe(true);
  }
});
