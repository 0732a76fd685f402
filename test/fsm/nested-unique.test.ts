/**
 * Arrays with unique items in items of arrays with unique items, over vocabularies with every byte and without: with and without a budget a mask
 * holds just what `accept` takes and is never empty, and what a walk ends with is valid and in time.
 */
import { expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.js';
import { type CompiledGrammar, compile, json, Matcher, TokenloomError, Vocabulary } from '../../src/core.js';
import { canonicalJson } from '../../src/fsm/unique.js';
import { type Draw, oneOf } from '../oracle/random-grammar.js';
import { allowedOf, bit } from './allowed.js';

const LONG = 'b'.repeat(14);
const SCALARS: readonly object[] = [
  { const: 1 },
  { enum: ['x', 'y'] },
  { type: 'boolean' },
  { enum: [0, 1, 123456789] },
  { enum: ['a', LONG] },
  { type: 'integer', minimum: 0, maximum: 120 },
  { enum: [0, 1, 2, 3] },
  { enum: ['a'] },
];

interface Shape {
  readonly [keyword: string]: unknown;
  readonly items?: Shape;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly anyOf?: readonly Shape[];
}

function itemOf(draw: Draw, depth: number): Shape {
  const kind = depth === 0 ? 0 : draw.below(6);
  if (kind === 0) return oneOf(draw, SCALARS) as Shape;
  if (kind <= 3) return arrayOf(draw, depth);
  if (kind === 4) return { anyOf: [itemOf(draw, depth - 1), itemOf(draw, depth - 1)] };
  const names = ['a', 'b'].filter(() => draw.below(3) > 0);
  return {
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, itemOf(draw, depth - 1)])),
    required: names.filter(() => draw.below(2) === 0),
    additionalProperties: false,
  };
}

function arrayOf(draw: Draw, depth: number): Shape {
  const minItems = draw.below(4);
  return {
    type: 'array',
    uniqueItems: draw.below(5) > 0,
    items: itemOf(draw, depth - 1),
    minItems,
    ...(draw.below(2) === 0 ? { maxItems: minItems + draw.below(3) } : {}),
  };
}

