/**
 * The grammar of arguments that are written as elements, one for each parameter, from the grammar of the same arguments as a JSON object.
 *
 * Strings stand there as they are, so they cannot have the mark that closes an element, and where a parameter takes other values too, not what would be
 * read as one. Up to {@link SUBSETS} parameters may depend on one another, or come in any order: there is an expression for each set of those that
 * were written. Parameters that the schema allows but does not name are written only where it names none.
 */
import {
  ARGUMENT_KINDS,
  type ArgumentKind,
  BARE_BRACKETS,
  BARE_WORDS,
  kindsBehind,
  kindsTaken,
  type ParameterForm,
  type ParameterKinds,
} from '../../base/call-form.js';
import { markParts } from '../../base/marks.js';
import { anyString, type Regex } from '../../regular/regex.js';
import { TermStore } from '../../regular/terms.js';
import type { Expr, ExprId, Grammar, ObjectExpr } from '../ir.js';
import { markExpr } from './tags-grammar.js';

/** Most parameters that are told by sets. */
const SUBSETS = 7;
const WORDS = ['true', 'false', 'null'] as const;
const BRACKETED = ['object', 'array'] as const;
const DIGIT: Regex = { t: 'set', ranges: [48, 57] };
const some = (item: Regex): Regex => ({ t: 'rep', item, min: 1, max: Number.POSITIVE_INFINITY });
const maybe = (item: Regex): Regex => ({ t: 'rep', item, min: 0, max: 1 });
const cat = (...items: Regex[]): Regex => ({ t: 'cat', items });
const lit = (text: string): Regex => ({ t: 'lit', text });
const holding = (text: string): Regex => cat(anyString, lit(text), anyString);
const without = (re: Regex, ...others: Regex[]): Regex => ({
  t: 'and',
  items: [re, ...others.map((item): Regex => ({ t: 'not', item }))],
});
/** As `BARE_NUMBER`. */
const NUMBER = cat(
  maybe(lit('-')),
  {
    t: 'alt',
    items: [
      lit('0'),
      cat({ t: 'set', ranges: [49, 57] }, { t: 'rep', item: DIGIT, min: 0, max: Number.POSITIVE_INFINITY }),
    ],
  },
  maybe(cat(lit('.'), some(DIGIT))),
  maybe(cat({ t: 'set', ranges: [69, 69, 101, 101] }, maybe({ t: 'set', ranges: [43, 43, 45, 45] }), some(DIGIT))),
);
/** Text without lone surrogates, which UTF-8 does not have. */
const SCALARS: Regex = {
  t: 'rep',
  item: { t: 'set', ranges: [0, 0xd7ff, 0xe000, 0x10ffff] },
  min: 0,
  max: Number.POSITIVE_INFINITY,
};

/** `kinds`: what parameters take, as those who read the text know it. 'never' where no arguments can be written so. */
export function elementsGrammar(
  content: Grammar,
  form: ParameterForm,
  kinds: ParameterKinds,
  controls: ReadonlySet<string>,
): Grammar {
  const writer = new ElementWriter(content.exprs, form, kinds, controls);
  const bodies = heads(content.exprs, content.start).flatMap((id) => {
    const expr = content.exprs[id]!;
    const body = expr.op === 'object' ? writer.body(expr) : undefined;
    return body === undefined ? [] : [body];
  });
  if (bodies.length === 0) return { exprs: [{ op: 'never' }], start: 0, whitespace: content.whitespace };
  const start = writer.either(bodies);
  return { exprs: writer.exprs, start, whitespace: content.whitespace };
}

/** What an expression is one of: unions and rules are gone through. */
function heads(exprs: readonly Expr[], start: ExprId): readonly ExprId[] {
  const seen = new Set<ExprId>();
  const found: ExprId[] = [];
  const open = [start];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    const expr = exprs[id]!;
    if (expr.op === 'alt') open.push(...[...expr.items].reverse());
    else if (expr.op === 'rule') open.push(expr.body);
    else found.push(id);
  }
  return found;
}

class ElementWriter {
  readonly exprs: Expr[];
  private readonly terms = new TermStore({ onLimit: 'assume live' });

  constructor(
    exprs: readonly Expr[],
    private readonly form: ParameterForm,
    private readonly kinds: ParameterKinds,
    private readonly controls: ReadonlySet<string>,
  ) {
    this.exprs = [...exprs];
  }

  either(items: readonly ExprId[]): ExprId {
    return items.length === 1 ? items[0]! : this.add({ op: 'alt', items });
  }

  /** The elements of an object; undefined where they cannot be told. */
  body(object: ObjectExpr): ExprId | undefined {
    if (object.witnesses > 0) return undefined;
    if (object.properties.length === 0) return this.unnamed(object);
    const elements = object.properties.map((p) => this.element(p.name, p.value));
    const count = elements.length;
    const required = object.properties.filter((p) => p.required).length;
    const free = object.implications.length === 0 && object.minProperties <= required && object.maxProperties >= count;
    if (count <= SUBSETS && (object.order === 'any' || !free)) return this.bySets(object, elements);
    return free ? this.inOrder(object, elements) : undefined;
  }

  private bySets(object: ObjectExpr, elements: readonly (ExprId | undefined)[]): ExprId | undefined {
    const all = 2 ** elements.length;
    const states: (ExprId | undefined)[] = new Array(all).fill(undefined);
    for (let written = all - 1; written >= 0; written--) {
      const ways = isWhole(object, written) ? [this.add({ op: 'empty' })] : [];
      for (const [p, element] of elements.entries()) {
        const late = object.order === 'any' ? (written & (1 << p)) !== 0 : written >= 1 << p;
        const rest = late ? undefined : states[written | (1 << p)];
        if (element === undefined || rest === undefined) continue;
        ways.push(this.seq(...(written === 0 ? [] : this.mark(this.form.between)), element, rest));
      }
      if (ways.length > 0) states[written] = this.either(ways);
    }
    return states[0];
  }

