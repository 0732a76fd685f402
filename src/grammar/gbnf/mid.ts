/**
 * The form between syntax tree and IR: rules by number, leaves already regular, and a rule body still a tree, so that
 * every rewriting below is local. Unreachable rules are left out.
 */
import type { Regex } from '../../regular/regex.js';
import type { Span } from '../ir.js';
import { complement, normalize, type Ranges, subtract } from '../regex/ranges.js';
import type { GbnfFile, GbnfNode, GbnfRule } from './ast.js';

export type Mid =
  /** A non-empty language without the empty string. */
  | { readonly op: 'leaf'; readonly re: Regex; readonly span?: Span }
  | {
      readonly op: 'token';
      readonly ids: readonly number[];
      readonly texts: readonly string[];
      readonly negate: boolean;
      readonly span?: Span;
    }
  | { readonly op: 'ref'; readonly rule: number; readonly span?: Span }
  /** No items: the empty string. */
  | { readonly op: 'seq'; readonly items: readonly Mid[]; readonly span?: Span }
  /** No items: no string at all. */
  | { readonly op: 'alt'; readonly items: readonly Mid[]; readonly span?: Span }
  | { readonly op: 'repeat'; readonly item: Mid; readonly min: number; readonly max: number; readonly span?: Span };

export interface MidRule {
  readonly name: string;
  readonly body: Mid;
  readonly span?: Span;
}

export interface MidGrammar {
  readonly rules: readonly MidRule[];
  readonly start: number;
}

export const EMPTY_MID: Mid = { op: 'seq', items: [] };
export const NEVER_MID: Mid = { op: 'alt', items: [] };

const SURROGATES: Ranges = [0xd800, 0xdfff];
/** Every code point that has a UTF-8 form. */
export const SCALARS: Ranges = complement(SURROGATES);

export function seqOf(items: readonly Mid[]): Mid {
  return items.length === 1 ? (items[0] as Mid) : { op: 'seq', items };
}

export function altOf(items: readonly Mid[]): Mid {
  return items.length === 1 ? (items[0] as Mid) : { op: 'alt', items };
}

export function isNever(node: Mid): boolean {
  return node.op === 'alt' && node.items.length === 0;
}

/** The code points of a class that can occur in UTF-8 text. */
export function classRanges(node: GbnfNode & { k: 'class' }): Ranges {
  const { pairs } = node;
  // Most classes are one range of ordinary characters.
  if (pairs.length === 2 && !node.negate && (pairs[1] as number) < 0xd800) return pairs;
  const ranges = normalize(pairs);
  return subtract(node.negate ? complement(ranges) : ranges, SURROGATES);
}

/** A file whose names are known to be defined, from its root down. */
export function toMid(file: GbnfFile): MidGrammar {
  /** Number of each rule of the file, or -1 where the root does not reach it (so far). */
  const numbers = new Int32Array(file.rules.length).fill(-1);
  const order: GbnfRule[] = [];
  const numberOf = (name: string): number => {
    const index = file.byName.get(name) as number;
    if (numbers[index] === -1) numbers[index] = order.push(file.rules[index] as GbnfRule) - 1;
    return numbers[index] as number;
  };
  const convert = (node: GbnfNode): Mid => {
    const { span } = node;
    switch (node.k) {
      case 'literal':
        return node.text === '' ? EMPTY_MID : { op: 'leaf', re: { t: 'lit', text: node.text }, span };
      case 'class': {
        const ranges = classRanges(node);
        return ranges.length === 0 ? NEVER_MID : { op: 'leaf', re: { t: 'set', ranges }, span };
      }
      case 'any':
        return { op: 'leaf', re: { t: 'set', ranges: SCALARS }, span };
      case 'token': {
        const ids = node.id === undefined ? [] : [node.id];
        return { op: 'token', ids, texts: node.text === undefined ? [] : [node.text], negate: node.negate, span };
      }
      case 'ref':
        return { op: 'ref', rule: numberOf(node.name), span };
      case 'seq':
        return { op: 'seq', items: node.items.map(convert), span };
      case 'alt':
        return { op: 'alt', items: node.items.map(convert), span };
      case 'repeat':
        return node.max === 0
          ? EMPTY_MID
          : { op: 'repeat', item: convert(node.item), min: node.min, max: node.max, span };
    }
  };
  const start = numberOf(file.root);
  const rules: MidRule[] = [];
  for (let i = 0; i < order.length; i++) {
    const rule = order[i] as GbnfRule;
    rules.push({ name: rule.name, body: convert(rule.body), span: rule.span });
  }
  return { rules, start };
}
