import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ASSERTIONS } from '../../../src/grammar/schema/vocabulary.js';
import { textAcceptor } from './accept.js';
import { type KeywordCase, keywordTable } from './keyword-table.js';

const cases = JSON.parse(readFileSync('test/cases/schema/keywords.json', 'utf8')) as KeywordCase[];

describe('keywords', () => {
  cases.forEach((c, i) => {
    it(`${c.keyword}${c.note === undefined ? '' : `: ${c.note}`} (${i})`, () => {
      expect(c.valid.length + (c.texts?.valid.length ?? 0)).toBeGreaterThan(0);
      expect(c.invalid.length + (c.texts?.invalid.length ?? 0)).toBeGreaterThan(0);
      const accepts = textAcceptor(c.schema, { propertyOrder: 'any' });
      for (const text of [...c.valid.map((v) => JSON.stringify(v)), ...(c.texts?.valid ?? [])])
        expect(accepts(text), `valid ${text}`).toBe(true);
      for (const text of [...c.invalid.map((v) => JSON.stringify(v)), ...(c.texts?.invalid ?? [])]) {
        expect(accepts(text), `invalid ${text}`).toBe(false);
      }
    });
  });

  it('covers every assertion keyword', () => {
    const tested = new Set(cases.map((c) => c.keyword));
    expect([...ASSERTIONS.keys()].filter((k) => !tested.has(k))).toEqual([]);
  });

  it('are listed in docs/json-schema.md as tested here', () => {
    const doc = readFileSync('docs/json-schema.md', 'utf8');
    const from = doc.indexOf('<!-- keywords -->');
    const to = doc.indexOf('<!-- /keywords -->');
    expect(from).toBeGreaterThan(0);
    // To renew: replace the text between the marks by this value.
    expect(doc.slice(from, to)).toBe(`<!-- keywords -->\n${keywordTable(cases)}`);
  });
});
