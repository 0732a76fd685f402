/** Texts of GBNF grammars, made from a seed; each with a judge that is not the engine (languages.ts). */
import { createRandom, type Random } from '../../base/random.js';
import { seedOf } from '../seed.js';
import type { BenchRequest, TextCheck } from '../types.js';
import { between, noun, person, values } from './words.js';

interface Made {
  readonly grammar: string;
  readonly root?: string;
  readonly ask: string;
  readonly check: TextCheck;
}

const pattern = (text: string): TextCheck => ({ kind: 'pattern', pattern: text });
const language = (name: Extract<TextCheck, { kind: 'language' }>['name']): TextCheck => ({ kind: 'language', name });

const GRAMMARS: Readonly<Record<string, (random: Random) => Made>> = {
  date: () => ({
    grammar:
      'root ::= year "-" month "-" day\nyear ::= [12] [0-9]{3}\nmonth ::= "0" [1-9] | "1" [0-2]\nday ::= "0" [1-9] | [12] [0-9] | "3" [01]',
    ask: 'Write the date of the letter.',
    check: pattern('[12]\\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\\d|3[01])'),
  }),
  semver: (r) => ({
    grammar:
      'root ::= "v"? n "." n "." n ("-" tag)?\nn ::= "0" | [1-9] [0-9]{0,3}\ntag ::= ("alpha" | "beta" | "rc") "." n',
    ask: `Which version of the ${noun(r)} is it?`,
    check: pattern('v?N\\.N\\.N(?:-(?:alpha|beta|rc)\\.N)?'.replaceAll('N', '(?:0|[1-9]\\d{0,3})')),
  }),
  csv: (r) => {
    const n = between(r, 2, 5);
    return {
      grammar: `root ::= line{1,4}\nline ::= cell ("," cell){${n - 1}} "\\n"\ncell ::= [a-z0-9]{1,8} | "\\"" [a-z ,]{0,12} "\\""`,
      ask: `Write ${n} columns about a ${noun(r)} as CSV.`,
      check: pattern(`(?:C(?:,C){${n - 1}}\\n){1,4}`.replaceAll('C', '(?:[a-z0-9]{1,8}|"[a-z ,]{0,12}")')),
    };
  },
  choice: (r) => {
    const words = values(r, between(r, 2, 5));
    return {
      grammar: `root ::= ${words.map((w) => `"${w}"`).join(' | ')}`,
      ask: `Is the ${noun(r)} ${words.join(' or ')}?`,
      check: pattern(words.join('|')),
    };
  },
  bullets: (r) => {
    const least = between(r, 1, 3);
    return {
      grammar: `root ::= item{${least},5}\nitem ::= "- " [A-Z] [a-z ]{2,20} "\\n"`,
      ask: `List what ${person(r)} needs.`,
      check: pattern(`(?:- [A-Z][a-z ]{2,20}\\n){${least},5}`),
    };
  },
  moves: () => ({
    grammar:
      'root ::= ([1-9] [0-9]? ". " move " " move "\\n"){1,4}\nmove ::= (piece | [a-h] "x")? [a-h] [1-8] [+#]? | "O-O" "-O"?\npiece ::= [KQRBN] "x"?',
    ask: 'Open the game.',
    check: pattern(
      '(?:[1-9]\\d?\\. M M\\n){1,4}'.replaceAll('M', '(?:(?:[KQRBN]x?|[a-h]x)?[a-h][1-8][+#]?|O-O(?:-O)?)'),
    ),
  }),
  settings: (r) => ({
    grammar:
      'root ::= section{1,3}\nsection ::= "[" name "]\\n" (name " = " value "\\n"){1,3}\nname ::= [a-z] [a-z_]{0,9}\nvalue ::= "true" | "false" | "-"? [0-9]{1,4}',
    ask: `Write the settings of the ${noun(r)}.`,
    check: pattern('(?:\\[N\\]\\n(?:N = (?:true|false|-?\\d{1,4})\\n){1,3}){1,3}'.replaceAll('N', '[a-z][a-z_]{0,9}')),
  }),
  query: (r) => {
    const table = noun(r);
    return {
      grammar: `root ::= "SELECT " ("*" | name (", " name){0,3}) " FROM ${table}" (" WHERE " name op [0-9]{1,5})? (" LIMIT " [1-9] [0-9]{0,2})? ";"\nname ::= [a-z]{1,10}\nop ::= " = " | " < " | " > "`,
      ask: `Query the table ${table}.`,
      check: pattern(
        `SELECT (?:\\*|N(?:, N){0,3}) FROM ${table}(?: WHERE N [=<>] \\d{1,5})?(?: LIMIT [1-9]\\d{0,2})?;`.replaceAll(
          'N',
          '[a-z]{1,10}',
        ),
      ),
    };
  },
  unicode: () => ({
    grammar: 'root ::= [à-ÿ]{2,6} " " ("日" | "月" | "火"){1,3} "🙂"?',
    ask: 'Write it in the local script.',
    check: pattern('[à-ÿ]{2,6} [日月火]{1,3}🙂?'),
  }),
  comment: () => ({
    grammar: 'root ::= "/*" body "*/"\nbody ::= ([^*] | "*"+ [^*/]){0,40} "*"*',
    ask: 'Comment this line.',
    check: pattern('/\\*(?:[^*]|\\*+[^*/]){0,40}\\*{0,}\\*/'),
  }),
  expression: () => ({
    grammar:
      'root ::= sum\nsum ::= sum [+-] product | product\nproduct ::= product [*/] factor | factor\nfactor ::= "(" sum ")" | "0" | [1-9] [0-9]{0,3}',
    ask: 'Write the sum as a formula.',
    check: language('expression'),
  }),
  brackets: () => ({
    grammar: 'root ::= pair*\npair ::= "(" root ")" | "[" root "]" | "{" root "}"',
    ask: 'Balance the brackets.',
    check: language('brackets'),
  }),
  list: () => ({
    grammar: 'start ::= item\nitem ::= word | "(" item (" " item){0,3} ")"\nword ::= [a-z]{1,6}',
    root: 'start',
    ask: 'Write the program.',
    check: language('list'),
  }),
  json: () => ({
    grammar:
      'root ::= object\nobject ::= "{" (pair ("," pair){0,3})? "}"\npair ::= "\\"key" [0-9] "\\":" value\nvalue ::= object | "[" (value ("," value){0,2})? "]" | "true" | "null" | "-"? ("0" | [1-9] [0-9]{0,4}) | "\\"" [a-z ]{0,10} "\\""',
    ask: 'Write it as an object.',
    check: language('json'),
  }),
};

export const GRAMMAR_KINDS: readonly string[] = Object.keys(GRAMMARS);

export function grammarRequests(count: number, seed: number): BenchRequest[] {
  return Array.from({ length: count }, (_, i) => {
    const kind = GRAMMAR_KINDS[i % GRAMMAR_KINDS.length]!;
    const id = `grammars/${kind}-${Math.floor(i / GRAMMAR_KINDS.length)}`;
    const random = createRandom(seedOf(seed, id));
    const { ask, grammar, root, check } = GRAMMARS[kind]!(random);
    return {
      id,
      source: 'grammars',
      group: kind,
      messages: [{ role: 'user', content: ask }],
      grammar,
      ...(root === undefined ? {} : { root }),
      check,
    };
  });
}
