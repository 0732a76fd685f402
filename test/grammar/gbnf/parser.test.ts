import { describe, expect, it } from 'vitest';
import { GrammarError, TokenloomError } from '../../../src/base/errors.js';
import { createRandom } from '../../../src/base/random.js';
import { fixGbnf } from '../../../src/grammar/gbnf/fix.js';
import { formatGbnf } from '../../../src/grammar/gbnf/format.js';
import { gbnfToGrammar, parseGbnf, readGbnf } from '../../../src/grammar/gbnf/index.js';
import { lintGbnf } from '../../../src/grammar/gbnf/lint.js';
import { printGrammar } from '../../../src/grammar/print.js';

const faults = (source: string): string[] => readGbnf(source).issues.map((i) => `${i.line}:${i.column} ${i.message}`);

describe('parseGbnf', () => {
  it('a byte order mark before the first rule is none of the text, anywhere else a fault', () => {
    expect(parseGbnf('\uFEFFroot ::= "\uFEFFa"').rules).toMatchObject([{ name: 'root', body: { text: '\uFEFFa' } }]);
    expect(faults('\uFEFFroot ::= x')).toEqual([expect.stringMatching(/^1:11 /)]);
    expect(fixGbnf("\uFEFFroot ::= 'a'")).toBe('root ::= "a"\n');
    expect(faults('root ::= "a"\n\uFEFFx ::= "b"').length).toBeGreaterThan(0);
  });
  it('reads the whole syntax', () => {
    const file = parseGbnf(
      [
        '# comment',
        'root  ::= item{2} | ( "a" # inside',
        '  | "b" )* |',
        '  rest-of_it? "" .',
        'item ::= [a-z0-9_-] [^\\n\\]"] "\\x41\\u00e9\\U0001F600\\t\\"\\\\\\[\\]" {1,}',
        'rest-of_it ::= <[12]> !<[7]> <think> !</think> x{ 2 , 3 }',
        'x ::=',
        'y ::= "multi',
        'line"',
      ].join('\n'),
    );
    expect(file.rules.map((r) => r.name)).toEqual(['root', 'item', 'rest-of_it', 'x', 'y']);
    expect(file.comments).toHaveLength(2);
    expect(JSON.stringify(file.rules[1]?.body)).toContain('Aé😀\\t\\"\\\\[]');
    expect(file.rules[3]?.body).toMatchObject({ k: 'seq', items: [] });
    expect(file.rules[4]?.body).toMatchObject({ k: 'literal', text: 'multi\nline' });
  });

  it('reports every fault of a file, with places and hints', () => {
    const source =
      'root ::= ( "a" | "b"\nb ::= "c" )\nc ::= * "d" | \'x\' d\ne = "1";\nf ::= "a" { 3 , 2}\ng ::= [z-a] [] "\\q"';
    expect(faults(source)).toEqual([
      "2:1 expected ')' before 'b'",
      "2:11 ')' without '('",
      "3:7 nothing to repeat before '*'",
      '3:15 strings are written in double quotes',
      "3:19 rule 'd' is not defined",
      "4:3 a rule is written 'name ::= …'",
      '4:8 rules and items are separated by blanks and line ends',
      "5:11 repeat counts out of order in '{ 3 , 2}'",
      '6:8 range out of order',
      '6:13 empty character class',
      "6:17 unknown escape '\\q'",
    ]);
    try {
      parseGbnf(source);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(GrammarError);
      expect((error as GrammarError).message).toContain('(and 10 more)');
      expect((error as GrammarError).frame).toContain('^');
    }
  });

  it('names what is missing', () => {
    expect(faults('')).toEqual(['1:1 the grammar is empty']);
    expect(faults('rot ::= "a"')).toEqual(["1:1 there is no rule 'root'"]);
    expect(readGbnf('rot ::= "a"').issues[0]?.hint).toBe("did you mean 'rot'?");
    expect(faults('root ::= "a" lsit\nlist ::= "b"')).toEqual(["1:14 rule 'lsit' is not defined"]);
    expect(faults('root ::= "a"\nroot ::= "b"')).toEqual(["2:1 rule 'root' is defined twice"]);
    expect(faults('root ::= "abc')).toEqual(['1:10 string without closing quote']);
    expect(faults('root ::= "abc\na ::= "x"\nb ::= "c"')[0]).toBe(
      '1:10 this string goes on over the start of another rule',
    );
    expect(faults('root ::= "a\nb ::= c"')).toEqual([]);
    expect(faults('root ::= [a-z')).toEqual(["1:10 character class without ']'"]);
    expect(faults('root ::= "\\ud83d"')).toEqual(['1:11 a surrogate is not a character and has no UTF-8 form']);
    expect(faults('root ::= <[x]> <>')).toEqual(["1:10 unreadable token id in '<[x]>'", '1:16 empty token terminal']);
  });
});

