import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { placeOf } from '../../../src/base/errors.js';
import { createRandom } from '../../../src/base/random.js';
import { fixGbnf } from '../../../src/grammar/gbnf/fix.js';
import { gbnfToGrammar, parseGbnf, readGbnf } from '../../../src/grammar/gbnf/index.js';
import { lintGbnf } from '../../../src/grammar/gbnf/lint.js';
import { textsOfFile } from './naive.js';
import { randomRule } from './random.js';

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

  it('never changes the language, on 300 random files', () => {
    const random = createRandom(9);
    for (let n = 0; n < 300; ) {
      const count = 1 + random.below(4);
      const names = ['root', 'a_b', 'a-b', 'a_b-2'];
      const rule = (): string =>
        Array.from({ length: 1 + random.below(4) }, () => randomRule(random, 2, count))
          .join(' |\n')
          .replace(/r(\d)/g, (_, i) => names[Number(i)] as string);
      const source = Array.from({ length: count }, (_, i) => `${names[i]} ::= ${rule()} # note`).join('\n');
      const { file, issues } = readGbnf(source);
      if (issues.length > 0) continue;
      n++;
      const fixed = fixGbnf(source);
      expect([...textsOfFile(parseGbnf(fixed), 'ab', 4)].sort(), source).toEqual(
        [...textsOfFile(file, 'ab', 4)].sort(),
      );
      expect(lintGbnf(parseGbnf(fixed)).filter((l) => l.message.includes("'_'"))).toEqual([]);
      expect(fixGbnf(fixed)).toBe(fixed);
    }
  }, 60_000);

  it('repairs what it can of a file with other faults', () => {
    expect(fixGbnf("root = 'a' (")).toBe('root ::= "a" (');
  });
});
