/** The grammar of an answer that is text, or text and calls of tools in the form of a model. */
import { ID_SLOT, nameIn, type ParameterKinds } from '../../base/call-form.js';
import { OptionError } from '../../base/errors.js';
import { beginsWithToken, markParts } from '../../base/marks.js';
import { anyChar, anyString, type Regex } from '../../regular/regex.js';
import type { Expr, ExprId, Grammar } from '../ir.js';
import { relocated } from '../relocate.js';
import { elementsGrammar } from './elements-grammar.js';
import { notationGrammar } from './notation-grammar.js';
import { markExpr, whitespaceOf } from './tags-grammar.js';
import type { CallsConstraint } from './types.js';

/** `how`: as the form has them, and what that takes. */
const notWritable = (how: string, name: string, why = ''): OptionError =>
  new OptionError(
    'tools',
    `arguments that can be written as ${how}, as the model's template has them, or toolChoice 'required', which writes JSON`,
    `those of '${name}'${why}`,
  );

const IDS: Readonly<Record<CallsConstraint['form']['id'], Regex>> = {
  letters: { t: 'rep', item: { t: 'set', ranges: [48, 57, 65, 90, 97, 122] }, min: 9, max: 9 },
  number: { t: 'rep', item: { t: 'set', ranges: [48, 57] }, min: 1, max: 4 },
};

/** `contents[i]`: the grammar of the arguments of tool i; a tool whose arguments have no value is never called. @throws OptionError */
export function callsGrammar(
  { form, tools, parallel }: CallsConstraint,
  contents: readonly Grammar[],
  controls: ReadonlySet<string>,
): Grammar {
  const exprs: Expr[] = [];
  const add = (expr: Expr): ExprId => exprs.push(expr) - 1;
  const text = (re: Regex): ExprId => add({ op: 'text', re });
  const seq = (...items: ExprId[]): ExprId => (items.length === 1 ? items[0]! : add({ op: 'seq', items }));
  const either = (items: readonly ExprId[]): ExprId => (items.length === 1 ? items[0]! : add({ op: 'alt', items }));
  const mark = (whole: string): ExprId[] =>
    whole
      .split(ID_SLOT)
      .flatMap((part, i) => [
        ...(i === 0 ? [] : [text(IDS[form.id])]),
        ...markParts(part, controls).map((p) => add(markExpr(p))),
      ]);

  const { trigger, begin, middle, between, end, place, lead = '' } = form;
  const whitespace = whitespaceOf(contents);
  const alone = place === 'alone';
  const holds: Regex = { t: 'cat', items: [...(alone ? [] : [anyString]), { t: 'lit', text: trigger }, anyString] };
  // An answer that is told from a call by what begins it may hold anything.
  const free = text(alone && lead !== '' ? anyString : { t: 'not', item: holds });
  const answer = seq(...mark(lead), free);
  const calls = tools.flatMap(({ name, kinds }, i) => {
    const json = contents[i]!;
    if (json.exprs[json.start]?.op === 'never') return [];
    const content = written(form, json, name, kinds, controls);
    const offset = exprs.length;
    for (const expr of content.exprs) exprs.push(relocated(expr, offset, `tool-${i}-`));
    // Names are the caller's, and text though a control token should be called so.
    return [seq(text({ t: 'lit', text: nameIn(form, name) }), ...mark(middle), content.start + offset)];
  });
  if (calls.length === 0) return { exprs, start: answer, whitespace };
  const call = either(calls);
  const more =
    parallel && between !== undefined
      ? [add({ op: 'repeat', item: seq(...mark(between), call), min: 0, max: Number.POSITIVE_INFINITY })]
      : [];
  const behind = [call, ...more, ...mark(end)];
  let called: ExprId;
  if (alone) called = seq(...mark(begin), ...behind);
  else if (beginsWithToken(begin, trigger.length, controls)) called = seq(free, ...mark(begin), ...behind);
  else {
    const literal: Regex = { t: 'lit', text: trigger };
    const earlier: Regex = { t: 'cat', items: [anyString, literal, anyChar, anyString] };
    const here: Regex = { t: 'cat', items: [anyString, literal] };
    const first = text({ t: 'and', items: [here, { t: 'not', item: earlier }] });
    called = seq(first, ...mark(begin.slice(trigger.length)), ...behind);
  }
  return { exprs, start: either([answer, called]), whitespace };
}

/** The grammar of arguments as the form has them. */
function written(
  { parameters, notation }: CallsConstraint['form'],
  json: Grammar,
  name: string,
  kinds: ParameterKinds,
  controls: ReadonlySet<string>,
): Grammar {
  if (parameters !== undefined) {
    const elements = elementsGrammar(json, parameters, kinds, controls);
    if (elements.exprs[elements.start]?.op !== 'never') return elements;
    throw notWritable('elements (parameters by name, at most seven where some depend on others)', name);
  }
  if (notation === undefined) return json;
  const found = notationGrammar(json, notation, controls);
  if ('grammar' in found) return found.grammar;
  throw notWritable('an object in a notation of its own', name, `, which have ${found.untold}`);
}
