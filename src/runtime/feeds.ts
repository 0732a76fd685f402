/**
 * The tensors of one paged pass: from rows of new tokens to what the rewritten graph reads. Shapes as in rewrite/layout.ts.
 */

import type { FreshLayout } from './kv/store.js';
import { BLOCK_SIZE, maskName, NAMES, type PagedGraph } from './rewrite/layout.js';
import { powerOfTwo } from './sampling/device-sampler.js';
import { type Feeds, int64, Tensor } from './session.js';

/** New tokens of one sequence in one pass. */
export interface PassRow {
  readonly tokens: readonly number[];
  /** Positions present before. */
  readonly start: number;
  /** Blocks of the sequence, enough for the new positions. */
  readonly table: readonly number[];
  /** How many of the last positions' logits are wanted. */
  readonly logits: number;
  /** Wanted as hidden states instead (the head is then computed for few tokens in JavaScript). */
  readonly hot: boolean;
}

export interface Pass {
  readonly feeds: Feeds;
  readonly fresh: FreshLayout;
  /** Row and place of each row's new positions in the output of new rows. */
  readonly freshAt: readonly { readonly row: number; readonly from: number }[];
  /** Index of the flattened position of each row's first token. */
  readonly flatAt: readonly number[];
  readonly wanted: number;
  readonly hot: number;
}

const MASKED = -1e30;

/** Builds the feeds of a pass; `pool` are the store's tensors. */
export function buildPass(graph: PagedGraph, rows: readonly PassRow[], pool: Feeds): Pass {
  const [b, kh, d] = [rows.length, graph.kvHeads, graph.headDim];
  // One query row has a kernel of its own, whose sums have another order.
  let [s, t, m] = [graph.joined && graph.groups === 1 ? 2 : 1, 0, 1];
  for (const r of rows) {
    s = Math.max(s, r.tokens.length);
    t += r.tokens.length;
    m = Math.max(m, Math.ceil((graph.joined ? r.start + r.tokens.length : r.start) / BLOCK_SIZE));
  }
  const flat = graph.form === 'flat';
  const feeds: Record<string, Feeds[string]> = {
    ...pool,
    [NAMES.table]: graph.kernel ? blockTable(rows) : tableTensor(rows, kh, m, graph.joined),
  };
  const flatAt: number[] = [];
  let at = 0;
  for (const [i, r] of rows.entries()) {
    flatAt.push(flat ? at : i * s);
    at += r.tokens.length;
  }
  const ids = new BigInt64Array(flat ? t : b * s);
  const positions = new BigInt64Array(ids.length);
  for (const [i, r] of rows.entries()) {
    const base = flatAt[i]!;
    for (let j = 0; j < r.tokens.length; j++) {
      ids[base + j] = BigInt(r.tokens[j]!);
      positions[base + j] = BigInt(r.start + j);
    }
  }
  const dims = flat ? [1, t] : [b, s];
  feeds[graph.idsName] = new Tensor('int64', ids, dims);
  if (graph.positionIds !== undefined) feeds[graph.positionIds] = new Tensor('int64', positions, dims);
  if (graph.logitsToKeep !== undefined) feeds[graph.logitsToKeep] = int64([flat ? t : s], []);
  if (graph.useCache !== undefined) feeds[graph.useCache] = new Tensor('bool', [true], [1]);
  if (flat) {
    feeds[NAMES.positions] = new Tensor('int64', positions, dims);
    if (graph.kernel) addLengths(feeds, rows);
    else {
      addPadding(feeds, rows, kh, s, t, graph.joined);
      if (!graph.joined) feeds[NAMES.split] = int64([m * BLOCK_SIZE, s], [2]);
    }
    for (const w of graph.kernel ? [] : graph.windows)
      feeds[maskName(w)] = (graph.joined ? joinedMask : scoreMask)(rows, w, s, m * BLOCK_SIZE, graph.groups);
    if (graph.attentionMask !== undefined) {
      feeds[graph.attentionMask] = new Tensor('int64', new BigInt64Array(t).fill(1n), [1, t]);
    }
  } else if (graph.attentionMask !== undefined) {
    feeds[graph.attentionMask] = columnMask(rows, s, m * BLOCK_SIZE);
  }
  let [wanted, hot] = [0, 0];
  if (graph.picks) {
    const pick = (which: boolean): Int32Array => {
      const out: number[] = [];
      for (const [i, r] of rows.entries()) {
        if (r.hot !== which) continue;
        for (let j = r.tokens.length - r.logits; j < r.tokens.length; j++) out.push(flatAt[i]! + j);
      }
      return Int32Array.from(out);
    };
    const want = pick(false);
    wanted = want.length;
    // On a device logits go to buffers of few sizes: the last position is repeated.
    const size = graph.pool === 'device' ? powerOfTwo(wanted) : wanted;
    const padded = new Int32Array(size).fill(want.at(-1) ?? 0);
    padded.set(want);
    feeds[NAMES.want] = new Tensor('int32', padded, [size]);
    if (graph.head !== undefined) {
      const few = pick(true);
      feeds[NAMES.hot] = new Tensor('int32', few, [few.length]);
      hot = few.length;
    }
  }
  const fresh = flat
    ? { slot: t * kh * d, row: 0, head: d, place: kh * d }
    : { slot: b * kh * s * d, row: kh * s * d, head: s * d, place: d };
  const freshAt = rows.map((_, i) => (flat ? { row: 0, from: flatAt[i]! } : { row: i, from: 0 }));
  return { feeds, fresh, freshAt, flatAt, wanted, hot };
}

