/**
 * The grammar of arguments in the notation of a family, from the grammar of the same arguments as JSON. Each of its expressions becomes one: strings are
 * their text between marks, which cannot hold the mark that closes them, objects their members (members.ts) with bare names, arrays their items.
 *
 * What the recognizer of JSON tells apart by values (items that are unique or counted) can be told only where items look as in JSON (numbers, constants
 * and arrays of them), or are few. Each expression has texts here that has some in JSON, or there is no grammar: what cannot be written is told.
 */
import { byName, isBareName, type Notation, WORDS } from '../../base/call-form.js';
import type { Regex } from '../../regular/regex.js';
import type { ArrayExpr, Expr, ExprId, Grammar, ItemVariant, ObjectExpr } from '../ir.js';
import { ExprBuilder, heads, holding, lit, SCALARS, without } from './expr-builder.js';
import { membersOf, SUBSETS } from './members.js';

/** Names that the schema does not tell have no controls, quotes or punctuation of objects, so that they do not look like values. */
const NAME: Regex = {
  t: 'rep',
  item: {
    t: 'set',
    ranges: [32, 33, 35, 43, 45, 57, 59, 90, 92, 92, 94, 122, 124, 124, 126, 0xd7ff, 0xe000, 0x10ffff],
  },
  min: 1,
  max: Number.POSITIVE_INFINITY,
};

/** The grammar, or what it is that cannot be told. */
export function notationGrammar(
  content: Grammar,
  notation: Notation,
  controls: ReadonlySet<string>,
): { readonly grammar: Grammar } | { readonly untold: string } {
  const out = new ExprBuilder(content.exprs, controls);
  const writer = new NotationWriter(out, notation);
  const objects = heads(content.exprs, content.start).filter((id) => content.exprs[id]?.op === 'object');
  const bodies = objects.map((id) => writer.value(id));
  writer.finish();
  if (writer.untold !== undefined) return { untold: writer.untold };
  if (bodies.length === 0) return { untold: 'arguments that are no object' };
  return { grammar: { exprs: out.exprs, start: out.either(bodies), whitespace: content.whitespace } };
}

class NotationWriter {
  /** The first of what cannot be told. */
  untold: string | undefined;
  private readonly done = new Map<ExprId, ExprId>();
  /** Rules whose bodies are not written yet: recursion ends there. */
  private readonly queue: { readonly rule: ExprId; readonly body: ExprId }[] = [];

  constructor(
    private readonly out: ExprBuilder,
    private readonly notation: Notation,
  ) {}

  finish(): void {
    for (let job = this.queue.pop(); job !== undefined; job = this.queue.pop())
      this.out.setBody(job.rule, this.value(job.body));
  }

  /** The expression that stands for one of JSON. */
  value(id: ExprId): ExprId {
    let written = this.done.get(id);
    if (written === undefined) {
      written = this.write(id, this.out.exprs[id]!);
      this.done.set(id, written);
    }
    return written;
  }

  private write(id: ExprId, expr: Expr): ExprId {
    const { out } = this;
    switch (expr.op) {
      case 'rule': {
        const rule = out.rule(`${expr.name}-written`);
        this.queue.push({ rule, body: expr.body });
        return rule;
      }
      case 'alt':
        return out.either(expr.items.map((item) => this.value(item)));
      case 'string':
        return this.string(expr.re);
      case 'text':
        return this.scalar(id, expr.re);
      case 'object':
        return this.object(expr);
      case 'array':
        return this.array(id, expr);
      default:
        return id;
    }
  }

  private string(re: Regex): ExprId {
    const { out } = this;
    const { open, close } = this.notation;
    const text = out.text({ t: 'and', items: [re, without(SCALARS, holding(close))] });
    return text === undefined
      ? this.fail(`a string that would hold ${JSON.stringify(close)}`)
      : out.seq(...out.mark(open), text, ...out.mark(close));
  }

  /** Numbers and constants. */
  private scalar(id: ExprId, re: Regex): ExprId {
    const { out } = this;
    const { words } = this.notation;
    const other = WORDS.filter((word) => words[word] !== word && this.has(re, word));
    if (other.length === 0) return id;
    const same = out.text(without(re, { t: 'lits', texts: other }));
    const spelled = out.add({ op: 'text', re: { t: 'lits', texts: other.map((word) => words[word]) } });
    return same === undefined ? spelled : out.either([same, spelled]);
  }

  private has(re: Regex, text: string): boolean {
    return !this.out.isEmpty({ t: 'and', items: [re, lit(text)] });
  }

  private object(given: ObjectExpr): ExprId {
    const { out } = this;
    const object = this.notation.sorted ? sorted(given) : given;
    const long = object.properties.find(({ name }) => !isBareName(name));
    if (long !== undefined) return this.fail(`a property named ${JSON.stringify(long.name)}`);
    const body = membersOf(out, object, {
      named: (name, value) => out.seq(out.literal(`${name}:`), this.value(value)),
      unnamed: (keys, value) => {
        const text = out.text({ t: 'and', items: [keys, without(NAME, holding(this.notation.open))] });
        return text === undefined ? undefined : out.seq(text, out.literal(':'), this.value(value));
      },
      between: () => [out.literal(',')],
    });
    if (body === undefined)
      return this.fail('an object that owes properties without names, or more than seven that depend on one another');
    return out.seq(out.literal('{'), body, out.literal('}'));
  }

