/** Constraints that are hard on mask engines, and a text for each that is read token by token. */
import { type Constraint, choice, gbnf, json, regex } from '../../src/core.js';

export interface HardCase {
  readonly name: string;
  readonly constraint: () => Constraint;
  readonly text: () => string;
}

export const str = { type: 'string' } as const;
export const words = (n: number): string =>
  Array.from({ length: n }, (_, i) => ['lorem', 'ipsum', 'dolor', 'sit', 'amet'][i % 5]).join(' ');
export const flexible = { whitespace: 'flexible', propertyOrder: 'any' } as const;

const C_GRAMMAR = String.raw`
root ::= ws declaration*
declaration ::= type ident "(" ws (parameter ("," ws parameter)*)? ")" ws block
parameter ::= type ident
type ::= ("int" | "float" | "char" | "void" | "double" | "long") ws ("*" ws)*
block ::= "{" ws statement* "}" ws
statement ::= type ident "=" ws expression ";" ws | ident "=" ws expression ";" ws | ident "(" ws arguments? ")" ws ";" ws | "return" ws expression ";" ws | "while" ws "(" ws condition ")" ws block | "for" ws "(" ws statement condition ";" ws ident "=" ws expression ")" ws block | "if" ws "(" ws condition ")" ws block ("else" ws block)? | comment
condition ::= expression ("==" | "!=" | "<=" | "<" | ">=" | ">") ws expression
expression ::= term (("+" | "-") ws term)*
term ::= factor (("*" | "/") ws factor)*
factor ::= ident | number | unary | "(" ws expression ")" ws | ident "(" ws arguments? ")" ws | string
unary ::= "-" ws factor
arguments ::= expression ("," ws expression)*
ident ::= [a-zA-Z_] [a-zA-Z_0-9]* ws
number ::= [0-9]+ ("." [0-9]+)? ws
string ::= "\"" ([^"\\\n] | "\\" ["\\nt])* "\"" ws
comment ::= "//" [^\n]* "\n" ws
ws ::= ([ \t\n]+)?
`;

const CHESS_GRAMMAR = String.raw`
root ::= ("1. " move " " move "\n") ([1-9] [0-9]? ". " move " " move "\n")+
move ::= (pawn | nonpawn | castle) [+#]?
nonpawn ::= [NBKQR] [a-h]? [1-8]? "x"? [a-h] [1-8]
pawn ::= ([a-h] "x")? [a-h] [1-8] ("=" [NBKQR])?
castle ::= "O-O" "-O"?
`;

const tool = (i: number): unknown => ({
  type: 'object',
  properties: {
    name: { const: `tool_${i}` },
    arguments: {
      type: 'object',
      properties: { [`query_${i}`]: str, limit: { type: 'integer' } },
      required: [`query_${i}`],
      additionalProperties: false,
    },
  },
  required: ['name', 'arguments'],
  additionalProperties: false,
});

/** A schema of about 900 kB: 3,000 definitions that refer to each other. */
function large(): object {
  const $defs: Record<string, unknown> = {};
  for (let i = 0; i < 3000; i++) {
    $defs[`definition_${i}`] = {
      type: 'object',
      description: 'x'.repeat(120),
      properties: {
        id: { type: 'integer' },
        [`name_${i}`]: { type: 'string', maxLength: 100 },
        next: { $ref: `#/$defs/definition_${(i * 7 + 1) % 3000}` },
      },
      required: ['id'],
    };
  }
  return { $ref: '#/$defs/definition_0', $defs };
}

