/** The bound of what a value takes: never over what the shortest completion takes, and read off in no time where numbers are huge. */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.js';
import { compile, gbnf, json, LimitError, Matcher, regex, UnsatisfiableError, Vocabulary } from '../../src/core.js';
import { compileGrammar } from '../../src/fsm/index.js';
import { leastBytes } from '../../src/fsm/least-length.js';
import { randomGrammar } from '../oracle/random-grammar.js';

const bytes = Vocabulary.fromTokens([...Array.from({ length: 256 }, (_, b) => Uint8Array.of(b)), null], { eos: [256] });

describe('leastBytes', () => {
  it('is a lower bound on random grammars', () => {
    let seen = 0;
    for (let seed = 1; seen < 300; seed++) {
      const draw = createRandom(seed);
      const grammar = randomGrammar(draw, { depth: 1 + draw.below(3), json: draw.below(2) === 0 });
      if (grammar === undefined || grammar.exprs.some((e) => e.op === 'token')) continue;
      seen++;
      const needed = new Matcher(compileGrammar(grammar), bytes).remaining;
      expect([seed, leastBytes(grammar) <= needed]).toEqual([seed, true]);
    }
  });

  it('is exact where nothing is free', () => {
    const least = (schema: unknown): number => compile(json(schema, { whitespace: 'compact' })).leastTokens(bytes);
    expect(least({ type: 'string', minLength: 7 })).toBe(9);
    expect(least({ type: 'array', items: { type: 'integer' }, minItems: 3 })).toBe('[0,0,0]'.length);
    expect(least({ const: { a: [null, 'é'] } })).toBe('{"a":[null,"."]}'.length);
    expect(least({ type: 'object', properties: { ab: { type: 'boolean' } }, required: ['ab'] })).toBe(
      '{"ab":true}'.length,
    );
    expect(compile(regex(/^(ab){4}c?$/)).leastTokens(bytes)).toBe(8);
  });
});

describe('values too long for any budget', () => {
  const huge = 1e9;
  const cases = {
    items: json({ type: 'array', items: { type: 'integer' }, minItems: huge }),
    unique: json({ type: 'array', items: { type: 'integer' }, minItems: huge, uniqueItems: true }),
    properties: json({ type: 'object', minProperties: huge }),
    length: json({ type: 'string', minLength: huge }),
    nested: json({ type: 'object', properties: { a: { type: 'array', minItems: huge } }, required: ['a'] }),
    pattern: regex(`a{${huge}}`),
    grammar: gbnf(`root ::= "a"{${huge}}`),
  };
  for (const [name, constraint] of Object.entries(cases)) {
    it(`${name}: refused at once, by what is needed`, { timeout: 2000 }, () => {
      const compiled = compile(constraint);
      expect(() => new Matcher(compiled, bytes, { maxTokens: 4096 })).toThrow(UnsatisfiableError);
      expect(() => new Matcher(compiled, bytes, { maxTokens: 4096 })).toThrow(
        /at least \d+ tokens and the budget is 4096; let the value be shorter/,
      );
      expect(() => new Matcher(compiled, bytes, { maxTokens: 2 ** 40 })).toThrow(LimitError);
      const free = new Matcher(compiled, bytes);
      const mask = new Uint32Array(9);
      free.fillMask(mask);
      expect(mask.some((word) => word !== 0)).toBe(true);
      expect(free.remaining).toBe(Number.POSITIVE_INFINITY);
    });
  }

  it('what the error asks for suffices', () => {
    const schemas = [
      {
        type: 'object',
        patternProperties: { '^[a-z]{3}$': { type: 'integer' } },
        additionalProperties: false,
        minProperties: 3,
      },
      { type: 'array', items: { enum: ['alpha', 'beta'] }, minItems: 400 },
      { type: 'string', pattern: '^(foo|bar)+-[0-9]{4}$' },
    ];
    for (const schema of schemas) {
      const compiled = compile(json(schema));
      let message = '';
      try {
        new Matcher(compiled, bytes, { maxTokens: 1 });
      } catch (error) {
        message = (error as Error).message;
      }
      const asked = Number(/raise maxTokens to at least (\d+)$/.exec(message)?.[1]);
      expect(new Matcher(compiled, bytes, { maxTokens: asked }).remaining).toBe(asked);
      expect(() => new Matcher(compiled, bytes, { maxTokens: asked - 1 })).toThrow(UnsatisfiableError);
    }
  });

  it('arrays of thousands of items are planned in linear time', { timeout: 5000 }, () => {
    const compiled = compile(
      json({ type: 'array', items: { type: 'integer' }, minItems: 20_000 }, { whitespace: 'compact' }),
    );
    expect(new Matcher(compiled, bytes, { maxTokens: 50_000 }).remaining).toBe(40_001);
  });
});