  private array(id: ExprId, array: ArrayExpr): ExprId {
    if ((array.unique || array.counters.length > 0) && this.isAsJson(id)) return id;
    const { out } = this;
    const set = array.unique ? this.different(array) : undefined;
    if (set === undefined && (array.unique || array.counters.length > 0))
      return this.fail(
        'items that are unique or counted (`contains`), and neither all numbers nor at most seven texts',
      );
    const body = set ?? this.items(array);
    return body === undefined ? out.literal('[]') : out.seq(out.literal('['), body, out.literal(']'));
  }

  /** Items that are unique, where they are few constants: written like members in any order. */
  private different({ prefix, rest, minItems, maxItems, counters }: ArrayExpr): ExprId | undefined {
    const { out } = this;
    if (prefix.length > 0 || counters.length > 0) return undefined;
    const values = constantsOf(out, rest);
    if (values === undefined) return undefined;
    const items = values.map(({ op, text }) =>
      op === 'string' ? this.string(lit(text)) : this.scalar(out.literal(text), lit(text)),
    );
    const members: ObjectExpr = {
      op: 'object',
      properties: items.map((value, i) => ({ name: String(i), value, required: false })),
      dynamic: [],
      order: 'any',
      minProperties: minItems,
      maxProperties: maxItems,
      implications: [],
      witnesses: 0,
    };
    return membersOf(out, members, {
      named: (_, value) => value,
      unnamed: () => undefined,
      between: () => [out.literal(',')],
    });
  }

  /** What is between the brackets; undefined where that is nothing. */
  private items({ prefix, rest, minItems, maxItems }: ArrayExpr): ExprId | undefined {
    const { out } = this;
    const item = (readings: readonly ItemVariant[]): ExprId =>
      out.either([...new Set(readings.map((r) => this.value(r.value)))]);
    const comma = (): ExprId => out.literal(',');
    // What comes when all of the prefix is written.
    let behind: ExprId | undefined;
    const left = maxItems - prefix.length;
    if (rest.length > 0 && left > 0) {
      const owed = Math.max(0, minItems - prefix.length);
      const one = item(rest);
      if (prefix.length > 0) behind = out.add({ op: 'repeat', item: out.seq(comma(), one), min: owed, max: left });
      else {
        const more = out.seq(comma(), one);
        const some =
          left > 1
            ? out.seq(one, out.add({ op: 'repeat', item: more, min: Math.max(0, owed - 1), max: left - 1 }))
            : one;
        behind = owed > 0 ? some : out.either([out.add({ op: 'empty' }), some]);
      }
    }
    for (let i = Math.min(prefix.length, maxItems) - 1; i >= 0; i--) {
      const parts = [...(i > 0 ? [comma()] : []), item(prefix[i]!), ...(behind === undefined ? [] : [behind])];
      const some = out.seq(...parts);
      behind = i >= minItems ? out.either([out.add({ op: 'empty' }), some]) : some;
    }
    return behind;
  }

  /** Whether all that an expression has is written as in JSON. */
  private isAsJson(start: ExprId): boolean {
    const seen = new Set<ExprId>([start]);
    for (const id of seen) {
      const expr = this.out.exprs[id]!;
      if (expr.op === 'text') {
        if (this.scalar(id, expr.re) !== id) return false;
      } else if (expr.op === 'array') {
        for (const { value } of [...expr.prefix.flat(), ...expr.rest]) seen.add(value);
      } else if (expr.op === 'alt') for (const item of expr.items) seen.add(item);
      else if (expr.op === 'rule') seen.add(expr.body);
      else return false;
    }
    return true;
  }

  private fail(what: string): ExprId {
    this.untold ??= what;
    return this.out.add({ op: 'never' });
  }
}

interface Constant {
  readonly op: 'string' | 'text';
  readonly text: string;
}

/** What readings of an item have, each once; undefined where they have more than {@link SUBSETS} constants. */
function constantsOf(out: ExprBuilder, readings: readonly ItemVariant[]): readonly Constant[] | undefined {
  const found = new Map<string, Constant>();
  for (const id of readings.flatMap(({ value }) => heads(out.exprs, value))) {
    const expr = out.exprs[id]!;
    const texts = expr.op === 'string' || expr.op === 'text' ? out.listUpTo(expr.re, SUBSETS) : undefined;
    // Numbers may be written in several ways.
    if (texts === undefined || (expr.op === 'text' && !texts.every((text) => WORDS.some((word) => word === text))))
      return undefined;
    for (const text of texts) found.set(`${expr.op} ${text}`, { op: expr.op as Constant['op'], text });
  }
  return found.size > SUBSETS ? undefined : [...found.values()];
}

/** With properties in the order of their names, whatever order the schema's options allow: the model was trained on that one. */
function sorted(object: ObjectExpr): ObjectExpr {
  const order = object.properties.map((_, p) => p);
  order.sort((p, q) => byName(object.properties[p]!.name, object.properties[q]!.name));
  const place = new Map(order.map((p, i) => [p, i]));
  return {
    ...object,
    order: 'schema',
    properties: order.map((p) => object.properties[p]!),
    implications: object.implications.map((i) => ({ if: place.get(i.if)!, then: i.then.map((p) => place.get(p)!) })),
  };
}