  private inOrder(object: ObjectExpr, elements: readonly (ExprId | undefined)[]): ExprId | undefined {
    // By whether an element was written.
    let after: readonly (ExprId | undefined)[] = Array.from({ length: 2 }, () => this.add({ op: 'empty' }));
    for (let p = elements.length - 1; p >= 0; p--) {
      const element = elements[p];
      const later = after;
      after = [0, 1].map((some) => {
        const ways: ExprId[] = [];
        const rest = later[1];
        if (element !== undefined && rest !== undefined)
          ways.push(this.seq(...(some === 0 ? [] : this.mark(this.form.between)), element, rest));
        const skipped = later[some];
        if (!object.properties[p]!.required && skipped !== undefined) ways.push(skipped);
        return ways.length === 0 ? undefined : this.either(ways);
      });
    }
    return after[0];
  }

  /** Any number of parameters whose names are not known. */
  private unnamed(object: ObjectExpr): ExprId | undefined {
    const empty = this.add({ op: 'empty' });
    if (object.maxProperties === 0 || object.dynamic.length === 0) return object.minProperties > 0 ? undefined : empty;
    if (object.minProperties > 0 || object.maxProperties !== Number.POSITIVE_INFINITY) return undefined;
    const items = object.dynamic.flatMap(({ keys, value }) => {
      const name = this.text(without(keys, ...[...Object.values(this.form.colons), '\n'].map(holding)));
      const values = this.values(value, ARGUMENT_KINDS);
      return name === undefined || values.length === 0
        ? []
        : [this.seq(...this.mark(this.form.open), name, this.either(values), ...this.mark(this.form.close))];
    });
    if (items.length === 0) return empty;
    const item = this.either(items);
    const more = this.seq(...this.mark(this.form.between), item);
    const rest = this.add({ op: 'repeat', item: more, min: 0, max: Number.POSITIVE_INFINITY });
    return this.either([empty, this.seq(item, rest)]);
  }

  private element(name: string, value: ExprId): ExprId | undefined {
    const { open, colons, close } = this.form;
    if (name.includes('\n') || Object.values(colons).some((colon) => name.includes(colon))) return undefined;
    const values = this.values(value, kindsTaken(this.kinds, name));
    return values.length === 0
      ? undefined
      : this.seq(...this.mark(open), this.add({ op: 'text', re: lit(name) }), this.either(values), ...this.mark(close));
  }

  /** What follows a name, up to the end of the value. */
  private values(value: ExprId, taken: readonly ArgumentKind[]): readonly ExprId[] {
    const found: ExprId[] = [];
    const add = (kind: ArgumentKind, written: ExprId | undefined): void => {
      if (written !== undefined && taken.includes(kind))
        found.push(this.seq(...this.mark(this.form.colons[kind]), written));
    };
    for (const id of heads(this.exprs, value)) {
      const expr = this.exprs[id]!;
      if (expr.op === 'string') add('string', this.text(this.raw(expr.re, taken)));
      else if (expr.op === 'object' || expr.op === 'array') add(expr.op, id);
      else if (expr.op === 'text') {
        add('number', this.text(without(expr.re, { t: 'lits', texts: WORDS })));
        for (const word of WORDS) {
          if (this.isEmpty({ t: 'and', items: [expr.re, lit(word)] })) continue;
          add(BARE_WORDS[word], this.text({ t: 'lits', texts: this.spellings(word) }));
        }
      }
    }
    return found;
  }

  /** Strings that are not read as something else. */
  private raw(re: Regex, taken: readonly ArgumentKind[]): Regex {
    const kinds = kindsBehind(this.form, this.form.colons.string, taken);
    const bare: Regex[] = [
      ...(kinds.includes('number') ? [NUMBER] : []),
      ...WORDS.filter((word) => kinds.includes(BARE_WORDS[word])).flatMap((word) => this.spellings(word).map(lit)),
      ...BRACKETED.filter((kind) => kinds.includes(kind)).map((kind) => cat(lit(BARE_BRACKETS[kind]), anyString)),
    ];
    return { t: 'and', items: [re, SCALARS, without(anyString, holding(this.form.mark), ...bare)] };
  }

  /** A constant as JSON has it, and as the form does. */
  private spellings(word: (typeof WORDS)[number]): readonly string[] {
    return [...new Set([word, this.form.words[word]])];
  }

  private text(re: Regex): ExprId | undefined {
    return this.isEmpty(re) ? undefined : this.add({ op: 'text', re });
  }

  private isEmpty(re: Regex): boolean {
    return this.terms.isEmpty(this.terms.intern(re));
  }

  private mark(whole: string): ExprId[] {
    return markParts(whole, this.controls).map((part) => this.add(markExpr(part)));
  }

  private seq(...items: ExprId[]): ExprId {
    return items.length === 1 ? items[0]! : this.add({ op: 'seq', items });
  }

  private add(expr: Expr): ExprId {
    return this.exprs.push(expr) - 1;
  }
}

/** Whether an object may have just these properties (bit set). */
function isWhole(object: ObjectExpr, written: number): boolean {
  let count = 0;
  for (let p = 0; p < object.properties.length; p++) {
    if ((written & (1 << p)) !== 0) count++;
    else if (object.properties[p]!.required) return false;
  }
  const has = (p: number): boolean => (written & (1 << p)) !== 0;
  return (
    count >= object.minProperties &&
    count <= object.maxProperties &&
    object.implications.every((i) => !has(i.if) || i.then.every(has))
  );
}
