import { describe, expect, it } from 'vitest';
import { UnsatisfiableError } from '../../../src/base/errors.js';
import { createRandom } from '../../../src/base/random.js';
import { fileToGrammar, gbnfToGrammar, parseGbnf } from '../../../src/grammar/gbnf/index.js';
import { validateGrammar } from '../../../src/grammar/validate.js';
import { textsOfFile, textsOfGrammar } from './naive.js';
import { randomRule } from './random.js';

/** Compares the IR with the file by enumerating both up to a length. */
function sameTexts(source: string, root = 'root', max = 6): void {
  const file = parseGbnf(source, { root });
  const want = [...textsOfFile(file, 'ab', max)].sort();
  const grammar = fileToGrammar(file);
  expect(validateGrammar(grammar), source).toEqual([]);
  expect([...textsOfGrammar(grammar, 'ab', max)].sort(), source).toEqual(want);
}

describe('gbnfToGrammar', () => {
  it('keeps the language of left-recursive rules', () => {
    sameTexts('root ::= root "a" | "b"');
    sameTexts('root ::= root root | "a"');
    sameTexts('root ::= root? "a" | root "b" root |');
    sameTexts('root ::= x "a" | "a"\nx ::= y "b"\ny ::= root | x "b"');
    sameTexts('root ::= nul root "a" | "b"\nnul ::= "b" |');
    sameTexts('root ::= (root | "a"){2,3} | "b"');
    sameTexts('root ::= (root* "a")* | "b"');
  });

  it('keeps the language of repeats of what may be empty', () => {
    sameTexts('root ::= ("a"? "b"?)*');
    sameTexts('root ::= ("a"*){2,3} "b"');
    sameTexts('root ::= (x x){3}\nx ::= "a" x "b" |');
  });

  it('agrees with enumeration on 700 random grammars', () => {
    const random = createRandom(20);
    for (let n = 0; n < 700; ) {
      const count = 1 + random.below(4);
      const rule = (): string =>
        Array.from({ length: 1 + random.below(3) }, () => randomRule(random, 2, count)).join(' | ');
      const source = Array.from({ length: count }, (_, i) => `r${i} ::= ${rule()}`).join('\n');
      let file: ReturnType<typeof parseGbnf>;
      try {
        file = parseGbnf(source, { root: 'r0' });
      } catch {
        continue; // a repeat of the empty string, which is a fault
      }
      n++;
      try {
        fileToGrammar(file);
      } catch (error) {
        expect(error, source).toBeInstanceOf(UnsatisfiableError);
        expect(textsOfFile(file, 'ab', 5).size, source).toBe(0);
        continue;
      }
      sameTexts(source, 'r0', 4);
    }
  }, 120_000);

  it('never changes a bound', () => {
    const grammar = gbnfToGrammar('root ::= x{0,5000} [a-z]{3,100000}\nx ::= "(" x ")" | "."');
    const counts = JSON.stringify(grammar.exprs, (_, v) => (v === Number.POSITIVE_INFINITY ? 'inf' : v));
    expect(counts).toContain('"min":0,"max":5000');
    expect(counts).toContain('"min":3,"max":100000');
  });

  it('joins regular rules into one leaf and keeps token terminals', () => {
    expect(gbnfToGrammar('root ::= a b\na ::= [0-9]+\nb ::= "." a').exprs).toHaveLength(2);
    const { exprs } = gbnfToGrammar('root ::= <think> "x" !<[7]>');
    expect(exprs).toContainEqual({ op: 'token', ids: [], texts: ['<think>'], negate: false });
    expect(exprs).toContainEqual({ op: 'token', ids: [7], texts: [], negate: true });
  });

  it('refuses a grammar that no text fits', () => {
    expect(() => gbnfToGrammar('root ::= "a" root')).toThrow('no text fits');
    expect(() => gbnfToGrammar('root ::= [\\uD800-\\uDFFF]')).toThrow('no text fits');
    expect(gbnfToGrammar('root ::= "a" root | "b"').exprs.length).toBeGreaterThan(0);
  });
});