/** The plain way to tell whether a value is what such a schema asks for. */
function isValid(shape: Shape, value: unknown): boolean {
  if (shape.anyOf !== undefined) return shape.anyOf.some((one) => isValid(one, value));
  if (Array.isArray(shape.enum)) return shape.enum.includes(value);
  if ('const' in shape) return value === shape.const;
  if (shape.type === 'boolean') return typeof value === 'boolean';
  if (shape.type === 'integer') return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 120;
  if (shape.type === 'array') {
    if (!Array.isArray(value) || value.length < (shape.minItems as number)) return false;
    if (value.length > ((shape.maxItems as number | undefined) ?? value.length)) return false;
    if (shape.uniqueItems === true && new Set(value.map(canonicalJson)).size < value.length) return false;
    return value.every((item) => isValid(shape.items!, item));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const members = Object.entries(value);
  return (
    (shape.required as readonly string[]).every((name) => Object.hasOwn(value, name)) &&
    members.every(([name, item]) => Object.hasOwn(shape.properties!, name) && isValid(shape.properties![name]!, item))
  );
}

const PIECES = '[ ] ],[ , 1 0 "a" "x" [1 1] [[ ]] " {"a": } {} true 12 : "b"'.split(' ').concat(LONG);

/** `whole`: with every byte; else some are only to be had within longer tokens. */
function tokensOf(draw: Draw, whole: boolean): (Uint8Array | null)[] {
  const words = new Set<string>(['],', '],[', '],[[', ']],[[', ']],', '},', '},{"', '1],[', '[[1', '","', '"b":']);
  for (let i = 0; i < 40; i++) {
    let word = '';
    for (let n = 2 + draw.below(4); n > 0; n--) word += oneOf(draw, PIECES)!;
    words.add(word);
  }
  const bytes = Array.from({ length: 256 }, (_, b) => Uint8Array.of(b));
  const lack = ['01', ']', '}', ','].filter(() => draw.below(3) === 0).join('');
  const kept = whole ? bytes : bytes.filter(([b]) => b! < 0x80 && !lack.includes(String.fromCharCode(b!)));
  return [...kept, ...[...words].map((word) => Buffer.from(word)), null];
}

/** The least `maxTokens` that a matcher takes, Infinity where it takes none. */
function leastOf(compiled: CompiledGrammar, vocabulary: Vocabulary): number {
  for (let maxTokens = 0; maxTokens < 200; maxTokens++)
    try {
      expect(new Matcher(compiled, vocabulary, { maxTokens }).isFinished).toBe(false);
      return maxTokens;
    } catch (error) {
      if (!(error instanceof TokenloomError)) throw error;
    }
  return Number.POSITIVE_INFINITY;
}

const STEPS = 40;

/** What is wrong along the random walks of one seed, in words; `null` where there is nothing to walk. */
function check(seed: number, whole: boolean): string | null | undefined {
  const draw = createRandom(seed);
  const schema: Shape = { ...arrayOf(draw, 2 + draw.below(2)), uniqueItems: true };
  const tokens = tokensOf(draw, whole);
  const eos = tokens.length - 1;
  const ids = [...tokens.keys()].filter((id) => !whole || (id > 0x20 && id < 0x80) || id >= 256);
  const vocabulary = Vocabulary.fromTokens(tokens, { eos: [eos] });
  let compiled: CompiledGrammar;
  let least: number;
  try {
    const propertyOrder = oneOf(draw, ['any', 'schema'] as const)!;
    compiled = compile(json(schema, { whitespace: 'compact', propertyOrder }));
    least = whole ? new Matcher(compiled, vocabulary).remaining : leastOf(compiled, vocabulary);
  } catch (error) {
    if (error instanceof TokenloomError) return null;
    throw error;
  }
  // The vocabulary spells no value.
  if (!whole && least === Number.POSITIVE_INFINITY) return null;
  const mask = new Uint32Array(Math.ceil(tokens.length / 32));
  for (const more of [Number.POSITIVE_INFINITY, 0, 1, 2, 4, 7, 11, 16, 24]) {
    const bounded = more < Number.POSITIVE_INFINITY;
    const matcher = new Matcher(compiled, vocabulary, bounded ? { maxTokens: least + more } : {});
    let text = '';
    for (let step = 0; step < STEPS && !matcher.isFinished; step++) {
      const at = `seed ${seed}, budget ${least}+${more}, after ${text}, ${JSON.stringify(schema)}`;
      const allowed = allowedOf(matcher, mask, ids, tokens);
      if (typeof allowed === 'string') return `${at}: ${allowed}`;
      if (allowed.length === 0) return `${at}: empty`;
      const long = allowed.filter((id) => (tokens[id]?.length ?? 0) > 1);
      const real = long.length > 0 && draw.below(3) > 0 ? long : allowed.filter((id) => id !== eos);
      const ends = real.length === 0 || (!bounded && allowed.includes(eos) && draw.below(8) === 0);
      const id = ends ? eos : oneOf(draw, real)!;
      if (!matcher.accept(id)) return `${at}: refused ${id}`;
      text += Buffer.from(tokens[id] ?? []).toString();
    }
    if (!matcher.isFinished) {
      if (matcher.accepted < STEPS) return `seed ${seed}: not finished: ${text}`;
    } else if (matcher.accepted - 1 > least + more || !isValid(schema, JSON.parse(text)))
      return `seed ${seed}: ${text} is not what ${JSON.stringify(schema)} asks for`;
  }
  return undefined;
}

/** First and last seed; a longer run is `NESTED_SEEDS=1-5000 npx vitest run test/fsm/nested-unique.test.ts`. */
const [FIRST = 1, LAST = 120] = (process.env.NESTED_SEEDS ?? '').split('-').filter(Boolean).map(Number);
it.each([
  ['with every byte', true, 1],
  ['without every byte', false, 2],
])('masks of nested unique arrays, a vocabulary %s', { timeout: 1_200_000 }, (_, whole, every) => {
  const wrong: string[] = [];
  for (let seed = FIRST; seed <= LAST; seed += every) {
    const found = check(seed, whole);
    if (typeof found === 'string') wrong.push(found);
  }
  expect(wrong).toEqual([]);
});

const pair = (...values: readonly unknown[]): object => ({
  type: 'array',
  prefixItems: values.map((value) => (Array.isArray(value) ? { enum: value } : value)),
  items: false,
  minItems: values.length,
});
const members = (...names: readonly string[]): object => ({
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, { const: 'a' }])),
  additionalProperties: false,
});
const unique = (items: object, more: object = {}): object => ({ type: 'array', uniqueItems: true, items, ...more });

it.each([
  [
    'an item ends anew only where those around it do',
    unique(unique(pair([0, 1, 2, 3]), { minItems: 4, maxItems: 4 })),
    '[[[0],[1],[2],[3]],[[0],[1],[',
    '2',
  ],
  ['a token chooses the last member that can', unique(members('a', 'b'), { maxItems: 3 }), '[{"b":"a"},{', '"b":'],
  [
    'an item repeats where the one around it differs',
    unique(unique({ type: 'array', items: { type: 'integer' } })),
    '[[[1],[11]',
    ',[1]]',
  ],
])('%s', (_, schema, text, refused) => {
  const bytes = Array.from({ length: 256 }, (_, b) => Uint8Array.of(b));
  const tokens = [...bytes, Buffer.from('"b":'), Buffer.from(',[1]]'), null];
  const vocabulary = Vocabulary.fromTokens(tokens, { eos: [tokens.length - 1] });
  const compiled = compile(json(schema, { whitespace: 'compact', propertyOrder: 'schema' }));
  const matcher = new Matcher(compiled, vocabulary);
  expect(matcher.acceptBytes(Buffer.from(text))).toBe(true);
  const mask = new Uint32Array(Math.ceil(tokens.length / 32));
  matcher.fillMask(mask);
  const allowed = tokens.flatMap((token, id) => (bit(mask, id) ? [Buffer.from(token ?? []).toString()] : []));
  expect(allowed.length).toBeGreaterThan(0);
  expect(allowed).not.toContain(refused);
  expect(matcher.acceptBytes(Buffer.from(refused))).toBe(false);
});
