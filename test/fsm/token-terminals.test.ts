/** Token terminals of GBNF over a vocabulary that lacks them: refused, since a text that needs one would come to an empty mask. */
import { describe, expect, it } from 'vitest';
import { compile, gbnf, Matcher, UnsatisfiableError, Vocabulary } from '../../src/core.js';

const bytes = Array.from({ length: 256 }, (_, b) => Uint8Array.of(b));
const vocabulary = Vocabulary.fromTokens([...bytes, null, null], { eos: [256], specials: { '<think>': 257 } });
const match = (grammar: string): Matcher => new Matcher(compile(gbnf(grammar)), vocabulary);

describe('token terminals', () => {
  it.each(['root ::= <nope> "a"', 'root ::= "a" <[258]>', 'root ::= "a" | "b" <nope>?'])('refused: %s', (grammar) => {
    expect(() => match(grammar)).toThrow(UnsatisfiableError);
    expect(() => match(grammar)).toThrow(/<(nope|\[258\])> names no token/);
  });
  it.each(['root ::= <think> "a"', 'root ::= <[257]> "a"'])('taken: %s', (grammar) => {
    const matcher = match(grammar);
    expect([257, 97, 256].map((token) => matcher.accept(token))).toEqual([true, true, true]);
  });
  it('the end of sequence is no part of a text', () => {
    for (const grammar of ['root ::= "a" <[256]>', 'root ::= "a" (<[256]> | "b")'])
      expect(() => match(grammar)).toThrow(/<\[256\]> names the end of sequence, which ends the text/);
    expect(match('root ::= !<[256]>').accept(97)).toBe(true);
  });
  it('masks are what accept takes, with and without a budget', () => {
    const grammars = [
      'root ::= !<[97]>* "ab"',
      'root ::= (<[97]> "b" | !<[98]> | "a")* <think>',
      'root ::= (!<[97]> "xyz" | "bc" | !<think> | <[98]> "long")*',
      'root ::= (!<[97]> | .)* "b"',
      'root ::= ("a"{5} | !<[98]> | <think> "abc")',
    ];
    for (const grammar of grammars)
      for (const maxTokens of [undefined, 5, 6, 9]) {
        const matcher = new Matcher(compile(gbnf(grammar)), vocabulary, maxTokens === undefined ? {} : { maxTokens });
        const mask = new Uint32Array(9);
        for (const step of [98, 120, 97, 257, 98, 99, 256]) {
          matcher.fillMask(mask);
          for (let t = 0; t < vocabulary.size; t++) {
            const taken = matcher.accept(t);
            if (taken) matcher.rollback(1);
            expect(((mask[t >> 5]! >>> (t & 31)) & 1) === 1, `${grammar} ${maxTokens} ${step} ${t}`).toBe(taken);
          }
          matcher.accept(step);
        }
      }
  });
  it('all others are never none', () => {
    expect(match('root ::= !<nope>').accept(97)).toBe(true);
  });
});
