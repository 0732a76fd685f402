/**
 * Arrays whose items must differ and whose positions have few values, also of arrays and objects: a schema is refused where it has no value,
 * and otherwise exactly its values can be written, without dead ends. The twin writes down all values there could be and keeps those that a
 * plain validator accepts.
 */
import { expect, it } from 'vitest';
import { UnsatisfiableError } from '../../src/base/errors.js';
import { createRandom } from '../../src/base/random.js';
import { compile, json, Matcher, Vocabulary } from '../../src/core.js';
import { validate } from '../grammar/schema/naive-validator.js';
import type { Draw } from '../oracle/random-grammar.js';
import { walk } from './structure-walk.js';

interface Items {
  readonly anyOf?: readonly Items[];
  readonly enum?: readonly unknown[];
  readonly prefixItems?: readonly Items[];
  readonly items?: Items | false;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Items>>;
}

const SCALARS: readonly unknown[] = ['x', 'y', 1, 0, true, null];
/** Values and steps beyond which a schema is passed over. */
const MOST = 4000;

const few = (draw: Draw): Items => ({ enum: SCALARS.filter(() => draw.below(3) === 0) });

function anyItems(draw: Draw, depth: number): Items {
  const kind = depth === 0 ? 0 : draw.below(5);
  if (kind < 2) return few(draw);
  if (kind === 2) return arrayOf(draw, depth);
  if (kind === 3) return { anyOf: [anyItems(draw, depth - 1), anyItems(draw, depth - 1)] };
  const names = ['a', 'b', 'c'].filter(() => draw.below(2) === 0);
  return {
    ...{ type: 'object', additionalProperties: false },
    properties: Object.fromEntries(names.map((name) => [name, anyItems(draw, depth - 1)])),
    ...{ required: names.filter(() => draw.below(3) === 0), minProperties: draw.below(2) },
    ...(draw.below(4) === 0 ? { maxProperties: 1 + draw.below(2) } : {}),
  };
}

function arrayOf(draw: Draw, depth: number, most = 2): Items {
  const prefix = Array.from({ length: draw.below(2) * draw.below(4) }, () => anyItems(draw, depth - 1));
  const minItems = draw.below(most + 1);
  const counted = (): object => {
    const minContains = draw.below(3);
    const max = draw.below(3) === 0 ? { maxContains: minContains + draw.below(2) } : {};
    return { contains: anyItems(draw, draw.below(2)), minContains, ...max };
  };
  return {
    ...{ type: 'array', uniqueItems: draw.below(6) > 0, minItems },
    ...{ maxItems: Math.min(most, minItems + draw.below(3)) },
    ...(prefix.length > 0 ? { prefixItems: prefix } : {}),
    items: prefix.length > 0 && draw.below(2) === 0 ? false : anyItems(draw, depth - 1),
    ...(draw.below(3) === 0 ? counted() : {}),
    ...(draw.below(8) === 0 ? { allOf: [counted()] } : {}),
  };
}

/** All values of a schema; undefined where they are too many. */
function valuesOf(s: Items): readonly unknown[] | undefined {
  const found = new Map<string, unknown>();
  const add = (value: unknown): void => {
    if (found.size <= MOST && validate(s, value)) found.set(JSON.stringify(value), value);
  };
  let tried = 0;
  if (s.enum !== undefined) s.enum.forEach(add);
  else if (s.anyOf !== undefined) {
    for (const branch of s.anyOf) {
      const values = valuesOf(branch);
      if (values === undefined) return undefined;
      values.forEach(add);
    }
  } else if (s.properties !== undefined) {
    let objects: object[] = [{}];
    for (const [name, value] of Object.entries(s.properties)) {
      const values = valuesOf(value);
      if (values === undefined) return undefined;
      objects = objects.flatMap((o) => [o, ...values.map((v) => ({ ...o, [name]: v }))]);
      if (objects.length > MOST) return undefined;
    }
    objects.forEach(add);
  } else {
    const max = s.maxItems ?? 0;
    const rows: (readonly unknown[])[] = [];
    for (let i = 0; i < max; i++) {
      const item = s.prefixItems?.[i] ?? s.items;
      const values = item === false || item === undefined ? [] : valuesOf(item);
      if (values === undefined) return undefined;
      rows.push(values);
    }
    const visit = (items: readonly unknown[]): void => {
      if (++tried > MOST * 4) return;
      add(items);
      if (items.length < max) for (const v of rows[items.length]!) visit([...items, v]);
    };
    visit([]);
  }
  return found.size > MOST || tried > MOST * 4 ? undefined : [...found.values()];
}

