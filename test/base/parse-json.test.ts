/** JSON texts with keys that are written with escapes, which JSON.parse of some engines misreads; the texts themselves are the oracle. */
import { describe, expect, it } from 'vitest';
import { parseJson } from '../../src/base/parse-json.js';
import { createRandom } from '../../src/base/random.js';

describe('parseJson', () => {
  it('keeps every member, whatever keys were read before', () => {
    const random = createRandom(7);
    const parts = ['\n', '"', '\\', 'a', 'b', '\t', '\u0001', '\u{1F600}'];
    const key = (): string =>
      Array.from({ length: 1 + random.below(3) }, () => parts[random.below(parts.length)]).join('');
    for (let i = 0; i < 1_000; i++) {
      const members = [...new Set([key(), key(), key(), 'z'])].map((name, k) => `${JSON.stringify(name)}: ${k}`);
      const text = `{${members.join(' , ')}, "inner":[{${members.slice(1).join()}}]}`;
      const read = parseJson(text) as Record<string, unknown>;
      const written = Object.entries(read).map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`);
      expect(written.slice(0, -1)).toEqual(members);
      expect(Object.keys((read.inner as object[])[0]!)).toHaveLength(members.length - 1);
    }
  });

  it.each([
    ['{"\\"":1,"\\n":2,"\\\\":3}', { '"': 1, '\n': 2, '\\': 3 }],
    ['{"\\u0061":"\\"x\\" : y","a":-0,"b":[1e3,true,null]}', { a: -0, b: [1000, true, null] }],
    ['{"a":"\\"" , "b" : "\\\\"}', { a: '"', b: '\\' }],
    ['{"\\ud83d\\ude00":{},"2":0,"1":0}', { 1: 0, 2: 0, '\u{1F600}': {} }],
    ['"\\":', undefined],
    ['{"\\n":1,}', undefined],
    ['{"\\n" 1}', undefined],
  ])('%s', (text, value) => {
    if (value === undefined) expect(() => parseJson(text)).toThrow(SyntaxError);
    else expect(JSON.stringify(parseJson(text))).toBe(JSON.stringify(value));
    expect(parseJson('{"__proto__":1,"\\n":2}')).toHaveProperty('__proto__', 1);
  });
});
