/**
 * Grammars of which a text has exponentially many readings: stacks lie below one another along 2^n paths, and each is resumed once a
 * byte. Following the paths ended the process after 26 letters.
 */
import { describe, expect, it } from 'vitest';
import { compile, gbnf, Matcher, Vocabulary } from '../../src/core.js';

const bytes = Array.from({ length: 256 }, (_, b) => Uint8Array.of(b));
const vocabulary = Vocabulary.fromTokens([...bytes, null], { eos: [256] });

/** [rules, text] */
const CASES: readonly [string, string][] = [
  ['s ::= s s | "a"', 'a'.repeat(150)],
  ['s ::= s s s | s s | "a" | ""', 'a'.repeat(100)],
  ['s ::= "a" s*', 'a'.repeat(150)],
  ['s ::= s "+" s | s "*" s | "(" s ")" | [0-9]', '(1+2)*3+'.repeat(15).concat('4')],
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
});