const BYTES = [...Array.from({ length: 256 }, (_, b) => Uint8Array.of(b)), null];
const bytes = Vocabulary.fromTokens(BYTES, { eos: [256] });
const canonicalOf = (value: unknown): string =>
  JSON.stringify(value, (_, v: unknown) =>
    typeof v === 'object' && v !== null && !Array.isArray(v) ? Object.fromEntries(Object.entries(v).sort()) : v,
  );

/** All texts that the masks allow, without escapes; a dead end is an error. */
function textsOf(schema: object): readonly string[] | undefined {
  const matcher = new Matcher(compile(json(schema, { whitespace: 'compact', numbers: 'canonical' })), bytes);
  const texts: string[] = [];
  let steps = 0;
  const visit = (text: string): void => {
    if (++steps > MOST * 8) return;
    const mask = new Uint32Array(9);
    matcher.fillMask(mask);
    let any = matcher.isAccepting;
    if (any) texts.push(text);
    for (let b = 0x20; b < 0x80; b++) {
      if (((mask[b >> 5]! >>> (b & 31)) & 1) === 0 || b === 0x5c) continue;
      any = true;
      if (!matcher.accept(b)) throw new Error(`${text} then ${String.fromCharCode(b)}: in the mask, not accepted`);
      visit(text + String.fromCharCode(b));
      matcher.rollback(1);
    }
    if (!any) throw new Error(`${text}: nothing may follow`);
  };
  visit('');
  return steps > MOST * 8 ? undefined : texts;
}

function compare(seed: number): string {
  const draw = createRandom(seed);
  const schema = { ...arrayOf(draw, 1 + draw.below(3), 1 + draw.below(4)), uniqueItems: true };
  const values = valuesOf(schema);
  if (values === undefined) return 'passed over';
  let texts: readonly string[] | undefined;
  try {
    texts = textsOf(schema);
  } catch (e) {
    if (e instanceof UnsatisfiableError && values.length === 0) return 'refused';
    return `${e}; ${JSON.stringify(schema)}`;
  }
  if (texts === undefined) return 'passed over';
  const got = texts.map((text) => canonicalOf(JSON.parse(text))).sort();
  const want = values.map(canonicalOf).sort();
  return JSON.stringify(got) === JSON.stringify(want)
    ? 'written'
    : `${got.length} of ${want.length}: ${JSON.stringify(schema)}`;
}

