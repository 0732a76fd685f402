import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DEAD } from '../../../src/fsm/layout.js';
import { LexemePool } from '../../../src/fsm/lexeme.js';
import { Recognizer } from '../../../src/fsm/recognizer.js';
import { formatGbnf } from '../../../src/grammar/gbnf/format.js';
import { gbnfToGrammar, parseGbnf } from '../../../src/grammar/gbnf/index.js';
import type { Grammar } from '../../../src/grammar/ir.js';
import { printGrammar } from '../../../src/grammar/print.js';
import { parseRegex } from '../../../src/grammar/regex/index.js';
import { Sampler } from '../../../src/grammar/sample.js';
import { schemaToGrammar } from '../../../src/grammar/schema/index.js';
import { validateGrammar } from '../../../src/grammar/validate.js';
import { hasLlama, type LlamaCase, llamaLoads, llamaMatches, SKIPPED, shipped } from './llama.js';

const root = new URL('../../../', import.meta.url);
const bench = new URL('../shared/data/maskbench/', root);

function matcher(grammar: Grammar): (text: string) => boolean {
  const recognizer = new Recognizer(grammar, new LexemePool());
  return (text) => {
    const state = recognizer.stepAll(recognizer.start, new TextEncoder().encode(text));
    return state !== DEAD && recognizer.accepts(state);
  };
}

function agree(schema: unknown, texts: readonly string[]): void {
  const { grammar } = schemaToGrammar(schema, { whitespace: 'compact' });
  const { text, losses } = printGrammar(grammar);
  expect(losses.filter((l) => l.kind === 'values')).toEqual([]);
  const direct = matcher(grammar);
  const through = matcher(gbnfToGrammar(text));
  for (const t of texts) expect(`${t} ${through(t)}`, text).toBe(`${t} ${direct(t)}`);
}

describe('printGrammar', () => {
  it('says objects with optional properties, counts and dependencies', () => {
    const properties = { a: { type: 'integer' }, b: { const: 'x' }, c: { type: 'boolean' } };
    const texts = [
      '{}',
      '{"a":1}',
      '{"b":"x"}',
      '{"a":1,"b":"x"}',
      '{"a":1,"c":true}',
      '{"b":"x","c":true}',
      '{"c":false}',
      '{"a":1,"b":"x","c":true}',
      '{"b":"x","a":1}',
      '{"a":1,}',
    ];
    const closed = { type: 'object', properties, additionalProperties: false };
    agree(closed, texts);
    for (const required of [['a'], ['b'], ['c'], ['a', 'c']]) agree({ ...closed, required }, texts);
    agree({ ...closed, minProperties: 2 }, texts);
    agree({ ...closed, maxProperties: 1 }, texts);
    agree({ ...closed, dependentRequired: { a: ['c'], c: ['b'] } }, texts);
  });

  it('says arrays with prefixes, lengths and contains', () => {
    const texts = [
      '[]',
      '[1]',
      '[1,"a"]',
      '[1,"a",2]',
      '["a"]',
      '[1,2]',
      '[1,2,3]',
      '[1,2,3,4]',
      '["a","b"]',
      '["a",1,"b"]',
    ];
    agree(
      {
        type: 'array',
        prefixItems: [{ type: 'integer' }, { type: 'string' }],
        items: { type: 'integer' },
        minItems: 1,
      },
      texts,
    );
    agree({ type: 'array', items: { type: 'integer' }, minItems: 1, maxItems: 3 }, texts);
    agree(
      {
        type: 'array',
        items: { enum: [1, 2, 'a', 'b'] },
        contains: { type: 'string' },
        minContains: 1,
        maxContains: 1,
      },
      texts,
    );
  });

  it('says strings, escapes and patterns', () => {
    const texts = ['"a"', '"\\n"', '"é"', '"\\\\"', '"\\""', '"ab"', '""', '"abc"', '"\\u0001"', '"😀"'];
    agree({ type: 'string' }, texts);
    agree({ type: 'string', minLength: 1, maxLength: 2 }, texts);
    agree({ type: 'string', pattern: '^[^b]+$' }, texts);
    agree({ type: 'string', pattern: 'b', maxLength: 2 }, texts);
    agree({ type: 'string', pattern: '^a(|b|(c?d?)*)*$' }, [...texts, '"abcd"', '"acdcdb"', '"ae"']);
    agree({ not: { const: 'ab' }, type: 'string', maxLength: 3 }, texts);
  });

  it('reports what GBNF cannot say', () => {
    const losses = (schema: unknown): string[] =>
      printGrammar(schemaToGrammar(schema).grammar)
        .losses.filter((l) => l.kind === 'values')
        .map((l) => l.what);
    expect(losses({ type: 'object' })).toContain('additional keys may repeat');
    expect(losses({ type: 'array', items: { type: 'integer' }, uniqueItems: true })).toEqual([
      'equal items are accepted',
    ]);
    expect(losses({ type: 'string', maxLength: 5000 })).toEqual(['a count of at most 5000 becomes unbounded']);
  });

  it('says regular expressions with intersections', () => {
    const re = parseRegex('^(?=.*\\d)(?!.*aa)[a-z\\d]{2,4}$');
    const grammar: Grammar = { exprs: [{ op: 'text', re }], start: 0, whitespace: 'compact' };
    const through = matcher(gbnfToGrammar(printGrammar(grammar).text));
    for (const t of ['a1', 'aa1', '12', 'ab', 'a', 'a1b2', 'a1b2c']) expect(through(t), t).toBe(matcher(grammar)(t));
  });
});

