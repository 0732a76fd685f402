/** Texts of a fixed length near the 255 code points that tokens' lengths are told apart up to: mask bit <=> accept. */
import { expect, it } from 'vitest';
import { compile, json, Matcher, Vocabulary } from '../../src/core.js';

const LETTERS = [...'abcdefghijklmnopqrstuvwxyz'];
/** Enough short tokens for slices and zones, and some longer than any length that is kept. */
const TOKENS = [
  ...Array.from({ length: 256 }, (_, b) => Uint8Array.of(b)),
  ...LETTERS.flatMap((a) => LETTERS.map((b) => Buffer.from(a + b))),
  ...[100, 253, 254, 255, 256, 257, 299, 300, 301, 400].map((n) => Buffer.from('b'.repeat(n))),
  null,
];

it.each([
  ['a zone of 257 terms that ends after 255 characters', '^(a[^#]|[^a].).{255}$', 257],
  ['a zone that ends after its last layer', '^(a[^#]|[^a].).{254}$', 256],
  ['a run of more characters than are counted', '^.{300}$', 300],
  ['at most so many characters', '^[a-y]{0,280}$', 280],
  ['at least so many characters', '^.{300,}$', 300],
])('%s', { timeout: 60_000 }, (_, pattern, length) => {
  const vocabulary = Vocabulary.fromTokens(TOKENS, { eos: [TOKENS.length - 1] });
  const matcher = new Matcher(compile(json({ type: 'string', pattern })), vocabulary);
  const mask = new Uint32Array(Math.ceil(TOKENS.length / 32));
  for (const byte of Buffer.from(`"${'b'.repeat(length)}"`)) {
    matcher.fillMask(mask);
    const wrong: number[] = [];
    for (let id = 0; id < TOKENS.length - 1; id++) {
      const accepted = matcher.accept(id);
      if (accepted) matcher.rollback(1);
      if (accepted !== (((mask[id >> 5]! >>> (id & 31)) & 1) === 1)) wrong.push(id);
    }
    expect(wrong).toEqual([]);
    expect(matcher.accept(byte)).toBe(true);
  }
  expect(matcher.isAccepting).toBe(true);
});
