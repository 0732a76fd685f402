/**
 * Small random grammars, vocabularies and prefixes for the comparisons with the naive twin. Everything is drawn from a
 * {@link Draw}, so that a seed (or fast-check's generator) names a case.
 */
import type { DynamicKeys, Expr, ExprId, Grammar, ItemVariant, Property, Whitespace } from '../../src/grammar/ir.js';
import type { Regex } from '../../src/regular/regex.js';
import { Interpreter } from './interpreter.js';
import { bytesOf } from './json.js';
import { and, DECODABLE, nonEmpty, SCALARS, termOf } from './regex.js';

/** A source of choices. */
export interface Draw {
  /** Uniform in [0, n). */
  below(n: number): number;
}

export const oneOf = <T>(draw: Draw, items: readonly T[]): T => items[draw.below(items.length)] as T;
const chance = (draw: Draw, percent: number): boolean => draw.below(100) < percent;

const CHARS = ['a', 'b', 'c', '1', ' ', '"', '\\', 'é', '😀', '\n', '/', '\u0000', '€'];
const RANGES: readonly (readonly number[])[] = [
  [0x61, 0x61],
  [0x61, 0x63],
  [0x62, 0x63],
  [0x30, 0x39],
  [0x20, 0x10ffff],
  [0, 0x10ffff],
  [0x22, 0x22],
  [0x5c, 0x5c],
  [0xe9, 0xe9],
  [0x80, 0x7ff],
  [0x7ff, 0x801],
  [0x1f600, 0x1f602],
  [0x61, 0x61, 0xe9, 0xea, 0x1f600, 0x1f600],
  [0xffff, 0x10000],
  [0x0a, 0x0a],
];
const SURROGATES: readonly (readonly number[])[] = [
  [0xd800, 0xdfff],
  [0xd83d, 0xd83d],
];

const word = (draw: Draw): string =>
  Array.from({ length: 1 + draw.below(3) }, () => oneOf(draw, chance(draw, 70) ? CHARS.slice(0, 4) : CHARS)).join('');

const rawRegex = (draw: Draw, depth: number, surrogates: boolean): Regex => {
  const kind = draw.below(depth > 0 ? 12 : 4);
  const sub = (): Regex => rawRegex(draw, depth - 1, surrogates);
  const several = (): Regex[] => Array.from({ length: 2 + draw.below(2) }, sub);
  switch (kind) {
    case 0:
    case 1:
      return { t: 'set', ranges: oneOf(draw, surrogates && chance(draw, 15) ? SURROGATES : RANGES) };
    case 2:
      return { t: 'lit', text: word(draw) };
    case 3:
      return { t: 'lits', texts: [...new Set(Array.from({ length: 2 + draw.below(3) }, () => word(draw)))] };
    case 4:
    case 5:
      return { t: 'cat', items: several() };
    case 6:
      return { t: 'alt', items: [...several(), ...(chance(draw, 20) ? [{ t: 'empty' } as const] : [])] };
    case 7:
      return { t: 'and', items: several() };
    case 8:
      return { t: 'not', item: sub() };
    case 9:
      return {
        t: 'dfa',
        start: 0,
        states: [
          { accept: chance(draw, 50), edges: [0x61, 0x61, 1, 0x62, 0x63, draw.below(2)] },
          { accept: true, edges: chance(draw, 50) ? [0x62, 0x62, 0, 0xe9, 0xe9, 1] : [] },
        ],
      };
    default: {
      const min = draw.below(3);
      return { t: 'rep', item: sub(), min, max: chance(draw, 40) ? Number.POSITIVE_INFINITY : min + draw.below(3) + 1 };
    }
  }
};

/** A regular language that has a string in the encoding it is for. */
export function randomRegex(draw: Draw, depth: number, use: 'text' | 'string', surrogates = false): Regex {
  for (let tries = 0; tries < 8; tries++) {
    const re = rawRegex(draw, depth, surrogates);
    if (nonEmpty(and([termOf(re), use === 'text' ? SCALARS : DECODABLE]))) return re;
  }
  return { t: 'lit', text: 'a' };
}

export interface GrammarOptions {
  /** Expression depth. */
  readonly depth: number;
  /** Probability in percent of `unique` on an array (values are then kept small). */
  readonly unique?: number;
  /** Character sets of lone surrogates too. */
  readonly surrogates?: boolean;
  /** Only JSON values (what the JSON Schema front end emits). */
  readonly json?: boolean;
}

