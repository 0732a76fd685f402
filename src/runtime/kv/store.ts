/**
 * The memory of the KV pool on the host: one typed array that the graph reads by reference and JavaScript writes.
 *
 * Layout (rewrite/layout.ts): row ((layer * 2 + part) * blocks + block) * KH + head of blockSize * D numbers.
 *
 * Invariant: holds finite numbers everywhere, since masked positions are multiplied by zero.
 */
import { Tensor } from 'onnxruntime-node';
import { LimitError } from '../../base/errors.js';
import { BLOCK_SIZE, NAMES, type PoolType } from '../rewrite/layout.js';
import type { Feeds } from '../session.js';

export interface StoreShape {
  readonly blocks: number;
  readonly layers: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly type: PoolType;
  /** Of a device's pool: half precision (default f32). */
  readonly half?: boolean;
  /** Of a device's pool: a cache per layer and part, which the device's attention kernel writes (default false). */
  readonly kernel?: boolean;
}

/** What the sequences need of the memory behind the pool. */
export interface KvMemory {
  /** The inputs of the graph, by name. */
  readonly tensors: Feeds;
  bytes(): number;
  /** Copies the first `positions` of a block to another one, before the next pass at the latest. */
  copyBlock(from: number, to: number, positions: number): void;
  /** Copies a block out of the pool; throws LimitError where it cannot leave the device. */
  save(block: number): SavedBlock;
  /** Copies a saved block into the pool. */
  restore(block: number, saved: SavedBlock): void;
}

/** Where the new rows of a run lie: strides in numbers, for slot (layer * 2 + part), row, head and place. */
export interface FreshLayout {
  readonly slot: number;
  readonly row: number;
  readonly head: number;
  readonly place: number;
}

/** A block's content outside the pool. */
export interface SavedBlock {
  readonly data: Float32Array | Int8Array;
  readonly scales: Float32Array;
}

/** See the module's header. */
export class KvStore implements KvMemory {
  private readonly data: Float32Array | Int8Array;
  /** [rows, blockSize]; empty for an f32 pool. */
  private readonly scales: Float32Array;
  /** The inputs of the graph, by name. */
  readonly tensors: Readonly<Record<string, Tensor>>;
  private readonly slots: number;
  private readonly rowSize: number;

  constructor(readonly shape: StoreShape) {
    this.slots = 2 * shape.layers;
    this.rowSize = BLOCK_SIZE * shape.headDim;
    const rows = this.slots * shape.blocks * shape.kvHeads;
    const numbers = rows * this.rowSize;
    try {
      this.data = shape.type === 'f32' ? new Float32Array(numbers) : new Int8Array(numbers);
      this.scales = new Float32Array(shape.type === 'f32' ? 0 : rows * BLOCK_SIZE);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new LimitError('numbers of the KV pool', numbers, 2 ** 32);
    }
    const dims = [rows, BLOCK_SIZE, shape.headDim];
    this.tensors =
      this.data instanceof Float32Array
        ? { [NAMES.pool]: new Tensor('float32', this.data, dims) }
        : {
            [NAMES.pool]: new Tensor('int8', this.data, dims),
            [NAMES.scales]: new Tensor('float32', this.scales, [rows, BLOCK_SIZE]),
          };
  }

  bytes(): number {
    return this.data.byteLength + this.scales.byteLength;
  }

  /**
   * Writes `count` new positions of one sequence, from place `from` of row `row` of a run's output, at positions `start` on,
   * into the blocks of `table`.
   */
  write(
    fresh: Float32Array,
    layout: FreshLayout,
    row: number,
    from: number,
    count: number,
    table: readonly number[],
    start: number,
  ): void {
    const { blocks, kvHeads, headDim } = this.shape;
    const { data, scales, rowSize, slots } = this;
    for (let slot = 0; slot < slots; slot++) {
      const source = slot * layout.slot + row * layout.row;
      for (let i = 0; i < count; i++) {
        const position = start + i;
        const block = table[Math.floor(position / BLOCK_SIZE)]!;
        const inBlock = position % BLOCK_SIZE;
        for (let h = 0; h < kvHeads; h++) {
          const poolRow = (slot * blocks + block) * kvHeads + h;
          const to = poolRow * rowSize + inBlock * headDim;
          const at = source + h * layout.head + (from + i) * layout.place;
          if (data instanceof Float32Array) copyRow(fresh, at, data, to, headDim);
          else scales[poolRow * BLOCK_SIZE + inBlock] = quantizeRow(fresh, at, data, to, headDim);
        }
      }
    }
  }

  /** Copies the first `positions` of a block to another one. */
  copyBlock(from: number, to: number, positions: number): void {
    const { blocks, kvHeads, headDim } = this.shape;
    for (let slot = 0; slot < this.slots; slot++) {
      for (let h = 0; h < kvHeads; h++) {
        const a = (slot * blocks + from) * kvHeads + h;
        const b = (slot * blocks + to) * kvHeads + h;
        this.data.copyWithin(b * this.rowSize, a * this.rowSize, a * this.rowSize + positions * headDim);
        if (this.scales.length > 0) {
          this.scales.copyWithin(b * BLOCK_SIZE, a * BLOCK_SIZE, a * BLOCK_SIZE + positions);
        }
      }
    }
  }

  /** Copies a block out of the pool. */
  save(block: number): SavedBlock {
    const { kvHeads } = this.shape;
    const width = kvHeads * this.rowSize;
    const marks = this.scales.length === 0 ? 0 : kvHeads * BLOCK_SIZE;
    const n = this.slots * width;
    const data = this.data instanceof Float32Array ? new Float32Array(n) : new Int8Array(n);
    const scales = new Float32Array(this.slots * marks);
    for (let slot = 0; slot < this.slots; slot++) {
      const at = slot * this.shape.blocks + block;
      data.set(this.data.subarray(at * width, (at + 1) * width), slot * width);
      if (marks > 0) scales.set(this.scales.subarray(at * marks, (at + 1) * marks), slot * marks);
    }
    return { data, scales };
  }

  /** Copies a saved block into the pool. */
  restore(block: number, saved: SavedBlock): void {
    const width = this.shape.kvHeads * this.rowSize;
    const marks = saved.scales.length / this.slots;
    for (let slot = 0; slot < this.slots; slot++) {
      const at = slot * this.shape.blocks + block;
      this.data.set(saved.data.subarray(slot * width, (slot + 1) * width), at * width);
      if (marks > 0) this.scales.set(saved.scales.subarray(slot * marks, (slot + 1) * marks), at * marks);
    }
  }
}

function copyRow(from: Float32Array, at: number, to: Float32Array, start: number, n: number): void {
  for (let i = 0; i < n; i++) to[start + i] = from[at + i]!;
}

/** Rounds n numbers to int8 with one scale, which it returns. */
function quantizeRow(from: Float32Array, at: number, to: Int8Array, start: number, n: number): number {
  let peak = 0;
  for (let i = 0; i < n; i++) peak = Math.max(peak, Math.abs(from[at + i]!));
  const inverse = peak === 0 ? 0 : 127 / peak;
  for (let i = 0; i < n; i++) to[start + i] = Math.round(from[at + i]! * inverse);
  return peak / 127;
}
