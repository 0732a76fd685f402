/** "Did you mean": the candidate with the least edit distance, if it is close (at most `most` edits). */
export function nearest(
  word: string,
  candidates: Iterable<string>,
  most: number = Math.max(1, Math.floor(word.length / 3)),
): string | undefined {
  let best: string | undefined;
  let bound = most + 1;
  for (const candidate of candidates) {
    const d = distance(word, candidate, bound);
    if (d < bound) {
      bound = d;
      best = candidate;
    }
  }
  return best;
}

/** Edit distance in which two neighbours may change places (Damerau's, one edit per place), or `bound` where it is at least that. */
function distance(a: string, b: string, bound: number): number {
  if (Math.abs(a.length - b.length) >= bound) return bound;
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a.charCodeAt(i - 1) === b.charCodeAt(j - 1) ? 0 : 1;
      let d = Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, (row[j - 1] as number) + same);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) d = Math.min(d, (before[j - 2] as number) + 1);
      next.push(d);
      least = Math.min(least, d);
    }
    if (least >= bound + 1) return bound;
    before = row;
    row = next;
  }
  return Math.min(bound, row[b.length] as number);
}
