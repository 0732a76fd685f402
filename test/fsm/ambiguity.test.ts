/**
 * Grammars of which a text has exponentially many readings: stacks lie below one another along 2^n paths, and each is resumed once a
 * byte. Following the paths ended the process after 26 letters.
 */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.js';
import { compile, gbnf, Matcher, TokenloomError, Vocabulary } from '../../src/core.js';
import { compileGrammar } from '../../src/fsm/index.js';
import { fileToGrammar, parseGbnf } from '../../src/grammar/gbnf/index.js';
import type { Grammar } from '../../src/grammar/ir.js';
import { textsOfFile } from '../grammar/gbnf/naive.js';
import { randomRule } from '../grammar/gbnf/random.js';

const bytes = Array.from({ length: 256 }, (_, b) => Uint8Array.of(b));
const vocabulary = Vocabulary.fromTokens([...bytes, null], { eos: [256] });

/** [rules, text] */
const CASES: readonly [string, string][] = [
  ['s ::= s s | "a"', 'a'.repeat(2000)],
  ['s ::= s s s | s s | "a" | ""', 'a'.repeat(150)],
  ['s ::= "a" s*', 'a'.repeat(2000)],
  ['s ::= ("a" s)* "a"? | s "a" s', 'a'.repeat(150)],
  ['s ::= s "+" s | s "*" s | "(" s ")" | [0-9]', '(1+2)*3+'.repeat(200).concat('4')],
];

describe('ambiguous grammars', () => {
  it.each(CASES)('%s', { timeout: 60_000 }, (rules, text) => {
    const matcher = new Matcher(compile(gbnf(`root ::= s\n${rules}`)), vocabulary);
    const mask = new Uint32Array(9);
    for (const byte of new TextEncoder().encode(text)) {
      matcher.fillMask(mask);
      expect((mask[byte >> 5]! >>> (byte & 31)) & 1).toBe(1);
      expect(matcher.accept(byte)).toBe(true);
    }
    expect(matcher.isAccepting).toBe(true);
    expect(matcher.accept(0x78)).toBe(false);
  });

  it('beside unique items, whose texts are captured', () => {
    const grammar = besideUnique(fileToGrammar(parseGbnf('root ::= "a" root{0,3}')));
    const matcher = new Matcher(compileGrammar(grammar), vocabulary);
    expect(matcher.acceptBytes(new TextEncoder().encode('a'.repeat(60)))).toBe(true);
    expect(matcher.isAccepting).toBe(true);
  });

  it('repeats of rules that hold them: as enumerated, beside unique items too', { timeout: 120_000 }, () => {
    const random = createRandom(8);
    for (let n = 0; n < 300; ) {
      const count = 1 + random.below(3);
      const source = Array.from({ length: count }, (_, i) => {
        const alternatives = Array.from({ length: 1 + random.below(3) }, () => randomRule(random, 3, count));
        return `r${i} ::= ${alternatives.join(' | ')}`;
      }).join('\n');
      try {
        const file = parseGbnf(source, { root: 'r0' });
        const grammar = fileToGrammar(file);
        const want = [...textsOfFile(file, 'ab', 5)].sort();
        expect(textsOf(grammar, 5), source).toEqual(want);
        expect(textsOf(besideUnique(grammar), 5), source).toEqual(want);
      } catch (error) {
        if (error instanceof TokenloomError) continue; // a repeat of the empty text, or no text at all
        throw error;
      }
      n++;
    }
  });
});

/** The grammar, or an array of different letters. */
function besideUnique(grammar: Grammar): Grammar {
  const n = grammar.exprs.length;
  const array = { prefix: [], rest: [{ value: n, counts: 0 }], minItems: 0, maxItems: 9, counters: [], unique: true };
  return {
    ...grammar,
    exprs: [
      ...grammar.exprs,
      { op: 'string', re: { t: 'set', ranges: [0x61, 0x7a] } },
      { op: 'array', ...array },
      { op: 'alt', items: [grammar.start, n + 1] },
    ],
    start: n + 2,
  };
}

/** All texts of at most so many of the letters a and b that a matcher takes, in order. */
function textsOf(grammar: Grammar, most: number): string[] {
  const texts: string[] = [];
  const matcher = new Matcher(compileGrammar(grammar), vocabulary);
  const visit = (text: string): void => {
    if (matcher.isAccepting) texts.push(text);
    if (text.length === most) return;
    for (const letter of 'ab') {
      if (!matcher.accept(letter.charCodeAt(0))) continue;
      visit(text + letter);
      matcher.rollback(1);
    }
  };
  visit('');
  return texts.sort();
}
