import { describe, expect, it } from 'vitest';
import { LimitError } from '../../../src/base/errors.js';
import { DEAD } from '../../../src/fsm/layout.js';
import { LexemePool } from '../../../src/fsm/lexeme.js';
import { Recognizer } from '../../../src/fsm/recognizer.js';
import { gbnfToGrammar, parseGbnf } from '../../../src/grammar/gbnf/index.js';
import { fileToGrammar } from '../../../src/grammar/gbnf/lower.js';
import { spellTokens, Tracer } from '../../../src/grammar/gbnf/trace.js';
import { Sampler } from '../../../src/grammar/sample.js';
import { textsOfFile } from './naive.js';

const EXPR = 'root ::= expr "\\n"\nexpr ::= expr [-+] term | term\nterm ::= [a-z]+ | [0-9]{1,3} | "(" expr ")"\n';

describe('Sampler', () => {
  it('is reproducible, covers every part, and stays within the length', () => {
    const grammar = gbnfToGrammar(EXPR);
    const texts = (seed: number): string[] => {
      const sampler = new Sampler(grammar, { seed, maxLength: 40 });
      const out = Array.from({ length: 30 }, () => sampler.next());
      expect(sampler.uncovered).toEqual([]);
      return out;
    };
    expect(texts(1)).toEqual(texts(1));
    expect(texts(1)).not.toEqual(texts(2));
    const recognizer = new Recognizer(grammar, new LexemePool());
    for (const text of texts(3)) {
      const state = recognizer.stepAll(recognizer.start, new TextEncoder().encode(text));
      expect(state !== DEAD && recognizer.accepts(state), text).toBe(true);
      expect(text.length).toBeLessThan(80);
    }
  });

  it('finds the shortest text', () => {
    for (const [source, want] of [
      [EXPR, 2],
      ['root ::= "aaa" root | x x\nx ::= "b" x | "cc"', 4],
      ['root ::= ("ab" | "c"){3,5}', 3],
    ] as const) {
      expect(new Sampler(gbnfToGrammar(source)).shortest()).toHaveLength(want);
    }
  });

  it('ends on grammars whose texts are all long or that nest without bound', () => {
    expect(new Sampler(gbnfToGrammar('root ::= "x"{500}'), { maxLength: 10 }).next()).toHaveLength(500);
    const nest = new Sampler(gbnfToGrammar('root ::= "(" root ")" | "[" root root "]" | ""'), {
      maxLength: 100_000,
      seed: 2,
    });
    for (let i = 0; i < 20; i++) nest.next();
  });

  it('rules thousands deep: a text where they go on to the right, else a typed error', () => {
    const chain = (count: number, link: (next: string) => string): string =>
      `root ::= r0\n${Array.from({ length: count }, (_, i) => `r${i} ::= ${i + 1 === count ? '"x"' : link(`r${i + 1}`)}\n`).join('')}`;
    const right = new Sampler(gbnfToGrammar(chain(10_000, (next) => `"a" ("b" root "c" | ${next})`)));
    expect(right.next().length).toBeGreaterThan(9_000);
    const within = (count: number) =>
      new Sampler(gbnfToGrammar(chain(count, (next) => `"(" ${next} ")" | "[" root "]"`)));
    expect(within(500).next()).toMatch(/^[([]{499}/);
    expect(() => within(10_000).next()).toThrow(LimitError);
    const long = new Sampler(gbnfToGrammar(`root ::= ${'"a" "b"? '.repeat(2_000)}`));
    const begin = process.cpuUsage().user;
    expect(long.next().length).toBeGreaterThanOrEqual(2_000);
    expect((process.cpuUsage().user - begin) / 1e6).toBeLessThan(4);
  });
});

describe('Tracer', () => {
  it('agrees with enumeration and knows the rules', () => {
    const file = parseGbnf('root ::= root "a" | x | "b" x "a"\nx ::= "a" x "b" | "b"');
    const members = textsOfFile(file, 'ab', 5);
    const grammar = fileToGrammar(file, { keepRules: true });
    const all = [''];
    for (let i = 0; i < all.length; i++) if ((all[i] as string).length < 5) all.push(`${all[i]}a`, `${all[i]}b`);
    for (const text of all) {
      const tracer = new Tracer(grammar);
      const alive = [...text].every((c) => tracer.step(c.charCodeAt(0)));
      expect(alive && tracer.accepting, text).toBe(members.has(text));
    }
    const tracer = new Tracer(
      fileToGrammar(parseGbnf('root ::= "x" item*\nitem ::= ws [0-9]\nws ::= " "*'), { keepRules: true }),
    );
    tracer.step(0x78);
    expect(tracer.expected()).toContainEqual({ rules: ['root', 'item', 'ws'], ranges: [0x20, 0x20] });
    expect(tracer.expected()).toContainEqual({ rules: ['root', 'item'], ranges: [0x30, 0x39] });
  });

  it('spells token terminals', () => {
    const grammar = spellTokens(gbnfToGrammar('root ::= <think> !</think> </think> <[7]>'));
    const tracer = new Tracer(grammar);
    expect([...'<think>x</think><[7]>'].every((c) => tracer.step(c.charCodeAt(0)))).toBe(true);
    expect(tracer.accepting).toBe(true);
  });
});
