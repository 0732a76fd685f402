import { describe, expect, it } from 'vitest';
import { createRandom, type Random } from '../../../src/base/random.js';
import { formatClass, formatGbnf, formatLiteral } from '../../../src/grammar/gbnf/format.js';
import { parseGbnf } from '../../../src/grammar/gbnf/index.js';

const format = (source: string): string => formatGbnf(parseGbnf(source));

/** The tree without places. */
const shape = (source: string): string =>
  JSON.stringify(parseGbnf(source).rules, (key, value) => (key === 'span' || key === 'nameSpan' ? undefined : value));

describe('formatGbnf', () => {
  it('writes canonical text', () => {
    expect(format('root::=(a)|("b" (c))*\n\n\n  a ::= ("x"|) {2}\nc ::= [a-] [\\x2d-9] [^^] . ("")?')).toBe(
      'root ::= a | ("b" c)*\n\na ::= ("x" | ""){2}\nc ::= [a-] [\\x2D-9] [^^] . ("")?\n',
    );
  });

  it('keeps comments and blank lines', () => {
    const source = '# top\n\n# about root\nroot ::= ( # inside\n  "a" )  # behind\n# last\n\na ::= "b"\n# end';
    const text = format(source.replace('"a" )', '"a" a )'));
    expect(text).toBe('# top\n\n# about root\n# inside\nroot ::= "a" a # behind\n# last\n\na ::= "b"\n# end\n');
    expect(format(text)).toBe(text);
  });

  it('breaks long rules at their alternatives', () => {
    const items = Array.from({ length: 12 }, (_, i) => `"alternative ${i}"`);
    expect(format(`root ::= ${items.join('|')}`)).toBe(`root ::=\n  ${items.join(' |\n  ')}\n`);
  });

  it('escapes what cannot be seen', () => {
    expect(formatLiteral('a"\\\n\t\0\x7f\u00a0\u2028é😀\u{e0001}')).toBe(
      '"a\\"\\\\\\n\\t\\x00\\x7F\\xA0\\u2028é😀\\U000E0001"',
    );
    expect(formatClass([0x2d, 0x2d, 0x5d, 0x5d, 0x61, 0x62], false)).toBe('[\\]ab-]');
    expect(formatClass([0x5e, 0x5e, 0x2d, 0x39], false)).toBe('[\\x5E\\x2D-9]');
  });

  it('changes neither the tree nor its own output, on 1,000 random files', () => {
    const random = createRandom(3);
    for (let n = 0; n < 1_000; n++) {
      const source = `root ::= ${randomNode(random, 4)}\nx ::= ${randomNode(random, 2)} # c\n`;
      const text = format(source);
      expect(format(text), source).toBe(text);
      expect(shape(text), source).toBe(shape(formatGbnf(parseGbnf(text))));
      expect(normal(shape(text)), source).toBe(normal(shape(source)));
    }
  });
});

/** A sequence of one sequence and such are written flat. */
function normal(json: string): string {
  type Tree = { k: string; items?: Tree[]; item?: Tree; text?: string; body?: Tree; pairs?: number[] };
  const flat = (node: Tree): Tree => {
    const out: Tree = { ...node };
    if (node.item) out.item = flat(node.item);
    if (node.items) out.items = node.items.map(flat);
    if (node.k === 'seq' && out.items?.length === 0) return { k: 'literal', text: '' };
    // Order within a class is free; a dash moves to its end.
    if (node.pairs) out.pairs = [...node.pairs].sort((a, b) => a - b);
    return out;
  };
  return JSON.stringify((JSON.parse(json) as { body: Tree }[]).map((r) => ({ ...r, body: flat(r.body) })));
}

function randomNode(random: Random, depth: number): string {
  const sub = (): string => randomNode(random, depth - 1);
  const pick = (...options: readonly string[]): string => options[random.below(options.length)] as string;
  switch (random.below(depth <= 0 ? 4 : 9)) {
    case 0:
      return pick('"a"', '"\\"\\n"', '"é\\u2028"', '""');
    case 1:
      return pick('[a-z]', '[^\\]\\\\-]', '[-+*/]', '[\\x00-\\x1F^]', '[^^]', '.');
    case 2:
      return pick('x', 'root');
    case 3:
      return pick('<think>', '!<[12]>', '<[7]>');
    case 4:
    case 5:
      return `(${sub()} ${sub()})`;
    case 6:
      return `(${sub()} | ${sub()})`;
    default:
      return `(${sub()})${pick('*', '+', '?', '{2}', '{2,}', '{0,3}')}`;
  }
}