describe.skipIf(!existsSync(bench))('MaskBench through GBNF (skipped where ../shared/data is absent)', () => {
  const entries = (): { id: string; schema: unknown; tests: { data: unknown }[] }[] => {
    const lines = readdirSync(bench)
      .filter((f) => f.endsWith('.jsonl'))
      .flatMap((f) => readFileSync(new URL(f, bench), 'utf8').split('\n').filter(Boolean));
    const step = Math.floor(lines.length / 200);
    return Array.from({ length: 200 }, (_, i) => JSON.parse(lines[i * step] as string));
  };
  const printed: (LlamaCase & { readonly ours: Grammar })[] = [];

  it('gives the same answers for 200 schemas wherever nothing was lost, and never refuses more', () => {
    let same = 0;
    let lossless = 0;
    for (const { id, schema, tests } of entries()) {
      let grammar: Grammar;
      try {
        grammar = schemaToGrammar(schema, { whitespace: 'compact' }).grammar;
      } catch {
        continue;
      }
      const { text, losses } = printGrammar(grammar);
      const lost = losses.some((l) => l.kind === 'values');
      if (!lost) lossless++;
      const direct = matcher(grammar);
      const back = gbnfToGrammar(text);
      const through = matcher(back);
      const instances = (tests ?? []).map(({ data }) => JSON.stringify(data)).filter((t) => t.length < 2_000);
      printed.push({ grammar: text, texts: instances, ours: back });
      for (const { data } of tests ?? []) {
        const instance = JSON.stringify(data);
        const want = direct(instance);
        const got = through(instance);
        if (lost && got) continue;
        expect(got, `${id}: ${instance}`).toBe(want);
        same++;
      }
    }
    expect(printed.length).toBeGreaterThan(180);
    expect(same).toBeGreaterThan(300);
    expect(lossless).toBeGreaterThan(20);
  }, 240_000);

  it.skipIf(!hasLlama)(
    `makes grammars that llama.cpp loads and reads as we do (${SKIPPED})`,
    () => {
      const verdicts = llamaMatches([...printed, { grammar: 'root ::= "a', texts: [] }]);
      expect(verdicts.pop()).toBeUndefined();
      printed.forEach(({ grammar, texts, ours }, i) => {
        expect(verdicts[i], grammar.slice(0, 500)).toBeDefined();
        expect(verdicts[i], grammar.slice(0, 500)).toEqual(texts.map(matcher(ours)));
      });
    },
    150_000,
  );
});

describe.skipIf(!hasLlama)(`grammars of node-llama-cpp (${SKIPPED})`, () => {
  const members: Readonly<Record<string, readonly (readonly [string, boolean])[]>> = {
    'arithmetic.gbnf': [
      ['(1 +y) *2 = x\n', true],
      ['1+1=2\n', true],
      ['1 + = 2\n', false],
    ],
    'c.gbnf': [
      ['int main(){return 1;}', true],
      ['int main(){return 1}', false],
    ],
    'chess.gbnf': [
      ['1. e4 e5\n2. Nf3 Nc6\n', true],
      ['1. e9 e5\n', false],
    ],
    'english.gbnf': [
      ['hello', true],
      ['héllo', false],
    ],
    'japanese.gbnf': [
      ['こんにちは 世界', true],
      ['hello', false],
    ],
    'json.gbnf': [
      ['{"a": [1, true, null]}', true],
      ['[1]', false],
      ['{"a": 01}', false],
    ],
    'json_arr.gbnf': [
      ['[\n{"a":1},\n2]', true],
      ['{"a":1}', false],
    ],
    'list.gbnf': [
      ['- a\n- b\n', true],
      ['* a\n', false],
    ],
  };
  for (const name of hasLlama ? readdirSync(shipped).filter((f) => f.endsWith('.gbnf')) : []) {
    it(`${name} parses, round-trips, and matches samples`, () => {
      const source = readFileSync(new URL(name, shipped), 'utf8');
      const file = parseGbnf(source);
      const formatted = formatGbnf(file);
      expect(formatGbnf(parseGbnf(formatted))).toBe(formatted);
      const grammar = gbnfToGrammar(source);
      expect(validateGrammar(grammar)).toEqual([]);
      const readers = [grammar, gbnfToGrammar(formatted), gbnfToGrammar(printGrammar(grammar).text)].map(matcher);
      const cases = members[name];
      expect(cases, `no sample texts for ${name}`).toBeDefined();
      for (const [text, want] of cases ?? []) for (const matches of readers) expect(matches(text), text).toBe(want);
      const sampler = new Sampler(grammar, { seed: 5 });
      for (const text of [sampler.shortest(), ...Array.from({ length: 20 }, () => sampler.next())]) {
        for (const matches of readers) expect(matches(text), JSON.stringify(text)).toBe(true);
      }
      expect(sampler.uncovered).toEqual([]);
    });
  }
  it('load in llama.cpp after formatting and after conversion', () => {
    const texts = readdirSync(shipped)
      .filter((f) => f.endsWith('.gbnf'))
      .map((f) => readFileSync(new URL(f, shipped), 'utf8'));
    const all = texts.flatMap((t) => [formatGbnf(parseGbnf(t)), printGrammar(gbnfToGrammar(t)).text]);
    expect(llamaLoads(all)).toEqual(all.map(() => true));
  }, 60_000);
});
