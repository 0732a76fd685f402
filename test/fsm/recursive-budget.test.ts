/** Budgets of objects that hold themselves: the first member that may come can go on without end, so what is hurried must not follow it. */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.js';
import { compile, json, Matcher, UnsatisfiableError, Vocabulary } from '../../src/core.js';

const vocabulary = Vocabulary.fromTokens([...Array.from({ length: 256 }, (_, b) => Uint8Array.of(b)), null], {
  eos: [256],
});
const EOS = 256;
const self = { $ref: '#/$defs/q' };
const query = (rest: object) => ({
  type: 'object',
  properties: { condition: self },
  additionalProperties: false,
  $defs: { q: { type: 'object', additionalProperties: false, ...rest } },
});

const SCHEMAS = {
  'one of many': query({
    minProperties: 1,
    properties: { and: { type: 'array', items: self, minItems: 1 }, not: self, title: { type: 'string' } },
  }),
  'two of many': query({
    minProperties: 2,
    properties: { not: self, and: { type: 'array', items: self, minItems: 1 }, a: { const: 1 }, b: { const: 2 } },
  }),
  'one that implies': query({
    minProperties: 1,
    properties: { not: self, a: { const: 1 }, b: { const: 2 } },
    dependentRequired: { a: ['b'] },
  }),
  'one beside a required one': query({
    minProperties: 2,
    properties: { not: self, a: { const: 1 }, b: { const: 2 } },
    required: ['b'],
  }),
  'dynamic keys': query({
    minProperties: 1,
    properties: { not: self },
    patternProperties: { '^x[0-9]$': { const: 1 } },
  }),
};

const mask = new Uint32Array(9);
const allowed = (matcher: Matcher): number[] => {
  matcher.fillMask(mask);
  return Array.from({ length: 257 }, (_, t) => t).filter((t) => (mask[t >> 5]! >>> (t & 31)) & 1);
};

describe.each(['schema', 'any'] as const)('objects that hold themselves, order %s', (propertyOrder) => {
  it.each(Object.entries(SCHEMAS))('%s', (_, schema) => {
    const compiled = compile(json(schema, { propertyOrder, whitespace: 'compact' }));
    for (let budget = 0; budget <= 70; budget++) {
      for (let seed = 0; seed < 4; seed++) {
        const random = createRandom(seed);
        let matcher: Matcher;
        try {
          matcher = new Matcher(compiled, vocabulary, { maxTokens: budget });
        } catch (error) {
          expect(error).toBeInstanceOf(UnsatisfiableError);
          continue;
        }
        const text: number[] = [];
        while (!matcher.isFinished) {
          const open = allowed(matcher);
          // Into the object where there is a choice.
          const on = open.filter((t) => t !== EOS && t !== 0x7d);
          const t = on.length > 0 ? on[random.below(on.length)]! : open[0]!;
          expect([budget, String.fromCharCode(...text), t !== undefined && matcher.accept(t)]).toEqual([
            budget,
            String.fromCharCode(...text),
            true,
          ]);
          if (t !== EOS) text.push(t);
        }
        expect(text.length).toBeLessThanOrEqual(budget);
        JSON.parse(Buffer.from(text).toString());
      }
    }
  });

  it.each(Object.entries(SCHEMAS))('%s: a large budget forbids nothing', (_, schema) => {
    const compiled = compile(json(schema, { propertyOrder, whitespace: 'compact' }));
    const free = new Matcher(compiled, vocabulary);
    const bound = new Matcher(compiled, vocabulary, { maxTokens: 5000 });
    const random = createRandom(7);
    for (let n = 0; n < 300 && !free.isFinished; n++) {
      const open = allowed(free);
      expect(allowed(bound)).toEqual(open);
      const on = open.filter((t) => t !== EOS && t !== 0x7d);
      const t = on.length > 0 ? on[random.below(on.length)]! : open[0]!;
      expect([free.accept(t), bound.accept(t)]).toEqual([true, true]);
    }
  });
});
