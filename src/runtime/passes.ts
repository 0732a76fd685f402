/**
 * Cutting a step into passes. One pass pads the attention of all its rows to the longest one, and every pass costs a fixed
 * amount (reading all weights once), so: rows of similar length share a pass, long rows are cut into chunks, and a second
 * pass is opened only where padding would cost more than it.
 *
 * Pure: (token counts, past lengths, shape) -> passes.
 */
import type { PagedGraph } from './rewrite/layout.js';

/** Tokens [from, to) of a step's row. */
export interface Piece {
  readonly row: number;
  readonly from: number;
  readonly to: number;
}

/** Most new tokens of one sequence in one pass: bounds the score matrix. */
export const MAX_CHUNK = 256;
/** Most numbers of one layer's score matrix in one pass (64 MiB). */
const MAX_SCORES = 2 ** 24;
/**
 * Padded positions that cost as much as one more pass, measured (docs/runtime.md): where only attention is padded, and where
 * the whole graph is.
 */
const PASS_COST = { flat: 40, padded: 12 } as const;

type Shape = Pick<PagedGraph, 'form' | 'kvHeads' | 'groups'>;

/** Passes in order; the pieces of one row come in order of their tokens, at most one per pass. */
export function planPasses(
  rows: readonly { readonly tokens: readonly number[] }[],
  starts: readonly number[],
  shape: Shape,
): Piece[][] {
  const heads = shape.kvHeads * shape.groups;
  const passes: Piece[][] = [];
  // Pieces of the same rank (first chunk, second chunk, …) may share a pass.
  for (let rank = 0; ; rank++) {
    const pieces: Piece[] = [];
    for (const [row, r] of rows.entries()) {
      const chunk = chunkOf(starts[row]! + r.tokens.length, heads);
      const from = rank * chunk;
      if (from < r.tokens.length) pieces.push({ row, from, to: Math.min(from + chunk, r.tokens.length) });
    }
    if (pieces.length === 0) return passes;
    pieces.sort((a, b) => b.to - b.from - (a.to - a.from));
    let group: Piece[] = [];
    let [padded, longest] = [0, 0];
    for (const p of pieces) {
      const n = p.to - p.from;
      const columns = Math.max(...[...group, p].map((q) => starts[q.row]! + q.to));
      const scores = (group.length + 1) * Math.max(longest, n) * heads * columns;
      if (group.length > 0 && (padded + longest - n > PASS_COST[shape.form] || scores > MAX_SCORES)) {
        passes.push(group);
        group = [];
        [padded, longest] = [0, 0];
      }
      if (group.length === 0) longest = n;
      padded += longest - n;
      group.push(p);
    }
    if (group.length > 0) passes.push(group);
  }
}

/** New tokens per pass for a row that will have `positions`: fewer where the score matrix would not fit. */
function chunkOf(positions: number, heads: number): number {
  const fit = Math.floor(MAX_SCORES / (heads * Math.max(1, positions)));
  return Math.max(1, Math.min(MAX_CHUNK, fit));
}
