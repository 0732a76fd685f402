/** Slices of a vocabulary, and the trie of what they leave out, against every token read on its own. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type CharSet, charSet } from '../../src/fsm/char-set.js';
import { IN_SLICE, OutsideTrie } from '../../src/fsm/outside-trie.js';
import { Slices } from '../../src/fsm/slices.js';
import { ASCII_GROUP, GROUP_NON_ASCII, GROUP_NON_ASCII_SPACE, trieOf } from '../../src/fsm/trie.js';
import { Vocabulary } from '../../src/fsm/vocabulary.js';

const PIECES = [...'abgzAQ07 -"\\\n_{é漢😀', '\u00a0'];
const texts = fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 9 }).map((p) => Buffer.from(p.join('')));
const token = fc.oneof(
  { weight: 9, arbitrary: texts },
  {
    weight: 1,
    arbitrary: fc.tuple(texts, fc.nat(2), fc.nat(2)).map(([b, from, less]) => b.subarray(from, b.length - less)),
  },
);
const tokens = fc.uniqueArray(token, { minLength: 1, maxLength: 120, selector: (b) => b.toString('hex') });
const letters = fc.subarray([0, 1, 6, 16, 25]).map((bits) => bits.reduce((set, bit) => set | (1 << bit), 0));
const groups = fc
  .subarray([...new Set(PIECES.flatMap((p) => groupsOf(p)))])
  .map((g) => g.reduce((s, x) => s | (1 << x), 0));
const chars = fc.tuple(groups, letters, letters).map(([g, small, capital]) => charSet(g, small, capital));

function groupsOf(c: string): number[] {
  const cp = c.codePointAt(0)!;
  return [cp < 128 ? ASCII_GROUP[cp]! : cp === 0xa0 ? GROUP_NON_ASCII_SPACE : GROUP_NON_ASCII];
}

function has(set: CharSet, c: string): boolean {
  const cp = c.codePointAt(0)!;
  if (/[a-z]/.test(c)) return ((set.small >>> (cp - 0x61)) & 1) === 1;
  if (/[A-Z]/.test(c)) return ((set.capital >>> (cp - 0x41)) & 1) === 1;
  return ((set.groups >>> groupsOf(c)[0]!) & 1) === 1;
}

/** Characters of a token; undefined where it is not whole characters. */
function read(bytes: Buffer): string[] | undefined {
  const text = bytes.toString('utf8');
  return text.includes('\ufffd') ? undefined : [...text];
}

it('a slice has the tokens of its characters', () => {
  fc.assert(
    fc.property(tokens, chars, fc.integer({ min: 1, max: 12 }), (list, set, depth) => {
      const vocabulary = Vocabulary.fromTokens([...list, null], { eos: [list.length] });
      const slices = new Slices(trieOf(vocabulary), vocabulary.size);
      const mask = slices.ofChars(set, depth);
      const whole = slices.get(set.groups, depth);
      const others = new Set(slices.outside(set.groups));
      let count = 0;
      for (const [t, bytes] of list.entries()) {
        if (bytes.length === 0) continue;
        const text = read(bytes);
        const short = text !== undefined && text.length <= depth;
        expect((mask[t >> 5]! >>> (t & 31)) & 1).toBe(short && text.every((c) => has(set, c)) ? 1 : 0);
        const grouped = text?.every((c) => ((set.groups >>> groupsOf(c)[0]!) & 1) === 1) ?? false;
        expect((whole[t >> 5]! >>> (t & 31)) & 1).toBe(short && grouped ? 1 : 0);
        expect(others.has(t)).toBe(!grouped);
        if (short && grouped) count++;
      }
      expect(slices.count(set.groups, depth)).toBe(count);
    }),
  );
});

it('the trie outside of it has all others, but for those that leave it by what is dead', () => {
  fc.assert(
    fc.property(tokens, chars, chars, fc.integer({ min: 1, max: 12 }), (list, set, barred, depth) => {
      const dead = charSet(barred.groups & ~set.groups, barred.small & ~set.small, barred.capital & ~set.capital);
      const vocabulary = Vocabulary.fromTokens([...list, null], { eos: [list.length] });
      const trie = trieOf(vocabulary);
      const outside = new OutsideTrie(trie, set, depth, dead);
      const found = new Set<number>();
      const below = (node: number): void => {
        const first = outside.childrenOf(node);
        for (let c = first; c < first + (outside.nodes[node * 4 + 1]! >>> 8); c++) {
          const own = outside.nodes[c * 4 + 3]!;
          if (!outside.within(c)) for (let i = trie.from[own]!; i < trie.to[own]!; i++) found.add(trie.order[i]!);
          else {
            if (outside.nodes[c * 4 + 2] !== IN_SLICE)
              for (let t = outside.nodes[c * 4 + 2]!; t >= 0; t = trie.same[t]!) found.add(t);
            below(c);
          }
        }
      };
      below(0);
      for (const [t, bytes] of list.entries()) {
        const text = read(bytes);
        if (text === undefined || bytes.length === 0) continue;
        const leaves = text.find((c) => !has(set, c));
        if (leaves === undefined) expect(found.has(t)).toBe(text.length > depth);
        else if (!has(dead, leaves)) expect(found.has(t)).toBe(true);
      }
    }),
  );
});
