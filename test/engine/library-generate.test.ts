/**
 * Real-world schemas of every library: what is generated passes the library's own check, or the schema is refused by name, or the check
 * is one of those listed as left to the library.
 */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.js';
import { compile, json, Matcher, TokenloomError, UnsatisfiableError, Vocabulary } from '../../src/core.js';
import { readSchema } from '../../src/grammar/library/index.js';
import { LEFT_TO_THE_LIBRARY, LIBRARIES, REFUSED } from './library-cases.js';

const tokens: (Uint8Array | null)[] = [...Array(256).keys()].map((b) => Uint8Array.of(b));
const WORDS = [
  '"',
  '":',
  ',"',
  '","',
  '":"',
  '{"',
  '"}',
  '[',
  ']',
  'true',
  'null',
  '12',
  '-',
  '.5',
  'ab',
  'Z',
  ' ',
  'é',
];
tokens.push(...WORDS.map((w) => new TextEncoder().encode(w)), null);
const EOS = tokens.length - 1;
const vocabulary = Vocabulary.fromTokens(tokens, { eos: [EOS] });

/** A value drawn evenly from the masks within 200 tokens, or undefined where none is so short. */
function draw(schema: unknown, seed: number): unknown {
  const random = createRandom(seed);
  const mask = new Uint32Array(Math.ceil(tokens.length / 32));
  let matcher: Matcher;
  try {
    matcher = new Matcher(compile(json(schema as object)), vocabulary, { maxTokens: 200 });
  } catch (error) {
    if (error instanceof UnsatisfiableError && error.message.includes('budget')) return undefined;
    throw error;
  }
  const bytes: number[] = [];
  while (!matcher.isFinished) {
    matcher.fillMask(mask);
    const allowed = tokens.map((_, t) => t).filter((t) => (((mask[t >> 5] ?? 0) >>> (t & 31)) & 1) === 1);
    const token = allowed[random.below(allowed.length)] ?? EOS;
    expect(matcher.accept(token)).toBe(true);
    bytes.push(...(tokens[token] ?? []));
  }
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes)));
}

describe.each(Object.entries(LIBRARIES))('schemas of %s', (library, cases) => {
  it.each(Object.entries(cases))('%s', (name, make) => {
    const schema = make();
    const id = `${library} ${name}`;
    if (REFUSED.has(id)) {
      expect(() => draw(schema, 1)).toThrow(TokenloomError);
      return;
    }
    for (let seed = 1; seed <= 3; seed++) {
      const value = draw(schema, seed);
      if (value === undefined || LEFT_TO_THE_LIBRARY.has(id)) continue;
      const { parse } = readSchema(schema);
      if (parse !== undefined) expect(() => parse(value), JSON.stringify(value)).not.toThrow();
    }
  });
});
