/** Names that may not come any more, cut within a character: the bytes that are left of its range are no reason to offer it. */
import { describe, expect, it } from 'vitest';
import { compile, json, Matcher, Vocabulary } from '../../src/core.js';
import { greatestOf, leastOf } from '../../src/fsm/utf8.js';

const bytes = Vocabulary.fromTokens([...Array.from({ length: 256 }, (_, b) => Uint8Array.of(b)), null], { eos: [256] });
const utf8 = new TextEncoder();

/** Bytes that the mask allows after a text; each is checked against `accept`. */
function allowed(schema: object, text: string): string[] {
  const matcher = new Matcher(compile(json(schema, { propertyOrder: 'schema', whitespace: 'compact' })), bytes);
  expect(matcher.acceptBytes(utf8.encode(text))).toBe(true);
  const mask = new Uint32Array(9);
  matcher.fillMask(mask);
  const open = [...Array.from({ length: 257 }, (_, t) => t)].filter((t) => (mask[t >> 5]! >>> (t & 31)) & 1);
  for (let t = 0; t <= 256; t++) expect(matcher.fork().accept(t), String(t)).toBe(open.includes(t));
  return open.map((t) => t.toString(16));
}

describe('a name that needs one which had to come before', () => {
  it.each(['é', 'ก', 'ह', '名', '퟿', '😀', '\u{10ffff}'])('is not begun: a%s', (sign) => {
    const name = `a${sign}`;
    const schema = {
      type: 'object',
      properties: { ab: { const: 1 }, [name]: { const: 1 } },
      additionalProperties: false,
      dependentRequired: { [name]: ['ab'] },
    };
    expect(allowed(schema, '{"a')).toEqual(['62']);
    expect(allowed(schema, '{"ab":1,"a')).toContain(utf8.encode(sign)[0]!.toString(16));
  });
});

describe('code points of unfinished sequences', () => {
  it('are those whose bytes begin so', () => {
    for (const [bytesRead, n, prefix] of [
      [[0xc2], 1, 0x02],
      [[0xdf], 1, 0x1f],
      [[0xe0], 2, 0x00],
      [[0xe0, 0xa4], 1, 0x24],
      [[0xed], 2, 0x0d],
      [[0xef], 2, 0x0f],
      [[0xf0], 3, 0x00],
      [[0xf0, 0x90], 2, 0x10],
      [[0xf4], 3, 0x04],
    ] as const) {
      const begins = (cp: number): boolean => bytesRead.every((b, i) => utf8.encode(String.fromCodePoint(cp))[i] === b);
      const [least, greatest] = [leastOf(n, prefix), greatestOf(n, prefix)];
      expect([begins(least), begins(greatest)], String(bytesRead)).toEqual([true, true]);
      const isSign = (cp: number): boolean => cp <= 0x10ffff && (cp < 0xd800 || cp > 0xdfff);
      for (const out of [least - 1, greatest + 1]) if (isSign(out)) expect(begins(out), String(bytesRead)).toBe(false);
    }
  });
});
