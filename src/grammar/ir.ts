/**
 * The intermediate representation: what every front end (JSON Schema, GBNF, regular expressions) emits and the only file of
 * this folder that `src/fsm` reads.
 *
 * A grammar is plain data: expressions in one array, referring to each other by index. Recursion is an index, structured
 * clone works (the worker thread gets it as it is), and front ends may share equal expressions.
 *
 * Invariants (see docs/architecture.md): no left recursion, every reachable expression productive, key classes of an object
 * disjoint and free of declared names, regular leaves non-empty.
 */
import type { Regex } from '../regular/regex.js';

/** Index into {@link Grammar.exprs}. */
export type ExprId = number;

/** Half-open range of UTF-16 offsets in {@link Grammar.source}. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export type Expr =
  | EmptyExpr
  | NeverExpr
  | TextExpr
  | StringExpr
  | TokenExpr
  | SeqExpr
  | AltExpr
  | RepeatExpr
  | RuleExpr
  | ObjectExpr
  | ArrayExpr;

/** The empty string. */
export interface EmptyExpr {
  readonly op: 'empty';
}

/** No string at all. */
export interface NeverExpr {
  readonly op: 'never';
}

/** Raw text, encoded as UTF-8. */
export interface TextExpr {
  readonly op: 'text';
  readonly re: Regex;
}

/**
 * A JSON string with its quotes; `re` is over the decoded content (code points; lone surrogates count as themselves). Free content may
 * be escaped as JSON allows. Finite literals (`lit`, `lits`, unions of them, intersections with one), like declared property names, are
 * spelled as JSON writers do: printable ASCII raw, short escapes for the controls that have one, `\uXXXX` for other controls and, beside the
 * raw form, for what is not ASCII. So names and constants are forced where the grammar leaves no other choice.
 */
export interface StringExpr {
  readonly op: 'string';
  readonly re: Regex;
}

/**
 * Exactly one token (GBNF token terminals). Ids and texts are resolved against the vocabulary when a Matcher is made;
 * `negate` is any one token but these.
 */
export interface TokenExpr {
  readonly op: 'token';
  readonly ids: readonly number[];
  readonly texts: readonly string[];
  readonly negate: boolean;
}

export interface SeqExpr {
  readonly op: 'seq';
  readonly items: readonly ExprId[];
}

export interface AltExpr {
  readonly op: 'alt';
  readonly items: readonly ExprId[];
}

/** `min` to `max` times `item`; `max` is Infinity where unbounded. */
export interface RepeatExpr {
  readonly op: 'repeat';
  readonly item: ExprId;
  readonly min: number;
  readonly max: number;
}

/** A named expression; the only way to refer to an expression before it is defined. */
export interface RuleExpr {
  readonly op: 'rule';
  readonly name: string;
  readonly body: ExprId;
}

/** A property that an object declares by name. */
export interface Property {
  readonly name: string;
  readonly value: ExprId;
  readonly required: boolean;
}

/** A class of keys that are not declared by name. */
export interface DynamicKeys {
  /** Decoded keys of this class; disjoint from the other classes (but for witnesses) and from the declared names. */
  readonly keys: Regex;
  readonly value: ExprId;
  /**
   * Index of the witness that such a property supplies: the object is complete only when each index below
   * {@link ObjectExpr.witnesses} was supplied by some property. A witness class may overlap a class without one (the recognizer
   * follows both readings). Once its witness is supplied such a class is closed: emit a class without it beside it for further keys.
   */
  readonly witness?: number;
}

/** If property `if` is present then all of `then` must be (indices into `properties`); transitive closure is taken. */
export interface Implication {
  readonly if: number;
  readonly then: readonly number[];
}

/**
 * A JSON object. Keys are unique. In order 'schema' declared properties come in the order of `properties`, dynamic keys after
 * all of them; in order 'any' everywhere.
 */
export interface ObjectExpr {
  readonly op: 'object';
  readonly properties: readonly Property[];
  readonly dynamic: readonly DynamicKeys[];
  readonly order: 'schema' | 'any';
  readonly minProperties: number;
  /** Infinity where unbounded. */
  readonly maxProperties: number;
  readonly implications: readonly Implication[];
  readonly witnesses: number;
}

/** One reading of an array item: its value, and the counters (bit set, at most 30) that it advances by one. */
export interface ItemVariant {
  readonly value: ExprId;
  readonly counts: number;
  /** Which classes of {@link ArrayExpr.scarce} it admits, and whether it has always values of none of them. */
  readonly pool?: { readonly classes: readonly number[]; readonly others: boolean };
}

export interface ItemCounter {
  readonly min: number;
  /** Infinity where unbounded. */
  readonly max: number;
}

/**
 * A JSON array: `prefix[i]` are the readings of item i, `rest` of all later ones (none: the array ends with the prefix at
 * the latest). Where a counter has a finite `max`, the readings of a position must be disjoint, so that counts are exact.
 */
export interface ArrayExpr {
  readonly op: 'array';
  readonly prefix: readonly (readonly ItemVariant[])[];
  readonly rest: readonly ItemVariant[];
  readonly minItems: number;
  /** Infinity where unbounded. */
  readonly maxItems: number;
  readonly counters: readonly ItemCounter[];
  /** Items are pairwise different as JSON values. Numbers among them are spelled without exponents, so that equal ones are known. */
  readonly unique: boolean;
  /**
   * Where items are unique and one may take the value that a later one cannot do without: the values of the readings that have few, as JSON
   * texts (sorted keys, numbers as JavaScript prints them), by class: those of a class are admitted by the same readings. All readings
   * have a `pool` then.
   */
  readonly scarce?: readonly (readonly string[])[];
}

/**
 * What stands where JSON allows whitespace, in `object` and `array`: nothing; nothing, one space, or one newline and at most
 * 64 blanks (space or tab); any run of space, tab, newline, carriage return.
 */
export type Whitespace = 'compact' | 'bounded' | 'flexible';

export interface Grammar {
  readonly exprs: readonly Expr[];
  readonly start: ExprId;
  readonly whitespace: Whitespace;
  /** Source spans of expressions where the front end has them, by expression index. */
  readonly spans?: readonly (Span | undefined)[];
  readonly source?: string;
}

/** Expressions that an expression refers to. */
export function childrenOf(expr: Expr): readonly ExprId[] {
  switch (expr.op) {
    case 'seq':
    case 'alt':
      return expr.items;
    case 'repeat':
      return [expr.item];
    case 'rule':
      return [expr.body];
    case 'object':
      return [...expr.properties.map((p) => p.value), ...expr.dynamic.map((d) => d.value)];
    case 'array':
      return [...expr.prefix.flat(), ...expr.rest].map((v) => v.value);
    default:
      return [];
  }
}
