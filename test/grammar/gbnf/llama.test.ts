/** Our reading of GBNF against llama.cpp's: the same files load, or `check` notes it; the same texts match. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../src/base/random.js';
import { LexemePool } from '../../../src/fsm/lexeme.js';
import { Recognizer } from '../../../src/fsm/recognizer.js';
import { formatGbnf } from '../../../src/grammar/gbnf/format.js';
import { fileToGrammar, parseGbnf, readGbnf } from '../../../src/grammar/gbnf/index.js';
import { lintGbnf } from '../../../src/grammar/gbnf/lint.js';
import type { Grammar } from '../../../src/grammar/ir.js';
import { Sampler } from '../../../src/grammar/sample.js';
import { hasLlama, type LlamaCase, llamaMatches, SKIPPED, shipped } from './llama.js';
import { randomRule } from './random.js';

function matcher(grammar: Grammar): (text: string) => boolean {
  const recognizer = new Recognizer(grammar, new LexemePool());
  return (text) => {
    const state = recognizer.stepAll(recognizer.start, new TextEncoder().encode(text));
    return state >= 0 && recognizer.accepts(state);
  };
}

/** Texts near a text: one character less, changed, or doubled. */
function near(text: string, seed: number): string[] {
  const random = createRandom(seed);
  const chars = [...text];
  return Array.from({ length: 4 }, (_, kind) => {
    const at = random.below(chars.length + 1);
    const middle = [[], ['x'], [chars[at] ?? '', chars[at] ?? ''], ['\u00e9']][kind] as string[];
    return [...chars.slice(0, at), ...middle, ...chars.slice(at + 1)].join('');
  });
}

function compare(cases: readonly (LlamaCase & { readonly ours: Grammar })[]): number {
  const theirs = llamaMatches(cases);
  let texts = 0;
  cases.forEach(({ grammar, texts: all, ours }, i) => {
    const answers = theirs[i];
    expect(answers, `llama.cpp does not load ${grammar}`).toBeDefined();
    const matches = matcher(ours);
    all.forEach((text, t) => {
      texts++;
      expect(`${JSON.stringify(text)} ${matches(text)}`, grammar).toBe(`${JSON.stringify(text)} ${answers?.[t]}`);
    });
  });
  return texts;
}

describe.skipIf(!hasLlama)(`llama.cpp (${SKIPPED})`, () => {
  it('matches the same texts on random grammars', () => {
    const random = createRandom(66);
    const words = [''];
    for (let i = 0; i < 31; i++) words.push(`${words[i]}a`, `${words[i]}b`);
    words.push('\u00e9', 'a\u00e9', '\u{1f600}', 'x');
    const cases: (LlamaCase & { ours: Grammar })[] = [];
    while (cases.length < 1_500) {
      const count = 1 + random.below(4);
      const rule = (): string =>
        Array.from({ length: 1 + random.below(3) }, () => randomRule(random, 2, count)).join(' | ');
      const rules = Array.from({ length: count }, (_, i) => `r${i} ::= ${rule()}`);
      const { file, issues } = readGbnf(`root ::= r0\n${rules.join('\n')}`);
      if (issues.length > 0) continue;
      // What is noted or loops is not promised to be read alike (llama.cpp may not end on it).
      if (lintGbnf(file).some((l) => l.severity === 'note' || l.rule === 'unproductive' || /repeat|loop/.test(l.rule)))
        continue;
      cases.push({ grammar: file.source, texts: words, ours: fileToGrammar(file) });
    }
    expect(compare(cases)).toBeGreaterThan(50_000);
  }, 300_000);

  it('matches the same texts on its own sample grammars, as they are and formatted', () => {
    const cases = ['arithmetic', 'c', 'chess', 'english', 'japanese', 'json', 'json_arr', 'list'].flatMap((name) => {
      const source = readFileSync(new URL(`${name}.gbnf`, shipped), 'utf8');
      const file = parseGbnf(source);
      const ours = fileToGrammar(file);
      const sampler = new Sampler(ours, { seed: 11, maxLength: 60 });
      const texts = Array.from({ length: 40 }, () => sampler.next()).flatMap((t, i) => [t, ...near(t, i)]);
      return [source, formatGbnf(file)].map((grammar) => ({ grammar, texts, ours }));
    });
    expect(compare(cases)).toBeGreaterThan(3_000);
  }, 120_000);

  it('reads every form alike, or check notes it', () => {
    const cases = JSON.parse(
      readFileSync(new URL('../../cases/gbnf/llama.json', import.meta.url), 'utf8'),
    ) as LlamaCase[];
    const theirs = llamaMatches(cases);
    cases.forEach(({ grammar, texts }, i) => {
      const { file, issues } = readGbnf(grammar);
      const answers = theirs[i];
      if (issues.length > 0) {
        // What both refuse, or what llama.cpp reads as something that nobody means ([z-a], [], a rule defined twice).
        expect(answers === undefined || /range|empty|twice|surrogate/.test(issues[0]?.message ?? ''), grammar).toBe(
          true,
        );
      } else if (answers === undefined) {
        expect(
          lintGbnf(file).filter((l) => /portability|left-recursion|nullable-repeat/.test(l.rule)),
          grammar,
        ).not.toEqual([]);
      } else {
        const matches = matcher(fileToGrammar(file));
        expect(texts.map(matches), grammar).toEqual(answers);
      }
    });
  }, 60_000);
});
