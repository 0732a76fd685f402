/** Masks of lexeme states, and the bound on what is needed after their tokens, against every token read on its own. */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.js';
import { LexemePool } from '../../src/fsm/lexeme.js';
import { LexemeMasks } from '../../src/fsm/lexeme-mask.js';
import { Slices } from '../../src/fsm/slices.js';
import { trieOf } from '../../src/fsm/trie.js';
import { Vocabulary } from '../../src/fsm/vocabulary.js';
import { parseRegex } from '../../src/grammar/regex/index.js';

const LETTERS = [...'abcdefghijklmnopqrstuvwxyz'];
/** Enough short tokens for slices and zones, some beyond every bound below, parts of characters, and all kinds of ends. */
const TOKENS = [
  ...Array.from({ length: 256 }, (_, b) => Uint8Array.of(b)),
  ...LETTERS.flatMap((a) => LETTERS.map((b) => Buffer.from(a + b))),
  ...LETTERS.flatMap((a) => ['e', '-', 'é', '"', '",', 'ing', '\u00a0'].map((b) => Buffer.from(` ${a}${b}`))),
  ...[13, 20, 27, 30, 31, 40, 60, 254, 255, 256, 290].flatMap((n) =>
    ['b', 'ba', 'b"', 'b-'].map((s) => Buffer.from('b'.repeat(n - s.length) + s)),
  ),
  ...['漢é', '\u3000a', 'a\x7f', 'a\n', '\\u00', '\\ud83d', 'a\\"', 'ab', 'ab'].map((s) => Buffer.from(s)),
  Uint8Array.of(0x62, 0xc3),
  Uint8Array.of(0xa9, 0x62),
  Uint8Array.of(0x62, 0xf0, 0x9f, 0x98),
  null,
];
const vocabulary = Vocabulary.fromTokens(TOKENS, { eos: [TOKENS.length - 1] });
const trie = trieOf(vocabulary);
const slices = new Slices(trie, vocabulary.size);

/** State after a token that the lexeme is alive after; undefined after others. */
function stateAfter(pool: LexemePool, q: number, token: Uint8Array): number | undefined {
  let at = q;
  for (const b of token) {
    at = pool.step(at, b);
    if (at < 0) return undefined;
  }
  return at;
}

describe('masks of lexemes', () => {
  it.each([
    // An alternative that long tokens leave behind, and one that is far from its end then.
    '^([a-z ]{0,30}|[a-z ]*qwertyuiopas)$',
    '^([a-z ]{0,8}|([a-z ]{13})*)$',
    '^[a-z]{0,280}$',
    '^[^"\\\\]{1,9}$',
    '^([^a]|a[^b])*$',
    '^[^e]*$',
    '^(?!.*(ing|-)).*$',
    '^(?!(|a|b|ab|[a-c]{2})$)[a-f]{0,40}$',
    '^([^abcdef]{3}|[^ghijkl]{5}|[^mnopqr]{7})*$',
    '^(([^a]{7})*|([^b]{11})*)$',
    '[^aeiou]-',
  ])('%s', (pattern) => {
    for (const string of [true, false]) {
      const pool = new LexemePool();
      const masks = new LexemeMasks(pool, trie, slices, vocabulary);
      const draw = createRandom(1);
      let q = string ? pool.step(pool.string(parseRegex(pattern)), 0x22) : pool.text(parseRegex(pattern));
      for (let steps = 0; steps < 12 && masks.isWide(q); steps++) {
        const { base, extra, without } = masks.get(q);
        const found = new Set(extra);
        const wrong: number[] = [];
        const alive: number[] = [];
        let far = 0;
        for (const [id, token] of TOKENS.entries()) {
          if (token === null) continue;
          if (base !== undefined && (base[id >> 5]! >>> (id & 31)) & 1) found.add(id);
          const end = stateAfter(pool, q, token);
          if (end !== undefined) {
            far = Math.max(far, pool.distance(end));
            if (!pool.isFinal(end)) alive.push(id);
          }
          if ((end !== undefined) !== (found.has(id) && !without.includes(id))) wrong.push(id);
        }
        expect(wrong).toEqual([]);
        expect(masks.farthest(q)).toBeGreaterThanOrEqual(far);
        const next = alive[draw.below(alive.length)];
        if (next === undefined) break;
        q = stateAfter(pool, q, TOKENS[next]!)!;
      }
    }
  });
});
