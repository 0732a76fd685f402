/**
 * Byte-pair merges of one word: of all adjacent pairs the one with the lowest rank merges first, leftmost on a tie.
 *
 * The naive loop rescans the word after each merge, O(n²); vocabularies without a pre-tokenizer (Llama-2) make whole texts one
 * word. Here the symbols are a linked list and the candidate pairs a binary heap: O(n log n). A heap entry is stale once either of
 * its symbols changed, which is noticed when it is popped.
 */
export interface Merges {
  /** Rank by `left + '\0' + right`; lower merges first. */
  readonly ranks: ReadonlyMap<string, number>;
}

/** Merges the symbols of a word; returns the resulting symbols. */
export function mergeWord(symbols: readonly string[], merges: Merges): string[] {
  const n = symbols.length;
  if (n < 2) return [...symbols];
  const text = [...symbols];
  const next = new Int32Array(n);
  const prev = new Int32Array(n);
  const alive = new Uint8Array(n).fill(1);
  for (let i = 0; i < n; i++) {
    next[i] = i + 1 < n ? i + 1 : -1;
    prev[i] = i - 1;
  }
  // Heap entries: [rank, left position], with the pair's text to notice stale ones.
  const ranks: number[] = [];
  const lefts: number[] = [];
  const pairs: string[] = [];
  const less = (a: number, b: number): boolean =>
    ranks[a]! < ranks[b]! || (ranks[a] === ranks[b] && lefts[a]! < lefts[b]!);
  const swap = (a: number, b: number): void => {
    const r = ranks[a]!;
    const l = lefts[a]!;
    const p = pairs[a]!;
    ranks[a] = ranks[b]!;
    lefts[a] = lefts[b]!;
    pairs[a] = pairs[b]!;
    ranks[b] = r;
    lefts[b] = l;
    pairs[b] = p;
  };
  const push = (left: number): void => {
    if (left < 0 || next[left]! < 0) return;
    const pair = `${text[left]}\0${text[next[left]!]}`;
    const rank = merges.ranks.get(pair);
    if (rank === undefined) return;
    let at = ranks.length;
    ranks.push(rank);
    lefts.push(left);
    pairs.push(pair);
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (!less(at, up)) break;
      swap(at, up);
      at = up;
    }
  };
  const drop = (): void => {
    const last = ranks.length - 1;
    swap(0, last);
    ranks.pop();
    lefts.pop();
    pairs.pop();
    let at = 0;
    for (;;) {
      const a = 2 * at + 1;
      if (a >= last) break;
      const small = a + 1 < last && less(a + 1, a) ? a + 1 : a;
      if (!less(small, at)) break;
      swap(small, at);
      at = small;
    }
  };
  for (let i = 0; i + 1 < n; i++) push(i);
  while (ranks.length > 0) {
    const left = lefts[0]!;
    const pair = pairs[0]!;
    drop();
    const right = alive[left] === 1 ? next[left]! : -1;
    if (right < 0 || `${text[left]}\0${text[right]}` !== pair) continue;
    text[left] = text[left]! + text[right]!;
    alive[right] = 0;
    next[left] = next[right]!;
    if (next[right]! >= 0) prev[next[right]!] = left;
    push(prev[left]!);
    push(left);
  }
  const out: string[] = [];
  for (let i = 0; i >= 0; i = next[i]!) out.push(text[i]!);
  return out;
}
