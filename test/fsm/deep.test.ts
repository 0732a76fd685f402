/** Texts that nest deep, and readings that meet again and again: nothing recurses as deep as the text or counts the ways. */
import { expect, it } from 'vitest';
import { TupleTable } from '../../src/base/tuple-table.js';
import { compile, gbnf, json, Matcher, regex, Vocabulary } from '../../src/core.js';
import { couldBecome, readPartial } from '../../src/fsm/partial-value.js';
import { SomeFrame, someEdge } from '../../src/fsm/stack-search.js';
import { canonicalJson } from '../../src/fsm/unique.js';

const bytes = Array.from({ length: 256 }, (_, b) => Uint8Array.of(b));
const vocabulary = Vocabulary.fromTokens([...bytes, null], { eos: [256] });
const reads = (source: string, text: string): Matcher => {
  const matcher = new Matcher(compile(gbnf(source)), vocabulary);
  expect(matcher.acceptBytes(new TextEncoder().encode(text))).toBe(true);
  return matcher;
};

it('repetitions of what repeats itself: each frame goes on once a step', () => {
  expect(reads('root ::= "a" root*', 'a'.repeat(60)).isAccepting).toBe(true);
  expect(reads('root ::= ("a" root*)*', 'a'.repeat(40)).isAccepting).toBe(true);
  const counted = reads('root ::= "a" root{0,3}', 'a'.repeat(40));
  expect(counted.isAccepting).toBe(true);
  expect(counted.acceptBytes(Uint8Array.of(98))).toBe(false);
});

it('repetitions that end with what they repeat nest as deep as the text', () => {
  const matcher = reads('root ::= "x" | "(" root+', `${'('.repeat(30_000)}x`);
  expect(matcher.isAccepting).toBe(true);
  expect(matcher.acceptBytes(new TextEncoder().encode('x(x'))).toBe(true);
});

it('questions to all frames of a stack take no recursion', () => {
  const labels = new TupleTable();
  const [plain, wanted] = [labels.intern([1], 1), labels.intern([2], 1)];
  const stacks = new TupleTable();
  const over = (top: number, label: number): number => {
    let stack = top;
    for (let i = 0; i < 100_000; i++) stack = stacks.intern([label, stack], 2);
    return stack;
  };
  const without = over(-1, plain);
  const some = over(stacks.intern([wanted, -1], 2), plain);
  const frames = new SomeFrame({ stacks, labels }, (l) => labels.data[l] === 2);
  expect([frames.of(without), frames.of(some), frames.of(stacks.intern([plain, without, plain, some], 4))]).toEqual([
    false,
    true,
    true,
  ]);
  let met = 0;
  const seen = new Set<number>();
  const find = (stack: number, label: number): boolean =>
    someEdge(stacks, stack, seen, (l) => {
      met++;
      return l === label;
    });
  expect([find(without, wanted), met, find(some, wanted)]).toEqual([false, 100_000, true]);
  expect(someEdge(stacks, some, new Set(), () => 'not below')).toBe(false);
});

it('values nest as deep as their text, read whole or in part', () => {
  const deep = (open: string, inner: string, close: string): string =>
    open.repeat(50_000) + inner + close.repeat(50_000);
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const) {
    const text = deep(open, '1', close);
    const value = JSON.parse(text) as unknown;
    expect(canonicalJson(value)).toBe(text);
    expect(couldBecome(readPartial(text), value)).toBe(true);
    expect(couldBecome(readPartial(open.repeat(40_000)), value)).toBe(true);
    expect(couldBecome(readPartial(open.repeat(50_001)), value)).toBe(false);
  }
});

it('rules that stand in any order, and patterns of exponentially many states, are planned at once', {
  timeout: 60_000,
}, () => {
  const chain = (rule: (i: number) => string, last: string): string =>
    `root ::= r0\n${Array.from({ length: 20_000 }, (_, i) => `r${i} ::= ${rule(i)}`).join('\n')}\nr20000 ::= ${last}`;
  const needed = (source: string): number => new Matcher(compile(gbnf(source)), vocabulary).remaining;
  expect(needed(chain((i) => `"a" r${i} | r${i + 1}`, '"x"'))).toBe(1);
  expect(needed('root ::= .* "a" .{30} "b"')).toBe(32);
  expect(needed('root ::= ([ab]* "a" [ab]{60} | [ab]* "b" [ab]{61})+')).toBe(61);
});

it('literals that rules double or put around one another are not written out', () => {
  const rules = (n: number, rule: (i: number) => string, last: string): string =>
    `root ::= r0\n${Array.from({ length: n }, (_, i) => `r${i} ::= ${rule(i)}`).join('\n')}\nr${n} ::= ${last}`;
  const characters = (source: string): number => JSON.stringify(compile(gbnf(source)).grammar.exprs).length;
  // 2^60 letters, n² brackets, n² words.
  expect(characters(rules(60, (i) => `r${i + 1} r${i + 1}`, '"x"'))).toBeLessThan(20_000);
  expect(characters(rules(5000, (i) => `"(" r${i + 1} ")"`, '"x"'))).toBeLessThan(2_000_000);
  expect(characters(rules(5000, (i) => `r${i + 1} | "w${i}"`, '"x"'))).toBeLessThan(2_000_000);
  const matcher = reads(
    rules(10, (i) => `r${i + 1} r${i + 1}`, '"x"'),
    'x'.repeat(1024),
  );
  expect(matcher.isAccepting).toBe(true);
});

it('long patterns of parts that may be left out take no recursion', { timeout: 60_000 }, () => {
  const matcher = new Matcher(compile(regex('a?'.repeat(1500))), vocabulary);
  expect([matcher.acceptBytes(Uint8Array.of(97)), matcher.isAccepting]).toEqual([true, true]);
  expect(() => compile(regex('a(?=b)c'))).toThrow('no text fits');
});

it('objects of many required or implied properties in any order are planned', { timeout: 60_000 }, () => {
  const properties = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`p${100 + i}`, { type: 'null' }]));
  const options = { propertyOrder: 'any', whitespace: 'compact' } as const;
  const all = json({ type: 'object', properties, required: Object.keys(properties) }, options);
  expect(new Matcher(compile(all), vocabulary).remaining).toBe(300 * 12 + 1);
  const chain = Object.fromEntries(Array.from({ length: 299 }, (_, i) => [`p${100 + i}`, [`p${101 + i}`]]));
  const matcher = new Matcher(
    compile(json({ type: 'object', properties, dependentRequired: chain }, options)),
    vocabulary,
  );
  expect(matcher.acceptBytes(new TextEncoder().encode('{"p390":null'))).toBe(true);
  expect(matcher.remaining).toBe(9 * 12 + 1);
});
