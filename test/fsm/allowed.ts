/** What a mask allows, compared with what `accept` takes. */
import type { Matcher } from '../../src/core.js';

export const bit = (mask: Uint32Array, id: number): boolean => ((mask[id >> 5]! >>> (id & 31)) & 1) === 1;

/** Those of some tokens that a matcher allows; a string says which one mask and `accept` disagree about. */
export function allowedOf(
  matcher: Matcher,
  mask: Uint32Array,
  ids: readonly number[],
  tokens: readonly (Uint8Array | null)[],
): readonly number[] | string {
  matcher.fillMask(mask);
  const allowed: number[] = [];
  for (const id of ids) {
    const accepted = matcher.accept(id);
    if (accepted) matcher.rollback(1);
    if (accepted !== bit(mask, id))
      return `token ${Buffer.from(tokens[id] ?? [])}: mask ${bit(mask, id)}, accept ${accepted}`;
    if (accepted) allowed.push(id);
  }
  return allowed;
}
