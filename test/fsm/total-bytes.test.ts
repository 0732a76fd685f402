/** Grammars that a program keeps: their tables together stay within a limit, and nobody can tell whose were let go. */
import { describe, expect, it } from 'vitest';
import { compile, json, Matcher, Vocabulary } from '../../src/core.js';
import { bind } from '../../src/fsm/compiled.js';

const tokens: (Uint8Array | null)[] = Array.from({ length: 256 }, (_, b) => Uint8Array.of(b));
tokens.push(null);
const words = Math.ceil(tokens.length / 32);
const text = (n: number): Uint8Array =>
  new TextEncoder().encode(JSON.stringify({ [`key ${n}`]: [n, `${n}`], more: { [`${n * 7}`]: [true, null] } }));

const grammars = Array.from({ length: 40 }, (_, i) =>
  compile(json({ type: 'object', properties: { [`p${i}`]: { type: 'integer' } } })),
);

/** Runs texts through a grammar; a digest of all masks. */
function use(vocabulary: Vocabulary, at: number, totalBytes: number): number {
  const cacheLimits = { lexemeBytes: 1 << 28, grammarBytes: 1 << 28, totalBytes };
  let digest = 0;
  const mask = new Uint32Array(words);
  for (let n = 0; n < 2; n++) {
    const matcher = new Matcher(grammars[at]!, vocabulary, { cacheLimits });
    for (const byte of text(at * 3 + n)) {
      matcher.fillMask(mask);
      for (const word of mask) digest = (Math.imul(digest, 31) + word) | 0;
      expect(matcher.accept(byte)).toBe(true);
    }
  }
  return digest;
}

describe('tables of many grammars', () => {
  const most = 400_000;
  const held = (vocabulary: Vocabulary): number =>
    grammars.reduce((sum, g) => sum + bind(g, vocabulary).bytes - bind(g, untouched).bytes, 0);
  const untouched = Vocabulary.fromTokens(tokens, { eos: [256] });
  const bounded = Vocabulary.fromTokens(tokens, { eos: [256] });
  const free = Vocabulary.fromTokens(tokens, { eos: [256] });

  it('stay within the limit, and masks are the same', () => {
    grammars.forEach((_, i) => {
      expect(use(bounded, i, most)).toBe(use(free, i, 1 << 30));
    });
    expect(held(free)).toBeGreaterThan(2 * most);
    expect(held(bounded)).toBeLessThan(1.5 * most);
  });
  it('keep what was used last, and what a matcher holds', () => {
    const limits = { lexemeBytes: 1 << 28, grammarBytes: 1 << 28, totalBytes: 1 };
    const matcher = new Matcher(grammars[0]!, bounded, { cacheLimits: limits });
    for (let i = 0; i < 40; i++) bind(grammars[1]!, bounded, limits);
    const last = bind(grammars[1]!, bounded, limits);
    for (let i = 0; i < 40; i++) expect(bind(grammars[1]!, bounded, limits)).toBe(last);
    expect(matcher.acceptBytes(text(1))).toBe(true);
    expect(matcher.isAccepting).toBe(true);
    expect(bind(grammars[0]!, bounded, limits)).not.toBe(last);
  });
});
