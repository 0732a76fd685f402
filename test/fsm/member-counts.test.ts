/** Counts of members beside implications, in both orders, held against a search of all sequences of keys: no key leads where the object cannot end. */
import { describe, expect, it } from 'vitest';
import { hasClosedSet, ringsOf } from '../../src/base/closed-sets.js';
import { createRandom } from '../../src/base/random.js';
import { compile, json, Matcher, Vocabulary } from '../../src/core.js';

const bytes = Vocabulary.fromTokens([...Array.from({ length: 256 }, (_, b) => Uint8Array.of(b)), null], { eos: [256] });
const NAMES = ['a', 'b', 'c', 'd', 'e'];

interface Shape {
  readonly names: readonly string[];
  readonly required: readonly string[];
  readonly implied: Readonly<Record<string, readonly string[]>>;
  readonly min: number;
  readonly max: number;
}

function randomShape(seed: number): Shape {
  const random = createRandom(seed);
  const names = NAMES.slice(0, 2 + random.below(4));
  const name = (): string => names[random.below(names.length)]!;
  const implied: Record<string, string[]> = {};
  for (let n = 1 + random.below(5); n > 0; n--)
    implied[name()] = [...new Set([name(), ...(random.below(3) === 0 ? [name()] : [])])];
  const min = random.below(names.length + 1);
  return {
    names,
    required: random.below(4) === 0 ? [name()] : [],
    implied,
    min,
    max: random.below(2) === 0 ? names.length : Math.min(names.length, min + random.below(3)),
  };
}

/** The twin: keys that may come after a sequence of keys ('}' for the end), by trying all that follows. */
function follows(shape: Shape, order: 'schema' | 'any', path: readonly string[]): string[] {
  const { names, required, implied, min, max } = shape;
  const isWhole = (keys: readonly string[]): boolean =>
    keys.length >= min &&
    keys.length <= max &&
    required.every((name) => keys.includes(name)) &&
    keys.every((name) => (implied[name] ?? []).every((x) => keys.includes(x)));
  const nexts = (keys: readonly string[]): readonly string[] => {
    const last = keys.length === 0 ? -1 : names.indexOf(keys[keys.length - 1]!);
    return names.filter((name, i) => !keys.includes(name) && (order === 'any' || i > last));
  };
  const canEnd = (keys: readonly string[]): boolean =>
    isWhole(keys) || nexts(keys).some((name) => canEnd([...keys, name]));
  return [...nexts(path).filter((name) => canEnd([...path, name])), ...(isWhole(path) ? ['}'] : [])];
}

/** Every sequence of keys that the masks allow, each compared with the twin. */
function walk(shape: Shape, order: 'schema' | 'any', matcher: Matcher, path: readonly string[]): string | undefined {
  const mask = new Uint32Array(9);
  const expected = follows(shape, order, path).sort();
  const offered: string[] = [];
  const isAllowed = (text: string): boolean => {
    matcher.fillMask(mask);
    const b = text.charCodeAt(0);
    return ((mask[b >> 5]! >>> (b & 31)) & 1) === 1;
  };
  if (isAllowed('}')) offered.push('}');
  const before = path.length === 0 ? '"' : ',"';
  if (isAllowed(before)) {
    const inside = matcher.fork();
    if (!inside.acceptBytes(Buffer.from(before))) return `${path.join('')}: ${before} refused`;
    inside.fillMask(mask);
    for (const name of shape.names) {
      const b = name.charCodeAt(0);
      if (((mask[b >> 5]! >>> (b & 31)) & 1) === 0) continue;
      offered.push(name);
      const next = inside.fork();
      if (!next.acceptBytes(Buffer.from(`${name}":"x"`))) return `${path.join('')}: ${name} refused`;
      const found = walk(shape, order, next, [...path, name]);
      if (found !== undefined) return found;
    }
  }
  return offered.sort().join('') === expected.join('')
    ? undefined
    : `after ${path.join('')}: ${offered} offered, ${expected} expected`;
}

describe('counts of members beside implications', () => {
  it.each(['schema', 'any'] as const)('offer what can be ended, order %s', (order) => {
    let satisfiable = 0;
    for (let seed = 0; seed < 300; seed++) {
      const shape = randomShape(seed);
      const schema = {
        type: 'object',
        properties: Object.fromEntries(shape.names.map((name) => [name, { const: 'x' }])),
        additionalProperties: false,
        required: shape.required,
        dependentRequired: shape.implied,
        minProperties: shape.min,
        maxProperties: shape.max,
      };
      const make = (): Matcher => {
        const matcher = new Matcher(compile(json(schema, { propertyOrder: order, whitespace: 'compact' })), bytes);
        expect(matcher.acceptBytes(Buffer.from('{'))).toBe(true);
        return matcher;
      };
      if (follows(shape, order, []).length === 0) {
        expect(make, JSON.stringify(schema)).toThrow(/no text|satisf|value/i);
        continue;
      }
      satisfiable++;
      expect(walk(shape, order, make(), []), JSON.stringify(schema)).toBeUndefined();
    }
    expect(satisfiable).toBeGreaterThan(150);
  });

  it('stay quick for long chains', () => {
    const names = Array.from({ length: 1000 }, (_, i) => `n${i}`);
    const schema = {
      type: 'object',
      properties: Object.fromEntries(names.map((name) => [name, { const: 'x' }])),
      additionalProperties: false,
      dependentRequired: Object.fromEntries(names.slice(1).map((name, i) => [name, [names[i]!]])),
      minProperties: 3,
    };
    const matcher = new Matcher(compile(json(schema, { propertyOrder: 'schema', whitespace: 'compact' })), bytes);
    expect(matcher.acceptBytes(Buffer.from('{"n0":"x","n1":"x","n2":"x"}'))).toBe(true);
    matcher.reset();
    expect(matcher.acceptBytes(Buffer.from('{"n1'))).toBe(false);
  });
});

describe('sizes of closed sets', () => {
  const closed = (implied: readonly (readonly number[])[], needed: number[], least: number, most: number): boolean =>
    hasClosedSet(implied, ringsOf(implied), [...implied.keys()], new Set(needed), least, most);

  it('have every size without rings', () => {
    const chain = [[], [0], [0, 1], []];
    for (let n = 0; n <= 4; n++) expect(closed(chain, [], n, n)).toBe(true);
    expect(closed(chain, [0, 1, 2], 2, 2)).toBe(false);
    expect(closed(chain, [], 5, 9)).toBe(false);
  });

  it('take a ring as one', () => {
    const pairs = [[1], [0], [3], [2]];
    expect([1, 2, 3, 4].map((n) => closed(pairs, [], n, n))).toEqual([false, true, false, true]);
    const ringAndLed = [[1], [0], [0, 1]];
    expect([1, 2, 3].map((n) => closed(ringAndLed, [], n, n))).toEqual([false, true, true]);
    expect(closed(ringAndLed, [0, 1], 1, 2)).toBe(true);
  });
});
