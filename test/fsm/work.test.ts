/** What is made for inputs of many levels or members: tables that grow with their number, not with its square. */
import { expect, it } from 'vitest';
import { compile, gbnf, json, Matcher, Vocabulary } from '../../src/core.js';
import { Bottomless } from '../../src/fsm/bottomless.js';
import { bind } from '../../src/fsm/compiled.js';
import { LexemePool } from '../../src/fsm/lexeme.js';
import { Recognizer } from '../../src/fsm/recognizer.js';
import { allowedOf } from './allowed.js';

const encoder = new TextEncoder();
const tokens: (Uint8Array | null)[] = Array.from({ length: 256 }, (_, b) => Uint8Array.of(b));
for (const text of ['bb', 'bbbb', 'ab', 'abab', 'ba', '(a', 'a)b', 'xx', ')b', 'bx']) tokens.push(encoder.encode(text));
tokens.push(null);
const eos = tokens.length - 1;
const vocabulary = Vocabulary.fromTokens(tokens, { eos: [eos] });
const ids = tokens.map((_, id) => id).filter((id) => id !== eos);

/** Rules nested n deep, each made of the next one. */
const nested = (n: number, rule: (next: string) => string, last: string): string =>
  `root ::= r0\n${Array.from({ length: n }, (_, i) => `r${i} ::= ${rule(`r${i + 1}`)}`).join('\n')}\nr${n} ::= ${last}`;

const kinds: readonly (readonly [string, (next: string) => string, string, string])[] = [
  ['repeated', (next) => `(${next} "b")*`, '"a"', 'abbab'],
  ['with a way between two levels', (next) => `(((${next} "b")* "x")? "b"?)*`, '"a"', 'abxb'],
  ['that begin anew in brackets', (next) => `(${next} "b")*`, '"a" | "(" r0 ")"', '((ab()ba'],
];
for (const [name, rule, last, text] of kinds)
  it(`masks of rules nested deep, ${name}, make few stacks`, { timeout: 60_000 }, () => {
    const made = (n: number): number => {
      const compiled = compile(gbnf(nested(n, rule, last)));
      const matcher = new Matcher(compiled, vocabulary);
      const mask = new Uint32Array(Math.ceil(tokens.length / 32));
      for (const byte of encoder.encode(text)) {
        expect(allowedOf(matcher, mask, ids, tokens)).toBeInstanceOf(Array);
        expect(matcher.acceptBytes(Uint8Array.of(byte))).toBe(true);
      }
      return bind(compiled, vocabulary).recognizer.stacks.count;
    };
    const [some, twice] = [made(150), made(300)];
    expect(twice).toBeLessThan(4 * some);
    expect(twice).toBeLessThan(20 * 300);
  });

it('stacks side by side are cut the same way wherever they occur', () => {
  const { grammar } = compile(gbnf(nested(300, (next) => `(${next} "b")*`, '"a" | "(" r0 ")"')));
  const recognizer = new Recognizer(grammar, new LexemePool());
  const cutting = new Bottomless(recognizer);
  const after = (text: string): number => recognizer.stepAll(recognizer.start, encoder.encode(text));
  expect(cutting.truncate(after('((('), 2)).toBe(cutting.truncate(after('(((('), 2));
  const { count } = recognizer.stacks;
  expect(cutting.truncate(after('((('), 2)).not.toBe(after('((('));
  expect(recognizer.stacks.count).toBe(count);
});

it('plans of objects with many needed members hold few states of them', { timeout: 60_000 }, () => {
  const properties = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`p${i}`, { type: 'null' }]));
  const options = { propertyOrder: 'any', whitespace: 'compact' } as const;
  const required = Object.keys(properties);
  const dependentRequired = { p7: required };
  for (const [schema, begun] of [
    [{ type: 'object', properties, required }, '{'],
    [{ type: 'object', properties, dependentRequired }, '{"p7":null,'],
    [{ type: 'object', properties, required, minProperties: 402 }, '{'],
  ] as const) {
    const compiled = compile(json(schema, options));
    const matcher = new Matcher(compiled, vocabulary);
    expect(matcher.acceptBytes(encoder.encode(begun))).toBe(true);
    expect(matcher.remaining).toBeGreaterThan(399 * 9);
    const { recognizer } = bind(compiled, vocabulary);
    const bytes = compiled.grammar.exprs.map((e, id) => (e.op === 'object' ? recognizer.objectStates(id).bytes : 0));
    expect(Math.max(...bytes)).toBeLessThan(600_000);
  }
});

it('what objects need is what their members take, one after another', () => {
  const properties = { a: { const: 1 }, be: { const: 22 }, ccc: { const: 333 }, d: { const: 4444 } };
  const options = { propertyOrder: 'any', whitespace: 'compact' } as const;
  const needed = (schema: object, begun: string): number => {
    const matcher = new Matcher(compile(json({ type: 'object', properties, ...schema }, options)), vocabulary);
    expect(matcher.acceptBytes(encoder.encode(begun))).toBe(true);
    return matcher.remaining;
  };
  const schema = { required: ['a', 'ccc'], dependentRequired: { d: ['be'] }, additionalProperties: false };
  expect(needed(schema, '{')).toBe('"a":1,"ccc":333}'.length);
  expect(needed(schema, '{"d":4444')).toBe(',"a":1,"be":22,"ccc":333}'.length);
  expect(needed({ ...schema, minProperties: 3 }, '{"ccc":333,')).toBe('"a":1,"be":22}'.length);
  expect(needed({ ...schema, maxProperties: 4 }, '{"d":4444,"be":22')).toBe(',"a":1,"ccc":333}'.length);
});
