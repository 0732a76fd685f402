/**
 * Unigram segmentation: the sequence of pieces with the greatest sum of log probabilities (Viterbi; Kudo 2018). Characters that no
 * piece covers cost the least score minus 10, as in SentencePiece, and become byte tokens or the unknown token.
 */
export interface UnigramModel {
  readonly scores: ReadonlyMap<string, number>;
  readonly minScore: number;
  /** Greatest length of a piece in UTF-16 units. */
  readonly longest: number;
}

const UNKNOWN_PENALTY = 10;

/** The best pieces of a text; those that are not in the model are single code points. */
export function segment(text: string, model: UnigramModel): string[] {
  const n = text.length;
  const best = new Float64Array(n + 1).fill(Number.NEGATIVE_INFINITY);
  const from = new Int32Array(n + 1);
  best[0] = 0;
  const unknown = model.minScore - UNKNOWN_PENALTY;
  for (let start = 0; start < n; start++) {
    const base = best[start]!;
    if (base === Number.NEGATIVE_INFINITY) continue;
    const width = text.codePointAt(start)! > 0xffff ? 2 : 1;
    let single = false;
    const limit = Math.min(model.longest, n - start);
    for (let length = width; length <= limit; length++) {
      const score = model.scores.get(text.slice(start, start + length));
      if (score === undefined) continue;
      if (length === width) single = true;
      if (base + score > best[start + length]!) {
        best[start + length] = base + score;
        from[start + length] = start;
      }
    }
    if (!single && base + unknown > best[start + width]!) {
      best[start + width] = base + unknown;
      from[start + width] = start;
    }
  }
  const out: string[] = [];
  for (let end = n; end > 0; end = from[end]!) out.push(text.slice(from[end]!, end));
  return out.reverse();
}
