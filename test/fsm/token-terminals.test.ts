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
  it('all others are never none', () => {
    expect(match('root ::= !<nope>').accept(97)).toBe(true);
  });
});
