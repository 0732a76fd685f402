/**
 * Regular expressions as plain data, over Unicode code points (0 to 0x10FFFF, lone surrogates included as themselves).
 *
 * This is the interchange form: front ends build it, the IR carries it, {@link TermStore} (terms.ts) interns it into
 * hash-consed terms on which derivatives, emptiness and witnesses are computed. Anchored at both ends: a value denotes
 * a set of whole strings.
 */
export type Regex =
  | { readonly t: 'never' }
  | { readonly t: 'empty' }
  /** Code point ranges [lo, hi, lo, hi, …], inclusive, sorted, disjoint. */
  | { readonly t: 'set'; readonly ranges: readonly number[] }
  /** One literal string. */
  | { readonly t: 'lit'; readonly text: string }
  /** A finite set of literal strings. */
  | { readonly t: 'lits'; readonly texts: readonly string[] }
  | { readonly t: 'cat'; readonly items: readonly Regex[] }
  | { readonly t: 'alt'; readonly items: readonly Regex[] }
  | { readonly t: 'and'; readonly items: readonly Regex[] }
  | { readonly t: 'not'; readonly item: Regex }
  /** `max` is Infinity where unbounded. */
  | { readonly t: 'rep'; readonly item: Regex; readonly min: number; readonly max: number }
  /** A deterministic automaton; edges of a state are [lo, hi, target, …], sorted and disjoint. */
  | {
      readonly t: 'dfa';
      readonly start: number;
      readonly states: readonly { readonly accept: boolean; readonly edges: readonly number[] }[];
    };

const ALL: Regex = { t: 'set', ranges: [0, 0x10ffff] };

/** Any code point. */
export const anyChar: Regex = ALL;
/** Any string. */
export const anyString: Regex = { t: 'rep', item: ALL, min: 0, max: Number.POSITIVE_INFINITY };