export const HARD: readonly HardCase[] = [
  { name: '1 MB inside one string', constraint: () => json(str, flexible), text: () => JSON.stringify(words(180_000)) },
  {
    name: '1 MB of one array',
    constraint: () => json({ type: 'array', items: { type: 'integer' } }, flexible),
    text: () => JSON.stringify(Array.from({ length: 150_000 }, (_, i) => i % 100_000)),
  },
  {
    name: '0.4 MB of objects in an array',
    constraint: () =>
      json(
        {
          type: 'array',
          items: {
            type: 'object',
            properties: { a: str, b: { type: 'number' } },
            required: ['a'],
            additionalProperties: false,
          },
        },
        flexible,
      ),
    text: () => JSON.stringify(Array.from({ length: 16_000 }, (_, i) => ({ a: `v${i}`, b: i / 4 }))),
  },
  {
    name: '0.7 MB of keys in one object',
    constraint: () => json({ type: 'object', additionalProperties: str }, flexible),
    text: () => JSON.stringify(Object.fromEntries(Array.from({ length: 30_000 }, (_, i) => [`key number ${i}`, 'v']))),
  },
  {
    name: '0.5 MB of unique strings',
    constraint: () => json({ type: 'array', uniqueItems: true, items: str }, flexible),
    text: () => JSON.stringify(Array.from({ length: 30_000 }, (_, i) => `value ${i}`)),
  },
  {
    name: '0.4 MB of unique numbers',
    constraint: () => json({ type: 'array', uniqueItems: true, items: { type: 'number' } }, flexible),
    text: () => JSON.stringify(Array.from({ length: 60_000 }, (_, i) => (i % 7 === 3 ? i / 8 : i * 7 - 90_000))),
  },
  {
    name: 'maxLength 10,000',
    constraint: () => json({ type: 'string', maxLength: 10_000 }, flexible),
    text: () => JSON.stringify(words(1700)),
  },
  {
    name: 'nested bounded lists',
    constraint: () =>
      json(
        {
          type: 'array',
          minItems: 2,
          maxItems: 100,
          items: {
            type: 'array',
            minItems: 1,
            maxItems: 100,
            items: {
              type: 'array',
              minItems: 3,
              maxItems: 100,
              items: { type: 'integer', minimum: -500, maximum: 500 },
            },
          },
        },
        flexible,
      ),
    text: () =>
      JSON.stringify(
        Array.from({ length: 20 }, () =>
          Array.from({ length: 20 }, () => Array.from({ length: 10 }, (_, i) => i * 37 - 200)),
        ),
      ),
  },
  {
    name: 'enum of 5,000 values',
    constraint: () =>
      json(
        {
          type: 'array',
          items: { enum: Array.from({ length: 5000 }, (_, i) => `value ${(i * 7919) % 5000} of ${i % 13}`) },
        },
        flexible,
      ),
    text: () =>
      JSON.stringify(Array.from({ length: 300 }, (_, i) => `value ${(i * 16 * 7919) % 5000} of ${(i * 16) % 13}`)),
  },
  {
    name: 'choice of 5,000 texts',
    constraint: () => choice(Array.from({ length: 5000 }, (_, i) => `answer number ${i}`)),
    text: () => 'answer number 4321',
  },
  {
    name: '128 tools in one anyOf',
    constraint: () => json({ anyOf: Array.from({ length: 128 }, (_, i) => tool(i)) }, flexible),
    text: () => JSON.stringify({ name: 'tool_77', arguments: { query_77: words(20), limit: 5 } }),
  },
  {
    name: 'additional properties beside 200 names',
    constraint: () =>
      json(
        {
          type: 'object',
          properties: Object.fromEntries(
            Array.from({ length: 200 }, (_, i) => [`known_property_${i}`, { type: 'integer' }]),
          ),
          additionalProperties: str,
        },
        flexible,
      ),
    text: () =>
      JSON.stringify(
        Object.fromEntries(
          Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? [`known_property_${i % 200}`, i] : [`extra ${i}`, 'x'])),
        ),
      ),
  },
  {
    name: 'a schema of 900 kB',
    constraint: () => json(large(), flexible),
    text: () => JSON.stringify({ id: 1, name_0: 'a', next: { id: 2, name_1: 'b', next: { id: 3 } } }),
  },
  {
    name: '5,000 levels of nesting',
    constraint: () =>
      json({ $ref: '#/$defs/a', $defs: { a: { type: 'array', items: { $ref: '#/$defs/a' } } } }, flexible),
    text: () => '['.repeat(5000) + ']'.repeat(5000),
  },
  {
    name: 'C in GBNF',
    constraint: () => gbnf(C_GRAMMAR),
    text: () =>
      Array.from(
        { length: 60 },
        (_, i) =>
          `int function_${i}(int a, float *b) {\n  int x = a * (${i} + 2) - f(a, b);\n  while (x < 100) {\n    x = x + 1;\n    // step\n  }\n  if (x == 3) { return -x; } else { print("value"); }\n  return x;\n}\n`,
      ).join(''),
  },
  {
    name: 'chess in GBNF',
    constraint: () => gbnf(CHESS_GRAMMAR),
    text: () =>
      Array.from(
        { length: 60 },
        (_, i) =>
          `${i + 1}. ${['e4', 'Nf3', 'Bb5', 'O-O', 'Qxd7+'][i % 5]} ${['e5', 'Nc6', 'a6', 'Nge7', 'exd5'][i % 5]}\n`,
      ).join(''),
  },
  {
    name: 'ambiguous grammar',
    constraint: () => gbnf('root ::= s\ns ::= "a" | "a" s | "a" s s | "(" s ")"'),
    text: () => 'a'.repeat(300),
  },
  {
    name: 'left-recursive grammar',
    constraint: () => gbnf('root ::= e\ne ::= e "+" t | e "-" t | t\nt ::= t "*" f | f\nf ::= "(" e ")" | [0-9]+'),
    text: () => Array.from({ length: 400 }, (_, i) => `${i}*(2+${i})`).join('+'),
  },
  {
    name: 'pattern .*',
    constraint: () => json({ type: 'string', pattern: '.*' }, flexible),
    text: () => JSON.stringify(words(2000)),
  },
  {
    name: 'pattern with .* inside',
    constraint: () => json({ type: 'string', pattern: '^a.*b.*c$' }, flexible),
    text: () => JSON.stringify(`a${words(500)}b${words(500)}c`),
  },
  {
    name: 'Unicode classes',
    constraint: () => json({ type: 'string', pattern: '^[\\p{L}\\p{Nd} ]+$' }, flexible),
    text: () => JSON.stringify('Größe Ελληνικά 漢字 русский 123 '.repeat(100)),
  },
  {
    name: 'regex of a log line',
    constraint: () => regex('(\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}Z \\[(INFO|WARN|ERROR)\\] [^\\n]{1,200}\\n)+'),
    text: () => `2026-01-02T03:04:05Z [INFO] ${words(20)}\n`.repeat(60),
  },
];
