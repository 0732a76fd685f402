import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { placeOf } from '../../../src/base/errors.js';
import { fixGbnf } from '../../../src/grammar/gbnf/fix.js';
import { gbnfToGrammar, parseGbnf, readGbnf } from '../../../src/grammar/gbnf/index.js';
import { lintGbnf } from '../../../src/grammar/gbnf/lint.js';

const folder = new URL('../../cases/gbnf/lint/', import.meta.url);

describe('lintGbnf', () => {
  for (const name of readdirSync(folder)) {
    it(`finds what ${name} expects`, () => {
      const source = readFileSync(new URL(name, folder), 'utf8');
      const expected = [...source.matchAll(/^# expect (.*)$/gm)].map((m) => m[1] as string);
      expect(expected.length).toBeGreaterThan(0);
      const found = lintGbnf(parseGbnf(source)).map((l) => {
        const { line, column } = placeOf(source, l.start);
        return `${line}:${column} ${l.severity} ${l.rule}`;
      });
      expect(found.sort()).toEqual(expected.sort());
    });
  }

  it('says nothing about a clean grammar', () => {
    expect(
      lintGbnf(parseGbnf('root ::= "a" list\nlist ::= "[" (item ("," item)*)? "]"\nitem ::= [a-z]+ | [0-9]+ | list\n')),
    ).toEqual([]);
  });

  it('calls an empty language an error', () => {
    expect(lintGbnf(parseGbnf('root ::= "a" root'))[0]).toMatchObject({ severity: 'error', rule: 'unproductive' });
  });
});

describe('fixGbnf', () => {
  it('repairs notation, names, doubled alternatives and layout', () => {
    const source = "root = 'it\\'s' my_rule; // note\nmy_rule := [a\\-z] |\n [0-9] | [0-9]";
    const fixed = fixGbnf(source);
    expect(fixed).toBe('root ::= "it\'s" my-rule # note\nmy-rule ::= [az-] | [0-9]\n');
    expect(readGbnf(fixed).issues).toEqual([]);
    expect(fixGbnf(fixed)).toBe(fixed);
    gbnfToGrammar(fixed);
  });

  it('repairs what it can of a file with other faults', () => {
    expect(fixGbnf("root = 'a' (")).toBe('root ::= "a" (');
  });
});
