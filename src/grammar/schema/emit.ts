/**
 * Normal forms into the grammar IR.
 *
 * Each formula becomes one expression, shared by all who refer to it; recursion goes through a `rule`. What is empty is left
 * out on the way, so that every expression is productive: alternatives are dropped, optional properties become forbidden names,
 * key classes vanish, an array ends before its first impossible item. Formulas nested deeper than the stack allows wait in
 * a queue behind a rule.
 */

import type { Regex } from '../../regular/regex.js';
import type { DynamicKeys, Expr, ExprId, Grammar, ItemVariant, Property } from '../ir.js';
import { type Formula, TRUE } from './formula.js';
import { EVERYTHING, FALSE_BIT, NULL_BIT, TRUE_BIT } from './normal.js';
import type { Normaliser } from './normalise.js';
import type { NumberSet } from './numbers.js';
import { alt, lits } from './re.js';
import { ANY_ARRAY, ANY_OBJECT, type ArrayShape } from './shapes.js';
import type { Concrete, Solver } from './solve.js';
import { type StringSet, stringRegex, stringsEmpty } from './strings.js';

/** Nesting at which the rest of the work is queued instead of recursing. */
const DEEP = 150;
const INF = Number.POSITIVE_INFINITY;

type Draft = { -readonly [K in keyof Expr]: Expr[K] } & Expr;

export class Emitter {
  private readonly exprs: Expr[] = [];
  private readonly done: (ExprId | undefined)[] = [];
  /** Formulas under way: the rule to refer to, once someone does. */
  private readonly open = new Map<Formula, ExprId | undefined>();
  private readonly queue: { readonly f: Formula; readonly rule: ExprId }[] = [];
  private readonly texts = new Map<string, ExprId>();
  private readonly strings = new Map<StringSet | Regex, ExprId>();
  private depth = 0;

  constructor(
    private readonly n: Normaliser,
    private readonly solver: Solver,
  ) {}

  grammar(f: Formula): Grammar {
    const start = this.formula(f);
    for (let job = this.queue.pop(); job !== undefined; job = this.queue.pop()) {
      (this.exprs[job.rule] as Draft & { body: ExprId }).body = this.build(job.f);
    }
    return { exprs: this.exprs, start, whitespace: this.n.context.settings.whitespace };
  }

  private push(e: Expr): ExprId {
    return this.exprs.push(e) - 1;
  }

  private rule(f: Formula): ExprId {
    const node = this.n.context.formulas.node(f);
    const name = f === TRUE ? 'value' : node.kind === 'schema' ? `#${node.at.pointer}` : `f${f}`;
    return this.push({ op: 'rule', name, body: -1 });
  }

  /** The expression of a formula known to be non-empty. */
  private formula(f: Formula): ExprId {
    const known = this.done[f];
    if (known !== undefined) return known;
    if (this.open.has(f)) {
      let rule = this.open.get(f);
      if (rule === undefined) {
        rule = this.rule(f);
        this.open.set(f, rule);
      }
      return rule;
    }
    if (this.depth > DEEP) {
      const rule = this.rule(f);
      this.done[f] = rule;
      this.queue.push({ f, rule });
      return rule;
    }
    this.open.set(f, undefined);
    const body = this.build(f);
    const rule = this.open.get(f);
    this.open.delete(f);
    if (rule !== undefined) (this.exprs[rule] as Draft & { body: ExprId }).body = body;
    this.done[f] = rule ?? body;
    return rule ?? body;
  }

  private build(f: Formula): ExprId {
    const { n, solver } = this;
    const { context } = n;
    this.depth++;
    const outer = context.where;
    const node = context.formulas.node(f);
    if (node.kind === 'schema') context.where = node.at.pointer;
    const x = f === TRUE ? EVERYTHING : n.normal(f);
    const items: ExprId[] = [];
    const text = this.text(x.basic, x.numbers);
    if (text !== undefined) items.push(text);
    if (!stringsEmpty(x.strings, n)) items.push(this.string(x.strings));
    for (const s of x.arrays) if (s === ANY_ARRAY || solver.arrayProductive(s)) items.push(this.array(s));
    for (const s of x.objects) {
      if (s === ANY_OBJECT) items.push(this.object({ shape: s, groups: [] }));
      else if (solver.objectProductive(s)) {
        for (const c of solver.concretes(s))
          if (s.witnesses.length === 0 || solver.concreteProductive(c)) items.push(this.object(c));
      }
    }
    this.depth--;
    context.where = outer;
    return items.length === 1 ? items[0]! : this.push(items.length === 0 ? { op: 'never' } : { op: 'alt', items });
  }

