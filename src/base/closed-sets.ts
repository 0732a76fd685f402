/**
 * Sizes of sets that are closed under implications ("who has a has b").
 *
 * Members that do not imply one another can be added to a closed set one at a time, least first, so every size up to the largest is
 * there. Members of a ring, which do, come together or not at all; each choice of rings is looked at by itself.
 */

/** `implied[p]`: all that member p implies, further implications included and p left out. */
export type Implied = readonly (readonly number[])[];

/** Most rings that are looked at in all choices; with more every size counts as there. */
const MOST_RINGS = 12;

/** Groups of two and more members that imply one another. */
export function ringsOf(implied: Implied): readonly (readonly number[])[] {
  const sets = implied.map((all) => new Set(all));
  const taken = new Set<number>();
  const rings: number[][] = [];
  for (const [p, all] of implied.entries()) {
    if (taken.has(p)) continue;
    const ring = [p, ...all.filter((q) => sets[q]!.has(p))];
    if (ring.length < 2) continue;
    for (const q of ring) taken.add(q);
    rings.push(ring);
  }
  return rings;
}

/**
 * Whether some closed set of `open` members has all of `needed` and between `least` and `most` members. `needed` is closed; so is `open` (what else its
 * members imply is there already and does not count).
 */
export function hasClosedSet(
  implied: Implied,
  rings: readonly (readonly number[])[],
  open: readonly number[],
  needed: ReadonlySet<number>,
  least: number,
  most: number,
): boolean {
  if (needed.size > most || open.length < least || least > most) return false;
  if (open.length <= most) return true;
  const may = new Set(open);
  const free = rings.filter(([p]) => may.has(p!) && !needed.has(p!));
  if (free.length > MOST_RINGS) return true;
  for (let choice = 0; choice < 2 ** free.length; choice++) {
    const forced = new Set(needed);
    const banned = new Set<number>();
    for (const [i, ring] of free.entries()) {
      if (((choice >> i) & 1) === 0) for (const p of ring) banned.add(p);
      else for (const q of [...ring, ...implied[ring[0]!]!]) if (may.has(q)) forced.add(q);
    }
    const isOut = (p: number): boolean => banned.has(p) || implied[p]!.some((q) => banned.has(q));
    const fits = forced.size <= most && ![...forced].some(isOut);
    if (fits && open.length - open.filter(isOut).length >= least) return true;
  }
  return false;
}
