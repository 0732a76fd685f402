/** What stands before a position: the last character of what was matched, as far as the rest of a pattern asks for it. */
import { anyString, type Regex } from '../../regular/regex.js';
import type { Node } from './ast.js';
import { alt, and, cat, EMPTY, isAnyString, NEVER, nullable, set } from './build.js';
import { singleChars, trailingSet } from './facts.js';
import { changed, type Env, type PureParts } from './lower-pure.js';
import { intersect, type Ranges, subtract } from './ranges.js';
import { isSubset, wordRanges } from './sets.js';
import { NEWLINE, type UnicodeCache } from './unicode.js';

/** What stands before the text that `left` describes. */
export type Before =
  | { readonly k: 'start' }
  | { readonly k: 'chars'; readonly ranges: Ranges }
  | { readonly k: 'unknown' };

/** Thrown (and caught in lower.ts) when the rest needs to know what stands before. */
export class NeedsBefore extends Error {}

export const UNKNOWN: Before = { k: 'unknown' };

/** Texts of `left` that end in one of `ranges`. */
export function endingIn(left: Regex, ranges: Ranges): Regex {
  if (left.t === 'empty' || ranges.length === 0) return NEVER;
  const one = trailingSet(left);
  if (one !== undefined) {
    if (isSubset(one, ranges)) return left;
    if (intersect(one, ranges).length === 0) return NEVER;
  }
  return isAnyString(left) ? cat(anyString, set(ranges)) : and(left, cat(anyString, set(ranges)));
}

/** Texts of `left` behind which a character of `ranges` stands, or (with `atStart`) nothing. */
export function lastIn(left: Regex, before: Before, ranges: Ranges, atStart: boolean): Regex {
  const ended = endingIn(left, ranges);
  if (!nullable(left)) return ended;
  if (before.k === 'unknown') throw new NeedsBefore();
  const bare = before.k === 'start' ? atStart : isSubset(before.ranges, ranges);
  return bare ? alt(EMPTY, ended) : ended;
}

/** Sets that cut all characters by what any assertion of the pattern may ask about the last one. */
export function lastAtoms(root: Node, parts: PureParts, unicode: boolean, cache: UnicodeCache): readonly Ranges[] {
  const asked: Ranges[] = [];
  const visit = (node: Node, env: Env): void => {
    if (node.k === 'assert' && (node.which === 'boundary' || node.which === 'inside')) {
      asked.push(wordRanges(env.ignoreCase, unicode, cache));
    } else if (node.k === 'assert' && env.multiline) asked.push(NEWLINE);
    else if (node.k === 'look' && !node.ahead && parts.isPure(node.item)) {
      const single = singleChars(parts.pure(node.item, env));
      if (single !== undefined) asked.push(single);
    }
    if ('items' in node) for (const item of node.items) visit(item, env);
    else if ('item' in node) visit(node.item, node.k === 'flags' ? changed(env, node.add, node.remove) : env);
  };
  visit(root, { ignoreCase: false, multiline: true, dotAll: false });
  visit(root, { ignoreCase: true, multiline: true, dotAll: false });
  let atoms: Ranges[] = [[0, 0x10ffff]];
  for (const ask of asked) {
    atoms = atoms.flatMap((atom) => [intersect(atom, ask), subtract(atom, ask)].filter((part) => part.length > 0));
  }
  return atoms;
}
