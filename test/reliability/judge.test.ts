import { describe, expect, it } from 'vitest';
import { compileGrammar } from '../../src/fsm/index.js';
import { constraintGrammar, gbnf } from '../../src/grammar/constraint/index.js';
import { scoreFields } from '../../src/reliability/fields.js';
import { Judge } from '../../src/reliability/judge.js';
import { loadRepair } from '../../src/reliability/repair.js';
import type { BenchRequest } from '../../src/reliability/types.js';

const request: BenchRequest = { id: 'a', source: 'own', group: '', messages: [] };
const person = { type: 'object', properties: { n: { type: 'integer' }, mail: { type: 'string', format: 'email' } } };

describe('the judge', () => {
  const judge = new Judge();
  it('tells text, JSON and fitting JSON apart', () => {
    expect(judge.json(request, person, 'Sure! {"n":1}')).toMatchObject({ json: false, fits: false });
    expect(judge.json(request, person, '{"n":"1"}')).toMatchObject({ json: true, fits: false });
    expect(judge.json(request, person, '{"n":1}')).toEqual({ json: true, fits: true });
  });
  it('says where nobody can judge', () => {
    expect(judge.json(request, { $ref: 'https://nowhere.example/x' }, '1')).toMatchObject({ json: true, fits: null });
  });
  it('counts right leaves of the expected value, of unreadable answers too', () => {
    const known = { ...request, expected: { n: 1, list: ['a', { b: null }], empty: {} } };
    expect(judge.json(known, {}, '{"n":1,"list":["a",{"b":0}],"empty":{}}')).toMatchObject({ fields: 4, right: 3 });
    expect(judge.json(known, {}, 'no')).toMatchObject({ fields: 4, right: 0 });
    expect(scoreFields({ a: 1 }, { a: '1' })).toEqual({ right: 0, fields: 1 });
  });
  it("judges a user's grammar without masks", () => {
    const grammar = compileGrammar(constraintGrammar(gbnf('root ::= "a"+ "ü"')).grammar);
    expect(judge.grammar(request, grammar, 'aaü')).toMatchObject({ json: null, fits: true });
    expect(judge.grammar(request, grammar, 'aa')).toMatchObject({ fits: false });
  });
});

describe('repair', () => {
  it('mends what people mend', async () => {
    const repair = await loadRepair();
    expect(repair).toBeDefined();
    for (const [text, value] of [
      ['Here you are:\n```json\n{"a": 1,}\n```\nAnything else?', { a: 1 }],
      ['Sure: {a: "x", b: [1, 2', { a: 'x', b: [1, 2] }],
      ['"text"', 'text'],
      ["{'a': True}", { a: true }],
    ] as const)
      expect(JSON.parse(repair!(text))).toEqual(value);
  });
});