const NUMBERS: readonly Regex[] = [
  { t: 'lits', texts: ['0', '1', '2', '10'] },
  { t: 'lits', texts: ['1', '1.0', '2'] },
  {
    t: 'cat',
    items: [
      { t: 'set', ranges: [0x31, 0x39] },
      { t: 'rep', item: { t: 'set', ranges: [0x30, 0x39] }, min: 0, max: Number.POSITIVE_INFINITY },
    ],
  },
  {
    t: 'cat',
    items: [
      { t: 'rep', item: { t: 'lit', text: '-' }, min: 0, max: 1 },
      { t: 'set', ranges: [0x30, 0x33] },
    ],
  },
];

class Builder {
  readonly exprs: Expr[] = [];
  readonly rules: ExprId[] = [];
  /** Whether `unique` arrays may still be opened (not below one: their search is exponential in the nesting). */
  #flat = 0;

  constructor(
    readonly draw: Draw,
    readonly options: GrammarOptions,
  ) {}

  add(e: Expr): ExprId {
    this.exprs.push(e);
    return this.exprs.length - 1;
  }

  /** Items of `unique` arrays are JSON values, and so is everything where `json` says it. */
  private get json(): boolean {
    return this.options.json === true || this.#flat > 0;
  }

  leaf(): ExprId {
    const { draw } = this;
    switch (draw.below(this.json ? 5 : 8)) {
      case 0:
      case 1:
        return this.add({
          op: 'string',
          re: randomRegex(draw, this.#flat > 0 ? 1 : 2, 'string', this.options.surrogates),
        });
      case 2:
        return this.add({ op: 'text', re: oneOf(draw, NUMBERS) });
      case 3:
        return this.add({ op: 'text', re: { t: 'lit', text: oneOf(draw, ['true', 'false', 'null']) } });
      case 4:
        return this.add({ op: 'string', re: { t: 'lits', texts: [...new Set([word(draw), word(draw)])] } });
      default:
        return this.add({ op: 'text', re: randomRegex(draw, 2, 'text', this.options.surrogates) });
    }
  }

  /** `guarded`: something non-empty stands before, so that a rule may be named without left recursion. */
  expr(depth: number, guarded: boolean): ExprId {
    const { draw } = this;
    if (depth <= 0) return this.leaf();
    if (guarded && this.#flat === 0 && this.rules.length > 0 && chance(draw, 25)) return oneOf(draw, this.rules);
    const kind = draw.below(this.json ? 6 : 9);
    if (kind < 2) return this.object(depth);
    if (kind < 4) return this.array(depth);
    if (kind === 4) return this.leaf();
    if (kind === 5) return this.alt(depth, guarded);
    if (kind === 6) return this.seq(depth, guarded);
    if (kind === 7) return this.alt(depth, guarded);
    const min = draw.below(3);
    const max = chance(draw, 40) ? Number.POSITIVE_INFINITY : Math.max(1, min + draw.below(3));
    return this.add({ op: 'repeat', item: this.expr(depth - 1, guarded), min, max });
  }

  private alt(depth: number, guarded: boolean): ExprId {
    const items = Array.from({ length: 2 + this.draw.below(2) }, () => this.expr(depth - 1, guarded));
    if (!this.json && chance(this.draw, 20)) items.push(this.add({ op: 'empty' }));
    return this.add({ op: 'alt', items });
  }

  private seq(depth: number, guarded: boolean): ExprId {
    const items: ExprId[] = [];
    let safe = guarded;
    for (let n = 1 + this.draw.below(3); n > 0; n--) {
      if (chance(this.draw, 40)) {
        items.push(this.add({ op: 'text', re: { t: 'lit', text: oneOf(this.draw, ['a', 'b', '(', '[', '"', 'é']) } }));
        safe = true;
      }
      items.push(this.expr(depth - 1, safe));
    }
    return this.add({ op: 'seq', items });
  }

  private object(depth: number): ExprId {
    const { draw } = this;
    const names = [
      ...new Set(Array.from({ length: draw.below(4) }, () => oneOf(draw, ['a', 'b', 'ab', '"', 'é', '', 'a😀']))),
    ];
    const properties: Property[] = names.map((name) => ({
      name,
      value: this.expr(depth - 1, true),
      required: chance(draw, 35),
    }));
    const declared: Regex = { t: 'not', item: { t: 'lits', texts: names } };
    const dynamic: DynamicKeys[] = [];
    const taken: Regex[] = [declared];
    for (let n = chance(draw, 60) ? 1 + draw.below(2) : 0; n > 0; n--) {
      const keys: Regex = { t: 'and', items: [rawRegex(draw, 2, this.options.surrogates ?? false), ...taken] };
      if (!nonEmpty(and([termOf(keys), DECODABLE]))) continue;
      dynamic.push({ keys, value: this.expr(depth - 1, true) });
      taken.push({ t: 'not', item: keys });
    }
    let witnesses = 0;
    const owed: Regex[] = [declared];
    for (let n = chance(draw, 25) ? 1 + draw.below(2) : 0; n > 0; n--) {
      const keys: Regex = { t: 'and', items: [rawRegex(draw, 1, this.options.surrogates ?? false), ...owed] };
      if (!nonEmpty(and([termOf(keys), DECODABLE]))) continue;
      dynamic.push({ keys, value: this.expr(depth - 1, true), witness: witnesses++ });
      owed.push({ t: 'not', item: keys });
    }
    if (witnesses > 0) {
      // As the schema front end has it: whatever supplies a witness is also allowed without one.
      const all = dynamic.splice(0);
      const items = [...all.map((d) => d.value), ...(chance(draw, 50) ? [this.leaf()] : [])];
      dynamic.push(
        { keys: declared, value: this.add({ op: 'alt', items }) },
        ...all.filter((d) => d.witness !== undefined),
      );
    }
    const minProperties = chance(draw, 30) ? draw.below(4) : 0;
    const implications =
      names.length > 1 && chance(draw, 25) ? [{ if: draw.below(names.length), then: [draw.below(names.length)] }] : [];
    return this.add({
      op: 'object',
      properties,
      dynamic,
      order: chance(draw, 50) ? 'schema' : 'any',
      minProperties,
      maxProperties: chance(draw, 30) ? minProperties + draw.below(3) : Number.POSITIVE_INFINITY,
      implications,
      witnesses,
    });
  }

  private array(depth: number): ExprId {
    const { draw } = this;
    const unique = this.#flat === 0 && chance(draw, this.options.unique ?? 0);
    if (unique) this.#flat++;
    const below = unique ? Math.min(depth - 1, 1) : depth - 1;
    const counters = chance(draw, 30)
      ? Array.from({ length: 1 + draw.below(2) }, () => ({ min: draw.below(3), max: Number.POSITIVE_INFINITY }))
      : [];
    const readings = (): ItemVariant[] =>
      Array.from({ length: counters.length > 0 ? 1 + draw.below(2) : 1 }, () => ({
        value: this.expr(below, true),
        counts: draw.below(1 << counters.length),
      }));
    const prefix = Array.from({ length: chance(draw, 40) ? 1 + draw.below(2) : 0 }, readings);
    const rest = prefix.length === 0 || chance(draw, 70) ? readings() : [];
    const minItems = chance(draw, 40) ? draw.below(4) : 0;
    if (unique) this.#flat--;
    const finite = counters.length > 0 && chance(draw, 40);
    if (finite) {
      // A finite upper bound needs readings that exclude each other: one string, one number.
      const exact = (): ItemVariant[] => [
        {
          value: this.add({ op: 'string', re: randomRegex(draw, 1, 'string', this.options.surrogates) }),
          counts: draw.below(1 << counters.length),
        },
        { value: this.add({ op: 'text', re: oneOf(draw, NUMBERS) }), counts: draw.below(1 << counters.length) },
      ];
      return this.add({
        op: 'array',
        prefix: prefix.map(exact),
        rest: rest.length > 0 ? exact() : [],
        minItems,
        maxItems: chance(draw, 40) ? minItems + draw.below(3) : Number.POSITIVE_INFINITY,
        counters: counters.map((c) => ({ min: c.min, max: c.min + draw.below(3) })),
        unique,
      });
    }
    return this.add({
      op: 'array',
      prefix,
      rest,
      minItems,
      maxItems: chance(draw, 40) ? minItems + draw.below(3) : Number.POSITIVE_INFINITY,
      counters,
      unique,
    });
  }
}

/** Which expressions have a member at all; rules may be recursive, so by fixpoint. */
function productive(g: Grammar, twin: Interpreter): boolean[] {
  const ok = g.exprs.map(() => false);
  const can = (e: Expr): boolean => {
    switch (e.op) {
      case 'never':
        return false;
      case 'seq':
        return e.items.every((i) => ok[i]);
      case 'alt':
        return e.items.some((i) => ok[i]);
      case 'repeat':
        return e.min === 0 || ok[e.item] === true;
      case 'rule':
        return ok[e.body] === true;
      case 'object':
        return (
          e.properties.every((p) => ok[p.value] || !p.required) &&
          twin.structures.canClose(
            e,
            { declared: new Set(), last: -1, dynamic: new Set(), witnesses: new Set() },
            false,
          )
        );
      case 'array':
        return twin.structures.canCloseArray(e, { index: 0, counts: e.counters.map(() => 0), used: [] }, false);
      default:
        return true;
    }
  };
  for (let changed = true; changed; ) {
    changed = false;
    g.exprs.forEach((e, i) => {
      if (!ok[i] && can(e)) {
        ok[i] = true;
        changed = true;
      }
    });
  }
  return ok;
}

/** A random grammar that keeps the invariants of ir.ts; undefined where the draw has no such grammar. */
export function randomGrammar(draw: Draw, options: GrammarOptions): Grammar | undefined {
  const b = new Builder(draw, options);
  const rules = chance(draw, 50) ? 1 + draw.below(2) : 0;
  for (let i = 0; i < rules; i++) b.rules.push(b.add({ op: 'rule', name: `r${i}`, body: 0 }));
  for (const id of [...b.rules]) {
    // A rule always has a way out, so that it is productive.
    const out = b.leaf();
    const body = b.add({ op: 'alt', items: [out, b.expr(options.depth - 1, false)] });
    b.exprs[id] = { op: 'rule', name: `r${id}`, body };
  }
  const start = b.expr(options.depth, false);
  const whitespace: Whitespace = oneOf(draw, ['compact', 'bounded', 'flexible']);
  const g: Grammar = { exprs: b.exprs, start, whitespace };
  return isProper(g) ? g : undefined;
}

/** The invariants of ir.ts that the twin can decide: productive, no left recursion, no repeat of something nullable. */
export function isProper(g: Grammar): boolean {
  const twin = new Interpreter(g);
  if (productive(g, twin).includes(false)) return false;
  // Front ends rewrite repeats of nullable items.
  if (g.exprs.some((e) => e.op === 'repeat' && new Interpreter({ ...g, start: e.item }).member([]))) return false;
  return twin.live([]);
}

/** A vocabulary as token bytes: single bytes (all, in a drawn order), pieces of the grammar's own texts, nulls and duplicates. */
export function randomTokens(draw: Draw, g: Grammar): { tokens: (Uint8Array | null)[]; eos: number[] } {
  const pieces = [
    '{"',
    '":',
    '","',
    '"}',
    '"]',
    '["',
    '{}',
    '[]',
    ', ',
    ': ',
    '": ',
    '\n  ',
    ',"',
    'a"',
    '\\u',
    '\\ud83d',
    '\\"',
    '\\n',
    '00',
  ];
  pieces.push(
    'ab',
    'aa',
    'ba',
    'abc',
    'true',
    'null',
    '",',
    '":"',
    '"a":',
    '"b":1',
    '"},{"',
    ']]',
    '}}',
    '  ',
    '\t',
    '\\u0061',
    'é"',
    '12',
  );
  for (const e of g.exprs)
    if (e.op === 'object') for (const p of e.properties) pieces.push(`"${p.name}":`, `,"${p.name}"`);
  for (let i = 0; i < 12; i++) pieces.push(word(draw) + word(draw));
  const tokens: (Uint8Array | null)[] = Array.from({ length: 256 }, (_, b) => Uint8Array.of(b));
  for (const p of pieces) tokens.push(Uint8Array.from(bytesOf(p)));
  tokens.push(
    Uint8Array.from([0x22, 0xc3]),
    Uint8Array.from([0xa9, 0x22]),
    Uint8Array.from([0xf0, 0x9f]),
    Uint8Array.from([0x98, 0x80, 0x61]),
  );
  tokens.push(null, new Uint8Array(0), Uint8Array.from(bytesOf('a')), Uint8Array.from(bytesOf('"')));
  for (let i = tokens.length - 1; i > 0; i--) {
    const j = draw.below(i + 1);
    const t = tokens[i] ?? null;
    tokens[i] = tokens[j] ?? null;
    tokens[j] = t;
  }
  const eos = [tokens.length, ...(chance(draw, 30) ? [tokens.length + 1] : [])];
  for (const _ of eos) tokens.push(chance(draw, 50) ? null : Uint8Array.from(bytesOf('a')));
  return { tokens, eos };
}
