/**
 * Syntax tree of a GBNF file. Offsets are UTF-16 positions in the source. Parentheses leave no node: the printer puts them back
 * where they are needed.
 */
import type { Span } from '../ir.js';

export type GbnfNode =
  /** `"…"`, decoded. */
  | { readonly k: 'literal'; readonly text: string; readonly span: Span }
  /** `[…]`: the ranges as written ([lo, hi, …], not sorted), surrogates included. */
  | { readonly k: 'class'; readonly pairs: readonly number[]; readonly negate: boolean; readonly span: Span }
  /** `.`: any code point. */
  | { readonly k: 'any'; readonly span: Span }
  /** `<[id]>`, `<text>`, `!<…>`. */
  | { readonly k: 'token'; readonly id?: number; readonly text?: string; readonly negate: boolean; readonly span: Span }
  | { readonly k: 'ref'; readonly name: string; readonly span: Span }
  /** No items: the empty string. */
  | { readonly k: 'seq'; readonly items: readonly GbnfNode[]; readonly span: Span }
  | { readonly k: 'alt'; readonly items: readonly GbnfNode[]; readonly span: Span }
  | { readonly k: 'repeat'; readonly item: GbnfNode; readonly min: number; readonly max: number; readonly span: Span };

export interface GbnfRule {
  readonly name: string;
  readonly nameSpan: Span;
  readonly body: GbnfNode;
  readonly span: Span;
}

export interface GbnfFile {
  readonly source: string;
  readonly rules: readonly GbnfRule[];
  /** Index in `rules` of every name (of the first rule, where a faulty file has several). */
  readonly byName: ReadonlyMap<string, number>;
  /** From `#` to the end of the line. */
  readonly comments: readonly Span[];
  /** Where llama.cpp expects a new rule and finds a line that goes on with one (outside parentheses), or finds a rule inside a line. */
  readonly looseLines: readonly number[];
  readonly root: string;
}
