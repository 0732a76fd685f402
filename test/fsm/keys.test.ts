import { expect, it } from 'vitest';
import { compile, json, Matcher, Vocabulary } from '../../src/core.js';

const bytes = Array.from({ length: 256 }, (_, b) => Uint8Array.of(b));
const vocabulary = Vocabulary.fromTokens([...bytes, null], { eos: [256] });

it.each([
  ['{"\ufeffa":1,"a":1}', true],
  ['{"\ufeffa":1,"\ufeffa":1}', false],
  ['{"\\ufeffa":1,"\ufeffa":1}', false],
  ['{"\ufeff\ufeffa":1,"\ufeffa":1}', true],
])('a key that begins with U+FEFF is not the one without: %j', (text, allowed) => {
  const matcher = new Matcher(compile(json({ type: 'object', additionalProperties: { type: 'integer' } })), vocabulary);
  expect(matcher.acceptBytes(new TextEncoder().encode(text))).toBe(allowed);
});