/** Rows of the pool for layer 0's keys; places beyond a sequence's blocks point to row 0 (masked). */
function tableTensor(rows: readonly PassRow[], kh: number, m: number, joined: boolean): Tensor {
  const out = new Int32Array(rows.length * kh * m);
  for (const [i, r] of rows.entries()) {
    const used = Math.ceil((joined ? r.start + r.tokens.length : r.start) / BLOCK_SIZE);
    for (let h = 0; h < kh; h++) {
      const base = (i * kh + h) * m;
      for (let j = 0; j < used; j++) out[base + j] = r.table[j]! * kh + h;
    }
  }
  return new Tensor('int32', out, [rows.length, kh, m]);
}

/** Kernel form: blocks of each row, those of the new positions included, [B, M]. */
function blockTable(rows: readonly PassRow[]): Tensor {
  const used = rows.map((r) => Math.ceil((r.start + r.tokens.length) / BLOCK_SIZE));
  const width = Math.max(...used);
  const out = new Int32Array(rows.length * width);
  for (const [i, r] of rows.entries()) for (let j = 0; j < used[i]!; j++) out[i * width + j] = r.table[j]!;
  return new Tensor('int32', out, [rows.length, width]);
}

function addLengths(feeds: Record<string, Feeds[string]>, rows: readonly PassRow[]): void {
  const cumulative = new Int32Array(rows.length + 1);
  for (const [i, r] of rows.entries()) cumulative[i + 1] = cumulative[i]! + r.tokens.length;
  feeds[NAMES.cumulative] = new Tensor('int32', cumulative, [rows.length + 1]);
  feeds[NAMES.past] = new Tensor(
    'int32',
    Int32Array.from(rows, (r) => r.start),
    [rows.length],
  );
}

function addPadding(
  feeds: Record<string, Feeds[string]>,
  rows: readonly PassRow[],
  kh: number,
  s: number,
  t: number,
  joined: boolean,
): void {
  const pad = new Int32Array(rows.length * kh * s);
  const unpad = new Int32Array(t * kh);
  let token = 0;
  for (const [i, r] of rows.entries()) {
    const count = r.tokens.length;
    for (let h = 0; h < kh; h++) {
      const base = (i * kh + h) * s;
      for (let j = 0; j < count; j++) {
        pad[base + j] = (token + j) * kh + h;
        unpad[(token + j) * kh + h] = base + j;
      }
      // What is scattered twice is the same row to the same place.
      if (joined) pad.fill((token + count - 1) * kh + h, base + count, base + s);
    }
    token += count;
  }
  feeds[NAMES.pad] = new Tensor('int32', pad, [rows.length, kh, s]);
  feeds[NAMES.unpad] = new Tensor('int32', unpad, [t, kh]);
  if (joined) feeds[NAMES.place] = new Tensor('int64', places(rows, kh, s), [rows.length, kh, s, 3]);
}

/** Row, head and column of each padded place; numbers below 2^31 are written as halves, which is faster than BigInt. */
function places(rows: readonly PassRow[], kh: number, s: number): BigInt64Array {
  const out = new BigInt64Array(rows.length * kh * s * 3);
  const low = new Int32Array(out.buffer);
  let at = 0;
  for (const [i, r] of rows.entries()) {
    for (let h = 0; h < kh; h++) {
      for (let j = 0; j < s; j++, at += 6) {
        low[at] = i;
        low[at + 2] = h;
        low[at + 4] = r.start + Math.min(j, r.tokens.length - 1);
      }
    }
  }
  return out;
}

/** Additive mask [B, 1, S * G or 1, columns] of the joined form: positions up to each place; within `window` if not 0. */
function joinedMask(rows: readonly PassRow[], window: number, s: number, columns: number, groups: number): Tensor {
  const g = s === 1 ? 1 : groups;
  const out = new Float32Array(rows.length * s * g * columns).fill(MASKED);
  for (const [i, r] of rows.entries()) {
    for (let j = 0; j < r.tokens.length; j++) {
      const to = r.start + j + 1;
      const from = window === 0 ? 0 : Math.max(0, to - window);
      for (let k = 0; k < g; k++) {
        const base = ((i * s + j) * g + k) * columns;
        out.fill(0, base + from, base + to);
      }
    }
  }
  return new Tensor('float32', out, [rows.length, 1, s * g, columns]);
}

/** Additive mask [B, 1, S * G or 1, P + S]: the past, then the new positions up to each place; within `window` if not 0. */
function scoreMask(rows: readonly PassRow[], window: number, s: number, p: number, groups: number): Tensor {
  const g = s === 1 ? 1 : groups;
  const width = p + s;
  const out = new Float32Array(rows.length * s * g * width).fill(MASKED);
  for (const [i, r] of rows.entries()) {
    for (let j = 0; j < r.tokens.length; j++) {
      const first = window === 0 ? 0 : Math.max(0, r.start + j - window + 1);
      const from = Math.max(0, first - r.start);
      for (let k = 0; k < g; k++) {
        const base = ((i * s + j) * g + k) * width;
        if (first < r.start) out.fill(0, base + first, base + r.start);
        out.fill(0, base + p + from, base + p + j + 1);
      }
    }
  }
  return new Tensor('float32', out, [rows.length, 1, s * g, width]);
}

/** attention_mask [B, P + S] of the padded form: which columns hold a position. */
function columnMask(rows: readonly PassRow[], s: number, p: number): Tensor {
  const out = new BigInt64Array(rows.length * (p + s));
  for (const [i, r] of rows.entries()) {
    const base = i * (p + s);
    out.fill(1n, base, base + r.start);
    out.fill(1n, base + p, base + p + r.tokens.length);
  }
  return new Tensor('int64', out, [rows.length, p + s]);
}
