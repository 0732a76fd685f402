/**
 * The grammar of free text with tagged parts.
 *
 * A part begins where a trigger ends for the first time, which is what a reader that looks for triggers finds too. So the text
 * before it and the trigger are one regular language: what ends in the trigger and has no trigger that ends earlier. A control token cannot
 * stand in free text, so where a trigger has one, text without triggers goes before it.
 */
import { OptionError } from '../../base/errors.js';
import { beginsWithToken, type MarkPart, markParts } from '../../base/marks.js';
import { anyChar, anyString, type Regex } from '../../regular/regex.js';
import type { Expr, ExprId, Grammar } from '../ir.js';
import { relocated } from '../relocate.js';
import type { TagsConstraint } from './types.js';

const BLANKS: Regex = {
  t: 'rep',
  item: { t: 'set', ranges: [9, 10, 13, 13, 32, 32] },
  min: 0,
  max: Number.POSITIVE_INFINITY,
};

/**
 * `contents[i]` is the grammar of tag i's content; a tag whose content has no text never comes. `controls`: see `constraintGrammar`.
 * @throws OptionError
 */
export function tagsGrammar(
  constraint: TagsConstraint,
  contents: readonly Grammar[],
  controls: ReadonlySet<string>,
): Grammar {
  const { triggers, min, max = Number.POSITIVE_INFINITY } = constraint;
  const exprs: Expr[] = [];
  const add = (expr: Expr): ExprId => exprs.push(expr) - 1;
  const literal = (mark: string): ExprId[] => markParts(mark, controls).map((part) => add(markExpr(part)));
  const either = (items: readonly ExprId[]): ExprId => (items.length === 1 ? items[0]! : add({ op: 'alt', items }));

  const tags = constraint.tags.flatMap(({ begin, end }, i) => {
    const content = contents[i]!;
    if (content.exprs[content.start]?.op === 'never') return [];
    const offset = exprs.length;
    for (const expr of content.exprs) exprs.push(relocated(expr, offset, `tag-${i}-`));
    return [{ begin, inside: [content.start + offset, ...literal(end)] }];
  });
  const whitespace = whitespaceOf(contents);
  if (tags.length === 0 && min > 0) return { exprs: [{ op: 'never' }], start: 0, whitespace };

  const trigger: Regex = { t: 'lits', texts: triggers };
  const free = add({ op: 'text', re: { t: 'not', item: { t: 'cat', items: [anyString, trigger, anyString] } } });
  if (tags.length === 0) return { exprs, start: free, whitespace };
  const earlier: Regex = { t: 'cat', items: [anyString, trigger, anyChar, anyString] };
  const bound = triggers.flatMap((text) => {
    const all = tags.filter((tag) => tag.begin.startsWith(text));
    const byToken = all.filter((tag) => beginsWithToken(tag.begin, text.length, controls));
    const led = byToken.map((tag) => add({ op: 'seq', items: [free, ...literal(tag.begin), ...tag.inside] }));
    const mine = all.filter((tag) => !byToken.includes(tag));
    if (mine.length === 0) return led;
    const here: Regex = { t: 'cat', items: [anyString, { t: 'lit', text }] };
    const lead = add({ op: 'text', re: { t: 'and', items: [here, { t: 'not', item: earlier }] } });
    const rest = either(
      mine.map((tag) => add({ op: 'seq', items: [...literal(tag.begin.slice(text.length)), ...tag.inside] })),
    );
    return [...led, add({ op: 'seq', items: [lead, rest] })];
  });
  const led = either(bound);
  if (constraint.text === 'anywhere') {
    const parts = add({ op: 'repeat', item: led, min, max });
    return { exprs, start: add({ op: 'seq', items: [parts, free] }), whitespace };
  }
  const items = [led];
  if (max > 1) {
    const blanks = add({ op: 'text', re: BLANKS });
    const next = either(tags.map((tag) => add({ op: 'seq', items: [blanks, ...literal(tag.begin), ...tag.inside] })));
    items.push(add({ op: 'repeat', item: next, min: Math.max(0, min - 1), max: max - 1 }));
  }
  const some = add({ op: 'seq', items });
  return { exprs, start: min > 0 ? some : add({ op: 'alt', items: [free, some] }), whitespace };
}

/** A part of a mark as an expression. */
export function markExpr({ text, isToken }: MarkPart): Expr {
  if (isToken) return { op: 'token', ids: [], texts: [text], negate: false };
  return { op: 'text', re: { t: 'lit', text } };
}

/** One grammar has one kind of whitespace in JSON. */
export function whitespaceOf(contents: readonly Grammar[]): Grammar['whitespace'] {
  const kinds = new Set(contents.filter(hasJson).map((grammar) => grammar.whitespace));
  if (kinds.size > 1)
    throw new OptionError('tags', 'contents with the same whitespace option', [...kinds].join(' and '));
  return [...kinds][0] ?? 'compact';
}

function hasJson(grammar: Grammar): boolean {
  return grammar.exprs.some((expr) => expr.op === 'object' || expr.op === 'array');
}
