/**
 * Syntax tree of an ECMA-262 pattern. Spans are UTF-16 offsets in the pattern. Flags are not applied here: the tree says what
 * was written, `lower.ts` says what it means.
 */
export interface Place {
  readonly start: number;
  readonly end: number;
}

/** A set of code points (and, in `v` mode, of strings) as written. */
export type ClassSet =
  | { readonly k: 'chars'; readonly ranges: readonly number[] }
  /** Strings of `\q{…}` that are not one code point long. */
  | { readonly k: 'strings'; readonly texts: readonly string[] }
  | { readonly k: 'escape'; readonly which: 'd' | 'D' | 's' | 'S' | 'w' | 'W' }
  | { readonly k: 'property'; readonly body: string; readonly negate: boolean; readonly place: Place }
  | { readonly k: 'union' | 'intersection' | 'difference'; readonly items: readonly ClassSet[] }
  | { readonly k: 'complement'; readonly item: ClassSet; readonly place: Place };

export type Node =
  | { readonly k: 'set'; readonly set: ClassSet; readonly place: Place }
  /** One code point. */
  | { readonly k: 'char'; readonly cp: number; readonly place: Place }
  | { readonly k: 'dot'; readonly place: Place }
  | { readonly k: 'seq'; readonly items: readonly Node[]; readonly place: Place }
  | { readonly k: 'alt'; readonly items: readonly Node[]; readonly place: Place }
  | { readonly k: 'repeat'; readonly item: Node; readonly min: number; readonly max: number; readonly place: Place }
  /** Capturing group number `index` (from 1). */
  | { readonly k: 'group'; readonly index: number; readonly item: Node; readonly place: Place }
  | { readonly k: 'flags'; readonly add: string; readonly remove: string; readonly item: Node; readonly place: Place }
  | {
      readonly k: 'look';
      readonly ahead: boolean;
      readonly negate: boolean;
      readonly item: Node;
      readonly place: Place;
    }
  | { readonly k: 'assert'; readonly which: 'start' | 'end' | 'boundary' | 'inside'; readonly place: Place }
  | { readonly k: 'backref'; readonly to: number | string; readonly place: Place };

export interface Pattern {
  readonly root: Node;
  /** Count of capturing groups. */
  readonly groups: number;
  /** Group names and their numbers. */
  readonly names: ReadonlyMap<string, readonly number[]>;
}