  /** Literals and numbers: one lexeme. */
  private text(basic: number, numbers: NumberSet): ExprId | undefined {
    const words: string[] = [];
    if ((basic & NULL_BIT) !== 0) words.push('null');
    if ((basic & TRUE_BIT) !== 0) words.push('true');
    if ((basic & FALSE_BIT) !== 0) words.push('false');
    const re = this.numberText(numbers);
    if (re === undefined) {
      if (words.length === 0) return undefined;
      const key = words.join();
      let id = this.texts.get(key);
      if (id === undefined) {
        id = this.push({ op: 'text', re: lits(words) });
        this.texts.set(key, id);
      }
      return id;
    }
    const key = `${words.join()}#${re.id}`;
    let id = this.texts.get(key);
    if (id === undefined) {
      id = this.push({ op: 'text', re: words.length === 0 ? re.re : alt(lits(words), re.re) });
      this.texts.set(key, id);
    }
    return id;
  }

  private readonly numberIds = new Map<Regex, number>();

  private numberText(numbers: NumberSet): { readonly re: Regex; readonly id: number } | undefined {
    const re = this.n.numberTexts.of(numbers);
    if (re === undefined) return undefined;
    this.numberIds.set(re, this.numberIds.get(re) ?? this.numberIds.size);
    return { re, id: this.numberIds.get(re)! };
  }

  private string(s: StringSet): ExprId {
    const key =
      s.kind === 'regular' && s.parts.length === 1 && s.min === 0 && s.max === INF && s.except.length === 0
        ? s.parts[0]!
        : s;
    let id = this.strings.get(key);
    if (id === undefined) {
      id = this.push({ op: 'string', re: stringRegex(s) });
      this.strings.set(key, id);
    }
    return id;
  }

  private object({ shape, groups }: Concrete): ExprId {
    const { n, solver } = this;
    const names = solver.names(shape);
    const mandatory = solver.mandatory(shape);
    const full = shape.max <= mandatory.size + groups.length;
    const properties: Property[] = [];
    const index = new Map<string, number>();
    for (const name of names) {
      const required = mandatory.has(name);
      if (!required && full) continue;
      const value = n.valueAt(shape, name);
      if (!required && !(shape.implications.length === 0 ? solver.nonEmpty(value) : solver.possible(shape, name)))
        continue;
      index.set(name, properties.length);
      properties.push({ name, value: this.formula(value), required });
    }
    const dynamic: DynamicKeys[] = [];
    if (!full || groups.length > 0) {
      const asked = groups.flatMap((g) => g.keys);
      for (const c of solver.classes(shape, names, asked)) {
        if (!solver.nonEmpty(c.value)) continue;
        if (!full) dynamic.push({ keys: c.keys, value: this.formula(c.value) });
        groups.forEach((g, witness) => {
          if (!g.keys.every((k) => c.within.has(k))) return;
          const value = n.and(c.value, g.value);
          if (solver.nonEmpty(value)) dynamic.push({ keys: c.keys, value: this.formula(value), witness });
        });
      }
    }
    const implications = shape.implications.flatMap((i) => {
      const when = index.get(i.when);
      if (when === undefined || mandatory.has(i.when)) return [];
      const then = i.then.filter((x) => !mandatory.has(x)).map((x) => index.get(x)!);
      return then.length === 0 ? [] : [{ if: when, then }];
    });
    return this.push({
      op: 'object',
      properties,
      dynamic,
      order: n.context.settings.propertyOrder,
      minProperties: shape.min,
      maxProperties: shape.max,
      implications,
      witnesses: groups.length,
    });
  }

  private array(s: ArrayShape): ExprId {
    const { solver } = this;
    const positions = solver.positions(s);
    let max = s.max;
    const prefix: (readonly ItemVariant[])[] = [];
    const pool = s.unique ? solver.counting.pool(s) : undefined;
    const emit = (i: number): readonly ItemVariant[] =>
      solver.variants(s, i).map((v, k) => {
        const item = { value: this.formula(v.value), counts: v.counts };
        if (pool === undefined) return item;
        const { classes, others } = pool.rows[i]![k]!;
        return { ...item, pool: { classes, others } };
      });
    for (let i = 0; i < positions && i < max; i++) {
      const list = emit(i);
      if (list.length === 0) {
        max = i;
        break;
      }
      prefix.push(list);
    }
    let rest: readonly ItemVariant[] = [];
    if (max > positions) {
      rest = emit(positions);
      if (rest.length === 0) max = positions;
      else if (s.unique) max = Math.min(max, solver.counting.most(s));
    }
    return this.push({
      op: 'array',
      prefix,
      rest,
      minItems: s.min,
      maxItems: max,
      counters: s.contains.map((c) => ({ min: c.min, max: c.max })),
      unique: s.unique,
      ...(pool === undefined ? {} : { scarce: pool.classes }),
    });
  }
}