it('few values that must differ: all are written, no other is promised', { timeout: 120_000 }, () => {
  const outcomes = new Map<string, number>();
  for (let seed = 1; seed <= 300; seed++) {
    const outcome = compare(seed);
    expect([seed, outcome]).toEqual([seed, expect.stringMatching(/^(passed over|refused|written)$/)]);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  expect(outcomes.get('written')).toBeGreaterThan(150);
  expect(outcomes.get('refused')).toBeGreaterThan(50);
});

it('their masks are what accept says', { timeout: 120_000 }, () => {
  for (let seed = 1; seed <= 300; seed++) {
    const draw = createRandom(seed);
    const schema = { ...arrayOf(draw, 1 + draw.below(3), 1 + draw.below(4)), uniqueItems: true };
    expect([seed, walk(draw, schema)]).toEqual([seed, undefined]);
  }
});

it('with a budget they end in time', { timeout: 120_000 }, () => {
  let walks = 0;
  for (let seed = 1; seed <= 300; seed++) {
    const draw = createRandom(seed);
    const schema = { ...arrayOf(draw, 1 + draw.below(2), 1 + draw.below(4)), uniqueItems: true };
    for (const maxTokens of [5, 8, 12, 20, 40]) {
      let matcher: Matcher;
      try {
        matcher = new Matcher(compile(json(schema, { whitespace: 'compact' })), bytes, { maxTokens });
      } catch (e) {
        if (!(e instanceof UnsatisfiableError)) throw e;
        continue;
      }
      walks++;
      const mask = new Uint32Array(9);
      let text = '';
      while (!matcher.isFinished) {
        matcher.fillMask(mask);
        const allowed = BYTES.flatMap((_, id) => (((mask[id >> 5]! >>> (id & 31)) & 1) === 1 ? [id] : []));
        const id = allowed[draw.below(Math.max(allowed.length, 1))] ?? -1;
        expect([seed, maxTokens, text, id, matcher.accept(id)]).toEqual([seed, maxTokens, text, id, true]);
        if (id < 256) text += String.fromCharCode(id);
      }
      expect([seed, text, validate(schema, JSON.parse(text))]).toEqual([seed, text, true]);
    }
  }
  expect(walks).toBeGreaterThan(300);
});

const unique = (more: object): object => ({ type: 'array', uniqueItems: true, ...more });
const closed = (properties: object, required: readonly string[] = []): object => ({
  ...{ type: 'object', properties, required, additionalProperties: false },
});
const bit = { enum: [0, 1] };
const one = { type: 'number', minimum: 1, maximum: 1 };
const pair = { type: 'array', prefixItems: [bit, bit], items: false, minItems: 2 };

it.each<[string, number, object]>([
  ['pairs', 4, pair],
  ['permutations', 6, unique({ items: { enum: [0, 1, 2] }, minItems: 3, maxItems: 3 })],
  ['members that may come or not', 9, closed({ a: bit, b: bit })],
  [
    'members in another order are the same',
    4,
    { anyOf: [closed({ a: bit, b: bit }, ['a', 'b']), closed({ b: bit, a: bit }, ['b', 'a'])] },
  ],
  [
    '1 and 1.0 are the same',
    1,
    { anyOf: [{ const: [1] }, { type: 'array', prefixItems: [one], minItems: 1, items: false }] },
  ],
  ['shapes that overlap', 4, { anyOf: [pair, { ...pair, prefixItems: [{ const: 0 }, bit] }] }],
  [
    'keys of a pattern',
    4,
    { type: 'object', patternProperties: { '^[xy]$': { const: 0 } }, additionalProperties: false },
  ],
  ['strings of a pattern', 5, closed({ a: { type: 'string', pattern: '^[xy]{2}$' } })],
  [
    'a witness among the keys',
    5,
    {
      ...{ type: 'object', patternProperties: { '^[xy]$': bit }, additionalProperties: false },
      not: { additionalProperties: { const: 0 } },
    },
  ],
  ['counted items', 3, { ...pair, contains: { const: 1 } }],
  ['numbers too long to compare', 1, { enum: [1e21, 2e21, 'x'] }],
  ['nested', 2, unique({ minItems: 2, maxItems: 2, items: unique({ items: { const: 1 }, maxItems: 1 }) })],
])('%s: as many items as there are, and no more', (_, count, items) => {
  expect(() => compile(json(unique({ items, minItems: count })))).not.toThrow();
  expect(() => compile(json(unique({ items, minItems: count + 1 })))).toThrow(UnsatisfiableError);
});

it.each<[string, object]>([
  ['numbers', { type: 'array', items: { type: 'integer' } }],
  ['a list that has itself as an item', { $ref: '#/$defs/list' }],
  ['open objects', { type: 'object', maxProperties: 1 }],
  ['more than are counted', closed(Object.fromEntries([...'abcdefghijklmnop'].map((name) => [name, bit])))],
])('%s: many', (_, items) => {
  const list = unique({ items: { $ref: '#/$defs/list' } });
  expect(() => compile(json({ ...unique({ items, minItems: 5000 }), $defs: { list } }))).not.toThrow();
});
