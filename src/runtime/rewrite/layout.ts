/**
 * What a paged graph reads and writes: the contract between the rewrite and the model that feeds it.
 *
 * Pool: one f32 tensor [rows, blockSize, D]; row ((layer * 2 + part) * blocks + block) * KH + head, part 0 keys, 1 values. One
 * tensor for all layers, since each input of a run costs microseconds; a block's heads lie side by side, since a block is copied
 * as a whole (forks, swap). The int8 pool has the same layout, and a scale per row and position, [rows, blockSize].
 *
 * Shapes: B sequences of the pass, S the greatest number of new tokens, T all new tokens, M the greatest number of past
 * blocks (at least 1), G query heads per KV head, KH KV heads, D head size.
 */
import type { ModelProto } from '../onnx/proto.js';
import type { HeadWeights } from './head.js';

export const BLOCK_SIZE = 16;

/** Names of the inputs and outputs that the rewrite adds. */
export const NAMES = {
  pool: 'tl.pool',
  /** f32 [rows, blockSize]: scales of an int8 pool. */
  scales: 'tl.scales',
  /** int32 [B, KH, M]: rows of the pool for layer 0's keys. */
  table: 'tl.table',
  /** int32 [B, KH, S]: token * KH + head for each padded place; joined form: padding repeats the row's last token. */
  pad: 'tl.pad',
  /** Joined form: int64 [B, KH, S, 3], row, head and column of each padded place among the gathered keys. */
  place: 'tl.place',
  /** int32 [T, KH]: (row * KH + head) * S + place for each token. */
  unpad: 'tl.unpad',
  /** int64 [1, T]. */
  positions: 'tl.positions',
  /** Not in the joined form: int64 [2], past columns, new columns. */
  split: 'tl.split',
  /**
   * Device pool: int64 [new rows, 2], row of the pool and position in the block of each new row; flat form slot, token, head,
   * padded form slot, sequence, head, place. Padding goes to the last row, which belongs to no block.
   */
  scatter: 'tl.scatter',
  /** Device pool: the pool after the run; fetched into the very buffer that was fed. */
  poolOut: 'tl.pool.out',
  /** Kernel form: int32 [B + 1], tokens before each row. */
  cumulative: 'tl.cumulative',
  /** Kernel form: int32 [B], positions present. */
  past: 'tl.past',
  want: 'tl.want',
  hot: 'tl.hot',
  hidden: 'tl.hidden',
  /** Host pool: new keys and values: flat form [2 * layers, T, KH * D], padded form [2 * layers * B, KH, S, D]. */
  fresh: 'tl.fresh',
  /** int32 [tokens, MoE layers * k]. */
  experts: 'tl.experts',
} as const;

/** Kernel form: name of the cache of a slot (layer * 2 + part), f16 [blocks, blockSize, KH, D]. Its table is [B, M], M counting new blocks. */
export const cacheName = (slot: number): string => `tl.cache.${slot}`;

/** The same cache after the run; fetched into the very buffer that was fed. */
export const cacheOut = (slot: number): string => `tl.cache.${slot}.out`;

/** Name of the mask input for a window, added to the scores: f32 [B, 1, S * G or 1, M * blockSize + S], joined form without S. */
export const maskName = (window: number): string => `tl.mask.${window}`;

/**
 * 'device': in a device buffer, of the cache's own type (f32 or f16), that the graph itself writes; the others lie
 * in host memory.
 */
export type PoolType = 'f32' | 'int8' | 'device';
/** Element type of the graph's caches. */
export type CacheType = 'float32' | 'float16';

export interface PagedGraph {
  readonly model: ModelProto;
  readonly pool: PoolType;
  /** 'flat': all tokens in one row, attention padded inside. 'padded': rows padded on the right everywhere. */
  readonly form: 'flat' | 'padded';
  /** Attention is the device's PagedAttention over a cache per layer and part, which it writes itself, not plain operators over the pool. */
  readonly kernel: boolean;
  /**
   * Flat form over an f32 pool: new keys and values are put among the gathered ones, each at its position's column, so M counts the blocks
   * of the new positions too.
   */
  readonly joined: boolean;
  /** Blocks of the pool, built into the graph. */
  readonly blocks: number;
  readonly layers: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly type: CacheType;
  /** Element type of the logits. */
  readonly logitsType: CacheType;
  /** Query heads per KV head (flat form). */
  readonly groups: number;
  /** Distinct look-back windows, 0 for none; each has a mask input (flat form). */
  readonly windows: readonly number[];
  readonly idsName: string;
  /** Inputs of the original that are still there. */
  readonly positionIds?: string;
  readonly attentionMask?: string;
  readonly logitsToKeep?: string;
  readonly useCache?: string;
  readonly logits: string;
  /** Whether only wanted positions' logits leave the graph (else all do). */
  readonly picks: boolean;
  readonly head?: HeadWeights;
  readonly experts?: { readonly layers: number; readonly count: number; readonly k: number };
}

/** Why a graph cannot be rewritten; a value, since the contiguous form then serves. */
export interface Refusal {
  readonly refused: string;
}
