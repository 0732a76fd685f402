/**
 * maxTokens: the value is complete when the budget ends, whatever is drawn. Random grammars, random tokens, every budget from 0 up:
 * a matcher that can be made finishes within its budget, and its masks are never wider than those without one.
 */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.js';
import { UnsatisfiableError } from '../../src/core.js';
import { compileGrammar, Matcher, Vocabulary } from '../../src/fsm/index.js';
import { Interpreter } from '../oracle/interpreter.js';
import { randomGrammar, randomTokens } from '../oracle/random-grammar.js';

const bit = (mask: Uint32Array, id: number): boolean => (((mask[id >> 5] ?? 0) >>> (id & 31)) & 1) === 1;

describe('maxTokens', () => {
  it('every random walk ends complete within its budget', { timeout: 120_000 }, () => {
    let walks = 0;
    for (let seed = 1; walks < 250; seed++) {
      const draw = createRandom(seed);
      const grammar = randomGrammar(draw, { depth: 1 + draw.below(2), json: draw.below(2) === 0 });
      if (grammar === undefined) continue;
      const { tokens, eos } = randomTokens(draw, grammar);
      const vocabulary = Vocabulary.fromTokens(tokens, { eos });
      const compiled = compileGrammar(grammar);
      const twin = new Interpreter(grammar);
      const size = Math.ceil(tokens.length / 32);
      const mask = new Uint32Array(size);
      const free = new Uint32Array(size);
      let possible = false;
      for (const maxTokens of [0, 1, 2, 3, 5, 8, 13, 21]) {
        let matcher: Matcher;
        try {
          matcher = new Matcher(compiled, vocabulary, { maxTokens });
        } catch (error) {
          expect(error).toBeInstanceOf(UnsatisfiableError);
          // A larger budget never makes it impossible.
          expect([seed, maxTokens, possible]).toEqual([seed, maxTokens, false]);
          continue;
        }
        possible = true;
        walks++;
        const open = new Matcher(compiled, vocabulary);
        const text: number[] = [];
        for (let spent = 0; !matcher.isFinished; spent++) {
          matcher.fillMask(mask);
          open.fillMask(free);
          const allowed = tokens.map((_, id) => id).filter((id) => bit(mask, id));
          const at = [seed, maxTokens, spent, Buffer.from(text).toString('latin1')];
          expect([...at, allowed.length > 0]).toEqual([...at, true]);
          expect([...at, allowed.filter((id) => !bit(free, id))]).toEqual([...at, []]);
          // The end is not taken while anything else may come: the budget must force it.
          const real = allowed.filter((id) => !eos.includes(id));
          const id = real.length > 0 ? real[draw.below(real.length)] : allowed[0];
          if (id === undefined) break;
          expect([...at, matcher.accept(id)]).toEqual([...at, true]);
          if (matcher.isFinished) break;
          open.accept(id);
          text.push(...(tokens[id] ?? []));
          expect([...at, spent < maxTokens]).toEqual([...at, true]);
        }
        expect([seed, maxTokens, Buffer.from(text).toString('latin1'), twin.member(text)]).toEqual([
          seed,
          maxTokens,
          Buffer.from(text).toString('latin1'),
          true,
        ]);
      }
    }
    expect(walks).toBeGreaterThanOrEqual(250);
  });
});
