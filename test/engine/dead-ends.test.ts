/**
 * Schemas like those on which generation once came to a dead end, ran past its budget or never answered: classes of keys that are needed, excluded
 * or used up, numbers at the edge of doubles, counted and unique items. Each generation, drawn at random from the masks, must end within its budget
 * in a value that ajv finds valid; with less than the least budget there is an error before the first token.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseJson } from '../../src/base/parse-json.js';
import { createRandom } from '../../src/base/random.js';
import { compile, json, Matcher, UnsatisfiableError, Vocabulary } from '../../src/core.js';
import { Validator } from '../../src/engine/validate.js';

interface DeadEnd {
  readonly note: string;
  readonly schema: object;
  readonly unsatisfiable?: boolean;
}
const CASES = JSON.parse(
  readFileSync(new URL('../cases/schema/dead-ends.json', import.meta.url), 'utf8'),
) as readonly DeadEnd[];

/** Single bytes and words that reach from one part of a value into the next. */
const WORDS = [
  '{"',
  '":',
  '": ',
  ',"',
  ', "',
  '"}',
  '"]',
  '},{"',
  '],[',
  '[1,',
  '12',
  '.5',
  '00',
  'ab',
  'x1',
  '\\u00',
  '\\"',
  'true',
  ' [',
  ' {},',
  '{},\n',
];
const tokens = [
  ...Array.from({ length: 256 }, (_, b) => Uint8Array.of(b)),
  ...WORDS.map((w) => new TextEncoder().encode(w)),
  null,
];
const vocabulary = Vocabulary.fromTokens(tokens, { eos: [tokens.length - 1] });
const mask = new Uint32Array(Math.ceil(tokens.length / 32));

/** A generation by even draws; the text, or how it failed. */
function drawn(matcher: Matcher, seed: number, budget: number): string {
  const random = createRandom(seed);
  const bytes: number[] = [];
  for (let n = 0; n <= budget; n++) {
    matcher.fillMask(mask);
    const allowed = tokens.flatMap((_, t) => ((((mask[t >> 5] ?? 0) >>> (t & 31)) & 1) === 1 ? [t] : []));
    if (allowed.length === 0) return `empty mask after ${Buffer.from(bytes).toString()}`;
    const token = allowed[random.below(allowed.length)] ?? -1;
    if (!matcher.accept(token)) return `token ${token} of the mask refused after ${Buffer.from(bytes).toString()}`;
    if (matcher.isFinished) return Buffer.from(bytes).toString();
    bytes.push(...(tokens[token] ?? []));
  }
  return `over the budget: ${Buffer.from(bytes).toString()}`;
}

describe.each(['schema', 'any'] as const)('former dead ends, order %s', (propertyOrder) => {
  it.each(CASES)('$note', ({ schema, unsatisfiable }) => {
    const options = { propertyOrder, whitespace: 'bounded' } as const;
    if (unsatisfiable === true) {
      expect(() => compile(json(schema, options))).toThrow(UnsatisfiableError);
      return;
    }
    const grammar = compile(json(schema, options));
    const validator = new Validator();
    let ended = 0;
    for (const budget of [20, 45, 250]) {
      for (let seed = 1; seed <= 2; seed++) {
        let matcher: Matcher;
        try {
          matcher = new Matcher(grammar, vocabulary, { maxTokens: budget });
        } catch (error) {
          expect(error).toBeInstanceOf(UnsatisfiableError);
          continue;
        }
        const text = drawn(matcher, seed, budget);
        expect([text, validator.validate(schema, parseJson(text)).errors]).toEqual([text, []]);
        ended++;
      }
    }
    expect(ended).toBeGreaterThan(1);
  });
});