describe('hostile sizes', () => {
  const timed = (source: string): string => {
    const start = process.cpuUsage();
    try {
      gbnfToGrammar(source);
      return 'read';
    } catch (error) {
      if (!(error instanceof TokenloomError)) throw error;
      return error.code;
    } finally {
      // Seconds on an idle machine; what is quadratic takes minutes.
      const used = process.cpuUsage(start);
      expect((used.user + used.system) / 1e6).toBeLessThan(15);
    }
  };
  it('refuses 100,000 nested parentheses with a typed error', () => {
    expect(timed(`root ::= ${'('.repeat(100_000)}"a"${')'.repeat(100_000)}`)).toBe('GRAMMAR');
    expect(timed(`root ::= "a"${'*'.repeat(100_000)}`)).toBe('GRAMMAR');
  });
  it('reads and lowers 5 MB', () => {
    const rules = Array.from(
      { length: 100_000 },
      (_, i) => `r${i} ::= "abc" [a-z]+ (r${(i + 1) % 100_000} | "x")* # note`,
    );
    expect(timed(`root ::= r0\n${rules.join('\n')}`)).toBe('read');
  }, 60_000);
  it('does not go quadratic on left recursion, unit cycles and long tails', () => {
    const cycle = (n: number, tail: string): string =>
      `root ::= r0\n${Array.from({ length: n }, (_, i) => `r${i} ::= r${(i + 1) % n}${tail} | "b${i}"`).join('\n')}`;
    expect(timed(cycle(10_000, ' "a"'))).toBe('read');
    expect(timed(cycle(10_000, ''))).toBe('LIMIT');
    expect(timed(cycle(30_000, ' "a"'))).toBe('LIMIT');
    const many = (text: (i: number) => string): string => Array.from({ length: 50_000 }, (_, i) => text(i)).join(' | ');
    expect(timed(`root ::= (root "a" | ${many((i) => `"b${i}"`)}) x x x x\nx ::= "x"?`)).toBe('read');
    expect(timed(`root ::= ${many((i) => `root "b${i}"`)} | ${many((i) => `"c${i}" x`)}\nx ::= "x"? x "y" | "z"`)).toBe(
      'read',
    );
  }, 60_000);
  it('says the same about a file however it is cut', () => {
    const rules = Array.from(
      { length: 9_000 },
      (_, i) => `r${i} ::= "a ${i} # \nr ::= [" [^\\n"\\]] r${(i + 1) % 9_000}? # note\n`,
    );
    const sound = `root ::= r0\n${rules.join('')}`;
    const whole = parseGbnf(sound);
    expect(whole.rules).toHaveLength(9_001);
    expect(whole.comments).toHaveLength(9_000);
    for (const { nameSpan, name } of whole.rules) expect(sound.slice(nameSpan.start, nameSpan.end)).toBe(name);
    const { line, column } = readGbnf(`${sound}q ::= "x\ny ::= "z" ( )) nowhere`).issues[0] ?? {};
    expect([line, column]).toEqual([18_002, 7]);
  }, 60_000);
  it('does not go quadratic on open quotes and brackets', () => {
    expect(timed('\\"\n'.repeat(500_000))).toBe('GRAMMAR');
    expect(timed('[\n'.repeat(500_000))).toBe('GRAMMAR');
    expect(timed('<'.repeat(1_000_000))).toBe('GRAMMAR');
    expect(timed(')'.repeat(3_000_000))).toBe('LIMIT');
  }, 60_000);
});

describe('mutated grammars', () => {
  const seeds = [
    'root ::= (expr "=" ws term "\\n")+\nexpr ::= term ([-+*/] term)*\nterm ::= ident | num | "(" ws expr ")" ws\nident ::= [a-z] [a-z0-9_]* ws\nnum ::= [0-9]+ ws\nws ::= [ \\t\\n]*\n',
    'root ::= "[" (value ("," value){0,9})? "]"\nvalue ::= root | "\\"" ([^"\\\\\\x00-\\x1f] | "\\\\" .){,} "\\"" # strings\n',
    'root ::= <think> (!</think>)* </think> answer{1,3}\nanswer ::= answer "!" | "yes" | "no" |\n',
  ];
  const pieces = [
    '(',
    ')',
    '|',
    '*',
    '+',
    '?',
    '{',
    '}',
    '{2,3}',
    '"',
    '[',
    ']',
    '^',
    '-',
    '\\',
    '::=',
    '\n',
    '#',
    '<',
    '>',
    '!',
    'x',
    ' ',
    '.',
    '😀',
    '\ud800',
    '\0',
  ];
  it('end in a grammar or a typed error, 10,000 of them', () => {
    const random = createRandom(6);
    let read = 0;
    for (let n = 0; n < 10_000; n++) {
      let source = seeds[n % seeds.length] as string;
      for (let k = 1 + random.below(6); k > 0; k--) {
        const at = random.below(source.length + 1);
        const cut = random.below(4);
        const piece = random.below(3) === 0 ? '' : (pieces[random.below(pieces.length)] as string);
        source = source.slice(0, at) + piece + source.slice(at + cut);
      }
      const start = performance.now();
      try {
        gbnfToGrammar(source);
        read++;
        // What can be read can be checked, repaired, formatted and printed.
        const file = parseGbnf(source);
        lintGbnf(file);
        const formatted = formatGbnf(file);
        expect(formatGbnf(parseGbnf(formatted))).toBe(formatted);
        expect(readGbnf(fixGbnf(source)).issues).toEqual([]);
        printGrammar(gbnfToGrammar(formatted));
      } catch (error) {
        if (!(error instanceof TokenloomError)) throw new Error(`on ${JSON.stringify(source)}`, { cause: error });
      }
      expect(performance.now() - start).toBeLessThan(2_000);
    }
    expect(read).toBeGreaterThan(400);
  }, 120_000);
});
