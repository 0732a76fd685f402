/**
 * Canonical GBNF text, for files (with their comments) and for single nodes. Formatting twice changes nothing, and what is
 * printed is what llama.cpp reads: line breaks stand only after `::=` and `|`, a dash in a class comes last.
 *
 * Comments stay where a rule does not enclose them: before a rule or behind it on its last line; those inside a rule move before it.
 */
import type { GbnfFile, GbnfNode, GbnfRule } from './ast.js';

const WIDTH = 100;

export function formatGbnf(file: GbnfFile): string {
  const { source } = file;
  const out: string[] = [];
  let comment = 0;
  let end = 0;
  /** A blank line is kept (as one) where there was one in front of `at`. */
  const gap = (at: number): void => {
    const between = source.slice(end, at);
    if (out.length > 0 && /\n[ \t\r]*\n/.test(between)) out.push('');
  };
  const text = (c: number): string => source.slice(file.comments[c]?.start, file.comments[c]?.end).trimEnd();
  const leading = (limit: number): void => {
    for (; comment < file.comments.length && (file.comments[comment]?.start as number) < limit; comment++) {
      gap(file.comments[comment]?.start as number);
      out.push(text(comment));
      end = file.comments[comment]?.end as number;
    }
  };
  for (const rule of file.rules) {
    leading(rule.span.start);
    gap(rule.span.start);
    for (; comment < file.comments.length && (file.comments[comment]?.start as number) < rule.span.end; comment++) {
      out.push(text(comment));
    }
    let line = formatRule(rule);
    end = rule.span.end;
    const next = file.comments[comment];
    if (next !== undefined && !source.slice(rule.span.end, next.start).includes('\n')) {
      line += ` ${text(comment)}`;
      end = next.end;
      comment++;
    }
    out.push(line);
  }
  leading(Number.POSITIVE_INFINITY);
  return out.length === 0 ? '' : `${out.join('\n')}\n`;
}

/** `name ::= body`, broken at its alternatives where it is too long for one line. */
export function formatRule(rule: GbnfRule): string {
  const line = `${rule.name} ::= ${formatNode(rule.body)}`;
  if (line.length <= WIDTH || rule.body.k !== 'alt') return line;
  const items = rule.body.items.map((item) => formatAt(item, 1));
  return `${rule.name} ::=\n  ${items.join(' |\n  ')}`;
}

export function formatNode(node: GbnfNode): string {
  return formatAt(node, 0);
}

/** `level`: 0 anything, 1 inside an alternative, 2 inside a sequence, 3 under a quantifier. */
function formatAt(node: GbnfNode, level: 0 | 1 | 2 | 3): string {
  switch (node.k) {
    case 'literal':
      return node.text === '' && level === 3 ? '("")' : formatLiteral(node.text);
    case 'class':
      return formatClass(node.pairs, node.negate);
    case 'any':
      return '.';
    case 'token':
      return `${node.negate ? '!' : ''}${node.text ?? `<[${node.id}]>`}`;
    case 'ref':
      return node.name;
    case 'seq': {
      if (node.items.length === 0) return level === 3 ? '("")' : '""';
      const text = node.items.map((item) => formatAt(item, 2)).join(' ');
      return level >= 2 ? `(${text})` : text;
    }
    case 'alt': {
      const text = node.items.map((item) => formatAt(item, 1)).join(' | ');
      return level >= 1 ? `(${text})` : text;
    }
    case 'repeat': {
      const text = `${formatAt(node.item, 3)}${formatBounds(node.min, node.max)}`;
      return level === 3 ? `(${text})` : text;
    }
  }
}

function formatBounds(min: number, max: number): string {
  if (max === Number.POSITIVE_INFINITY) return min === 0 ? '*' : min === 1 ? '+' : `{${min},}`;
  if (min === 0 && max === 1) return '?';
  return min === max ? `{${min}}` : `{${min},${max}}`;
}

const NAMED: Readonly<Record<number, string>> = { 9: '\\t', 10: '\\n', 13: '\\r', 92: '\\\\' };
/** Characters that a reader would not see as themselves. */
const INVISIBLE = /^[\p{C}\p{Z}]$/u;

function escaped(cp: number, special: string): string {
  const named = NAMED[cp];
  if (named !== undefined) return named;
  if (cp === 0x20) return ' ';
  const c = String.fromCodePoint(cp);
  if (special.includes(c)) return `\\${c}`;
  return cp > 0x7e && INVISIBLE.test(c) ? hex(cp) : cp < 0x20 || cp === 0x7f ? hex(cp) : c;
}

function hex(cp: number): string {
  const digits = cp.toString(16).toUpperCase();
  if (cp <= 0xff) return `\\x${digits.padStart(2, '0')}`;
  return cp <= 0xffff ? `\\u${digits.padStart(4, '0')}` : `\\U${digits.padStart(8, '0')}`;
}

export function formatLiteral(text: string): string {
  return `"${[...text].map((c) => escaped(c.codePointAt(0) as number, '"')).join('')}"`;
}

export function formatClass(pairs: readonly number[], negate: boolean): string {
  const parts: string[] = [];
  let dash = false;
  for (let i = 0; i < pairs.length; i += 2) {
    const lo = pairs[i] as number;
    const hi = pairs[i + 1] as number;
    if (lo === 0x2d && hi === 0x2d) dash = true;
    else if (lo === hi) parts.push(inClass(lo, parts.length === 0 && !negate));
    else if (hi === lo + 1 && lo !== 0x2d && hi !== 0x2d) {
      parts.push(inClass(lo, parts.length === 0 && !negate), inClass(hi, false));
    } else parts.push(`${inClass(lo, parts.length === 0 && !negate)}-${inClass(hi, false)}`);
  }
  return `[${negate ? '^' : ''}${parts.join('')}${dash ? '-' : ''}]`;
}

function inClass(cp: number, first: boolean): string {
  if (cp === 0x2d || (cp === 0x5e && first)) return hex(cp);
  return cp >= 0xd800 && cp <= 0xdfff ? hex(cp) : escaped(cp, '[]');
}
