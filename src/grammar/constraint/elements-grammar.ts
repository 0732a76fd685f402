/**
 * The grammar of arguments that are written as elements, one for each parameter, from the grammar of the same arguments as a JSON object.
 *
 * Strings stand there as they are, so they cannot have the mark that closes an element, and where a parameter takes other values too, not what would be
 * read as one. Which parameters come, and in what order: members.ts.
 */
import {
  type ArgumentKind,
  BARE_BRACKETS,
  BARE_WORDS,
  kindsBehind,
  kindsTaken,
  OTHER_PARAMETERS,
  type ParameterForm,
  type ParameterKinds,
  WORDS,
} from '../../base/call-form.js';
import { anyString, type Regex } from '../../regular/regex.js';
import type { ExprId, Grammar, ObjectExpr } from '../ir.js';
import { cat, ExprBuilder, heads, holding, lit, SCALARS, without } from './expr-builder.js';
import { membersOf } from './members.js';

const BRACKETED = ['object', 'array'] as const;
const DIGIT: Regex = { t: 'set', ranges: [48, 57] };
const some = (item: Regex): Regex => ({ t: 'rep', item, min: 1, max: Number.POSITIVE_INFINITY });
const maybe = (item: Regex): Regex => ({ t: 'rep', item, min: 0, max: 1 });
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

/** `kinds`: what parameters take, as those who read the text know it. 'never' where no arguments can be written so. */
export function elementsGrammar(
  content: Grammar,
  form: ParameterForm,
  kinds: ParameterKinds,
  controls: ReadonlySet<string>,
): Grammar {
  const out = new ExprBuilder(content.exprs, controls);
  const writer = new ElementWriter(out, form, kinds);
  const bodies = heads(content.exprs, content.start).flatMap((id) => {
    const expr = content.exprs[id]!;
    const body = expr.op === 'object' ? writer.body(expr) : undefined;
    return body === undefined ? [] : [body];
  });
  if (bodies.length === 0) return { exprs: [{ op: 'never' }], start: 0, whitespace: content.whitespace };
  const start = out.either(bodies);
  return { exprs: out.exprs, start, whitespace: content.whitespace };
}

class ElementWriter {
  constructor(
    private readonly out: ExprBuilder,
    private readonly form: ParameterForm,
    private readonly kinds: ParameterKinds,
  ) {}

  /** The elements of an object; undefined where they cannot be told. */
  body(object: ObjectExpr): ExprId | undefined {
    return membersOf(this.out, object, {
      named: (name, value) => this.element(name, value),
      unnamed: (keys, value) => this.unnamed(keys, value),
      between: () => this.out.mark(this.form.between),
    });
  }

  private unnamed(keys: Regex, value: ExprId): ExprId | undefined {
    const { open, colons, close } = this.form;
    const name = this.out.text(without(keys, ...[...Object.values(colons), '\n'].map(holding)));
    const values = this.values(value, kindsTaken(this.kinds, OTHER_PARAMETERS));
    if (name === undefined || values.length === 0) return undefined;
    return this.out.seq(...this.out.mark(open), name, this.out.either(values), ...this.out.mark(close));
  }

  private element(name: string, value: ExprId): ExprId | undefined {
    const { out } = this;
    const { open, colons, close } = this.form;
    if (name.includes('\n') || Object.values(colons).some((colon) => name.includes(colon))) return undefined;
    const values = this.values(value, kindsTaken(this.kinds, name));
    return values.length === 0
      ? undefined
      : out.seq(...out.mark(open), out.literal(name), out.either(values), ...out.mark(close));
  }

  /** What follows a name, up to the end of the value. */
  private values(value: ExprId, taken: readonly ArgumentKind[]): readonly ExprId[] {
    const { out } = this;
    const found: ExprId[] = [];
    const add = (kind: ArgumentKind, written: ExprId | undefined): void => {
      if (written !== undefined && taken.includes(kind))
        found.push(out.seq(...out.mark(this.form.colons[kind]), written));
    };
    for (const id of heads(out.exprs, value)) {
      const expr = out.exprs[id]!;
      if (expr.op === 'string') add('string', out.text(this.raw(expr.re, taken)));
      else if (expr.op === 'object' || expr.op === 'array') add(expr.op, id);
      else if (expr.op === 'text') {
        add('number', out.text(without(expr.re, { t: 'lits', texts: WORDS })));
        for (const word of WORDS) {
          if (out.isEmpty({ t: 'and', items: [expr.re, lit(word)] })) continue;
          add(BARE_WORDS[word], out.text({ t: 'lits', texts: this.spellings(word) }));
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
}
