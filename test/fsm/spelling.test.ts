/**
 * Vocabularies that lack bytes: a token is allowed exactly when whole tokens can complete what follows it. The twin lists the
 * language (finite here) and cuts what remains of each text into tokens by dynamic programming.
 */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.js';
import { choice, compile, gbnf, json, Matcher, UnsatisfiableError, Vocabulary } from '../../src/core.js';

const utf8 = new TextEncoder();

function vocabularyOf(tokens: readonly string[]): Vocabulary {
  return Vocabulary.fromTokens([...tokens.map((t) => utf8.encode(t)), null], { eos: [tokens.length] });
}

/** Fewest tokens that spell a text, or Infinity. */
function fewest(text: string, tokens: readonly string[]): number {
  const least = new Array<number>(text.length + 1).fill(Number.POSITIVE_INFINITY);
  least[text.length] = 0;
  for (let i = text.length - 1; i >= 0; i--)
    for (const t of tokens)
      if (t !== '' && text.startsWith(t, i)) least[i] = Math.min(least[i]!, 1 + least[i + t.length]!);
  return least[0]!;
}

function allowedBy(matcher: Matcher, size: number): number[] {
  const mask = new Uint32Array((size + 31) >> 5);
  matcher.fillMask(mask);
  const ids: number[] = [];
  for (let t = 0; t < size; t++) if (((mask[t >> 5]! >>> (t & 31)) & 1) === 1) ids.push(t);
  return ids;
}

const word = (draw: ReturnType<typeof createRandom>, most: number): string =>
  Array.from({ length: 1 + draw.below(most) }, () => 'abcé'[draw.below(4)]).join('');

describe('vocabularies that lack bytes', () => {
  it('agree with the twin on random finite languages', () => {
    let states = 0;
    let refused = 0;
    for (let seed = 1; seed <= 400; seed++) {
      const draw = createRandom(seed);
      const texts = Array.from({ length: 1 + draw.below(6) }, () => word(draw, 6));
      const tokens = Array.from({ length: 1 + draw.below(7) }, () => word(draw, 3));
      const vocabulary = vocabularyOf(tokens);
      const compiled = compile(choice(texts));
      const possible = texts.some((t) => fewest(t, tokens) < Number.POSITIVE_INFINITY);
      if (!possible) {
        refused++;
        expect(() => new Matcher(compiled, vocabulary), String(seed)).toThrow(UnsatisfiableError);
        continue;
      }
      const matcher = new Matcher(compiled, vocabulary);
      let prefix = '';
      while (!matcher.isFinished) {
        const at = [seed, prefix];
        const open = texts.filter((t) => t.startsWith(prefix)).map((t) => t.slice(prefix.length));
        const expected = [...tokens.keys()].filter((id) =>
          open.some(
            (rest) =>
              rest.startsWith(tokens[id]!) && fewest(rest.slice(tokens[id]!.length), tokens) < Number.POSITIVE_INFINITY,
          ),
        );
        if (open.includes('')) expected.push(tokens.length);
        const allowed = allowedBy(matcher, tokens.length + 1);
        expect([...at, allowed]).toEqual([...at, expected]);
        for (let id = 0; id <= tokens.length; id++) {
          const took = matcher.accept(id);
          expect([...at, id, took]).toEqual([...at, id, expected.includes(id)]);
          if (took) matcher.rollback(1);
        }
        states++;
        const id = allowed[draw.below(allowed.length)]!;
        matcher.accept(id);
        prefix += tokens[id] ?? '';
      }
      expect(texts).toContain(prefix);
    }
    expect(states).toBeGreaterThan(300);
    expect(refused).toBeGreaterThan(30);
  });

  it('keep budgets: every walk within maxTokens ends complete', () => {
    // No comma, no digit but 1 and 7, no lower-case letter but those of the names: pieces of a small WordPiece vocabulary.
    const tokens = [
      '{',
      '}',
      '[',
      ']',
      '"',
      '":',
      '"name"',
      'na',
      'me',
      'ab',
      ',"',
      ',',
      '11',
      '7',
      'true',
      'x"',
      '\\u00',
      '4',
      '1',
    ];
    const vocabulary = vocabularyOf(tokens);
    const schema = {
      type: 'object',
      properties: { name: { type: 'string', maxLength: 6 }, tags: { type: 'array', items: { enum: [117, true] } } },
      required: ['name'],
      additionalProperties: false,
    };
    const compiled = compile(json(schema, { whitespace: 'compact' }));
    let walks = 0;
    for (let maxTokens = 1; maxTokens < 16; maxTokens++) {
      for (let seed = 1; seed <= 12; seed++) {
        let matcher: Matcher;
        try {
          matcher = new Matcher(compiled, vocabulary, { maxTokens });
        } catch (error) {
          expect(error).toBeInstanceOf(UnsatisfiableError);
          continue;
        }
        const draw = createRandom(seed);
        let text = '';
        for (let spent = 0; !matcher.isFinished; spent++) {
          const allowed = allowedBy(matcher, tokens.length + 1);
          expect([maxTokens, seed, text, allowed.length > 0]).toEqual([maxTokens, seed, text, true]);
          const id = allowed[draw.below(allowed.length)]!;
          expect(matcher.accept(id)).toBe(true);
          text += tokens[id] ?? '';
          expect(spent).toBeLessThanOrEqual(maxTokens);
        }
        expect(JSON.parse(text)).toHaveProperty('name');
        walks++;
      }
    }
    expect(walks).toBeGreaterThan(50);
  });

  it('never open what they cannot close', () => {
    const nested = compile(gbnf('root ::= "[" root* "]" | "x"'));
    const matcher = new Matcher(nested, vocabularyOf(['[', '[[', 'x', 'xx', 'q']));
    expect(allowedBy(matcher, 6)).toEqual([2]);
    expect(matcher.acceptBytes(utf8.encode('['))).toBe(false);
    expect(() => new Matcher(compile(json({ type: 'object' })), vocabularyOf(['a', '"', ':', '1']))).toThrow(
      UnsatisfiableError,
    );
  });

  it('reach characters through escapes where JSON has them', () => {
    const compiled = compile(json({ type: 'string', pattern: '^é$' }));
    const matcher = new Matcher(compiled, vocabularyOf(['"', '\\u', '00', 'e', 'E', '9', 'a']));
    let text = '';
    while (!matcher.isFinished) {
      const id = allowedBy(matcher, 8)[0]!;
      matcher.accept(id);
      text += ['"', '\\u', '00', 'e', 'E', '9', 'a'][id] ?? '';
    }
    expect(JSON.parse(text)).toBe('é');
  });

  it('take token terminals as a way on', () => {
    const vocabulary = Vocabulary.fromTokens([utf8.encode('x'), null, null], { eos: [2], specials: { '<end>': 1 } });
    const matcher = new Matcher(compile(gbnf('root ::= "x" (<end> | "y")')), vocabulary);
    expect(allowedBy(matcher, 3)).toEqual([0]);
    matcher.accept(0);
    expect(allowedBy(matcher, 3)).toEqual([1]);
    expect(matcher.accept(1)).toBe(true);
    expect(allowedBy(matcher, 3)).toEqual([2]);
  });
});
